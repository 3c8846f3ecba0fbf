//! Runs through the use cases, on a database of their own.

#![cfg(test)]

#[path = "runs/overview.rs"]
mod overview;
#[path = "runs/reviews.rs"]
mod reviews;

use heddle_cluster::{Cluster, again};
use heddle_model::{Object, Scope, Status, Value};
use heddle_platform::{
    Address, Database, Error, Idempotency, Limits, NewAccount, NewKey, PageRequest, Platform, Principal, Start,
};
use serde_json::json;
use std::time::Duration;

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
const TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";
const LONG: Duration = Duration::from_secs(30);

struct Testbed {
    platform: Platform,
    database: Database,
    _folder: tempfile::TempDir,
}

impl Testbed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let platform = Platform::open(database.clone(), Limits::default()).await.unwrap();
        Self { platform, database, _folder: folder }
    }

    async fn reopened(self) -> Self {
        self.platform.close().await;
        let platform = Platform::open(self.database.clone(), Limits::default()).await.unwrap();
        Self { platform, ..self }
    }

    async fn user(&self, name: &str) -> Principal {
        let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
        let account = self.platform.accounts.create(new).await.unwrap();
        let new = NewKey { name: "test".into(), scopes: Scope::ALL.to_vec(), description: None };
        let (_, key) = self.platform.keys.create(account.id, new).await.unwrap();
        self.platform.keys.authenticate(&key).await.unwrap().unwrap()
    }

    async fn save(&self, caller: &Principal, file: Value) -> String {
        let draft = self.platform.graphs.read_file(file).unwrap().remove(0);
        let saved = self.platform.graphs.create(caller.user, caller.organization, draft).await.unwrap();
        saved.graph.id.to_string()
    }

    async fn run(&self, caller: &Principal, graph: &str, inputs: Value) -> Result<Vec<(String, Vec<Value>)>, Error> {
        let started = self.platform.runs.start(caller, start(graph, inputs)).await?;
        let run = self.platform.runs.wait_for(caller.user, started, LONG).await?;
        assert_eq!(run.summary.status, Status::Completed);
        Ok(run.outputs)
    }
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&[""]);
}

fn start(graph: &str, inputs: Value) -> Start {
    let Value::Object(inputs) = inputs else { panic!("inputs are an object") };
    Start { graph: graph.to_owned(), version: 1, inputs, ..Start::default() }
}

/// An agent file from (id, block, defaults) and (source, pin, sink, pin).
fn file(nodes: &[(&str, &str, Value)], links: &[(&str, &str, &str, &str)]) -> Value {
    let nodes: Vec<Value> =
        nodes.iter().map(|(id, block, input)| json!({"id": id, "block_id": block, "input_default": input})).collect();
    let link = |(from, pin, to, sink): &(&str, &str, &str, &str)| json!({"source_id": from, "source_name": pin, "sink_id": to, "sink_name": sink});
    json!({"name": "test", "description": "", "nodes": nodes, "links": links.iter().map(link).collect::<Vec<_>>()})
}

fn greeting() -> Value {
    file(
        &[
            ("in", INPUT, json!({"name": "who", "value": "World"})),
            ("fill", TEMPLATE, json!({"format": "Hello, {{ who }}!", "values": {}})),
            ("out", OUTPUT, json!({"name": "greeting"})),
        ],
        &[("in", "result", "fill", "values_#_who"), ("fill", "output", "out", "value")],
    )
}

fn waiting(seconds: u64) -> Value {
    file(
        &[
            ("in", INPUT, json!({"name": "text"})),
            ("wait", TIMER, json!({"seconds": seconds})),
            ("out", OUTPUT, json!({"name": "late"})),
        ],
        &[("in", "result", "wait", "input_message"), ("wait", "output_message", "out", "value")],
    )
}

