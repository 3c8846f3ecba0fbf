//! Finding equal values quickly.
//!
//! Python's equality says 1 = 1.0 = true, also deep inside. Comparing each with each takes too long for lists of
//! thousands, so a value gets a text that equal values share.

use heddle_model::Value;
use std::collections::HashSet;
use std::fmt::Write;

/// Remembers values.
#[derive(Default)]
pub(crate) struct Seen(HashSet<String>);

impl Seen {
    /// All of these.
    pub fn of(values: &[Value]) -> Self {
        Self(values.iter().map(key).collect())
    }

    /// Whether an equal value is among them.
    pub fn contains(&self, value: &Value) -> bool {
        self.0.contains(&key(value))
    }

    /// Adds a value; false when an equal one was there.
    pub fn insert(&mut self, value: &Value) -> bool {
        self.0.insert(key(value))
    }
}

fn key(value: &Value) -> String {
    let mut key = String::new();
    write(value, &mut key);
    key
}

fn write(value: &Value, key: &mut String) {
    let written = match value {
        Value::Null => write!(key, "n"),
        Value::Bool(flag) => write!(key, "{}", i32::from(*flag)),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => write!(key, "{whole}"),
            (_, Some(whole), _) => write!(key, "{whole}"),
            // Above 2^64 no integer is left to be equal to.
            (.., Some(float)) if float.fract() == 0.0 && float.abs() < 2e19 => {
                write!(key, "{}", float as i128)
            }
            (.., float) => write!(key, "{:?}", float.unwrap_or_default()),
        },
        Value::String(text) => write!(key, "{text:?}"),
        Value::Array(items) => {
            key.push('[');
            for item in items {
                write(item, key);
                key.push(',');
            }
            write!(key, "]")
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            key.push('{');
            for (name, value) in entries {
                let _ = write!(key, "{name:?}:");
                write(value, key);
                key.push(',');
            }
            write!(key, "}}")
        }
    };
    written.expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_model::python;
    use serde_json::json;

    #[test]
    fn values_share_a_key_exactly_when_python_calls_them_equal() {
        let values = json!([0, 0.0, -0.0, false, 1, 1.0, true, "1", "", null, [], {}, [1], [true], [[1]], {"a": 1, "b": 2},
            {"b": 2.0, "a": true}, {"a": 1}, 1.5, 1e30, u64::MAX, i64::MIN, "n", "[1,]", 18446744073709551615.0]);
        for a in values.as_array().expect("a list") {
            for b in values.as_array().expect("a list") {
                assert_eq!(key(a) == key(b), python::equal(a, b), "{a} {b}");
            }
        }
    }
}
