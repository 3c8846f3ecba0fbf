//! What `heddle run` shows on a terminal, and that it shows it nowhere else.

use crate::support::terminal::Terminal;
use crate::support::{Client, Heddle, Outcome, Server, root, write};
use serde_json::{Value, json};
use std::process::Command;

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const ASK: &str = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d";
const TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";
const EACH: &str = "f66a3543-28d3-4ab5-8945-9b336371e2ce";

fn node(id: &str, block: &str, input: Value) -> Value {
    json!({"id": id, "block_id": block, "input_default": input})
}

fn link(source: &str, out: &str, sink: &str, into: &str) -> Value {
    json!({"source_id": source, "source_name": out, "sink_id": sink, "sink_name": into})
}

/// Waits an hour for each of two letters, and has a hundred nodes that never get anything.
fn slow() -> Value {
    let mut nodes = vec![
        node("in", INPUT, json!({"name": "letters", "value": ["a", "b"]})),
        node("each", EACH, json!({})),
        node("wait", TIMER, json!({"hours": 1})),
    ];
    nodes[2]["metadata"] = json!({"customized_name": "An hour"});
    let mut links = vec![link("in", "result", "each", "items"), link("each", "item", "wait", "input_message")];
    for index in 0..100 {
        let id = format!("out{index}");
        nodes.push(node(&id, OUTPUT, json!({"name": id})));
        links.push(link("wait", "output_message", &id, "value"));
    }
    json!({"name": "Slow letters", "description": "", "nodes": nodes, "links": links})
}

fn asking() -> Value {
    json!({
        "name": "Letter", "description": "",
        "nodes": [
            node("letter", INPUT, json!({"name": "letter", "value": "a"})),
            node("ask", ASK, json!({"name": "May it go?"})),
        ],
        "links": [link("letter", "result", "ask", "data")],
    })
}

fn run(heddle: &Heddle, file: &str, words: &[&str]) -> Command {
    let mut command = heddle.binary();
    command.args(["run", file]).args(words).env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

fn example() -> String {
    root().join("examples/log-digest.json").to_str().unwrap().to_owned()
}

/// Stops the only run of the newest graph.
fn stop(client: &Client) {
    let graph = client.get("/external-api/v1/graphs").json()["graphs"][0].clone();
    let runs = client.get(&format!("/external-api/v1/graphs/{}/executions", graph["id"].as_str().unwrap())).json();
    let answer = client.stop(&graph, runs["executions"][0]["id"].as_str().unwrap());
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_terminal_shows_node_by_node_what_goes_on_and_keeps_a_summary() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let file = write(&heddle.beside("slow.json"), &slow().to_string());
    let mut command = run(&heddle, &file, &[]);
    command.arg("--data").arg(heddle.data());
    let mut terminal = Terminal::start(command, 70, 12);

    let screen = terminal.shows(|screen| {
        screen.first().is_some_and(|head| head.starts_with("Slow letters  RUNNING"))
            && screen.iter().any(|line| line.contains(": An hour") && line.contains("2 running"))
            && screen.last().is_some_and(|line| line.contains("more: "))
    });
    assert!(screen[0].contains("2 done"), "{screen:#?}");
    assert!(screen.iter().any(|line| line.contains("letters") && line.contains("done")), "{screen:#?}");
    assert_eq!(screen.len(), 11, "as tall as the terminal: {screen:#?}");
    let seconds = |screen: &[String]| screen[0].split("  ").nth(2).unwrap().to_owned();
    let before = seconds(&screen);
    let later = terminal.shows(|screen| screen.first().is_some_and(|_| seconds(screen) != before));
    assert_eq!((later.len(), &later[1..3]), (screen.len(), &screen[1..3]), "drawn in the same place");
    assert!(String::from_utf8_lossy(&terminal.written).contains("\x1b[36m2 running\x1b[0m"));

    stop(&client);
    let Outcome { code, stdout, stderr } = terminal.end();
    assert_eq!((code, stdout.trim()), (1, "{}"));
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines[0].starts_with("Slow letters: TERMINATED after "), "{stderr}");
    assert!(lines[0].ends_with(", 4 node executions, 0 failed"), "{stderr}");
    assert_eq!((lines.len(), lines[1]), (2, "heddle: the run is TERMINATED"), "{stderr}");
}

#[test]
fn without_a_server_and_without_colours_there_is_a_summary_too() {
    let heddle = Heddle::on_file();
    let file = write(&heddle.beside("asking.json"), &asking().to_string());
    let mut command = run(&heddle, &file, &[]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command, 120, 24);
    terminal.shows(|screen| screen.iter().any(|line| line.contains("heddle: the run is REVIEW")));
    let written = String::from_utf8_lossy(&terminal.written).into_owned();
    let mut sequences = written.split('\x1b').skip(1);
    assert!(sequences.all(|sequence| sequence.find(char::is_alphabetic) != sequence.find('m')), "{written:?}");
    let outcome = terminal.end();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with("Letter: REVIEW after "), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 2, "{outcome:?}");
}

#[test]
fn a_terminal_that_can_only_print_gets_lines() {
    let heddle = Heddle::on_file();
    let plain: [(&[&str], &str); 3] = [(&[], "dumb"), (&["--json"], "xterm"), (&["--set", "log.level=error"], "xterm")];
    for (words, term) in plain {
        let words = [&["--inputs", r#"{"log": "ERROR x"}"#], words].concat();
        let mut command = run(&heddle, &example(), &words);
        command.env("TERM", term);
        let mut terminal = Terminal::start(command, 80, 24);
        let screen = terminal.shows(|screen| screen.last().is_some_and(|line| line.starts_with("COMPLETED after")));
        assert!(!terminal.written.contains(&0x1b), "{term}: {screen:?}");
        let outcome = terminal.end();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert!(outcome.json().is_object() && outcome.stderr.ends_with(" node executions, 0 failed"), "{outcome:?}");
    }
}

#[test]
fn where_nobody_watches_nothing_is_shown() {
    let heddle = Heddle::on_file();
    let outcome = Outcome::of(run(&heddle, &example(), &["--inputs", r#"{"log": "ERROR x"}"#]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
}
