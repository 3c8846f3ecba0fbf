//! Counts the characters, elements or keys of a collection.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("3c9c2f42-b0c3-435f-ba35-05f7a25c772a", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let count = match input.take("collection") {
        Value::String(text) => text.chars().count() as i64,
        Value::Array(items) => items.len() as i64,
        Value::Object(entries) => entries.len() as i64,
        // What has no length is no failure here.
        _ => -1,
    };
    out.emit("count", count)
}
