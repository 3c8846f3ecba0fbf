//! Chat completions.

use super::{Letter, number, text};
use crate::turn::{self, Turn};
use crate::{Answer, Ask, Error, Provider, ToolCall};
use heddle_model::{Object, Usage, Value};
use serde_json::json;

pub(crate) fn write(provider: &Provider, ask: &Ask<'_>) -> Letter {
    let mut body = json!({"model": ask.model, "messages": messages(ask.messages)});
    if let Some(most) = ask.max_tokens {
        body["max_tokens"] = most.into();
    }
    if ask.json && provider.json {
        body["response_format"] = json!({"type": "json_object"});
    }
    if !ask.tools.is_empty() {
        body["tools"] = ask.tools.iter().map(tool).collect();
        if let Some(parallel) = ask.parallel.filter(|_| provider.takes_parallel(ask.model)) {
            body["parallel_tool_calls"] = parallel.into();
        }
    }
    if provider.cost {
        body["usage"] = json!({"include": true});
    }
    Letter { path: "/chat/completions".to_owned(), body }
}

fn tool(tool: &crate::Tool) -> Value {
    let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
    json!({"type": "function", "function": function})
}

fn messages(messages: &[Value]) -> Vec<Value> {
    turn::turns(messages).into_iter().filter_map(message).collect()
}

fn message(turn: Turn<'_>) -> Option<Value> {
    Some(match turn {
        Turn::Said { message, .. } => message.clone(),
        // A message in this form may carry what only its server understands.
        Turn::Called { messages, .. } if messages.len() == 1 && messages[0].get("tool_calls").is_some() => {
            messages[0].clone()
        }
        Turn::Called { text, calls, .. } => {
            let calls: Vec<_> = calls.iter().map(call).collect();
            json!({"role": "assistant", "content": text, "tool_calls": calls})
        }
        Turn::Answered { id, output, .. } => json!({"role": "tool", "tool_call_id": id, "content": output}),
        Turn::Other(_) => return None,
    })
}

pub(crate) fn call(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}

pub(crate) fn read(body: &Value) -> Result<Answer, Error> {
    let Some(message) = body.pointer("/choices/0/message").and_then(Value::as_object) else {
        // Some gateways put a refusal into an answer of status 200.
        let why = text(body, "/error/message").map(|said| format!(": {said}")).unwrap_or_default();
        return Err(Error::Empty(why));
    };
    let mut message: Object = message.clone();
    message.entry("role").or_insert("assistant".into());
    let message = Value::Object(message);
    let calls = match turn::turns(std::slice::from_ref(&message)).pop() {
        Some(Turn::Called { calls, .. }) => calls,
        _ => Vec::new(),
    };
    Ok(Answer {
        text: turn::as_text(&message["content"]),
        calls,
        reasoning: text(&message, "/reasoning").or_else(|| text(&message, "/reasoning_content")),
        usage: usage(body),
        messages: vec![message],
    })
}

fn usage(body: &Value) -> Usage {
    let known = number(body, "/usage/prompt_tokens_details/cached_tokens");
    let kept = number(body, "/usage/prompt_tokens_details/cache_write_tokens");
    Usage {
        input_tokens: number(body, "/usage/prompt_tokens").saturating_sub(known + kept),
        output_tokens: number(body, "/usage/completion_tokens"),
        cache_read_tokens: known,
        cache_creation_tokens: kept,
        usd: body.pointer("/usage/cost").and_then(Value::as_f64).filter(|usd| *usd >= 0.0),
        ..Usage::default()
    }
}
