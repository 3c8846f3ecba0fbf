//! Jinja2's filters where minijinja has none or prints them differently.

mod cased;
mod items;
mod layout;

pub(super) use layout::lines;

use super::methods::{joined, printf, replaced, wrong};
use super::text::{escaped, string};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State};
use std::fmt::Write;

/// Sets the filters of an environment.
pub(super) fn install(environment: &mut Environment<'static>) {
    // Those that Jinja2 does not have, and those that the sandbox takes away.
    for absent in ["pprint", "tojson", "urlize", "xmlattr", "split", "lines", "bool", "chain", "zip"] {
        environment.remove_filter(absent);
    }
    for absent in ["startingwith", "endingwith"] {
        environment.remove_test(absent);
    }
    environment.add_filter("escape", escape);
    environment.add_filter("e", escape);
    environment.add_filter("forceescape", force_escape);
    environment.add_filter("safe", |value: &Value| Value::from_safe_string(string(value)));
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_test("sequence", |value: &Value| {
        value.is_undefined() || value.as_str().is_some() || value.len().is_some()
    });
    environment.add_test("iterable", |value: &Value| {
        !value.is_none() && (value.as_str().is_some() || value.try_iter().is_ok())
    });
    environment.add_test("callable", callable);
    environment.add_filter("dictsort", dictsort);
    environment.add_filter("string", to_string);
    environment.add_filter("join", join);
    environment.add_filter("replace", replace);
    environment.add_filter("format", format);
    environment.add_filter("round", round);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("filesizeformat", filesizeformat);
    environment.add_filter("wordcount", wordcount);
    environment.add_filter("striptags", striptags);
    cased::install(environment);
    items::install(environment);
    layout::install(environment);
}

fn safe(text: &str) -> Value {
    let mut out = String::with_capacity(text.len());
    escaped(text, &mut out).expect("writing to a string does not fail");
    Value::from_safe_string(out)
}

fn escape(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { safe(&string(value)) }
}

fn force_escape(value: &Value) -> Value {
    safe(&string(value))
}

