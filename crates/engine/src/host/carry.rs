//! One run's task: loads it, has it driven, and sees to what comes after.

use super::{Host, RETRY, lane};
use crate::driver::{Channels, Drive, Driver};
use crate::journal::{self, Accepted, Entry, Event, Frame, JournalError};
use crate::machine::Machine;
use crate::ports::Lane;
use crate::turns::Place;
use futures::FutureExt;
use heddle_model::{RunId, Time, UserId};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A run whose driver has panicked so often is given up.
const PANICS: u32 = 3;

/// Where a run's task begins.
pub(super) enum Begin {
    /// With a driver at hand.
    With(Box<Driver>),
    /// With the journal.
    Stored(Channels),
}

/// What was taken of the owner's credits for a run while it was in memory. What a lost frame took, and a refused one has
/// kept all the same, shows when the journal is read again.
struct Spending {
    /// `None` where spending is free.
    spent: Option<Arc<AtomicU64>>,
    /// Whose; nobody's before it was driven.
    owner: Option<UserId>,
}

impl Spending {
    fn new(host: &Host) -> Self {
        Self { spent: host.ports.credits.as_ref().map(|_| Arc::default()), owner: None }
    }

    fn begin(&mut self, driver: &mut Driver, owner: UserId) {
        driver.spends(self.spent.clone());
        self.owner = Some(owner);
    }

    /// Corrects the purse by what the journal does not have of it, or has besides. Always true.
    fn put_right(&self, host: &Host, entries: &[Entry]) -> bool {
        if let (Some(credits), Some(spent)) = (&host.ports.credits, &self.spent) {
            let kept = journal::spent(entries);
            let taken = spent.swap(kept, Ordering::Relaxed);
            if let Some(owner) = self.owner {
                credits.correct(owner, taken.cast_signed() - kept.cast_signed());
            }
        }
        true
    }
}

enum Loaded {
    Run(Box<Driver>),
    /// It has ended already; or it is not there.
    Over,
    /// It can never be driven, and why.
    Hopeless(Vec<Entry>, String, Channels),
    /// The journal cannot be read yet.
    Later(JournalError, Channels),
}

impl Host {
    /// Drives a run until it ends or leaves memory, reading it again from the journal when that has failed.
    pub(super) async fn carry(self: Arc<Self>, run: RunId, mut begin: Begin) {
        let mut panics = 0;
        let mut spending = Spending::new(&self);
        // Whether the run is counted as unfinished for certain: it was driven here.
        let mut is_counted = matches!(begin, Begin::With(_));
        loop {
            let mut driver = match begin {
                Begin::With(driver) => driver,
                Begin::Stored(channels) => match self.load(run, channels, is_counted, &spending).await {
                    Loaded::Run(driver) => driver,
                    Loaded::Over if is_counted => return self.over(run),
                    Loaded::Over => return self.forget(run),
                    Loaded::Hopeless(entries, why, channels) => {
                        is_counted = true;
                        if self.give_up(run, &entries, why).await.is_ok() {
                            return self.over(run);
                        }
                        begin = Begin::Stored(channels);
                        if self.wait_to_retry(run).await { continue } else { return self.forget(run) }
                    }
                    Loaded::Later(error, channels) => {
                        tracing::error!(run.id = %run, "run {run} cannot be read yet: {error}");
                        begin = Begin::Stored(channels);
                        if self.wait_to_retry(run).await { continue } else { return self.forget(run) }
                    }
                },
            };
            let lane = driver.lane();
            spending.begin(&mut driver, lane.owner);
            is_counted = true;
            let channels = match AssertUnwindSafe(driver.drive()).catch_unwind().await {
                Ok((Drive::Ended, _)) => return self.over(run),
                Ok((Drive::Closed, _)) => return self.forget(run),
                Ok((Drive::Parked(parked), mut channels)) => {
                    if self.live().leave(run, &mut channels, true) {
                        drop(channels);
                        return self.parked(parked.wake_at);
                    }
                    channels
                }
                Ok((Drive::Yielded, mut channels)) => {
                    if self.live().leave(run, &mut channels, false) {
                        drop(channels);
                        return self.enter(run, lane, false);
                    }
                    channels
                }
                Ok((Drive::Lost { error, durable }, channels)) => {
                    // What a disk has refused it may have kept.
                    if durable == 0 && !matches!(error, JournalError::Disk(_)) {
                        spending.put_right(&self, &[]);
                        return self.over(run);
                    }
                    tracing::error!(run.id = %run, "run {run} goes on when the journal does: {error}");
                    if durable > 0 && !self.wait_to_retry(run).await {
                        return self.forget(run);
                    }
                    channels
                }
                Err(_) => {
                    panics += 1;
                    tracing::error!(run.id = %run, "the engine panicked on run {run}");
                    match self.after_panic(run, panics, &spending).await {
                        Some(channels) => channels,
                        None => return,
                    }
                }
            };
            begin = Begin::Stored(channels);
        }
    }

