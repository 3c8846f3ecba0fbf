//! Anthropic's Messages.

use super::{Letter, number, text};
use crate::turn::{self, Turn};
use crate::{Answer, Ask, Error, ToolCall};
use heddle_model::{Usage, Value};
use serde_json::json;
use std::collections::HashSet;

/// Needed where nobody says how long an answer may be: here it must be said.
const MAX_TOKENS: u64 = 8192;

pub(crate) fn write(ask: &Ask<'_>) -> Letter {
    let turns = turn::turns(ask.messages);
    let system: Vec<String> = turns.iter().filter_map(system).collect();
    let mut body = json!({
        "model": ask.model,
        "messages": messages(turns),
        "max_tokens": ask.max_tokens.unwrap_or(MAX_TOKENS),
    });
    if !system.is_empty() {
        body["system"] = json!([{"type": "text", "text": system.join(" "), "cache_control": {"type": "ephemeral"}}]);
    }
    if !ask.tools.is_empty() {
        let mut tools: Vec<Value> = ask.tools.iter().map(tool).collect();
        if let Some(last) = tools.last_mut() {
            last["cache_control"] = json!({"type": "ephemeral"});
        }
        body["tools"] = tools.into();
        if let Some(parallel) = ask.parallel {
            body["tool_choice"] = json!({"type": "auto", "disable_parallel_tool_use": !parallel});
        }
    }
    Letter { path: "/messages".to_owned(), body }
}

fn tool(tool: &crate::Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
}

fn system(turn: &Turn<'_>) -> Option<String> {
    match turn {
        Turn::Said { role: "system", content, .. } => Some(turn::as_text(content)).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Turns of two take turns here: what one side says in a row is one message.
fn messages(turns: Vec<Turn<'_>>) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    let turns = answered(turns);
    for (role, content) in turns.into_iter().filter_map(said) {
        match messages.last_mut().filter(|last| last["role"] == role) {
            Some(last) => join(&mut last["content"], content),
            None => messages.push(json!({"role": role, "content": content})),
        }
    }
    messages
}

/// Without answers of tools that nobody called before: here they are an error.
fn answered(mut turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    let mut called: HashSet<String> = HashSet::new();
    let is_known = |turn: &Turn<'_>| match turn {
        Turn::Called { calls, .. } => {
            called.extend(calls.iter().map(|call| call.id.clone()));
            true
        }
        Turn::Answered { id, .. } => called.contains(*id),
        Turn::Said { .. } | Turn::Other(_) => true,
    };
    turns.retain(is_known);
    turns
}

fn said(turn: Turn<'_>) -> Option<(&'static str, Value)> {
    match turn {
        Turn::Said { role, content, .. } => {
            let role = match role {
                "user" => "user",
                "assistant" => "assistant",
                _ => return None,
            };
            let is_there = !matches!(content, Value::Null) && !content.as_str().is_some_and(str::is_empty);
            is_there.then(|| (role, if content.is_array() { content.clone() } else { turn::as_text(content).into() }))
        }
        Turn::Called { messages, .. } if messages.len() == 1 && messages[0]["content"].is_array() => {
            Some(("assistant", messages[0]["content"].clone()))
        }
        Turn::Called { text, calls, .. } => {
            let text = text.map(|text| json!({"type": "text", "text": text}));
            let calls = calls.iter().map(|call| {
                let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
                json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
            });
            Some(("assistant", text.into_iter().chain(calls).collect()))
        }
        Turn::Answered { id, output, failed } => {
            let mut block = json!({"type": "tool_result", "tool_use_id": id, "content": output});
            if failed {
                block["is_error"] = true.into();
            }
            Some(("user", json!([block])))
        }
        Turn::Other(_) => None,
    }
}

fn join(content: &mut Value, more: Value) {
    if let (Value::String(text), Value::String(more)) = (&mut *content, &more) {
        text.push_str(more);
        return;
    }
    let blocks = |content: Value| match content {
        Value::Array(blocks) => blocks,
        text => vec![json!({"type": "text", "text": text})],
    };
    let mut all = blocks(content.take());
    all.extend(blocks(more));
    *content = all.into();
}

pub(crate) fn read(body: &Value) -> Result<Answer, Error> {
    let blocks = body.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of =
        |kind: &'static str| blocks.iter().filter(move |block| block.get("type").is_some_and(|known| known == kind));
    if blocks.is_empty() {
        let why = text(body, "/stop_reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
        return Err(Error::Empty(why));
    }
    let calls: Vec<_> = of("tool_use")
        .map(|block| ToolCall {
            id: text(block, "/id").unwrap_or_default(),
            name: text(block, "/name").unwrap_or_default(),
            arguments: block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string),
        })
        .collect();
    let said = of("text").find_map(|block| text(block, "/text"));
    let reasoning: String = of("thinking").filter_map(|block| text(block, "/thinking")).collect();
    Ok(Answer {
        text: said.or_else(|| calls.first().map(|call| call.name.clone())).unwrap_or_default(),
        calls,
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        messages: vec![json!({"role": "assistant", "content": blocks})],
        usage: Usage {
            input_tokens: number(body, "/usage/input_tokens"),
            output_tokens: number(body, "/usage/output_tokens"),
            cache_read_tokens: number(body, "/usage/cache_read_input_tokens"),
            cache_creation_tokens: number(body, "/usage/cache_creation_input_tokens"),
            ..Usage::default()
        },
    })
}
