//! Why a use case was refused, in kinds that a door turns into its own statuses.

use heddle_engine::journal::JournalError;

/// One refusal. The text is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is somebody else's.
    #[error("{0}")]
    NotFound(String),
    /// The request cannot be carried out as it stands.
    #[error("{0}")]
    Refused(String),
    /// The thing exists but may not be used.
    #[error("{0}")]
    Forbidden(String),
    /// There are not enough credits.
    #[error("{0}")]
    Payment(String),
    /// The thing is in a state that does not allow this.
    #[error("{0}")]
    Conflict(String),
    /// An idempotency key was used with another request.
    #[error("{0}")]
    Mismatch(String),
    /// Too much is waiting, or the database is away; worth trying again after so many seconds.
    #[error("{0}")]
    Busy(String, u32),
    /// The same was tried too often; worth trying again after so many seconds.
    #[error("{0}")]
    TooMany(String, u32),
    /// The disk, the database or this program failed. Logged where it happened; the text stays inside.
    #[error("{0}")]
    Internal(String),
}

impl From<heddle_fault::Fault> for Error {
    fn from(fault: heddle_fault::Fault) -> Self {
        Self::Internal(fault.to_string())
    }
}

/// What is said while the disk or the database refuses.
const AWAY: &str = "The database is not available right now, retry shortly.";
/// Seconds after which that makes sense.
const LATER: u32 = 5;

impl From<heddle_store::Error> for Error {
    fn from(error: heddle_store::Error) -> Self {
        tracing::error!("the store refused: {error}");
        match error.may_pass() || error == heddle_store::Error::Closed {
            true => Self::Busy(AWAY.to_owned(), LATER),
            false => Self::Internal(error.to_string()),
        }
    }
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        tracing::error!("the journal refused: {error}");
        match error {
            JournalError::Disk(_) | JournalError::Closed => Self::Busy(AWAY.to_owned(), LATER),
            JournalError::Exists | JournalError::Taken => Self::Internal(error.to_string()),
        }
    }
}
