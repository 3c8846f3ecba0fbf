//! Results on stdout.

use crate::failure::Failure;
use serde_json::Value;
use std::io::Write;

/// Prints text and a line end.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::of("stdout", error))
}

/// Prints a JSON document.
pub fn json(value: &Value) -> Result<(), Failure> {
    text(&format!("{value:#}"))
}

/// Prints one member of an object, or with `--json` the object.
pub fn member(value: &Value, name: &str, as_json: bool) -> Result<(), Failure> {
    match as_json {
        true => json(value),
        false => match &value[name] {
            Value::Null => text(""),
            Value::String(shown) => text(shown),
            other => text(&other.to_string()),
        },
    }
}

/// Prints members of a list of objects as columns, or with `--json` the list.
pub fn table(rows: &Value, columns: &[&str], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return json(rows);
    }
    let cell = |row: &Value, name: &str| match &row[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = vec![columns.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>()];
    lines.extend(rows.as_array().into_iter().flatten().map(|row| columns.iter().map(|name| cell(row, name)).collect()));
    let widths: Vec<_> = (0..columns.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    text(&lines.iter().map(line).collect::<Vec<_>>().join("\n"))
}
