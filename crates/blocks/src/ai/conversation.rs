//! Asks a model for the next message of a conversation.

use super::structured::{Structured, Wanted, structured};
use super::talk::Talk;
use super::{block, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working, refuse};
use crate::registry::Ports;
use heddle_model::Value;

pub(crate) const BLOCK: Block = block("32a87eab-381e-4dd4-bdb8-4c47151be35a", work);

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        let mut talk = Talk::open(&mut input, cx, ports, out).await?;
        let ended = run(input, cx, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, cx: &Cx, talk: &mut Talk<'_>) -> Ended {
    let (mut history, prompt) = (input.list("messages"), input.text("prompt"));
    // What is no message is not sent, and not told as if it had been.
    history.retain(Value::is_object);
    let says = |message: &Value| {
        message.get("content").and_then(Value::as_str).is_some_and(|content| !content.trim().is_empty())
    };
    if prompt.is_empty() && !history.iter().any(says) {
        return Err(refuse("a message with some text, or a prompt, is needed"));
    }
    let wanted = Wanted { history, max_tokens: tokens(&input, "max_tokens"), ..Wanted::text(prompt) };
    let Structured { response, prompt } = structured(wanted, cx, talk).await?;
    talk.out.emit("response", response).await?;
    talk.out.emit("prompt", prompt).await
}
