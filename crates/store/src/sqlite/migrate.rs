//! Carrying migrations out on SQLite.

use super::connection;
use crate::migrate::{Migration, MigrationState, SQLITE, count, states};
use crate::{Error, clock};
use heddle_fault as fault;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::path::Path;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";
const APPLIED: &str = "SELECT number, name FROM migration ORDER BY number";
const RECORD: &str = "INSERT INTO migration (number, name, applied_at) VALUES (?1, ?2, ?3)";
const TABLES: &str = "SELECT count(*), count(*) FILTER (WHERE name = 'migration') FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

/// Runs the steps that are missing.
pub(crate) fn apply(db: &mut Connection, migrations: &[Migration]) -> Result<(), Error> {
    if applied(db, migrations)? == migrations.len() {
        return Ok(());
    }
    loop {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(CREATE)?;
        // Asked again inside the transaction: another process may have been faster.
        let done = applied(&transaction, migrations)?;
        let Some(next) = migrations.get(done) else {
            return Ok(());
        };
        fault::point!("store.migration.before")?;
        transaction.execute_batch(next.sql)?;
        transaction.execute(RECORD, params![next.number, next.name, clock::now().0])?;
        transaction.commit()?;
        fault::point!("store.migration.done")?;
        tracing::info!(migration.number = next.number, migration.name = next.name, "migration {} applied", next.name);
    }
}

/// How many of `migrations` the database has.
pub(super) fn applied(db: &Connection, migrations: &[Migration]) -> Result<usize, Error> {
    let (tables, ours): (i64, i64) = db.query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if ours == 0 {
        return count(migrations, tables, None);
    }
    let mut statement = db.prepare(APPLIED)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    count(migrations, tables, Some(&rows.collect::<Result<Vec<_>, _>>()?))
}

/// What the database at `path` has, without touching it.
pub(crate) fn state(path: &Path) -> Result<Vec<MigrationState>, Error> {
    let exists = path.try_exists().map_err(|error| Error::Disk(error.to_string()))?;
    let done = if exists { applied(&look(path)?, SQLITE)? } else { 0 };
    Ok(states(SQLITE, done))
}

/// A connection that leaves no trace. Without a log beside it the file is at rest, and opening it as unchangeable
/// keeps SQLite from making one.
pub(super) fn look(path: &Path) -> Result<Connection, Error> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return connection::reader(path);
    }
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
    db.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(())).optional()?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_runs_once_and_later_ones_are_added() {
        let mut db = Connection::open_in_memory().unwrap();
        apply(&mut db, &SQLITE[..2]).unwrap();
        apply(&mut db, SQLITE).unwrap();
        apply(&mut db, SQLITE).unwrap();
        let count: u32 = db.query_row("SELECT count(*) FROM migration", [], |row| row.get(0)).unwrap();
        assert_eq!(count as usize, SQLITE.len());
    }

    #[test]
    fn a_failing_step_leaves_nothing_of_itself() {
        let mut db = Connection::open_in_memory().unwrap();
        let bad = [
            Migration { number: 1, name: "0001_good", sql: "CREATE TABLE good (id INTEGER)" },
            Migration { number: 2, name: "0002_bad", sql: "CREATE TABLE half (id INTEGER); CREATE TABLE good (id)" },
        ];
        assert!(matches!(apply(&mut db, &bad), Err(Error::Disk(_))));
        let tables: u32 = db.query_row(TABLES, [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 2, "the first step's table and the list of steps");
        assert_eq!(applied(&db, &bad).unwrap(), 1);
    }

    #[test]
    fn a_database_of_a_newer_release_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        apply(&mut db, SQLITE).unwrap();
        assert_eq!(apply(&mut db, &SQLITE[..3]), Err(Error::Newer { found: SQLITE.len() as u32, known: 3 }));
    }

    #[test]
    fn a_database_of_something_else_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE recipe (id INTEGER)").unwrap();
        assert!(matches!(apply(&mut db, SQLITE), Err(Error::Corrupt(_))));
    }
}
