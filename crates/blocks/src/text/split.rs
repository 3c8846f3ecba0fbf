//! Cuts a text at a delimiter.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("d5ea33c8-a575-477a-b42f-2fe3be5055ec", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let (text, delimiter) = (input.text("text"), input.text("delimiter"));
    if text.is_empty() {
        return out.emit("texts", Vec::<Value>::new());
    }
    if delimiter.is_empty() {
        return Err(refuse("empty separator"));
    }
    let strip = input.flag("strip", true);
    let part = |part: &str| Value::from(if strip { part.trim() } else { part });
    out.emit("texts", text.split(delimiter.as_str()).map(part).collect::<Vec<_>>())
}
