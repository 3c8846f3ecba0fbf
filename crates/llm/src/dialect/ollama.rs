//! Ollama's own chat.

use super::{Letter, number, text};
use crate::turn::{self, Turn};
use crate::{Answer, Ask, Error};
use heddle_model::{Usage, Value};
use serde_json::json;

pub(crate) fn write(ask: &Ask<'_>) -> Letter {
    let mut body = json!({"model": ask.model, "messages": messages(ask.messages), "stream": false});
    if ask.json {
        body["format"] = "json".into();
    }
    if let Some(most) = ask.max_tokens {
        body["options"] = json!({"num_predict": most});
    }
    Letter { path: "/chat".to_owned(), body }
}

/// Only texts are understood.
fn messages(messages: &[Value]) -> Vec<Value> {
    let message = |turn: Turn<'_>| match turn {
        Turn::Said { role, content, .. } => Some(json!({"role": role, "content": turn::as_text(content)})),
        Turn::Called { text, .. } => text.map(|text| json!({"role": "assistant", "content": text})),
        Turn::Answered { output, .. } => Some(json!({"role": "tool", "content": output})),
        Turn::Other(_) => None,
    };
    turn::turns(messages).into_iter().filter_map(message).collect()
}

pub(crate) fn read(body: &Value) -> Result<Answer, Error> {
    let said = text(body, "/message/content").ok_or_else(|| Error::Empty(String::new()))?;
    Ok(Answer {
        messages: vec![json!({"role": "assistant", "content": said})],
        text: said,
        calls: Vec::new(),
        reasoning: text(body, "/message/thinking"),
        usage: Usage {
            input_tokens: number(body, "/prompt_eval_count"),
            output_tokens: number(body, "/eval_count"),
            ..Usage::default()
        },
    })
}
