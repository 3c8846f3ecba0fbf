//! What a template's failure says, in Jinja2's words where they are known.

use super::methods::kind;
use minijinja::ErrorKind;
use minijinja::value::Value;

/// The sandbox's text for a range that is too long.
pub(super) const RANGE_TOO_BIG: &str = "Range too big. The sandbox blocks ranges larger than MAX_RANGE (10000).";

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The template is malformed or does something that its values do not allow.
    #[error("{0}")]
    Template(String),
    /// The template asks for more than the sandbox gives.
    #[error("{0}")]
    Overflow(String),
}

impl Error {
    /// A failure to compile.
    pub(super) fn of_source(error: &minijinja::Error) -> Self {
        let detail = error.detail().unwrap_or_default();
        let text = if let Some(expected) = detail.strip_prefix("unexpected end of input, expected ") {
            match token(expected) {
                "expression" => "unexpected 'end of template'".to_owned(),
                expected => format!("unexpected end of template, expected '{expected}'."),
            }
        } else if let Some(tag) = detail.strip_prefix("unknown statement ") {
            format!("Encountered unknown tag '{tag}'.")
        } else if let Some((got, expected)) =
            detail.strip_prefix("unexpected ").and_then(|rest| rest.split_once(", expected "))
        {
            format!("expected token '{}', got '{}'", token(expected), token(got))
        } else if let Some(got) = detail.strip_prefix("unexpected ") {
            format!("unexpected '{}'", token(got))
        } else if detail.is_empty() {
            error.kind().to_string()
        } else {
            detail.to_owned()
        };
        Self::Template(text)
    }

    /// A failure to render.
    pub(super) fn of(error: &minijinja::Error) -> Self {
        let detail = error.detail().unwrap_or_default();
        let text = match error.kind() {
            ErrorKind::OutOfFuel | ErrorKind::WriteFailure => {
                return Self::Overflow("the template does or writes more than is allowed".to_owned());
            }
            ErrorKind::InvalidOperation if detail == RANGE_TOO_BIG => {
                return Self::Overflow(detail.to_owned());
            }
            ErrorKind::UndefinedError if detail.is_empty() => "an undefined value was used".to_owned(),
            ErrorKind::UnknownFilter => format!("No filter named '{}'.", middle(detail, "filter ")),
            ErrorKind::UnknownTest => format!("No test named '{}'.", middle(detail, "test ")),
            ErrorKind::UnknownFunction => format!("'{}' is undefined", middle(detail, "")),
            _ if detail.is_empty() => error.kind().to_string(),
            _ => detail.to_owned(),
        };
        Self::Template(text)
    }
}

/// The expression that minijinja's debug mode says is undefined.
pub(super) fn undefined(detail: &str) -> Option<String> {
    let end = detail.find("` is undefined")?;
    let start = detail[..end].rfind('`')? + 1;
    Some(detail[start..end].to_owned())
}

/// What Jinja2 says of an undefined name, attribute or element; `value` computes what it should have been part of.
pub(super) fn names(expression: &str, value: impl FnOnce(&str) -> Result<Value, minijinja::Error>) -> String {
    let element = expression.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    let attribute =
        expression.rsplit_once('.').filter(|(_, name)| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let (whole, part) = match (element, attribute) {
        (Some(parts), _) | (None, Some(parts)) => parts,
        (None, None) => return format!("'{expression}' is undefined"),
    };
    let kind = match value(whole) {
        Ok(value) if value.is_none() => "None".to_owned(),
        // A name of a loop or macro, whose value is gone; most often it was a dictionary.
        Ok(value) if value.is_undefined() => "dict object".to_owned(),
        Ok(value) => format!("{} object", kind(&value)),
        Err(_) => return format!("'{expression}' is undefined"),
    };
    let name = part.trim_matches(['"', '\'']);
    if part.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return format!("{kind} has no element {part}");
    }
    format!("'{kind}' has no attribute '{name}'")
}

/// The name in texts such as `filter x is unknown`.
fn middle<'a>(detail: &'a str, prefix: &str) -> &'a str {
    let detail = detail.strip_prefix(prefix).unwrap_or(detail);
    detail.strip_suffix(" is unknown").unwrap_or(detail)
}

/// Jinja2's name of what was expected.
fn token(expected: &str) -> &str {
    match expected {
        "end of variable block" => "end of print statement",
        "end of block" => "end of statement block",
        "identifier" => "name",
        other => other.trim_matches('`'),
    }
}
