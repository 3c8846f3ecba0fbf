//! Schedules by commands, with and without a running server.

use crate::support::{Heddle, Server, root};
use serde_json::json;

/// An agent that is there from now on; its id.
fn saved(heddle: &Heddle) -> String {
    let file = root().join("examples/shopping-list.json");
    let imported = heddle.json(&["import", file.to_str().unwrap()]);
    imported[0]["id"].as_str().unwrap().to_owned()
}

fn create<'a>(graph: &'a str, cron: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["schedule", "create", "--graph", graph, "--cron", cron, "--name", "Shopping"];
    words.iter().chain(more).copied().collect()
}

/// Runs a check on a folder without a server, and on one with.
fn both_ways(check: impl Fn(&Heddle)) {
    check(&Heddle::new());
    let heddle = Heddle::new();
    let _server = Server::start(&heddle);
    check(&heddle);
}

#[test]
fn schedules_are_made_listed_and_removed() {
    both_ways(|heddle| {
        let graph = saved(heddle);
        let zoned = ["--timezone", "Asia/Tokyo", "--inputs", r#"{"items": ["tea"]}"#];
        let made = heddle.json(&create(&graph, "30 7 1 1 *", &zoned));
        assert_eq!(heddle.json(&["schedule", "list"]), json!([made]));
        let fields: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            [
                "id",
                "schedule_id",
                "name",
                "user_id",
                "email",
                "graph_id",
                "graph_version",
                "agent_name",
                "cron",
                "timezone",
                "input_data",
                "input_credentials",
                "next_run_time",
            ]
        );
        let operator = &heddle.json(&["user", "list"])[0];
        assert_eq!((&made["user_id"], &made["email"]), (&operator["id"], &operator["email"]));
        assert_eq!((&made["graph_id"], &made["graph_version"]), (&json!(graph), &json!(1)));
        assert_eq!((&made["name"], &made["agent_name"]), (&json!("Shopping"), &json!("Shopping list")));
        assert_eq!((&made["input_data"], &made["input_credentials"]), (&json!({"items": ["tea"]}), &json!({})));
        assert!(made["next_run_time"].as_str().unwrap().ends_with("-01-01T07:30:00+09:00"), "{made}");

        // Without --json the id alone, and a table.
        let plain = heddle.run(&create(&graph, "0 0 1 1 *", &["--version", "1", "--inputs", r#"{"items": []}"#]));
        assert_eq!(plain.code, 0, "{plain:?}");
        let list = heddle.json(&["schedule", "list"]);
        let second = list.as_array().unwrap().iter().find(|row| row["id"] == plain.stdout.trim()).unwrap();
        assert_eq!(second["timezone"], "UTC");
        let table = heddle.run(&["schedule", "list"]).stdout;
        assert_eq!(table.lines().count(), 3, "{table}");

        let id = made["id"].as_str().unwrap();
        assert_eq!(heddle.run(&["schedule", "remove", id]).stdout.trim(), id);
        heddle.run(&["schedule", "remove", id]).refused("there is no schedule");
        heddle.run(&["schedule", "remove", "x"]).refused("there is no schedule");
        assert_eq!(heddle.json(&["schedule", "list"]), json!([second]));
    });
}

#[test]
fn what_cannot_be_scheduled_is_refused_in_one_clear_line() {
    both_ways(|heddle| {
        let graph = saved(heddle);
        let missing = "00000000-0000-4000-8000-000000000000";
        for (words, text) in [
            (create(&graph, "0 9 * *", &[]), "a cron expression has five fields"),
            (create(&graph, "@daily", &[]), "0 0 * * *"),
            (create(&graph, "0 24 * * *", &[]), "hour"),
            (create(&graph, "0 0 31 2 *", &[]), "never comes"),
            (create(&graph, "0 9 * * *", &["--timezone", "Berlin"]), "not a time zone name"),
            (create(missing, "0 9 * * *", &[]), "not found"),
            (create("x", "0 9 * * *", &[]), "Graph #x vNone not found"),
            (create(&graph, "0 9 * * *", &["--version", "2"]), "v2 not found"),
            (create(&graph, "0 9 * * *", &["--inputs", "[]"]), "expected a JSON object"),
            (create(&graph, "0 9 * * *", &["--inputs", "{"]), "--inputs"),
            (create(&graph, "0 9 * * *", &["--user", "nobody@example.org"]), "nobody@example.org"),
        ] {
            heddle.run(&words).refused(text);
        }
        assert_eq!(heddle.run(&["schedule", "create", "--graph", &graph, "--name", "n"]).code, 2);
        assert_eq!(heddle.json(&["schedule", "list"]), json!([]));
    });
}

#[test]
fn each_account_has_its_own_schedules() {
    both_ways(|heddle| {
        let graph = saved(heddle);
        heddle.json(&["user", "create", "--email", "bob@example.org"]);
        heddle.run(&create(&graph, "0 9 * * *", &["--user", "bob@example.org"])).refused("not found");
        let made = heddle.json(&create(&graph, "0 9 * * *", &[]));
        assert_eq!(heddle.json(&["schedule", "list", "--user", "bob@example.org"]), json!([]));
        assert_eq!(heddle.json(&["schedule", "list"]), json!([made]));
    });
}
