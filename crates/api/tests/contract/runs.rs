//! Starting with a preference to wait, with a key, stopping, results and lists.

use crate::testbed::{INPUT, OUTPUT, Person, Testbed};
use serde_json::{Value, json};

/// Counts down for an hour before it says anything.
fn slow() -> Value {
    json!({
        "name": "Slow", "description": "Waits",
        "nodes": [
            { "id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71",
              "input_default": { "input_message": "x", "hours": 1 } },
            { "id": "o", "block_id": OUTPUT, "input_default": { "name": "late" } },
        ],
        "links": [{ "source_id": "t", "sink_id": "o", "source_name": "output_message", "sink_name": "value" }],
    })
}

async fn slow_run(bed: &Testbed, person: &Person) -> (String, String) {
    let graph = bed.save(person, &slow()).await["id"].as_str().unwrap().to_owned();
    let run = bed.post(&format!("/graphs/{graph}/execute/1")).of(person).send().await.expect(200);
    (graph, run["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_start_that_waits_answers_with_status_and_output() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let path = format!("/graphs/{}/execute/1", bed.echo(&ada).await);
    let body = json!({ "node_input": { "text": { "k": [1, 2.5, true, null, "é"] } } });

    let plain = bed.post(&path).of(&ada).json(&body).send().await;
    assert!(!plain.headers.contains_key("preference-applied"));
    assert_eq!(plain.expect(200).as_object().unwrap().len(), 1);

    let waited = bed.post(&path).of(&ada).header("prefer", "wait=99").json(&body).send().await;
    assert_eq!(waited.header("preference-applied"), "wait=60");
    let waited = waited.expect(200);
    assert_eq!(waited["status"], "COMPLETED");
    assert_eq!(waited["output"], json!([{ "echo": { "k": [1, 2.5, true, null, "é"] } }]));

    let ignored = bed.post(&path).of(&ada).header("prefer", "wait=soon").json(&body).send().await;
    assert!(!ignored.headers.contains_key("preference-applied"));
    assert_eq!(ignored.expect(200).as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_wait_that_is_over_too_early_answers_with_the_status_alone() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.save(&ada, &slow()).await["id"].as_str().unwrap().to_owned();
    let answer = bed.post(&format!("/graphs/{graph}/execute/1")).of(&ada).header("prefer", "wait=0").send().await;
    assert_eq!(answer.header("preference-applied"), "wait=0");
    let answer = answer.expect(200);
    assert!(["QUEUED", "RUNNING"].contains(&answer["status"].as_str().unwrap()), "{answer}");
    assert!(answer.get("output").is_none());
}

#[tokio::test]
async fn results_unwrap_values_and_have_outputs_only_when_completed() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.save(&ada, &crate::testbed::echo()).await;
    let id = graph["id"].as_str().unwrap();
    let run = bed.run(&ada, id, json!({ "text": "hi" }).as_object().unwrap().clone()).await;
    let results = bed.get(&format!("/graphs/{id}/executions/{run}/results")).of(&ada).send().await.expect(200);
    let expected = json!({
        "execution_id": run, "status": "COMPLETED",
        "nodes": [
            { "node_id": graph["nodes"][0]["id"], "input": "hi", "output": { "result": ["hi"] } },
            { "node_id": graph["nodes"][1]["id"], "input": "hi", "output": { "output": ["hi"], "name": ["echo"] } },
        ],
        "output": [{ "echo": "hi" }],
    });
    assert_eq!(results, expected);

    let (graph, run) = slow_run(&bed, &ada).await;
    let results = bed.get(&format!("/graphs/{graph}/executions/{run}/results")).of(&ada).send().await.expect(200);
    assert_eq!(results["output"], Value::Null);
}

#[tokio::test]
async fn a_stopped_run_is_terminated_and_cannot_be_stopped_again() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let (graph, run) = slow_run(&bed, &ada).await;
    let path = format!("/graphs/{graph}/executions/{run}/stop");
    let stopped = bed.post(&path).of(&ada).send().await.expect(200);
    assert_eq!(stopped, json!({ "id": run, "status": "TERMINATED" }));
    let again = bed.post(&path).of(&ada).send().await.expect(409);
    assert_eq!(again.as_object().unwrap().keys().collect::<Vec<_>>(), ["detail"]);
    let results = bed.get(&format!("/graphs/{graph}/executions/{run}/results")).of(&ada).send().await.expect(200);
    assert_eq!((&results["status"], &results["output"]), (&json!("TERMINATED"), &Value::Null));
}

#[tokio::test]
async fn a_key_starts_one_run_however_often_it_is_sent() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let (graph, other) = (bed.echo(&ada).await, bed.echo(&ada).await);
    let start = async |person: &Person, graph: &str, key: &str, body: &Value| {
        let ask = bed.post(&format!("/graphs/{graph}/execute/1")).of(person);
        ask.header("idempotency-key", key).json(body).send().await
    };
    let body = json!({ "node_input": { "text": "once" } });
    let first = start(&ada, &graph, "k-1", &body).await.expect(200);
    assert_eq!(start(&ada, &graph, " k-1 ", &body).await.expect(200), first);
    let waiting = bed.post(&format!("/graphs/{graph}/execute/1")).of(&ada).header("idempotency-key", "k-1");
    let waited = waiting.header("prefer", "wait=60").json(&body).send().await.expect(200);
    assert_eq!((&waited["id"], &waited["status"]), (&first["id"], &json!("COMPLETED")));

    for (graph, body) in [(&graph, json!({})), (&other, body.clone())] {
        let refused = start(&ada, graph, "k-1", &body).await.expect(422);
        assert!(refused["detail"].is_string() && refused.as_object().unwrap().len() == 1, "{refused}");
    }
    assert_ne!(start(&ada, &graph, "k-2", &body).await.expect(200), first, "another key");
    assert_ne!(start(&ada, &graph, "  ", &body).await.expect(200), first, "blank is none");
    let bobs = bed.echo(&bob).await;
    assert_ne!(start(&bob, &bobs, "k-1", &body).await.expect(200), first, "another account");

    let refused = start(&ada, &graph, "k-3", &json!({ "node_input": 1 })).await;
    refused.expect(422);
    start(&ada, &graph, "k-3", &body).await.expect(200);

    let long = start(&ada, &graph, &"k".repeat(256), &body).await.expect(422);
    assert_eq!(long["detail"][0]["loc"], json!(["header", "Idempotency-Key"]));
    start(&ada, &graph, &"k".repeat(255), &body).await.expect(200);
}

