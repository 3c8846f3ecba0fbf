//! The server's clock jumps: Debian's `faketime` stands between the real binary and the time of day.
//!
//! Only the time of day is moved, as by somebody who sets a clock; what measures durations goes on as ever.

use crate::support::{Client, Heddle, Process, execute, json_of, root, skip};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const HOUR: i64 = 3600;

/// A data folder whose server lives at another time.
struct Elsewhen {
    heddle: Heddle,
    library: PathBuf,
}

impl Elsewhen {
    /// `None` without faketime.
    fn new() -> Option<Self> {
        let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let Some(library) = libraries.find(|library| library.exists()) else {
            skip(1, "faketime");
            return None;
        };
        let elsewhen = Self { heddle: Heddle::new(), library };
        elsewhen.jump(0);
        Some(elsewhen)
    }

    /// Moves the clock to so many seconds from the real time.
    fn jump(&self, seconds: i64) {
        let (new, file) = (self.heddle.beside("time.new"), self.heddle.beside("time"));
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    fn start(&self) -> Process {
        let started = Process::start(&self.heddle, |command| {
            command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", self.heddle.beside("time"));
            // Asked each time, and nothing else of what the library can fake.
            command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
        });
        started.unwrap_or_else(|dead| panic!("{dead}"))
    }

    /// A first start, and the key that it shows.
    fn begin(&self) -> (Process, String) {
        let server = self.start();
        let key = server.told("key ");
        (server, key)
    }
}

fn timer(seconds: i64) -> Value {
    let input = json!({"input_message": "over", "seconds": seconds});
    let timer = json!({"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "input_default": input});
    let out =
        json!({"id": "out", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "text"}});
    let link = json!({"source_id": "t", "source_name": "output_message", "sink_id": "out", "sink_name": "value"});
    json!({"name": "Wait", "description": "Waits.", "nodes": [timer, out], "links": [link]})
}

fn chain() -> Value {
    json_of(&root().join("bench/chain.json"))
}

/// All ids in the list, in the order of the pages.
fn listed(client: &Client, graph: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    for page in 1.. {
        let path = format!("/external-api/v1/graphs/{}/executions", graph["id"].as_str().unwrap());
        let found = client.get(&format!("{path}?page_size=3&page={page}")).json()["executions"].clone();
        let found = found.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned());
        let before = ids.len();
        ids.extend(found);
        if ids.len() == before {
            return ids;
        }
    }
    unreachable!("pages end")
}

#[test]
fn a_timer_is_due_when_the_clock_has_jumped_past_it() {
    let Some(there) = Elsewhen::new() else { return };
    let (server, key) = there.begin();
    let client = Client::new(&server.address, Some(key.clone()));
    let graph = client.save(&timer(HOUR));
    let run = client.start(&graph, &json!({}));
    client.results_when(&graph, &run, |results| results["status"] == "RUNNING");
    server.kill();
    there.jump(HOUR - 60);
    let server = there.start();
    let client = Client::new(&server.address, Some(key.clone()));
    assert_eq!(client.results(&graph, &run)["status"], "RUNNING", "a minute too early");
    server.stop();
    there.jump(HOUR + 5);
    let server = there.start();
    let results = Client::new(&server.address, Some(key)).results_at_end(&graph, &run);
    assert_eq!((&results["status"], &results["output"]), (&json!("COMPLETED"), &json!([{"text": "over"}])));
}

#[test]
fn a_running_server_notices_that_its_clock_has_jumped_past_a_timer() {
    let Some(there) = Elsewhen::new() else { return };
    let (server, key) = there.begin();
    let client = Client::new(&server.address, Some(key));
    let graph = client.save(&timer(HOUR));
    let run = client.start(&graph, &json!({}));
    client.results_when(&graph, &run, |results| results["status"] == "RUNNING");
    there.jump(HOUR + 5);
    assert_eq!(client.results_at_end(&graph, &run)["output"], json!([{"text": "over"}]));
}

#[test]
fn nothing_is_lost_when_the_clock_goes_back() {
    let Some(there) = Elsewhen::new() else { return };
    let (server, key) = there.begin();
    let client = Client::new(&server.address, Some(key.clone()));
    let (graph, waiting) = (client.save(&chain()), client.save(&timer(HOUR)));
    let start = |client: &Client, text: &str| {
        let answer = client.start_and_wait(&graph, &json!({"text": text})).json();
        assert_eq!(answer["output"], json!([{"text": format!("{text}..........")}]), "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    };
    let waits = client.start(&waiting, &json!({}));
    let mut runs: Vec<_> = (0..4).map(|n| start(&client, &format!("before {n}"))).collect();
    there.jump(-2 * HOUR);
    runs.extend((0..4).map(|n| start(&client, &format!("after {n}"))));
    server.kill();
    let server = there.start();
    let client = Client::new(&server.address, Some(key));
    runs.push(start(&client, "and after a restart"));
    // Each is there once, whatever the order of their times; the one that waits still does, and can be stopped.
    let mut found = listed(&client, &graph);
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), runs.len(), "an id came twice");
    found.sort();
    runs.sort();
    assert_eq!(found, runs);
    for run in &runs {
        assert_eq!(client.results(&graph, run)["status"], "COMPLETED");
    }
    assert_eq!(client.results(&waiting, &waits)["status"], "RUNNING");
    assert_eq!(client.stop(&waiting, &waits).json()["status"], "TERMINATED");
}

#[test]
fn a_schedule_is_fired_by_whatever_the_clock_says_and_each_slot_once() {
    let Some(there) = Elsewhen::new() else { return };
    let (server, key) = there.begin();
    let client = Client::new(&server.address, Some(key.clone()));
    let graph = client.save(&chain());
    let words = ["--cron", "* * * * *", "--name", "n", "--inputs", r#"{"text": "x"}"#];
    let id = graph["id"].as_str().unwrap();
    there.heddle.json(&[&["schedule", "create", "--graph", id], &words[..]].concat());
    let next = || there.heddle.json(&["schedule", "list"])[0]["next_run_time"].as_str().unwrap().to_owned();
    // Whatever the real clock does meanwhile: a day is never over by itself.
    let fired = |client: &Client, before: usize| {
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            let runs = listed(client, &graph);
            if runs.len() > before {
                return runs;
            }
            assert!(Instant::now() < give_up, "it is not fired");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let first = next();
    there.jump(2 * 24 * HOUR);
    let runs = fired(&client, 0);
    assert!(runs.len() <= 2, "two missed days are one run, and perhaps a minute went by: {runs:?}");
    let results = client.results_at_end(&graph, runs.last().unwrap());
    assert_eq!(results["output"], json!([{"text": "x.........."}]));

    // Away for a day, and nothing was closed.
    server.kill();
    there.jump(3 * 24 * HOUR);
    let server = there.start();
    let client = Client::new(&server.address, Some(key));
    let more = fired(&client, runs.len());
    assert!(more.len() <= runs.len() + 3, "{more:?}");
    assert!(next() > first);

    // Put right: it does not wait for days until the clock is there again.
    let ahead = next();
    there.jump(0);
    let give_up = Instant::now() + Duration::from_secs(60);
    while next() >= ahead {
        assert!(Instant::now() < give_up, "it waits for {}", next());
        std::thread::sleep(Duration::from_millis(10));
    }
    let all = listed(&client, &graph);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn ids_follow_the_clock_and_never_come_twice() {
    let Some(there) = Elsewhen::new() else { return };
    let (server, key) = there.begin();
    let client = Client::new(&server.address, Some(key));
    let graph = client.save(&chain());
    let mut ids = Vec::new();
    for hours in [-3, -2, -1, 0, 1, 2] {
        there.jump(hours * HOUR);
        ids.push(client.start(&graph, &json!({"text": "x"})));
    }
    let mut newest_first = listed(&client, &graph);
    newest_first.reverse();
    assert_eq!(newest_first, ids);
    assert!(ids.is_sorted(), "time stands in front of an id: {ids:?}");
    // The same moment again: other ids.
    there.jump(-3 * HOUR);
    let again = client.start(&graph, &json!({"text": "x"}));
    assert!(!ids.contains(&again));
}

#[test]
fn an_idempotency_key_holds_for_a_day() {
    let Some(there) = Elsewhen::new() else { return };
    let (server, key) = there.begin();
    let client = Client::new(&server.address, Some(key));
    let graph = client.save(&chain());
    let start = |text: &str| {
        client.post(&execute(&graph), &[("Idempotency-Key", "once")], &json!({"node_input": {"text": text}}))
    };
    let first = start("a").json()["id"].clone();
    there.jump(23 * HOUR);
    assert_eq!(start("a").json()["id"], first, "the day is not over");
    assert_eq!(start("b").status, 422);
    there.jump(24 * HOUR + 60);
    let second = start("b");
    assert_eq!(second.status, 200, "{second:?}");
    assert_ne!(second.json()["id"], first);
    // A clock that is put right again does not bring the old one back.
    there.jump(0);
    assert_eq!(start("b").json()["id"], second.json()["id"]);
}
