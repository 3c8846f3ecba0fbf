//! What a resource says to a request that it does not serve (`auth.md` 12.4; RFC 6750, 3; RFC 9728, 5.1).

use crate::Issuer;

/// What is wrong with a request's credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem<'a> {
    /// There is none: no error is named.
    Absent,
    /// It is no good, for this reason.
    Invalid(&'a str),
    /// It is good, and lacks these, of which all are needed.
    Insufficient(&'a [&'a str]),
}

/// The value of `WWW-Authenticate`. `metadata` is the address of the resource's own document, where it has one.
pub fn challenge(problem: Problem<'_>, issuer: &Issuer, metadata: Option<&str>) -> String {
    let mut value = format!("Bearer realm=\"{}\"", issuer.quotable());
    match problem {
        Problem::Absent => {}
        Problem::Invalid(text) => {
            value.push_str(&format!(", error=\"invalid_token\", error_description=\"{}\"", quotable(text)));
        }
        Problem::Insufficient(scopes) => {
            value.push_str(&format!(", error=\"insufficient_scope\", scope=\"{}\"", quotable(&scopes.join(" "))));
        }
    }
    if let Some(metadata) = metadata {
        value.push_str(&format!(", resource_metadata=\"{}\"", quotable(metadata)));
    }
    value
}

/// What may stand within quotes in a header.
pub(crate) fn quotable(text: &str) -> String {
    text.chars().filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::issuer;

    /// `auth.md` 12.4.
    #[test]
    fn a_challenge_says_what_is_missing() {
        for (problem, metadata, value) in [
            (Problem::Absent, None, "Bearer realm=\"https://agents.example.org\""),
            (
                Problem::Invalid("Invalid token: access token expired"),
                None,
                "Bearer realm=\"https://agents.example.org\", error=\"invalid_token\", \
                 error_description=\"Invalid token: access token expired\"",
            ),
            (
                Problem::Insufficient(&["RUN_AGENT", "READ_RUN"]),
                None,
                "Bearer realm=\"https://agents.example.org\", error=\"insufficient_scope\", scope=\"RUN_AGENT READ_RUN\"",
            ),
            (
                Problem::Absent,
                Some("https://agents.example.org/.well-known/oauth-protected-resource/mcp"),
                "Bearer realm=\"https://agents.example.org\", \
                 resource_metadata=\"https://agents.example.org/.well-known/oauth-protected-resource/mcp\"",
            ),
            (
                Problem::Invalid("a\"\r\nb\\"),
                None,
                "Bearer realm=\"https://agents.example.org\", error=\"invalid_token\", error_description=\"ab\"",
            ),
        ] {
            assert_eq!(challenge(problem, &issuer(), metadata), value);
        }
    }
}
