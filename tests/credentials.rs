//! Credentials by commands, with and without a running server; providers' files; the change of the master key.

use crate::support::{Heddle, Server, write};
use serde_json::{Value, json};

fn both_ways(check: impl Fn(&Heddle)) {
    check(&Heddle::new());
    let heddle = Heddle::new();
    let _server = Server::start(&heddle);
    check(&heddle);
}

fn own(heddle: &Heddle) -> Vec<Value> {
    let listed = heddle.json(&["credential", "list"]);
    listed.as_array().unwrap().iter().filter(|one| !one["email"].is_null()).cloned().collect()
}

#[test]
fn credentials_of_each_kind_are_added_listed_and_removed() {
    both_ways(|heddle| {
        for (words, lines, kind) in [
            (&["--provider", "openai", "--type", "api_key", "--title", "k"][..], "hunter2-key\n", "api_key"),
            (&["--provider", "github", "--type", "oauth2", "--scopes", "repo,user"], "hunter2-token\n", "oauth2"),
            (&["--provider", "smtp", "--type", "user_password", "--username", "a"], "hunter2\n", "user_password"),
            (
                &["--provider", "http", "--type", "host_scoped", "--host", "*.a.example"],
                "X-A: hunter2\nX-B: 2\n",
                "host_scoped",
            ),
        ] {
            let added = heddle.run_with_stdin(&[&["credential", "add"], words].concat(), lines);
            assert_eq!(added.code, 0, "{added:?}");
            let last = own(heddle).pop().unwrap();
            assert_eq!((last["id"].as_str().unwrap(), &last["type"]), (added.stdout.trim(), &json!(kind)));
        }
        let listed = own(heddle);
        assert_eq!(listed[1]["scopes"], json!(["repo", "user"]));
        assert_eq!((&listed[3]["host"], &listed[3]["last_used_at"]), (&json!("*.a.example"), &Value::Null));
        assert!(!Value::from(listed.clone()).to_string().contains("hunter2"));
        for (words, lines, part) in [
            (&["--provider", "nope", "--type", "api_key"][..], "k\n", "Provider 'nope' not found"),
            (&["--provider", "openai", "--type", "api_key"], "", "the key on stdin is empty"),
            (&["--provider", "http", "--type", "host_scoped", "--host", "a"], "no header\n", "written as Name: value"),
            (&["--provider", "openai", "--type", "api_key", "--base-url", "ftp://x"], "k\n", "base URL"),
            (&["--provider", "openai_compatible", "--type", "api_key"], "k\n", "base URL is missing"),
        ] {
            heddle.run_with_stdin(&[&["credential", "add"], words].concat(), lines).refused(part);
        }
        let id = listed[0]["id"].as_str().unwrap();
        assert_eq!(heddle.run(&["credential", "remove", id]).code, 0);
        heddle.run(&["credential", "remove", id]).refused("there is no credential");
        heddle.run(&["credential", "remove", "744fdc56-071a-4761-b5a5-0af0ce10a2b5"]).refused("System-managed");
        assert_eq!(own(heddle), listed[1..]);
        assert_eq!(heddle.json(&["credential", "uses"]), json!([]));
    });
}

#[test]
fn the_master_key_is_changed_and_everything_opens() {
    both_ways(|heddle| {
        let words = ["credential", "add", "--provider", "openai", "--type", "api_key"];
        assert_eq!(heddle.run_with_stdin(&words, "hunter2\n").code, 0);
        let secret = heddle.run(&["user", "callback-secret"]).stdout;
        let key = || std::fs::read_to_string(heddle.data().join("master.key")).unwrap();
        let before = key();
        let done = heddle.json(&["vault", "rotate"]);
        assert_eq!((&done["unopened"], &done["is_over"]), (&json!(0), &json!(true)));
        assert!(done["resealed"].as_u64().unwrap() >= 2, "{done}");
        assert!(key() != before && key().lines().count() == 1);
        assert_eq!(heddle.run(&["user", "callback-secret"]).stdout, secret);
    });
}

#[test]
fn a_providers_file_is_checked_and_told_where_it_is_wrong() {
    let heddle = Heddle::new();
    let folder = heddle.beside("providers");
    std::fs::create_dir(&folder).unwrap();
    let good = "title: Mine\nbase_url: https://mine.example\ncredentials:\n  api_key: {header: X-Key}\n";
    let file = write(&folder.join("mine.yaml"), good);
    assert_eq!(heddle.json(&["blocks", "check", &file])["name"], "mine");
    let folder = folder.to_str().unwrap().to_owned();
    let set = format!("connectors.dir={folder}");
    let listed = heddle.json(&["blocks", "providers", "--set", &set]);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"mine") && names.contains(&"openai"), "{names:?}");
    let words = ["credential", "add", "--provider", "mine", "--type", "api_key", "--set", &set];
    assert_eq!(heddle.run_with_stdin(&words, "k\n").code, 0);
    write(std::path::Path::new(&file), &good.replace("header", "heder"));
    heddle.run(&["blocks", "check", &file]).refused("mine.yaml:4:");
    heddle.run(&["blocks", "providers", "--set", &set]).refused("mine.yaml:4:");
    heddle.run(&["config", "--set", "providers.mine.api_key=k"]).refused("providers.mine.api_key: no such setting");
    let shown = heddle.json(&["config", "--set", "providers.openai.api_key=hunter2"]);
    assert_eq!(shown["providers"]["openai"]["api_key"], "*");
}
