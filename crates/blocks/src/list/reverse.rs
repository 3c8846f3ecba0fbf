//! A list from back to front.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("422cb708-3109-4277-bfe3-bc2ae5812777", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut list = input.list("input_list");
    list.reverse();
    out.emit("reversed_list", list)
}
