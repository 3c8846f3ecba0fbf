//! How values look as text: Python's `str` and `repr`, and HTML made harmless.

use super::view::View;
use minijinja::value::{Value, ValueKind};
use std::fmt::{self, Write};

/// What the writer takes: `minijinja::Output` and strings alike.
pub(super) trait Sink {
    /// Appends text.
    fn put(&mut self, text: &str) -> fmt::Result;
}

impl Sink for String {
    fn put(&mut self, text: &str) -> fmt::Result {
        self.write_str(text)
    }
}

impl Sink for minijinja::Output<'_> {
    fn put(&mut self, text: &str) -> fmt::Result {
        self.write_str(text)
    }
}

/// Writes a value into the output.
pub(super) fn write(value: &Value, escape: bool, out: &mut impl Sink) -> fmt::Result {
    if let Some(text) = value.as_str() {
        return if escape && !value.is_safe() { escaped(text, out) } else { out.put(text) };
    }
    match value.kind() {
        ValueKind::Undefined => Ok(()),
        ValueKind::Number if value.is_integer() => out.put(&value.to_string()),
        _ if escape => escaped(&string(value), out),
        _ => repr(value, out),
    }
}

/// Python's `str(value)`.
pub(super) fn string(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_undefined() => String::new(),
        None => {
            let mut out = String::new();
            repr(value, &mut out).expect("writing to a string does not fail");
            out
        }
    }
}

/// Python's `repr(value)`.
pub(super) fn repr(value: &Value, out: &mut impl Sink) -> fmt::Result {
    match value.kind() {
        ValueKind::Undefined => out.put("Undefined"),
        ValueKind::None => out.put("None"),
        ValueKind::Bool => out.put(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => out.put(&value.to_string()),
        ValueKind::Number => {
            out.put(&heddle_model::python::float_repr(f64::try_from(value.clone()).unwrap_or(f64::NAN)))
        }
        ValueKind::String => out.put(&heddle_model::python::repr_str(value.as_str().unwrap_or_default())),
        ValueKind::Map => {
            out.put("{")?;
            for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
                out.put(if index > 0 { ", " } else { "" })?;
                repr(&key, out)?;
                out.put(": ")?;
                repr(&value.get_item(&key).unwrap_or_default(), out)?;
            }
            out.put("}")
        }
        ValueKind::Seq | ValueKind::Iterable => {
            if let Some(view) = value.downcast_object_ref::<View>() {
                return view.repr(out);
            }
            let tuple = is_tuple(value);
            let (open, close) = if tuple { ("(", ")") } else { ("[", "]") };
            out.put(open)?;
            let mut count = 0;
            for item in value.try_iter().into_iter().flatten() {
                out.put(if count > 0 { ", " } else { "" })?;
                repr(&item, out)?;
                count += 1;
            }
            // A tuple of one keeps its comma.
            out.put(if count == 1 && tuple { "," } else { "" })?;
            out.put(close)
        }
        _ => out.put(&value.to_string()),
    }
}

/// Whether Python has a tuple there; `groupby` makes pairs of a type that minijinja keeps to itself.
pub(super) fn is_tuple(value: &Value) -> bool {
    value.is_tuple() || value.as_object().is_some_and(|object| object.type_name().ends_with("::GroupTuple"))
}

/// Text that HTML shows as it is.
pub(super) fn escaped(text: &str, out: &mut impl Sink) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.put(&rest[..at])?;
        out.put(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&#34;",
            _ => "&#39;",
        })?;
        rest = &rest[at + 1..];
    }
    out.put(rest)
}
