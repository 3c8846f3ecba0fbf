//! Filters that fit text into a width.

use crate::template::methods::joined;
use crate::template::text::string;
use minijinja::value::{Kwargs, Rest, Value, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind};

/// The widest that text is centred or indented.
const MAX_WIDTH: usize = 1_000_000;

type Truncate<'a> = (Option<usize>, Option<bool>, Option<&'a str>, Option<usize>, Kwargs);
type Wordwrap<'a> = (Option<usize>, Option<bool>, Option<&'a str>, Option<bool>, Kwargs);

/// Sets these filters.
pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("truncate", truncate);
    environment.add_filter("center", center);
    environment.add_filter("wordwrap", wordwrap);
    environment.add_filter("indent", indent);
}

fn narrow(width: usize) -> Result<usize, Error> {
    if width > MAX_WIDTH { Err(Error::from(ErrorKind::OutOfFuel)) } else { Ok(width) }
}

fn truncate(value: &Value, args: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let args = args.into_values();
    let (length, killwords, end, leeway, kwargs): Truncate<'_> = from_args(&args)?;
    let text = string(value);
    let length = length.or(kwargs.get("length")?).unwrap_or(255);
    let killwords = killwords.or(kwargs.get("killwords")?).unwrap_or(false);
    let end = end.or(kwargs.get("end")?).unwrap_or("...");
    let leeway = leeway.or(kwargs.get("leeway")?).unwrap_or(5);
    kwargs.assert_all_used()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let kept = length.saturating_sub(end.chars().count());
    let cut = text.char_indices().nth(kept).map_or(text.as_str(), |(at, _)| &text[..at]);
    let cut = if killwords { cut } else { cut.rsplit_once(' ').map_or(cut, |(before, _)| before) };
    Ok(format!("{cut}{end}"))
}

fn center(value: &Value, width: Option<usize>, kwargs: Kwargs) -> Result<String, Error> {
    let text = string(value);
    let width = narrow(width.or(kwargs.get("width")?).unwrap_or(80))?;
    kwargs.assert_all_used()?;
    let missing = width.saturating_sub(text.chars().count());
    let left = missing / 2 + (missing & width & 1);
    Ok(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left)))
}

fn indent(
    value: &Value,
    width: Option<&Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let text = string(value);
    let named: Option<Value> = kwargs.get("width")?;
    let first = first.or(kwargs.get("first")?).unwrap_or(false);
    let blank = blank.or(kwargs.get("blank")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let prefix = match width.or(named.as_ref()) {
        None => " ".repeat(4),
        Some(width) => match width.as_usize() {
            Some(width) => " ".repeat(narrow(width)?),
            None => string(width),
        },
    };
    let mut indented = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            indented.push('\n');
        }
        if (index > 0 || first) && (blank || !line.is_empty()) {
            indented.push_str(&prefix);
        }
        if indented.len() > 64 * MAX_WIDTH {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
        indented.push_str(line);
    }
    Ok(if value.is_safe() { Value::from_safe_string(indented) } else { Value::from(indented) })
}

/// Python's `splitlines`.
pub(in crate::template) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    let ends = ['\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];
    while let Some(at) = rest.find(ends) {
        let length = match &rest[at..] {
            end if end.starts_with("\r\n") => 2,
            end => end.chars().next().map_or(0, char::len_utf8),
        };
        lines.push(&rest[..if keep_ends { at + length } else { at }]);
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn wordwrap(value: &Value, args: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let args = args.into_values();
    let (width, break_long_words, wrapstring, break_on_hyphens, kwargs): Wordwrap<'_> = from_args(&args)?;
    let text = string(value);
    let width = width.or(kwargs.get("width")?).unwrap_or(79).max(1);
    let long = break_long_words.or(kwargs.get("break_long_words")?).unwrap_or(true);
    let between = wrapstring.or(kwargs.get("wrapstring")?).unwrap_or("\n");
    let hyphens = break_on_hyphens.or(kwargs.get("break_on_hyphens")?).unwrap_or(true);
    kwargs.assert_all_used()?;
    let mut wrapped = Vec::new();
    for line in lines(&text, false) {
        wrapped.push(joined(&wrap(line, width, long, hyphens), between)?);
    }
    joined(&wrapped, between)
}

/// Fills lines with as many pieces as fit; blanks at a line's start or end are dropped, but not at the very start.
fn wrap(line: &str, width: usize, long: bool, hyphens: bool) -> Vec<String> {
    let mut filled: Vec<String> = Vec::new();
    let (mut current, mut length) = (String::new(), 0);
    let close = |current: &mut String, filled: &mut Vec<String>| {
        let text = std::mem::take(current);
        let text = text.trim_end();
        if !text.is_empty() {
            filled.push(text.to_owned());
        }
    };
    for mut piece in pieces(line, hyphens) {
        let mut count = piece.chars().count();
        loop {
            if length + count <= width {
                let leading = piece.trim().is_empty() && current.is_empty() && !filled.is_empty();
                if !leading {
                    current.push_str(piece);
                    length += count;
                }
                break;
            }
            let blank = piece.trim().is_empty();
            if blank || count <= width || (!long && current.is_empty()) {
                if !blank && count > width {
                    current.push_str(piece);
                }
                close(&mut current, &mut filled);
                length = 0;
                if blank || count > width {
                    break;
                }
                continue;
            }
            // A piece longer than a line: fill this one up, or start a new one.
            if long {
                let room = width - length;
                let cut = piece.char_indices().nth(room).map_or(piece.len(), |(at, _)| at);
                current.push_str(&piece[..cut]);
                piece = &piece[cut..];
                count -= room;
            }
            close(&mut current, &mut filled);
            length = 0;
        }
    }
    close(&mut current, &mut filled);
    filled
}

/// Words and the blanks between them; words end after a hyphen between letters.
fn pieces(line: &str, hyphens: bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let chars: Vec<(usize, char)> = line.char_indices().collect();
    for pair in chars.windows(2) {
        let ((at, before), (next, after)) = (pair[0], pair[1]);
        let turn = before.is_whitespace() != after.is_whitespace();
        let letter_first = line[..at].chars().next_back().is_some_and(char::is_alphabetic);
        let hyphen = hyphens && before == '-' && letter_first && after.is_alphabetic();
        if turn || hyphen {
            pieces.push(&line[start..next]);
            start = next;
        }
    }
    if start < line.len() {
        pieces.push(&line[start..]);
    }
    pieces
}
