//! Commands work the same with and without a running server.

use crate::support::{Heddle, Outcome, Server, json_of, root, write};
use serde_json::{Value, json};

fn example(slug: &str) -> String {
    root().join(format!("examples/{slug}.json")).to_str().unwrap().to_owned()
}

/// Runs a check on a folder without a server, and on one with.
fn both_ways(check: impl Fn(&Heddle)) {
    check(&Heddle::new());
    let heddle = Heddle::new();
    let _server = Server::start(&heddle);
    check(&heddle);
}

#[test]
fn what_is_imported_is_exported() {
    both_ways(|heddle| {
        let imported = heddle.run(&["import", &example("quote-for-a-group"), &example("log-digest")]);
        assert_eq!(imported.code, 0, "{imported:?}");
        let imported = imported.json();
        assert_eq!(imported[0]["file"], example("quote-for-a-group"));
        assert_eq!((&imported[1]["name"], &imported[1]["version"]), (&json!("Log digest"), &json!(1)));
        let exported = heddle.json(&["export", imported[0]["id"].as_str().unwrap()]);
        assert_eq!(exported["sub_graphs"][0]["name"], "Price of one seat");
        let again = write(&heddle.beside("again.json"), &exported.to_string());
        assert_eq!(heddle.run(&["import", &again]).code, 0);
        heddle.run(&["export", "00000000-0000-4000-8000-000000000000"]).refused("not found");
    });
}

#[test]
fn blocks_that_this_release_does_not_run_are_named() {
    both_ways(|heddle| {
        let mut agent = json_of(&root().join("examples/log-digest.json"));
        agent["nodes"].as_array_mut().unwrap().push(json!({
            "id": "00000000-0000-4000-8000-000000000001",
            "block_id": "e8f3c9a2-7b5d-4f1e-9c6a-3d8e2b4f7a1c",
            "input_default": {},
        }));
        let file = write(&heddle.beside("thread.json"), &agent.to_string());
        let outcome = heddle.run(&["import", &file, &example("parcel-desk")]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let expected = format!(
            "{file}: imported; this release does not run CreateDiscordThreadBlock, so runs of it are refused\n"
        );
        assert!(outcome.stderr.starts_with(&expected), "{outcome:?}");
        assert_eq!(outcome.json()[0].as_object().unwrap().len(), 4, "{outcome:?}");
        heddle.run(&["run", &file]).refused("this release does not run CreateDiscordThreadBlock");
    });
}

#[test]
fn a_run_keeps_nothing_unless_the_command_line_says_where() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let kept = || client.get("/external-api/v1/graphs").json()["pagination"]["total_items"].clone();
    let before = kept();
    let agent = example("parcel-desk");
    let words = ["run", &agent, "--input", "weight_kg=31"];
    let mut command = heddle.binary();
    command.args(words).env("HEDDLE_DATA", heddle.data());
    assert!(command.output().unwrap().status.success());
    assert_eq!(kept(), before);
    assert_eq!(heddle.run(&words).code, 0);
    assert_ne!(kept(), before, "--data names a folder");
}

#[test]
fn one_refused_file_does_not_keep_the_others_out() {
    both_ways(|heddle| {
        let text = write(&heddle.beside("text.json"), "not json");
        let mut wrong = json_of(&root().join("examples/log-digest.json"));
        wrong["nodes"][0]["block_id"] = json!("00000000-0000-4000-8000-000000000000");
        let wrong = write(
            &heddle.beside("several.json"),
            &json!([wrong, json_of(&root().join("examples/log-digest.json"))]).to_string(),
        );
        let outcome = heddle.run(&["import", &text, &wrong, &example("parcel-desk"), "/nonexistent.json"]);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let rows = outcome.json();
        let good: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["error"].is_null()).collect();
        assert_eq!(good, [false, false, true, true, false], "{rows}");
        assert!(rows[1]["error"].as_str().unwrap().contains("00000000-0000-4000-8000-000000000000"), "{rows}");
    });
}

#[test]
fn one_refused_agent_of_a_file_does_not_keep_the_others_out() {
    both_ways(|heddle| {
        let good = json_of(&root().join("examples/log-digest.json"));
        let several = json!([{"name": "no nodes that are a list", "nodes": 1}, good, 5, [good], good]);
        let several = write(&heddle.beside("several.json"), &several.to_string());
        let outcome = heddle.run(&["import", &several]);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let rows = outcome.json();
        let saved: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["name"] == "Log digest").collect();
        assert_eq!(saved, [false, true, false, false, true], "{rows}");
        for row in rows.as_array().unwrap() {
            assert_eq!(row["file"], several, "{rows}");
            assert_ne!(row["error"].is_string(), row["id"].is_string(), "{rows}");
        }
    });
}

