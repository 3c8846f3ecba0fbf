//! An agent that runs tools, killed in the middle: nothing is asked again that was answered, no tool runs twice.

use super::{INPUT, OUTPUT, Reply, Stage, told};
use crate::support::Server;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

pub const ORCHESTRATOR: &str = "3b191d9f-356f-482d-8238-ba04b6d18381";
pub const REQUEST: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";

/// A model whose tool posts to a web server.
pub fn posting(url: &str) -> Value {
    let decide = json!({"model": "gpt-4o", "agent_mode_max_iterations": -1});
    json!({
        "name": "posting", "description": "",
        "nodes": [
            {"id": "in", "block_id": INPUT, "input_default": {"name": "wish"}},
            {"id": "decide", "block_id": ORCHESTRATOR, "input_default": decide},
            {"id": "post", "block_id": REQUEST, "input_default": {"url": url, "method": "POST"},
                "metadata": {"customized_name": "Order"}},
            {"id": "out", "block_id": OUTPUT, "input_default": {"name": "said"}},
        ],
        "links": [
            {"source_id": "in", "source_name": "result", "sink_id": "decide", "sink_name": "prompt"},
            {"source_id": "decide", "source_name": "tools_^_order_~_body", "sink_id": "post", "sink_name": "body"},
            {"source_id": "decide", "source_name": "finished", "sink_id": "out", "sink_name": "value"},
        ],
    })
}

#[test]
fn a_killed_agent_goes_on_where_it_was() {
    let is_slow = Arc::new(AtomicBool::new(true));
    let orders: Arc<Mutex<Vec<String>>> = Arc::default();
    let (slow, kept) = (Arc::clone(&is_slow), Arc::clone(&orders));
    let stage = Stage::new(move |_, seen| {
        if seen.path == "/order" {
            kept.lock().unwrap().push(seen.header("idempotency-key").unwrap_or_default().to_owned());
            return Reply::Raw(200, String::new(), json!({"ordered": seen.body}));
        }
        match seen.body["input"]
            .as_array()
            .map_or(0, |said| said.iter().filter(|said| said["type"] == "function_call_output").count())
        {
            0 => Reply::call("order", json!({"body": {"what": "tea"}})),
            1 => Reply::call("order", json!({"body": {"what": "milk"}})),
            // The server is killed while it waits for this one.
            _ if slow.load(SeqCst) => Reply::text("never heard").late(600_000),
            _ => Reply::text("both are ordered"),
        }
    });
    let heddle = stage.heddle();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&posting(&format!("{}/order", stage.mock.url())));
    let run = client.start(&graph, &json!({"wish": "tea with milk"}));
    // What is shown is on disk.
    client.results_when(&graph, &run, |results| {
        let posted =
            results["nodes"].as_array().into_iter().flatten().filter(|node| !node["output"]["response"].is_null());
        posted.count() == 2 && stage.mock.seen().len() == 5
    });
    server.kill();
    is_slow.store(false, SeqCst);
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let results = client.results_at_end(&graph, &run);
    let (status, outputs, errors) = told(&results);
    assert_eq!((status, errors), (json!("COMPLETED"), vec![]));
    assert_eq!(outputs, json!({"said": ["both are ordered"]}));
    let orders = orders.lock().unwrap();
    assert_eq!(orders.len(), 2, "each was ordered once: {orders:?}");
    assert_ne!(orders[0], orders[1]);
    let models = stage.mock.seen().into_iter().filter(|seen| seen.path != "/order").count();
    assert_eq!(models, 4, "only the question that had no answer was asked again");
    let posts = results["nodes"].as_array().unwrap().iter().filter(|node| node["node_id"] == graph["nodes"][2]["id"]);
    assert_eq!(posts.count(), 2, "tools are executions of the run: {results}");
}
