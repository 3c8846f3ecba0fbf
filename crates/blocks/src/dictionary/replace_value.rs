//! Puts a value in the place of an entry's.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("27e31876-18b6-44f3-ab97-f6226d8b3889", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut dictionary = input.object("dictionary");
    let new = input.take("value");
    let (_, value) = super::existing(&mut input, &mut dictionary)?;
    let old = std::mem::replace(value, new);
    out.emit("updated_dictionary", dictionary)?;
    out.emit("old_value", old)
}
