//! Shortening a conversation that is too long, oldest and middle parts first.
//!
//! The steps, each only as far as needed: contents with a structure become text; middle messages are cut in their
//! middles, ever shorter; middle messages go, those nearest the centre first; the first and last are cut; answers of tools
//! whose call has gone go with it. No summary is made. What does not fit after all is sent as it is.

use crate::{Model, tokens};
use heddle_model::{Value, python};
use std::collections::HashSet;

/// The longest a cut message may be at first, and in the end.
const FIRST_CAP: u64 = 8192;
const LAST_CAP: u64 = 128;

/// Messages that begin like this say what all is about and stay whole.
pub const OBJECTIVE: &str = "[Main Objective Prompt]: ";

/// Stands where something was cut out.
const GAP: &str = " … ";

/// The conversation in at most `target` of the model's tokens, if that can be done.
pub fn compress(messages: Vec<Value>, target: u64, model: &Model) -> Vec<Value> {
    let mut kept: Vec<Kept> = messages.into_iter().map(Kept::new).collect();
    let total = |kept: &[Kept]| tokens::for_model(kept.iter().map(|message| message.tokens).sum(), model);
    if total(&kept) <= target {
        return kept.into_iter().map(|message| message.message).collect();
    }
    kept.iter_mut().for_each(Kept::flatten);
    for cap in caps() {
        let last = kept.len().saturating_sub(1);
        for at in 1..last {
            if total(&kept) <= target {
                break;
            }
            kept[at].cut(cap);
        }
    }
    while total(&kept) > target
        && let Some(at) = nearest_the_centre(&kept)
    {
        kept.remove(at);
    }
    for cap in caps() {
        for at in [0, kept.len().saturating_sub(1)] {
            if total(&kept) > target
                && let Some(message) = kept.get_mut(at)
            {
                message.cut(cap);
            }
        }
    }
    whole(kept.into_iter().map(|message| message.message).collect())
}

fn caps() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(FIRST_CAP), |cap| Some(cap / 2).filter(|cap| *cap >= LAST_CAP))
}

/// The middle message that goes next; none when only the first, the last and objectives are left.
fn nearest_the_centre(kept: &[Kept]) -> Option<usize> {
    let centre = kept.len() / 2;
    let middle = 1..kept.len().saturating_sub(1);
    middle.filter(|at| !kept[*at].is_objective()).min_by_key(|at| at.abs_diff(centre))
}

/// Answers without their calls are refused by providers, and calls without the answers that they had likewise.
fn whole(messages: Vec<Value>) -> Vec<Value> {
    let ids = |pick: fn(&Value) -> Vec<&str>, messages: &[Value]| -> HashSet<String> {
        messages.iter().flat_map(pick).map(str::to_owned).collect()
    };
    let asked = ids(asked, &messages);
    messages.into_iter().filter(|message| answered(message).iter().all(|id| asked.contains(*id))).collect()
}

fn asked(message: &Value) -> Vec<&str> {
    let own = message.get("type").is_some_and(|kind| kind == "function_call");
    let own = own.then(|| message.get("call_id").and_then(Value::as_str)).flatten();
    let chat = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
    let blocks = blocks(message, "tool_use");
    own.into_iter().chain(chat.chain(blocks).filter_map(|call| call.get("id")?.as_str())).collect()
}

fn answered(message: &Value) -> Vec<&str> {
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let own = match (text("type"), text("role")) {
        (Some("function_call_output"), _) => text("call_id"),
        (_, Some("tool")) => text("tool_call_id"),
        _ => None,
    };
    let blocks = blocks(message, "tool_result").filter_map(|block| block.get("tool_use_id")?.as_str());
    own.into_iter().chain(blocks).collect()
}

fn blocks<'a>(message: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    let all = message.get("content").and_then(Value::as_array).into_iter().flatten();
    all.filter(move |block| block.get("type").is_some_and(|known| known == kind))
}

/// A message and its tokens.
struct Kept {
    message: Value,
    tokens: u64,
}

impl Kept {
    fn new(message: Value) -> Self {
        Self { tokens: tokens::of_message(&message), message }
    }

    fn is_about_tools(&self) -> bool {
        !asked(&self.message).is_empty() || !answered(&self.message).is_empty()
    }

    fn is_objective(&self) -> bool {
        self.message.get("content").and_then(Value::as_str).is_some_and(|text| text.starts_with(OBJECTIVE))
    }

