//! Making a value fit the type of the pin it goes into (`engine.md` 8).
//!
//! Only graphs coerce, and only values that do not satisfy the type yet. The type is read from the pin's JSON Schema
//! once, as a [`Target`]; nothing here knows blocks.

use crate::{Object, Value, python};
use serde_json::Number;

/// A type that values are converted to.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// No conversion: untyped pins, models, tagged unions.
    Any,
    /// A text.
    Text,
    /// A whole number; a boolean counts as one.
    Integer,
    /// A floating-point number; a whole number does not count as one.
    Number,
    /// A boolean.
    Boolean,
    /// A list with elements of one type.
    List(Box<Target>),
    /// A mapping from texts to values of one type.
    Map(Box<Target>),
    /// One of several, null among them or not.
    Union {
        /// Whether null is listed.
        nullable: bool,
        /// The other members, in order.
        members: Vec<Target>,
    },
    /// One of these texts.
    Texts(Vec<String>),
    /// One of these whole numbers.
    Integers(Vec<i64>),
}

impl Target {
    /// The target that a pin's schema describes.
    pub fn of_schema(schema: &Value) -> Self {
        if let Some(members) = schema.get("anyOf").and_then(Value::as_array) {
            return Self::union(members);
        }
        let options = schema.get("enum").and_then(Value::as_array);
        match schema.get("type") {
            Some(Value::String(kind)) => match (kind.as_str(), options) {
                ("string", None) => Self::Text,
                ("string", Some(options)) => options
                    .iter()
                    .map(|o| o.as_str().map(str::to_owned))
                    .collect::<Option<_>>()
                    .map_or(Self::Any, Self::Texts),
                ("integer", None) => Self::Integer,
                ("integer", Some(options)) => {
                    options.iter().map(Value::as_i64).collect::<Option<_>>().map_or(Self::Any, Self::Integers)
                }
                ("number", None) => Self::Number,
                ("boolean", None) => Self::Boolean,
                ("array", None) => Self::List(Box::new(schema.get("items").map_or(Self::Any, Self::of_schema))),
                ("object", None) if schema.get("properties").is_none() => {
                    Self::Map(Box::new(schema.get("additionalProperties").map_or(Self::Any, Self::of_schema)))
                }
                _ => Self::Any,
            },
            Some(Value::Array(kinds)) if options.is_none() => {
                let members: Vec<_> = kinds.iter().map(|kind| serde_json::json!({ "type": kind })).collect();
                Self::union(&members)
            }
            _ => Self::Any,
        }
    }

    fn union(schemas: &[Value]) -> Self {
        let is_null = |schema: &Value| schema.get("type").is_some_and(|kind| kind == "null");
        let members: Vec<_> = schemas.iter().filter(|schema| !is_null(schema)).map(Self::of_schema).collect();
        if members.is_empty() || members.contains(&Self::Any) {
            return Self::Any;
        }
        Self::Union { nullable: members.len() < schemas.len(), members }
    }

    /// Whether a value satisfies the type, elements included, so that it is left as it is.
    pub fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64() || value.is_boolean(),
            Self::Number => value.is_f64(),
            Self::Boolean => value.is_boolean(),
            Self::List(element) => value
                .as_array()
                .is_some_and(|items| **element == Self::Any || items.iter().all(|item| element.accepts(item))),
            Self::Map(element) => value
                .as_object()
                .is_some_and(|members| **element == Self::Any || members.values().all(|item| element.accepts(item))),
            Self::Union { nullable, members } => {
                (*nullable && value.is_null()) || members.iter().any(|member| member.accepts(value))
            }
            Self::Texts(options) => value.as_str().is_some_and(|text| options.iter().any(|option| option == text)),
            Self::Integers(options) => value.as_i64().is_some_and(|int| options.contains(&int)),
        }
    }
}

