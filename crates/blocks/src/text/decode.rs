//! Reads backslash escapes.
//!
//! The text's UTF-8 bytes are read as Latin-1, as upstream does, so what is not ASCII comes out garbled.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};

pub(crate) const BLOCK: Block = Block::pure("2570e8fe-8447-43ed-84c7-70d657923231", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let text = input.text("text");
    let decoded = decode(text.as_bytes()).ok_or_else(|| refuse("the text ends in or holds a malformed escape"))?;
    out.emit("decoded_text", decoded)
}

fn decode(bytes: &[u8]) -> Option<String> {
    let mut decoded = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            decoded.push(char::from(byte));
            continue;
        }
        let (&escape, after) = rest.split_first()?;
        rest = after;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => decoded.push(char::from(escape)),
            b'a' => decoded.push('\x07'),
            b'b' => decoded.push('\x08'),
            b'f' => decoded.push('\x0c'),
            b'n' => decoded.push('\n'),
            b'r' => decoded.push('\r'),
            b't' => decoded.push('\t'),
            b'v' => decoded.push('\x0b'),
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let digits = [&[escape], &rest[..more]].concat();
                rest = &rest[more..];
                decoded.push(character(&digits, 8)?);
            }
            b'x' => decoded.push(character(take(&mut rest, 2)?, 16)?),
            b'u' => decoded.push(unicode(&mut rest)?),
            b'U' => decoded.push(character(take(&mut rest, 8)?, 16)?),
            // Names of characters are not known here.
            b'N' => return None,
            other => {
                decoded.push('\\');
                decoded.push(char::from(other));
            }
        }
    }
    Some(decoded)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u32::from_str_radix(text, radix).ok()
}

fn character(digits: &[u8], radix: u32) -> Option<char> {
    char::from_u32(number(digits, radix)?)
}

/// Four digits, or two surrogates that make one character; a lone surrogate is none.
fn unicode(rest: &mut &[u8]) -> Option<char> {
    let first = number(take(rest, 4)?, 16)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    *rest = rest.strip_prefix(b"\\u")?;
    let second = number(take(rest, 4)?, 16).filter(|second| (0xdc00..0xe000).contains(second))?;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_read_as_python_reads_them() {
        let cases = [
            (r"a\nb", Some("a\nb")),
            (r"\x41\101\7", Some("AA\u{7}")),
            (r"\u00e9\U0001f600", Some("é😀")),
            (r"\ud83d\ude00", Some("😀")),
            (r"\q", Some(r"\q")),
            ("é", Some("Ã©")),
            (r"\1234", Some("S4")),
            ("a\\\nb", Some("ab")),
            ("\\", None),
            (r"\x4", None),
            (r"\u12", None),
            (r"\ud83d", None),
            (r"\U00110000", None),
            (r"\x+1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
