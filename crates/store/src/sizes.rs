//! How much room the database takes.

use crate::cell::args;
use crate::sql::Sql;
use crate::{Error, Store};
use std::path::Path;

/// For SQLite what the pages come to with all that is committed, which the file itself may not hold yet.
const DATABASE: Sql = Sql {
    sqlite: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    postgres: "SELECT pg_database_size(current_database())",
};
/// Pages of SQLite's file that hold nothing and are used again; PostgreSQL tells of no such thing.
const FREE: Sql = Sql {
    sqlite: "SELECT freelist_count * page_size FROM pragma_freelist_count(), pragma_page_size()",
    postgres: "SELECT CAST(0 AS BIGINT)",
};
/// Empty where there is no file of ours.
const FILE: Sql = Sql { sqlite: "SELECT file FROM pragma_database_list WHERE name = 'main'", postgres: "SELECT ''" };

/// Bytes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The database.
    pub database: u64,
    /// What of it is free for use, on SQLite.
    pub free: Option<u64>,
    /// SQLite's write-ahead log beside it; PostgreSQL's is the server's own business.
    pub log: Option<u64>,
}

impl Store {
    /// How much room the database takes right now.
    pub async fn sizes(&self) -> Result<Sizes, Error> {
        self.read(|db| {
            let database = db.one(DATABASE, &args![], |row| row.count(0))?;
            let file = db.one(FILE, &args![], |row| row.text(0))?;
            if file.is_empty() {
                return Ok(Sizes { database, free: None, log: None });
            }
            let free = db.one(FREE, &args![], |row| row.count(0))?;
            Ok(Sizes { database, free: Some(free), log: Some(length(Path::new(&format!("{file}-wal")))) })
        })
        .await
    }
}

/// A log that is not there is empty.
fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |about| about.len())
}
