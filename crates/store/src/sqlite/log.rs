//! Keeping the write-ahead log short.
//!
//! The writer moves the log's pages into the database every so many pages: seldom enough to be cheap, and no commit waits
//! long for it, because the batch before was answered first. The log starts anew by itself once everything was moved
//! and nobody looks at it. Readers that overlap without end are made to leave a gap when it has grown past its bound. An
//! old state that somebody else holds on to (another program with an open transaction) cannot be taken away: then the log
//! grows, which is said, and shrinks as soon as it can.

use crate::Error;
use crate::gate::Gate;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Pages in the log after which they are moved into the database.
const STEP: u32 = 4000;

/// Pages past which readers are kept out so that the log can start anew: 64 MiB.
const BOUND: u32 = 16_384;

/// Pages past which somebody is told: 256 MiB.
const LOUD: u32 = 65_536;

/// How long readers are kept out at most.
const MOMENT: Duration = Duration::from_millis(50);

/// Between two looks at a gate that is closed.
const LOOK: Duration = Duration::from_millis(2);

/// Between two attempts at a log that is too long while nothing is written.
const RETRY: Duration = Duration::from_secs(1);

/// The writer's view of the log.
pub(super) struct Log {
    /// Its pages after the last commit.
    pages: Arc<AtomicU32>,
    /// Pages at the last look.
    before: u32,
    /// Pages at which to do something next.
    next: u32,
    /// When to try again though it has not grown; only past the bound.
    retry: Option<Instant>,
    gate: Arc<Gate>,
    /// Whether readers are being kept out for the log's sake.
    asked: bool,
    was_loud: bool,
    has_failed: bool,
}

impl Log {
    /// Watches the log of this connection, in place of SQLite's own automatism.
    pub(super) fn watch(db: &mut Connection, gate: Arc<Gate>) -> Result<Self, Error> {
        let pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&pages);
        db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: std::ffi::c_int| {
            seen.store(count.try_into().unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { pages, before: 0, next: STEP, retry: None, gate, asked: false, was_loud: false, has_failed: false })
    }

    /// Does what the log needs; says when to ask again though nothing is written.
    pub(super) fn settle(&mut self, db: &Connection) -> Option<Duration> {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.before {
            self.is_new();
        }
        self.before = pages;
        let is_due = self.asked || pages >= self.next || self.retry.is_some_and(|retry| Instant::now() >= retry);
        if !is_due {
            return self.retry.map(|retry| retry.saturating_duration_since(Instant::now()));
        }
        let outcome = if pages <= BOUND { self.advance(db, pages) } else { self.begin_anew(db, pages) };
        match outcome {
            Ok(again) => {
                self.has_failed = false;
                again
            }
            Err(error) => {
                let again = self.give_way(pages);
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::error!(error = %error, "the database's log cannot be moved into its file: {error}");
                }
                again
            }
        }
    }

    /// Moves what readers of older states do not need.
    fn advance(&mut self, db: &Connection, pages: u32) -> Result<Option<Duration>, Error> {
        checkpoint(db, CheckpointMode::PASSIVE)?;
        // If it starts anew now, this is forgotten; if somebody is in the way, trying at each commit would be dear.
        self.next = pages + STEP / 4;
        Ok(None)
    }

    /// Makes readers leave a gap and starts the log from its beginning in it.
    fn begin_anew(&mut self, db: &Connection, pages: u32) -> Result<Option<Duration>, Error> {
        if !self.asked {
            checkpoint(db, CheckpointMode::PASSIVE)?;
            self.gate.close_for(MOMENT);
            self.asked = true;
        }
        if !self.gate.is_empty() && self.gate.is_closed() {
            return Ok(Some(LOOK));
        }
        let done = self.gate.is_empty() && checkpoint(db, CheckpointMode::RESTART)?;
        let again = self.give_way(pages);
        if done {
            self.pages.store(0, Ordering::Relaxed);
            self.before = 0;
            self.is_new();
            return Ok(None);
        }
        if pages > LOUD && !std::mem::replace(&mut self.was_loud, true) {
            let mib = pages / 256;
            tracing::warn!(
                log.mib = mib,
                "the database's log has grown to {mib} MiB: something holds on to an old state of the database, such as \
                another program with an open transaction"
            );
        }
        Ok(again)
    }

    /// Lets readers in and tries again later.
    fn give_way(&mut self, pages: u32) -> Option<Duration> {
        self.next = pages + STEP;
        self.retry = (pages > BOUND).then(|| Instant::now() + RETRY);
        if std::mem::replace(&mut self.asked, false) {
            self.gate.open();
        }
        self.retry.map(|_| RETRY)
    }

    fn is_new(&mut self) {
        self.next = STEP;
        self.retry = None;
        if std::mem::replace(&mut self.was_loud, false) {
            tracing::info!("the database's log is short again");
        }
    }
}

/// Moves pages; whether all that was asked for could be done. Does not wait for anybody.
fn checkpoint(db: &Connection, mode: CheckpointMode) -> Result<bool, Error> {
    let waits = !matches!(mode, CheckpointMode::PASSIVE);
    if waits {
        db.busy_timeout(Duration::ZERO)?;
    }
    let outcome = db.wal_checkpoint_v2(Some("main"), mode);
    if waits {
        db.busy_timeout(super::connection::BUSY_TIMEOUT)?;
    }
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