#[tokio::test]
async fn a_saved_graph_runs_to_its_outputs() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, greeting()).await;

    let outputs = t.run(&ada, &graph, json!({"who": "Ada"})).await.unwrap();
    assert_eq!(outputs, [("greeting".to_owned(), vec![json!("Hello, Ada!")])]);
    let defaulted = t.run(&ada, &graph, json!({})).await.unwrap();
    assert_eq!(defaulted, [("greeting".to_owned(), vec![json!("Hello, World!")])]);
}

#[tokio::test]
async fn results_list_every_node_with_its_recorded_input() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, greeting()).await;
    let started = t.platform.runs.start(&ada, start(&graph, json!({"who": "Ada"}))).await.unwrap();
    let id = started.id.to_string();
    t.platform.runs.wait_for(ada.user, started, LONG).await.unwrap();

    let view = t.platform.runs.results(ada.user, &graph, &id).await.unwrap();
    let inputs: Vec<Value> = view.nodes.iter().map(|node| node.input.clone().into()).collect();
    assert_eq!(
        inputs,
        [
            json!({"name": "who", "value": "Ada"}),
            json!({"format": "Hello, {{ who }}!", "values": {"who": "Ada"}, "values_#_who": "Ada"}),
            json!({"name": "greeting", "value": "Hello, Ada!"}),
        ]
    );
    assert_eq!((view.node_exec_count, view.node_error_count), (3, 0));
    assert!(view.summary.started_at.is_some() && view.summary.ended_at.is_some());
}

