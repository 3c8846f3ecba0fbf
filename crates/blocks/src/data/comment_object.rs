//! Builds a review comment, the object that a pull request review takes.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::{Object, Value};

pub(crate) const BLOCK: Block = Block::pure("b7d5e4f2-8c3a-4e6b-9f1d-7a8b9c5e4d3f", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut comment = Object::new();
    comment.insert("path".to_owned(), input.take("path"));
    comment.insert("body".to_owned(), input.take("body"));
    let line = input.take("line");
    let position = input.given("position").unwrap_or(line);
    let side = input.given("side").filter(|side| side != "RIGHT").unwrap_or(Value::Null);
    let (start_line, start_side) = (input.take("start_line"), input.take("start_side"));
    let optional = [("position", position), ("side", side), ("start_line", start_line), ("start_side", start_side)];
    for (name, value) in optional {
        if !value.is_null() {
            comment.insert(name.to_owned(), value);
        }
    }
    out.emit("comment_object", comment)
}
