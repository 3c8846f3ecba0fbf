//! Messages of a conversation, in whichever form they came: every dialect writes them anew in its own.
//!
//! Agents carry conversations from one provider to another, so a chat message, a Messages block and a Responses item may
//! stand side by side.

use crate::ToolCall;
use heddle_model::{Value, python};
use serde_json::json;

/// The form of a message about tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `tool_calls`, and role `tool`.
    Chat,
    /// `tool_use` and `tool_result` blocks.
    Messages,
    /// `function_call` and `function_call_output` items.
    Responses,
}

/// The message that brings a tool's output back to whoever asked for it.
pub fn answer_to(form: Form, call: &str, output: &str, failed: bool) -> Value {
    match form {
        Form::Chat => json!({"role": "tool", "tool_call_id": call, "content": output}),
        Form::Responses => json!({"type": "function_call_output", "call_id": call, "output": output}),
        Form::Messages => {
            let mut block = json!({"tool_use_id": call, "type": "tool_result", "content": output});
            if failed {
                block["is_error"] = true.into();
            }
            json!({"role": "user", "type": "message", "content": [block]})
        }
    }
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn<'a> {
    /// Somebody said something.
    Said { role: &'a str, content: &'a Value, message: &'a Value },
    /// The model called tools.
    Called { text: Option<String>, calls: Vec<ToolCall>, messages: Vec<&'a Value> },
    /// A tool answered.
    Answered { id: &'a str, output: String, failed: bool },
    /// Something that only one dialect understands.
    Other(&'a Value),
}

/// The turns of a conversation. Calls that follow each other are one turn.
pub(crate) fn turns(messages: &[Value]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for turn in messages.iter().flat_map(read) {
        match (turns.last_mut(), turn) {
            (Some(Turn::Called { calls, messages, .. }), Turn::Called { text: None, calls: more, messages: also }) => {
                calls.extend(more);
                messages.extend(also);
            }
            (_, turn) => turns.push(turn),
        }
    }
    turns
}

fn read(message: &Value) -> Vec<Turn<'_>> {
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    match text("type") {
        Some("function_call") => {
            let call = ToolCall {
                id: text("call_id").unwrap_or_default().to_owned(),
                name: text("name").unwrap_or_default().to_owned(),
                arguments: arguments(message.get("arguments")),
            };
            return vec![Turn::Called { text: None, calls: vec![call], messages: vec![message] }];
        }
        Some("function_call_output") => {
            let output = message.get("output").map(python::text).unwrap_or_default();
            return vec![Turn::Answered { id: text("call_id").unwrap_or_default(), output, failed: false }];
        }
        _ => {}
    }
    let Some(role) = text("role") else { return vec![Turn::Other(message)] };
    let content = message.get("content").unwrap_or(&Value::Null);
    if role == "tool" {
        let output = python::text(content);
        return vec![Turn::Answered { id: text("tool_call_id").unwrap_or_default(), output, failed: false }];
    }
    let calls = chat_calls(message).chain(block_calls(content)).collect::<Vec<_>>();
    if role == "assistant" && !calls.is_empty() {
        return vec![Turn::Called { text: plain(content), calls, messages: vec![message] }];
    }
    let results: Vec<_> = blocks(content, "tool_result").map(result).collect();
    if results.is_empty() { vec![Turn::Said { role, content, message }] } else { results }
}

fn chat_calls(message: &Value) -> impl Iterator<Item = ToolCall> {
    message.get("tool_calls").and_then(Value::as_array).into_iter().flatten().map(|call| {
        let text = |object: Option<&Value>, key| {
            object.and_then(|o| o.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let function = call.get("function");
        ToolCall {
            id: text(Some(call), "id"),
            name: text(function, "name"),
            arguments: arguments(function.and_then(|function| function.get("arguments"))),
        }
    })
}

fn block_calls(content: &Value) -> impl Iterator<Item = ToolCall> {
    blocks(content, "tool_use").map(|block| {
        let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        ToolCall { id: text("id"), name: text("name"), arguments: arguments(block.get("input")) }
    })
}

fn result(block: &Value) -> Turn<'_> {
    let content = block.get("content").unwrap_or(&Value::Null);
    Turn::Answered {
        id: block.get("tool_use_id").and_then(Value::as_str).unwrap_or_default(),
        output: plain(content).unwrap_or_else(|| python::text(content)),
        failed: block.get("is_error").is_some_and(|failed| failed == true),
    }
}

fn blocks<'a>(content: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    let all = content.as_array().into_iter().flatten();
    all.filter(move |block| block.get("type").is_some_and(|known| known == kind))
}

/// Arguments as JSON text, however they came.
fn arguments(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "{}".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// The text of a content; `None` when there is none.
pub(crate) fn plain(content: &Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

/// A content as text, whatever it is.
pub(crate) fn as_text(content: &Value) -> String {
    match content {
        Value::Null => String::new(),
        content => plain(content).unwrap_or_else(|| python::text(content)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_call_and_its_answer_is_read() {
        let call =
            |id: &str| ToolCall { id: id.to_owned(), name: "add".to_owned(), arguments: r#"{"a":1}"#.to_owned() };
        let messages = [
            json!({"role": "user", "content": "hi"}),
            json!({"role": "assistant", "content": "so", "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{\"a\":1}"}}]}),
            answer_to(Form::Chat, "c", "2", false),
            json!({"role": "assistant", "content": [{"type": "text", "text": "so"},
                {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}]}),
            answer_to(Form::Messages, "toolu_1", "no", true),
            json!({"type": "reasoning", "encrypted_content": "x"}),
            json!({"type": "function_call", "call_id": "f", "name": "add", "arguments": "{\"a\":1}"}),
            json!({"type": "function_call", "call_id": "g", "name": "add", "arguments": "{\"a\":1}"}),
            answer_to(Form::Responses, "f", "2", false),
        ];
        let read = turns(&messages);
        let called = |turn: &Turn<'_>| match turn {
            Turn::Called { calls, text, .. } => Some((calls.clone(), text.clone())),
            _ => None,
        };
        let so = Some("so".to_owned());
        assert_eq!(read.len(), 8);
        assert_eq!(called(&read[1]), Some((vec![call("c")], so.clone())));
        assert_eq!(called(&read[3]), Some((vec![call("toolu_1")], so)));
        assert_eq!(called(&read[6]), Some((vec![call("f"), call("g")], None)), "calls side by side are one turn");
        let answered = |id, output: &str, failed| Turn::Answered { id, output: output.to_owned(), failed };
        assert_eq!(read[2], answered("c", "2", false));
        assert_eq!(read[4], answered("toolu_1", "no", true));
        assert_eq!(read[7], answered("f", "2", false));
        assert_eq!(read[5], Turn::Other(&messages[5]));
    }
}
