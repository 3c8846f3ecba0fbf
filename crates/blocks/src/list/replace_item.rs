//! Puts a value in the place of one element.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("fbf62922-bea1-4a3d-8bac-23587f810b38", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut list = input.list("list");
    let place = super::place(input.integer("index").unwrap_or_default(), list.len())?;
    let old = std::mem::replace(&mut list[place], input.take("value"));
    out.emit("updated_list", list)?;
    out.emit("old_item", old)
}
