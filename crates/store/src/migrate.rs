//! Brings a database's tables up to this build: forward only, each step once, in its own transaction.
//!
//! A step's number and name are the same on every database; only its text may differ.

use crate::{Error, clock, connection};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::path::Path;

/// One step.
pub(crate) struct Migration {
    number: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")),
        }),*]
    };
}

/// The steps for SQLite, in order.
pub(crate) const SQLITE: &[Migration] = migrations!("sqlite":
    1 "0001_account",
    2 "0002_api_key",
    3 "0003_graph",
    4 "0004_run",
    5 "0005_key_value",
    6 "0006_probe",
);

/// One migration of this build, as a database has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MigrationState {
    /// From 1, without gaps.
    pub number: u32,
    /// Its file's name without the ending.
    pub name: &'static str,
    /// Whether the database has it.
    pub applied: bool,
}

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
        transaction.execute_batch(next.sql)?;
        transaction.execute(RECORD, params![next.number, next.name, clock::now().0])?;
        transaction.commit()?;
        tracing::info!(migration.number = next.number, migration.name = next.name, "migration {} applied", next.name);
    }
}

/// How many of `migrations` the database has. Refuses a database that did not come to be by them.
fn applied(db: &Connection, migrations: &[Migration]) -> Result<usize, Error> {
    let (tables, ours): (u32, u32) = db.query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if ours == 0 {
        let foreign = tables > 0;
        return if foreign { Err(Error::Corrupt("its tables are not Heddle's".to_owned())) } else { Ok(0) };
    }
    let mut statement = db.prepare(APPLIED)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
    let done: Vec<(u32, String)> = rows.collect::<Result<_, _>>()?;
    let known = migrations.last().map_or(0, |migration| migration.number);
    match done.last() {
        Some(&(found, _)) if found > known => return Err(Error::Newer { found, known }),
        _ => {}
    }
    for (have, want) in done.iter().zip(migrations) {
        if (have.0, have.1.as_str()) != (want.number, want.name) {
            return Err(Error::Corrupt(format!("migration {} is named {}, not {}", have.0, have.1, want.name)));
        }
    }
    Ok(done.len())
}

/// What the database at `path` has, without touching it.
pub(crate) fn state(path: &Path) -> Result<Vec<MigrationState>, Error> {
    let exists = path.try_exists().map_err(|error| Error::Disk(error.to_string()))?;
    let done = if exists { applied(&look(path)?, SQLITE)? } else { 0 };
    let states = SQLITE.iter().enumerate().map(|(index, migration)| MigrationState {
        number: migration.number,
        name: migration.name,
        applied: index < done,
    });
    Ok(states.collect())
}

/// A connection that leaves no trace. Without a log beside it the file is at rest, and opening it as unchangeable
/// keeps SQLite from making one.
fn look(path: &Path) -> Result<Connection, Error> {
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
    fn numbers_count_up_from_one_and_lead_the_names() {
        for (index, migration) in SQLITE.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)), "{}", migration.name);
        }
    }

    #[test]
    fn every_file_of_the_folder_is_a_step() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SQLITE.len());
    }

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
