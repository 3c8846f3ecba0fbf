//! Asks for an answer of a given shape, and asks again until it has it.

use super::talk::{Question, Talk};
use super::{block, filled, message, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working, refuse};
use crate::registry::Ports;
use heddle_engine::ports::Failure;
use heddle_llm::Error;
use heddle_model::{Object, Value};

pub(crate) const BLOCK: Block = block("ed55ac19-356e-4243-a6cb-bc599e9b716f", work);

mod parse;

use parse::{Shape, instructions};

/// Attempts where no pin says how many.
pub(super) const RETRY: i64 = 3;

/// An answer that is only so long where neither user nor table say how long it may be, once a shorter one is wanted.
const USUAL_OUTPUT: u64 = 4096;

/// What is wanted.
pub(super) struct Wanted {
    /// The conversation so far.
    pub history: Vec<Value>,
    /// What the model is to be.
    pub system: String,
    /// What it is asked.
    pub prompt: String,
    /// Key → what is to stand there; empty for any text.
    pub format: Object,
    /// Keys that may stand there too.
    pub optional: Object,
    /// Several such objects.
    pub list: bool,
    /// The provider is to force JSON.
    pub json: bool,
    /// How often to ask.
    pub retry: i64,
    /// The most tokens of an answer.
    pub max_tokens: Option<u64>,
    /// A prompt that is too long is shortened.
    pub compress: bool,
}

impl Wanted {
    /// A text for an answer.
    pub fn text(prompt: String) -> Self {
        Self {
            history: Vec::new(),
            system: String::new(),
            prompt,
            format: Object::new(),
            optional: Object::new(),
            list: false,
            json: false,
            retry: RETRY,
            max_tokens: None,
            compress: true,
        }
    }
}

/// What came of it.
pub(super) struct Structured {
    /// An object; a list of them where that was wanted; without a format the text alone.
    pub response: Value,
    /// The messages that were sent last.
    pub prompt: Vec<Value>,
}

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
        history: input.list("conversation_history"),
        system: filled(input.text("sys_prompt"), &values)?,
        prompt: filled(input.text("prompt"), &values)?,
        format: input.object("expected_format"),
        optional: Object::new(),
        list: input.flag("list_result", false),
        json: input.flag("force_json_output", false),
        retry: input.integer("retry").unwrap_or(RETRY),
        max_tokens: tokens(&input, "max_tokens"),
        compress: input.flag("compress_prompt_to_fit", true),
    };
    let is_text = wanted.format.is_empty();
    let Structured { response, prompt } = structured(wanted, cx, talk).await?;
    let response =
        if is_text { Value::Object([("response".to_owned(), response)].into_iter().collect()) } else { response };
    talk.out.emit("response", response).await?;
    talk.out.emit("prompt", prompt).await
}

/// Asks until the answer has its shape.
pub(super) async fn structured(wanted: Wanted, cx: &Cx, talk: &mut Talk<'_>) -> Result<Structured, Failure> {
    let shape = Shape { tag: tag(cx), format: wanted.format, list: wanted.list, json: wanted.json };
    let mut messages: Vec<Value> = wanted.history.into_iter().filter(|said| !is_empty(said)).collect();
    if !wanted.system.is_empty() {
        messages.push(message("system", wanted.system));
    }
    if !shape.format.is_empty() {
        messages.push(message("system", instructions(&shape, &wanted.optional)));
    }
    if !wanted.prompt.is_empty() {
        messages.push(message("user", wanted.prompt));
    }
    let mut max_tokens = wanted.max_tokens;
    let mut last = String::new();
    for attempt in 0..wanted.retry.max(1) {
        let question = Question {
            max_tokens,
            json: wanted.json && !shape.format.is_empty(),
            compress: wanted.compress,
            again: attempt > 0,
            ..Question::new(messages.clone())
        };
        match talk.ask(question).await {
            Err(error) if error.is_final() => return Err(failed(&error)),
            Err(error) => {
                if error.is_about_length() {
                    max_tokens = Some(shorter(max_tokens.or(talk.output()).unwrap_or(USUAL_OUTPUT)));
                }
                last = error.to_string();
            }
            Ok((answer, prompt)) if shape.format.is_empty() => {
                return Ok(Structured { response: answer.text.into(), prompt });
            }
            Ok((answer, prompt)) => match shape.read(&answer.text) {
                Ok(response) => return Ok(Structured { response, prompt }),
                Err(complaint) => {
                    messages.push(message("assistant", answer.text));
                    messages.push(message("user", parse::complaint(&complaint, &shape)));
                    last = complaint;
                }
            },
        }
    }
    Err(refuse(last))
}

/// Marks the answer so that nothing in the prompt can pass for it. The same in every attempt, as what was answered before
/// a crash is read after it.
fn tag(cx: &Cx) -> String {
    let id = cx.place.as_ref().map(|place| place.exec_id().0.as_u128());
    format!("{:016x}", id.map_or(cx.seed, |id| (id ^ (id >> 64)) as u64))
}

fn shorter(tokens: u64) -> u64 {
    (tokens as f64 * 0.85) as u64
}

fn is_empty(said: &Value) -> bool {
    said.is_null() || said.as_object().is_some_and(Object::is_empty) || said.as_str().is_some_and(str::is_empty)
}

/// The texts of a model's interface name no key.
pub(super) fn failed(error: &Error) -> Failure {
    refuse(error.to_string())
}
