//! Summarises a text of any length: piece by piece, then the pieces together.

use super::block;
use super::structured::{Structured, Wanted, structured};
use super::talk::Talk;
use crate::block::{Block, Cx, Ended, Input, Outlet, Working, refuse};
use crate::registry::Ports;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value};

pub(crate) const BLOCK: Block = block("a0a69be1-4528-491c-a85a-a4ab6873e3f0", work);

/// Characters that are looked at.
const MOST_CHARACTERS: usize = 1_000_000;
/// Pieces of a text.
const MOST_PIECES: usize = 100;
/// Summaries of summaries; they get shorter, unless a model does not do as it is told.
const MOST_ROUNDS: usize = 8;

const FOCUS: &str = "general information";
const STYLE: &str = "concise";

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        let mut talk = Talk::open(&mut input, cx, ports, out).await?;
        let ended = run(input, cx, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, cx: &Cx, talk: &mut Talk<'_>) -> Ended {
    let count = |pin: &str, usual: usize| {
        input
            .integer(pin)
            .map_or(Some(usual), |count| usize::try_from(count).ok())
            .ok_or_else(|| refuse(format!("{pin} must not be negative")))
    };
    let (window, overlap) = (count("max_tokens", 4096)?.max(1), count("chunk_overlap", 100)?);
    let mut text = input.text("text");
    let (mut focus, mut style) = (or(input.text("focus"), FOCUS), or(input.text("style"), STYLE));
    for _ in 0..MOST_ROUNDS {
        let mut summaries = Vec::new();
        for piece in pieces(&text, window, overlap) {
            let prompt = format!(
                "Summarise the following text. What matters most: {focus}. The form of the summary: {style}.\n\n<text>\n{piece}\n</text>"
            );
            summaries.push(summary(prompt, "summary", "the summary", cx, talk).await?.0);
        }
        let joined = summaries.join("\n\n");
        if joined.split_whitespace().count() <= window {
            let prompt = format!(
                "These are summaries of the parts of one text, in their order. Make one summary of them. What matters most: \
                 {focus}. The form of the summary: {style}.\n\n<summaries>\n{joined}\n</summaries>"
            );
            let (summary, sent) = summary(prompt, "final_summary", "the summary of all parts", cx, talk).await?;
            talk.out.emit("summary", summary).await?;
            return talk.out.emit("prompt", sent).await;
        }
        (text, focus, style) = (joined, FOCUS.to_owned(), STYLE.to_owned());
    }
    Err(refuse("the summaries do not get shorter"))
}

fn or(text: String, usual: &str) -> String {
    if text.is_empty() { usual.to_owned() } else { text }
}

/// Windows of words, each overlapping the one before.
fn pieces(text: &str, window: usize, overlap: usize) -> Vec<String> {
    let text = text.char_indices().nth(MOST_CHARACTERS).map_or(text, |(end, _)| &text[..end]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let step = window.saturating_sub(overlap).max(1);
    (0..words.len())
        .step_by(step)
        .take(MOST_PIECES)
        .map(|at| words[at..words.len().min(at + window)].join(" "))
        .collect()
}

async fn summary(
    prompt: String,
    key: &str,
    what: &str,
    cx: &Cx,
    talk: &mut Talk<'_>,
) -> Result<(String, Vec<Value>), Failure> {
    let format: Object = [(key.to_owned(), what.into())].into_iter().collect();
    let Structured { response, prompt } = structured(Wanted { format, ..Wanted::text(prompt) }, cx, talk).await?;
    match response.get(key) {
        Some(Value::String(summary)) => Ok((summary.clone(), prompt)),
        _ => Err(refuse("the model's summary is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn windows_overlap_and_are_bounded() {
        assert_eq!(pieces("a b c d e", 3, 1), ["a b c", "c d e", "e"]);
        assert_eq!(pieces("a  b\nc", 10, 3), ["a b c"]);
        assert_eq!(pieces("a b c", 2, 5), ["a b", "b c", "c"], "an overlap of everything still goes on");
        assert_eq!(pieces(" ", 3, 1), [""; 0]);
        assert_eq!(pieces(&"a ".repeat(300), 1, 0).len(), 100);
        assert_eq!(pieces(&"ä".repeat(1_000_001), 3, 1)[0].chars().count(), 1_000_000);
    }
}
