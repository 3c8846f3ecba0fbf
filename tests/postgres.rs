//! The server with its database on PostgreSQL: all that holds on a file, and what happens when the database is away.

use crate::support::{Client, Heddle, Outcome, Server, execute, json_of, root};
use heddle_cluster::{Cluster, again};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&["callbacks::", "crash::", "rules::", "schedules::", "serving::", "settings::"]);
}

/// A run that waits for two seconds and then says so.
fn slow() -> Value {
    let timer = json!({"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71",
        "input_default": {"seconds": 2}});
    let output =
        json!({"id": "o", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "said"}});
    let link = json!({"source_id": "t", "source_name": "output_message", "sink_id": "o", "sink_name": "value"});
    json!({"name": "Slow", "description": "Waits.", "nodes": [timer, output], "links": [link]})
}

fn example() -> Value {
    json_of(&root().join("examples/shopping-list.json"))
}

/// Asks again and again.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < give_up, "it never comes to that: {what}");
    }
}

#[test]
fn a_database_that_goes_away_is_told_and_waited_for() {
    let Some(cluster) = Cluster::start("", &[]) else { return };
    let heddle = Heddle::on_file().on(&cluster.url("postgres"));
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let (graph, slow) = (client.save(&example()), client.save(&slow()));
    let body = json!({"items": ["tea"]});
    let before = client.start_and_wait(&graph, &body).json();
    let waiting = client.start(&slow, &json!({}));
    let start = || client.post(&execute(&graph), &[("Prefer", "wait=60")], &json!({"node_input": body}));
    for how in ["fast", "immediate"] {
        cluster.stop(how);
        let unready = client.get("/readyz");
        assert_eq!(unready.status, 503, "{unready:?}");
        assert!(unready.json()["reasons"][0].as_str().unwrap().contains("database"), "{unready:?}");
        assert_eq!(client.get("/healthz").status, 200);

        let refused = start();
        assert_eq!((refused.status, refused.header("retry-after")), (503, "5"), "{refused:?}");
        assert!(refused.json()["detail"].is_string(), "{refused:?}");
        let path = format!("/external-api/v1/graphs/{}/executions", graph["id"].as_str().unwrap());
        let unread = client.get(&path);
        assert_eq!((unread.status, unread.header("retry-after")), (503, "5"), "{unread:?}");
        assert_eq!(unread.json(), json!({"detail": "The database is not available right now, retry shortly."}));

        cluster.begin();
        until("ready again", || client.get("/readyz").status == 200);
        let after = start();
        assert_eq!((after.status, &after.json()["status"]), (200, &json!("COMPLETED")), "{after:?}");
    }
    let ended = client.results_at_end(&slow, &waiting);
    assert_eq!(ended["output"], json!([{"said": "timer finished"}]), "what waited meanwhile has gone on: {ended}");
    assert_eq!(client.results(&graph, before["id"].as_str().unwrap())["output"], before["output"]);
    let (status, _, _) = server.stop();
    assert!(status.success(), "{status:?}");
}

#[test]
fn a_server_stops_in_order_while_its_database_is_away() {
    let Some(cluster) = Cluster::start("", &[]) else { return };
    let heddle = Heddle::on_file().on(&cluster.url("postgres"));
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let slow = client.save(&slow());
    let run = client.start(&slow, &json!({}));
    cluster.stop("immediate");
    assert_eq!(client.get("/readyz").status, 503);
    let (status, _) = server.stop_within(Duration::from_secs(30));
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    let away = heddle.run(&["serve", "--listen", "127.0.0.1:0"]);
    away.refused("database");
    cluster.begin();
    let server = Server::start(&heddle);
    let ended = server.client(&heddle).results_at_end(&slow, &run);
    assert_eq!(ended["output"], json!([{"said": "timer finished"}]), "{ended}");
}

