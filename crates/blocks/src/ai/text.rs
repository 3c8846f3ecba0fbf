//! Asks a model for a text.

use super::structured::{RETRY, Structured, Wanted, structured};
use super::talk::Talk;
use super::{block, filled, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working};
use crate::registry::Ports;

pub(crate) const BLOCK: Block = block("1f292d4a-41a4-4977-9684-7c8d560b9f91", work);

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        let mut talk = Talk::open(&mut input, cx, ports, out).await?;
        let ended = run(input, cx, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, cx: &Cx, talk: &mut Talk<'_>) -> Ended {
    let values = input.object("prompt_values");
    let wanted = Wanted {
        system: filled(input.text("sys_prompt"), &values)?,
        retry: input.integer("retry").unwrap_or(RETRY),
        max_tokens: tokens(&input, "max_tokens"),
        ..Wanted::text(filled(input.text("prompt"), &values)?)
    };
    let Structured { response, prompt } = structured(wanted, cx, talk).await?;
    talk.out.emit("response", response).await?;
    talk.out.emit("prompt", prompt).await
}
