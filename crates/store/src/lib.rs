//! Tables, migrations and the journal writer, on SQLite or PostgreSQL.
//!
//! Knows how things are kept and nothing of the rules that decide what is kept: it never checks a scope, a password or
//! a graph. Every look-up of somebody's thing names the owner first; the few that do not (`accounts`, `operator`,
//! `unfinished`, …) serve the system itself. No type of a database library appears in a signature.
//!
//! One writer thread commits whatever is queued from all runs and all callers together (`writer`); a few reader
//! threads answer questions (`reader`), so that a slow question never delays a commit.
//!
//! # Two databases
//!
//! SQLite is the default and needs nothing; PostgreSQL is for those who run it anyway, and for sharing the work among
//! processes. Both keep the same tables under the same migrations, with the same encodings: ids are 16 bytes, times are
//! microseconds, bodies are ours. A noun (`accounts`, `runs`, …) is written once, against `db::Db`, which is a connection
//! to either; its statements are pairs of texts (`sql::Sql`), most of them made from one. Which database it
//! is was decided when the store was opened, and is asked again only inside `db`, `cell` and `frames`.
//!
//! Below that the two differ as they must: `sqlite` runs statements on the spot, `postgres` over a connection that may
//! break. The way a frame goes to disk is each one's own, because it is what everything waits for: SQLite runs it
//! statement by statement, PostgreSQL gets a whole batch at once and answers it at once. What was told durable is on
//! disk on both; the same failures have the same names; when a server goes away in the middle of a commit nobody can
//! tell whether it took place, and the answer is an error.
//!
//! One process owns a database on either: a file by the lock on its folder, which is its opener's business, a server's by
//! a lock that the writing connection holds (`postgres::tenure`).

mod accounts;
mod browser_sessions;
mod callbacks;
mod cell;
mod clock;
mod codec;
mod compaction;
mod connect_attempts;
mod counters;
mod credential_ends;
mod credentials;
mod credits;
mod database;
mod db;
mod error;
mod events;
mod frames;
mod gate;
mod graphs;
mod health;
mod journal;
mod key_value;
mod keys;
mod library;
mod market;
mod meter;
mod migrate;
mod oauth;
mod page;
mod passkeys;
mod password_resets;
mod postgres;
mod reader;
mod retention;
mod reviews;
mod runs;
mod schedules;
mod sealed;
mod secret_uses;
mod secrets;
mod session;
mod sizes;
mod sql;
mod sqlite;
mod waiting;
mod writer;

pub use accounts::{Account, NewAccount};
pub use browser_sessions::BrowserSession;
pub use callbacks::Callback;
pub use compaction::{Compacted, Compaction};
pub use connect_attempts::{ConnectAttempt, Way};
pub use credentials::{CredentialRecord, SealedCredential};
pub use credits::{CreditNotice, CreditRecord, NewCredit, Refill};
pub use database::{Address, Database};
pub use error::Error;
pub use graphs::{GraphSummary, StoredGraph};
pub use keys::{ApiKey, KeyStatus, NewKey};
pub use library::{LibraryEntry, LibraryItem};
pub use market::{
    AgentCard, AgentDetails, AgentFilter, AgentOrder, ApprovedVersion, Creator, CreatorFilter, CreatorOrder,
    CreatorStats, Picture, Rating, Ratings, Review as MarketReview, Submission, SubmissionStatus, SubmissionText,
    Submitted,
};
pub use meter::{Counts, Distribution, Histogram, Watcher};
pub use migrate::MigrationState;
pub use oauth::{Held, NewGrant, Swept};
pub use page::{Page, Paging};
pub use passkeys::{Answered, Passkey, PasskeyUse};
pub use retention::{Removed, Walk};
pub use reviews::ReviewRecord;
pub use runs::RunRecord;
pub use schedules::{DueSchedule, Schedule};
pub use sealed::{SealedPlace, SealedWalk};
pub use secret_uses::SecretUse;
pub use secrets::SealedSecret;
pub use sizes::Sizes;

use crate::db::Db;
use crate::gate::Gate;
use heddle_fault as fault;
use heddle_model::GraphId;
use postgres::{Role, Server, Settings};
use reader::Readers;
use session::Session;
use sqlite::Sqlite;
use sqlite::connection::{self, Durability};
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, OnceLock, RwLock};
use tokio::sync::mpsc::UnboundedSender;
use writer::Writer;

/// One database. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// The readers come first because they must be gone before the writer's last checkpoint can empty the log.
struct Inner {
    readers: Readers,
    writer: Writer,
    /// Who hears of callbacks.
    callbacks: OnceLock<UnboundedSender<Callback>>,
    /// The graphs that have a listing, whose runs are counted.
    listed: RwLock<HashSet<GraphId>>,
}

