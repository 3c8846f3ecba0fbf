//! The methods of Python's texts, lists and dictionaries that templates use.
//!
//! Values never change here, so methods that change a list or dictionary in place do not exist.

use super::text::{is_tuple, string};
use super::view::View;
use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

/// The widest text that padding makes, and the largest that replacing makes.
const MAX_WIDTH: usize = 1_000_000;
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// The longest text that is cut into parts, each of which takes more room than its characters.
const MAX_CUT: usize = 4 * 1024 * 1024;

/// Calls `value.name(args)`.
pub(super) fn call(_: &mut State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String => {
            let made = text(value.as_str().unwrap_or_default(), name, args)?;
            // Harmless text stays so unless other text was put into it.
            Ok(match made.as_str() {
                Some(text) if value.is_safe() && args.is_empty() => Value::from_safe_string(text.to_owned()),
                _ => made,
            })
        }
        ValueKind::Map => dictionary(value, name, args),
        ValueKind::Seq | ValueKind::Iterable => list(value, name, args),
        ValueKind::Number if name == "is_integer" => {
            Ok(Value::from(f64::try_from(value.clone()).is_ok_and(|number| number.fract() == 0.0)))
        }
        _ => Err(unknown(value, name)),
    }
}

fn unknown(value: &Value, name: &str) -> Error {
    Error::new(ErrorKind::UnknownMethod, format!("'{} object' has no attribute '{name}'", kind(value)))
}

/// Python's name of a value's type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::String => "str",
        ValueKind::Map => "dict",
        ValueKind::Seq | ValueKind::Iterable if is_tuple(value) => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::Bool => "bool",
        _ => "None",
    }
}

/// [`kind`] as failures of operators name it.
pub(super) fn type_name(value: &Value) -> &'static str {
    if value.is_none() { "NoneType" } else { kind(value) }
}

/// An operation that the values do not allow.
pub(super) fn wrong(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, text.into())
}

fn text(text: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    if name.contains("split") && text.len() > MAX_CUT {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    if let Some(value) = plain(text, name).filter(|_| args.is_empty()) {
        return Ok(value);
    }
    Ok(match name {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            Value::from(stripped(text, name, chars))
        }
        "split" | "rsplit" => {
            let (separator, limit): (Option<&str>, Option<i64>) = from_args(args)?;
            split(text, separator, limit.and_then(|limit| usize::try_from(limit).ok()), name == "rsplit")?
        }
        "splitlines" => {
            let (keep,): (Option<bool>,) = from_args(args)?;
            Value::from_iter(super::filters::lines(text, keep.unwrap_or(false)).into_iter().map(Value::from))
        }
        "join" => {
            let (items,): (&Value,) = from_args(args)?;
            let parts = items.try_iter()?.map(|item| match item.as_str() {
                Some(part) => Ok(part.to_owned()),
                None => Err(wrong("sequence item: expected str instance")),
            });
            Value::from(joined(&parts.collect::<Result<Vec<_>, _>>()?, text)?)
        }
        "replace" => {
            let (old, new, count): (&str, &str, Option<i64>) = from_args(args)?;
            Value::from(replaced(text, old, new, count.and_then(|count| usize::try_from(count).ok()))?)
        }
        "startswith" | "endswith" => {
            let (affix,): (&Value,) = from_args(args)?;
            let has = |affix: &str| {
                if name == "startswith" { text.starts_with(affix) } else { text.ends_with(affix) }
            };
            Value::from(match affix.as_str() {
                Some(affix) => has(affix),
                None => affix.try_iter()?.any(|affix| affix.as_str().is_some_and(has)),
            })
        }
        "find" | "index" | "rfind" | "rindex" => {
            let (part,): (&str,) = from_args(args)?;
            let at = if name.starts_with('r') { text.rfind(part) } else { text.find(part) };
            match at {
                Some(at) => Value::from(text[..at].chars().count()),
                None if name.ends_with("index") => return Err(wrong("substring not found")),
                None => Value::from(-1),
            }
        }
        "count" => {
            let (part,): (&str,) = from_args(args)?;
            Value::from(text.matches(part).count())
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            let found = if name == "partition" { text.split_once(separator) } else { text.rsplit_once(separator) };
            let parts = match found {
                Some((before, after)) => [before, separator, after],
                None if name == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            Value::from(Tuple::from(parts.map(Value::from)))
        }
        "center" | "ljust" | "rjust" | "zfill" => {
            let (width, fill): (i64, Option<&str>) = from_args(args)?;
            Value::from(padded(text, name, width, fill)?)
        }
        "format" => {
            bounded_widths(text)?;
            unnested(text)?;
            Value::from(format(FormatStyle::StrFormat, text, args)?)
        }
        _ => return Err(unknown(&Value::from(text), name)),
    })
}

/// Methods without arguments.
fn plain(text: &str, name: &str) -> Option<Value> {
    let all = |test: fn(char) -> bool| Value::from(!text.is_empty() && text.chars().all(test));
    let cased =
        |one: fn(char) -> bool, other: fn(char) -> bool| Value::from(text.chars().any(one) && !text.chars().any(other));
    Some(match name {
        "upper" => Value::from(text.to_uppercase()),
        "lower" | "casefold" => Value::from(text.to_lowercase()),
        "title" => Value::from(titled(text)),
        "capitalize" => Value::from(capitalized(text)),
        "swapcase" => Value::from(
            text.chars()
                .flat_map(|c| {
                    if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() }
                })
                .collect::<String>(),
        ),
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isupper" => cased(char::is_uppercase, char::is_lowercase),
        "islower" => cased(char::is_lowercase, char::is_uppercase),
        "istitle" => Value::from(text.chars().any(char::is_alphabetic) && titled(text) == text),
        "isascii" => Value::from(text.is_ascii()),
        _ => return None,
    })
}

