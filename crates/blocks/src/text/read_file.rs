//! The text of a file, or a part of it, in one piece or several.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use crate::media;

pub(crate) const BLOCK: Block =
    Block::pure("3735a31f-7e18-4aca-9e90-08a7120674bc", run).slow_when(|input| media::is_large(input, "file_input"));

/// The most pieces that one execution emits.
const MAX_PIECES: usize = 10_000;

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let text = decoded(media::read(&input.text("file_input"), cx)?);
    let delimiter = input.text("delimiter");
    // Less than nothing is nothing.
    let count = |pin: &str| input.integer(pin).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let text = text.char_indices().nth(count("skip_size")).map_or("", |(start, _)| &text[start..]);
    let Some(content) = rows(text, &delimiter, count("skip_rows"), count("row_limit")) else {
        return out.emit("content", "");
    };
    if content.is_empty() {
        return Ok(());
    }
    match count("size_limit") {
        0 => out.emit("content", content),
        size => pieces(&content, size)?.into_iter().try_for_each(|piece| out.emit("content", piece)),
    }
}

/// UTF-8, or else Latin-1, in which every byte is a character.
fn decoded(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect())
}

/// The rows that are left after leaving out the first ones and those past the limit (0: none is); `None` when none is
/// left. Without a delimiter the text is one row.
fn rows(text: &str, delimiter: &str, skip: usize, limit: usize) -> Option<String> {
    let limit = if limit == 0 { usize::MAX } else { limit };
    let rows: Vec<&str> = match delimiter {
        "" => std::iter::once(text).skip(skip).collect(),
        _ => text.split(delimiter).skip(skip).take(limit).collect(),
    };
    if rows.is_empty() { None } else { Some(rows.join(delimiter)) }
}

/// The text in pieces of so many characters.
fn pieces(text: &str, size: usize) -> Result<Vec<&str>, heddle_engine::ports::Failure> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if pieces.len() == MAX_PIECES {
            return Err(refuse(format!("the file has more than {MAX_PIECES} pieces of {size} characters")));
        }
        let end = rest.char_indices().nth(size).map_or(rest.len(), |(end, _)| end);
        let (piece, later) = rest.split_at(end);
        pieces.push(piece);
        rest = later;
    }
    Ok(pieces)
}
