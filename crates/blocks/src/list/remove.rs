//! Takes one element out, by its index or by its value.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::python;

pub(crate) const BLOCK: Block = Block::pure("d93c5a93-ac7e-41c1-ae5c-ef67e6e9b826", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut list = input.list("list");
    let place = match (input.integer("index"), input.given("value")) {
        (Some(index), _) => super::place(index, list.len())?,
        (None, Some(value)) => list
            .iter()
            .position(|item| python::equal(item, &value))
            .ok_or_else(|| refuse(format!("{} is not in the list", python::repr(&value))))?,
        (None, None) => return Err(refuse("either an index or a value is needed")),
    };
    let removed = list.remove(place);
    out.emit("updated_list", list)?;
    if input.flag("return_item", false) { out.emit("removed_item", removed) } else { Ok(()) }
}
