//! Wakes parked runs whose time has come.

use super::{Host, RETRY};
use crate::journal::JournalError;
use heddle_model::{RunId, Time};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// The wall clock is looked at again after so long, whatever it said: somebody may have set it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Runs asked for at once.
const PAGE: usize = 256;
/// Runs that are due and could not be woken are tried again after so many microseconds.
const TRY_AGAIN: i64 = 5_000_000;

/// The earliest time that some parked run waits for, and who sleeps until then.
pub(super) struct Timers {
    runs: AtomicBool,
    next: AtomicI64,
    earlier: Notify,
}

impl Default for Timers {
    fn default() -> Self {
        Self { runs: AtomicBool::new(false), next: AtomicI64::new(i64::MAX), earlier: Notify::new() }
    }
}

impl Host {
    /// A run has parked until then.
    pub(super) fn wake_at(self: &Arc<Self>, at: Time) {
        self.keep_time();
        if at.0 < self.timers.next.fetch_min(at.0, Ordering::Relaxed) {
            self.timers.earlier.notify_one();
        }
    }

    /// Starts the task that wakes runs, once.
    pub(super) fn keep_time(self: &Arc<Self>) {
        if !self.timers.runs.swap(true, Ordering::Relaxed) {
            tokio::spawn(keep_time(Weak::clone(&self.me)));
        }
    }

    /// Wakes what is due; the time of the next one.
    async fn wake_due(self: &Arc<Self>) -> Result<Time, JournalError> {
        let now = self.now();
        // Whoever parks from here on lowers it again.
        self.timers.next.store(i64::MAX, Ordering::Relaxed);
        let (mut after, mut found) = (None, false);
        loop {
            let due = self.ports.journal.due(now, after, PAGE).await?;
            for run in &due {
                self.enter(run.run, run.lane, run.is_child);
            }
            found |= !due.is_empty();
            match due.last() {
                Some(last) if due.len() == PAGE => after = Some((last.wake_at, last.run)),
                _ => break,
            }
        }
        let next = self.ports.journal.next_wake(now).await?.map_or(i64::MAX, |at| at.0);
        // Their rows say so until they have moved: look again whether they have.
        let again = if found { now.0 + TRY_AGAIN } else { i64::MAX };
        Ok(Time(next.min(again)))
    }

    /// Has a run go on that something has happened to; tried until the journal can be read.
    pub(super) fn wake_soon(self: &Arc<Self>, run: RunId) {
        let host = Arc::clone(self);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            while let Err(error) = host.wake(run).await {
                tracing::error!(run.id = %run, "run {run} cannot be woken yet: {error}");
                tokio::time::sleep(RETRY).await;
                if host.is_closing() {
                    return;
                }
            }
        });
    }

    async fn wake(self: &Arc<Self>, run: RunId) -> Result<(), JournalError> {
        if let Some(standing) = self.ports.journal.standing(run).await?.filter(|standing| !standing.ended) {
            self.enter(run, standing.lane, standing.is_child);
        }
        Ok(())
    }
}

/// Holds the host only while it works: one that everybody has let go of goes.
async fn keep_time(host: Weak<Host>) {
    while let Some(working) = host.upgrade().filter(|host| !host.is_closing()) {
        let (timers, clock) = (Arc::clone(&working.timers), Arc::clone(&working.ports.clock));
        let pause = match working.wake_due().await {
            Ok(next) => {
                timers.next.fetch_min(next.0, Ordering::Relaxed);
                None
            }
            Err(error) => {
                tracing::error!("runs that are due cannot be found yet: {error}");
                Some(RETRY)
            }
        };
        drop(working);
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
            continue;
        }
        while host.upgrade().is_some_and(|host| !host.is_closing()) {
            let left = Time(timers.next.load(Ordering::Relaxed)).since(clock.now());
            if left.is_zero() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK_AGAIN)) => {}
                () = timers.earlier.notified() => {}
            }
        }
    }
}
