//! Starting a run, and naming one.

use crate::body::Content;
use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Item, dictionary, text};
use heddle_model::Object;
use heddle_platform::runs::events::Position;
use heddle_platform::{CallbackUrl, Idempotency, Start};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const LONGEST_WAIT: u64 = 60;
const LONGEST_KEY: usize = 255;

/// A start and how long the answer may wait for its end.
pub struct StartRun {
    /// What to start.
    pub start: Start,
    /// `Prefer: wait`, bounded.
    pub wait: Option<Duration>,
}

impl Input for StartRun {
    const BODY: BodyRule = BodyRule::Optional;

    fn read(request: &mut Reading) -> Option<Self> {
        let graph = request.path("graph_id");
        let version = request.path_integer("graph_version");
        let idempotency = idempotency(request);
        let content = std::mem::replace(&mut request.content, Content::Absent);
        let body = start_body(content, request);
        let body = body?;
        let start = Start { graph, version: version?, idempotency: idempotency?, ..body };
        Some(Self { start, wait: wait(&request.parts.headers) })
    }
}

/// `node_input` is embedded: it may be absent with the whole body, but a body of another kind lacks it.
fn start_body(content: Content, request: &mut Reading) -> Option<Start> {
    let body = At::Source("body");
    let items = &mut request.items;
    let mut members = match content {
        Content::Absent => return Some(Start::default()),
        Content::Json(Value::Object(members)) => members,
        Content::Json(_) | Content::Text(_) => {
            items.add(&At::Member(&body, "node_input"), "missing", "Field required", &Value::Null);
            return None;
        }
    };
    let inputs = match members.swap_remove("node_input") {
        None => Some(Object::new()),
        Some(Value::Object(inputs)) => Some(inputs),
        Some(other) => dictionary(&other, &At::Member(&body, "node_input"), items),
    };
    let credentials = match members.swap_remove("credentials_inputs") {
        None | Some(Value::Null) => Some(Object::new()),
        Some(Value::Object(credentials)) => Some(credentials),
        Some(other) => dictionary(&other, &At::Member(&body, "credentials_inputs"), items),
    };
    let callback_url = match members.swap_remove("callback_url") {
        None | Some(Value::Null) => Some(None),
        Some(url) => callback_url(&url, &At::Member(&body, "callback_url"), request).map(Some),
    };
    Some(Start { inputs: inputs?, credentials: credentials?, callback_url: callback_url?, ..Start::default() })
}

/// Where callbacks may go is a rule of the use cases.
fn callback_url(value: &Value, at: &At<'_>, request: &mut Reading) -> Option<CallbackUrl> {
    let url = text(value, at, &mut request.items)?;
    let why = match request.app.platform.callbacks.url(&url) {
        Ok(url) => return Some(url),
        Err(why) => why,
    };
    request.items.push(Item {
        r#type: "value_error",
        loc: at.steps(),
        msg: format!("Value error, {why}").into(),
        input: Value::String(url),
        ctx: Some(json!({ "error": why })),
    });
    None
}

/// The caller's key for this start and what it was used for; blank is none.
pub(super) fn idempotency(request: &mut Reading) -> Option<Option<Idempotency>> {
    let Some(header) = request.parts.headers.get("idempotency-key") else { return Some(None) };
    // Header bytes are Latin-1 where they are not ASCII.
    let key: String = header.as_bytes().trim_ascii().iter().copied().map(char::from).collect();
    if key.chars().count() > LONGEST_KEY {
        request.items.push(Item {
            r#type: "string_too_long",
            loc: At::Member(&At::Source("header"), "Idempotency-Key").steps(),
            msg: "String should have at most 255 characters".into(),
            input: Value::String(key),
            ctx: Some(json!({ "max_length": LONGEST_KEY })),
        });
        return None;
    }
    if key.is_empty() {
        return Some(None);
    }
    let route = [request.parts.method.as_str(), request.parts.uri.path()];
    Some(Some(Idempotency { key, fingerprint: fingerprint(route, &request.content, &request.bytes) }))
}

/// What is asked for, to which spacing and the order of members do not belong.
fn fingerprint(route: [&str; 2], content: &Content, bytes: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in route {
        digest.update(part);
        digest.update([0]);
    }
    match content {
        Content::Json(body) => {
            let mut body = body.clone();
            body.sort_all_objects();
            digest.update(body.to_string());
        }
        Content::Absent | Content::Text(_) => digest.update(bytes),
    }
    digest.finalize().into()
}

/// `wait` of RFC 7240: the first one counts, an unreadable one is ignored.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all("prefer").into_iter().filter_map(|line| line.to_str().ok());
    let preferences = lines.flat_map(|line| line.split(',')).filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then_some(value.trim())
    });
    let value = preferences.map(|value| value.trim_matches('"').trim()).next()?;
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(value.parse().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)))
}

/// A run below its graph.
pub struct RunOfGraph {
    /// Graph id as it came in.
    pub graph: String,
    /// Run id as it came in.
    pub run: String,
}

impl Input for RunOfGraph {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self { graph: request.path("graph_id"), run: request.path("graph_exec_id") })
    }
}

/// A run to follow, and from where.
pub struct FollowRun {
    /// Graph id as it came in.
    pub graph: String,
    /// Run id as it came in.
    pub run: String,
    /// The last event that the client has seen; one that cannot be read counts as none.
    pub after: Option<Position>,
}

impl Input for FollowRun {
    fn read(request: &mut Reading) -> Option<Self> {
        let last = request.parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let after = last.and_then(|id| Position::parse(id.trim()));
        Some(Self { graph: request.path("graph_id"), run: request.path("graph_exec_id"), after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_same_however_its_body_is_written() {
        let print = |path: &str, text: &str| {
            fingerprint(["POST", path], &Content::Json(serde_json::from_str(text).unwrap()), text.as_bytes())
        };
        let first = print("/a", r#"{"node_input":{"b":[{"y":1,"x":2}],"a":"é"}}"#);
        for (path, text, same) in [
            ("/a", r#"{ "node_input": { "b": [ { "y": 1, "x": 2 } ], "a": "\u00e9" } }"#, true),
            ("/a", r#"{"node_input":{"a":"é","b":[{"x":2,"y":1}]}}"#, true),
            ("/b", r#"{"node_input":{"b":[{"y":1,"x":2}],"a":"é"}}"#, false),
            ("/a", r#"{"node_input":{"b":[{"y":2,"x":1}],"a":"é"}}"#, false),
            ("/a", r#"{"node_input":{"b":[{"y":1,"x":"2"}],"a":"é"}}"#, false),
            ("/a", "{}", false),
        ] {
            assert_eq!(print(path, text) == first, same, "{path} {text}");
        }
    }

    #[test]
    fn the_preference_is_read_bounded_or_ignored() {
        for (lines, expected) in [
            (&["wait=5"][..], Some(5)),
            (&["respond-async, Wait = 5; x=1"], Some(5)),
            (&["respond-async", "wait=\"7\""], Some(7)),
            (&["wait=3, wait=9"], Some(3)),
            (&["wait=0"], Some(0)),
            (&["wait=61"], Some(60)),
            (&["wait=99999999999999999999999"], Some(60)),
            (&["wait=-1"], None),
            (&["wait=1.5"], None),
            (&["wait"], None),
            (&["wait="], None),
            (&["waiting=5"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("prefer", line.parse().unwrap());
            }
            assert_eq!(wait(&headers), expected.map(Duration::from_secs), "{lines:?}");
        }
    }
}
