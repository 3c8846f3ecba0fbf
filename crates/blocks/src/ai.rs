//! Blocks that put a language model to work.
//!
//! What they say to the model is here; how providers are spoken to is `heddle_llm`'s business. A call is [`Effect::Read`]:
//! a repeat costs money, but changes nothing for anybody, so nothing has to be on disk before it. What it brought is noted
//! when more calls follow, so that a crash does not pay for it again.
//!
//! [`Effect::Read`]: heddle_engine::Effect::Read

pub(crate) mod code;
pub(crate) mod condition;
pub(crate) mod conversation;
pub(crate) mod list;
pub(crate) mod orchestrator;
pub(crate) mod perplexity;
pub(crate) mod structured;
pub(crate) mod summarizer;
mod talk;
pub(crate) mod text;

use crate::block::{Block, Cx, Input, Outlet, Run, Working, never};
use crate::registry::Ports;
use crate::template::{self, Error};
use heddle_engine::Effect;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value};

/// What a block does with its pins, for [`Run::Work`].
type Work = for<'a> fn(Input, &'a Cx, &'a Ports, Outlet<'a>) -> Working<'a>;

/// A block that calls a model, each of whose executions takes one turn among the calls to its provider.
const fn block(id: &'static str, work: Work) -> Block {
    Block { id, effect: |_| Effect::Read, slow: never, run: Run::Work { provider, work } }
}

/// Whose servers are called is said by the credential.
fn provider(input: &Object) -> Option<String> {
    input.get("credentials")?.get("provider")?.as_str().map(str::to_owned)
}

/// A text filled with values; without values it stands as it is, braces and all.
fn filled(text: String, values: &Object) -> Result<String, Failure> {
    if values.is_empty() {
        return Ok(text);
    }
    template::render(&text, values, false).map_err(|error| match error {
        Error::Template(text) => Failure::Execution(text),
        Error::Overflow(text) => Failure::Unknown(text),
    })
}

/// A message of a conversation.
fn message(role: &str, text: impl Into<Value>) -> Value {
    let mut message = Object::new();
    message.insert("role".to_owned(), role.into());
    message.insert("content".to_owned(), text.into());
    message.into()
}

/// How many tokens a pin allows: at least one, and none said where it says nought.
fn tokens(input: &Input, pin: &str) -> Option<u64> {
    input.integer(pin).filter(|count| *count != 0).map(|count| u64::try_from(count).unwrap_or(1))
}
