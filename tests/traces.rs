//! Traces and measurements as a collector gets them, and a server whose collector is away.

use crate::support::{Client, Collector, Heddle, Server, Span, execute};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const SEND_WEB_REQUEST: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";
const AGENT_OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
/// `AgentExecutorBlock`.
const AGENT: &str = "e189baac-8c20-45a1-94a7-55177ea42565";

/// Asks the server at this address and has its answer as output.
fn asker(url: &str) -> Value {
    let ask = json!({"id": "ask", "block_id": SEND_WEB_REQUEST, "input_default": {"url": url, "method": "POST"}});
    let out = json!({"id": "out", "block_id": AGENT_OUTPUT, "input_default": {"name": "answer"}});
    let link = json!({"source_id": "ask", "source_name": "response", "sink_id": "out", "sink_name": "value"});
    json!({"name": "Ask", "description": "Asks.", "nodes": [ask, out], "links": [link]})
}

fn only<'a>(spans: &'a [Span], what: &str, wanted: impl Fn(&Span) -> bool) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| wanted(span)).collect();
    assert_eq!(found.len(), 1, "{what} in {spans:#?}");
    found[0]
}

#[test]
fn a_collector_gets_the_spans_of_a_request_and_of_all_that_follows_from_it() {
    let collector = Collector::start();
    let heddle = Heddle::new();
    let (url, allow) = (format!("telemetry.otlp_url={}", collector.url()), collector.address());
    let server = Server::start_with(&heddle, &["--set", &url, "--set", &format!("outbound.allow={allow}")]);
    let client = server.client(&heddle);
    let graph = client.save(&asker(&format!("{}/elsewhere", collector.url())));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("traceparent", parent.as_str()), ("Prefer", "wait=60"), ("X-Request-Id", "r-1")];
    let answer = client.post(&execute(&graph), &headers, &json!({"node_input": {}})).json();
    assert_eq!(answer["status"], "COMPLETED", "{answer}");
    let (status, _, log) = server.stop();
    assert!(status.success(), "{log:?}");

    let spans = collector.spans();
    let request = only(&spans, "request", |span| span.get("request.id") == "r-1");
    let route = "/external-api/v1/graphs/{graph_id}/execute/{graph_version}";
    assert_eq!((request.trace.as_str(), request.parent.as_str()), (trace, "00f067aa0ba902b7"));
    assert_eq!(request.name, format!("POST {route}"));
    assert_eq!((request.get("http.route"), request.get("http.request.method")), (route, "POST"));
    assert_eq!(request.get("http.response.status_code"), "200");

    let run = only(&spans, "run", |span| span.name == "run");
    assert_eq!((&run.trace, &run.parent), (&request.trace, &request.id));
    assert_eq!((run.get("run.id"), run.get("graph.id")), (text(&answer["id"]), text(&graph["id"])));
    assert_eq!((run.get("run.owner"), run.get("run.status")), (text(&graph["user_id"]), "COMPLETED"));

    let node = only(&spans, "node", |span| span.get("block.id") == SEND_WEB_REQUEST);
    assert_eq!((&node.trace, &node.parent), (&run.trace, &run.id));
    assert_eq!((node.get("run.id"), node.get("node.id").is_empty()), (run.get("run.id"), false));
    assert_eq!(node.get("node_exec.id").len(), 36);

    let call = only(&spans, "outbound call", |span| span.name == "outbound");
    assert_eq!((&call.trace, &call.parent), (&node.trace, &node.id));
    let host = allow.split(':').next().unwrap();
    assert_eq!((call.get("server.address"), call.get("http.response.status_code")), (host, "200"));

    let commits: Vec<_> = spans.iter().filter(|span| span.name == "commit").collect();
    assert!(commits.iter().any(|commit| commit.get("batch.frames") == "1"), "{commits:#?}");
    assert!(spans.iter().all(|span| span.resource["service.name"] == "heddle"));
    assert_eq!(collector.measurement("heddle_runs_started"), Some(1.0));
    assert!(!log.iter().any(|line| line.contains("collector")), "{log:?}");
}

#[test]
fn a_child_runs_span_hangs_below_its_parents() {
    let collector = Collector::start();
    let heddle = Heddle::new();
    let url = format!("telemetry.otlp_url={}/v1/traces", collector.url());
    let server = Server::start_with(&heddle, &["--set", &url]);
    let client = server.client(&heddle);
    let out = json!({"id": "out", "block_id": AGENT_OUTPUT, "input_default": {"name": "x", "value": "y"}});
    let child = client.save(&json!({"name": "Child", "description": "Says y.", "nodes": [out]}));
    let call =
        json!({"graph_id": child["id"], "graph_version": 1, "input_schema": {}, "output_schema": {}, "inputs": {}});
    let call = json!({"id": "call", "block_id": AGENT, "input_default": call});
    let graph = client.save(&json!({"name": "Parent", "description": "Has it said.", "nodes": [call]}));
    let answer = client.start_and_wait(&graph, &json!({})).json();
    assert_eq!(answer["status"], "COMPLETED", "{answer}");
    server.stop();
    let spans = collector.spans();
    let above = only(&spans, "parent", |span| span.get("graph.id") == text(&graph["id"]));
    let below = only(&spans, "child", |span| span.get("graph.id") == text(&child["id"]));
    assert_eq!((&below.trace, &below.parent), (&above.trace, &above.id));
    assert_eq!(below.get("run.parent"), above.get("run.id"));
    assert!(collector.measurement("heddle_runs_started").is_some());
}

#[test]
fn a_collector_that_is_away_or_never_answers_harms_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [gone, silent.local_addr().unwrap()] {
        let heddle = Heddle::new();
        let server = Server::start_with(&heddle, &["--set", &format!("telemetry.otlp_url=http://{address}")]);
        let client = server.client(&heddle);
        let out = json!({"id": "out", "block_id": AGENT_OUTPUT, "input_default": {"name": "x", "value": "y"}});
        let graph = client.save(&json!({"name": "Says", "description": "Says y.", "nodes": [out]}));
        for _ in 0..50 {
            let answer = client.start_and_wait(&graph, &json!({}));
            assert_eq!(answer.json()["status"], "COMPLETED");
        }
        assert_eq!(Client::new(&server.address, None).get("/readyz").status, 200);
        let asked = Instant::now();
        let (status, _, log) = server.stop();
        assert!(status.success() && asked.elapsed() < Duration::from_secs(20), "{:?} {log:?}", asked.elapsed());
        let complaints = log.iter().filter(|line| line.contains("the collector at")).count();
        assert!(complaints <= 1, "{log:?}");
        // On a busy machine the end may come before the first refusal; then what was lost with it is told.
        let is_told = complaints == 1 || log.iter().any(|line| line.contains("the last spans were not sent"));
        assert!(address != gone || is_told, "{log:?}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
