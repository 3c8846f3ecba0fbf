//! Finds fenced code in a text, language by language.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("d3a7d896-3b78-4f44-8b4b-48fbf4f0bcd8", run);

const FENCE: &str = "```";
/// Each pin with the tags that belong to it, in the order in which their blocks are joined.
const LANGUAGES: [(&str, &[&str]); 16] = [
    ("html", &["html", "htm"]),
    ("css", &["css"]),
    ("javascript", &["javascript", "js"]),
    ("python", &["python", "py"]),
    ("sql", &["sql"]),
    ("java", &["java"]),
    ("cpp", &["cpp", "c++"]),
    ("csharp", &["csharp", "c#", "cs"]),
    ("json_code", &["json_code", "json"]),
    ("bash", &["bash", "shell", "sh"]),
    ("php", &["php"]),
    ("ruby", &["ruby", "rb"]),
    ("yaml", &["yaml", "yml"]),
    ("markdown", &["markdown", "md"]),
    ("typescript", &["typescript", "ts"]),
    ("xml", &["xml"]),
];

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let text = input.text("text");
    for (pin, tags) in LANGUAGES {
        let found: Vec<&str> =
            tags.iter().flat_map(|tag| fences(&text, tag, true)).map(|fence| fence.code.trim()).collect();
        let code = found.join("\n\n");
        if !code.is_empty() {
            out.emit(pin, code)?;
        }
    }
    let remaining = collapsed(&without_fences(text));
    let remaining = remaining.trim();
    if remaining.is_empty() { Ok(()) } else { out.emit("remaining_text", remaining) }
}

struct Fence<'a> {
    start: usize,
    end: usize,
    code: &'a str,
}

/// Every fence of this tag, which stands right after the ticks, with nothing but blanks to the line's end.
fn fences<'a>(text: &'a str, tag: &str, ignore_case: bool) -> Vec<Fence<'a>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(FENCE).map(|place| place + at) {
        match fence(text, start, tag, ignore_case) {
            Some(fence) => {
                at = fence.end;
                found.push(fence);
            }
            None => at = start + 1,
        }
    }
    found
}

fn fence<'a>(text: &'a str, start: usize, tag: &str, ignore_case: bool) -> Option<Fence<'a>> {
    let rest = &text[start + FENCE.len()..];
    let written = rest.get(..tag.len())?;
    if written != tag && !(ignore_case && written.eq_ignore_ascii_case(tag)) {
        return None;
    }
    let rest = &rest[tag.len()..];
    let line_end = rest.find('\n').filter(|end| rest[..*end].trim().is_empty())?;
    let code = start + FENCE.len() + tag.len() + line_end + 1;
    let end = text[code..].find(FENCE)? + code;
    Some(Fence { start, end: end + FENCE.len(), code: &text[code..end] })
}

/// The text without fences of a known tag; unlike above, the tag's case matters here.
fn without_fences(mut text: String) -> String {
    for tag in LANGUAGES.iter().flat_map(|(_, tags)| *tags) {
        let places: Vec<_> = fences(&text, tag, false).iter().map(|fence| fence.start..fence.end).collect();
        for place in places.into_iter().rev() {
            text.replace_range(place, "");
        }
    }
    text
}

/// Runs of blank lines made one line end.
fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\n') {
        let (before, after) = rest.split_at(at);
        let blanks = after.len() - after.trim_start().len();
        let run = &after[..blanks];
        let last = run.rfind('\n').unwrap_or(0);
        collapsed.push_str(before);
        collapsed.push('\n');
        rest = &after[last + 1..];
    }
    collapsed.push_str(rest);
    collapsed
}

#[cfg(test)]
mod tests {
    use super::collapsed;

    #[test]
    fn blank_lines_collapse() {
        assert_eq!(collapsed("a\n\n  \nb\nc\n\n"), "a\nb\nc\n");
        assert_eq!(collapsed("a\n  b"), "a\n  b");
    }
}
