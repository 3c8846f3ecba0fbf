//! Tables, migrations and the journal writer, on SQLite.
//!
//! Knows how things are kept and nothing of the rules that decide what is kept: it never checks a scope, a password or
//! a graph. Every look-up of somebody's thing names the owner first; the few that do not (`accounts`, `operator`,
//! `unfinished`, …) serve the system itself. No type of the database library appears in a signature.
//!
//! One writer thread commits whatever is queued from all runs and all callers together (`writer`); a few reader
//! threads answer questions (`reader`), so that a slow question never delays a commit.

mod accounts;
mod clock;
mod codec;
mod connection;
mod error;
mod frames;
mod graphs;
mod health;
mod journal;
mod key_value;
mod keys;
mod library;
mod migrate;
mod page;
mod reader;
mod runs;
mod sql;
mod writer;

pub use accounts::{Account, NewAccount};
pub use error::Error;
pub use graphs::{GraphSummary, StoredGraph};
pub use keys::{ApiKey, KeyStatus, NewKey};
pub use migrate::MigrationState;
pub use page::{Page, Paging};
pub use runs::RunRecord;

use connection::Durability;
use reader::Readers;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use writer::Writer;

/// The database of one data folder. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// The readers come first because they must be gone before the writer's last checkpoint can empty the log.
struct Inner {
    readers: Readers,
    writer: Writer,
}

impl Store {
    /// Opens the database, makes it if there is none, and brings its tables up to this build. Blocks.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Durability::Full)
    }

    /// As [`Store::open`], but nothing waits for the disk: for a database that is deleted afterwards.
    pub fn open_throwaway(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Durability::Throwaway)
    }

    /// Each migration of this build and whether the database at `path` has it. Changes nothing and makes no file.
    pub fn migrations(path: &Path) -> Result<Vec<MigrationState>, Error> {
        migrate::state(path)
    }

    fn open_with(path: &Path, durability: Durability) -> Result<Self, Error> {
        let mut db = connection::writer(path, durability)?;
        migrate::apply(&mut db, migrate::SQLITE)?;
        let readers = Readers::start(path)?;
        let writer = Writer::start(db)?;
        Ok(Self { inner: Arc::new(Inner { readers, writer }) })
    }

    /// Finishes what is queued, empties the log into the database file and ends the threads. Whatever is asked of the
    /// store afterwards is answered with [`Error::Closed`].
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        let closing = tokio::task::spawn_blocking(move || {
            inner.readers.stop();
            inner.writer.stop();
        });
        if let Err(error) = closing.await {
            tracing::warn!(error = %error, "the database was not closed in order");
        }
    }

    /// Runs a question on a reader thread.
    async fn read<T, F>(&self, question: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.inner.readers.ask(question).await
    }

    /// Runs a change on the writer thread, beside whatever else is in the batch, and answers when it is on disk. The
    /// change may be run again when its batch has to be repeated, so it must do nothing but change the database.
    async fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.inner.writer.change(change).await
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
