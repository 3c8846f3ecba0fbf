//! Renders a template with values.

use crate::block::{Block, Cx, Ended, Input, Out};
use crate::template::{self, Error};
use heddle_engine::ports::Failure;

pub(crate) const BLOCK: Block =
    Block::pure("db7d8f02-2f44-4c55-ab7a-eae0941f0c30", run).slow_when(template::may_be_slow);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let escape = input.flag("escape_html", false);
    let rendered = template::render(&input.text("format"), &input.object("values"), escape);
    let text = rendered.map_err(|error| match error {
        Error::Template(text) => Failure::Execution(text),
        Error::Overflow(text) => Failure::Unknown(text),
    })?;
    out.emit("output", text)
}
