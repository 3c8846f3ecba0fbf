//! Joins texts.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let texts = input.list("input");
    let delimiter = input.text("delimiter");
    let mut joined = String::new();
    for (index, text) in texts.iter().filter_map(Value::as_str).enumerate() {
        if index > 0 {
            joined.push_str(&delimiter);
        }
        joined.push_str(text);
    }
    out.emit("output", joined)
}
