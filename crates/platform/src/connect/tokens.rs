//! What a token endpoint says, read with suspicion: by the standard, and in the ways in which providers leave it.

use heddle_vault::Secret;
use serde_json::Value;
use std::borrow::Cow;
use url::form_urlencoded;

/// More is no token.
const LONGEST: usize = 64 << 10;

/// Tokens that were given.
#[derive(Debug)]
pub(super) struct Granted {
    pub access_token: Secret<String>,
    pub refresh_token: Option<Secret<String>>,
    /// Seconds.
    pub expires_in: Option<i64>,
    /// Seconds.
    pub refresh_expires_in: Option<i64>,
    /// What was granted, where it is said.
    pub scopes: Option<Vec<String>>,
    pub id_token: Option<Secret<String>>,
    /// The whole answer, for what else a provider tells in it. It holds the tokens.
    pub body: Body,
}

/// A JSON value that holds secrets: not shown.
pub(super) struct Body(pub Value);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("*")
    }
}

/// Why there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failed {
    /// The provider will say the same again: by this error code, if it named one.
    Denied(Option<String>),
    /// It may work another time.
    Away(String),
    /// The answer is none.
    Unclear(&'static str),
}

/// Reads an answer of the token endpoint.
pub(super) fn read(status: u16, content_type: &str, body: &[u8]) -> Result<Granted, Failed> {
    if status == 429 || status == 408 || status >= 500 {
        return Err(Failed::Away(format!("it answered {status}")));
    }
    let body = parse(content_type, body);
    // Some say no with a status that says yes.
    if let Some(error) = body.as_ref().and_then(|body| body.get("error")).filter(|error| !error.is_null()) {
        // Not the standard's text, but its code or what stands in its place.
        return Err(match error.as_str().and_then(code) {
            Some("temporarily_unavailable" | "slow_down" | "server_error") => {
                Failed::Away("it is not available".to_owned())
            }
            code => Failed::Denied(code.map(str::to_owned)),
        });
    }
    if !(200..300).contains(&status) {
        return Err(Failed::Denied(None));
    }
    let body = body.ok_or(Failed::Unclear("neither JSON nor a form"))?;
    let token = |name: &str| -> Result<Option<Secret<String>>, Failed> {
        match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if is_token(text) => Ok(Some(Secret::new(text.clone()))),
            Some(_) => Err(Failed::Unclear("a token that is none")),
        }
    };
    // Another type would have to be used otherwise (RFC 6749, 7.1).
    match body.get("token_type") {
        None | Some(Value::Null) => {}
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("bearer") => {}
        Some(_) => return Err(Failed::Unclear("tokens of a type that is not bearer")),
    }
    Ok(Granted {
        access_token: token("access_token")?.ok_or(Failed::Unclear("no access token"))?,
        refresh_token: token("refresh_token")?,
        expires_in: seconds(&body["expires_in"]),
        refresh_expires_in: seconds(&body["refresh_token_expires_in"]).or(seconds(&body["refresh_expires_in"])),
        scopes: scopes(&body["scope"]),
        id_token: token("id_token")?,
        body: Body(body),
    })
}

