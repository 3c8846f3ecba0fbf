//! How long to wait for another process that has locked the database: for a moment, and then no longer until it has let
//! go, so that callers are told at once what they would otherwise be told one after the other.

use super::connection::BUSY_TIMEOUT;
use crate::Error;
use rusqlite::Connection;
use std::time::Duration;

/// How long each batch waits while the lock is known to be held.
const IMPATIENT: Duration = Duration::from_millis(100);

/// What is known of the lock.
#[derive(Default)]
pub(super) struct Lock {
    is_held: bool,
}

impl Lock {
    /// Learns from how a batch went.
    pub(super) fn heed(&mut self, db: &Connection, outcome: Result<(), Error>) -> Result<(), Error> {
        let is_held = outcome == Err(Error::Locked);
        if is_held != self.is_held {
            db.busy_timeout(if is_held { IMPATIENT } else { BUSY_TIMEOUT })?;
            self.is_held = is_held;
        }
        outcome
    }
}
