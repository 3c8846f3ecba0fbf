//! What the documentation tells people to copy, run as it stands there.

use super::script::{self, Language};
use super::stage::{ADA, CALLBACK, Stage};
use super::upstream;
use crate::support::{root, skip};
use std::process::Command;

/// The programs in a document, in order: fenced text of these languages.
fn snippets(document: &str) -> Vec<(Language, String)> {
    let text = std::fs::read_to_string(root().join("docs").join(document)).unwrap();
    let fenced = text.split("\n```").skip(1).step_by(2);
    let programs = fenced.filter_map(|block| {
        let (language, code) = block.split_once('\n').unwrap();
        let language = match language {
            "js" => Language::JavaScript,
            "python" => Language::Python,
            "sh" => Language::Shell,
            "" => return None,
            other => panic!("{document}: nothing runs {other}"),
        };
        Some((language, code.to_owned()))
    });
    programs.collect()
}

/// Runs each program of a document; what it prints must hold these texts.
fn run(document: &str, expected: &[&[&str]], given: impl Fn(&mut Stage, &mut Command)) {
    let snippets = snippets(document);
    assert_eq!(snippets.len(), expected.len(), "{document} has other programs than these");
    let mut stage = Stage::new();
    let (app, public) = (stage.app(CALLBACK), stage.public_app(CALLBACK));
    for (number, ((language, code), expected)) in snippets.iter().zip(expected).enumerate() {
        if let Some(missing) = language.missing() {
            skip(1, missing);
            continue;
        }
        let mut command = language.command(&stage, &format!("snippet-{number}"), code);
        let with_secret = code.contains("CLIENT_SECRET");
        script::given(&mut command, if with_secret { &app } else { &public });
        given(&mut stage, &mut command);
        let said = script::run(&mut stage, command).join("\n");
        for text in *expected {
            assert!(said.contains(text), "{document}, program {number}: {text:?} in {said}");
        }
    }
}

#[test]
fn programs_of_the_sign_in_guide_sign_people_in() {
    let who: &[&str] = &[ADA];
    let with_api: &[&str] = &[ADA, " blocks"];
    run("sign-in-with-heddle.md", &[with_api, who, with_api, who, who], |_, _| ());
}

#[test]
fn programs_of_the_authentication_guide_do_what_it_says() {
    let operator: &[&str] = &["operator@localhost"];
    let renewed: &[&str] = &["agpt_xt_", "agpt_rt_", "\"expires_in\":3600"];
    let expected: [&[&str]; 10] = [
        operator,
        &[" blocks"],
        &[" blocks"],
        &[ADA],
        renewed,
        &["\"active\":true", "\"token_type\":\"Bearer\""],
        &[],
        renewed,
        &["\"scopes_supported\"", "\"S256\""],
        &["/external-api\"", "\"authorization_servers\""],
    ];
    run("authentication.md", &expected, |stage, command| {
        let app = stage.app(CALLBACK);
        let tokens = upstream::tokens(stage, &app);
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        script::given(command, &app);
        command.env("API_KEY", stage.heddle.key());
        command.env("ACCESS_TOKEN", token("access_token")).env("REFRESH_TOKEN", token("refresh_token"));
    });
}