fn parse(content_type: &str, body: &[u8]) -> Option<Value> {
    if content_type == "application/x-www-form-urlencoded" {
        let pairs = form_urlencoded::parse(body);
        return Some(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect());
    }
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

/// An error code as the standard allows it; anything else might be a text with somebody's words in it.
fn code(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    Some(text).filter(|text| (1..=64).contains(&text.len()) && text.bytes().all(is_plain))
}

/// It has to fit into a header.
fn is_token(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Seconds as a number or as digits; nothing that is not in the future, and no more than a century.
fn seconds(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|seconds| *seconds > 0).map(|seconds| seconds.min(100 * 366 * 86_400))
}

/// Scopes in a text parted by spaces or commas, or in a list whose entries may be such texts.
pub(super) fn scopes(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<Cow<'_, str>> = match value {
        Value::String(text) => vec![text.as_str().into()],
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(Cow::from)).collect(),
        _ => return None,
    };
    let parted = texts.iter().flat_map(|text| text.split([' ', ',', '\t'])).filter(|scope| !scope.is_empty());
    let mut scopes: Vec<String> = Vec::new();
    for scope in parted {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Some(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JSON: &str = "application/json";

    fn body(value: &Value) -> Result<Granted, Failed> {
        read(200, JSON, value.to_string().as_bytes())
    }

    #[test]
    fn tokens_are_read_by_the_standard_and_in_the_ways_of_providers() {
        let granted = body(&json!({
            "access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600, "scope": "x y",
        }))
        .unwrap();
        assert_eq!((granted.access_token.expose(), granted.expires_in), (&"a".to_owned(), Some(3600)));
        assert_eq!(granted.refresh_token.unwrap().expose(), "r");
        assert_eq!(granted.scopes, Some(vec!["x".to_owned(), "y".to_owned()]));

        let form = b"access_token=a&scope=repo%2Cgist&token_type=bearer&expires_in=60";
        let granted = read(200, "application/x-www-form-urlencoded", form).unwrap();
        assert_eq!((granted.scopes, granted.expires_in), (Some(vec!["repo".to_owned(), "gist".to_owned()]), Some(60)));

        let granted = body(&json!({"access_token": "a", "refresh_token": "", "expires_in": null})).unwrap();
        assert!(granted.refresh_token.is_none() && granted.expires_in.is_none() && granted.scopes.is_none());
    }

    #[test]
    fn numbers_of_seconds_are_read_with_sense() {
        for (value, read) in [
            (json!(60), Some(60)),
            (json!("60"), Some(60)),
            (json!(59.9), Some(59)),
            (json!(0), None),
            (json!(-5), None),
            (json!("soon"), None),
            (json!(u64::MAX), Some(100 * 366 * 86_400)),
            (json!([60]), None),
        ] {
            assert_eq!(seconds(&value), read, "{value}");
        }
    }

    #[test]
    fn scopes_of_every_form_come_apart() {
        for (value, read) in [
            (json!("a b"), Some(vec!["a", "b"])),
            (json!("a,b"), Some(vec!["a", "b"])),
            (json!(["a b"]), Some(vec!["a", "b"])),
            (json!(["a", "b", "a"]), Some(vec!["a", "b"])),
            (json!(""), Some(vec![])),
            (json!(null), None),
            (json!(7), None),
        ] {
            assert_eq!(scopes(&value), read.map(|list| list.into_iter().map(str::to_owned).collect()), "{value}");
        }
    }

    #[test]
    fn refusals_are_told_apart_from_accidents() {
        let denied = |code: &str| Failed::Denied(Some(code.to_owned()));
        for (status, text, failed) in [
            (400, r#"{"error":"invalid_grant","error_description":"secret words"}"#, denied("invalid_grant")),
            (401, r#"{"error":"invalid_client"}"#, denied("invalid_client")),
            (200, r#"{"error":"bad_verification_code"}"#, denied("bad_verification_code")),
            (400, r#"{"error":{"message":"no"}}"#, Failed::Denied(None)),
            (400, r#"{"error":"a text with spaces"}"#, Failed::Denied(None)),
            (403, "<html>", Failed::Denied(None)),
            (302, "", Failed::Denied(None)),
            (503, r#"{"error":"invalid_grant"}"#, Failed::Away("it answered 503".to_owned())),
            (429, "", Failed::Away("it answered 429".to_owned())),
            (400, r#"{"error":"temporarily_unavailable"}"#, Failed::Away("it is not available".to_owned())),
            (200, "", Failed::Unclear("neither JSON nor a form")),
            (200, "[]", Failed::Unclear("neither JSON nor a form")),
            (200, "{}", Failed::Unclear("no access token")),
            (200, r#"{"access_token":""}"#, Failed::Unclear("no access token")),
            (200, r#"{"access_token":7}"#, Failed::Unclear("a token that is none")),
            (200, r#"{"access_token":"a\r\nb"}"#, Failed::Unclear("a token that is none")),
            (200, r#"{"access_token":"a b"}"#, Failed::Unclear("a token that is none")),
            (200, r#"{"access_token":"a","refresh_token":["r"]}"#, Failed::Unclear("a token that is none")),
            (
                200,
                r#"{"access_token":"a","token_type":"DPoP"}"#,
                Failed::Unclear("tokens of a type that is not bearer"),
            ),
            (200, r#"{"access_token":"a","token_type":"mac"}"#, Failed::Unclear("tokens of a type that is not bearer")),
        ] {
            assert_eq!(read(status, JSON, text.as_bytes()).unwrap_err(), failed, "{status} {text}");
        }
    }

    #[test]
    fn what_is_printed_shows_no_token() {
        let granted = body(&json!({"access_token": "hunter2", "refresh_token": "hunter2", "id_token": "hunter2"}));
        assert!(!format!("{granted:?}").contains("hunter2"));
    }
}
