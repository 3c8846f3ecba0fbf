//! Where a value first stands in a list.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::python;

pub(crate) const BLOCK: Block = Block::pure("5e2c6d0a-1e37-489f-b1d0-8e1812b23333", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let value = input.take("value");
    match input.list("list").iter().position(|item| python::equal(item, &value)) {
        Some(index) => {
            out.emit("index", index)?;
            out.emit("found", true)
        }
        None => {
            out.emit("found", false)?;
            out.emit("not_found_value", value)
        }
    }
}
