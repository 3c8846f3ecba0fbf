//! Starts runs when the slots of schedules have come.
//!
//! The next slot of all is kept in memory, and the clock is looked at at least once a second, because somebody may set it;
//! the database is asked only when a slot has come. Without schedules nothing happens.

use super::{Schedule, Schedules, start};
use crate::background::Background;
use crate::{Error, Principal};
use futures::{FutureExt, StreamExt, stream};
use heddle_fault as fault;
use heddle_model::cron::{self, Cron};
use heddle_model::{RunId, ScheduleId, Time};
use heddle_store::DueSchedule;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// The clock is looked at again after so long, whatever it said.
const LOOK: Duration = Duration::from_secs(1);

/// A clock that goes back by no more than so many microseconds is waited for.
const SLACK: i64 = 60_000_000;

/// Slots asked for at once. Which come first is fair among accounts.
const PAGE: usize = 10_000;

/// Slots fired at once: they share commits. Where places are short it is one after the other, in the order of turns.
const AT_ONCE: usize = 32;

/// Before what failed is tried again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The earliest slot of all, and who sleeps until then.
#[derive(Debug)]
pub(crate) struct Alarm {
    next: AtomicI64,
    earlier: Notify,
}

impl Default for Alarm {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self { next: AtomicI64::new(i64::MIN), earlier: Notify::new() }
    }
}

impl Alarm {
    /// There is a slot then.
    pub(super) fn set(&self, at: Time) {
        if at.0 < self.next.fetch_min(at.0, Ordering::SeqCst) {
            self.earlier.notify_one();
        }
    }

    fn next(&self) -> i64 {
        self.next.load(Ordering::SeqCst)
    }
}

/// Starts the task.
pub(crate) fn fire(schedules: Schedules) -> Background {
    let mut watch = Watch::new(schedules);
    Background::start(async move {
        loop {
            let pause = watch.look().await;
            tokio::select! {
                () = sleep(pause) => {}
                () = watch.schedules.alarm.earlier.notified() => {}
            }
        }
    })
}

/// What the task knows.
pub(super) struct Watch {
    schedules: Schedules,
    /// What the clock said at the last look.
    last: Time,
    /// Nothing is tried before.
    rest_until: Option<Instant>,
    /// Slots that failed by themselves: when they are tried again, and how long the pause was.
    aside: HashMap<ScheduleId, (Instant, Duration)>,
    /// Too much waited, or the database was away.
    is_tight: bool,
    has_failed: bool,
}

impl Watch {
    pub(super) fn new(schedules: Schedules) -> Self {
        // The first look may find that the clock was set while nobody looked.
        Self {
            schedules,
            last: Time(i64::MAX),
            rest_until: None,
            aside: HashMap::new(),
            is_tight: false,
            has_failed: false,
        }
    }

