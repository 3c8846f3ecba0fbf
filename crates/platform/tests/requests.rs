//! Agents that ask web servers, through the use cases, against servers of our own.

// Helpers may unwrap like the tests they serve; the lint knows them by this.
#![cfg(test)]

#[path = "../../blocks/tests/blocks/mock.rs"]
mod mock;

use heddle_cluster::{Cluster, again};
use heddle_model::{Object, Scope, Status, Value};
use heddle_platform::{Address, Database, Error, NewAccount, NewKey, Options, Platform, Policy, Principal, Start};
use mock::{Mock, Seen, answer};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SEND: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";
const LONG: Duration = Duration::from_secs(30);

struct Testbed {
    platform: Platform,
    caller: Principal,
    database: Database,
    _folder: tempfile::TempDir,
    options: Options,
}

impl Testbed {
    /// A platform whose blocks may reach these servers.
    async fn reaching(mocks: &[&Mock]) -> Self {
        let allow = mocks.iter().map(|mock| mock.address.to_string().parse().unwrap()).collect();
        let options = Options { outbound: Policy::new(allow), ..Options::default() };
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let platform = Platform::open_with(database.clone(), options.clone()).await.unwrap();
        let new = NewAccount { email: "ada@example.org".into(), name: None, password: None, is_admin: false };
        let account = platform.accounts.create(new).await.unwrap();
        let new = NewKey { name: "test".into(), scopes: Scope::ALL.to_vec(), description: None };
        let (_, key) = platform.keys.create(account.id, new).await.unwrap();
        let caller = platform.keys.authenticate(&key).await.unwrap().unwrap();
        Self { platform, caller, database, _folder: folder, options }
    }

    async fn reopened(self) -> Self {
        self.platform.close().await;
        let platform = Platform::open_with(self.database.clone(), self.options.clone()).await.unwrap();
        Self { platform, ..self }
    }

    async fn save(&self, agent: Value) -> String {
        let draft = self.platform.graphs.read_file(agent).unwrap().remove(0);
        let saved = self.platform.graphs.create(self.caller.user, self.caller.organization, draft).await.unwrap();
        saved.graph.id.to_string()
    }

    fn start(graph: &str, inputs: &Value) -> Start {
        let inputs = inputs.as_object().unwrap().clone();
        Start { graph: graph.to_owned(), version: 1, inputs, ..Start::default() }
    }
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// An agent of ours that sends its requests to `mock` instead.
fn order(mock: &Mock) -> Value {
    redirected(&json_of(&own("place-an-order.json")), "http://shop.example", mock)
}

fn redirected(agent: &Value, origin: &str, mock: &Mock) -> Value {
    let text = agent.to_string();
    assert!(text.contains(origin));
    serde_json::from_str(&text.replace(origin, mock.url("").as_str())).unwrap()
}

/// Runs every case of an expectation file against servers that stand in for `origin`.
async fn check(expected: &Path, origin: &str) -> usize {
    let file = json_of(expected);
    let agent = json_of(&expected.with_file_name(file["agent"].as_str().unwrap()));
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let scripted = case["mocks"]["http"].as_array().unwrap();
        let mock = Mock::start(scripted.iter().map(said).collect()).await;
        let t = Testbed::reaching(&[&mock]).await;
        let graph = t.save(redirected(&agent, origin, &mock)).await;
        let started = t.platform.runs.start(&t.caller, Testbed::start(&graph, &case["inputs"])).await.unwrap();
        let id = started.id.to_string();
        let run = t.platform.runs.wait_for(t.caller.user, started, LONG).await.unwrap();

        let (name, expect) = (&case["name"], &case["expect"]);
        assert_eq!(run.summary.status, Status::Completed, "{name}");
        let outputs: Object = run.outputs.into_iter().map(|(name, values)| (name, Value::from(values))).collect();
        assert_eq!(Value::from(outputs), expect["outputs"], "{name}");
        let view = t.platform.runs.results(t.caller.user, &graph, &id).await.unwrap();
        assert_eq!(json!(view.node_exec_count), expect["node_exec_count"], "{name}");
        assert_eq!(json!(view.node_error_count), expect["node_error_count"], "{name}");

        let seen = mock.seen(scripted.len()).await;
        assert_eq!(seen.len(), scripted.len(), "{name}");
        for (seen, scripted) in seen.iter().zip(scripted) {
            asked(seen, &scripted["expect_request"], origin);
        }
        let send = view.nodes.iter().find(|node| node.block_id.as_str() == SEND);
        let key = send.map(|node| node.exec_id.to_string());
        assert_eq!(seen[0].header("idempotency-key"), key.as_deref(), "{name}");
    }
    cases.len()
}

