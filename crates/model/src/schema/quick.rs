//! What can be seen of a value at a glance.
//!
//! Most pins ask for a plain type, and looking at that takes nanoseconds. Only what this look does not accept goes to
//! the validator, which has the last word and the text of the failure.

use super::by_name::ByName;
use crate::{Object, Value};

/// The part of a schema that a glance covers. `Unsure` accepts nothing, which leaves the decision to the validator.
pub(super) enum Quick {
    Any,
    Text,
    Flag,
    Integer,
    Number,
    Null,
    Object,
    /// By name; and the names that must be there.
    Members(ByName<Quick>, Vec<String>),
    List(Box<Quick>),
    OneOf(Vec<Value>),
    AnyOf(Vec<Quick>),
    Unsure,
}

/// Members of a schema that say nothing about the value.
const DECORATION: [&str; 9] =
    ["title", "description", "default", "advanced", "secret", "placeholder", "hidden", "format", "depends_on"];

impl Quick {
    pub fn of(schema: &Value) -> Self {
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
            (Some("object"), 2 | 3) => Self::members(schema, rules),
            (Some("array"), 1) => Self::List(Box::new(Self::Any)),
            (Some("array"), 2) if schema.contains_key("items") => Self::List(Box::new(Self::of(&schema["items"]))),
            (Some("string"), 2) => match schema.get("enum").and_then(Value::as_array) {
                Some(values) => Self::OneOf(values.iter().filter(|value| value.is_string()).cloned().collect()),
                None => Self::Unsure,
            },
            _ => Self::Unsure,
        }
    }

    /// `properties` and perhaps `required`, and nothing else beside the type.
    fn members(schema: &Object, rules: usize) -> Self {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Self::Unsure };
        let required = match (schema.get("required"), rules) {
            (None, 2) => Vec::new(),
            (Some(Value::Array(names)), 3) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => return Self::Unsure,
        };
        Self::Members(properties.iter().map(|(name, schema)| (name.clone(), Self::of(schema))).collect(), required)
    }

    pub fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Null => value.is_null(),
            Self::Object => value.is_object(),
            Self::Members(..) => value.as_object().is_some_and(|object| self.accepts_members(object, |_| true)),
            Self::List(of) => match value {
                Value::Array(items) => matches!(**of, Self::Any) || items.iter().all(|item| of.accepts(item)),
                _ => false,
            },
            Self::OneOf(values) => values.contains(value),
            Self::AnyOf(members) => members.iter().any(|member| member.accepts(value)),
            Self::Unsure => false,
        }
    }

    /// Whether an object is accepted when only the members whose value `counts` are there.
    pub fn accepts_members(&self, object: &Object, counts: impl Fn(&Value) -> bool) -> bool {
        match self {
            Self::Any | Self::Object => true,
            Self::Members(members, required) => {
                required.iter().all(|name| object.get(name).is_some_and(&counts))
                    && object.iter().all(|(name, value)| {
                        !counts(value) || members.get(name).is_none_or(|member| member.accepts(value))
                    })
            }
            _ => false,
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
    fn a_glance_never_accepts_what_the_schema_refuses() {
        let cases = [
            (json!({"type": "integer", "minimum": 1}), json!(0)),
            (json!({"type": "array", "items": {"type": "string"}}), json!([1])),
            (json!({"type": "object", "additionalProperties": {"type": "string"}}), json!({"a": 1})),
            (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!(1)),
            (json!({"enum": ["a"], "type": "string"}), json!("b")),
            (json!({"type": "object", "required": ["a"]}), json!({})),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}), json!({"b": 1})),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}}), json!({"a": 1})),
            (json!({"type": "object", "properties": {}, "additionalProperties": false}), json!({"a": 1})),
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
            (json!({"type": "object", "properties": {"a": {}}, "required": ["a"]}), json!({"a": 1, "b": 2})),
        ];
        for (schema, value) in cases {
            assert!(Quick::of(&schema).accepts(&value), "{schema} {value}");
        }
    }

    #[test]
    fn a_member_that_does_not_count_is_missing_when_required() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
        let Value::Object(object) = json!({"a": null}) else { unreachable!() };
        assert!(!Quick::of(&schema).accepts_members(&object, |value| !value.is_null()));
    }
}
