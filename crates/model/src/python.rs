//! JSON values as the Python of the wire sees them: truth, equality, `repr`, `str` and `json.dumps`.
//!
//! Stored agents and clients rely on these texts (`True`, `8.0`, `1e+20`, `{'k': 'v'}`), so they live in one place.
//! Nothing here knows blocks or graphs.

use crate::{Object, Value};
use serde_json::Number;
use std::cmp::Ordering;
use std::fmt::Write;

/// `bool(value)`: null, false, zero and everything empty is false.
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// `a == b`: numbers compare by value across kinds (`1 == 1.0 == true`), mappings without regard to order.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => compare_numbers(a, b) == Some(Ordering::Equal),
    }
}

/// How two numbers (booleans count as 0 and 1) are ordered; exact, also beyond 2^53. `None` unless both are numbers.
pub fn compare_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    match (Real::of(a)?, Real::of(b)?) {
        (Real::Int(a), Real::Int(b)) => Some(a.cmp(&b)),
        (Real::Float(a), Real::Float(b)) => a.partial_cmp(&b),
        (Real::Int(a), Real::Float(b)) => int_to_float(a, b),
        (Real::Float(a), Real::Int(b)) => int_to_float(b, a).map(Ordering::reverse),
    }
}

enum Real {
    Int(i128),
    Float(f64),
}

impl Real {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(Self::Int(i128::from(*b))),
            Value::Number(n) => n.as_i128().map(Self::Int).or_else(|| n.as_f64().map(Self::Float)),
            _ => None,
        }
    }
}

/// Integers of JSON lie within ±2^64, so a float beyond that is decided by its sign alone.
fn int_to_float(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let whole = float.trunc();
    if whole.abs() >= 2f64.powi(100) {
        return 0.0.partial_cmp(&float);
    }
    Some(int.cmp(&(whole as i128)).then_with(|| 0.0.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal)))
}

/// `float(text)`: blanks around it, a sign, underscores between digits, `inf` and `nan` are fine.
pub fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.contains('_') {
        return text.parse().ok();
    }
    let bytes = text.as_bytes();
    let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let placed = (0..bytes.len())
        .filter(|&at| bytes[at] == b'_')
        .all(|at| at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1)));
    if placed { text.replace('_', "").parse().ok() } else { None }
}

/// `str(value)`: a text stays as it is, everything else is its [`repr`].
pub fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => repr(other),
    }
}

/// `repr(value)`: literals in Python's style.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

/// [`repr`] of a text.
pub fn repr_str(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_repr_str(&mut out, text);
    out
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(n) => write_number(out, n),
        Value::String(s) => write_repr_str(out, s),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_repr(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, item)) in members.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_repr_str(out, key);
                out.push_str(": ");
                write_repr(out, item);
            }
            out.push('}');
        }
    }
}

fn write_repr_str(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if printable(c) => out.push(c),
            c => {
                let _ = match c as u32 {
                    code @ ..=0xff => write!(out, "\\x{code:02x}"),
                    code @ ..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// `str.isprintable`. The standard library's debug escaping uses the same categories; the leading letter keeps it
/// from also escaping combining marks, which it does at the start of a text only.
fn printable(c: char) -> bool {
    let mut buffer = [b'a'; 5];
    let len = c.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..=len]).is_ok_and(|pair| pair.escape_debug().nth(2).is_none())
}

/// `json.dumps(value)`: a blank after each comma and colon, everything but ASCII escaped.
pub fn json(value: &Value) -> String {
    let mut out = String::new();
    write_json(&mut out, value, &Style { comma: ", ", colon: ": ", ascii: true });
    out
}

/// `json.dumps(value, ensure_ascii=False, separators=(",", ":"))`.
pub fn json_compact(value: &Value) -> String {
    let mut out = String::new();
    write_json(&mut out, value, &Style { comma: ",", colon: ":", ascii: false });
    out
}

/// How many characters [`json`] has.
pub fn json_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => {
            let mut out = String::new();
            write_number(&mut out, number);
            out.len()
        }
        Value::String(text) => json_str_size(text),
        Value::Array(items) => listed(items.len()) + items.iter().map(json_size).sum::<usize>(),
        Value::Object(members) => json_size_of(members),
    }
}

/// As [`json_size`], of an object.
pub fn json_size_of(members: &Object) -> usize {
    let member = |(name, value): (&String, &Value)| json_str_size(name) + ": ".len() + json_size(value);
    listed(members.len()) + members.iter().map(member).sum::<usize>()
}

/// The brackets around so many items, and what stands between them.
fn listed(items: usize) -> usize {
    2 + items.saturating_sub(1) * ", ".len()
}

fn json_str_size(text: &str) -> usize {
    let size = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        ' '..='~' => 1,
        c => c.len_utf16() * "\\u0000".len(),
    };
    2 + text.chars().map(size).sum::<usize>()
}

struct Style {
    comma: &'static str,
    colon: &'static str,
    ascii: bool,
}

fn write_json(out: &mut String, value: &Value, style: &Style) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(n) => write_number(out, n),
        Value::String(s) => write_json_str(out, s, style.ascii),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(style.comma);
                }
                write_json(out, item, style);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, item)) in members.iter().enumerate() {
                if at > 0 {
                    out.push_str(style.comma);
                }
                write_json_str(out, key, style.ascii);
                out.push_str(style.colon);
                write_json(out, item, style);
            }
            out.push('}');
        }
    }
}

fn write_json_str(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c if ascii || c < ' ' => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_number(out: &mut String, number: &Number) {
    match (number.as_i128(), number.as_f64()) {
        (None, Some(float)) => out.push_str(&float_repr(float)),
        _ => {
            let _ = write!(out, "{number}");
        }
    }
}

/// `repr(float)`: the shortest digits that read back the same; an exponent below 1e-4 and from 1e16 on.
pub fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a decimal exponent");
    if (-4..16).contains(&exponent) {
        let plain = format!("{float}");
        if plain.contains('.') { plain } else { plain + ".0" }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// The value without the control characters that storage does not keep (U+0000–0008, 000B, 000C, 000E–001F, 007F),
/// in member names too.
pub fn cleaned(mut value: Value) -> Value {
    clean(&mut value);
    value
}

/// [`cleaned`] for a whole object.
pub fn clean_object(members: &mut Object) {
    if members.keys().any(|key| dirty(key)) {
        *members = std::mem::take(members)
            .into_iter()
            .map(|(mut key, value)| {
                clean_text(&mut key);
                (key, value)
            })
            .collect();
    }
    members.values_mut().for_each(clean);
}

/// [`cleaned`] for a text.
pub fn clean_text(text: &mut String) {
    if dirty(text) {
        text.retain(|c| !(c.is_ascii() && dropped(c as u8)));
    }
}

fn clean(value: &mut Value) {
    match value {
        Value::String(s) => clean_text(s),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => clean_object(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn dirty(text: &str) -> bool {
    text.bytes().any(dropped)
}

fn dropped(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f)
}

#[cfg(test)]
mod tests;
