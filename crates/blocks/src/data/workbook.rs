//! The first sheet of a workbook in the format of Office Open XML (`.xlsx`, ISO/IEC 29500).
//!
//! A workbook is an archive of XML documents made by a stranger: what any of them unpacks to is bounded, and cells are
//! counted while they are read, so that a cell far out cannot ask for all that lie before it.

mod styles;
mod values;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::io::{Cursor, Read};
use values::{Cell, Values};
use zip::ZipArchive;

/// Bytes that one document of the archive may unpack to.
const MAX_PART: u64 = 64 * 1024 * 1024;

/// Columns of a sheet, by the format.
const MAX_COLUMNS: usize = 16_384;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Whether bytes begin as a workbook does, of this format or the one before it.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || is_old(bytes)
}

/// A compound file: workbooks up to 2003.
fn is_old(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0])
}

/// The texts of all cells, row by row; gaps are empty texts.
pub(super) fn first_sheet(bytes: &[u8], most: usize) -> Result<Vec<Vec<String>>, String> {
    if is_old(bytes) {
        return Err("workbooks in the format before 2007 (.xls) are not read: save it as .xlsx or .csv".to_owned());
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let workbook = part(&mut archive, "xl/workbook.xml")?.ok_or_else(damaged)?;
    let (id, is_1904) = first(&workbook)?;
    let relations = part(&mut archive, "xl/_rels/workbook.xml.rels")?.ok_or_else(damaged)?;
    let path = target(&relations, &id)?;
    let values = Values {
        shared: part(&mut archive, "xl/sharedStrings.xml")?
            .map_or(Ok(Vec::new()), |text| values::shared(&text, most))?,
        dates: part(&mut archive, "xl/styles.xml")?.map_or(Ok(Vec::new()), |text| styles::dates(&text))?,
        is_1904,
    };
    let sheet = part(&mut archive, &path)?.ok_or_else(damaged)?;
    drop(archive);
    cells(&sheet, &values, most)
}

/// One document of the archive.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<String>, String> {
    let Ok(entry) = archive.by_name(name) else { return Ok(None) };
    let mut text = String::new();
    let read = entry.take(MAX_PART + 1).read_to_string(&mut text).map_err(|_| damaged())?;
    if read as u64 > MAX_PART {
        return Err("the workbook is too large".to_owned());
    }
    Ok(Some(text))
}

/// The relation of the first sheet, and whether days are counted from 1904.
fn first(workbook: &str) -> Result<(String, bool), String> {
    let (mut id, mut is_1904) = (None, false);
    each(workbook, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event {
            match tag.local_name().as_ref() {
                "workbookPr" => {
                    is_1904 = attribute(tag, "date1904").is_some_and(|value| value == "1" || value == "true")
                }
                "sheet" if id.is_none() => id = attribute(tag, "id"),
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok((id.ok_or_else(|| "the workbook has no sheet".to_owned())?, is_1904))
}

/// The path within the archive that a relation leads to.
fn target(relations: &str, id: &str) -> Result<String, String> {
    let mut found = None;
    each(relations, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && attribute(tag, "Id").as_deref() == Some(id)
        {
            found = attribute(tag, "Target");
        }
        Ok(())
    })?;
    let path = found.ok_or_else(damaged)?;
    Ok(path.strip_prefix('/').map_or_else(|| format!("xl/{path}"), str::to_owned))
}

fn cells(sheet: &str, values: &Values, most: usize) -> Result<Vec<Vec<String>>, String> {
    let mut table = Table { rows: Vec::new(), left: most };
    let mut cell = Cell::default();
    each(sheet, |event| {
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "row" => table.row(attribute(tag, "r").and_then(|number| number.parse().ok()))?,
                "c" => {
                    let column = attribute(tag, "r").map(|place| column(&place).ok_or_else(damaged)).transpose()?;
                    table.cell(column)?;
                    cell = Cell::of(attribute(tag, "t"), attribute(tag, "s"));
                }
                "v" | "t" if matches!(event, Event::Start(_)) => cell.is_open = true,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "v" | "t" => cell.is_open = false,
                "c" => table.put(values.text(std::mem::take(&mut cell)))?,
                _ => {}
            },
            other if cell.is_open => values::append(&mut cell.text, other)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(table.rows)
}

/// What was read so far.
struct Table {
    rows: Vec<Vec<String>>,
    /// Cells that may still come; a row counts as one at least.
    left: usize,
}

impl Table {
    fn take(&mut self, cells: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(cells).ok_or("the sheet has too many cells")?;
        Ok(())
    }

    /// Begins a row; `number` is counted from 1, and rows before it that do not exist are blank.
    fn row(&mut self, number: Option<usize>) -> Result<(), String> {
        let rows = number.unwrap_or(self.rows.len() + 1).max(self.rows.len() + 1);
        self.take(rows - self.rows.len())?;
        self.rows.resize_with(rows, Vec::new);
        Ok(())
    }

    /// Begins a cell, before which there may be empty ones.
    fn cell(&mut self, column: Option<usize>) -> Result<(), String> {
        let length = self.rows.last().ok_or_else(damaged)?.len();
        let before = column.unwrap_or(length).max(length);
        self.take(before + 1 - length)?;
        let row = self.rows.last_mut().ok_or_else(damaged)?;
        row.resize_with(before + 1, String::new);
        Ok(())
    }

    /// Says what the last cell holds.
    fn put(&mut self, text: String) -> Result<(), String> {
        *self.rows.last_mut().and_then(|row| row.last_mut()).ok_or_else(damaged)? = text;
        Ok(())
    }
}

/// The column of a place such as `AB12`, counted from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(4).fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1).filter(|column| *column < MAX_COLUMNS)
}

/// Goes through a document; none that is not well-formed to its end is accepted.
fn each(text: &str, mut take: impl FnMut(&Event<'_>) -> Result<(), String>) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|_| damaged())? {
            Event::Eof => return Ok(()),
            event => take(&event)?,
        }
    }
}

/// An attribute by its name without prefix.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

fn damaged() -> String {
    "the workbook is damaged, or no .xlsx".to_owned()
}

#[cfg(test)]
mod tests;
