//! What can go wrong with keeping and finding things, without the database libraries' own types.

use heddle_engine::journal::JournalError;

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
    /// Another process owns the database.
    #[error("the database is in use by {0}")]
    InUse(String),
    /// The database's address cannot be used.
    #[error("the database address cannot be used: {0}")]
    Address(String),
    /// The disk or the database refused.
    #[error("the database failed: {0}")]
    Disk(String),
    /// Another process keeps the database to itself.
    #[error("another process has locked the database")]
    Locked,
    /// What is stored cannot be understood.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The store was closed: the process is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl From<heddle_fault::Fault> for Error {
    fn from(fault: heddle_fault::Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

impl Error {
    /// Whether the same may succeed later, with nothing changed but the disk or the database.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Disk(_) | Self::InUse(_) | Self::Locked)
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
