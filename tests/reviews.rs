//! Runs that wait for a person: asked and answered by commands, seen through HTTP, whatever happens to the server.

use crate::support::{Client, Heddle, Server, execute, execution, write};
use serde_json::{Value, json};

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const ASK: &str = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d";
const EACH: &str = "f66a3543-28d3-4ab5-8945-9b336371e2ce";

/// Puts each letter to a person.
fn agent() -> Value {
    let node = |id: &str, block: &str, input: Value| json!({"id": id, "block_id": block, "input_default": input});
    let link = |source: &str, out: &str, sink: &str, into: &str| json!({"source_id": source, "source_name": out, "sink_id": sink, "sink_name": into});
    json!({
        "name": "Letters", "description": "",
        "nodes": [
            node("letters", INPUT, json!({"name": "letters", "value": ["a", "b"]})),
            node("each", EACH, json!({})),
            node("ask", ASK, json!({"name": "May it go?"})),
            node("sent", OUTPUT, json!({"name": "sent"})),
            node("kept", OUTPUT, json!({"name": "kept"})),
            node("said", OUTPUT, json!({"name": "said"})),
        ],
        "links": [
            link("letters", "result", "each", "items"),
            link("each", "item", "ask", "data"),
            link("ask", "approved_data", "sent", "value"),
            link("ask", "rejected_data", "kept", "value"),
            link("ask", "review_message", "said", "value"),
        ],
    })
}

/// A saved agent, and a run of it that asks.
fn asking(client: &Client) -> (Value, String) {
    let graph = client.save(&agent());
    let run = client.start(&graph, &json!({}));
    client.results_when(&graph, &run, |results| results["status"] == "REVIEW");
    (graph, run)
}

/// The ids of what waits in a run.
fn waiting(heddle: &Heddle, run: &str) -> Vec<String> {
    let reviews = heddle.json(&["review", "list", "--run", run]);
    let waiting = reviews.as_array().unwrap().iter().filter(|review| review["status"] == "WAITING");
    waiting.map(|review| review["id"].as_str().unwrap().to_owned()).collect()
}

fn answer(heddle: &Heddle, words: &[&str]) -> Value {
    heddle.json(&[&["review", "answer"], words].concat())
}

#[test]
fn reviews_are_listed_and_answered_while_the_server_runs_or_not() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let (graph, run) = asking(&client);

    let list = heddle.json(&["review", "list"]);
    assert_eq!(list, heddle.json(&["review", "list", "--run", &run]));
    let (first, second) = (&list[0], &list[1]);
    assert_eq!(
        (&first["run_id"], &first["graph_id"], &first["status"]),
        (&json!(run), &graph["id"], &json!("WAITING"))
    );
    assert_eq!((&first["payload"], &first["instructions"]), (&json!("a"), &json!("May it go?")));
    let table = heddle.run(&["review", "list"]);
    assert_eq!((table.code, table.stdout.lines().count()), (0, 3), "{table:?}");
    let id = |review: &Value| review["id"].as_str().unwrap().to_owned();
    let (first, second) = (id(first), id(second));
    let other = heddle.json(&["user", "create", "--email", "bob@example.org"]);
    assert_eq!(other["email"], "bob@example.org");
    assert_eq!(heddle.json(&["review", "list", "--user", "bob@example.org"]), json!([]));
    heddle.run(&["review", "answer", &first, "--approve", "--user", "bob@example.org"]).refused("not found");
    heddle.run(&["review", "answer", &first, "--approve", "--payload", "{"]).refused("--payload");
    heddle.run(&["review", "answer", "nothing", "--reject"]).refused("#nothing");
    assert_eq!(heddle.run(&["review", "answer", &first]).code, 2, "neither yes nor no");

    let answered = answer(&heddle, &[&first, "--approve", "--payload", "\"A\"", "--message", "Capital"]);
    assert_eq!((&answered["status"], &answered["payload"]), (&json!("APPROVED"), &json!("A")));
    assert_eq!((&answered["was_edited"], &answered["review_message"]), (&json!(true), &json!("Capital")));
    assert_eq!(client.results(&graph, &run)["status"], "REVIEW", "one still waits");
    server.stop();

    assert_eq!(waiting(&heddle, &run), [second.as_str()]);
    heddle.run(&["review", "answer", &first, "--reject"]).refused("APPROVED already");
    let said = heddle.run(&["review", "answer", &second, "--reject"]);
    assert_eq!((said.code, said.stdout.trim()), (0, second.as_str()), "{said:?}");

    let server = Server::start(&heddle);
    let results = server.client(&heddle).results_at_end(&graph, &run);
    let output = json!([
        {"sent": "A"}, {"said": "Capital"}, {"kept": "b"}, {"said": "Execution rejected by reviewer"},
    ]);
    let sorted = |value: &Value| {
        let mut texts: Vec<_> = value.as_array().unwrap().iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    assert_eq!((&results["status"], sorted(&results["output"])), (&json!("COMPLETED"), sorted(&output)));
    heddle.run(&["review", "answer", &second, "--reject"]).refused("COMPLETED");
    assert_eq!(heddle.json(&["review", "list"]), json!([]));
}

