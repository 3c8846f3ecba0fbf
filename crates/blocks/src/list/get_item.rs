//! One element by its index.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("262ca24c-1025-43cf-a578-534e23234e97", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut list = input.list("list");
    let place = super::place(input.integer("index").unwrap_or_default(), list.len())?;
    out.emit("item", list.swap_remove(place))
}
