//! A connection as questions and changes see it: statements in, rows out. What is a detail of one database stays below.

use crate::cell::{Cell, Row};
use crate::sql::Sql;
use crate::{Error, postgres, sqlite};

/// A connection to either database, inside a transaction if it is the writer's.
#[derive(Clone, Copy)]
pub(crate) enum Db<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(postgres::Connection<'a>),
}

impl Db<'_> {
    /// Carries a statement out and says how many rows it touched.
    pub(crate) fn execute(self, sql: Sql, args: &[Cell<'_>]) -> Result<u64, Error> {
        match self {
            Self::Sqlite(db) => sqlite::execute(db, sql.sqlite, args),
            Self::Postgres(db) => db.execute(sql.postgres, args),
        }
    }

    /// Reads the rows of an answer one by one.
    pub(crate) fn each(
        self,
        sql: Sql,
        args: &[Cell<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(db) => sqlite::each(db, sql.sqlite, args, read),
            Self::Postgres(db) => db.query(sql.postgres, args)?.iter().try_for_each(|row| read(&Row::Postgres(row))),
        }
    }

    /// All rows of an answer.
    pub(crate) fn all<T>(
        self,
        sql: Sql,
        args: &[Cell<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        self.each(sql, args, |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row of an answer.
    pub(crate) fn first<T>(
        self,
        sql: Sql,
        args: &[Cell<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(db) => sqlite::first(db, sql.sqlite, args, read),
            Self::Postgres(db) => {
                db.query(sql.postgres, args)?.first().map(|row| read(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// The first row of an answer that cannot lack one, such as a count.
    pub(crate) fn one<T>(
        self,
        sql: Sql,
        args: &[Cell<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.first(sql, args, read)?.ok_or(Error::NotFound)
    }

    /// For questions that take as long as they take: a server may otherwise not stay silent for long.
    pub(crate) fn patient(self) -> Self {
        match self {
            Self::Sqlite(_) => self,
            Self::Postgres(db) => Self::Postgres(db.patient()),
        }
    }

    /// Answers several questions from the same instant.
    pub(crate) fn snapshot<T>(self, questions: impl FnOnce(Self) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Sqlite(db) => {
                let _ended_when_dropped = db.unchecked_transaction()?;
                questions(self)
            }
            Self::Postgres(db) => {
                let _ended_when_dropped = db.snapshot()?;
                questions(self)
            }
        }
    }
}
