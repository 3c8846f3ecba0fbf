//! A table in a text or a file, as one dictionary a row.

use super::csv::{self, Dialect};
use super::workbook;
use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use crate::media;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value};

pub(crate) const BLOCK: Block = Block::pure("acf7625e-d2cb-4941-bfeb-2819fc6fc015", run)
    .slow_when(|input| ["file_input", "contents"].iter().any(|pin| media::is_large(input, pin)));

/// The most cells that are read; a row counts as one at least.
pub(super) const MAX_CELLS: usize = 1_000_000;

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let mut rows = table(&mut input, cx)?.into_iter();
    let strip = input.flag("strip", true);
    let tidy = |cell: String| if strip { cell.trim().to_owned() } else { cell };
    let header =
        input.flag("has_header", true).then(|| rows.next().unwrap_or_default().into_iter().map(tidy).collect());
    let header: Option<Vec<String>> = header;
    let skipped = input.list("skip_columns");
    let skipped: Vec<&str> = skipped.iter().filter_map(Value::as_str).collect();
    let skip = usize::try_from(input.integer("skip_rows").unwrap_or(0)).unwrap_or(0);
    let dictionary = |row: Vec<String>| {
        let mut dictionary = Object::with_capacity(row.len());
        for (place, cell) in row.into_iter().enumerate() {
            let position = place.to_string();
            let name = match &header {
                Some(header) => header.get(place).ok_or_else(too_long)?.clone(),
                None => position.clone(),
            };
            if !skipped.contains(&position.as_str()) && !skipped.contains(&name.as_str()) {
                dictionary.insert(name, Value::from(tidy(cell)));
            }
        }
        Ok(Value::Object(dictionary))
    };
    let rows = rows.skip(skip).map(dictionary);
    if input.flag("produce_singular_result", false) {
        for row in rows {
            out.emit("row", row?)?;
        }
        return Ok(());
    }
    let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
    out.emit("rows", rows)
}

/// The cells of the file, or of the text when there is no file.
fn table(input: &mut Input, cx: &Cx) -> Result<Vec<Vec<String>>, Failure> {
    let file = input.text("file_input");
    let text = if file.is_empty() {
        input.text("contents")
    } else {
        let bytes = media::read(&file, cx)?;
        if workbook::is_one(&bytes) {
            return workbook::first_sheet(&bytes, MAX_CELLS).map_err(refuse);
        }
        String::from_utf8(bytes).map_err(|_| refuse("the file is neither a workbook (.xlsx) nor text in UTF-8"))?
    };
    if text.is_empty() {
        return Err(refuse("there is neither a file nor contents to read, or they are empty"));
    }
    let dialect = Dialect {
        delimiter: character(input, "delimiter", ',')?.ok_or_else(|| refuse("delimiter must be one character"))?,
        quote: character(input, "quotechar", '"')?,
        escape: character(input, "escapechar", '\\')?,
    };
    csv::rows(&text, dialect, MAX_CELLS).ok_or_else(|| refuse(format!("the table has more than {MAX_CELLS} cells")))
}

/// The one character of a pin; `None` when its text is empty.
fn character(input: &mut Input, pin: &str, default: char) -> Result<Option<char>, Failure> {
    let Some(text) = input.given(pin) else { return Ok(Some(default)) };
    let mut characters = text.as_str().unwrap_or_default().chars();
    match (characters.next(), characters.next()) {
        (character, None) => Ok(character),
        _ => Err(refuse(format!("{pin} must be one character"))),
    }
}

fn too_long() -> Failure {
    Failure::Unknown("a row has more cells than the header".to_owned())
}
