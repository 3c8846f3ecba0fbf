//! The summary of an article of the English Wikipedia.

use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_model::Value;
use heddle_outbound::{Error, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) const BLOCK: Block = Block {
    id: "f5b0f5d0-1862-4d61-94be-3ad0fa772760",
    effect: |_| Effect::Read,
    slow: never,
    run: Run::Work { provider: |_| Some(PROVIDER.to_owned()), work: run },
};

const PROVIDER: &str = "wikipedia";
const BASE: &str = "https://en.wikipedia.org/api/rest_v1";

/// What a segment of a path may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn run<'a>(input: Input, _: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(ask(input, ports, out))
}

async fn ask(mut input: Input, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let topic = input.text("topic");
    let base = ports.bases.of(PROVIDER, BASE);
    let request = Request::get(format!("{base}/page/summary/{}", utf8_percent_encode(&topic, SEGMENT)));
    let answer = ports.client()?.send(&request).await.map_err(|error| refuse(error.to_string()))?;
    let summary = summary(&answer, &topic).map_err(refuse)?;
    out.emit("summary", summary).await
}

fn summary(answer: &Response, topic: &str) -> Result<String, String> {
    if !answer.status.is_success() {
        return Err(match answer.status.as_u16() {
            404 => format!("Wikipedia has no article on {topic:?}"),
            status => format!("Wikipedia answered with status {status}"),
        });
    }
    let article: Value = answer.json().map_err(|error: Error| error.to_string())?;
    let extract = article.get("extract").and_then(Value::as_str);
    extract.map(str::to_owned).ok_or_else(|| "Wikipedia's answer holds no summary".to_owned())
}
