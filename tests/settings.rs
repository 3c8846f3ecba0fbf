//! Settings that are not understood stop every command, with where they were given.

use crate::support::{Heddle, Outcome, Server, write};
use serde_json::json;

#[test]
fn every_command_is_stopped_by_a_setting_it_does_not_know() {
    let heddle = Heddle::new();
    std::fs::create_dir(heddle.data()).unwrap();
    let file = write(&heddle.data().join("heddle.toml"), "[server]\n\nlisten_on = \"127.0.0.1:1\"\n");
    let commands: &[&[&str]] = &[
        &["serve"],
        &["run", "agent.json"],
        &["import", "agent.json"],
        &["export", "x"],
        &["user", "list"],
        &["key", "list"],
        &["blocks", "list"],
        &["config"],
        &["migrate"],
        &["doctor"],
        &["version"],
    ];
    for words in commands {
        let outcome = heddle.run(words);
        outcome.refused("server.listen_on: no such setting").refused(&format!("{file}:3")).refused("server.listen");
    }
}

#[test]
fn settings_of_later_releases_are_refused_wherever_they_are_given() {
    let heddle = Heddle::new();
    let file = write(&heddle.beside("other.toml"), "[dispatch]\nurl = \"nats://localhost\"\n");
    heddle
        .run(&["config", "--config", &file])
        .refused("dispatch.url: not in this release")
        .refused(&format!("{file}:2"));
    heddle.run(&["config", "--set", "files.url=s3://x"]).refused("files.url: not in this release");
    let mut command = heddle.binary();
    command.arg("config").env("HEDDLE_DISPATCH__URL", "nats://localhost");
    Outcome::of(command).refused("dispatch.url: not in this release").refused("HEDDLE_DISPATCH__URL");
}

#[test]
fn a_mail_servers_password_is_never_shown() {
    let heddle = Heddle::new();
    let shown = heddle.json(&["config", "--set", "smtp.url=smtps://ada:secret@mail.example.org"]).to_string();
    assert!(shown.contains("ada:*@mail.example.org") && !shown.contains("secret"), "{shown}");
    let refused = heddle.run(&["config", "--set", "smtp.url=smtps://ada:secret@mail.example.org/path"]);
    assert!(!refused.refused("ada:*@mail.example.org").stderr.contains("secret"), "{refused:?}");
}

#[test]
fn config_prints_what_holds_in_the_end() {
    let heddle = Heddle::new();
    std::fs::create_dir(heddle.data()).unwrap();
    write(&heddle.data().join("heddle.toml"), "server.listen = \"127.0.0.1:1\"\nlimits.json_depth = 9\n");
    let mut command = heddle.binary();
    command.args(["--json", "config", "--set", "log.level=warn", "--listen", "127.0.0.1:3"]);
    command
        .env("HEDDLE_SERVER__LISTEN", "127.0.0.1:2")
        .env("HEDDLE_ENGINE__NESTING", "4")
        .env("HEDDLE_DATA", heddle.data());
    let config = Outcome::of(command).json();
    assert_eq!(config["server"]["listen"], "127.0.0.1:3");
    assert_eq!(
        config["limits"],
        json!({"body_bytes": 8 << 20, "json_depth": 9, "requests": "unlimited", "executions": "unlimited"})
    );
    assert_eq!(config["engine"]["nesting"], 4);
    assert_eq!(config["log"]["level"], "warn");
}

#[test]
fn what_config_prints_can_be_read_back() {
    let heddle = Heddle::new();
    let printed = heddle.run(&["config", "--set", "server.trusted_proxy_count=2"]);
    let file = write(&heddle.beside("again.toml"), &printed.stdout);
    assert_eq!(heddle.json(&["config", "--config", &file])["server"]["trusted_proxy_count"], 2);
}

#[test]
fn a_path_prefix_is_served_and_printed() {
    let heddle = Heddle::new();
    let server = Server::start_with(&heddle, &["--set", "server.public_url=https://agents.example.org/heddle"]);
    let line = loop {
        let line = server.line();
        if line.starts_with("curl ") {
            break line;
        }
    };
    assert!(line.contains(&format!("'{}/heddle/external-api/v1/graphs/", server.address)), "{line}");
    let client = server.client(&heddle);
    assert_eq!(client.get("/heddle/external-api/v1/blocks").status, 200);
}