#[tokio::test]
async fn results_say_how_long_each_node_took_and_how_large_its_data_is() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, waiting(1)).await;
    let started = t.platform.runs.start(&ada, start(&graph, json!({"text": "\u{e9}"}))).await.unwrap();
    let id = started.id.to_string();
    t.platform.runs.wait_for(ada.user, started, LONG).await.unwrap();

    let view = t.platform.runs.results(ada.user, &graph, &id).await.unwrap();
    let [input, wait, output] = &view.nodes[..] else { panic!("{:?}", view.nodes) };
    let size = |text: &str| text.len();
    assert_eq!(input.stats.input_size, size(r#"{"name": "text", "value": "\u00e9"}"#));
    assert_eq!(input.stats.output_size, size(r#""\u00e9""#));
    assert_eq!(output.stats.output_size, size(r#""\u00e9""late""#), "value by value");
    assert!(input.stats.cputime == input.stats.walltime && output.stats.cputime == output.stats.walltime);
    let second = Duration::from_secs(1);
    assert!(wait.stats.walltime >= second && wait.stats.cputime == Duration::ZERO, "{wait:?}");
    for node in &view.nodes {
        assert!(Some(node.added_at) <= node.queued_at && node.queued_at <= node.started_at, "{node:?}");
        assert!(node.started_at <= node.ended_at && node.ended_at.is_some(), "{node:?}");
    }
    let sum = view.nodes.iter().map(|node| node.stats.walltime).sum::<Duration>();
    assert_eq!((view.stats.nodes_walltime, view.stats.node_count, view.stats.cost), (sum, 3, 0));
    assert!(view.stats.walltime >= second && view.stats.nodes_cputime == view.stats.cputime, "{:?}", view.stats);
    let listed = t.platform.runs.list(ada.user, &graph, PageRequest { page: 1, page_size: 1 }).await.unwrap();
    assert_eq!((listed.items[0].counts.nodes, listed.items[0].counts.errors), (3, 0));
}

#[tokio::test]
async fn another_users_graph_and_run_look_missing() {
    let t = Testbed::new().await;
    let (ada, bob) = (t.user("ada").await, t.user("bob").await);
    let graph = t.save(&ada, greeting()).await;
    let run = t.platform.runs.start(&ada, start(&graph, json!({}))).await.unwrap().id.to_string();

    let refused = t.platform.runs.start(&bob, start(&graph, json!({}))).await.unwrap_err();
    assert_eq!(refused, Error::Refused(format!("Graph #{graph} not found.")));
    let hidden = t.platform.runs.results(bob.user, &graph, &run).await.unwrap_err();
    assert_eq!(hidden, Error::NotFound(format!("Graph execution #{run} not found.")));
    assert_eq!(t.platform.runs.stop(bob.user, &graph, &run).await.unwrap_err(), hidden);
    let page = PageRequest { page: 1, page_size: 20 };
    assert!(matches!(t.platform.runs.list(bob.user, &graph, page).await, Err(Error::NotFound(_))));
    assert!(matches!(t.platform.graphs.get(bob.user, &graph, None).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_waiting_run_can_be_stopped_and_keeps_what_it_had() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, waiting(3600)).await;
    let run = t.platform.runs.start(&ada, start(&graph, json!({"text": "x"}))).await.unwrap().id.to_string();

    let stopped = t.platform.runs.stop(ada.user, &graph, &run).await.unwrap();
    assert_eq!(stopped.status, Status::Terminated);
    let view = t.platform.runs.results(ada.user, &graph, &run).await.unwrap();
    let statuses: Vec<Status> = view.nodes.iter().map(|node| node.status).collect();
    assert_eq!(statuses, [Status::Completed, Status::Terminated]);
    assert!(matches!(t.platform.runs.stop(ada.user, &graph, &run).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_run_goes_on_when_the_database_is_opened_again() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, waiting(1)).await;
    let run = t.platform.runs.start(&ada, start(&graph, json!({"text": "still here"}))).await.unwrap().id;

    let t = t.reopened().await;
    let outcome = t.platform.runs.wait(ada.user, run, LONG).await.unwrap();
    assert_eq!(outcome.outputs, [("late".to_owned(), vec![json!("still here")])]);
}

#[tokio::test]
async fn an_idempotency_key_starts_one_run() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, greeting()).await;
    let keyed = |fingerprint: u8| {
        let idempotency = Some(Idempotency { key: "once".into(), fingerprint: [fingerprint; 32] });
        Start { idempotency, ..start(&graph, json!({})) }
    };

    let first = t.platform.runs.start(&ada, keyed(1)).await.unwrap().id;
    assert_eq!(t.platform.runs.start(&ada, keyed(1)).await.unwrap().id, first);
    assert!(matches!(t.platform.runs.start(&ada, keyed(2)).await, Err(Error::Mismatch(_))));
    let bob = t.user("bob").await;
    assert!(matches!(t.platform.runs.start(&bob, keyed(1)).await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_revoked_key_and_a_disabled_account_open_nothing() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let new = NewKey { name: "second".into(), scopes: vec![Scope::Identity], description: None };
    let (record, key) = t.platform.keys.create(ada.user, new.clone()).await.unwrap();
    assert!(t.platform.keys.authenticate(&key).await.unwrap().is_some());
    assert_eq!((record.head.as_str(), record.tail.as_str()), (&key[..8], &key[40..]));

    t.platform.keys.revoke(ada.user, &record.id.to_string()).await.unwrap();
    assert_eq!(t.platform.keys.authenticate(&key).await.unwrap(), None);

    let (_, key) = t.platform.keys.create(ada.user, new).await.unwrap();
    assert!(t.platform.keys.authenticate(&key).await.unwrap().is_some());
    t.platform.accounts.disable("ada@example.org").await.unwrap();
    assert_eq!(t.platform.keys.authenticate(&key).await.unwrap(), None);
}

#[tokio::test]
async fn a_block_runs_by_itself() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let Value::Object(input) = json!({"format": "{{ n }}", "values": {"n": 8.0}}) else { unreachable!() };
    let outputs = t.platform.blocks.execute(ada.user, TEMPLATE, input).await.unwrap();
    assert_eq!(outputs, [("output".to_owned(), vec![json!("8.0")])]);
    let missing = t.platform.blocks.execute(ada.user, "nope", Object::new()).await.unwrap_err();
    assert_eq!(missing, Error::NotFound("Block #nope not found.".to_owned()));
}
