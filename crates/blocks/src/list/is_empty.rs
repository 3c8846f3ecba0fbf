//! Whether a list has no elements.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("896ed73b-27d0-41be-813c-c1c1dc856c03", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("is_empty", input.list("list").is_empty())
}