#[tokio::test]
async fn runs_are_listed_newest_first_in_pages() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.insert(0, bed.run(&ada, &graph, serde_json::Map::new()).await);
    }
    let page = async |query: &str| {
        let list = bed.get(&format!("/graphs/{graph}/executions{query}")).of(&ada).send().await.expect(200);
        let ids = list["executions"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), list)
    };
    let (ids, list) = page("").await;
    assert_eq!(ids, runs);
    let pagination = json!({ "total_items": 3, "total_pages": 1, "current_page": 1, "page_size": 20 });
    assert_eq!(list["pagination"], pagination);
    let names: Vec<_> = list["executions"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "graph_id", "graph_version", "status", "started_at", "ended_at", "stats"]);
    assert_eq!(page("?page_size=2").await.0, runs[..2]);
    assert_eq!(page("?page_size=2&page=2").await.0, runs[2..]);
    let (past, list) = page("?page_size=2&page=3").await;
    assert!(past.is_empty());
    let pagination = json!({ "total_items": 3, "total_pages": 2, "current_page": 3, "page_size": 2 });
    assert_eq!(list["pagination"], pagination);
    page("?page=9223372036854775807&page_size=9223372036854775807").await;
}

#[tokio::test]
async fn a_block_runs_alone() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let run = async |block: &str, input: Value| {
        bed.post(&format!("/blocks/{block}/execute")).of(&ada).json(&input).send().await
    };
    assert_eq!(run(INPUT, json!({ "name": "x", "value": 5 })).await.expect(200), json!({ "result": [5] }));
    let unknown = run("nope", json!({})).await.expect(404);
    assert_eq!(unknown, json!({ "detail": "Block #nope not found." }));
}
