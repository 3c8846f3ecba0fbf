//! An agent input that is yes or no; no unless told otherwise, so it always emits.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("cbf36ab5-df4a-43b6-8a7f-f7ed8652116e", run);

fn run(input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("result", input.flag("value", false))
}
