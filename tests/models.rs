//! Agents that ask language models and web servers, against servers of our own: each provider's base URL is theirs.

mod crash;
#[path = "../crates/llm/tests/support/mock.rs"]
mod mock;
mod paid;
mod published;

use crate::support::{Client, Heddle, Server};
use mock::{Mock, Reply, Seen};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Providers of the agents here.
const PROVIDERS: [&str; 5] = ["openai", "anthropic", "groq", "open_router", "ollama"];

/// A server of models, and of anything else that is asked for by HTTP.
struct Stage {
    mock: Mock,
    /// Keeps the mock alive.
    _runtime: Runtime,
}

impl Stage {
    fn new(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let mock = runtime.block_on(Mock::with(script));
        Self { mock, _runtime: runtime }
    }

    fn replies(replies: Vec<Reply>) -> Self {
        Self::new(move |number, _| replies.get(number).cloned().unwrap_or_else(|| Reply::error(418, "no more")))
    }

    /// Every provider is the mock, and has a key that all accounts may use.
    fn heddle(&self) -> Heddle {
        let mut heddle = Heddle::new().with("HEDDLE_OUTBOUND__ALLOW", &self.mock.address.to_string());
        for provider in PROVIDERS {
            let name = provider.to_uppercase();
            heddle = heddle.with(&format!("HEDDLE_PROVIDERS__{name}__BASE_URL"), &self.mock.url());
            heddle = heddle.with(&format!("HEDDLE_PROVIDERS__{name}__API_KEY"), "sk-nobody");
        }
        heddle
    }
}

/// A run to its end: status, outputs by name, and the executions' errors.
fn run(client: &Client, agent: &Value, inputs: &Value) -> (Value, Value, Vec<String>) {
    let graph = client.save(agent);
    let run = client.start(&graph, inputs);
    told(&client.results_at_end(&graph, &run))
}

fn told(results: &Value) -> (Value, Value, Vec<String>) {
    let mut outputs = serde_json::Map::new();
    for (name, value) in results["output"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten() {
        outputs.entry(name).or_insert_with(|| json!([])).as_array_mut().unwrap().push(value.clone());
    }
    let errors = results["nodes"].as_array().unwrap().iter().filter_map(|node| node["output"]["error"][0].as_str());
    (results["status"].clone(), outputs.into(), errors.map(str::to_owned).collect())
}

const TEXT: &str = "1f292d4a-41a4-4977-9684-7c8d560b9f91";
const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";

/// Asks a model what it was asked.
fn asking(model: &str) -> Value {
    json!({
        "name": "asking", "description": "",
        "nodes": [
            {"id": "in", "block_id": INPUT, "input_default": {"name": "question"}},
            {"id": "ask", "block_id": TEXT, "input_default": {"model": model}},
            {"id": "out", "block_id": OUTPUT, "input_default": {"name": "answer"}},
        ],
        "links": [
            {"source_id": "in", "source_name": "result", "sink_id": "ask", "sink_name": "prompt"},
            {"source_id": "ask", "source_name": "response", "sink_id": "out", "sink_name": "value"},
        ],
    })
}

#[test]
fn every_providers_models_answer() {
    let stage = Stage::new(|_, seen| Reply::text(&format!("from {}", seen.path)));
    let heddle = stage.heddle();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    for (model, path) in [
        ("gpt-4o", "/v1/responses"),
        ("claude-sonnet-4-6", "/v1/messages"),
        ("llama-3.1-8b-instant", "/openai/v1/chat/completions"),
        ("google/gemini-2.5-pro", "/api/v1/chat/completions"),
        ("llama3.2", "/api/chat"),
    ] {
        let (status, outputs, errors) = run(&client, &asking(model), &json!({"question": "where?"}));
        assert_eq!((status, errors), (json!("COMPLETED"), vec![]), "{model}");
        assert_eq!(outputs, json!({"answer": [format!("from {path}")]}), "{model}");
    }
}

/// A credential of the caller's own for a provider, at the mock.
fn credential(client: &Client, stage: &Stage, provider: &str, path: &str) -> Value {
    let base = format!("{}{path}", stage.mock.url());
    let body = json!({"type": "api_key", "api_key": "sk-mine", "title": "Mine", "base_url": base});
    let made = client.post(&format!("/external-api/v1/integrations/{provider}/credentials"), &[], &body);
    assert_eq!(made.status, 201, "{provider}: {made:?}");
    let made = made.json();
    json!({"id": made["id"], "provider": provider, "type": "api_key", "title": "Mine"})
}

#[test]
fn any_server_with_the_usual_interface_is_a_credential() {
    let stage = Stage::new(|_, seen| {
        Reply::text(&format!("{} by {}", seen.path, seen.header("authorization").unwrap_or("nobody")))
    });
    let heddle = stage.heddle();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let mut agent = asking("my-own-model:7b");
    agent["nodes"][1]["input_default"]["credentials"] =
        credential(&client, &stage, "openai_compatible", "/api/openai/v1");
    let (status, outputs, errors) = run(&client, &agent, &json!({"question": "where?"}));
    assert_eq!((status, errors), (json!("COMPLETED"), vec![]));
    assert_eq!(outputs, json!({"answer": ["/api/openai/v1/chat/completions by Bearer sk-mine"]}));
    assert_eq!(stage.mock.asked()[0]["model"], "my-own-model:7b");
    let mut agent = asking("gemini-2.5-pro");
    agent["nodes"][1]["input_default"]["credentials"] = credential(&client, &stage, "gemini", "");
    let (_, outputs, errors) = run(&client, &agent, &json!({"question": "where?"}));
    assert_eq!(errors, [""; 0]);
    assert_eq!(outputs, json!({"answer": ["/v1beta/models/gemini-2.5-pro:generateContent by nobody"]}));
    let listed = client.get("/external-api/v1/integrations/providers").json();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"openai_compatible") && names.contains(&"gemini"), "{names:?}");
}

