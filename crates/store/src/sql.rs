//! Between rows and our types: ids are 16-byte blobs, times are microseconds, names are texts.

use heddle_model::{Object, Time, Value};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Deserialize;
use uuid::Uuid;

/// A column that holds an id.
pub(crate) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

/// A column that may hold an id.
pub(crate) fn id_option(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(Uuid::from_bytes))
}

/// A column that holds a time.
pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    row.get(column).map(Time)
}

/// A column that may hold a time.
pub(crate) fn time_option(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time))
}

/// A column that counts.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// The error for a text that none of our names is.
pub(crate) fn unreadable(column: usize, text: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("{text:?} is not known").into())
}

/// A column that holds JSON, however deep.
pub(crate) fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text.as_bytes()).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// A column that holds a JSON object.
pub(crate) fn object(row: &Row<'_>, column: usize) -> rusqlite::Result<Object> {
    match json(row, column)? {
        Value::Object(object) => Ok(object),
        _ => Err(unreadable(column, "a value that is no object")),
    }
}

/// Reads JSON without the parser's nesting limit: what is stored was bounded when it came in, and a value that could
/// be kept must be readable again.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    parser.disable_recursion_limit();
    let value = T::deserialize(&mut parser)?;
    parser.end()?;
    Ok(value)
}

/// How the database would carry a statement out, one step a line.
#[cfg(test)]
pub(crate) fn plan(sql: &str) -> String {
    let mut db = rusqlite::Connection::open_in_memory().unwrap();
    crate::migrate::apply(&mut db, crate::migrate::SQLITE).unwrap();
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    for number in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(number, rusqlite::types::Null).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    steps.join("\n")
}
