//! Takes one of two ways by whether a text matches a pattern.

use super::as_text;
use crate::block::{Block, Cx, Ended, Input, Out};
use crate::pattern;
use heddle_engine::ports::Failure;
use heddle_model::{Value, python};

pub(crate) const BLOCK: Block =
    Block::pure("3060088f-6ed9-4928-9ba7-9c92823a7ccd", run).slow_when(pattern::may_be_slow);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let data = input.take("data");
    let text = input.take("text");
    let (searched, original) = match text {
        Value::String(text) => (text.clone(), Value::String(text)),
        other => (as_text(other.clone()), other),
    };
    let flags = pattern::Flags {
        ignore_case: !input.flag("case_sensitive", true),
        dot_all: input.flag("dot_all", true),
        not_empty: false,
    };
    let pattern = pattern::compile(&input.text("match"), flags).map_err(Failure::Unknown)?;
    let found = pattern.is_match(&searched).map_err(|error| Failure::Unknown(error.to_string()))?;
    let value = if python::truthy(&data) { data } else { original };
    out.emit(if found { "positive" } else { "negative" }, value)
}
