//! The conversation up to the next question.

use super::super::message;
use crate::block::refuse;
use heddle_engine::ports::Failure;
use heddle_llm::{Form, OBJECTIVE, answer_to};
use heddle_model::{Value, conversation, python};

/// What a conversation is made of.
pub(super) struct History {
    /// What was said before.
    pub messages: Vec<Value>,
    /// What a tool has answered.
    pub output: Option<Value>,
    /// What the model is to be.
    pub system: String,
    /// What it is to do.
    pub prompt: String,
}

impl History {
    /// The messages, and whether it is the model's turn: it is not while other calls have no answer.
    pub fn messages(self, responses: bool) -> Result<(Vec<Value>, bool), Failure> {
        let mut messages: Vec<Value> = self.messages.into_iter().filter(|said| !said.is_null()).collect();
        let history = Value::from(messages.clone());
        let pending = conversation::pending(&history);
        match (pending.first(), self.output) {
            (Some(_), None) => return Err(refuse("the conversation waits for a tool's output (last_tool_output)")),
            (Some(id), Some(output)) => {
                messages.push(answer_to(form(id, responses), id, &as_text(&output), false));
                if pending.len() > 1 {
                    return Ok((messages, false));
                }
            }
            (None, Some(output)) => messages.push(message("user", as_text(&output))),
            (None, None) => {}
        }
        for (role, text) in [("system", self.system), ("user", self.prompt)] {
            if !text.is_empty() && !messages.iter().any(|said| is_objective(said, role)) {
                messages.push(message(role, format!("{OBJECTIVE}{text}")));
            }
        }
        Ok((messages, true))
    }
}

/// The form of an answer to a call: each provider knows its own ids.
pub(super) fn form(id: &str, responses: bool) -> Form {
    match id {
        id if id.starts_with("toolu_") => Form::Messages,
        _ if responses => Form::Responses,
        _ => Form::Chat,
    }
}

/// A tool's output for a model.
pub(super) fn as_text(output: &Value) -> String {
    match output {
        Value::String(text) => text.clone(),
        other => python::json(other),
    }
}

fn is_objective(said: &Value, role: &str) -> bool {
    let begins =
        |said: &Value| said.get("content").and_then(Value::as_str).is_some_and(|text| text.starts_with(OBJECTIVE));
    said.get("role").is_some_and(|known| known == role) && begins(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn history(messages: Value, output: Option<Value>) -> History {
        let messages = messages.as_array().cloned().unwrap();
        History { messages, output, system: "be brief".to_owned(), prompt: "do it".to_owned() }
    }

    #[test]
    fn the_objective_is_said_once() {
        let (said, _) = history(json!([]), None).messages(false).unwrap();
        let want = json!([{"role": "system", "content": "[Main Objective Prompt]: be brief"},
            {"role": "user", "content": "[Main Objective Prompt]: do it"}]);
        assert_eq!(Value::from(said), want);
        let (said, is_ready) = history(want.clone(), Some(json!({"a": 1}))).messages(false).unwrap();
        assert_eq!((said.len(), is_ready), (3, true));
        assert_eq!(said[2], json!({"role": "user", "content": "{\"a\": 1}"}), "nobody has asked for it");
    }

    #[test]
    fn an_output_answers_the_first_call_in_its_own_form() {
        let calls = |ids: [&str; 2]| json!([{"role": "assistant", "tool_calls": [{"id": ids[0]}, {"id": ids[1]}]}]);
        let (said, is_ready) = history(calls(["c1", "c2"]), Some(json!(7))).messages(false).unwrap();
        assert_eq!((said[1].clone(), is_ready), (json!({"role": "tool", "tool_call_id": "c1", "content": "7"}), false));
        let (said, is_ready) = history(json!(said), Some(json!("x"))).messages(true).unwrap();
        assert_eq!(said[2], json!({"type": "function_call_output", "call_id": "c2", "output": "x"}));
        assert!(is_ready && said.len() == 5);
        let (said, _) = history(calls(["toolu_1", "b"]), Some(json!("x"))).messages(true).unwrap();
        assert_eq!(said[1]["content"][0]["tool_use_id"], "toolu_1");
        assert!(history(calls(["a", "b"]), None).messages(false).is_err());
    }
}
