//! Picks what a pattern matches out of a text.

use super::as_text;
use crate::block::{Block, Cx, Ended, Input, Out};
use crate::pattern::{self, Flags};
use fancy_regex::{Captures, Regex};
use heddle_model::Value;
use std::sync::Arc;

pub(crate) const BLOCK: Block =
    Block::pure("3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0", run).slow_when(pattern::may_be_slow);

const MAX_TEXT: usize = 1_000_000;
const MAX_MATCHES: usize = 1000;
const MAX_MATCH: usize = 10_000;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut text = as_text(input.take("text"));
    let end = characters(&text, MAX_TEXT).len();
    text.truncate(end);
    let group = input.integer("group").unwrap_or(0);
    let flags = Flags {
        ignore_case: !input.flag("case_sensitive", true),
        dot_all: input.flag("dot_all", true),
        not_empty: false,
    };
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
fn matches(text: &str, source: &str, flags: Flags, group: i64) -> Option<Vec<Value>> {
    let pattern = pattern::compile(source, flags).ok()?;
    let group = usize::try_from(group).ok()?;
    if group >= pattern.captures_len() {
        return Some(Vec::new());
    }
    let mut results = Vec::new();
    let mut longer = Longer { source, flags, next: None };
    let mut at = 0;
    while results.len() < MAX_MATCHES && at <= text.len() {
        let Some(mut captures) = pattern.captures_from_pos(text, at).ok()? else {
            break;
        };
        loop {
            let whole = captures.get(0)?;
            let (start, end) = (whole.start(), whole.end());
            results.push(Value::from(characters(captures.get(group)?.as_str(), MAX_MATCH)));
            at = end;
            if start < end || results.len() == MAX_MATCHES {
                break;
            }
            // As in Python a match of something may begin where a match of nothing was.
            match longer.starting(text, end) {
                Some(found) => captures = found,
                None => {
                    at += text[end..].chars().next().map_or(1, char::len_utf8);
                    break;
                }
            }
        }
    }
    Some(results)
}

/// Finds what a pattern matches besides nothing.
struct Longer<'a> {
    source: &'a str,
    flags: Flags,
    /// The pattern, and where its next match begins, so that long texts are not searched again from every place.
    next: Option<(Arc<Regex>, usize)>,
}

impl Longer<'_> {
    /// The match that begins right there, if there is one.
    fn starting<'t>(&mut self, text: &'t str, at: usize) -> Option<Captures<'t, str>> {
        if self.next.is_none() {
            // A pattern that can match nothing else does not compile.
            let flags = Flags { not_empty: true, ..self.flags };
            self.next = pattern::compile(self.source, flags).ok().map(|pattern| (pattern, 0));
        }
        let (pattern, next) = self.next.as_mut()?;
        if *next > at {
            return None;
        }
        let found = pattern.captures_from_pos(text, at).ok().flatten();
        *next = found.as_ref().and_then(|found| found.get(0)).map_or(usize::MAX, |whole| whole.start());
        found.filter(|_| *next == at)
    }
}

/// The first so many characters.
fn characters(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}
