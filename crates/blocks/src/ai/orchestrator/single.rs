//! One question: what the model wants done goes out over the links.

use super::super::message;
use super::super::structured::failed;
use super::super::talk::Talk;
use super::{Definition, Task, arguments};
use crate::block::{Ended, refuse};
use heddle_model::{Object, Value};

pub(super) async fn run(task: Task, talk: &mut Talk<'_>) -> Ended {
    let offered = task.offered();
    let mut asked = task.messages.clone();
    let mut last = String::new();
    for attempt in 0..task.retry.max(1) {
        let answer = match talk.ask(task.question(asked.clone(), &offered, attempt > 0)).await {
            Ok((answer, _)) => answer,
            Err(error) if error.is_final() => return Err(failed(&error)),
            Err(error) => {
                last = error.to_string();
                continue;
            }
        };
        if answer.calls.is_empty() {
            return talk.out.emit("finished", answer.text).await;
        }
        let wanted: Result<Vec<(&Definition, Object)>, String> =
            answer.calls.iter().map(|call| arguments(call, &task.tools)).collect();
        match wanted {
            Ok(wanted) => {
                send(wanted, talk).await?;
                let conversation: Vec<Value> = task.messages.iter().cloned().chain(answer.messages).collect();
                return talk.out.emit("conversations", conversation).await;
            }
            Err(complaint) => {
                let words = format!(
                    "Your call of a tool cannot be carried out. {complaint}. Call again, as the tools want it."
                );
                asked.push(message("user", words));
                last = complaint;
            }
        }
    }
    Err(refuse(last))
}

/// A pin for each parameter, also for one that the model has not filled.
async fn send(wanted: Vec<(&Definition, Object)>, talk: &mut Talk<'_>) -> Ended {
    for (tool, arguments) in wanted {
        for (field, pin) in &tool.fields {
            let value = arguments.get(field).cloned().unwrap_or_default();
            talk.out.emit(&format!("tools_^_{}_~_{pin}", tool.sink), value).await?;
        }
    }
    Ok(())
}
