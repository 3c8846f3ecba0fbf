//! Made-up blocks and graphs: enough to show every rule, and nothing that a real block could confuse.

use heddle_engine::Plan;
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP, SMART_DECISION_MAKER};
use heddle_model::{BlockFacts, BlockId, Catalogue, Graph, GraphId, Link, LinkId, Node, NodeId, Object, UiType, Value};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Id, type, whether its links are static, input pins, required ones, output pins.
type Made = (&'static str, UiType, bool, Value, &'static [&'static str], &'static [&'static str]);

fn table() -> Vec<Made> {
    let value = || json!({"value": {}, "gate": {"type": "string"}});
    let items = || json!({"items": {"type": "array"}, "gate": {"type": "string"}});
    let typed = json!({
        "text": {"type": "string"}, "ints": {"type": "array", "items": {"type": "integer"}}, "map": {"type": "object"},
        "level": {"type": "integer", "maximum": 10}, "key": {"type": "string", "enum": ["red", "blue"]},
    });
    let sum = json!({"a": {"type": "integer"}, "b": {"type": "integer"}});
    let count = json!({"n": {"type": "integer"}, "upto": {"type": "integer"}});
    let output = json!({"name": {"type": "string"}, "value": {}, "format": {"type": "string"}});
    let timer = json!({"seconds": {"type": "integer"}, "repeat": {"type": "integer"}, "message": {}});
    let review = json!({"data": {}, "name": {"type": "string"}, "editable": {"type": "boolean"}});
    let decider =
        json!({"script": {"type": "array"}, "conversation_history": {"type": "array"}, "last_tool_output": {}});
    use UiType::{Agent, Ai, Input, Note, Output, Standard};
    vec![
        ("echo", Standard, false, value(), &["value"], &["value"]),
        ("pair", Standard, false, json!({"left": {}, "right": {}}), &[], &["pair"]),
        ("add", Standard, false, sum, &["a", "b"], &["sum"]),
        ("each", Standard, false, items(), &["items"], &["item"]),
        ("count", Standard, false, count, &["n", "upto"], &["next", "done"]),
        ("fail", Standard, false, value(), &[], &["value", "error"]),
        ("silent", Standard, false, value(), &[], &["value"]),
        ("typed", Standard, false, typed, &[], &["data"]),
        ("store", Standard, true, json!({"input": {}}), &["input"], &["output"]),
        ("input", Input, true, json!({"name": {"type": "string"}, "value": {}}), &["name"], &["result"]),
        ("output", Output, false, output, &["name"], &["output", "name"]),
        ("note", Note, false, json!({"text": {}}), &[], &[]),
        // What only the driver's tests run.
        ("local", Standard, false, value(), &["value"], &["value"]),
        ("read", Standard, false, value(), &["value"], &["value"]),
        ("idempotent", Standard, false, value(), &["value"], &["value"]),
        ("unsafe", Standard, false, value(), &["value"], &["value"]),
        ("trickle", Standard, false, items(), &["items"], &["item"]),
        ("panic", Standard, false, value(), &[], &["value"]),
        ("panic-later", Standard, false, value(), &[], &["value"]),
        ("hang", Standard, false, value(), &[], &["value"]),
        ("keep", Standard, false, json!({"value": {}}), &["value"], &["value"]),
        ("sensitive", Standard, false, value(), &["value"], &["value"]),
        ("flaky", Standard, false, value(), &["value"], &["value"]),
        (SMART_DECISION_MAKER, Ai, false, decider, &["script"], &["tools", "finished", "conversations"]),
        (COUNTDOWN_TIMER, Standard, false, timer, &["seconds"], &["output_message"]),
        (AGENT_EXECUTOR, Agent, false, json!({}), &[], &[]),
        (HUMAN_IN_THE_LOOP, Standard, false, review, &["data"], &["approved_data", "rejected_data", "review_message"]),
    ]
}

fn facts((id, ui_type, static_output, pins, required, outputs): Made) -> BlockFacts {
    let outputs: Object = outputs.iter().map(|pin| ((*pin).to_owned(), json!({}))).collect();
    let first = id[..1].to_uppercase();
    BlockFacts {
        id: id.into(),
        name: format!("{first}{}Block", &id[1..]),
        description: String::new(),
        categories: Vec::new(),
        ui_type,
        static_output,
        disabled: false,
        sensitive: id == "sensitive",
        served: true,
        time_limit: (id == "hang").then_some(1800),
        credentials: Default::default(),
        input_schema: json!({"type": "object", "properties": pins, "required": required}),
        output_schema: json!({"type": "object", "properties": outputs}),
        input: OnceLock::new(),
        output: OnceLock::new(),
        costs: Vec::new(),
    }
}

struct MadeUp(HashMap<BlockId, Arc<BlockFacts>>);

impl Catalogue for MadeUp {
    fn block(&self, id: &BlockId) -> Option<Arc<BlockFacts>> {
        self.0.get(id).cloned()
    }
}

fn catalogue() -> &'static MadeUp {
    static ALL: OnceLock<MadeUp> = OnceLock::new();
    ALL.get_or_init(|| MadeUp(table().into_iter().map(|made| (made.0.into(), Arc::new(facts(made)))).collect()))
}

/// What a block emits, and how it ends: a failure has a text.
pub type Behaviour = (Vec<(String, Value)>, Result<(), String>);

/// What a block makes of an input.
pub fn behave(block: &str, input: &Object) -> Behaviour {
    let get = |pin: &str| input.get(pin).cloned().unwrap_or_default();
    let one = |pin: &str, value: Value| (vec![(pin.to_owned(), value)], Ok(()));
    let int = |pin: &str| get(pin).as_i64().unwrap_or_default();
    match block {
        "pair" => one("pair", json!([get("left"), get("right")])),
        "add" => one("sum", json!(int("a") + int("b"))),
        "each" | "trickle" => {
            let items = get("items").as_array().cloned().unwrap_or_default();
            (items.into_iter().map(|item| ("item".to_owned(), item)).collect(), Ok(()))
        }
        "count" if int("n") < int("upto") => one("next", json!(int("n") + 1)),
        "count" => one("done", json!(int("n"))),
        "fail" => (vec![("value".to_owned(), get("value"))], Err("no good".to_owned())),
        "typed" => one("data", Value::Object(input.clone())),
        "store" => one("output", get("input")),
        "input" if get("value").is_null() => (Vec::new(), Ok(())),
        "input" => one("result", get("value")),
        "output" => match input.get("format") {
            Some(format) => one("output", json!(format!("{}{}", format.as_str().unwrap_or_default(), get("value")))),
            None => (vec![("output".to_owned(), get("value")), ("name".to_owned(), get("name"))], Ok(())),
        },
        "silent" | "note" => (Vec::new(), Ok(())),
        _ => one("value", get("value")),
    }
}

/// Puts a graph together; nodes are named by their ids, pins as `node.pin`.
#[derive(Clone)]
pub struct Builder(Graph);

/// A graph without nodes.
pub fn graph() -> Builder {
    numbered_graph(1)
}

/// A graph of its own id.
pub fn numbered_graph(number: u8) -> Builder {
    Builder(Graph {
        id: GraphId::from_random([number; 16]),
        version: 1,
        is_active: true,
        name: String::new(),
        description: String::new(),
        instructions: None,
        recommended_schedule_cron: None,
        forked_from_id: None,
        forked_from_version: None,
        nodes: Vec::new(),
        links: Vec::new(),
    })
}

impl Builder {
    /// A node and its constants.
    pub fn node(mut self, id: &str, block: &str, defaults: Value) -> Self {
        self.0.nodes.push(Node {
            id: NodeId::from(id),
            block_id: BlockId::from(block),
            input_default: defaults.as_object().cloned().unwrap_or_default(),
            metadata: Object::new(),
            input_links: Vec::new(),
            output_links: Vec::new(),
        });
        self
    }

    /// An output node called like the run output that it feeds.
    pub fn output(self, id: &str) -> Self {
        self.node(id, "output", json!({"name": id}))
    }

    /// A link.
    pub fn link(self, from: &str, to: &str) -> Self {
        self.linked(from, to, false)
    }

    /// A link whose value stays.
    pub fn fixed(self, from: &str, to: &str) -> Self {
        self.linked(from, to, true)
    }

    fn linked(mut self, from: &str, to: &str, is_static: bool) -> Self {
        let (source, source_name) = from.split_once('.').expect("node.pin");
        let (sink, sink_name) = to.split_once('.').expect("node.pin");
        self.0.links.push(Link {
            id: LinkId(format!("{from} {to}")),
            source_id: source.into(),
            sink_id: sink.into(),
            source_name: source_name.to_owned(),
            sink_name: sink_name.to_owned(),
            is_static,
        });
        self
    }

    /// The compiled graph.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::new(Plan::new(&self.0, catalogue()))
    }
}
