//! Reading request bodies: bounded, and refused in the words of the contract.

use crate::error::ApiError;
use crate::json::{self, Problem};
use crate::settings::ApiSettings;
use crate::validate::{Item, Step};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use serde_json::{Value, json};
use std::time::Duration;

/// The stack holds the recursion of this many levels with room to spare.
const DEEPEST: usize = 512;
/// How much of a refused body is read and thrown away, and for how long, so that a client that is still sending gets
/// to see the answer instead of a reset connection.
const DRAINED: usize = 64 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// What a request carries.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Absent,
    /// A JSON value.
    Json(Value),
    /// Something that is not declared to be JSON.
    Text(String),
}

/// Reads the whole body, or refuses it.
pub async fn read(headers: &HeaderMap, body: Body, settings: &ApiSettings) -> Result<Bytes, ApiError> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > settings.body_bytes) {
        // Whoever asks first has not sent anything yet.
        if !headers.contains_key(EXPECT) {
            drain(body).await;
        }
        return Err(ApiError::TooLarge);
    }
    let mut chunks = body.into_data_stream();
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::Unreadable)?;
        if first.len() + rest.len() + chunk.len() > settings.body_bytes {
            drain(Body::from_stream(chunks)).await;
            return Err(ApiError::TooLarge);
        }
        if first.is_empty() {
            // Most bodies are one chunk and are never copied.
            first = chunk;
        } else {
            rest.extend_from_slice(&chunk);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

async fn drain(body: Body) {
    let mut left = DRAINED;
    let mut chunks = body.into_data_stream();
    let reading = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    // Over or not, the answer is the same.
    let _ = tokio::time::timeout(DRAIN_TIME, reading).await;
}

/// Takes the bytes for what their content type says; without one they are JSON.
pub fn parse(bytes: &[u8], headers: &HeaderMap, settings: &ApiSettings) -> Result<Content, ApiError> {
    if bytes.is_empty() {
        return Ok(Content::Absent);
    }
    let declared = headers.get(CONTENT_TYPE).map(|value| value.as_bytes()).filter(|value| !value.is_empty());
    if !declared.is_none_or(is_json) {
        return Ok(Content::Text(String::from_utf8_lossy(bytes).into_owned()));
    }
    json::parse(bytes, settings.json_depth.min(DEEPEST)).map(Content::Json).map_err(|problem| match problem {
        Problem::Unreadable => ApiError::Unreadable,
        Problem::Malformed { at, text } => ApiError::from(Item {
            r#type: "json_invalid",
            loc: vec![Step::Name("body".to_owned()), Step::Index(at)],
            msg: "JSON decode error".into(),
            input: json!({}),
            ctx: Some(json!({ "error": text })),
        }),
    })
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let Some((kind, subtype)) = essence.split_at_checked(12) else { return false };
    let ends_json = subtype.eq_ignore_ascii_case(b"json")
        || subtype.len() > 5 && subtype[subtype.len() - 5..].eq_ignore_ascii_case(b"+json");
    kind.eq_ignore_ascii_case(b"application/") && ends_json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_says_so_or_says_nothing() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("application/+json", false),
            ("application/jsonp", false),
            ("text/json", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            assert_eq!(is_json(content_type.as_bytes()), expected, "{content_type}");
        }
        assert!(matches!(parse(b"{}", &HeaderMap::new(), &ApiSettings::default()), Ok(Content::Json(_))));
    }

    #[test]
    fn a_byte_order_mark_is_accepted_and_bad_bytes_and_depth_are_not() {
        let parse = |bytes: &[u8]| parse(bytes, &HeaderMap::new(), &ApiSettings::default());
        assert!(matches!(parse(b"\xef\xbb\xbf{\"a\":1}"), Ok(Content::Json(_))));
        assert!(matches!(parse(b"{\"a\":\"\xff\"}"), Err(ApiError::Unreadable)));
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(matches!(parse(&nested(128)), Ok(Content::Json(_))));
        assert!(matches!(parse(&nested(129)), Err(ApiError::Unreadable)));
        assert!(matches!(parse(&nested(500_000)), Err(ApiError::Unreadable)));
    }
}
