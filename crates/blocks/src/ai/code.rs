//! Has a model write code.

use super::talk::Talk;
use super::{block, structured, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working, refuse};
use crate::registry::Ports;
use heddle_model::{Object, Usage, Value};
use serde_json::json;

pub(crate) const BLOCK: Block = block("86a2a099-30df-47b4-b7e4-34ae5f83e0d5", work);

const MODEL: &str = "gpt-5.3-codex";

/// US dollars for a million tokens in, and out.
const PRICES: [(&str, f64, f64); 5] = [
    ("gpt-5.6-sol", 5.0, 30.0),
    ("gpt-5.6-terra", 2.5, 15.0),
    ("gpt-5.6-luna", 1.0, 6.0),
    ("gpt-5.3-codex", 1.75, 14.0),
    ("gpt-5.1-codex", 1.25, 10.0),
];

/// Tokens of an answer where no pin says how many.
const MOST_TOKENS: u64 = 2048;

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        if input.text("transport") == "codex_app_server" {
            return Err(refuse("the transport codex_app_server is not available on this server; choose openai_api"));
        }
        let model = Some(input.text("model")).filter(|model| !model.is_empty()).unwrap_or_else(|| MODEL.to_owned());
        let mut talk = Talk::with_model(&mut input, &model, cx, ports, out).await?;
        let ended = run(input, &model, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, model: &str, talk: &mut Talk<'_>) -> Ended {
    let body = body(&mut input, model)?;
    let answer = talk.post("/responses", &body).await.map_err(|error| structured::failed(&error))?;
    talk.count(usage(&answer, model), false);
    let code = texts(&answer, "message", "content");
    if code.is_empty() {
        return Err(refuse("the model's answer is empty"));
    }
    let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
    talk.out.emit("response", code).await?;
    talk.out.emit("reasoning", texts(&answer, "reasoning", "summary")).await?;
    talk.out.emit("response_id", id).await
}

fn body(input: &mut Input, model: &str) -> Result<Value, heddle_engine::ports::Failure> {
    let mut body: Object = Object::new();
    body.insert("model".to_owned(), model.into());
    body.insert("input".to_owned(), input.text("prompt").into());
    let system = input.text("system_prompt");
    if !system.is_empty() {
        body.insert("instructions".to_owned(), system.into());
    }
    body.insert("max_output_tokens".to_owned(), tokens(input, "max_output_tokens").unwrap_or(MOST_TOKENS).into());
    match input.text("reasoning_effort").as_str() {
        "none" => {}
        "ultra" => return Err(refuse("the reasoning effort ultra needs the transport codex_app_server")),
        effort => {
            let effort = if effort.is_empty() { "medium" } else { effort };
            body.insert("reasoning".to_owned(), json!({"effort": effort}));
        }
    }
    Ok(body.into())
}

fn texts(answer: &Value, kind: &str, list: &str) -> String {
    let items = answer.get("output").and_then(Value::as_array).into_iter().flatten();
    let items = items.filter(|item| item.get("type").is_some_and(|known| known == kind));
    let parts = items.filter_map(|item| item.get(list)?.as_array()).flatten();
    parts.filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
}

fn usage(answer: &Value, model: &str) -> Usage {
    let count = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let (input_tokens, output_tokens) = (count("/usage/input_tokens"), count("/usage/output_tokens"));
    let price = PRICES.iter().find(|(known, ..)| *known == model);
    let usd = price.map(|(_, input, output)| (input_tokens as f64 * input + output_tokens as f64 * output) / 1e6);
    Usage { input_tokens, output_tokens, usd, ..Usage::default() }
}