    /// Reads a run. What an earlier driver here did not know to be on disk is told now.
    async fn load(self: &Arc<Self>, run: RunId, channels: Channels, is_again: bool, spending: &Spending) -> Loaded {
        let entries = match self.ports.journal.read(run, 0).await {
            Ok(entries) => entries,
            Err(error) => return Loaded::Later(error, channels),
        };
        spending.put_right(self, &entries);
        let Some(Event::Accepted(accepted)) = entries.first().map(|entry| &entry.what) else { return Loaded::Over };
        let Accepted { owner, graph, version, .. } = **accepted;
        let plan = match self.ports.plans.plan(owner, graph, version).await {
            Ok(Some(plan)) => plan,
            Ok(None) => {
                return Loaded::Hopeless(entries, format!("graph {graph} version {version} is gone"), channels);
            }
            Err(text) => return Loaded::Later(JournalError::Disk(text), channels),
        };
        let machine = Machine::replay(run, plan, &entries);
        let count = entries.len() as u64;
        let parent = machine.accepted.as_ref().and_then(|accepted| accepted.parent);
        let news = machine.news;
        let tell = || {
            if let Some(parent) = parent.filter(|_| is_again && news > 0) {
                self.tell(parent.run, run, news);
            }
        };
        if machine.has_ended() {
            channels.progress.send_modify(|progress| {
                progress.events = count;
                progress.ended = Some(Arc::new(machine));
            });
            tell();
            return Loaded::Over;
        }
        if is_again {
            channels.progress.send_modify(|progress| progress.events = count);
            tell();
        }
        Loaded::Run(Box::new(Driver::new(Arc::clone(self), machine, count, Vec::new(), None, channels)))
    }

    /// Ends a run that can never be driven.
    async fn give_up(self: &Arc<Self>, run: RunId, entries: &[Entry], why: String) -> Result<(), JournalError> {
        let Some(Event::Accepted(accepted)) = entries.first().map(|entry| &entry.what) else { return Ok(()) };
        let reviews = self.ports.journal.reviews(accepted.owner, run).await?;
        let Some(frame) = Frame::abandoning(run, entries, reviews, why, self.now()) else { return Ok(()) };
        let news = frame.row.news;
        self.ports.journal.append(vec![frame]).durable().await?;
        if let Some(parent) = accepted.parent {
            self.tell(parent.run, run, news);
        }
        Ok(())
    }

    /// A driver that panicked took its channels with it; after too many panics the run is ended.
    async fn after_panic(self: &Arc<Self>, run: RunId, panics: u32, spending: &Spending) -> Option<Channels> {
        if panics >= PANICS
            && let Ok(entries) = self.ports.journal.read(run, 0).await
            && spending.put_right(self, &entries)
            && self.give_up(run, &entries, "the engine failed on this run".to_owned()).await.is_ok()
        {
            self.over(run);
            return None;
        }
        if !self.wait_to_retry(run).await {
            self.forget(run);
            return None;
        }
        self.live().renew(run)
    }

    async fn wait_to_retry(&self, _run: RunId) -> bool {
        if self.is_closing() {
            return false;
        }
        tokio::time::sleep(RETRY).await;
        !self.is_closing()
    }

    /// The run has ended, or never began.
    fn over(&self, run: RunId) {
        // Runs that this process did not count when it started are not counted off either.
        let _ = self.unfinished.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
        self.forget(run);
    }

    fn forget(&self, run: RunId) {
        let mut live = self.live();
        live.remove(run);
        if live.is_emptied() {
            self.emptied.notify_waiters();
        }
    }

    fn parked(self: &Arc<Self>, wake_at: Option<Time>) {
        if self.live().is_emptied() {
            self.emptied.notify_waiters();
        }
        if let Some(at) = wake_at {
            self.wake_at(at);
        }
    }

    /// A run that is on disk and may go on: children at once, others when it is their turn.
    pub(super) fn enter(self: &Arc<Self>, run: RunId, lane: Lane, is_child: bool) {
        if is_child {
            self.rouse(run, None, None);
        } else if self.live().queue(run, lane) {
            self.turns.wait(lane, run);
        }
        if self.live().is_emptied() {
            self.emptied.notify_waiters();
        }
    }

    /// A run's turn has come.
    pub(super) fn take_turn(self: &Arc<Self>, run: RunId, place: Place<RunId>) {
        // One that was taken out of its line meanwhile is driven already, or over.
        if self.live().unqueue(run).is_some() {
            self.rouse(run, Some(place), None);
        }
    }

    /// Has a run driven that nobody drives, and tells it something. False when the process is closing.
    pub(super) fn rouse(
        self: &Arc<Self>,
        run: RunId,
        place: Option<Place<RunId>>,
        control: Option<super::Control>,
    ) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return false };
        let (channels, waited) = {
            let mut live = self.live();
            if live.is_closing() {
                return false;
            }
            match live.register(run) {
                Some((channels, _)) => (channels, live.unqueue(run)),
                None => return control.is_none_or(|control| live.say(run, control).is_ok()),
            }
        };
        // Before it is driven: afterwards it may wait again.
        if let Some(lane) = waited {
            self.turns.withdraw(lane, &run);
        }
        let channels = Channels { place, first: control, ..channels };
        runtime.spawn(Arc::clone(self).carry(run, Begin::Stored(channels)));
        true
    }
}

impl Driver {
    /// Whose turn the run takes.
    pub(crate) fn lane(&self) -> Lane {
        lane(self.machine())
    }
}