#[test]
fn runs_go_on_while_the_servers_sessions_are_cut() {
    let Some(cluster) = Cluster::start("", &[]) else { return };
    let heddle = Heddle::on_file().on(&cluster.url("postgres"));
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&json_of(&root().join("examples/quote-for-a-group.json")));
    let ages: Vec<_> = (0..200).map(|n| n % 24).collect();
    let prices: Vec<_> = ages.iter().map(|age| if *age < 12 { 6 } else { 12 }).collect();
    let runs: Vec<_> = (0..3).map(|_| client.start(&graph, &json!({"ages": ages}))).collect();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'heddle%'";
    for _ in 0..10 {
        cluster.sql("postgres", cut);
    }
    for run in &runs {
        let read = || {
            client.get(&format!("/external-api/v1/graphs/{}/executions/{run}/results", graph["id"].as_str().unwrap()))
        };
        let mut answer = read();
        until("the run ends", || {
            answer = read();
            answer.status == 200 && answer.json()["status"] == "COMPLETED"
        });
        let answer = answer.json();
        let output = answer["output"].as_array().unwrap().iter();
        let found: Vec<_> =
            output.filter_map(|entry| entry.get("price")).map(|price| price.as_f64().unwrap() as i32).collect();
        assert_eq!(found, prices, "{run}");
    }
}

#[test]
fn a_database_belongs_to_one_process_whatever_its_folder() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    let (one, other) = (Heddle::on_file().on(&url), Heddle::on_file().on(&url));
    let server = Server::start(&one);
    let holder = format!("the database is in use by heddle (pid {})", server.pid());
    other.run(&["serve", "--listen", "127.0.0.1:0"]).refused(&holder);
    other.run(&["user", "list"]).refused(&holder);
    assert_eq!(other.run(&["migrate", "--check"]).code, 0, "looking takes nothing away");
    assert_eq!(one.run(&["user", "list"]).code, 0, "the server's own folder leads to the server");
    assert_eq!(one.run(&["doctor"]).code, 0);
    server.kill();
    let listed = other.json(&["user", "list"]);
    assert_eq!(listed[0]["email"], "operator@localhost", "{listed}");
}

#[test]
fn a_database_is_told_of_once_whatever_its_folder() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    let (one, other) = (Heddle::on_file().on(&url), Heddle::on_file().on(&url));
    let server = Server::start_with(&one, &["--json"]);
    let (_, told, _) = server.stop();
    let key = serde_json::from_str::<Value>(&told.join("\n")).unwrap()["key"].as_str().unwrap().to_owned();
    let server = Server::start(&other);
    assert_eq!(Client::new(&server.address, Some(key)).get("/external-api/v1/blocks").status, 200);
    let (_, told, _) = server.stop();
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn the_commands_find_a_database_and_say_why_when_they_do_not() {
    let Some(cluster) = Cluster::shared() else { return };
    let heddle = Heddle::on_file().on(&cluster.database());
    let states = heddle.run(&["migrate", "--check"]);
    states.refused("migrations are pending");
    assert_eq!(heddle.run(&["migrate"]).code, 0);
    assert_eq!(heddle.run(&["migrate", "--check"]).code, 0);
    assert!(!heddle.data().join("heddle.db").exists());
    let findings = heddle.json(&["doctor"]);
    let found = findings.as_array().unwrap().iter().find(|row| row["check"] == "database").unwrap();
    assert!(found["found"].as_str().unwrap().starts_with("whole, a commit takes "), "{findings}");

    let inputs = json!({"items": ["tea"], "shop": "here"}).to_string();
    let agent = root().join("examples/shopping-list.json").to_str().unwrap().to_owned();
    let run = heddle.run(&["run", &agent, "--inputs", &inputs]);
    assert_eq!(run.json(), json!({"line": ["1. tea from here"]}), "{run:?}");

    let gone = Heddle::on_file().on("postgres://heddle:secret@127.0.0.1:1/heddle");
    for words in [&["user", "list"][..], &["serve", "--listen", "127.0.0.1:0"], &["migrate", "--check"]] {
        let outcome = gone.run(words);
        outcome.refused("database");
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
    }
    let doctor = gone.run(&["doctor", "--json"]);
    assert!(doctor.code == 1 && !format!("{doctor:?}").contains("secret"), "{doctor:?}");
    assert_eq!(gone.json(&["config"])["database"]["url"], "postgres://heddle:*@127.0.0.1:1/heddle");
}

#[test]
fn a_refused_address_is_shown_without_its_password() {
    for url in ["mysql://u:secret@h/x", "postgres://u:secret@h/x?sslmode=never", "postgres://u:se?cret@h:port/x"] {
        let heddle = Heddle::on_file();
        let mut command = heddle.binary();
        command.args(["config", "--set", &format!("database.url={url}")]);
        let outcome = Outcome::of(command);
        outcome.refused("database.url: ").refused("postgres://USER:PASSWORD@HOST:PORT/DATABASE");
        assert!(!outcome.stderr.contains("cret"), "{outcome:?}");
    }
}
