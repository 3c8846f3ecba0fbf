//! Cases of an agent: inputs and what must come of them, the same through HTTP and through `heddle run`.

use super::command::write;
use super::{Client, Heddle};
use serde_json::{Map, Value, json};

/// One case.
pub struct Case {
    /// For messages.
    pub name: String,
    /// The agent file.
    pub agent: Value,
    /// Run inputs.
    pub inputs: Value,
    /// `accepted`, `status`, `outputs`, `unordered`, `node_exec_count`, `incomplete`, `message`, `http_status`, …
    pub expect: Value,
}

/// Runs a case both ways.
pub fn check(heddle: &Heddle, client: &Client, case: &Case) {
    through_http(client, case);
    through_run(heddle, case);
}

fn through_http(client: &Client, case: &Case) {
    let Case { name, agent, inputs, expect } = case;
    let graph = client.save(agent);
    let answer = client.start_and_wait(&graph, inputs);
    if expect["accepted"] == json!(false) {
        let status = expect["http_status"].as_u64().unwrap_or(400);
        assert_eq!(u64::from(answer.status), status, "{name}: {answer:?}");
        refused_with(name, expect, answer.json()["detail"].as_str().unwrap_or_default());
        return;
    }
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    let answer = answer.json();
    let results = client.results(&graph, answer["id"].as_str().unwrap());
    assert_eq!(results["status"], *status(expect), "{name}: {results}");
    assert_eq!(results["status"], answer["status"], "{name}");
    assert_eq!(results["output"], answer["output"], "{name}: the waiting answer and the results");
    let mut outputs = Map::new();
    for entry in results["output"].as_array().into_iter().flatten() {
        for (output, value) in entry.as_object().unwrap() {
            let values = outputs.entry(output).or_insert_with(|| json!([]));
            values.as_array_mut().unwrap().push(value.clone());
        }
    }
    same_outputs(name, expect, &Value::Object(outputs));
    let nodes = results["nodes"].as_array().unwrap();
    executions(name, expect, agent, nodes.len());
    if let Some(wanted) = expect.get("executions_of_block") {
        let of_block = |node: &&Value| node["block_id"] == wanted["block_id"];
        let ids: Vec<_> = graph["nodes"].as_array().unwrap().iter().filter(of_block).map(|node| &node["id"]).collect();
        let found =
            nodes.iter().filter(|node| ids.contains(&&node["node_id"]) && same(&node["output"], &wanted["output"]));
        assert_eq!(found.count() as u64, wanted["count"].as_u64().unwrap(), "{name}: {results}");
    }
    if let Some(children) = expect["child_runs"].as_array() {
        child_runs(client, name, &graph, children);
    }
}

/// Executions that ended and those that still wait are all listed; those of child runs are counted but not listed.
fn executions(name: &str, expect: &Value, agent: &Value, listed: usize) {
    let nested = agent["sub_graphs"].as_array().is_some_and(|graphs| !graphs.is_empty());
    let Some(ended) = expect["node_exec_count"].as_u64().filter(|_| !nested) else { return };
    let waiting = expect["incomplete"].as_array().into_iter().flatten();
    let waiting: u64 = waiting.map(|entry| entry["executions"].as_u64().unwrap_or(1)).sum();
    assert_eq!(listed as u64, ended + waiting, "{name}: listed node executions");
}

/// Every run of the first sub-graph of this save, in any order.
fn child_runs(client: &Client, name: &str, graph: &Value, wanted: &[Value]) {
    let Some(child) = graph["sub_graphs"].get(0) else { return };
    let path = format!("/external-api/v1/graphs/{}/executions", child["id"].as_str().unwrap());
    let listed = client.get(&path);
    assert_eq!(listed.status, 200, "{name}: {listed:?}");
    let runs = listed.json()["executions"].as_array().cloned().unwrap_or_default();
    assert_eq!(runs.len(), wanted.len(), "{name}: {runs:?}");
    for run in &runs {
        assert_eq!(run["status"], "COMPLETED", "{name}");
    }
}

fn through_run(heddle: &Heddle, case: &Case) {
    let Case { name, agent, inputs, expect } = case;
    let file = write(&heddle.beside("agent.json"), &agent.to_string());
    let inputs = format!("@{}", write(&heddle.beside("inputs.json"), &inputs.to_string()));
    let mut command = heddle.binary();
    command.args(["run", &file, "--inputs", &inputs, "--json"]);
    let outcome = super::Outcome::of(command);
    if expect["accepted"] == json!(false) {
        outcome.refused("");
        assert_eq!(outcome.stdout, "", "{name}");
        return refused_with(name, expect, &outcome.stderr);
    }
    let run = outcome.json();
    assert_eq!(run["status"], *status(expect), "{name}: {outcome:?}");
    assert_eq!(outcome.code, i32::from(run["status"] != "COMPLETED"), "{name}: {outcome:?}");
    same_outputs(name, expect, &run["outputs"]);
}

fn status(expect: &Value) -> &Value {
    static COMPLETED: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!("COMPLETED"));
    expect.get("status").unwrap_or(&COMPLETED)
}

fn refused_with(name: &str, expect: &Value, text: &str) {
    let message = expect["message"].as_str().unwrap_or_default();
    assert!(text.contains(message), "{name}: {text}");
    let nodes = [&expect["node_errors_on_single_node"]]
        .into_iter()
        .chain(expect["node_errors"].as_object().into_iter().flat_map(Map::values));
    for (pin, error) in nodes.filter_map(Value::as_object).flatten() {
        let line = format!("{pin}: {}", error.as_str().unwrap());
        assert!(text.contains(&line), "{name}: expected {line:?} in {text}");
    }
}

fn same_outputs(name: &str, expect: &Value, found: &Value) {
    let mut wanted = expect["outputs"].clone();
    let mut found = found.clone();
    for free in expect["unordered"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        for side in [&mut wanted, &mut found] {
            if let Some(values) = side.get_mut(free).and_then(Value::as_array_mut) {
                values.sort_by_key(Value::to_string);
            }
        }
    }
    assert!(same(&wanted, &found), "{name}: expected {wanted}, found {found}");
}

/// Equal, with numbers by value: 8 and 8.0 are the same.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
