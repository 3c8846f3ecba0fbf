//! Conversations with models as they travel between nodes: which of the tools that were asked for have not answered.
//!
//! Messages come in the forms of three interfaces (chat completions, Messages, Responses), mixed as agents mix them.

use crate::Value;

/// The pin of a deciding node that takes the conversation so far.
pub const HISTORY: &str = "conversation_history";
/// The pin of a deciding node that takes a tool's output.
pub const TOOL_OUTPUT: &str = "last_tool_output";
/// The pins that a deciding node may run without.
pub const PINS: [&str; 2] = [HISTORY, TOOL_OUTPUT];

/// Ids of the calls that have no answer yet, in the order in which they were made.
pub fn pending(history: &Value) -> Vec<&str> {
    let messages = || history.as_array().into_iter().flatten();
    let mut waiting: Vec<&str> = messages().flat_map(asked).collect();
    for answered in messages().flat_map(answered) {
        if let Some(at) = waiting.iter().position(|id| *id == answered) {
            waiting.remove(at);
        }
    }
    waiting
}

fn asked(message: &Value) -> Vec<&str> {
    if message.get("type").is_some_and(|kind| kind == "function_call") {
        return text(message, "call_id").into_iter().collect();
    }
    if message.get("role").is_none_or(|role| role != "assistant") {
        return Vec::new();
    }
    let calls = parts(message, "tool_calls").filter_map(|call| text(call, "id"));
    calls.chain(typed(message, "tool_use").filter_map(|block| text(block, "id"))).collect()
}

fn answered(message: &Value) -> Vec<&str> {
    if message.get("type").is_some_and(|kind| kind == "function_call_output") {
        return text(message, "call_id").into_iter().collect();
    }
    match message.get("role").and_then(Value::as_str) {
        Some("tool") => text(message, "tool_call_id").into_iter().collect(),
        Some("user") => typed(message, "tool_result").filter_map(|block| text(block, "tool_use_id")).collect(),
        _ => Vec::new(),
    }
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn parts<'a>(message: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    message.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn typed<'a>(message: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    parts(message, "content").filter(move |block| block.get("type").is_some_and(|known| known == kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_without_answers_are_found_in_every_form() {
        let chat = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c1"}, {"id": "c2"}]});
        let messages =
            json!({"role": "assistant", "content": [{"type": "text"}, {"type": "tool_use", "id": "toolu_1"}]});
        let responses = json!({"type": "function_call", "call_id": "f1"});
        let history = json!([{"role": "user", "content": "hi"}, chat, messages, responses]);
        assert_eq!(pending(&history), ["c1", "c2", "toolu_1", "f1"]);
        let mut answered = history.as_array().cloned().unwrap();
        answered.extend([
            json!({"role": "tool", "tool_call_id": "c1", "content": "x"}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]}),
            json!({"type": "function_call_output", "call_id": "f1", "output": "x"}),
        ]);
        assert_eq!(pending(&answered.into()), ["c2"]);
        for none in [json!(null), json!([]), json!("x"), json!([{"role": "assistant", "content": "done"}])] {
            assert_eq!(pending(&none), [""; 0], "{none}");
        }
    }
}
