//! What leaves an agent.
//!
//! The run's results are the values that arrive here, taken by the engine. What this block emits is for an agent
//! that called this one: the value, or a text made of it.

use crate::block::{Block, Cx, Ended, Input, Out};
use crate::template;
use heddle_model::{Object, python};

pub(crate) const BLOCK: Block =
    Block::pure("363ae599-353e-4804-937e-b2ee3cef3da4", run).slow_when(template::may_be_slow);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let (name, format, value) = (input.text("name"), input.text("format"), input.take("value"));
    if format.is_empty() {
        out.emit("output", value)?;
        return out.emit("name", name);
    }
    let values = Object::from_iter([(name.clone(), value)]);
    let text = match template::render(&format, &values, input.flag("escape_html", false)) {
        Ok(text) => text,
        // A template that fails is no failure here, its text is the output.
        Err(error) => format!("Error: {error}, {}", python::text(&values[&name])),
    };
    out.emit("output", text)
}
