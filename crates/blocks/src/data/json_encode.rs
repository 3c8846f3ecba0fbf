//! Writes compact JSON.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::python;

pub(crate) const BLOCK: Block = Block::pure("9a9d20c5-5b4d-4e94-8022-83b6cb72648a", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("json_str", python::json_compact(&input.take("data")))
}
