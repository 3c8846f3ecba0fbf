//! Whether a dictionary has no entries.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("a3cf3f64-6bb9-4cc6-9900-608a0b3359b0", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("is_empty", input.object("dictionary").is_empty())
}