    /// Does what is due. How long to rest then, unless the alarm is set to earlier.
    pub(super) async fn look(&mut self) -> Duration {
        let begun = Instant::now();
        if let Some(left) = self.rest_until.and_then(|until| until.checked_duration_since(begun)) {
            return left.min(LOOK);
        }
        let worked = AssertUnwindSafe(self.work()).catch_unwind().await;
        let failure = match worked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(Error::Internal("it panicked".to_owned())),
        };
        if let Some(error) = failure {
            if !std::mem::replace(&mut self.has_failed, true) {
                tracing::error!(error = %error, "schedules cannot be fired yet: {error}");
            }
            let pause = match error {
                Error::Busy(_, seconds) => Duration::from_secs(seconds.into()),
                _ => FIRST_PAUSE,
            };
            self.rest_until = Some(Instant::now() + pause);
            // Whatever was found out is found out again.
            self.schedules.alarm.next.store(i64::MIN, Ordering::SeqCst);
            return pause.min(LOOK);
        }
        if std::mem::take(&mut self.has_failed) {
            tracing::info!("schedules are fired again");
        }
        self.rest()
    }

    /// Until the next slot, but not for long: the clock may be set meanwhile.
    fn rest(&self) -> Duration {
        let next = self.schedules.alarm.next();
        if next == i64::MAX && self.aside.is_empty() {
            // Without schedules no clock matters.
            return Duration::MAX;
        }
        let left = next.saturating_sub(self.schedules.clock.now().0);
        Duration::from_micros(u64::try_from(left).unwrap_or(0)).min(LOOK)
    }

    async fn work(&mut self) -> Result<(), Error> {
        let (schedules, now) = (&self.schedules, self.schedules.clock.now());
        if now.0 < self.last.0.saturating_sub(SLACK) {
            schedules.count_anew(now).await?;
            schedules.alarm.next.store(i64::MIN, Ordering::SeqCst);
        }
        self.last = now;
        let instant = Instant::now();
        if schedules.alarm.next() <= now.0 || self.aside.values().any(|(again, _)| *again <= instant) {
            self.round(now).await?;
        }
        Ok(())
    }

    /// Fires what is due.
    pub(super) async fn round(&mut self, now: Time) -> Result<(), Error> {
        let schedules = &self.schedules;
        // Whoever makes a schedule from here on lowers it again.
        schedules.alarm.next.store(i64::MAX, Ordering::SeqCst);
        let found = schedules.store.schedules_due(now, PAGE).await.map_err(quiet)?;
        if !found.is_empty() {
            fault::point!("schedules.due.found")?;
        }
        let (instant, is_page) = (Instant::now(), found.len() == PAGE);
        let waits = |due: &DueSchedule| self.aside.get(&due.id).is_some_and(|(again, _)| *again > instant);
        let due: Vec<_> = found.into_iter().filter(|due| !waits(due)).collect();
        let is_idle = due.is_empty();
        let is_stopped = AtomicBool::new(false);
        let fired = stream::iter(due).map(|due| schedules.try_fire(due, &is_stopped));
        let fired: Vec<_> = fired.buffer_unordered(if self.is_tight { 1 } else { AT_ONCE }).collect().await;
        let mut busy = None;
        for (id, outcome) in fired {
            match outcome {
                None => {}
                Some(Ok(())) => drop(self.aside.remove(&id)),
                // Nothing is wrong with the slot, so it keeps its turn.
                Some(Err(error @ Error::Busy(..))) => busy = Some(error),
                Some(Err(error)) => self.put_aside(id, &error),
            }
        }
        self.is_tight = busy.is_some();
        if let Some(busy) = busy {
            return Err(busy);
        }
        // Those that are gone were removed, or their account passes over them.
        if is_idle {
            self.aside.retain(|_, (again, _)| *again > instant);
        }
        let next = match is_page && !is_idle {
            true => Some(now),
            false => self.schedules.store.next_schedule(now).await.map_err(quiet)?,
        };
        self.schedules.alarm.next.fetch_min(next.map_or(i64::MAX, |next| next.0), Ordering::SeqCst);
        Ok(())
    }

    fn put_aside(&mut self, id: ScheduleId, error: &Error) {
        let pause = self.aside.get(&id).map_or(FIRST_PAUSE, |(_, pause)| (*pause * 2).min(LONGEST_PAUSE));
        tracing::error!(schedule.id = %id, error = %error, "schedule {id} cannot be fired yet: {error}");
        self.aside.insert(id, (Instant::now() + pause, pause));
    }
}

impl Schedules {
    /// Fires a slot, unless another one was told to wait: none then needs to ask.
    async fn try_fire(&self, due: DueSchedule, is_stopped: &AtomicBool) -> (ScheduleId, Option<Result<(), Error>>) {
        if is_stopped.load(Ordering::Relaxed) {
            return (due.id, None);
        }
        let fired = AssertUnwindSafe(self.fire(due)).catch_unwind().await;
        let fired = fired.unwrap_or_else(|_| Err(Error::Internal("it panicked".to_owned())));
        if let Err(Error::Busy(..)) = fired {
            is_stopped.store(true, Ordering::Relaxed);
        }
        (due.id, Some(fired))
    }

    /// Starts the run of a slot, if the schedule still stands there, and moves the schedule on.
    async fn fire(&self, due: DueSchedule) -> Result<(), Error> {
        let found = self.store.schedule(due.owner, due.id).await.map_err(quiet)?;
        let Some(schedule) = found.filter(|schedule| schedule.next_run_at == due.slot) else { return Ok(()) };
        match self.begin(&schedule).await? {
            true => self.move_on(&schedule).await,
            false => Ok(()),
        }
    }