#[test]
fn an_agent_is_offered_as_a_tool_by_the_words_of_its_graph() {
    let stage = Stage::new(|_, _| Reply::text("no tool needed"));
    let heddle = stage.heddle();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let mut tides = asking("gpt-4o");
    (tides["name"], tides["description"]) = (json!("Tide tables"), json!("Knows when the sea comes."));
    let called = client.save(&tides);
    let schema = json!({"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]});
    let node = json!({
        "graph_id": called["id"], "graph_version": called["version"], "agent_name": "an older name", "inputs": {}, "input_schema": schema,
        "output_schema": {},
    });
    let caller = json!({
        "name": "asks an agent", "description": "",
        "nodes": [
            {"id": "in", "block_id": INPUT, "input_default": {"name": "question"}},
            {"id": "decide", "block_id": crash::ORCHESTRATOR,
             "input_default": {"model": "gpt-4o", "agent_mode_max_iterations": 0}},
            {"id": "agent", "block_id": "e189baac-8c20-45a1-94a7-55177ea42565", "input_default": node},
            {"id": "out", "block_id": OUTPUT, "input_default": {"name": "answer"}},
        ],
        "links": [
            {"source_id": "in", "source_name": "result", "sink_id": "decide", "sink_name": "prompt"},
            {"source_id": "decide", "source_name": "tools", "sink_id": "agent", "sink_name": "question"},
            {"source_id": "decide", "source_name": "finished", "sink_id": "out", "sink_name": "value"},
        ],
    });
    let (status, outputs, errors) = run(&client, &caller, &json!({"question": "when?"}));
    assert_eq!((status, errors), (json!("COMPLETED"), vec![]));
    assert_eq!(outputs, json!({"answer": ["no tool needed"]}));
    let tool = &stage.mock.asked()[0]["tools"][0];
    assert_eq!((&tool["name"], &tool["description"]), (&json!("tide_tables"), &json!("Knows when the sea comes.")));
}

#[test]
fn what_a_call_took_stands_with_its_execution() {
    let stage = Stage::replies(vec![Reply::text("yes")]);
    let heddle = stage.heddle();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&asking("gpt-4o"));
    let run = client.start(&graph, &json!({"question": "well?"}));
    client.results_at_end(&graph, &run);
    let mut stats = Vec::new();
    let path = format!("{}/events", crate::support::execution(&graph, &run));
    client
        .follow(&path, &[], |event| {
            let data = event.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim);
            let data: Value = data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
            stats.extend(Some(data["stats"].clone()).filter(|stats| stats["llm_call_count"] == 1));
            true
        })
        .unwrap();
    let [stats] = &stats[..] else { panic!("one execution has called: {stats:?}") };
    assert_eq!((&stats["input_token_count"], &stats["output_token_count"]), (&json!(11), &json!(7)));
    assert_eq!(stats["llm_retry_count"], 0);
}
