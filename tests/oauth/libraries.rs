//! The libraries that applications are written with, each used as its documentation shows it (`clients/`).

use super::script::{self, Language};
use super::stage::{CALLBACK, Stage};
use crate::support::{root, say, skip};

fn drive(language: Language, file: &str, least: usize) {
    drive_under("", language, file, least);
}

fn drive_under(path: &str, language: Language, file: &str, least: usize) {
    if let Some(missing) = language.missing() {
        return skip(1, missing);
    }
    let mut stage = Stage::under(path);
    let (app, public, es256) = (stage.app(CALLBACK), stage.public_app(CALLBACK), stage.app(CALLBACK));
    stage.heddle.json(&["app", "edit", &es256.id, "--id-token-alg", "ES256"]);
    let text = std::fs::read_to_string(root().join("tests/oauth/clients").join(file)).unwrap();
    let mut command = language.command(&stage, "client", &text);
    script::given(&mut command, &app);
    command.env("PUBLIC_ID", &public.id).env("ES256_ID", &es256.id).env("ES256_SECRET", &es256.secret);
    let said = script::run(&mut stage, command);
    let checked = said.last().and_then(|line| line.strip_prefix("checked ")).expect("a count at the end");
    assert!(checked.parse::<usize>().unwrap() >= least, "{checked}");
    say(&format!("{file}: {checked} checks"));
}

#[test]
fn oauth4webapi_signs_people_in_and_names_what_is_refused() {
    drive(Language::JavaScript, "oauth4webapi.mjs", 32);
}

#[test]
fn openid_client_signs_people_in_with_what_it_discovers() {
    drive(Language::JavaScript, "openid_client.mjs", 25);
}

#[test]
fn authlib_signs_people_in_and_keeps_no_refusal_as_a_token() {
    drive(Language::Python, "authlib_client.py", 17);
}

#[test]
fn requests_oauthlib_signs_people_in() {
    drive(Language::Python, "requests_oauthlib_client.py", 15);
}

#[test]
fn both_ways_of_discovery_find_a_server_that_has_a_path() {
    drive_under("/tools/heddle", Language::JavaScript, "oauth4webapi.mjs", 32);
    drive_under("/tools/heddle", Language::JavaScript, "openid_client.mjs", 20);
}
