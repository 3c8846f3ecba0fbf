//! Readers of single values, with the coercions of the original.

use super::{At, Items, numbers};
use heddle_model::Object;
use serde_json::Value;

const NOT_INTEGER: &str = "Input should be a valid integer, unable to parse string as an integer";
const FRACTION: &str = "Input should be a valid integer, got a number with a fractional part";
const TOO_BIG: &str = "Unable to parse input string as an integer, exceeded maximum size";
const NOT_BOOLEAN: &str = "Input should be a valid boolean, unable to interpret input";

/// A text; nothing else becomes one.
pub fn text(value: &Value, at: &At<'_>, items: &mut Items) -> Option<String> {
    if let Value::String(text) = value {
        return Some(text.clone());
    }
    items.add(at, "string_type", "Input should be a valid string", value);
    None
}

/// An integer: a number without a fraction, a boolean, or a text that reads as one.
pub fn integer(value: &Value, at: &At<'_>, items: &mut Items) -> Option<i64> {
    let (kind, msg) = match value {
        Value::Bool(value) => return Some(i64::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => return Some(value),
            (None, Some(float)) if float.fract() != 0.0 => ("int_from_float", FRACTION),
            // Integral and inside the range. What is written as one of its bounds was read above: a float there was rounded.
            (None, Some(float)) if float.abs() < 2_f64.powi(63) => return Some(float as i64),
            _ => ("int_parsing_size", TOO_BIG),
        },
        Value::String(digits) => match numbers::integer(digits) {
            numbers::Integer::Is(value) => return Some(value),
            numbers::Integer::TooBig => ("int_parsing_size", TOO_BIG),
            numbers::Integer::Not => ("int_parsing", NOT_INTEGER),
        },
        _ => ("int_type", "Input should be a valid integer"),
    };
    items.add(at, kind, msg, value);
    None
}

/// An integer out of a path or a query, where everything is text.
pub fn path_integer(digits: &str, at: &At<'_>, items: &mut Items) -> Option<i64> {
    match numbers::integer(digits) {
        numbers::Integer::Is(value) => Some(value),
        _ => integer(&Value::String(digits.to_owned()), at, items),
    }
}

/// A boolean, one of its words, or 0 or 1.
pub fn boolean(value: &Value, at: &At<'_>, items: &mut Items) -> Option<bool> {
    let read = match value {
        Value::Bool(value) => return Some(*value),
        Value::String(word) => numbers::boolean(word),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        _ => {
            items.add(at, "bool_type", "Input should be a valid boolean", value);
            return None;
        }
    };
    if read.is_none() {
        items.add(at, "bool_parsing", NOT_BOOLEAN, value);
    }
    read
}

/// A free object.
pub fn dictionary(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Object> {
    if let Value::Object(members) = value {
        return Some(members.clone());
    }
    items.add(at, "dict_type", "Input should be a valid dictionary", value);
    None
}

/// `null`, or what `read` reads.
pub fn nullable<T>(
    read: impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<T>,
) -> impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<Option<T>> {
    |value, at, items| if value.is_null() { Some(None) } else { read(value, at, items).map(Some) }
}

/// A list of what `read` reads.
pub fn list<T>(
    read: impl Fn(&Value, &At<'_>, &mut Items) -> Option<T>,
) -> impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<Vec<T>> {
    move |value, at, items| {
        let Value::Array(elements) = value else {
            items.add(at, "list_type", "Input should be a valid list", value);
            return None;
        };
        let mut all = Vec::with_capacity(elements.len());
        let mut good = true;
        for (index, element) in elements.iter().enumerate() {
            match read(element, &At::Element(at, index), items) {
                Some(element) if good => all.push(element),
                Some(_) => {}
                None => good = false,
            }
        }
        good.then_some(all)
    }
}