    /// Sees to it that the run of the slot at which a schedule stands is there. False: the schedule is gone.
    pub(super) async fn begin(&self, schedule: &Schedule) -> Result<bool, Error> {
        let Schedule { id, owner, graph, version, .. } = *schedule;
        if self.accounts.get(owner).await?.is_none() {
            tracing::debug!(schedule.id = %id, "schedule {id} passes over a slot: its account is disabled");
            return Ok(true);
        }
        let run = RunId::of_slot(id, schedule.next_run_at);
        // Started before something kept the schedule from moving on.
        if self.store.run_by_id(owner, run).await.map_err(quiet)?.is_some() {
            return Ok(true);
        }
        let known = self.plans.find(owner, graph, version).await.map_err(quiet)?;
        if known.is_none_or(|known| !known.stored.in_library) {
            let highest = self.store.graph(owner, graph, None).await.map_err(quiet)?;
            if highest.is_some_and(|highest| highest.in_library) {
                return self.drop_one(schedule, &format!("graph {graph} has no version {version} any more")).await;
            }
            let count = self.store.remove_schedules_of(owner, graph).await.map_err(quiet)?;
            tracing::warn!(
                graph.id = %graph,
                "{count} schedules of graph {graph} were removed: it is gone, or not in its owner's library"
            );
            return Ok(false);
        }
        let caller = Principal { user: owner, organization: schedule.organization, key: None, scopes: Vec::new() };
        fault::point!("schedules.start.before")?;
        match self.runs.start_once(&caller, run, start(schedule)).await {
            Ok(()) => {
                fault::point!("schedules.start.after")?;
                tracing::debug!(schedule.id = %id, run.id = %run, "schedule {id} has started run {run}");
                Ok(true)
            }
            // Its account was disabled just now.
            Err(Error::Refused(_)) if self.accounts.get(owner).await?.is_none() => Ok(true),
            Err(Error::Refused(why)) => self.drop_one(schedule, &why).await,
            Err(error) => Err(error),
        }
    }

    /// Moves a schedule on to its first slot that is still to come.
    pub(super) async fn move_on(&self, schedule: &Schedule) -> Result<(), Error> {
        let Schedule { id, next_run_at: slot, .. } = *schedule;
        // A clock that was just put back is no reason for the same slot again.
        let now = self.clock.now().max(slot);
        let Some(next) = next_slot(schedule, now) else {
            return self.drop_one(schedule, "it is never due again").await.map(drop);
        };
        if next_slot(schedule, slot).is_some_and(|missed| missed <= now) {
            tracing::info!(schedule.id = %id, "schedule {id} has missed slots, for which one run stands");
        }
        self.store.move_schedule(at(schedule), next, now).await.map_err(quiet)?;
        Ok(fault::point!("schedules.moved")?)
    }

    /// The clock may have been put back: whatever was worked out by a later one is worked out anew.
    async fn count_anew(&self, now: Time) -> Result<(), Error> {
        let ahead = self.store.schedules_counted_after(Time(now.0.saturating_add(SLACK))).await.map_err(quiet)?;
        if !ahead.is_empty() {
            tracing::warn!("the clock was put back: the next slots of {} schedules are counted anew", ahead.len());
        }
        for due in ahead {
            let found = self.store.schedule(due.owner, due.id).await.map_err(quiet)?;
            if let Some((schedule, next)) = found.and_then(|found| next_slot(&found, now).map(|next| (found, next))) {
                self.store.move_schedule(at(&schedule), next, now).await.map_err(quiet)?;
            }
        }
        Ok(())
    }

    async fn drop_one(&self, schedule: &Schedule, why: &str) -> Result<bool, Error> {
        let id = schedule.id;
        match self.store.remove_schedule(schedule.owner, id).await {
            Ok(()) => tracing::warn!(schedule.id = %id, "schedule {id} ({:?}) was removed: {why}", schedule.name),
            Err(heddle_store::Error::NotFound) => {}
            Err(error) => return Err(quiet(error)),
        }
        Ok(false)
    }
}

/// Where a schedule stands.
fn at(schedule: &Schedule) -> DueSchedule {
    DueSchedule { owner: schedule.owner, id: schedule.id, slot: schedule.next_run_at }
}

fn next_slot(schedule: &Schedule, after: Time) -> Option<Time> {
    // Both were read when it was made.
    let (cron, zone) = (schedule.cron.parse::<Cron>().ok()?, cron::zone(&schedule.time_zone).ok()?);
    cron.next_after(after, zone)
}

/// Without a line in the log for each question; the task says once that it has failed.
fn quiet(error: heddle_store::Error) -> Error {
    match error.may_pass() || error == heddle_store::Error::Closed {
        true => Error::Busy(error.to_string(), 1),
        false => Error::Internal(error.to_string()),
    }
}
