//! The server as a process: who it shares its folder with, how it starts and how it stops.

use crate::support::{Client, Heddle, Server, json_of, root};
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_second_server_on_a_folder_is_refused_and_told_of_the_first() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let second = heddle.run(&["serve", "--listen", "127.0.0.1:0"]);
    second.refused(&format!("pid {}", server.pid())).refused(&server.address);
}

#[test]
fn a_taken_port_is_named() {
    let (heddle, other) = (Heddle::new(), Heddle::new());
    let server = Server::start(&heddle);
    let address = server.address.strip_prefix("http://").unwrap();
    other.run(&["serve", "--listen", address]).refused(&format!("server.listen {address}"));
}

#[test]
fn it_says_that_it_is_up_and_ready() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = Client::new(&server.address, None);
    assert_eq!(client.get("/healthz").status, 200);
    assert_eq!(client.get("/readyz").status, 200);
    assert_eq!(client.get("/external-api/v1/blocks").status, 401);
    assert_ne!(client.get("/healthz").header("x-request-id"), "");
}

#[test]
fn sigterm_ends_it_in_order_and_takes_the_socket_along() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&json_of(&root().join("examples/shopping-list.json")));
    let run = client.start(&graph, &json!({"items": ["tea"]}));
    let (status, _, _) = server.stop();
    assert!(status.success(), "{status:?}");
    assert!(!heddle.data().join("heddle.sock").exists());
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    assert_eq!(client.results_at_end(&graph, &run)["status"], "COMPLETED");
}

#[test]
fn a_run_that_waits_for_an_hour_outlives_the_server_and_can_be_stopped() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let timer = json!({"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "input_default": {"hours": 1}});
    let graph = client.save(&json!({"name": "An hour", "description": "Waits.", "nodes": [timer]}));
    let run = client.start(&graph, &json!({}));
    let (status, _, _) = server.stop();
    assert!(status.success(), "{status:?}");
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    assert_eq!(client.results(&graph, &run)["status"], "RUNNING");
    assert_eq!(client.stop(&graph, &run).json(), json!({"id": run, "status": "TERMINATED"}));
    assert_eq!(client.stop(&graph, &run).status, 409);
    assert_eq!(client.results(&graph, &run)["status"], "TERMINATED");
}

#[test]
fn a_socket_that_a_crash_left_is_no_hindrance() {
    let heddle = Heddle::new();
    Server::start(&heddle).kill();
    assert!(heddle.data().join("heddle.sock").exists());
    assert_eq!(heddle.run(&["user", "list"]).code, 0);
    let _server = Server::start(&heddle);
    assert_eq!(heddle.run(&["user", "list"]).code, 0);
}

#[test]
fn a_folder_with_a_long_name_works_too() {
    let heddle = Heddle::new();
    let data = heddle.beside(&"long-".repeat(30));
    let words = |command: &[&str]| {
        let mut binary = heddle.binary();
        binary.args(command).arg("--data").arg(&data);
        binary
    };
    let mut server = words(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = server.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("listening on") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended");
    }
    let listed = crate::support::Outcome::of(words(&["user", "list", "--json"]));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(listed.code, 0, "{listed:?}");
    assert_eq!(listed.json()[0]["email"], "operator@localhost");
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let heddle = Heddle::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut binary = heddle.binary();
    binary.args(["serve", "--listen", "127.0.0.1:0", "--set", "log.level=trace", "--data"]).arg(heddle.data());
    let mut child = binary.stdout(Stdio::piped()).stderr(writer).spawn().unwrap();
    // It holds the pipe's other end too.
    drop(binary);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("curl ")).collect();
    let value = |name: &str| told.iter().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let client = Client::new(&value("address "), Some(value("key ")));
    let graph = client.save(&json_of(&root().join("examples/shopping-list.json")));
    // Each leaves hundreds of bytes in the log.
    for _ in 0..200 {
        let run = client.start(&graph, &json!({"items": ["tea"]}));
        assert_eq!(client.results_at_end(&graph, &run)["status"], "COMPLETED");
    }
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let give_up = Instant::now() + Duration::from_secs(30);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > give_up => {
                child.kill().unwrap();
                panic!("it does not stop");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(status.success(), "{status:?}");
    let mut log = Vec::new();
    reader.read_to_end(&mut log).unwrap();
    assert!(log.len() > 60_000, "the pipe was never full: {} bytes", log.len());
}