/// The first letter after anything that is no letter large, the others small.
fn titled(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    titled
}

/// The first letter large, the others small.
fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

fn stripped<'a>(text: &'a str, name: &str, chars: Option<&str>) -> &'a str {
    let strip = |c: char| chars.map_or_else(|| c.is_whitespace(), |chars| chars.contains(c));
    match name {
        "lstrip" => text.trim_start_matches(strip),
        "rstrip" => text.trim_end_matches(strip),
        _ => text.trim_matches(strip),
    }
}

fn split(text: &str, separator: Option<&str>, limit: Option<usize>, from_right: bool) -> Result<Value, Error> {
    let limit = limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
    let parts: Vec<&str> = match separator {
        Some("") => return Err(wrong("empty separator")),
        Some(separator) if from_right => {
            let mut parts: Vec<_> = text.rsplitn(limit, separator).collect();
            parts.reverse();
            parts
        }
        Some(separator) => text.splitn(limit, separator).collect(),
        None if limit == usize::MAX => text.split_whitespace().collect(),
        None => words(text, limit, from_right),
    };
    Ok(Value::from(parts.into_iter().map(Value::from).collect::<Vec<_>>()))
}

/// At most `limit` words; the last one takes the rest.
fn words(text: &str, limit: usize, from_right: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = if from_right { text.trim_end() } else { text.trim_start() };
    while parts.len() + 1 < limit && !rest.is_empty() {
        let (word, after) = match from_right {
            false => {
                rest.split_once(char::is_whitespace).map_or((rest, ""), |(word, after)| (word, after.trim_start()))
            }
            true => rest.rsplit_once(char::is_whitespace).map_or((rest, ""), |(after, word)| (word, after.trim_end())),
        };
        parts.push(word);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    if from_right {
        parts.reverse();
    }
    parts
}

/// `delimiter.join(parts)`, refused when the result would be huge.
pub(super) fn joined(parts: &[String], delimiter: &str) -> Result<String, Error> {
    let length: usize = parts.iter().map(String::len).sum();
    if parts.len().saturating_mul(delimiter.len()).saturating_add(length) > MAX_BYTES {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    Ok(parts.join(delimiter))
}

/// `text.replace(old, new)`, refused when the result would be huge.
pub(super) fn replaced(text: &str, old: &str, new: &str, count: Option<usize>) -> Result<String, Error> {
    let times = text.matches(old).count().min(count.unwrap_or(usize::MAX));
    if times.saturating_mul(new.len()).saturating_add(text.len()) > MAX_BYTES {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    Ok(match count {
        Some(count) => text.replacen(old, new, count),
        None => text.replace(old, new),
    })
}

fn padded(text: &str, name: &str, width: i64, fill: Option<&str>) -> Result<String, Error> {
    let fill = fill.unwrap_or(if name == "zfill" { "0" } else { " " });
    if fill.chars().count() != 1 {
        return Err(wrong("The fill character must be exactly one character long"));
    }
    let width = usize::try_from(width).unwrap_or(0);
    if width > MAX_WIDTH {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    let missing = width.saturating_sub(text.chars().count());
    Ok(match name {
        "ljust" => format!("{text}{}", fill.repeat(missing)),
        "rjust" => format!("{}{text}", fill.repeat(missing)),
        "zfill" => {
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            format!("{sign}{}{digits}", fill.repeat(missing))
        }
        _ => {
            // Python puts the odd blank to the left when the width is odd too.
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left))
        }
    })
}

/// Refuses widths that would make a huge text.
pub(super) fn bounded_widths(pattern: &str) -> Result<(), Error> {
    let long = pattern.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 6);
    if long { Err(Error::from(ErrorKind::OutOfFuel)) } else { Ok(()) }
}

/// Refuses widths that come from a value, as in `{:{}}`.
fn unnested(pattern: &str) -> Result<(), Error> {
    let mut depth = 0;
    let nested = pattern.replace("{{", "").chars().any(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = 0,
            _ => {}
        }
        depth > 1
    });
    if nested { Err(Error::from(ErrorKind::OutOfFuel)) } else { Ok(()) }
}

