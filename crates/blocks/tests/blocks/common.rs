//! What the tests of this crate share: a registry, a place to run in, and cases read from files.

use async_trait::async_trait;
use heddle_blocks::{Ports, Registry, Storage};
use heddle_engine::ports::{Blocks, Context, Failure, Place, Sink};
use heddle_model::{Catalogue, GraphId, NodeId, Object, RunId, Time, UserId, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Keeps values in memory, per account.
#[derive(Default)]
pub struct Memory(Mutex<HashMap<(UserId, String), Value>>);

#[async_trait]
impl Storage for Memory {
    async fn get(&self, user: UserId, key: &str) -> Result<Option<Value>, String> {
        Ok(self.0.lock().expect("no test panics while it holds this").get(&(user, key.to_owned())).cloned())
    }

    async fn put(&self, user: UserId, key: &str, value: Value) -> Result<(), String> {
        self.0.lock().expect("no test panics while it holds this").insert((user, key.to_owned()), value);
        Ok(())
    }
}

/// Collects what is emitted.
#[derive(Default)]
pub struct Collected(pub Vec<(String, Value)>);

#[async_trait]
impl Sink for Collected {
    async fn emit(&mut self, pin: &str, value: Value) {
        self.0.push((pin.to_owned(), value));
    }
}

/// An execution at 2026-02-03T04:05:06.789Z within a run of account 1.
pub fn in_a_run() -> Context {
    let place = Place {
        graph: GraphId::from_random([7; 16]),
        version: 1,
        run: RunId::from_random([8; 16]),
        node: NodeId::from("node"),
        exec: 9,
    };
    Context { place: Some(place), ..outside_a_run() }
}

/// The same outside of any run.
pub fn outside_a_run() -> Context {
    Context {
        user: UserId::from_random([1; 16]),
        time_zone: Some("Asia/Tokyo".to_owned()),
        now: Time(1_770_091_506_789_000),
        seed: 42,
        place: None,
    }
}

/// Runs a block by its name's id and returns what it emitted and how it ended.
pub async fn run(
    registry: &Arc<Registry>,
    id: &str,
    input: Object,
    cx: Context,
) -> (Vec<(String, Value)>, Result<(), Failure>) {
    let block = registry.block(&id.into()).expect("the block is known");
    let mut sink = Collected::default();
    let ended = registry.run(block, Arc::new(input), cx, &mut sink).await;
    (sink.0, ended)
}

/// The upstream exception class of a failure.
pub fn class(failure: &Failure) -> &'static str {
    match failure {
        Failure::Input(_) => "BlockInputError",
        Failure::Execution(_) => "BlockExecutionError",
        Failure::Output(_) => "BlockOutputError",
        Failure::Unknown(_) => "BlockUnknownError",
    }
}

/// The lines of a case file.
pub fn cases(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Runs every case of a file; a case that differs is described, all of them together.
pub async fn check(text: &str) {
    let registry = Registry::new(Ports { storage: Some(Arc::new(Memory::default())), ..Ports::default() });
    let mut wrong = Vec::new();
    for case in cases(text) {
        let id = case["id"].as_str().expect("a case names its block");
        let input = case["input"].as_object().expect("a case has an input").clone();
        let cx = if case["direct"] == true { outside_a_run() } else { in_a_run() };
        let (outputs, ended) = run(&registry, id, input, cx).await;
        let outputs: Value =
            outputs.into_iter().map(|(pin, value)| Value::from(vec![Value::from(pin), value])).collect();
        let failure = ended.as_ref().err().map(class).map_or(Value::Null, Value::from);
        let text = ended.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let part = case["errorText"].as_str().unwrap_or_default();
        if outputs != finite(case["output"].clone()) || failure != case["errorClass"] || !text.contains(part) {
            wrong.push(format!("{case}\n   gave {outputs} {failure} {text}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Numbers that JSON has no word for are null with us.
fn finite(value: Value) -> Value {
    match value {
        Value::String(text) if ["$inf", "$nan", "$-inf"].contains(&text.as_str()) => Value::Null,
        Value::Array(items) => items.into_iter().map(finite).collect(),
        other => other,
    }
}
