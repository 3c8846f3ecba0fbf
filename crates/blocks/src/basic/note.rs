//! A sticky note; normally never executed.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("cc10ff7b-7753-4ff2-9af6-9399b1a7eddc", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("output", input.take("text"))
}
