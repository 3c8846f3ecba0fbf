//! Google's `generateContent`.

use super::{Letter, chat, number, text};
use crate::turn::{self, Turn};
use crate::{Answer, Ask, Error, ToolCall};
use heddle_model::{Object, Usage, Value};
use serde_json::json;
use std::collections::HashMap;

/// Members of a JSON Schema that are understood here; others are refused.
const SCHEMA: &[&str] = &[
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minimum",
    "maximum",
    "items",
    "anyOf",
    "minLength",
    "maxLength",
    "pattern",
    "default",
];

pub(crate) fn write(ask: &Ask<'_>) -> Letter {
    let turns = turn::turns(ask.messages);
    let system: Vec<String> = turns.iter().filter_map(system).collect();
    let mut body = json!({"contents": contents(turns)});
    if !system.is_empty() {
        body["systemInstruction"] = json!({"parts": [{"text": system.join("\n")}]});
    }
    let mut config = Object::new();
    if let Some(most) = ask.max_tokens {
        config.insert("maxOutputTokens".to_owned(), most.into());
    }
    if ask.json {
        config.insert("responseMimeType".to_owned(), "application/json".into());
    }
    if !config.is_empty() {
        body["generationConfig"] = config.into();
    }
    if !ask.tools.is_empty() {
        body["tools"] = json!([{"functionDeclarations": ask.tools.iter().map(tool).collect::<Value>()}]);
    }
    Letter { path: format!("/models/{}:generateContent", ask.model.rsplit('/').next().unwrap_or_default()), body }
}

fn tool(tool: &crate::Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "parameters": schema(&tool.parameters)})
}

/// A schema without what is not understood.
fn schema(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let known = members.iter().filter(|(key, _)| SCHEMA.contains(&key.as_str()));
    known
        .map(|(key, value)| {
            let value = match (key.as_str(), value) {
                ("properties", Value::Object(pins)) => {
                    pins.iter().map(|(name, pin)| (name.clone(), self::schema(pin))).collect()
                }
                ("anyOf", Value::Array(members)) => members.iter().map(self::schema).collect(),
                ("items", items) => self::schema(items),
                _ => value.clone(),
            };
            (key.clone(), value)
        })
        .collect()
}

fn system(turn: &Turn<'_>) -> Option<String> {
    match turn {
        Turn::Said { role: "system", content, .. } => Some(turn::as_text(content)).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn contents(turns: Vec<Turn<'_>>) -> Vec<Value> {
    // An answer names the function, which only the call knows.
    let mut names: HashMap<String, String> = HashMap::new();
    let mut contents: Vec<Value> = Vec::new();
    for turn in turns {
        let (role, parts) = match turn {
            Turn::Said { role: "system", .. } | Turn::Other(_) => continue,
            Turn::Said { role, content, .. } => {
                let role = if role == "assistant" { "model" } else { "user" };
                (role, vec![json!({"text": turn::as_text(content)})])
            }
            Turn::Called { text, calls, messages } => {
                names.extend(calls.iter().map(|call| (call.id.clone(), call.name.clone())));
                let own = messages.first().and_then(|message| message.get("parts")).and_then(Value::as_array);
                ("model", own.cloned().unwrap_or_else(|| called(text, &calls)))
            }
            Turn::Answered { id, output, .. } => {
                let name = names.get(id).map(String::as_str).unwrap_or_default();
                ("user", vec![json!({"functionResponse": {"name": name, "response": {"result": output}}})])
            }
        };
        match contents.last_mut().filter(|last| last["role"] == role).and_then(|last| last["parts"].as_array_mut()) {
            Some(last) => last.extend(parts),
            None => contents.push(json!({"role": role, "parts": parts})),
        }
    }
    contents
}

fn called(text: Option<String>, calls: &[ToolCall]) -> Vec<Value> {
    let text = text.map(|text| json!({"text": text}));
    let calls = calls.iter().map(|call| {
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        json!({"functionCall": {"name": call.name, "args": arguments}})
    });
    text.into_iter().chain(calls).collect()
}

pub(crate) fn read(body: &Value) -> Result<Answer, Error> {
    let parts = body.pointer("/candidates/0/content/parts").and_then(Value::as_array).map(Vec::as_slice);
    let parts = parts.filter(|parts| !parts.is_empty()).ok_or_else(|| {
        let why = text(body, "/promptFeedback/blockReason").or_else(|| text(body, "/candidates/0/finishReason"));
        Error::Empty(why.map(|reason| format!(" ({reason})")).unwrap_or_default())
    })?;
    let is_thought = |part: &&Value| part.get("thought").is_some_and(|thought| thought == true);
    let texts = |thoughts: bool| -> String {
        let parts = parts.iter().filter(|part| is_thought(part) == thoughts);
        parts.filter_map(|part| part.get("text")?.as_str()).collect()
    };
    let calls: Vec<_> = parts.iter().filter_map(|part| part.get("functionCall")).map(tool_call).collect();
    let said = texts(false);
    let mut message = json!({"role": "assistant", "content": said});
    if !calls.is_empty() {
        message["tool_calls"] = calls.iter().map(chat::call).collect();
        // Signatures among them have to come back.
        message["parts"] = parts.into();
    }
    Ok(Answer {
        text: said,
        calls,
        reasoning: Some(texts(true)).filter(|text| !text.is_empty()),
        messages: vec![message],
        usage: usage(body),
    })
}

/// Calls have no ids here, and need one to be answered.
fn tool_call(call: &Value) -> ToolCall {
    ToolCall {
        id: text(call, "/id").unwrap_or_else(|| format!("call_{}", uuid::Uuid::new_v4().simple())),
        name: text(call, "/name").unwrap_or_default(),
        arguments: call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string),
    }
}

fn usage(body: &Value) -> Usage {
    let known = number(body, "/usageMetadata/cachedContentTokenCount");
    Usage {
        input_tokens: number(body, "/usageMetadata/promptTokenCount").saturating_sub(known),
        output_tokens: number(body, "/usageMetadata/candidatesTokenCount")
            + number(body, "/usageMetadata/thoughtsTokenCount"),
        cache_read_tokens: known,
        ..Usage::default()
    }
}
