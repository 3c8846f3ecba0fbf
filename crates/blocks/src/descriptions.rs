//! Our own words on served blocks and their pins.
//!
//! They are data (`data/descriptions.json`), put into the schemas when a block is first looked up.

use heddle_model::Value;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

static TEXT: &str = include_str!("../data/descriptions.json");

#[derive(Deserialize)]
struct Described {
    text: String,
    #[serde(rename = "in")]
    inputs: HashMap<String, String>,
    #[serde(rename = "out")]
    outputs: HashMap<String, String>,
}

/// Puts the pins' descriptions into the schemas and returns the block's own.
pub(crate) fn describe(block: &str, input: &mut Value, output: &mut Value) -> String {
    static ALL: OnceLock<HashMap<String, Described>> = OnceLock::new();
    let all = ALL.get_or_init(|| serde_json::from_str(TEXT).expect("the embedded descriptions are well-formed"));
    let Some(described) = all.get(block) else {
        return String::new();
    };
    put(input, &described.inputs);
    put(output, &described.outputs);
    described.text.clone()
}

fn put(schema: &mut Value, texts: &HashMap<String, String>) {
    let Some(pins) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, pin) in pins {
        if let (Some(text), Some(pin)) = (texts.get(name), pin.as_object_mut()) {
            let after_title = pin.keys().position(|key| key == "title").map_or(pin.len(), |place| place + 1);
            pin.shift_insert(after_title, "description".to_owned(), Value::from(text.as_str()));
        }
    }
}
