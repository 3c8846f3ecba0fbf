//! Looks a key up in a dictionary, a list or a JSON text.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("0e50422c-6dee-4145-83d6-3a5a392f65de", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let original = input.take("input");
    let key = input.take("key");
    let parsed = match &original {
        Value::String(text) => Some(
            serde_json::from_str::<Value>(text).map_err(|error| refuse(format!("the input is not JSON: {error}")))?,
        ),
        _ => None,
    };
    match find(parsed.as_ref().unwrap_or(&original), &key) {
        Some(value) => out.emit("output", value),
        None => out.emit("missing", original),
    }
}

fn find(input: &Value, key: &Value) -> Option<Value> {
    match (input, key) {
        (Value::Object(entries), Value::String(name)) => entries.get(name).cloned(),
        (Value::Array(items), Value::Number(_)) => {
            let place = usize::try_from(crate::number::integer(key)?).ok()?;
            items.get(place).cloned()
        }
        // A name picks that entry of every element, provided the first has it.
        (Value::Array(items), Value::String(name)) => {
            let has = |item: &Value| item.get(name).is_some();
            let picked = match items.first() {
                Some(first) if has(first) => items.iter().filter_map(|item| item.get(name)).cloned().collect(),
                _ => Vec::new(),
            };
            Some(Value::Array(picked))
        }
        _ => None,
    }
}
