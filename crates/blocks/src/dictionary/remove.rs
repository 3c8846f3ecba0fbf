//! Takes one entry out of a dictionary.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("46afe2ea-c613-43f8-95ff-6692c3ef6876", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut dictionary = input.object("dictionary");
    let (key, value) = super::existing(&mut input, &mut dictionary)?;
    let value = value.take();
    dictionary.shift_remove(&key);
    out.emit("updated_dictionary", dictionary)?;
    if input.flag("return_value", false) { out.emit("removed_value", value) } else { Ok(()) }
}
