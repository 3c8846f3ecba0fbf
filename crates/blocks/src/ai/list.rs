//! Has a model make a list.

use super::structured::{RETRY, Structured, Wanted, structured};
use super::talk::Talk;
use super::{block, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working, refuse};
use crate::registry::Ports;
use heddle_model::{Object, Value, python};

pub(crate) const BLOCK: Block = block("9c0b0450-d199-458b-a731-072189dd6593", work);

const SYSTEM: &str = "You make lists. Every element is a text of its own, complete and without a number or a dash before it. \
                      Put into the list what is asked for, nothing twice, and no remarks about the list.";

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        let mut talk = Talk::open(&mut input, cx, ports, out).await?;
        let ended = run(input, cx, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, cx: &Cx, talk: &mut Talk<'_>) -> Ended {
    let json = input.flag("force_json_output", false);
    let one = |key: &str, text: &str| -> Object { [(key.to_owned(), text.into())].into_iter().collect() };
    let wanted = Wanted {
        system: SYSTEM.to_owned(),
        format: one("list", "the list, as a JSON array of texts"),
        optional: if json { one("reasoning", "your thoughts on what belongs in the list") } else { Object::new() },
        json,
        retry: input.integer("max_retries").unwrap_or(RETRY),
        max_tokens: tokens(&input, "max_tokens"),
        ..Wanted::text(prompt(&input.text("focus"), &input.text("source_data")))
    };
    let Structured { response, prompt } = structured(wanted, cx, talk).await?;
    let Some(Value::Array(list)) = response.get("list") else {
        return Err(refuse("the model's answer holds no list"));
    };
    let list: Vec<Value> = list.iter().map(as_text).collect();
    talk.out.emit("generated_list", list.clone()).await?;
    talk.out.emit("prompt", prompt).await?;
    for item in list {
        talk.out.emit("list_item", item).await?;
    }
    Ok(())
}

/// The pins carry texts; a model that counts gives numbers.
fn as_text(item: &Value) -> Value {
    match item {
        Value::String(_) => item.clone(),
        other => python::json(other).into(),
    }
}

fn prompt(focus: &str, source: &str) -> String {
    let about = match focus {
        "" => "Make a list".to_owned(),
        focus => format!("Make a list. What belongs in it: {focus}"),
    };
    match source {
        "" if focus.is_empty() => "Make a list of your own choice.".to_owned(),
        "" => about,
        source => format!(
            "{about}\n\nTake the elements from this source and from nothing else:\n<source>\n{source}\n</source>"
        ),
    }
}