/// Python's `pattern % values`.
pub(super) fn printf(pattern: &str, values: &[Value]) -> Result<Value, Error> {
    bounded_widths(pattern)?;
    let fields = pattern.replace("%%", "");
    // A width taken from the values could make a huge text.
    if fields.contains('*') && fields.contains('%') {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    let named = matches!(values, [value] if value.kind() == ValueKind::Map);
    if !named && fields.matches('%').count() < values.len() {
        return Err(wrong("not all arguments converted during string formatting"));
    }
    format(FormatStyle::Printf, pattern, values).map(Value::from)
}

fn dictionary(value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    let keys = || value.try_iter();
    let entry = |key: &Value| value.get_item(key).unwrap_or_default();
    Ok(match name {
        "items" => {
            from_args::<()>(args)?;
            View::value("dict_items", keys()?.map(|key| Value::from(Tuple::from([key.clone(), entry(&key)]))).collect())
        }
        "keys" => {
            from_args::<()>(args)?;
            View::value("dict_keys", keys()?.collect())
        }
        "values" => {
            from_args::<()>(args)?;
            View::value("dict_values", keys()?.map(|key| entry(&key)).collect())
        }
        "get" => {
            let (key, default): (&Value, Option<&Value>) = from_args(args)?;
            match entry(key) {
                found if !found.is_undefined() => found,
                _ => default.cloned().unwrap_or_else(|| Value::from(())),
            }
        }
        "copy" => value.clone(),
        _ => return Err(unknown(value, name)),
    })
}

fn list(value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    Ok(match name {
        "count" => {
            let (item,): (&Value,) = from_args(args)?;
            Value::from(value.try_iter()?.filter(|other| other == item).count())
        }
        "index" => {
            let (item,): (&Value,) = from_args(args)?;
            let at = value.try_iter()?.position(|other| other == *item);
            Value::from(at.ok_or_else(|| wrong(format!("{} is not in list", string(item))))?)
        }
        "copy" => value.clone(),
        _ => return Err(unknown(value, name)),
    })
}
