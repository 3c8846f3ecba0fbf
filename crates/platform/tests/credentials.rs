//! Credentials in runs: who may name which, what a run is refused for, and that no secret leaves the vault.

#![cfg(test)]

#[path = "../../blocks/tests/blocks/mock.rs"]
#[allow(dead_code, reason = "other tests look closer at what was sent")]
mod mock;

use heddle_cluster::{Cluster, again};
use heddle_model::{Object, Scope, Status, Value};
use heddle_platform::integrations::{Kind, Secret};
use heddle_platform::{
    Address, CredentialMeta, Database, Error, NewAccount, NewCredential, NewKey, NewSecret, Options, Platform, Policy,
    Principal, Start,
};
use mock::{Mock, answer};
use serde_json::json;
use std::time::Duration;

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const SEND: &str = "fff86bcd-e001-4bad-a7f6-2eae4720c8dc";
const AGENT: &str = "e189baac-8c20-45a1-94a7-55177ea42565";
const SECRET: &str = "hunter2-of-the-headers";
const LONG: Duration = Duration::from_secs(30);
/// The field of a node whose URL comes by a link.
const FIELD: &str = "http_host_scoped_credentials";

struct Testbed {
    platform: Platform,
    database: Database,
    mock: Mock,
    folder: tempfile::TempDir,
}

impl Testbed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let mock = Mock::start(vec![answer(200, "", "ok")]).await;
        let platform = open(&database, &mock, &folder).await;
        Self { platform, database, mock, folder }
    }

    async fn reopened(self) -> Self {
        self.platform.close().await;
        let platform = open(&self.database, &self.mock, &self.folder).await;
        Self { platform, ..self }
    }

    async fn user(&self, name: &str) -> Principal {
        let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
        let account = self.platform.accounts.create(new).await.unwrap();
        let new = NewKey { name: "test".into(), scopes: Scope::ALL.to_vec(), description: None };
        let (_, key) = self.platform.keys.create(account.id, new).await.unwrap();
        self.platform.keys.authenticate(&key).await.unwrap().unwrap()
    }

    /// Headers for the mock.
    async fn headers(&self, of: &Principal) -> CredentialMeta {
        let headers = vec![("X-Key".to_owned(), Secret::new(SECRET.to_owned()))];
        let secret = NewSecret::HostScoped { host: self.mock.address.to_string(), headers };
        self.add(of, "http", secret).await
    }

    async fn add(&self, of: &Principal, provider: &str, secret: NewSecret) -> CredentialMeta {
        let title = Some("Mine".to_owned());
        let new = NewCredential { provider: provider.to_owned(), title, secret, base_url: None, expires_at: None };
        self.platform.integrations.add(of.user, new).await.unwrap()
    }

    async fn save(&self, caller: &Principal, file: Value) -> Result<String, Error> {
        let draft = self.platform.graphs.read_file(file).unwrap().remove(0);
        let saved = self.platform.graphs.create(caller.user, caller.organization, draft).await?;
        Ok(saved.graph.id.to_string())
    }

    async fn start(&self, caller: &Principal, start: Start) -> Result<(String, Vec<(String, Vec<Value>)>), Error> {
        let started = self.platform.runs.start(caller, start).await?;
        let id = started.id.to_string();
        let run = self.platform.runs.wait_for(caller.user, started, LONG).await?;
        assert_eq!(run.summary.status, Status::Completed);
        Ok((id, run.outputs))
    }

    /// Why a start is refused.
    async fn refusal(&self, caller: &Principal, start: Start) -> String {
        match self.platform.runs.start(caller, start).await {
            Err(Error::Refused(text)) => text.lines().last().unwrap().trim().to_owned(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was started"),
        }
    }
}

async fn open(database: &Database, mock: &Mock, folder: &tempfile::TempDir) -> Platform {
    let options = Options {
        outbound: Policy::new(vec![mock.address.to_string().parse().unwrap()]),
        key_file: Some(folder.path().join("master.key")),
        ..Options::default()
    };
    Platform::open_with(database.clone(), options).await.unwrap()
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&[""]);
}

fn reference(meta: &CredentialMeta) -> Value {
    json!({"id": meta.id, "provider": meta.provider, "type": meta.kind, "title": meta.title})
}

