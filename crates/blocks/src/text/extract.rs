//! Picks what a pattern matches out of a text.

use super::as_text;
use crate::block::{Block, Cx, Ended, Input, Out};
use crate::pattern::{self, Flags};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0", run);

const MAX_TEXT: usize = 1_000_000;
const MAX_MATCHES: usize = 1000;
const MAX_MATCH: usize = 10_000;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut text = as_text(input.take("text"));
    let end = characters(&text, MAX_TEXT).len();
    text.truncate(end);
    let group = input.integer("group").unwrap_or(0);
    let flags = Flags { ignore_case: !input.flag("case_sensitive", true), dot_all: input.flag("dot_all", true) };
    // Whatever goes wrong with the pattern counts as no match.
    let mut results = matches(&text, &input.text("pattern"), flags, group).unwrap_or_default();
    if !input.flag("find_all", false) {
        results.truncate(1);
    }
    for result in &results {
        out.emit("positive", result.clone())?;
    }
    if results.is_empty() {
        out.emit("negative", text)?;
    }
    let count = results.len();
    out.emit("matched_results", results)?;
    out.emit("matched_count", count)
}

/// `None` when the pattern is bad, runs away, or a match lacks a group that the pattern has.
fn matches(text: &str, pattern: &str, flags: Flags, group: i64) -> Option<Vec<Value>> {
    let pattern = pattern::compile(pattern, flags).ok()?;
    let group = usize::try_from(group).ok()?;
    if group >= pattern.captures_len() {
        return Some(Vec::new());
    }
    let mut results = Vec::new();
    let mut at = 0;
    while results.len() < MAX_MATCHES && at <= text.len() {
        let Some(captures) = pattern.captures_from_pos(text, at).ok()? else {
            break;
        };
        let whole = captures.get(0)?;
        results.push(Value::from(characters(captures.get(group)?.as_str(), MAX_MATCH)));
        // As in Python an empty match may follow a match directly, but two may not share a place.
        at = match whole.end() {
            end if end > whole.start() => end,
            end => end + text[end..].chars().next().map_or(1, char::len_utf8),
        };
    }
    Some(results)
}

/// The first so many characters.
fn characters(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}
