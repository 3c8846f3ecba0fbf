//! Building, searching and changing text.

pub(crate) mod combine;
pub(crate) mod count;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod extract;
pub(crate) mod fill_template;
pub(crate) mod match_pattern;
pub(crate) mod read_file;
pub(crate) mod replace;
pub(crate) mod split;

use heddle_model::{Value, python};

/// A text as it is, anything else as compact JSON.
fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => python::json_compact(&other),
    }
}
