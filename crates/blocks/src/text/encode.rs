//! Writes what is not plain ASCII as backslash escapes.

use crate::block::{Block, Cx, Ended, Input, Out};
use std::fmt::Write;

pub(crate) const BLOCK: Block = Block::pure("5185f32e-4b65-4ecf-8fbb-873f003f09d6", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("encoded_text", encode(&input.text("text")))
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        let written = match c {
            '\\' => encoded.write_str("\\\\"),
            '\n' => encoded.write_str("\\n"),
            '\r' => encoded.write_str("\\r"),
            '\t' => encoded.write_str("\\t"),
            ' '..='~' => encoded.write_char(c),
            '\0'..='\u{ff}' => write!(encoded, "\\x{:02x}", c as u32),
            '\u{100}'..='\u{ffff}' => write!(encoded, "\\u{:04x}", c as u32),
            _ => write!(encoded, "\\U{:08x}", c as u32),
        };
        written.expect("writing to a string does not fail");
    }
    encoded
}
