//! Question after question, while tools run in between.

use super::super::message;
use super::super::structured::failed;
use super::super::talk::Talk;
use super::history::{as_text, form};
use super::{Task, arguments};
use crate::block::{Ended, refuse};
use heddle_engine::ports::{Call, Called};
use heddle_engine::view;
use heddle_llm::{Answer, ToolCall, answer_to};
use heddle_model::{Object, Value};
use serde_json::json;

const LAST: &str =
    "This is the last step: no tools can be called any more. Say what was reached, and what is left to do.";
const LIMIT: &str = "The limit of steps is reached (agent_mode_max_iterations).";
const DONE: &str = "Done; the tool has nothing to say.";
const WAITS: &str = "A person has to agree first. What comes of it will not be known in this conversation.";

/// `most` questions at most; `None` for any number.
pub(super) async fn run(task: Task, most: Option<u64>, talk: &mut Talk<'_>) -> Ended {
    let offered = task.offered();
    let mut messages = task.messages.clone();
    for step in 1u64.. {
        let is_last = most.is_some_and(|most| step >= most);
        let mut asked = messages.clone();
        if is_last {
            asked.push(message("system", LAST));
        }
        let tools = if is_last { &[][..] } else { &offered };
        let (answer, _) = talk.ask(task.question(asked, tools, false)).await.map_err(|error| failed(&error))?;
        if answer.calls.is_empty() || is_last {
            let text = if answer.text.is_empty() && is_last { LIMIT.to_owned() } else { answer.text.clone() };
            messages.extend(last_words(answer));
            talk.out.emit("finished", text).await?;
            return talk.out.emit("conversations", messages).await;
        }
        round(&task, answer, &mut messages, talk).await?;
    }
    Ok(())
}

/// Runs what one answer calls, and tells the model what came of it.
async fn round(task: &Task, answer: Answer, messages: &mut Vec<Value>, talk: &mut Talk<'_>) -> Ended {
    let mut wanted = Vec::new();
    for call in &answer.calls {
        let (tool, arguments) = arguments(call, &task.tools).map_err(refuse)?;
        let pins: Object = arguments.into_iter().map(|(field, value)| (tool.fields[&field].clone(), value)).collect();
        wanted.push(Call { node: tool.node, arguments: pins });
    }
    let pins: Vec<Object> = wanted.iter().map(|call| call.arguments.clone()).collect();
    talk.keep().await;
    let called = talk.out.call(wanted).await;
    messages.extend(answer.messages);
    for (ToolCall { id, .. }, end) in answer.calls.iter().zip(called) {
        let (text, has_failed) = said(end);
        messages.push(answer_to(form(id, talk.speaks_responses()), id, &text, has_failed));
    }
    talk.out.emit("conversations", messages.clone()).await?;
    for (call, arguments) in answer.calls.iter().zip(pins) {
        talk.out.emit("tool_calls", json!({"name": call.name, "arguments": arguments})).await?;
    }
    Ok(())
}

/// What a tool has to say, and whether it has failed.
fn said(end: Called) -> (String, bool) {
    match end {
        Called::Done(outputs) if outputs.is_empty() => (DONE.to_owned(), false),
        Called::Done(outputs) => {
            let named = view::group(outputs.iter().map(|(pin, value)| (pin.as_str(), value)));
            let named: Object = named.into_iter().map(|(pin, values)| (pin, values.into())).collect();
            (as_text(&named.into()), false)
        }
        Called::Failed(text) => (format!("The tool has failed: {text}"), true),
        Called::Waiting => (WAITS.to_owned(), false),
    }
}

/// What the model has thought goes before what it says.
fn last_words(answer: Answer) -> Vec<Value> {
    let thought = answer.reasoning.map(|thought| message("assistant", format!("[Reasoning]: {thought}")));
    thought.into_iter().chain(answer.messages).collect()
}
