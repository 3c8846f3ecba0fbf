//! Asks a model that searches the web, and hands on where it has looked.

use super::talk::{Question, Talk};
use super::{block, message, structured, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working};
use crate::registry::Ports;
use heddle_model::Value;

pub(crate) const BLOCK: Block = block("c8a5f2e9-8b3d-4a7e-9f6c-1d5e3c9b7a4f", work);

const MODELS: [&str; 3] = ["perplexity/sonar", "perplexity/sonar-pro", "perplexity/sonar-deep-research"];

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        let model = Some(input.text("model")).filter(|model| MODELS.contains(&model.as_str()));
        let model = model.unwrap_or_else(|| MODELS[0].to_owned());
        let mut talk = Talk::with_model(&mut input, &model, cx, ports, out).await?;
        let ended = run(input, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, talk: &mut Talk<'_>) -> Ended {
    let system = Some(input.text("system_prompt")).filter(|text| !text.is_empty()).map(|text| message("system", text));
    let messages = system.into_iter().chain([message("user", input.text("prompt"))]).collect();
    let question = Question { max_tokens: tokens(&input, "max_tokens"), compress: false, ..Question::new(messages) };
    let (answer, _) = talk.ask(question).await.map_err(|error| structured::failed(&error))?;
    let found = answer.messages.first().and_then(|message| message.get("annotations")).and_then(Value::as_array);
    let found: Vec<Value> = found.into_iter().flatten().filter(|note| note.is_object()).cloned().collect();
    talk.out.emit("response", answer.text).await?;
    talk.out.emit("annotations", found).await
}
