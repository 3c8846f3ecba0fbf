//! SQLite: a file, statements carried out on the calling thread.

mod batch;
pub(crate) mod connection;
pub(crate) mod copy;
mod lock;
mod log;
pub(crate) mod migrate;

use crate::Error;
use crate::cell::{Cell, Row};
use crate::db::Db;
use crate::gate::Gate;
use crate::session::{Between, Session};
use crate::writer::Work;
use lock::Lock;
use log::Log;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, ffi, params_from_iter};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A connection that is owned by its thread.
pub(crate) struct Sqlite {
    db: Connection,
    /// Only the writer's.
    log: Option<Log>,
    lock: Lock,
}

impl Sqlite {
    /// For questions.
    pub(crate) fn reader(db: Connection) -> Self {
        Self { db, log: None, lock: Lock::default() }
    }

    /// For changes. The gate is the one that the readers of this database go through.
    pub(crate) fn writer(mut db: Connection, gate: &Arc<Gate>) -> Result<Self, Error> {
        let log = Log::watch(&mut db, Arc::clone(gate))?;
        Ok(Self { db, log: Some(log), lock: Lock::default() })
    }
}

impl Session for Sqlite {
    fn db(&mut self) -> Result<Db<'_>, Error> {
        Ok(Db::Sqlite(&self.db))
    }

    fn commit(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), Error> {
        self.lock.heed(&self.db, batch::commit(&self.db, batch))
    }

    fn settle(&mut self) -> Option<Duration> {
        self.log.as_mut()?.settle(&self.db)
    }

    fn copy(&mut self, to: &Path, between: &mut Between<'_>) -> Result<(), Error> {
        let Self { db, log, lock } = self;
        copy::while_writing(db, to, || {
            between(&mut |batch| lock.heed(db, batch::commit_carefully(db, batch)))?;
            if let Some(log) = log {
                log.settle(db);
            }
            Ok(())
        })
    }

    fn finish(self) {
        if let Err(error) = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(error = %error, "the last checkpoint failed; the next start will do it");
        }
    }
}

/// Carries a statement out and says how many rows it touched.
pub(crate) fn execute(db: &Connection, sql: &str, args: &[Cell<'_>]) -> Result<u64, Error> {
    Ok(db.prepare_cached(sql)?.execute(params_from_iter(args))? as u64)
}

/// Reads the rows of an answer one by one.
pub(crate) fn each(
    db: &Connection,
    sql: &str,
    args: &[Cell<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(args))?;
    while let Some(row) = rows.next()? {
        read(&Row::Sqlite(row))?;
    }
    Ok(())
}

/// The first row of an answer.
pub(crate) fn first<T>(
    db: &Connection,
    sql: &str,
    args: &[Cell<'_>],
    read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(args))?;
    match rows.next()? {
        Some(row) => read(&Row::Sqlite(row)).map(Some),
        None => Ok(None),
    }
}

/// What stands in a column.
pub(crate) fn cell<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<Cell<'a>, Error> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Cell::Text(Cow::Borrowed(text)),
            Err(_) => return Err(crate::cell::unreadable(column, "a text in no known encoding")),
        },
        ValueRef::Real(_) => return Err(crate::cell::unreadable(column, "a fraction")),
    })
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Flag(flag) => ValueRef::Integer(i64::from(*flag)),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Db;
        if let Db::SqliteFailure(failure, _) = &error {
            return match (failure.code, failure.extended_code) {
                (_, ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE) => Self::Exists,
                (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Self::NotFound,
                (ErrorCode::DatabaseBusy, _) => Self::Locked,
                (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Self::Corrupt(error.to_string()),
                _ => Self::Disk(error.to_string()),
            };
        }
        Self::Disk(error.to_string())
    }
}