    fn flatten(&mut self) {
        if self.is_about_tools() {
            return;
        }
        if let Some(content) =
            self.message.get_mut("content").filter(|content| content.is_array() || content.is_object())
        {
            *content = python::json(content).into();
            self.tokens = tokens::of_message(&self.message);
        }
    }

    /// Takes out the middle of a text that is longer than so many tokens.
    fn cut(&mut self, cap: u64) {
        if self.is_objective() || self.tokens <= cap {
            return;
        }
        let Some(Value::String(text)) = self.message.get_mut("content") else { return };
        *text = middle_out(text, cap);
        self.tokens = tokens::of_message(&self.message);
    }
}

/// The two ends of a text, `cap` tokens together.
fn middle_out(text: &str, cap: u64) -> String {
    let mut tokens = tokens::count(text);
    let mut cut = text.to_owned();
    let mut keep = text.len();
    while tokens > cap && keep > 1 {
        // Tokens are not equally long everywhere: a little less than their share, until it fits.
        keep = ((keep as f64) * (cap as f64) / (tokens as f64) * 0.98) as usize;
        let (head, tail) = (floor(text, keep / 2), text.len() - keep / 2);
        let tail = (tail..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        cut = format!("{}{GAP}{}", &text[..head], &text[tail..]);
        tokens = tokens::count(&cut);
    }
    cut
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(words: usize) -> Value {
        json!({"role": "user", "content": "hello world ".repeat(words / 2)})
    }

    fn model() -> &'static Model {
        crate::find("gpt-4o").unwrap()
    }

    fn sizes(messages: &[Value]) -> Vec<u64> {
        messages.iter().map(tokens::of_message).collect()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let messages = vec![said(10), json!({"role": "user", "content": [{"type": "text", "text": "x"}]}), said(10)];
        assert_eq!(compress(messages.clone(), 1000, model()), messages);
    }

    #[test]
    fn middles_of_middle_messages_go_first() {
        let long = "start ".to_owned() + &"hello ".repeat(20_000) + "end";
        let messages = vec![said(300), json!({"role": "user", "content": long}), said(300)];
        let got = compress(messages.clone(), 9_000, model());
        assert_eq!((got.len(), &got[0], &got[2]), (3, &messages[0], &messages[2]));
        let text = got[1]["content"].as_str().unwrap();
        assert!(text.starts_with("start hello") && text.ends_with("hello end") && text.contains(GAP));
        let size = sizes(&got)[1];
        assert!((7_000..=8_195).contains(&size), "no shorter than needed: {size}");
    }

    #[test]
    fn then_middle_messages_go_from_the_centre_and_objectives_stay_whole() {
        let objective = json!({"role": "user", "content": format!("{OBJECTIVE}{}", "hello ".repeat(400))});
        let mut messages: Vec<Value> =
            (0..9).map(|n| json!({"role": "user", "content": format!("{n} {}", "x ".repeat(200))})).collect();
        messages[4] = objective.clone();
        let got = compress(messages.clone(), 1_000, model());
        assert!(got.contains(&objective));
        assert!(got.len() < 9 && crate::estimate(&got, model()) <= 1_000);
        assert_eq!((&got[0], got.last()), (&messages[0], messages.last()), "the ends were not needed");
    }

    #[test]
    fn the_ends_are_cut_last() {
        let got = compress(vec![said(4_000), said(4_000)], 600, model());
        assert_eq!(got.len(), 2);
        assert!(crate::estimate(&got, model()) <= 600, "{:?}", sizes(&got));
    }

    #[test]
    fn answers_go_with_their_calls_and_keep_their_structure() {
        let call = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "n",
            "input": {"text": "hello ".repeat(3_000)}}]});
        let answer =
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]});
        let messages = vec![said(10), call.clone(), answer.clone(), said(10)];
        assert_eq!(compress(messages.clone(), 100_000, model()), messages);
        assert_eq!(compress(messages, 200, model()), [said(10), said(10)]);
    }

    #[test]
    fn what_cannot_be_made_to_fit_is_left_at_its_shortest() {
        let got = compress(vec![said(4_000), said(4_000), said(4_000)], 10, model());
        assert_eq!(got.len(), 2);
        assert!(sizes(&got).into_iter().all(|size| size <= LAST_CAP + 4), "{:?}", sizes(&got));
    }
}
