//! What can go wrong with keeping and finding things, without the database library's own types.

use heddle_engine::journal::JournalError;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why the store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something with this id, name or number is there already.
    #[error("it exists already")]
    Exists,
    /// There is no such thing, or it is somebody else's.
    #[error("there is no such thing")]
    NotFound,
    /// A newer release has used this database.
    #[error("the database is at migration {found}, this release knows {known}: use a newer release")]
    Newer {
        /// The database's last migration.
        found: u32,
        /// This build's last migration.
        known: u32,
    },
    /// The disk or the database refused.
    #[error("the database failed: {0}")]
    Disk(String),
    /// What is stored cannot be understood.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The store was closed: the process is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Db;
        if let Db::SqliteFailure(failure, _) = &error {
            return match (failure.code, failure.extended_code) {
                (_, ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE) => Self::Exists,
                (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Self::NotFound,
                (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Self::Corrupt(error.to_string()),
                _ => Self::Disk(error.to_string()),
            };
        }
        match error {
            Db::QueryReturnedNoRows => Self::NotFound,
            Db::FromSqlConversionFailure(..) | Db::InvalidColumnType(..) | Db::IntegralValueOutOfRange(..) => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Disk(error.to_string()),
        }
    }
}

impl From<Error> for JournalError {
    fn from(error: Error) -> Self {
        match error {
            Error::Exists => Self::Exists,
            Error::Closed => Self::Closed,
            other => Self::Disk(other.to_string()),
        }
    }
}
