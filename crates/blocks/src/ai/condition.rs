//! Has a model decide whether something holds.

use super::talk::{Question, Talk};
use super::{block, message, structured};
use crate::block::{Block, Cx, Ended, Input, Outlet, Working, refuse};
use crate::registry::Ports;
use heddle_model::python;

pub(crate) const BLOCK: Block = block("553ec5b8-6c45-4299-8d75-b394d05f72ff", work);

/// One word is enough.
const MOST_TOKENS: u64 = 16;

const SYSTEM: &str = "You judge whether something satisfies a condition. Answer with the one word true or the one word false \
                      and with nothing else.";

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        let mut talk = Talk::open(&mut input, cx, ports, out).await?;
        let ended = run(input, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, talk: &mut Talk<'_>) -> Ended {
    let value = input.take("input_value");
    let question = format!("Input: {}\n\nCondition: {}", python::text(&value), input.text("condition"));
    let messages = vec![message("system", SYSTEM), message("user", question)];
    let question = Question { max_tokens: Some(MOST_TOKENS), ..Question::new(messages) };
    let (answer, _) = talk.ask(question).await.map_err(|error| structured::failed(&error))?;
    let holds = verdict(&answer.text)
        .ok_or_else(|| refuse(format!("the model's answer is neither true nor false: {:?}", answer.text)))?;
    talk.out.emit("result", holds).await?;
    let (pin, own) = if holds { ("yes_output", "yes_value") } else { ("no_output", "no_value") };
    talk.out.emit(pin, input.given(own).unwrap_or(value)).await
}

/// Yes or no, as long as it is not both.
fn verdict(answer: &str) -> Option<bool> {
    let answer = answer.trim().to_lowercase();
    match answer.as_str() {
        "true" => return Some(true),
        "false" => return Some(false),
        _ => {}
    }
    let words: Vec<&str> = answer.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let has = |of: [&str; 3]| words.iter().any(|word| of.contains(word));
    match (has(["true", "yes", "1"]), has(["false", "no", "0"])) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn a_verdict_is_one_kind_of_word() {
        for (answer, want) in [
            (" True\n", Some(true)),
            ("FALSE", Some(false)),
            ("Yes, it does.", Some(true)),
            ("The answer is no", Some(false)),
            ("1", Some(true)),
            ("0.", Some(false)),
            ("yes and no", None),
            ("nothing to say", None),
            ("untrue", None),
            ("10", None),
            ("", None),
        ] {
            assert_eq!(verdict(answer), want, "{answer:?}");
        }
    }
}