/// A request whose URL is an input, and what it answers.
fn asking(mut constants: Value, metadata: Value) -> Value {
    // The rules want one, although the link's value takes its place.
    constants["url"] = json!("https://a.example/");
    json!({
        "name": "asks", "description": "",
        "nodes": [
            {"id": "in", "block_id": INPUT, "input_default": {"name": "url"}},
            {"id": "ask", "block_id": SEND, "input_default": constants, "metadata": metadata},
            {"id": "out", "block_id": OUTPUT, "input_default": {"name": "answer"}},
        ],
        "links": [
            {"source_id": "in", "source_name": "result", "sink_id": "ask", "sink_name": "url"},
            {"source_id": "ask", "source_name": "response", "sink_id": "out", "sink_name": "value"},
        ],
    })
}

fn of_node(credential: &Value) -> Value {
    json!({"credentials": credential})
}

fn with(graph: &str, inputs: Value) -> Start {
    let Value::Object(inputs) = inputs else { panic!("inputs are an object") };
    Start { graph: graph.to_owned(), version: 1, inputs, ..Start::default() }
}

fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_node_sends_what_is_kept_and_the_run_keeps_only_its_name() {
    let bed = Testbed::new().await;
    let ada = bed.user("ada").await;
    let kept = bed.headers(&ada).await;
    let graph = bed.save(&ada, asking(of_node(&reference(&kept)), json!({}))).await.unwrap();
    let (run, outputs) = bed.start(&ada, with(&graph, json!({"url": bed.mock.url("/")}))).await.unwrap();
    assert_eq!(outputs, [("answer".to_owned(), vec![json!("ok")])]);
    assert_eq!(bed.mock.seen(1).await[0].header("x-key"), Some(SECRET));

    let uses = bed.platform.integrations.uses(ada.user, 9).await.unwrap();
    assert_eq!(uses.len(), 1);
    let used = &uses[0];
    assert_eq!((used.credential.as_str(), used.provider.as_str(), used.door.as_str()), (&*kept.id, "http", "run"));
    assert_eq!((used.run.unwrap().to_string(), used.exec.is_some()), (run.clone(), true));
    let listed = bed.platform.integrations.list(ada.user).await.unwrap();
    assert_eq!(listed[0].last_used_at, Some(used.used_at));

    let results = bed.platform.runs.results(ada.user, &graph, &run).await.unwrap();
    let shown = format!("{results:?}");
    assert!(shown.contains(&kept.id) && !shown.contains(SECRET), "{shown}");
    if bed.database.is_file() {
        bed.platform.close().await;
        for entry in std::fs::read_dir(bed.folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
        }
    }
}

#[tokio::test]
async fn a_run_is_given_credentials_by_field_in_its_inputs_or_beside_them() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.user("ada").await, bed.user("bob").await);
    let (kept, foreign) = (reference(&bed.headers(&ada).await), reference(&bed.headers(&bob).await));
    let graph = bed.save(&ada, asking(json!({}), json!({}))).await.unwrap();
    let url = bed.mock.url("/");
    let within = with(&graph, json!({"url": url, FIELD: kept, "more": 1}));
    let beside = Start { credentials: object(json!({FIELD: kept, "other": 1})), ..with(&graph, json!({"url": url})) };
    for start in [within, beside] {
        assert_eq!(bed.start(&ada, start).await.unwrap().1, [("answer".to_owned(), vec![json!("ok")])]);
    }
    // What was given beside the inputs wins, and somebody else's is as unknown as one that never was.
    let both = Start { credentials: object(json!({FIELD: foreign})), ..with(&graph, json!({"url": url, FIELD: kept})) };
    let unknown = format!("credentials: Unknown credentials #{}", foreign["id"].as_str().unwrap());
    assert_eq!(bed.refusal(&ada, both).await, unknown);
    let nowhere = "8c7e0000-0000-4000-8000-000000000009";
    let never = json!({"id": nowhere, "provider": "http", "type": "host_scoped"});
    let text = bed.refusal(&ada, with(&graph, json!({"url": url, FIELD: never}))).await;
    assert_eq!(text, format!("credentials: Unknown credentials #{nowhere}"));
    // An input of that name that is no reference is an input like any other.
    let text = bed.refusal(&ada, with(&graph, json!({"url": url, FIELD: "x"}))).await;
    assert_eq!(text, "credentials: These credentials are required");
    assert_eq!(bed.mock.seen(2).await.len(), 2, "a refused run sends nothing");
}

