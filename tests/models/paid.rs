//! What work at the host's cost takes from an account's credits: the tokens that were used, tools that succeed, and
//! nothing where the account brings a key of its own.

use super::{INPUT, OUTPUT, Reply, Stage, asking, crash::ORCHESTRATOR, credential, run};
use crate::support::{Client, Heddle, Server, write};
use serde_json::{Value, json};

const CALCULATOR: &str = "b1ab9b19-67a6-406d-abf5-2dba76d00c79";
/// Credits of 100,000 tokens in and 10,000 out of gpt-4o: 0.35 dollars.
const A_CALL: i64 = 53;

/// An answer of Responses that took so many tokens.
fn took(input: u64, output: u64, said: Value) -> Reply {
    let usage = json!({"input_tokens": input, "output_tokens": output});
    Reply::Raw(200, String::new(), json!({"output": [said], "usage": usage}))
}

fn text(said: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]})
}

fn call(number: u32, operation: &str, a: f64, b: f64) -> Value {
    let arguments = json!({"operation": operation, "a": a, "b": b}).to_string();
    json!({"type": "function_call", "call_id": format!("c{number}"), "name": "sum", "arguments": arguments})
}

/// A server that charges; a block has a price of its own.
fn charging(stage: &Stage, block: &str, price: u64, credits: &str) -> Heddle {
    let heddle = stage.heddle();
    let prices = json!({block: [{"cost_amount": price, "cost_type": "run"}]});
    let file = write(&heddle.beside("prices.json"), &prices.to_string());
    let heddle = heddle
        .with("HEDDLE_CREDITS__ENABLED", "true")
        .with("HEDDLE_CREDITS__MONTHLY_REFILL", "0")
        .with("HEDDLE_CREDITS__PRICES", &file);
    heddle.json(&["credits", "grant", credits]);
    heddle
}

fn left(heddle: &Heddle) -> i64 {
    heddle.json(&["credits", "show"])["balance"].as_i64().unwrap()
}

/// Decides, with a calculator at hand.
fn calculating() -> Value {
    let pin = |pin: &str| json!({"source_id": "decide", "source_name": format!("tools_^_sum_~_{pin}"), "sink_id": "sum", "sink_name": pin});
    json!({
        "name": "calculating", "description": "",
        "nodes": [
            {"id": "in", "block_id": INPUT, "input_default": {"name": "question"}},
            {"id": "decide", "block_id": ORCHESTRATOR,
             "input_default": {"model": "gpt-4o", "agent_mode_max_iterations": -1}},
            {"id": "sum", "block_id": CALCULATOR, "input_default": {}, "metadata": {"customized_name": "sum"}},
            {"id": "out", "block_id": OUTPUT, "input_default": {"name": "answer"}},
        ],
        "links": [
            {"source_id": "in", "source_name": "result", "sink_id": "decide", "sink_name": "prompt"},
            pin("operation"), pin("a"), pin("b"),
            {"source_id": "decide", "source_name": "finished", "sink_id": "out", "sink_name": "value"},
        ],
    })
}

/// A run to its end: its status, and the error of the run itself or of its first failed execution.
fn outcome(client: &Client, agent: &Value) -> (Value, Vec<String>) {
    let (status, _, errors) = run(client, agent, &json!({"question": "well?"}));
    (status, errors)
}

#[test]
fn tokens_of_the_hosts_key_are_charged_and_those_of_an_own_key_are_not() {
    let stage = Stage::new(|_, seen| match seen.path.ends_with("/chat/completions") {
        true => Reply::text("mine"),
        false => took(100_000, 10_000, text("yes")),
    });
    let heddle = charging(&stage, CALCULATOR, 3, "500");
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    assert_eq!(outcome(&client, &asking("gpt-4o")), (json!("COMPLETED"), vec![]));
    assert_eq!(left(&heddle), 500 - A_CALL);
    // By whatever name the model is called. Left empty, it is the default one.
    for (name, credits) in [("openai/gpt-4o", A_CALL), ("gpt-4-turbo", 42), ("", 60)] {
        let before = left(&heddle);
        let mut agent = asking(name);
        agent["nodes"][1]["input_default"]["credentials"] =
            json!({"id": "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", "provider": "openai", "type": "api_key"});
        assert_eq!(outcome(&client, &agent), (json!("COMPLETED"), vec![]), "{name}");
        assert_eq!(before - left(&heddle), credits, "{name}");
    }
    let before = left(&heddle);
    let mut own = asking("gpt-4o");
    own["nodes"][1]["input_default"]["credentials"] = credential(&client, &stage, "openai_compatible", "/v1");
    assert_eq!(outcome(&client, &own), (json!("COMPLETED"), vec![]));
    let mut own = asking("gpt-4o");
    own["nodes"][1]["input_default"]["credentials"] = credential(&client, &stage, "openai", "");
    assert_eq!(outcome(&client, &own), (json!("COMPLETED"), vec![]));
    assert_eq!(left(&heddle), before);
}

