//! How often a run waits for the disk, as `/metrics` counts it: what makes a run dear, whatever the machine.

use crate::support::{Client, Collector, Exposition, Heddle, Server};
use serde_json::{Value, json};

const AGENT_INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const AGENT_OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
const SEND_WEB_REQUEST: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";

/// More than one, because other things may be written beside a run.
const ROUNDS: usize = 7;

/// Ten templates in a row. With a URL, that server is asked in the middle: it gets what the fifth made, and the sixth goes
/// on with its answer.
fn chain(url: Option<&str>) -> Value {
    let mut steps = vec![json!({"id": "in", "block_id": AGENT_INPUT, "input_default": {"name": "text"}})];
    // Where each step speaks, and where it listens.
    let mut pins = vec![("in".to_owned(), "result", "")];
    for number in 1..=10 {
        let id = format!("step-{number}");
        steps.push(json!({"id": id, "block_id": TEMPLATE, "input_default": {"format": "{{ text }}."}}));
        pins.push((id, "output", "values_#_text"));
        if let (5, Some(url)) = (number, url) {
            let asks = json!({"url": url, "method": "POST"});
            steps.push(json!({"id": "ask", "block_id": SEND_WEB_REQUEST, "input_default": asks}));
            pins.push(("ask".to_owned(), "response", "body_#_text"));
        }
    }
    steps.push(json!({"id": "out", "block_id": AGENT_OUTPUT, "input_default": {"name": "text"}}));
    pins.push(("out".to_owned(), "", "value"));
    let links: Vec<_> = pins
        .windows(2)
        .map(|pair| {
            let ((from, says, _), (to, _, hears)) = (&pair[0], &pair[1]);
            json!({"source_id": from, "source_name": says, "sink_id": to, "sink_name": hears})
        })
        .collect();
    json!({"name": "Chain", "description": "Templates in a row.", "nodes": steps, "links": links})
}

fn commits(server: &Server) -> f64 {
    let answer = Client::new(&server.address, None).get("/metrics");
    Exposition::parse(&answer.body).unwrap().get("heddle_journal_commits_total")
}

/// The fewest transactions that were written while one run of this went from its start to its end.
fn fewest(server: &Server, client: &Client, graph: &Value, said: &Value) -> f64 {
    let mut fewest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let before = commits(server);
        let answer = client.start_and_wait(graph, &json!({"text": "hello"})).json();
        assert_eq!((&answer["status"], &answer["output"]), (&json!("COMPLETED"), said), "{answer}");
        fewest = fewest.min(commits(server) - before);
    }
    fewest
}

#[test]
fn a_step_outside_costs_a_run_at_most_two_more_commits() {
    let upstream = Collector::start();
    let heddle = Heddle::new();
    let server = Server::start_with(&heddle, &["--set", &format!("outbound.allow={}", upstream.address())]);
    let client = server.client(&heddle);
    let url = format!("{}/effect", upstream.url());
    let [pure, asking] = [None, Some(url.as_str())].map(|url| client.save(&chain(url)));

    let without = fewest(&server, &client, &pure, &json!([{"text": "hello.........."}]));
    assert_eq!(without, 1.0, "acceptance, steps and end of a run that asks nobody are one commit");
    let with = fewest(&server, &client, &asking, &json!([{"text": "{}....."}]));
    println!("{without} commits without a step outside, {with} with one");
    assert!(with > without, "what the effect depends on was not on disk before it began: {with} commits");
    assert!(with <= without + 2.0, "{with} commits with a step outside, {without} without");
}