/// The value as `target` wants it; an error says why that cannot be.
pub fn convert(value: Value, target: &Target) -> Result<Value, String> {
    if target.accepts(&value) {
        return Ok(value);
    }
    match target {
        Target::Any => Ok(value),
        Target::Text => Ok(Value::String(to_text(value))),
        Target::Integer => to_integer(&value),
        Target::Number => to_number(&value),
        Target::Boolean => Ok(Value::Bool(to_boolean(&value))),
        Target::List(element) => to_list(value, element),
        Target::Map(element) => to_map(value, element),
        Target::Union { members, .. } => to_first(value, members),
        Target::Texts(options) => {
            let text = to_text(value);
            if options.contains(&text) { Ok(Value::String(text)) } else { Err(not_one_of(&text.into(), options)) }
        }
        Target::Integers(options) => {
            let int = to_integer(&value)?;
            if target.accepts(&int) { Ok(int) } else { Err(not_one_of(&int, options)) }
        }
    }
}

fn not_one_of<T: Clone + Into<Value>>(value: &Value, options: &[T]) -> String {
    let options = options.iter().cloned().map(Into::into).collect();
    format!("{} is not one of {}", python::repr(value), python::repr(&Value::Array(options)))
}

fn to_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => python::json(&other),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        _ => None,
    }
}

fn as_float(value: &Value) -> f64 {
    match value {
        Value::Number(n) => n.as_f64().unwrap_or_default(),
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::String(text) => python::parse_float(text).unwrap_or_default(),
        _ => 0.0,
    }
}

fn to_integer(value: &Value) -> Result<Value, String> {
    if Target::Integer.accepts(value) {
        return Ok(value.clone());
    }
    if let Some(length) = length(value) {
        return Ok(length.into());
    }
    let float = as_float(value);
    if float.is_nan() {
        return Ok(0.into());
    }
    // 2^63 and beyond cannot be told apart by a cast, which saturates.
    let whole = float.trunc();
    if whole.abs() < 2f64.powi(63) {
        Ok((whole as i64).into())
    } else if whole > 0.0 && whole < 2f64.powi(64) {
        Ok((whole as u64).into())
    } else {
        Err(format!("{} does not fit into an integer", python::repr(value)))
    }
}

fn to_number(value: &Value) -> Result<Value, String> {
    let float = length(value).map_or_else(|| as_float(value), |length| length as f64);
    Number::from_f64(float).map(Value::Number).ok_or_else(|| format!("{} is not a finite number", python::repr(value)))
}

fn to_boolean(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "1" || text.eq_ignore_ascii_case("true"),
        other => python::truthy(other),
    }
}

fn to_list(value: Value, element: &Target) -> Result<Value, String> {
    let items = match value {
        Value::Array(items) => items,
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| Value::Array(vec![key.into(), value])).collect()
        }
        Value::String(text) => {
            let text = text.trim();
            let parsed =
                if text.starts_with('[') && text.ends_with(']') { serde_json::from_str(text).ok() } else { None };
            parsed.unwrap_or_else(|| vec![text.into()])
        }
        other => vec![other],
    };
    items.into_iter().map(|item| convert(item, element)).collect::<Result<_, _>>().map(Value::Array)
}

fn to_map(value: Value, element: &Target) -> Result<Value, String> {
    let single = |value: Value| Object::from_iter([("value".to_owned(), value)]);
    let members = match value {
        Value::Object(members) => members,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(members)) => members,
            Ok(other) => single(other),
            Err(_) => single(text.into()),
        },
        Value::Array(items) => items.into_iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        other => single(other),
    };
    members
        .into_iter()
        .map(|(key, value)| Ok((key, convert(value, element)?)))
        .collect::<Result<_, String>>()
        .map(Value::Object)
}

fn to_first(value: Value, members: &[Target]) -> Result<Value, String> {
    let (last, others) = members.split_last().expect("a union has a member besides null");
    let mut first_error = None;
    for member in others {
        match convert(value.clone(), member) {
            Ok(converted) => return Ok(converted),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    convert(value, last).map_err(|error| first_error.unwrap_or(error))
}

#[cfg(test)]
mod tests;
