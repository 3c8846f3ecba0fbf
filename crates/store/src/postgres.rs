//! PostgreSQL: a server, reached over a connection that may break.
//!
//! Each thread of the store has a connection of its own and the small runtime that drives it, so the store depends on
//! no runtime of its caller's and works the same with a file and with a server. Nothing here is for a pooler that hands
//! each transaction to another connection: statements stay prepared.

mod batch;
mod connection;
pub(crate) mod frames;
pub(crate) mod migrate;
mod settings;
mod tenure;
mod tls;
mod values;

pub(crate) use connection::{Connection, Role, Server};
pub(crate) use settings::Settings;

use crate::Error;
use crate::db::Db;
use crate::session::{Between, Session};
use crate::writer::Work;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;

/// How long it is tried to find out what came of a batch whose connection broke.
const AGAIN: Duration = Duration::from_secs(5);

impl Session for Server {
    fn db(&mut self) -> Result<Db<'_>, Error> {
        self.connection().map(Db::Postgres)
    }

    fn commit(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), Error> {
        let mut outcome = batch::commit(self.connection()?, batch);
        let give_up = Instant::now() + AGAIN;
        while let Err(why) = outcome {
            if !self.is_lost() || Instant::now() > give_up {
                return Err(why);
            }
            outcome = match self.connection_before(give_up) {
                Some(db) => batch::settle(db, batch, why),
                None => return Err(why),
            };
        }
        outcome
    }

    fn settle(&mut self) -> Option<Duration> {
        None
    }

    fn copy(&mut self, _: &Path, _: &mut Between<'_>) -> Result<(), Error> {
        Err(Error::Address("a PostgreSQL database is copied by pg_dump".to_owned()))
    }

    fn finish(self) {
        self.leave();
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use std::error::Error as _;
        // The server's details quote what was to be stored, so only its message and code go on.
        if let Some(refusal) = error.as_db_error() {
            let code = refusal.code();
            let text = || format!("{} ({})", refusal.message(), code.code());
            return match *code {
                SqlState::UNIQUE_VIOLATION => Self::Exists,
                SqlState::FOREIGN_KEY_VIOLATION => Self::NotFound,
                SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Self::Corrupt(text()),
                _ => Self::Disk(text()),
            };
        }
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            text = format!("{text}: {deeper}");
            cause = deeper.source();
        }
        Self::Disk(text)
    }
}
