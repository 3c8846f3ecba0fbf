//! Requests and answers in the form of each interface.

pub(crate) mod chat;
pub(crate) mod google;
pub(crate) mod messages;
pub(crate) mod ollama;
pub(crate) mod responses;

use crate::{Answer, Ask, Dialect, Error, Provider};
use heddle_model::Value;

/// A request: where below the interface's path, and what.
#[derive(Debug)]
pub(crate) struct Letter {
    pub path: String,
    pub body: Value,
}

/// Where a key goes.
pub(crate) fn key_header(dialect: Dialect, key: &str) -> (&'static str, String) {
    match dialect {
        Dialect::Messages => ("x-api-key", key.to_owned()),
        Dialect::Google => ("x-goog-api-key", key.to_owned()),
        Dialect::Chat | Dialect::Responses | Dialect::Ollama => ("authorization", format!("Bearer {key}")),
    }
}

/// What is asked, as the provider wants it.
pub(crate) fn write(provider: &Provider, ask: &Ask<'_>) -> Letter {
    match provider.dialect {
        Dialect::Chat => chat::write(provider, ask),
        Dialect::Responses => responses::write(provider, ask),
        Dialect::Messages => messages::write(ask),
        Dialect::Google => google::write(ask),
        Dialect::Ollama => ollama::write(ask),
    }
}

/// What the provider has answered.
pub(crate) fn read(dialect: Dialect, body: &Value) -> Result<Answer, Error> {
    match dialect {
        Dialect::Chat => chat::read(body),
        Dialect::Responses => responses::read(body),
        Dialect::Messages => messages::read(body),
        Dialect::Google => google::read(body),
        Dialect::Ollama => ollama::read(body),
    }
}

/// More tokens than that no call has: whatever says so is not believed.
const MOST: u64 = 1_000_000_000;

/// A count of an answer. Some servers write whole numbers with a fraction.
fn number(value: &Value, pointer: &str) -> u64 {
    let Some(number) = value.pointer(pointer) else { return 0 };
    let whole = || number.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64);
    number.as_u64().or_else(whole).filter(|count| *count <= MOST).unwrap_or(0)
}

/// A text of an answer.
fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}