#[test]
fn a_byte_order_mark_before_an_agent_is_passed_over() {
    let heddle = Heddle::new();
    let text = std::fs::read_to_string(root().join("examples/shopping-list.json")).unwrap();
    let marked = write(&heddle.beside("marked.json"), &format!("\u{feff}{text}"));
    assert_eq!(heddle.run(&["import", &marked]).code, 0);
    let outcome = heddle.run(&["run", &marked, "--inputs", r#"{"items": ["tea"]}"#]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

#[test]
fn accounts_are_made_listed_and_disabled() {
    both_ways(|heddle| {
        let made = heddle.run_with_stdin(
            &["user", "create", "--email", "Ada@Example.org", "--name", "Ada", "--password-stdin"],
            "long enough secret\n",
        );
        assert_eq!(made.code, 0, "{made:?}");
        heddle.run(&["user", "create", "--email", "ada@example.org"]).refused("");
        heddle.run(&["user", "create", "--email", "nobody"]).refused("not an e-mail address");
        let users = heddle.json(&["user", "list"]);
        let ada = users.as_array().unwrap().iter().find(|user| user["id"] == made.stdout.trim()).unwrap();
        assert_eq!((&ada["is_admin"], &ada["name"]), (&json!(false), &json!("Ada")));
        let made = heddle.json(&["user", "create", "--email", "eve@example.org", "--admin"]);
        assert_eq!((&made["email"], &made["is_admin"]), (&json!("eve@example.org"), &json!(true)));
        assert_eq!(heddle.run_with_stdin(&["user", "password", "eve@example.org"], "another long secret").code, 0);
        heddle.run_with_stdin(&["user", "password", "eve@example.org"], "\n").refused("empty");
        assert_eq!(heddle.run(&["user", "disable", "ada@example.org"]).code, 0);
        heddle.run(&["user", "disable", "nobody@example.org"]).refused("");
        heddle.run(&["key", "create", "--name", "k", "--user", "nobody@example.org"]).refused("");
    });
}

#[test]
fn a_disabled_account_and_a_revoked_key_are_shut_out_at_once() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    heddle.json(&["user", "create", "--email", "bob@example.org"]);
    let key = |name: &str| {
        heddle.json(&["key", "create", "--name", name, "--user", "bob@example.org", "--scopes", "READ_BLOCK"])
    };
    let (first, second) = (key("first"), key("second"));
    let status = |key: &Value, path: &str| {
        let key = key["key"].as_str().unwrap().to_owned();
        crate::support::Client::new(&server.address, Some(key)).get(path).status
    };
    assert_eq!(first["scopes"], json!(["READ_BLOCK"]));
    assert_eq!(status(&first, "/external-api/v1/blocks"), 200);
    assert_eq!(status(&first, "/external-api/v1/graphs"), 403);
    assert_eq!(heddle.run(&["key", "revoke", first["id"].as_str().unwrap()]).code, 0);
    assert_eq!(status(&first, "/external-api/v1/blocks"), 401);
    assert_eq!(status(&second, "/external-api/v1/blocks"), 200);
    assert_eq!(heddle.run(&["user", "disable", "bob@example.org"]).code, 0);
    assert_eq!(status(&second, "/external-api/v1/blocks"), 401);
    let keys = heddle.json(&["key", "list", "--user", "bob@example.org"]);
    let states: Vec<_> = keys.as_array().unwrap().iter().map(|key| (&key["name"], &key["status"])).collect();
    assert!(states.contains(&(&json!("first"), &json!("REVOKED"))), "{states:?}");
    heddle.run(&["key", "revoke", "00000000-0000-4000-8000-000000000000"]).refused("no API key");
}

#[test]
fn run_prints_outputs_and_ends_with_the_runs_fate() {
    let heddle = Heddle::new();
    let run = |words: &[&str]| {
        let mut command = heddle.binary();
        command.arg("run").args(words);
        Outcome::of(command)
    };
    let file = example("parcel-desk");
    let outcome = run(&[&file, "--inputs", r#"{"weight_kg": 4}"#, "--input", "weight_kg=30"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    assert_eq!(outcome.json(), json!({"freight": ["30.0 kg: book a pallet."]}));
    let outcome = run(&[&file, "--inputs", r#"{"weight_kg": 4}"#, "--json"]);
    let printed = outcome.json();
    assert_eq!((&printed["status"], &printed["error"]), (&json!("COMPLETED"), &Value::Null));
    assert_eq!(printed.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "status", "outputs", "error"]);
    run(&["/nonexistent.json"]).refused("/nonexistent.json");
    run(&[&file, "--inputs", "[]"]).refused("expected a JSON object");
    assert!(!heddle.data().exists(), "a run without --data left a data folder");
    assert!(!heddle.beside("heddle-data").exists(), "a run without --data left a data folder");
}

#[test]
fn run_with_a_data_folder_keeps_the_run() {
    both_ways(|heddle| {
        let words = ["run", &example("shopping-list"), "--inputs", r#"{"items": ["tea"]}"#];
        let outcome = heddle.run(&words);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_eq!(outcome.json(), json!({"line": ["1. tea from the market"]}));
        assert_eq!(heddle.data().join("heddle.db").exists(), !heddle_cluster::is_wanted());
    });
}

#[test]
fn blocks_are_listed_and_shown_without_a_data_folder() {
    let heddle = Heddle::new();
    let blocks = heddle.json(&["blocks", "list"]);
    let blocks = blocks.as_array().unwrap();
    assert!(blocks.len() >= 50, "{}", blocks.len());
    for block in blocks {
        assert!(!block["description"].as_str().unwrap().is_empty(), "{block}");
    }
    let shown = heddle.json(&["blocks", "show", "b1ab9b19-67a6-406d-abf5-2dba76d00c79"]);
    assert_eq!(shown["input_schema"]["properties"]["operation"]["enum"][0], "Add");
    heddle.run(&["blocks", "show", "nothing"]).refused("no block");
    assert!(!heddle.data().exists());
}

#[test]
fn migrate_says_what_is_pending_and_does_it() {
    let heddle = Heddle::new();
    std::fs::create_dir(heddle.data()).unwrap();
    heddle.run(&["migrate", "--check"]).refused("pending");
    let done = heddle.json(&["migrate"]);
    assert!(done.as_array().unwrap().iter().all(|row| row["state"] == "applied"), "{done}");
    assert_eq!(heddle.run(&["migrate", "--check"]).code, 0);
}

#[test]
fn the_doctor_finds_nothing_on_a_healthy_folder() {
    both_ways(|heddle| {
        let findings = heddle.json(&["doctor"]);
        let checks: Vec<_> =
            findings.as_array().unwrap().iter().map(|finding| finding["check"].as_str().unwrap()).collect();
        assert_eq!(checks, ["settings", "disk", "database", "clock", "outbound", "sign-in"]);
        let database = findings[2]["found"].as_str().unwrap();
        let of_file = [" MiB of it free)", ", log "].map(|text| database.contains(text));
        assert!(database.contains(" MiB") && of_file == [heddle.data().join("heddle.db").exists(); 2], "{database}");
    });
}

#[test]
fn the_doctor_notices_a_damaged_database() {
    let heddle = Heddle::new();
    std::fs::create_dir(heddle.data()).unwrap();
    write(&heddle.data().join("heddle.db"), &"no database at all ".repeat(500));
    let outcome = heddle.run(&["doctor", "--set", "log.level=error"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stdout.contains("database"), "{outcome:?}");
}

#[test]
fn what_this_release_does_not_have_is_refused() {
    let heddle = Heddle::on_file();
    let commands: &[&[&str]] = &[&["worker"], &["worker", "--threads", "2"]];
    for words in commands {
        heddle.run(words).refused("not in this release");
    }
}

#[test]
fn wrong_usage_ends_with_status_two() {
    let heddle = Heddle::new();
    let commands: &[&[&str]] = &[
        &[],
        &["fly"],
        &["run"],
        &["key", "create"],
        &["key", "create", "--name", "k", "--scopes", "FLY"],
        &["config", "--set", "x"],
    ];
    for words in commands {
        let outcome = heddle.run(words);
        assert_eq!(outcome.code, 2, "{words:?}: {outcome:?}");
    }
}

#[test]
fn version_is_one_line_or_one_document() {
    let heddle = Heddle::new();
    assert_eq!(heddle.run(&["version"]).stdout, format!("heddle {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(heddle.json(&["version"])["version"], env!("CARGO_PKG_VERSION"));
}
