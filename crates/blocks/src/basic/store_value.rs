//! Holds a value for links that consume it again and again.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::python;

pub(crate) const BLOCK: Block = Block::pure("1ff065e9-88e8-4358-9d82-8dc91f622ba9", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let data = input.take("data");
    // Only a truthy `data` wins: 0, "" and empty collections fall back to `input`.
    let value = if python::truthy(&data) { data } else { input.take("input") };
    out.emit("output", value)
}
