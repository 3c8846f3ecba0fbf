//! Reading JSON the way clients of the original expect it to be refused.
//!
//! `serde_json` reads every good document; only when it refuses one are the other files here asked for the words and
//! the position that Python's parser would have used.

mod depth;
mod explain;

use serde::Deserialize;
use serde_json::Value;

/// Why a text is not a JSON value that we take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not UTF-8, or nested too deep to be read.
    Unreadable,
    /// Malformed.
    Malformed {
        /// Byte offset, a byte-order mark not counted.
        at: usize,
        /// What the parser says.
        text: &'static str,
    },
}

/// Reads one JSON document of at most `max_depth` nested arrays and objects.
pub fn parse(bytes: &[u8], max_depth: usize) -> Result<Value, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::Unreadable)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if depth::exceeds(text.as_bytes(), max_depth) {
        return Err(Problem::Unreadable);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    // The depth was measured above, against a bound far below what the stack holds.
    reader.disable_recursion_limit();
    let read = Value::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|_| {
        let (at, text) = explain::explain(text);
        Problem::Malformed { at, text }
    })
}