impl Store {
    /// Opens the SQLite database in this file, makes it if there is none, and brings its tables up to this build.
    /// Blocks.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Durability::Full)
    }

    /// As [`Store::open`], but nothing waits for the disk: for a database that is deleted afterwards.
    pub fn open_throwaway(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Durability::Throwaway)
    }

    /// Opens the PostgreSQL database at `postgres://…`, which must exist, and brings its tables up to this build.
    /// Blocks. [`Error::InUse`] when another process has it. A connection that breaks later is made anew when it is next
    /// needed; what was under way then is answered with [`Error::Disk`].
    pub fn connect(url: &str) -> Result<Self, Error> {
        let settings = Arc::new(Settings::parse(url)?);
        apart(|| {
            let mut server = Server::new(Arc::clone(&settings), Role::Writer)?;
            postgres::migrate::apply(server.connection()?.patient(), migrate::POSTGRES)?;
            server.begin_tenure()?;
            let listed = market::published_ids(Db::Postgres(server.connection()?))?;
            let readers = (0..cores().max(4)).map(|_| Server::new(Arc::clone(&settings), Role::Reader));
            Self::start(readers.collect::<Result<Vec<_>, _>>()?, server, &Arc::default(), listed)
        })
    }

    /// Each migration of this build and whether the SQLite database at `path` has it. Changes nothing and makes no
    /// file.
    pub fn migrations(path: &Path) -> Result<Vec<MigrationState>, Error> {
        sqlite::migrate::state(path)
    }

    /// Each migration of this build and whether the PostgreSQL database at `postgres://…` has it. Changes nothing.
    /// Blocks.
    pub fn migrations_at(url: &str) -> Result<Vec<MigrationState>, Error> {
        let settings = Arc::new(Settings::parse(url)?);
        apart(|| {
            let mut server = Server::new(settings, Role::Reader)?;
            let states = postgres::migrate::state(server.connection()?)?;
            server.leave();
            Ok(states)
        })
    }

    fn open_with(path: &Path, durability: Durability) -> Result<Self, Error> {
        fault::point!("store.open.before")?;
        let mut db = connection::writer(path, durability)?;
        sqlite::migrate::apply(&mut db, migrate::SQLITE)?;
        fault::point!("store.open.after")?;
        let listed = market::published_ids(Db::Sqlite(&db))?;
        let gate = Arc::default();
        let readers = (0..cores()).map(|_| connection::reader(path).map(Sqlite::reader));
        Self::start(readers.collect::<Result<Vec<_>, _>>()?, Sqlite::writer(db, &gate)?, &gate, listed)
    }

    fn start<S: Session>(
        readers: Vec<S>,
        writer: S,
        gate: &Arc<Gate>,
        listed: HashSet<GraphId>,
    ) -> Result<Self, Error> {
        let readers = Readers::start(readers, gate)?;
        let writer = Writer::start(writer)?;
        Ok(Self { inner: Arc::new(Inner { readers, writer, callbacks: OnceLock::new(), listed: RwLock::new(listed) }) })
    }

    /// Copies the whole database, as it is at the end of copying, into a file that is not there yet. Others go on
    /// writing meanwhile, and what they are told is durable is in the copy if they were told so before this was called.
    /// One copy at a time; [`Error::Exists`] also when another is being made.
    pub async fn copy_to(&self, path: &Path) -> Result<(), Error> {
        self.inner.writer.copy(path.to_owned()).await
    }

    /// Copies a SQLite database that nobody uses, without bringing it up to date. Blocks.
    pub fn copy_at_rest(from: &Path, to: &Path) -> Result<(), Error> {
        sqlite::copy::at_rest(from, to)
    }

    /// Reads a SQLite database that nobody uses to its end and says which migrations it has: whether a copy is whole.
    /// Refuses one of a newer release. Blocks.
    pub fn verify(path: &Path) -> Result<Vec<MigrationState>, Error> {
        sqlite::copy::verify(path)
    }

    /// What was written since the store was opened.
    pub fn counts(&self) -> Counts {
        self.inner.writer.meter.read()
    }

    /// Tells of runs that come into being and end from now on; only the first watcher is told anything.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.inner.writer.meter.watch(watcher);
    }

    /// Finishes what is queued, empties SQLite's log into the database file and ends the threads. Whatever is asked of the
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
        F: FnOnce(Db<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.inner.readers.ask(question).await
    }

    /// Runs a change on the writer thread, beside whatever else is in the batch, and answers when it is on disk. The
    /// change may be run again when its batch has to be repeated, so it must do nothing but change the database.
    async fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(Db<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.inner.writer.change(change).await
    }
}

/// How many readers are worth having.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8))
}

/// Runs something on a thread of its own: a connection's runtime must not start or end inside another one.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(Error::Disk("connecting to the database panicked".to_owned())))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