#[test]
fn a_tool_is_paid_for_when_it_succeeds() {
    let stage = Stage::new(|number, _| match number {
        0 => took(100_000, 10_000, call(0, "Add", 1.0, 2.0)),
        1 => took(100_000, 10_000, call(1, "Power", -1.0, 0.5)),
        _ => took(100_000, 10_000, text("three")),
    });
    let heddle = charging(&stage, CALCULATOR, 3, "500");
    let server = Server::start(&heddle);
    let (status, errors) = outcome(&server.client(&heddle), &calculating());
    assert_eq!((status, errors.len()), (json!("COMPLETED"), 1), "{errors:?}");
    assert_eq!(left(&heddle), 500 - (A_CALL * 3) - 3 + rounding(3));
}

/// Tokens of one execution are charged together, and rounded once.
fn rounding(calls: i64) -> i64 {
    A_CALL * calls - (52.5 * calls as f64).ceil() as i64
}

#[test]
fn what_was_used_is_charged_also_when_credits_run_out_or_somebody_stops_the_run() {
    let stage = Stage::new(|number, _| match number {
        0 | 1 => took(100_000, 10_000, call(number as u32, "Add", 1.0, 2.0)),
        2 => took(100_000, 10_000, call(2, "Add", 1.0, 2.0)),
        _ => Reply::text("never heard").late(600_000),
    });
    let heddle = charging(&stage, CALCULATOR, 3, "5");
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&calculating());
    let id = client.start(&graph, &json!({"question": "well?"}));
    let results = client.results_at_end(&graph, &id);
    assert_eq!(results["status"], "FAILED", "{results}");
    // The second tool could not be paid for; two answers were.
    assert_eq!(left(&heddle), 5 - 3 - (A_CALL * 2 - rounding(2)));

    heddle.json(&["credits", "grant", "500"]);
    let before = left(&heddle);
    let id = client.start(&graph, &json!({"question": "well?"}));
    client.results_when(&graph, &id, |_| stage.mock.seen().len() == 4);
    let path = format!("{}/stop", crate::support::execution(&graph, &id));
    assert_eq!(client.post(&path, &[], &json!({})).status, 200);
    client.results_at_end(&graph, &id);
    assert_eq!(left(&heddle), before - A_CALL - 3);
}

#[test]
fn tools_that_run_at_once_do_not_spend_the_same_credits() {
    let calls: Vec<_> = (0..5)
        .map(|number| {
            let arguments = json!({"body": {"number": number}}).to_string();
            json!({"type": "function_call", "call_id": format!("c{number}"), "name": "order", "arguments": arguments})
        })
        .collect();
    let stage = Stage::new(move |_, seen| match seen.path == "/order" {
        true => Reply::Raw(200, String::new(), json!({})).late(300),
        false => Reply::Raw(200, String::new(), json!({"output": calls, "usage": {}})),
    });
    let heddle = charging(&stage, super::crash::REQUEST, 40, "45");
    let server = Server::start(&heddle);
    let agent = super::crash::posting(&format!("{}/order", stage.mock.url()));
    let client = server.client(&heddle);
    let graph = client.save(&agent);
    let id = client.start(&graph, &json!({"wish": "five"}));
    assert_eq!(client.results_at_end(&graph, &id)["status"], "FAILED");
    assert!((0..=45).contains(&left(&heddle)), "{}", left(&heddle));
}