#[tokio::test]
async fn a_start_is_refused_in_the_words_of_the_contract() {
    let bed = Testbed::new().await;
    let ada = bed.user("ada").await;
    let kept = bed.headers(&ada).await;
    let key = bed.add(&ada, "openai", NewSecret::ApiKey { key: Secret::new("sk-x".to_owned()) }).await;
    let graph = bed.save(&ada, asking(json!({}), json!({}))).await.unwrap();
    for (given, text) in [
        (json!(null), "These credentials are required"),
        (
            json!({"id": key.id, "provider": "http", "type": "host_scoped"}),
            "Invalid credentials: type/provider mismatch",
        ),
        (reference(&key), "Invalid credentials: openai api_key credentials do not fit here"),
    ] {
        let start = Start { credentials: object(json!({FIELD: given})), ..with(&graph, json!({"url": "x"})) };
        assert_eq!(bed.refusal(&ada, start).await, format!("credentials: {text}"));
    }
    let saved = bed.save(&ada, asking(of_node(&reference(&kept)), json!({}))).await.unwrap();
    bed.platform.integrations.remove(ada.user, "http", &kept.id).await.unwrap();
    let text = bed.refusal(&ada, with(&saved, json!({"url": "x"}))).await;
    assert_eq!(text, format!("credentials: Unknown credentials #{}", kept.id), "it was removed meanwhile");
}

#[tokio::test]
async fn a_graph_is_saved_only_with_credentials_that_its_owner_has() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.user("ada").await, bed.user("bob").await);
    let kept = reference(&bed.headers(&ada).await);
    assert!(bed.save(&ada, asking(of_node(&kept), json!({}))).await.is_ok());
    let refused = bed.save(&bob, asking(of_node(&kept), json!({}))).await.unwrap_err();
    let text = "The \"Mine\" http credential used by the SendAuthenticatedWebRequestBlock node no longer exists. Please \
                pick a different credential and try again.";
    assert_eq!(refused, Error::Refused(text.to_owned()));
    let optional = json!({"credentials_optional": true});
    let graph = bed.save(&bob, asking(of_node(&kept), optional)).await.unwrap();
    let saved = bed.platform.graphs.get(bob.user, &graph, None).await.unwrap();
    assert_eq!(saved.graph.nodes[1].input_default["credentials"], json!({}));
    // Its node is left out, and the run comes to its end without it.
    let (_, outputs) = bed.start(&bob, with(&graph, json!({"url": bed.mock.url("/")}))).await.unwrap();
    assert_eq!(outputs, []);
    let given = Start {
        credentials: object(json!({FIELD: reference(&bed.headers(&bob).await)})),
        ..with(&graph, json!({"url": bed.mock.url("/")}))
    };
    assert_eq!(bed.start(&bob, given).await.unwrap().1.len(), 1, "with a credential it runs");
}

#[tokio::test]
async fn what_a_run_was_given_reaches_the_agents_that_it_calls() {
    let bed = Testbed::new().await;
    let ada = bed.user("ada").await;
    let kept = reference(&bed.headers(&ada).await);
    let child = bed.save(&ada, asking(json!({}), json!({}))).await.unwrap();
    let (input, output) = (
        json!({"type": "object", "properties": {"url": {}}, "required": ["url"]}),
        json!({"type": "object", "properties": {"answer": {}}}),
    );
    let agent = json!({"graph_id": child, "graph_version": 1, "input_schema": input, "output_schema": output});
    let parent = json!({
        "name": "calls", "description": "",
        "nodes": [
            {"id": "in", "block_id": INPUT, "input_default": {"name": "url"}},
            {"id": "call", "block_id": AGENT, "input_default": agent},
            {"id": "out", "block_id": OUTPUT, "input_default": {"name": "said"}},
        ],
        "links": [
            {"source_id": "in", "source_name": "result", "sink_id": "call", "sink_name": "url"},
            {"source_id": "call", "source_name": "answer", "sink_id": "out", "sink_name": "value"},
        ],
    });
    let parent = bed.save(&ada, parent).await.unwrap();
    let schema = bed.platform.graphs.get(ada.user, &parent, None).await.unwrap();
    let schema = bed.platform.graphs.credentials_input_schema(&schema);
    assert_eq!(schema["required"], json!([FIELD]));
    let start = with(&parent, json!({"url": bed.mock.url("/"), FIELD: kept}));
    assert_eq!(bed.start(&ada, start).await.unwrap().1, [("said".to_owned(), vec![json!("ok")])]);
    assert_eq!(bed.mock.seen(1).await[0].header("x-key"), Some(SECRET));
}

