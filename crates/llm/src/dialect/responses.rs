//! OpenAI's Responses.

use super::{Letter, number, text};
use crate::turn::{self, Turn};
use crate::{Answer, Ask, Error, Provider, ToolCall};
use heddle_model::{Usage, Value};
use serde_json::json;

pub(crate) fn write(provider: &Provider, ask: &Ask<'_>) -> Letter {
    let mut body = json!({
        "model": ask.model,
        "input": items(ask.messages),
        "store": false,
        "include": ["reasoning.encrypted_content"],
    });
    if let Some(most) = ask.max_tokens {
        body["max_output_tokens"] = most.into();
    }
    if ask.json && provider.json {
        body["text"] = json!({"format": {"type": "json_object"}});
    }
    if !ask.tools.is_empty() {
        body["tools"] = ask.tools.iter().map(tool).collect();
        if let Some(parallel) = ask.parallel.filter(|_| provider.takes_parallel(ask.model)) {
            body["parallel_tool_calls"] = parallel.into();
        }
    }
    Letter { path: "/responses".to_owned(), body }
}

/// `strict` is on here unless it is said to be off, and would then forbid optional arguments.
fn tool(tool: &crate::Tool) -> Value {
    let (name, description, parameters) = (&tool.name, &tool.description, &tool.parameters);
    json!({"type": "function", "name": name, "description": description, "parameters": parameters, "strict": false})
}

fn items(messages: &[Value]) -> Vec<Value> {
    turn::turns(messages).into_iter().flat_map(item).collect()
}

fn item(turn: Turn<'_>) -> Vec<Value> {
    match turn {
        // An item of an earlier answer goes back as it came.
        Turn::Said { message, .. } if is_item(message) => vec![message.clone()],
        Turn::Said { role, content, .. } => vec![json!({"role": role, "content": parts(role, content)})],
        Turn::Called { messages, .. } if messages.iter().all(|message| is_item(message)) => {
            messages.into_iter().cloned().collect()
        }
        Turn::Called { text, calls, .. } => {
            let said = text.map(|text| json!({"role": "assistant", "content": text}));
            let calls = calls.iter().map(|call| {
                json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments})
            });
            said.into_iter().chain(calls).collect()
        }
        Turn::Answered { id, output, .. } => {
            vec![json!({"type": "function_call_output", "call_id": id, "output": output})]
        }
        Turn::Other(item) if item.get("type").is_some() => vec![item.clone()],
        Turn::Other(_) => Vec::new(),
    }
}

fn is_item(message: &Value) -> bool {
    match message.get("type").and_then(Value::as_str) {
        Some("message") => message.get("status").is_some(),
        kind => kind == Some("function_call"),
    }
}

/// Plain parts have names of their own here.
fn parts(role: &str, content: &Value) -> Value {
    let Value::Array(parts) = content else { return content.clone() };
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    let part = |part: &Value| match part.get("type").and_then(Value::as_str) {
        Some("text") => json!({"type": kind, "text": part["text"]}),
        _ => part.clone(),
    };
    parts.iter().map(part).collect()
}

pub(crate) fn read(body: &Value) -> Result<Answer, Error> {
    let items = body.get("output").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        let why = text(body, "/error/message").or_else(|| text(body, "/incomplete_details/reason"));
        return Err(Error::Empty(why.map(|said| format!(": {said}")).unwrap_or_default()));
    }
    let of = |kind: &'static str| items.iter().filter(move |item| item.get("type").is_some_and(|known| known == kind));
    let all = |items: Vec<&Value>, list: &str, kind: &str| -> String {
        let parts = items.into_iter().filter_map(|item| item.get(list)?.as_array()).flatten();
        let texts = parts.filter(|part| part.get("type").is_some_and(|known| known == kind));
        texts.filter_map(|part| part.get("text")?.as_str()).collect()
    };
    let calls = of("function_call").map(|item| ToolCall {
        id: text(item, "/call_id").unwrap_or_default(),
        name: text(item, "/name").unwrap_or_default(),
        arguments: text(item, "/arguments").unwrap_or_default(),
    });
    let reasoning = all(of("reasoning").collect(), "summary", "summary_text");
    Ok(Answer {
        text: all(of("message").collect(), "content", "output_text"),
        calls: calls.collect(),
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        messages: items.iter().map(again).collect(),
        usage: usage(body),
    })
}

/// An item as it may be sent back: nothing is stored at the provider, so it knows no ids.
fn again(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(members) = item.as_object_mut() {
        members.shift_remove("id");
        if members.get("type").is_some_and(|kind| kind == "message") {
            members.entry("status").or_insert("completed".into());
        }
    }
    item
}

fn usage(body: &Value) -> Usage {
    let known = number(body, "/usage/input_tokens_details/cached_tokens");
    Usage {
        input_tokens: number(body, "/usage/input_tokens").saturating_sub(known),
        output_tokens: number(body, "/usage/output_tokens"),
        cache_read_tokens: known,
        ..Usage::default()
    }
}
