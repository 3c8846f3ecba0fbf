//! A dictionary from what its keyed pins received.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("b924ddf4-de4f-4b56-9a85-358930dcbc91", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("dictionary", input.take("values"))
}
