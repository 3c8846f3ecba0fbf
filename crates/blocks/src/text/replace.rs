//! Replaces every occurrence of a text.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};

pub(crate) const BLOCK: Block = Block::pure("7e7c87ab-3469-4bcc-9abe-67705091b713", run);

/// An empty `old` stands between all characters, so the result can be as large as both texts multiplied.
const MAX_BYTES: usize = 64 * 1024 * 1024;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let (text, old, new) = (input.text("text"), input.text("old"), input.text("new"));
    let grows = new.len().saturating_sub(old.len());
    if grows > 0 && text.matches(old.as_str()).count().saturating_mul(grows).saturating_add(text.len()) > MAX_BYTES {
        return Err(refuse("the text with its replacements is larger than 64 MB"));
    }
    out.emit("output", text.replace(old.as_str(), &new))
}
