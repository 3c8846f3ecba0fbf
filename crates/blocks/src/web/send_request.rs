//! Asks a web server and hands on what it answers, whatever the status.
//!
//! Where a request may go, how long it may take and how large the answer may be is the outbound client's business.

use super::body::Payload;
use crate::block::{Asking, Block, Cx, Input, Run, never, refuse};
use heddle_engine::Effect;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value};
use heddle_outbound::{Client, Error, Method, Request, Response, StatusCode};

pub(crate) const BLOCK: Block =
    Block { id: "6595ae1f-b924-42cb-9a41-551a0611c4b4", effect, slow: never, run: Run::Ask { provider, ask: run } };

/// What is sent when the pin names no method.
const METHOD: Method = Method::POST;

pub(super) fn effect(input: &Object) -> Effect {
    match input.get("method").and_then(Value::as_str) {
        Some("GET" | "HEAD" | "OPTIONS") => Effect::Read,
        _ => Effect::Unsafe,
    }
}

pub(super) fn provider(input: &Object) -> Option<String> {
    super::host(input.get("url")?.as_str()?)
}

fn run<'a>(input: Input, cx: &'a Cx, client: &'a Client) -> Asking<'a> {
    Box::pin(ask(input, cx, client))
}

async fn ask(mut input: Input, cx: &Cx, client: &Client) -> Result<(&'static str, Value), Failure> {
    let (request, _) = read(&mut input, cx)?;
    // One attempt: a server that is in trouble is an answer too, and a second request might be felt.
    let answer = client.send(&request).await.map_err(failed)?;
    answered(&request, &answer)
}

/// The request that the pins describe, and the names of the headers that they set.
pub(super) fn read(input: &mut Input, cx: &Cx) -> Result<(Request, Vec<String>), Failure> {
    let method = match input.given("method") {
        Some(method) => method.as_str().and_then(|name| name.parse().ok()).ok_or_else(|| refuse("no such method"))?,
        None => METHOD,
    };
    let headers = input.object("headers");
    let named = |name: &str| headers.keys().any(|key| key.eq_ignore_ascii_case(name));
    let mut request = Request::new(method, input.text("url"));
    for (name, value) in &headers {
        request = request.header(name, value.as_str().unwrap_or_default()).map_err(failed)?;
    }
    if let Some(place) = cx.place.as_ref().filter(|_| !named("idempotency-key")) {
        request = request.idempotency_key(&place.exec_id().to_string()).map_err(failed)?;
    }
    let payload = Payload::of(input, cx)?;
    let request = payload.put_into(request, named("content-type")).map_err(failed)?;
    Ok((request, headers.into_iter().map(|(name, _)| name).collect()))
}

/// The pin of an answer, and its value.
pub(super) fn answered(request: &Request, answer: &Response) -> Result<(&'static str, Value), Failure> {
    Ok((pin(answer.status), content(answer, request.method() == Method::HEAD)?))
}

fn pin(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..300 => "response",
        400..500 => "client_error",
        _ => "server_error",
    }
}

fn content(answer: &Response, is_head: bool) -> Result<Value, Failure> {
    if !answer.content_type().starts_with("application/json") {
        return Ok(Value::String(answer.text().into_owned()));
    }
    // Neither has a body by definition, whatever its headers say.
    if is_head || answer.status == StatusCode::NO_CONTENT {
        return Ok(Value::Null);
    }
    answer.json().map_err(failed)
}

/// The client's texts name the host as it was written, never the address behind it.
pub(super) fn failed(error: Error) -> Failure {
    refuse(error.to_string())
}
