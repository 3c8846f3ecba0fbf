//! How large and how deep a value may be. Counting stops at the bound, so asking is never dearer than allowing.

use heddle_model::{Object, Value};

/// Nested lists and objects in one value. Values are walked recursively in many places; a loop that wraps its own
/// result would otherwise end the process instead of the node.
const DEEPEST: usize = 512;

/// Why a value may not be emitted on this pin; `None` when it may.
pub fn refusal(pin: &str, value: &Value, limit: usize) -> Option<String> {
    let mut left = Some(limit);
    match measure(value, &mut left, DEEPEST) {
        Ok(()) => None,
        Err(Excess::Bytes) => Some(format!("the value on '{pin}' is larger than {limit} bytes (engine.value_bytes)")),
        Err(Excess::Depth) => Some(format!("the value on '{pin}' is nested deeper than {DEEPEST} levels")),
    }
}

/// Bytes of a value's JSON, near enough; what is nested deeper than any allowed value is not counted.
pub fn size(value: &Value) -> usize {
    let mut left = Some(usize::MAX);
    let _ = measure(value, &mut left, DEEPEST);
    usize::MAX - left.unwrap_or(0)
}

/// As [`size`], of an object.
pub fn size_of(object: &Object) -> usize {
    let mut left = Some(usize::MAX);
    let _ = members(object, &mut left, DEEPEST);
    usize::MAX - left.unwrap_or(0)
}

/// Whether an object's JSON is longer than `limit` bytes, near enough.
pub fn exceeds(object: &Object, limit: usize) -> bool {
    let mut left = Some(limit);
    members(object, &mut left, DEEPEST).is_err()
}

enum Excess {
    Bytes,
    Depth,
}

fn measure(value: &Value, left: &mut Option<usize>, depth: usize) -> Result<(), Excess> {
    if depth == 0 {
        return Err(Excess::Depth);
    }
    match value {
        Value::String(text) => take(left, text.len() + 2),
        Value::Array(items) => {
            take(left, 2 + items.len())?;
            items.iter().try_for_each(|item| measure(item, left, depth - 1))
        }
        Value::Object(object) => members(object, left, depth - 1),
        Value::Number(_) => take(left, 8),
        Value::Null | Value::Bool(_) => take(left, 4),
    }
}

fn members(object: &Object, left: &mut Option<usize>, depth: usize) -> Result<(), Excess> {
    take(left, 2)?;
    object.iter().try_for_each(|(key, value)| {
        take(left, key.len() + 4)?;
        measure(value, left, depth)
    })
}

fn take(left: &mut Option<usize>, bytes: usize) -> Result<(), Excess> {
    *left = left.and_then(|left| left.checked_sub(bytes));
    if left.is_some() { Ok(()) } else { Err(Excess::Bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_past_a_bound_is_refused_by_name() {
        assert_eq!(refusal("out", &json!(["abc", {"k": 1}]), 100), None);
        let large = refusal("out", &json!("x".repeat(101)), 100).unwrap();
        assert_eq!(large, "the value on 'out' is larger than 100 bytes (engine.value_bytes)");
        let deep = (0..DEEPEST).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(refusal("out", &deep, 10_000).unwrap(), "the value on 'out' is nested deeper than 512 levels");
        assert_eq!(refusal("out", deep.get(0).unwrap(), 10_000), None);
    }
}
