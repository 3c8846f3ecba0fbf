//! What a template's failure says, in Jinja2's words where they are known.

use minijinja::ErrorKind;

/// The sandbox's text for a range that is too long.
pub(super) const RANGE_TOO_BIG: &str =
    "Range too big. The sandbox blocks ranges larger than MAX_RANGE (10000).";

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
        Self::Template(
            match detail.strip_prefix("unexpected end of input, expected ") {
                Some(expected) => format!(
                    "unexpected end of template, expected '{}'.",
                    token(expected)
                ),
                None if detail.is_empty() => error.kind().to_string(),
                None => detail.to_owned(),
            },
        )
    }

    /// A failure to render.
    pub(super) fn of(error: &minijinja::Error) -> Self {
        let detail = error.detail().unwrap_or_default();
        let text = match error.kind() {
            ErrorKind::OutOfFuel => {
                return Self::Overflow(
                    "the template does or writes more than is allowed".to_owned(),
                );
            }
            ErrorKind::InvalidOperation if detail == RANGE_TOO_BIG => {
                return Self::Overflow(detail.to_owned());
            }
            ErrorKind::UndefinedError if detail.is_empty() => {
                "an undefined value was used".to_owned()
            }
            ErrorKind::UnknownFilter => format!("No filter named '{}'.", middle(detail, "filter ")),
            ErrorKind::UnknownTest => format!("No test named '{}'.", middle(detail, "test ")),
            ErrorKind::UnknownFunction => format!("'{}' is undefined", middle(detail, "")),
            _ if detail.is_empty() => error.kind().to_string(),
            _ => detail.to_owned(),
        };
        Self::Template(text)
    }
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
        other => other.trim_matches('`'),
    }
}
