//! What goes on in the background so that the database stays in shape: runs that ended long ago are removed, and finished
//! ones that are spread over many rows are rewritten into few. What is over of authorizations goes too.
//!
//! It looks now and then, does a little at a time, and leaves most of the time to others: while runs go on, a small part
//! of it; while nothing else happens, half of it. With nothing to do it only looks. What fails is said once and tried
//! again.

use crate::Error;
use crate::background::Background;
use crate::clock::SystemClock;
use futures::FutureExt;
use heddle_engine::ports::Clock;
use heddle_fault as fault;
use heddle_model::Time;
use heddle_store::{Compaction, Store, Walk};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// Between two looks while there is nothing to do.
const LOOK: Duration = Duration::from_secs(10);

/// Between two walks over all runs.
const WALK: Duration = Duration::from_secs(600);

/// Between two looks for codes and tokens that are over, and how many go at once.
const SWEEP: (Duration, u64) = (Duration::from_secs(60), 100);

/// How long one piece of work may keep other writers waiting: while there are others, and while there are none.
const PIECE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(4));

/// Between two pieces while runs go on.
const PAUSE: Duration = Duration::from_millis(20);

/// Starts the task; it may be broken off in the middle of a piece of work, which is then done or not. Finished runs are
/// removed after `retention`, or never.
pub(crate) fn start(store: Store, retention: Option<Duration>) -> Background {
    let mut rounds = Rounds::new(store, retention);
    Background::start(async move {
        let mut pause = LOOK;
        loop {
            tokio::time::sleep(pause).await;
            pause = rounds.go_on().await;
        }
    })
}

/// The work, and where it stands.
struct Rounds {
    store: Store,
    clock: SystemClock,
    retention: Option<Duration>,
    walk: Option<Walk>,
    next_walk: Option<Instant>,
    removed: u64,
    next_sweep: Instant,
    next_forgetting: Instant,
    compaction: Compaction,
    /// What had been done when there was nothing left to rewrite.
    rewritten: Option<u64>,
    /// What others had done at the last look.
    others: u64,
    has_failed: bool,
}

impl Rounds {
    fn new(store: Store, retention: Option<Duration>) -> Self {
        Self {
            store,
            clock: SystemClock,
            retention,
            // A crash may have left something, whatever the retention is now.
            walk: Some(Walk::over_leftovers()),
            next_walk: retention.map(|_| Instant::now()),
            removed: 0,
            next_sweep: Instant::now(),
            next_forgetting: Instant::now(),
            compaction: Compaction::default(),
            rewritten: None,
            others: 0,
            has_failed: false,
        }
    }

    /// Does a piece of work; how long to rest then.
    async fn go_on(&mut self) -> Duration {
        let others = self.others();
        let is_quiet = std::mem::replace(&mut self.others, others) == others;
        let begun = Instant::now();
        let piece = AssertUnwindSafe(self.piece(if is_quiet { PIECE.1 } else { PIECE.0 })).catch_unwind().await;
        match piece.unwrap_or_else(|_| Err(Error::Internal("it panicked".to_owned()))) {
            Ok(has_worked) => {
                self.has_failed = false;
                match (has_worked, is_quiet) {
                    (false, _) => LOOK,
                    (true, true) => begun.elapsed(),
                    (true, false) => PAUSE.max(begun.elapsed() * 10),
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::warn!(error = %error, "upkeep of the database failed and is tried again: {error}");
                }
                LOOK
            }
        }
    }

    /// Whether there was something to do.
    async fn piece(&mut self, limit: Duration) -> Result<bool, Error> {
        let has_removed = self.remove(limit).await?;
        let has_swept = self.sweep().await?;
        let has_forgotten = self.forget_uses().await?;
        Ok(self.rewrite().await? || has_removed || has_swept || has_forgotten)
    }

    async fn sweep(&mut self) -> Result<bool, Error> {
        if Instant::now() < self.next_sweep {
            return Ok(false);
        }
        let swept = self.store.sweep_oauth(self.clock.now(), SWEEP.1).await;
        let swept = swept.map_err(|error| Error::Internal(error.to_string()))?;
        let sign_ins = self.store.remove_expired_sign_ins(self.clock.now()).await;
        let sign_ins = sign_ins.map_err(|error| Error::Internal(error.to_string()))?;
        let attempts = self.store.remove_expired_connect_attempts(self.clock.now()).await;
        let attempts = attempts.map_err(|error| Error::Internal(error.to_string()))?;
        let is_over = swept.is_over && sign_ins == 0 && attempts == 0;
        if is_over {
            self.next_sweep = Instant::now() + SWEEP.0;
        }
        Ok(!is_over)
    }

    /// Records of the use of secrets are kept as long as runs are.
    async fn forget_uses(&mut self) -> Result<bool, Error> {
        let Some(retention) = self.retention.filter(|_| Instant::now() >= self.next_forgetting) else {
            return Ok(false);
        };
        let before = earlier(self.clock.now(), retention);
        let gone = self.store.prune_secret_uses(before, SWEEP.1).await;
        let gone = gone.map_err(|error| Error::Internal(error.to_string()))?;
        if gone == 0 {
            self.next_forgetting = Instant::now() + SWEEP.0;
        }
        Ok(gone > 0)
    }

    async fn rewrite(&mut self) -> Result<bool, Error> {
        let others = self.others();
        if self.rewritten == Some(others) {
            return Ok(false);
        }
        let step =
            self.store.compact(&mut self.compaction).await.map_err(|error| Error::Internal(error.to_string()))?;
        if step.is_over {
            self.rewritten = Some(others);
        } else {
            let (before, after) = step.bytes;
            tracing::debug!(
                runs = step.runs,
                bytes.before = before,
                bytes.after = after,
                "finished runs were rewritten"
            );
        }
        Ok(!step.is_over)
    }

    async fn remove(&mut self, limit: Duration) -> Result<bool, Error> {
        let now = self.clock.now();
        let is_due = |next: &Instant| Instant::now() >= *next;
        if let (None, Some(retention), Some(_)) = (&self.walk, self.retention, self.next_walk.filter(is_due)) {
            self.walk = Some(Walk::before(earlier(now, retention)));
            self.next_walk = Some(Instant::now() + WALK);
        }
        let Some(walk) = &mut self.walk else { return Ok(false) };
        let step =
            self.store.remove_ended(walk, now, limit).await.map_err(|error| Error::Internal(error.to_string()))?;
        self.removed += step.runs;
        if step.runs > 0 {
            fault::point!("upkeep.removed")?;
        }
        if step.is_over {
            self.walk = None;
            if self.removed > 0 {
                tracing::info!(runs = self.removed, "{} runs that ended long ago were removed", self.removed);
            }
            self.removed = 0;
        }
        Ok(true)
    }

    /// A number that moves when runs do.
    fn others(&self) -> u64 {
        let counts = self.store.counts();
        let ended = counts.runs_ended.iter().chain(&counts.executions).map(|(_, count)| count);
        ended.fold(counts.runs_started, |all, count| all.wrapping_add(*count))
    }
}

fn earlier(now: Time, than: Duration) -> Time {
    Time(now.0.saturating_sub(i64::try_from(than.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests;
