//! What a request carries, in one of two dialects (`auth.md` 12.3): forms, as the standards have it, and JSON, as
//! existing applications send it.

use crate::answer::Refusal;
use crate::fields::{Item, Step};
use crate::parameters::MOST_BYTES;
use crate::{ErrorCode, Parameters};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt;

/// How a request is written, and so how it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// Forms.
    Standard,
    /// JSON.
    Upstream,
}

/// What was read.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// A form.
    Form(Parameters),
    /// A JSON value.
    Json(Value),
}

impl Body {
    /// Reads a body. Without a content type it is JSON when it begins like an object. What is refused here is refused
    /// before anybody is known, so the answer's dialect comes with it.
    pub fn read(content_type: Option<&str>, bytes: &[u8]) -> Result<Self, (Dialect, Refusal)> {
        let is_json = match essence(content_type).as_deref() {
            Some("application/x-www-form-urlencoded") => false,
            Some("application/json") => true,
            None => bytes.trim_ascii_start().starts_with(b"{"),
            Some(_) => return Err((Dialect::Standard, invalid("The content type is neither a form nor JSON"))),
        };
        if is_json {
            return json(bytes).map(Self::Json).map_err(|refusal| (Dialect::Upstream, refusal));
        }
        form(bytes).map(Self::Form).map_err(|refusal| (Dialect::Standard, refusal))
    }

    /// How it is written.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Form(_) => Dialect::Standard,
            Self::Json(_) => Dialect::Upstream,
        }
    }
}

impl fmt::Debug for Body {
    /// There are secrets among the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(parameters) => parameters.fmt(f),
            Self::Json(_) => f.write_str("Json(*)"),
        }
    }
}

/// The type without its parameters, in lower case. An empty one is none.
fn essence(content_type: Option<&str>) -> Option<String> {
    let essence = content_type?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!essence.is_empty()).then_some(essence)
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, text)
}

fn form(bytes: &[u8]) -> Result<Parameters, Refusal> {
    let parameters = Parameters::parse(bytes).ok_or_else(|| invalid("The request is too long"))?;
    match parameters.repeated() {
        Some(name) => Err(invalid(format!("Parameter {name} came more than once"))),
        None => Ok(parameters),
    }
}

fn json(bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.len() > MOST_BYTES {
        return Err(invalid("The request is too long"));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let item = Item {
            r#type: "json_invalid",
            loc: vec![Step::Name("body"), Step::Index(offset(bytes, error.line(), error.column()))],
            msg: "JSON decode error".to_owned(),
            input: json!({}),
            ctx: Some(json!({ "error": error.to_string() })),
        };
        Refusal::items(ErrorCode::InvalidRequest, vec![item])
    })?;
    // Readers disagree on which of two members counts.
    match serde_json::Deserializer::from_slice(bytes).deserialize_any(Names) {
        Ok(Some(name)) => Err(invalid(format!("Parameter {name} came more than once"))),
        _ => Ok(value),
    }
}

/// The byte that a line and a column mean, both counted from 1.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

/// The first name that an object has twice.
struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut names, mut twice) = (HashSet::new(), None);
        while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            if twice.is_none() && !names.insert(name.clone()) {
                twice = Some(name);
            }
        }
        Ok(twice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `auth.md` 11.3 and 12.3.
    #[test]
    fn the_content_type_decides_the_dialect() {
        let form = Some("application/x-www-form-urlencoded");
        for (content_type, body, dialect) in [
            (form, "a=1", Ok(Dialect::Standard)),
            (Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"), "a=1", Ok(Dialect::Standard)),
            (form, "{}", Ok(Dialect::Standard)),
            (Some("application/json"), "{}", Ok(Dialect::Upstream)),
            (Some("application/json; charset=utf-8"), "[1]", Ok(Dialect::Upstream)),
            (None, " {\"a\": 1}", Ok(Dialect::Upstream)),
            (Some(""), "{}", Ok(Dialect::Upstream)),
            (None, "a=1", Ok(Dialect::Standard)),
            (None, "", Ok(Dialect::Standard)),
            (Some("text/plain"), "{}", Err((Dialect::Standard, 400))),
            (Some("multipart/form-data"), "", Err((Dialect::Standard, 400))),
            (Some("application/json"), "{", Err((Dialect::Upstream, 422))),
            (Some("application/json"), "", Err((Dialect::Upstream, 422))),
            (Some("application/json"), "{\"a\":1,\"b\":2,\"\\u0061\":3}", Err((Dialect::Upstream, 400))),
            (form, "a=1&b=2&a=3", Err((Dialect::Standard, 400))),
        ] {
            let read = Body::read(content_type, body.as_bytes());
            let found =
                read.map(|body| body.dialect()).map_err(|(dialect, refusal)| (dialect, refusal.status(dialect)));
            assert_eq!(found, dialect, "{content_type:?} {body}");
        }
        for (content_type, filler) in [("application/json", b' '), ("application/x-www-form-urlencoded", b'a')] {
            let long = vec![filler; MOST_BYTES + 1];
            assert_eq!(Body::read(Some(content_type), &long).unwrap_err().1.error, ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn what_is_not_json_is_named_by_its_place() {
        let (_, refusal) = Body::read(Some("application/json"), b"{\n \"a\": x}").unwrap_err();
        let items = serde_json::to_value(refusal.listed()).unwrap();
        assert_eq!(items[0]["type"], "json_invalid");
        assert_eq!(items[0]["loc"], json!(["body", 8]));
    }

    #[test]
    fn a_deep_body_is_refused() {
        let deep = "[".repeat(10_000);
        assert!(Body::read(Some("application/json"), deep.as_bytes()).is_err());
    }
}
