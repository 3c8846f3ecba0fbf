//! How many tokens a conversation has, roughly.
//!
//! Counted with the one tokenizer that is here anyway; other models' tokens are not very different, and where they are, the
//! model table says by how much. What a call has taken is told by its answer, never by this.

use crate::Model;
use heddle_model::{Value, python};

/// Tokens of a text.
pub fn count(text: &str) -> u64 {
    tiktoken_rs::o200k_base_singleton().count_ordinary(text) as u64
}

/// Tokens of a conversation for a model.
pub fn estimate(messages: &[Value], model: &Model) -> u64 {
    for_model(messages.iter().map(of_message).sum(), model)
}

/// Tokens that were counted, in the model's own.
pub(crate) fn for_model(tokens: u64, model: &Model) -> u64 {
    (tokens as f64 * model.density).ceil() as u64
}

/// 3 for the message itself, 1 for a name, and its parts.
pub(crate) fn of_message(message: &Value) -> u64 {
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let named = 3 + u64::from(message.get("name").is_some() && message.get("role").is_some());
    let of_call = |call: &Value| {
        let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str).map_or(0, count);
        text("/id") + text("/function/name") + text("/function/arguments")
    };
    let calls = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten().map(of_call).sum::<u64>();
    let plain = ["tool_call_id", "call_id", "arguments", "output"].into_iter().filter_map(text).map(count).sum::<u64>();
    named + content(message.get("content")) + calls + plain
}

fn content(content: Option<&Value>) -> u64 {
    match content {
        None | Some(Value::Null) => 0,
        Some(Value::String(text)) => count(text),
        Some(other) => count(&python::json(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_conversation_is_the_sum_of_its_parts() {
        assert_eq!(count("hello world"), 2);
        let one = [json!({"role": "user", "content": "hello world"})];
        let gpt = crate::find("gpt-4o").unwrap();
        assert_eq!(estimate(&one, gpt), 5);
        assert_eq!(estimate(&[json!({"role": "user", "name": "ada", "content": "hello world"})], gpt), 6);
        assert_eq!(estimate(&one, crate::find("claude-sonnet-5").unwrap()), 8, "7.5, rounded up");
        let call = json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": "hello", "function": {"name": "world", "arguments": "hello world"}}]});
        assert_eq!(estimate(&[call], gpt), 3 + 1 + 1 + 2);
        assert_eq!(estimate(&[json!({"role": "tool", "tool_call_id": "hello", "content": "hello world"})], gpt), 6);
    }
}