fn said(mock: &Value) -> String {
    let body = match &mock["body"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let status = u16::try_from(mock["status"].as_u64().unwrap()).unwrap();
    answer(status, &format!("content-type: {}\r\n", mock["content_type"].as_str().unwrap()), &body)
}

/// Compares what came with what was to come, where that is said.
fn asked(seen: &Seen, expected: &Value, origin: &str) {
    if let (Some(method), Some(url)) = (expected["method"].as_str(), expected["url"].as_str()) {
        assert_eq!(seen.line(), format!("{method} {}", url.strip_prefix(origin).unwrap()));
    }
    for (name, value) in expected["headers_include"].as_object().into_iter().flatten() {
        assert_eq!(seen.header(name), value.as_str(), "{name}");
    }
    if let Some(body) = expected.get("json_body") {
        assert_eq!(&serde_json::from_str::<Value>(&seen.body).unwrap(), body);
    }
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&[""]);
}

#[tokio::test]
async fn an_agent_sends_a_request_and_hands_out_what_comes_back() {
    assert_eq!(check(&own("place-an-order.expected.json"), "http://shop.example").await, 5);
}

#[tokio::test]
async fn a_published_agent_that_sends_a_request_gives_the_expected_results() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/agents/citedy-topic-to-publish-b2cd3320.expected.json");
    if !expected.exists() {
        println!("skipped: 4 (needs ../shared)");
        return;
    }
    assert_eq!(check(&expected, "https://www.citedy.com").await, 4);
}

#[tokio::test]
async fn a_request_to_a_place_inside_fails_its_node_and_leaves_by_the_error_pin() {
    let mock = Mock::start(vec![answer(200, "", "secret")]).await;
    let t = Testbed::reaching(&[]).await;
    let graph = t.save(order(&mock)).await;
    let start = Testbed::start(&graph, &json!({"Token": "t", "Order": "{}"}));
    let started = t.platform.runs.start(&t.caller, start).await.unwrap();
    let id = started.id.to_string();
    let run = t.platform.runs.wait_for(t.caller.user, started, LONG).await.unwrap();
    let text = "host 127.0.0.1 is not allowed: its address is private or reserved";
    assert_eq!(run.outputs, [("error".to_owned(), vec![json!(text)])]);
    let view = t.platform.runs.results(t.caller.user, &graph, &id).await.unwrap();
    assert_eq!((run.summary.status, view.node_error_count), (Status::Completed, 1));
    assert_eq!(mock.seen(0).await.len(), 0);
}

#[tokio::test]
async fn an_interrupted_request_is_sent_again_under_the_same_name() {
    let mock = Mock::start(vec![String::new(), answer(200, "", "done")]).await;
    let t = Testbed::reaching(&[&mock]).await;
    let graph = t.save(order(&mock)).await;
    let start = Testbed::start(&graph, &json!({"Token": "t", "Order": "{}"}));
    let run = t.platform.runs.start(&t.caller, start).await.unwrap().id;
    mock.seen(1).await;

    let t = t.reopened().await;
    let outcome = t.platform.runs.wait(t.caller.user, run, LONG).await.unwrap();
    assert_eq!(outcome.outputs, [("response".to_owned(), vec![json!("done")])]);
    let keys: Vec<_> =
        mock.seen(2).await.iter().map(|seen| seen.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[tokio::test]
async fn a_request_runs_by_itself() {
    let mock = Mock::start(vec![answer(404, "", "nothing here")]).await;
    let t = Testbed::reaching(&[&mock]).await;
    let input = |url: &str| Object::from_iter([("url".to_owned(), json!(url))]);
    let outputs = t.platform.blocks.execute(t.caller.user, SEND, input(&mock.url("/"))).await.unwrap();
    assert_eq!(outputs, [("client_error".to_owned(), vec![json!("nothing here")])]);
    assert_eq!(mock.seen(1).await[0].header("idempotency-key"), None);
    let refused = t.platform.blocks.execute(t.caller.user, SEND, input("ftp://x")).await.unwrap_err();
    assert_eq!(refused, Error::Refused("scheme \"ftp\" is not allowed, only http and https are".to_owned()));
}