#[test]
fn neither_questions_nor_answers_are_lost_by_kill_nine() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let (graph, run) = asking(&server.client(&heddle));
    server.kill();

    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    assert_eq!(client.results(&graph, &run)["status"], "REVIEW");
    let ids = waiting(&heddle, &run);
    answer(&heddle, &[&ids[1], "--approve"]);
    server.kill();

    let server = Server::start(&heddle);
    assert_eq!(waiting(&heddle, &run), ids[..1]);
    answer(&heddle, &[&ids[0], "--approve"]);
    // Whatever of the run has moved on by now.
    server.kill();

    let server = Server::start(&heddle);
    let results = server.client(&heddle).results_at_end(&graph, &run);
    let sent: Vec<_> =
        results["output"].as_array().unwrap().iter().filter_map(|output| output.get("sent").cloned()).collect();
    assert_eq!((&results["status"], sent), (&json!("COMPLETED"), vec![json!("a"), json!("b")]));
    assert_eq!(results["nodes"].as_array().unwrap().len(), 1 + 1 + 2 + 4);
}

#[test]
fn a_run_in_review_is_seen_followed_waited_for_and_stopped_through_http() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&agent());
    let waited = client.post(&execute(&graph), &[("Prefer", "wait=1")], &json!({"node_input": {}}));
    assert_eq!((waited.status, waited.header("preference-applied")), (200, "wait=1"), "{waited:?}");
    let (waited, run) = (waited.json(), waited.json()["id"].as_str().unwrap().to_owned());
    assert_eq!((&waited["status"], waited.get("output")), (&json!("REVIEW"), None));

    let results = client.results(&graph, &run);
    assert_eq!((&results["status"], &results["output"]), (&json!("REVIEW"), &Value::Null));
    let asks: Vec<_> =
        results["nodes"].as_array().unwrap().iter().filter(|node| node["node_id"] == graph["nodes"][2]["id"]).collect();
    assert_eq!(asks.len(), 2);
    assert!(asks.iter().all(|node| node["output"] == json!({})), "{asks:?}");
    let list = client.get(&format!("/external-api/v1/graphs/{}/executions", graph["id"].as_str().unwrap())).json();
    assert_eq!(
        (&list["executions"][0]["status"], &list["executions"][0]["ended_at"]),
        (&json!("REVIEW"), &Value::Null)
    );

    let stopper = (server.client(&heddle), graph.clone(), run.clone());
    let mut statuses = Vec::new();
    let path = format!("{}/events", execution(&graph, &run));
    client
        .follow(&path, &[], |event| {
            let data = event.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or("{}");
            if event.contains("event: run") || event.contains("event:run") {
                statuses.push(serde_json::from_str::<Value>(data).unwrap()["status"].as_str().unwrap().to_owned());
                if statuses.last().is_some_and(|status| status == "REVIEW") {
                    assert_eq!(stopper.0.stop(&stopper.1, &stopper.2).json()["status"], "TERMINATED");
                }
            }
            true
        })
        .unwrap();
    assert_eq!(statuses, ["QUEUED", "RUNNING", "REVIEW", "TERMINATED"]);
    let reviews = heddle.json(&["review", "list", "--run", &run]);
    for review in reviews.as_array().unwrap() {
        assert_eq!((&review["status"], &review["processed"]), (&json!("REJECTED"), &json!(true)));
        assert_eq!(review["review_message"], "Execution was stopped by user");
    }
}

#[test]
fn a_run_by_command_says_what_it_waits_for_and_can_be_answered_later() {
    let heddle = Heddle::new();
    let file = write(&heddle.beside("letters.json"), &agent().to_string());
    let run = heddle.run(&["run", &file, "--json"]);
    run.refused("the run is REVIEW, it waits for review ");
    let printed = run.json();
    assert_eq!((&printed["status"], &printed["outputs"]), (&json!("REVIEW"), &json!({})));
    let ids = waiting(&heddle, printed["id"].as_str().unwrap());
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|id| run.stderr.contains(id.as_str())), "{run:?}");
    answer(&heddle, &[&ids[0], "--approve", "--auto-approve-future"]);
    answer(&heddle, &[&ids[1], "--approve"]);
    assert_eq!(heddle.json(&["review", "list"]), json!([]));

    let mut thrown_away = heddle.binary();
    thrown_away.args(["run", &file]);
    let run = crate::support::Outcome::of(thrown_away);
    run.refused("it waits for review ");
    assert_eq!(run.json(), json!({}));
}

#[test]
fn a_block_that_asks_does_not_run_by_itself() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let path = format!("/external-api/v1/blocks/{ASK}/execute");
    let refused = client.post(&path, &[], &json!({"data": 1, "name": "Fine?"}));
    assert_eq!((refused.status, &refused.json()["detail"]), (400, &json!("asking a person needs a graph run")));
    let invalid = client.post(&path, &[], &json!({"data": 1}));
    let text = "Unable to execute block with invalid input data: 'name' is a required property";
    assert_eq!((invalid.status, &invalid.json()["detail"]), (400, &json!(text)));
}