#[tokio::test]
async fn a_block_by_itself_gets_its_owners_credential_and_nobody_elses() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.user("ada").await, bed.user("bob").await);
    let kept = reference(&bed.headers(&ada).await);
    let input = object(json!({"url": bed.mock.url("/"), "credentials": kept}));
    let answered = bed.platform.blocks.execute(ada.user, SEND, input.clone()).await.unwrap();
    assert_eq!(answered, [("response".to_owned(), vec![json!("ok")])]);
    assert_eq!(bed.platform.integrations.uses(ada.user, 1).await.unwrap()[0].door, "block");
    let refused = bed.platform.blocks.execute(bob.user, SEND, input).await.unwrap_err();
    assert_eq!(refused, Error::Refused(format!("Unknown credentials #{}", kept["id"].as_str().unwrap())));
    assert_eq!(bed.platform.integrations.uses(bob.user, 1).await.unwrap(), []);
    let wrong = json!({"id": kept["id"], "provider": "http", "type": "host_scoped", "title": "x"});
    let mut wrong = object(json!({"url": bed.mock.url("/"), "credentials": wrong}));
    wrong["credentials"]["id"] = json!("744fdc56-071a-4761-b5a5-0af0ce10a2b5");
    let refused = bed.platform.blocks.execute(ada.user, SEND, wrong).await.unwrap_err();
    assert_eq!(refused, Error::Refused("Invalid credentials: type/provider mismatch".to_owned()));
    assert_eq!(bed.mock.seen(1).await.len(), 1);
}

#[tokio::test]
async fn credentials_are_listed_without_secrets_and_outlive_the_process_and_its_key() {
    let bed = Testbed::new().await;
    let ada = bed.user("ada").await;
    let secret = || Secret::new(SECRET.to_owned());
    bed.headers(&ada).await;
    bed.add(&ada, "openai", NewSecret::ApiKey { key: secret() }).await;
    bed.add(&ada, "smtp", NewSecret::UserPassword { username: secret(), password: secret() }).await;
    let tokens = NewSecret::OAuth2 {
        access_token: secret(),
        refresh_token: Some(secret()),
        scopes: vec!["repo".to_owned()],
        username: Some("ada".to_owned()),
    };
    bed.add(&ada, "github", tokens).await;
    let listed = bed.platform.integrations.list(ada.user).await.unwrap();
    let kinds: Vec<_> = listed.iter().map(|meta| (meta.provider.as_str(), meta.kind, meta.is_host_wide)).collect();
    let expected = [
        ("http", Kind::HostScoped, false),
        ("openai", Kind::ApiKey, false),
        ("smtp", Kind::UserPassword, false),
        ("github", Kind::OAuth2, false),
        ("ollama", Kind::ApiKey, true),
    ];
    assert_eq!(kinds, expected);
    assert!(!format!("{listed:?}").contains(SECRET));
    assert_eq!(bed.platform.rotate_master_key().await.unwrap().resealed, 4);
    let kept = reference(&listed[0]);
    let bed = bed.reopened().await;
    let input = object(json!({"url": bed.mock.url("/"), "credentials": kept}));
    bed.platform.blocks.execute(ada.user, SEND, input).await.unwrap();
    assert_eq!(bed.mock.seen(1).await[0].header("x-key"), Some(SECRET));
}

#[tokio::test]
async fn what_can_never_be_sent_is_not_kept() {
    let bed = Testbed::new().await;
    let ada = bed.user("ada").await;
    let headers = |name: &str, value: &str| vec![(name.to_owned(), Secret::new(value.to_owned()))];
    for (provider, secret, part) in [
        ("nope", NewSecret::ApiKey { key: Secret::new("k".to_owned()) }, "Provider 'nope' not found"),
        ("codex", NewSecret::ApiKey { key: Secret::new("k".to_owned()) }, "ChatGPT sign-in"),
        ("http", NewSecret::HostScoped { host: "a/b".to_owned(), headers: headers("x", "y") }, "is not a host"),
        ("http", NewSecret::HostScoped { host: "a.b".to_owned(), headers: headers("x y", "y") }, "name of a header"),
        ("http", NewSecret::HostScoped { host: "a.b".to_owned(), headers: headers("x", "a\nb") }, "cannot be sent"),
        ("openai", NewSecret::ApiKey { key: Secret::new("k".repeat(100_000)) }, "longer than"),
    ] {
        let new =
            NewCredential { provider: provider.to_owned(), title: None, secret, base_url: None, expires_at: None };
        let refused = bed.platform.integrations.add(ada.user, new).await.unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    }
    assert_eq!(bed.platform.integrations.list(ada.user).await.unwrap().len(), 1);
}
