//! What the wire shows of a graph beyond what is stored (`engine.md` 2): schemas, flags, trigger, credentials.
//!
//! All of it follows from nodes and catalogue, so nothing of it is kept. A node whose block is unknown contributes
//! nothing: reading such a graph must still work.

pub mod credentials;

use crate::block::{self, HUMAN_IN_THE_LOOP, is_credentials_pin};
use crate::{BlockFacts, Catalogue, Node, Object, UiType, Value, python};
use serde_json::json;

pub use credentials::credentials_input_schema;

/// Manual triggers take no credential that would tell their provider.
const MANUAL_PROVIDERS: [(&str, &str); 3] = [
    ("8fa8c167-2002-47ce-aba8-97572fc5d387", "generic_webhook"),
    ("9464a020-ed1d-49e1-990f-7f2ac924a2b7", "compass"),
    ("9c2e7b41-3d68-4a05-8f1c-6b4d0e9a2f37", "allquiet"),
];

/// The object schema of the graph's inputs.
pub fn input_schema(nodes: &[Node], catalogue: &dyn Catalogue) -> Value {
    schema_of(nodes, catalogue, UiType::Input)
}

/// The object schema of the graph's outputs.
pub fn output_schema(nodes: &[Node], catalogue: &dyn Catalogue) -> Value {
    schema_of(nodes, catalogue, UiType::Output)
}

fn schema_of(nodes: &[Node], catalogue: &dyn Catalogue, ui_type: UiType) -> Value {
    let (mut properties, mut required) = (Object::new(), Vec::new());
    for node in nodes {
        let Some(block) = catalogue.block(&node.block_id).filter(|block| block.ui_type == ui_type) else { continue };
        let Some(name) = node.input_default.get("name").and_then(Value::as_str) else { continue };
        let value = constant(node, &block, "value");
        if value.is_null() {
            required.push(Value::from(name));
        }
        properties.insert(name.to_owned(), property(node, &block, name, value));
    }
    json!({"type": "object", "properties": properties, "required": required})
}

fn property(node: &Node, block: &BlockFacts, name: &str, value: &Value) -> Value {
    let own = block.input_pins().get("value").and_then(Value::as_object);
    let kept =
        own.into_iter().flatten().filter(|(key, _)| !matches!(key.as_str(), "description" | "default" | "secret"));
    let mut property: Object = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    let advanced = !value.is_null() && python::truthy(constant(node, block, "advanced"));
    property.insert("advanced".to_owned(), advanced.into());
    let text = |pin| node.input_default.get(pin).and_then(Value::as_str).filter(|text| !text.is_empty());
    property.insert("title".to_owned(), text("title").unwrap_or(name).into());
    match node.block_id.as_str() {
        block::TABLE_INPUT => {
            property.insert("type".to_owned(), "array".into());
            property.insert("format".to_owned(), "table".into());
            property.insert("items".to_owned(), row_schema(node));
        }
        block::DROPDOWN_INPUT => {
            let options = ["options", "placeholder_values"].into_iter().find_map(|pin| non_empty_list(node, pin));
            if let Some(options) = options {
                property.insert("enum".to_owned(), options.clone().into());
            }
        }
        _ => {}
    }
    property.insert("secret".to_owned(), false.into());
    if let Some(description) = text("description") {
        property.insert("description".to_owned(), description.into());
    }
    if !value.is_null() {
        property.insert("default".to_owned(), value.clone());
    }
    Value::Object(property)
}

fn row_schema(node: &Node) -> Value {
    let named: Vec<_> = match non_empty_list(node, "column_headers") {
        Some(headers) => headers.iter().map(python::text).collect(),
        None => (1..=3).map(|number| format!("Column {number}")).collect(),
    };
    let columns: Object = named.into_iter().map(|name| (name, json!({"type": "string"}))).collect();
    json!({"type": "object", "properties": columns})
}

fn non_empty_list<'a>(node: &'a Node, pin: &str) -> Option<&'a Vec<Value>> {
    node.input_default.get(pin).and_then(Value::as_array).filter(|items| !items.is_empty())
}

/// The value a node has for a pin without any link: its own constant, else the pin's default.
fn constant<'a>(node: &'a Node, block: &'a BlockFacts, pin: &str) -> &'a Value {
    let own = node.input_default.get(pin);
    own.or_else(|| block.input_pins().get(pin)?.get("default")).unwrap_or(&Value::Null)
}

/// All that the wire adds to a graph of itself: both schemas, the flags and the trigger.
pub fn members(nodes: &[Node], catalogue: &dyn Catalogue) -> Object {
    let flags = flags(nodes, catalogue);
    Object::from_iter([
        ("input_schema".to_owned(), input_schema(nodes, catalogue)),
        ("output_schema".to_owned(), output_schema(nodes, catalogue)),
        ("has_external_trigger".to_owned(), flags.has_external_trigger.into()),
        ("has_human_in_the_loop".to_owned(), flags.has_human_in_the_loop.into()),
        ("has_sensitive_action".to_owned(), flags.has_sensitive_action.into()),
        ("trigger_setup_info".to_owned(), trigger_setup_info(nodes, catalogue)),
    ])
}

/// What kinds of nodes a graph has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// It is started by an outside event.
    pub has_external_trigger: bool,
    /// It asks a person.
    pub has_human_in_the_loop: bool,
    /// It has a block that pauses for review where the account wants that.
    pub has_sensitive_action: bool,
}

/// The flags of a graph.
pub fn flags(nodes: &[Node], catalogue: &dyn Catalogue) -> Flags {
    let mut flags = Flags::default();
    for node in nodes {
        flags.has_human_in_the_loop |= node.block_id.as_str() == HUMAN_IN_THE_LOOP;
        if let Some(block) = catalogue.block(&node.block_id) {
            flags.has_external_trigger |= block.ui_type.is_trigger();
            flags.has_sensitive_action |= block.sensitive;
        }
    }
    flags
}

/// What is needed to set up the trigger: that of the first trigger node; null without one.
pub fn trigger_setup_info(nodes: &[Node], catalogue: &dyn Catalogue) -> Value {
    let mut blocks = nodes.iter().filter_map(|node| catalogue.block(&node.block_id));
    let Some(block) = blocks.find(|block| block.ui_type.is_trigger()) else { return Value::Null };
    let manual = MANUAL_PROVIDERS.iter().find(|(id, _)| *id == block.id.as_str()).map(|(_, provider)| *provider);
    let provider =
        manual.or_else(|| block.credentials.values().flat_map(|facts| &facts.providers).map(String::as_str).next());
    let mut config = block.input_schema.clone();
    if let Some(properties) = config.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !is_credentials_pin(name));
    }
    if let Some(required) = config.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !name.as_str().is_some_and(is_credentials_pin));
    }
    json!({
        "provider": provider.unwrap_or_default(),
        "config_schema": config,
        "credentials_input_name": block.input_pins().keys().find(|name| is_credentials_pin(name)),
    })
}

#[cfg(test)]
mod tests;
