//! Emits the elements of a list, a dictionary or a JSON text one by one.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_engine::ports::Failure;
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("f66a3543-28d3-4ab5-8945-9b336371e2ce", run);

const MAX_ITEMS: usize = 10_000;
const MAX_CHARACTERS: usize = 1_048_576;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    for pin in ["items", "items_object", "items_str"] {
        match input.take(pin) {
            Value::String(text) if !text.is_empty() => step(parsed(&text)?, out)?,
            Value::String(_) | Value::Null => {}
            collection => step(collection, out)?,
        }
    }
    Ok(())
}

fn parsed(text: &str) -> Result<Value, Failure> {
    if text.len() > MAX_CHARACTERS && text.chars().count() > MAX_CHARACTERS {
        return Err(refuse(format!("the text of items is longer than {MAX_CHARACTERS} characters")));
    }
    serde_json::from_str(text).map_err(|error| refuse(format!("the text of items is not JSON: {error}")))
}

fn step(collection: Value, out: &mut Out<'_>) -> Ended {
    match collection {
        Value::Array(items) => {
            bounded(items.len())?;
            items.into_iter().enumerate().try_for_each(|(index, item)| pair(item, index, out))
        }
        Value::Object(entries) => {
            bounded(entries.len())?;
            entries.into_iter().try_for_each(|(key, item)| pair(item, key, out))
        }
        Value::String(text) => {
            bounded(text.chars().count())?;
            text.chars().enumerate().try_for_each(|(index, item)| pair(item.to_string(), index, out))
        }
        other => Err(Failure::Unknown(format!("{other} has no items to step through"))),
    }
}

fn pair(item: impl Into<Value>, key: impl Into<Value>, out: &mut Out<'_>) -> Ended {
    out.emit("item", item)?;
    out.emit("key", key)
}

fn bounded(count: usize) -> Ended {
    if count > MAX_ITEMS {
        Err(refuse(format!("{count} items are more than the limit of {MAX_ITEMS}")))
    } else {
        Ok(())
    }
}
