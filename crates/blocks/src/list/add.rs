//! Puts elements into a list, at the end or at a position.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("aeb08fc1-2fc1-4141-bc8e-f758f183a822", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut list = input.list("list");
    let mut added = input.list("entries");
    added.extend(input.given("entry"));
    let length = list.len();
    let place = match input.integer("position") {
        None => length,
        // As a slice bound: counted from the end when negative, clamped to the list.
        Some(position) if position < 0 => (length as i64).saturating_add(position).max(0) as usize,
        Some(position) => (position as usize).min(length),
    };
    list.splice(place..place, added);
    out.emit("updated_list", list)
}
