//! Turns a value into another type by the coercion rules of graphs.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::coerce::{Target, convert};

pub(crate) const BLOCK: Block = Block::pure("95d1b990-ce13-4d88-9737-ba5c2070c97b", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let target = match input.text("type").as_str() {
        "string" => Target::Text,
        "number" => Target::Number,
        "boolean" => Target::Boolean,
        "list" => Target::List(Box::new(Target::Any)),
        "dictionary" => Target::Map(Box::new(Target::Any)),
        other => return Err(refuse(format!("unknown type '{other}'"))),
    };
    out.emit("value", convert(input.take("value"), &target).map_err(refuse)?)
}
