//! Runs that an earlier process left under way: one that ends the process at every try must not be tried for ever.
//!
//! That a run is tried again is on disk before anything of it runs ([`Event::Resumed`]), with how often it was tried in a
//! row without getting anywhere. Nobody can tell which of several runs has ended a process, so those that were tried in
//! vain more than once are tried one at a time: whoever comes through is not counted against any more.

use super::Driver;
use crate::journal::{Event, JournalError};
use crate::plan::Kind;
use heddle_model::Status;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// A run that was tried so often in a row, and each time the process ended before it had got anywhere, is given up …
const ATTEMPTS: u32 = 5;
/// … once that has gone on for so long: processes that somebody ends one right after the other say nothing about it.
const LONG_ENOUGH: Duration = Duration::from_secs(60);
/// Runs that were tried in vain so often are tried one at a time.
const ALONE_FROM: u32 = 2;
/// What has run so long by itself is not what ends the process.
const TRIAL: Duration = Duration::from_secs(60);

/// A run's time alone among those that are under suspicion.
pub(super) struct Trial {
    _place: OwnedSemaphorePermit,
    pub(super) until: Instant,
}

impl Driver {
    /// Puts down that the run is tried once more, or gives it up. What only waits needs no mark.
    pub(super) async fn begin_attempt(&mut self) -> Result<(), JournalError> {
        if !self.is_left_over() || !self.has_work() {
            return Ok(());
        }
        if self.is_hopeless() {
            let times = self.machine.interrupted;
            let text = format!("given up: the server ended {times} times in a row while it worked on this run");
            return self.end_early(Status::Failed, Some(text)).await;
        }
        if self.machine.interrupted >= ALONE_FROM {
            self.wait_for_trial().await?;
            if self.closing || self.machine.has_ended() {
                return Ok(());
            }
        }
        self.record(Event::Resumed { interrupted: self.machine.interrupted + 1 });
        self.marked = self.next;
        Ok(())
    }

    fn is_hopeless(&self) -> bool {
        let went_on = self.machine.suspected_at.map(|at| self.host.now().since(at));
        self.machine.interrupted >= ATTEMPTS && went_on.is_some_and(|long| long >= LONG_ENOUGH)
    }

    /// Whatever is said to the run meanwhile comes first.
    async fn wait_for_trial(&mut self) -> Result<(), JournalError> {
        let trials = Arc::clone(&self.host.trials);
        tokio::select! {
            biased;
            Some(control) = self.channels.control.recv() => self.on_control(control).await?,
            Ok(place) = trials.acquire_owned() => {
                self.trial = Some(Trial { _place: place, until: Instant::now() + TRIAL });
            }
        }
        Ok(())
    }

    /// Whether nothing may run yet, because the mark is not on disk.
    pub(super) fn awaits_mark(&self) -> bool {
        self.durable < self.marked
    }

    /// A run that gets on stands under no suspicion, and one that has lived long enough does not either.
    pub(super) fn end_trial(&mut self) {
        let Some(trial) = &self.trial else { return };
        if self.machine.interrupted > 0 && trial.until > Instant::now() {
            return;
        }
        if self.machine.interrupted > 0 && !self.machine.has_ended() {
            self.record(Event::Resumed { interrupted: 0 });
        }
        self.trial = None;
    }

    /// How long the trial lasts yet.
    pub(super) fn trial_left(&self) -> Option<Duration> {
        self.trial.as_ref().map(|trial| trial.until.saturating_duration_since(Instant::now()))
    }

    /// A process that closes in good order has not been ended by this run.
    pub(super) fn take_attempt_back(&mut self) {
        if self.marked > 0 && self.machine.interrupted > 0 && !self.machine.has_ended() {
            self.record(Event::Resumed { interrupted: self.machine.interrupted - 1 });
        }
    }

    /// Whether nothing has happened to the run in this process.
    fn is_left_over(&self) -> bool {
        !self.is_fresh && self.machine.last_at < self.host.started_at
    }

    fn has_work(&self) -> bool {
        let is_block = |exec: u32| matches!(self.machine.kind(exec), Kind::Block | Kind::Note);
        !self.machine.has_ended() && (self.machine.has_ready() || self.machine.running().into_iter().any(is_block))
    }
}
