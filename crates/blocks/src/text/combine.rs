//! Joins texts.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85", run);

/// A long delimiter between many short texts makes far more than came in.
const MAX_BYTES: usize = 64 * 1024 * 1024;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let texts = input.list("input");
    let delimiter = input.text("delimiter");
    let bytes: usize = texts.iter().filter_map(Value::as_str).map(str::len).sum();
    if texts.len().saturating_mul(delimiter.len()).saturating_add(bytes) > MAX_BYTES {
        return Err(refuse("the texts together are larger than 64 MB"));
    }
    let mut joined = String::new();
    for (index, text) in texts.iter().filter_map(Value::as_str).enumerate() {
        if index > 0 {
            joined.push_str(&delimiter);
        }
        joined.push_str(text);
    }
    out.emit("output", joined)
}
