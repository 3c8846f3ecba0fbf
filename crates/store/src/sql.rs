//! A statement's text on both databases.
//!
//! Most texts are one: only the mark of a parameter differs (`?1`, `$1`), and [`both!`](crate::sql::both) exchanges it
//! when the program is compiled. Where more differs, the two texts stand side by side. Which one is used was decided
//! when the store was opened.

/// The same statement, twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql {
    /// With `?1`.
    pub(crate) sqlite: &'static str,
    /// With `$1`.
    pub(crate) postgres: &'static str,
}

/// An [`Sql`] from one text with `?1`, which must be the only question marks in it.
macro_rules! both {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const BYTES: [u8; TEXT.len()] = $crate::sql::dollars(TEXT);
        $crate::sql::Sql {
            sqlite: TEXT,
            postgres: match std::str::from_utf8(&BYTES) {
                Ok(text) => text,
                Err(_) => panic!("one ASCII character was put in place of another"),
            },
        }
    }};
}
pub(crate) use both;

/// The text with each `?` made `$`.
pub(crate) const fn dollars<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let from = text.as_bytes();
    let mut to = [0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        to[at] = if from[at] == b'?' { b'$' } else { from[at] };
        at += 1;
    }
    to
}

/// How SQLite would carry a statement out, one step a line.
#[cfg(test)]
pub(crate) fn plan(sql: Sql) -> String {
    let mut db = rusqlite::Connection::open_in_memory().unwrap();
    crate::sqlite::migrate::apply(&mut db, crate::migrate::SQLITE).unwrap();
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.sqlite)).unwrap();
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

#[cfg(test)]
mod tests {
    #[test]
    fn one_text_serves_both_databases() {
        let sql = both!("SELECT 'ä' FROM run WHERE id = ?1 LIMIT ?12");
        assert_eq!(sql.sqlite, "SELECT 'ä' FROM run WHERE id = ?1 LIMIT ?12");
        assert_eq!(sql.postgres, "SELECT 'ä' FROM run WHERE id = $1 LIMIT $12");
    }
}