fn default(value: &Value, other: Option<Value>, boolean: Option<bool>, kwargs: Kwargs) -> Result<Value, Error> {
    let other = other.or(kwargs.get("default_value")?).unwrap_or_else(|| Value::from(""));
    let boolean = boolean.or(kwargs.get("boolean")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    Ok(if value.is_undefined() || (boolean && !value.is_true()) { other } else { value.clone() })
}

fn dictsort(
    value: &Value,
    case_sensitive: Option<bool>,
    by: Option<&str>,
    reverse: Option<bool>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let case_sensitive = case_sensitive.or(kwargs.get("case_sensitive")?).unwrap_or(false);
    let by = by.or(kwargs.get("by")?).unwrap_or("key");
    let reverse = reverse.or(kwargs.get("reverse")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let named = [("case_sensitive", Value::from(case_sensitive)), ("by", by.into()), ("reverse", reverse.into())];
    minijinja::filters::dictsort(value, Kwargs::from_iter(named))
}

/// Functions and macros are the only values without a shape.
fn callable(value: &Value) -> bool {
    value.kind() == ValueKind::Plain
}

fn to_string(value: &Value) -> Value {
    if value.as_str().is_some() { value.clone() } else { Value::from(string(value)) }
}

fn join(state: &State, value: &Value, delimiter: Option<&Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let attribute: Option<Value> = kwargs.get("attribute")?;
    let named: Option<Value> = kwargs.get("d")?;
    kwargs.assert_all_used()?;
    let delimiter = delimiter.cloned().or(named).unwrap_or_else(|| Value::from(""));
    items::iterable(value)?;
    let mut items = Vec::new();
    for item in value.try_iter()? {
        items.push(match &attribute {
            Some(path) => attribute_of(&item, path)?,
            None => item,
        });
    }
    // One harmless part makes the whole harmless, so the other parts must become so.
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    if html && (delimiter.is_safe() || items.iter().any(Value::is_safe)) {
        let parts: Vec<_> = items.iter().map(|item| string(&escape(item))).collect();
        return joined(&parts, &string(&escape(&delimiter))).map(Value::from_safe_string);
    }
    let parts: Vec<_> = items.iter().map(string).collect();
    joined(&parts, &string(&delimiter)).map(Value::from)
}

/// `a.b.0` of a value.
fn attribute_of(value: &Value, path: &Value) -> Result<Value, Error> {
    let Some(path) = path.as_str() else {
        return value.get_item(path);
    };
    path.split('.').try_fold(value.clone(), |value, part| match part.parse::<usize>() {
        Ok(index) => value.get_item_by_index(index),
        Err(_) => value.get_attr(part),
    })
}

fn replace(state: &State, value: &Value, old: &Value, new: &Value, count: Option<i64>) -> Result<Value, Error> {
    let count = count.and_then(|count| usize::try_from(count).ok());
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    if html && (value.is_safe() || old.is_safe() || new.is_safe()) {
        let (value, new) = (escape(value), escape(new));
        let text = replaced(&string(&value), &string(old), &string(&new), count)?;
        return Ok(Value::from_safe_string(text));
    }
    replaced(&string(value), &string(old), &string(new), count).map(Value::from)
}

/// The sandbox's own: a number by a printf pattern.
fn format(value: &Value, pattern: Option<&str>) -> Result<Value, Error> {
    let Some(pattern) = pattern else {
        return Ok(value.clone());
    };
    let number = match value.as_str() {
        Some(text) => heddle_model::python::parse_float(text),
        None => f64::try_from(value.clone()).ok(),
    };
    let number = number.ok_or_else(|| wrong(format!("could not convert {} to float", string(value))))?;
    // Whole-number conversions cut off the fraction.
    let conversion =
        pattern.replace("%%", "").split_once('%').and_then(|(_, spec)| spec.chars().find(|c| c.is_alphabetic()));
    let number = match conversion {
        Some('d' | 'i' | 'u') => truncated(number),
        _ => Value::from(number),
    };
    printf(pattern, &[number])
}

fn round(value: &Value, precision: Option<i32>, method: Option<&str>, kwargs: Kwargs) -> Result<Value, Error> {
    let precision = precision.or(kwargs.get("precision")?).unwrap_or(0);
    let method = method.or(kwargs.get("method")?).unwrap_or("common");
    kwargs.assert_all_used()?;
    let number = f64::try_from(value.clone()).map_err(|_| wrong(format!("cannot round {}", string(value))))?;
    let whole = value.is_integer() || value.kind() == ValueKind::Bool;
    let factor = 10f64.powi(precision);
    Ok(match method {
        "common" if whole && precision >= 0 => value.clone(),
        "common" if whole => {
            Value::from(((number / 10f64.powi(-precision)).round_ties_even() * 10f64.powi(-precision)) as i64)
        }
        "common" => Value::from(to_places(number, precision)),
        "ceil" => Value::from((number * factor).ceil() / factor),
        "floor" => Value::from((number * factor).floor() / factor),
        _ => return Err(wrong("method must be common, ceil or floor")),
    })
}

/// Python's `round(x, n)`: exact decimal halves go to the even digit, which is how formatting rounds as well.
fn to_places(number: f64, places: i32) -> f64 {
    match usize::try_from(places) {
        Ok(places) if places <= 300 => format!("{number:.places$}").parse().unwrap_or(number),
        Ok(_) => number,
        Err(_) => (number / 10f64.powi(-places)).round_ties_even() * 10f64.powi(-places),
    }
}

fn int(value: &Value, default: Option<Value>, base: Option<u32>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = default.or(kwargs.get("default")?).unwrap_or_else(|| Value::from(0));
    let base = base.or(kwargs.get("base")?).unwrap_or(10);
    kwargs.assert_all_used()?;
    defined(value)?;
    if let Some(text) = value.as_str() {
        let text = text.trim().replace('_', "");
        let (sign, digits) = text.strip_prefix('-').map_or((1, text.trim_start_matches('+')), |digits| (-1, digits));
        let prefix = match base {
            2 => "0b",
            8 => "0o",
            16 => "0x",
            _ => "",
        };
        let digits = digits.to_ascii_lowercase();
        let digits = digits.strip_prefix(prefix).unwrap_or(&digits);
        let whole = if (2..=36).contains(&base) { i64::from_str_radix(digits, base).ok() } else { None };
        // What is no whole number may still be a float.
        let float = || heddle_model::python::parse_float(&text).filter(|float| float.is_finite());
        return Ok(whole.map(|whole| Value::from(sign * whole)).or_else(|| float().map(truncated)).unwrap_or(default));
    }
    Ok(match value.kind() {
        ValueKind::Bool => Value::from(i64::from(value.is_true())),
        ValueKind::Number if value.is_integer() => value.clone(),
        ValueKind::Number => f64::try_from(value.clone()).ok().filter(|n| n.is_finite()).map_or(default, truncated),
        _ => default,
    })
}

/// A number cannot be made of nothing.
fn defined(value: &Value) -> Result<(), Error> {
    if value.is_undefined() { Err(Error::from(ErrorKind::UndefinedError)) } else { Ok(()) }
}

fn truncated(float: f64) -> Value {
    Value::from(float.trunc() as i128)
}

fn float(value: &Value, default: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = default.or(kwargs.get("default")?).unwrap_or_else(|| Value::from(0.0));
    kwargs.assert_all_used()?;
    defined(value)?;
    let number = match value.as_str() {
        Some(text) => heddle_model::python::parse_float(text),
        None if value.kind() == ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        None => f64::try_from(value.clone()).ok(),
    };
    Ok(number.map_or(default, Value::from))
}

fn urlencode(value: &Value) -> Result<String, Error> {
    let pair = |key: &Value, value: &Value| format!("{}={}", quoted(&string(key), true), quoted(&string(value), true));
    let pairs: Result<Vec<String>, Error> = match value.kind() {
        ValueKind::Map => value.try_iter()?.map(|key| value.get_item(&key).map(|entry| pair(&key, &entry))).collect(),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.map(|item| Ok(pair(&item.get_item_by_index(0)?, &item.get_item_by_index(1)?))).collect()
        }
        _ => return Ok(quoted(&string(value), false)),
    };
    Ok(pairs?.join("&"))
}

fn quoted(text: &str, query: bool) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => quoted.push(char::from(byte)),
            b'/' if !query => quoted.push('/'),
            b' ' if query => quoted.push('+'),
            _ => write!(quoted, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    quoted
}

fn filesizeformat(value: &Value, binary: Option<bool>, kwargs: Kwargs) -> Result<String, Error> {
    let binary = binary.or(kwargs.get("binary")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let bytes = match value.as_str() {
        Some(text) => heddle_model::python::parse_float(text),
        None => f64::try_from(value.clone()).ok(),
    };
    let bytes = bytes.ok_or_else(|| wrong(format!("could not convert {} to float", string(value))))?;
    let (base, units) = match binary {
        true => (1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]),
        false => (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]),
    };
    if bytes == 1.0 {
        return Ok("1 Byte".to_owned());
    }
    if bytes < base {
        return Ok(format!("{} Bytes", bytes.trunc()));
    }
    let mut size = bytes / base;
    let mut unit = 0;
    while size >= base && unit + 1 < units.len() {
        size /= base;
        unit += 1;
    }
    Ok(format!("{size:.1} {}", units[unit]))
}

fn wordcount(value: &Value) -> usize {
    let text = string(value);
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count()
}

/// Text without tags, entities read and blanks made one.
fn striptags(value: &Value) -> String {
    let mut text = string(value);
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(open) {
            let Some(end) = rest[start..].find(close) else {
                break;
            };
            kept.push_str(&rest[..start]);
            rest = &rest[start + end + close.len()..];
        }
        kept.push_str(rest);
        text = kept;
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut read = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('&') {
        read.push_str(&rest[..start]);
        let entity =
            rest[start + 1..].find(';').and_then(|end| Some((end, entity(&rest[start + 1..start + 1 + end])?)));
        match entity {
            Some((end, c)) => {
                read.push(c);
                rest = &rest[start + end + 2..];
            }
            None => {
                read.push('&');
                rest = &rest[start + 1..];
            }
        }
    }
    read.push_str(rest);
    read
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}
