//! `/metrics` of a running server: what it says is well formed and true.

use crate::support::{Client, Exposition, Heddle, Server, json_of, root};
use serde_json::json;
use std::time::{Duration, Instant};

/// `CountdownTimerBlock`.
const TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";

fn scrape(server: &Server) -> Exposition {
    let answer = Client::new(&server.address, None).get("/metrics");
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    Exposition::parse(&answer.body).unwrap_or_else(|problem| panic!("{problem} in\n{}", answer.body))
}

/// Looks again and again; a run is seen to end or to park before the process has done with it.
fn wait_for(server: &Server, gauge: &str, value: f64) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while scrape(server).get(gauge) != value {
        assert!(Instant::now() < give_up, "{gauge} does not become {value}");
    }
}

#[test]
fn counts_move_with_what_is_done() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let before = scrape(&server);
    let graph = client.save(&json_of(&root().join("examples/shopping-list.json")));
    let answer = client.start_and_wait(&graph, &json!({"items": ["tea", "milk"]}));
    assert_eq!(answer.json()["status"], "COMPLETED");
    let nodes = client.results(&graph, answer.json()["id"].as_str().unwrap())["nodes"].as_array().unwrap().len();
    let timer = json!({"id": "t", "block_id": TIMER, "input_default": {"hours": 1}});
    let waiting = client.save(&json!({"name": "An hour", "description": "Waits.", "nodes": [timer]}));
    let run = client.start(&waiting, &json!({}));
    let after = scrape(&server);
    let grown = |sample: &str| after.get(sample) - before.get(sample);

    assert_eq!(grown("heddle_runs_started_total"), 2.0);
    assert_eq!(grown("heddle_runs_ended_total{status=\"completed\"}"), 1.0);
    assert_eq!(grown("heddle_node_executions_total{outcome=\"completed\"}"), nodes as f64);
    let route = "/external-api/v1/graphs/{graph_id}/execute/{graph_version}";
    let starts = format!("{{method=\"POST\",route=\"{route}\",status=\"2xx\"}}");
    assert_eq!(after.get(&format!("heddle_http_requests_total{starts}")), 2.0);
    let took = format!("heddle_http_request_duration_seconds_count{{method=\"POST\",route=\"{route}\"}}");
    assert_eq!(after.get(&took), 2.0);
    assert!(grown("heddle_journal_commits_total") >= 4.0, "two graphs and two runs");
    assert_eq!(after.get("heddle_journal_commits_failed_total"), 0.0);
    assert!(grown("heddle_journal_commit_frames_sum") >= 2.0);
    assert!(grown("heddle_journal_commit_duration_seconds_sum") > 0.0);
    assert!(after.get("heddle_database_bytes") > 10_000.0 && after.get("heddle_wal_bytes") > 10_000.0);
    assert!(after.get("heddle_process_resident_bytes") > 1e6 && after.get("heddle_process_open_fds") > 5.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(after.get(&format!("heddle_build_info{{version=\"{version}\"}}")), 1.0);

    wait_for(&server, "heddle_runs_parked", 1.0);
    assert_eq!(client.stop(&waiting, &run).status, 200);
    let stopped = scrape(&server);
    assert_eq!(stopped.get("heddle_runs_ended_total{status=\"terminated\"}"), 1.0);
    for gauge in ["heddle_runs_live", "heddle_runs_queued", "heddle_runs_parked"] {
        wait_for(&server, gauge, 0.0);
    }
}

#[test]
fn runs_that_a_restart_picks_up_are_not_counted_again() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let timer = json!({"id": "t", "block_id": TIMER, "input_default": {"hours": 1}});
    let graph = client.save(&json!({"name": "An hour", "description": "Waits.", "nodes": [timer]}));
    let run = client.start(&graph, &json!({}));
    server.kill();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    assert_eq!(client.stop(&graph, &run).status, 200);
    let after = scrape(&server);
    assert_eq!(after.get("heddle_runs_started_total"), 0.0);
    assert_eq!(after.get("heddle_runs_ended_total{status=\"terminated\"}"), 1.0);
}

#[test]
fn what_a_proxy_forwards_finds_no_such_page_unless_it_is_public() {
    let forwarded = [("X-Forwarded-For", "203.0.113.7")];
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = Client::new(&server.address, None);
    let hidden = client.send("GET", "/metrics", &forwarded, None);
    let missing = client.send("GET", "/metricz", &forwarded, None);
    assert_eq!((hidden.status, &hidden.body), (404, &missing.body));
    let operator = server.client(&heddle).send("GET", "/metrics", &forwarded, None);
    assert_eq!(operator.status, 200, "the key is an operator's");

    let heddle = Heddle::new();
    let server = Server::start_with(&heddle, &["--set", "telemetry.metrics_public=true"]);
    let shown = Client::new(&server.address, None).send("GET", "/metrics", &forwarded, None);
    assert_eq!(shown.status, 200);
}
