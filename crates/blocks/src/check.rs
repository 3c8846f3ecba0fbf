//! Whether inputs and outputs fit a block's schemas.
//!
//! Most pins ask for a plain type, and looking at that takes nanoseconds; only what this quick look does not
//! accept goes to the JSON Schema validator, which has the last word and the text of the failure.

use crate::block::Ended;
use heddle_engine::ports::Failure;
use heddle_model::{BlockFacts, Object, UiType, Value};
use std::collections::HashMap;

/// The rules of one block's pins.
pub(crate) struct Checks {
    inputs: HashMap<String, Quick>,
    required: Vec<String>,
    /// Output pins by name; `None` when outputs of this kind of block are not checked.
    outputs: Option<HashMap<String, Quick>>,
}

impl Checks {
    /// Reads a block's schemas.
    pub fn of(facts: &BlockFacts) -> Self {
        let quick = |pins: &Object| pins.iter().map(|(name, schema)| (name.clone(), Quick::of(schema))).collect();
        Self {
            inputs: quick(facts.input_pins()),
            required: facts.required().map(str::to_owned).collect(),
            outputs: (facts.ui_type == UiType::Standard).then(|| quick(facts.output_pins())),
        }
    }

    /// Drops nulls and checks the rest.
    pub fn input(&self, facts: &BlockFacts, mut input: Object) -> Result<Object, Failure> {
        if input.values().any(Value::is_null) {
            input.retain(|_, value| !value.is_null());
        }
        let fits = self.required.iter().all(|name| input.contains_key(name))
            && input.iter().all(|(name, value)| self.inputs.get(name).is_none_or(|quick| quick.accepts(value)));
        let input = Value::Object(input);
        if !fits {
            facts
                .compiled_input()
                .check(&input)
                .map_err(|text| Failure::Input(format!("Unable to execute block with invalid input data: {text}")))?;
        }
        match input {
            Value::Object(input) => Ok(input),
            _ => Ok(Object::new()),
        }
    }

    /// Checks one emission.
    pub fn emission(&self, facts: &BlockFacts, pin: &str, value: &Value) -> Ended {
        if pin == "error" {
            return Err(match value {
                Value::Null => Failure::Execution("Output error was None".to_owned()),
                Value::String(text) if text.is_empty() => Failure::Unknown("Unknown error occurred".to_owned()),
                other => Failure::Execution(heddle_model::python::text(other)),
            });
        }
        let Some(outputs) = &self.outputs else {
            return Ok(());
        };
        if outputs.get(pin).is_some_and(|quick| quick.accepts(value)) {
            return Ok(());
        }
        let checked = facts.compiled_output().check_pin(pin, value);
        checked.map_err(|text| Failure::Output(format!("Block produced an invalid output data: {text}")))
    }
}

/// What can be seen at a glance. `Unsure` accepts nothing, which leaves the decision to the validator.
enum Quick {
    Any,
    Text,
    Flag,
    Integer,
    Number,
    Null,
    Object,
    List(Box<Quick>),
    OneOf(Vec<Value>),
    AnyOf(Vec<Quick>),
    Unsure,
}

/// Members of a schema that say nothing about the value.
const DECORATION: [&str; 9] =
    ["title", "description", "default", "advanced", "secret", "placeholder", "hidden", "format", "depends_on"];

impl Quick {
    fn of(schema: &Value) -> Self {
        let Some(schema) = schema.as_object() else {
            return Self::Unsure;
        };
        let rules: Vec<_> = schema.iter().filter(|(key, _)| !DECORATION.contains(&key.as_str())).collect();
        match rules.as_slice() {
            [] => Self::Any,
            [(key, Value::Array(members))] if *key == "anyOf" => Self::AnyOf(members.iter().map(Self::of).collect()),
            _ => Self::of_type(schema, rules.len()),
        }
    }

    fn of_type(schema: &Object, rules: usize) -> Self {
        match (schema.get("type").and_then(Value::as_str), rules) {
            (Some("string"), 1) => Self::Text,
            (Some("boolean"), 1) => Self::Flag,
            (Some("integer"), 1) => Self::Integer,
            (Some("number"), 1) => Self::Number,
            (Some("null"), 1) => Self::Null,
            (Some("object"), 1) => Self::Object,
            (Some("object"), 2) if open(schema.get("additionalProperties")) => Self::Object,
            (Some("array"), 1) => Self::List(Box::new(Self::Any)),
            (Some("array"), 2) if schema.contains_key("items") => Self::List(Box::new(Self::of(&schema["items"]))),
            (Some("string"), 2) => match schema.get("enum").and_then(Value::as_array) {
                Some(values) => Self::OneOf(values.iter().filter(|value| value.is_string()).cloned().collect()),
                None => Self::Unsure,
            },
            _ => Self::Unsure,
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Null => value.is_null(),
            Self::Object => value.is_object(),
            Self::List(of) => match value {
                Value::Array(items) => matches!(**of, Self::Any) || items.iter().all(|item| of.accepts(item)),
                _ => false,
            },
            Self::OneOf(values) => values.contains(value),
            Self::AnyOf(members) => members.iter().any(|member| member.accepts(value)),
            Self::Unsure => false,
        }
    }
}

fn open(additional: Option<&Value>) -> bool {
    match additional {
        Some(Value::Bool(allowed)) => *allowed,
        Some(Value::Object(schema)) => schema.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_quick_look_never_accepts_what_the_schema_refuses() {
        let cases = [
            (json!({"type": "integer", "minimum": 1}), json!(0)),
            (json!({"type": "array", "items": {"type": "string"}}), json!([1])),
            (json!({"type": "object", "additionalProperties": {"type": "string"}}), json!({"a": 1})),
            (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!(1)),
            (json!({"enum": ["a"], "type": "string"}), json!("b")),
            (json!({"type": "object", "required": ["a"]}), json!({})),
        ];
        for (schema, value) in cases {
            assert!(!Quick::of(&schema).accepts(&value), "{schema} {value}");
        }
    }

    #[test]
    fn plain_types_are_accepted_at_a_glance() {
        let cases = [
            (json!({"title": "T", "advanced": false}), json!(null)),
            (json!({"type": "string", "format": "short-text"}), json!("a")),
            (json!({"type": "array", "items": {}}), json!([1, "a"])),
            (json!({"type": "object", "additionalProperties": true}), json!({"a": 1})),
            (json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}), json!(1)),
            (json!({"enum": ["a"], "type": "string"}), json!("a")),
        ];
        for (schema, value) in cases {
            assert!(Quick::of(&schema).accepts(&value), "{schema} {value}");
        }
    }
}
