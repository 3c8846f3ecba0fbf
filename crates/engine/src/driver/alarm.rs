//! Waiting for a time: timers' rounds in memory, and when a run may be parked instead.

use super::Driver;
use crate::journal::Parked;
use heddle_model::Time;
use std::time::Duration;

/// A run that waits for less than this stays in memory.
const SHORT: Duration = Duration::from_secs(1);
/// A run whose children are parked stays so long.
const GRACE: Duration = Duration::from_secs(1);
/// A run whose children move stays so long without hearing of them.
const LONG_GRACE: Duration = Duration::from_secs(30);
/// The wall clock is looked at again after so long, whatever it said: somebody may have set it.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl Driver {
    /// What wakes this run, if there is nothing to do until then and it is worth leaving memory.
    pub(super) fn parking(&self) -> Option<Parked> {
        let machine = &self.machine;
        if machine.has_ended()
            || self.closing
            || self.is_ending
            || machine.stop_asked
            || machine.has_ready()
            || self.is_over_bound()
        {
            return None;
        }
        let is_busy = !self.tasks.is_empty() || !self.held.is_empty() || !self.births.is_empty();
        let waits = machine.is_running() || machine.has_reviews();
        if is_busy || !self.newborn.is_empty() || !self.replies.is_empty() || !waits {
            return None;
        }
        if machine.running().into_iter().any(|exec| self.has_unheard(exec)) {
            return None;
        }
        let wake_at = self.wake_at();
        if wake_at.is_some_and(|at| at.since(self.host.now()) < SHORT) || self.grace_left().is_some() {
            return None;
        }
        let awaits = machine.running().into_iter().filter_map(|exec| {
            let state = &machine.execs[exec as usize];
            Some((state.child?, state.child_read))
        });
        Some(Parked { wake_at, awaits: awaits.collect() })
    }

    /// Whether an execution's child has said something that has not been read yet.
    fn has_unheard(&self, exec: u32) -> bool {
        let state = &self.machine.execs[exec as usize];
        let told = state.child.and_then(|child| self.told.get(&child));
        told.is_some_and(|told| *told > state.child_read)
    }

    /// How long a run that follows children stays in memory yet; `None` when it follows none or has stayed enough.
    fn grace_left(&self) -> Option<Duration> {
        if self.followers.is_empty() {
            return None;
        }
        let all_parked = self.parked_children.len() == self.followers.len();
        let grace = if all_parked { GRACE } else { LONG_GRACE };
        grace.checked_sub(self.moved_at.elapsed()).filter(|left| !left.is_zero())
    }

    /// The earliest time that this run waits for.
    fn wake_at(&self) -> Option<Time> {
        [self.alarms.first().map(|(at, _)| *at), self.deadline()].into_iter().flatten().min()
    }

    /// How long until there is something to look at without anybody saying so.
    pub(super) fn next_alarm(&self) -> Option<Duration> {
        // A deadline that has passed would be looked at without end while the last frame, or the first one here, is on its
        // way.
        if self.machine.has_ended() || self.awaits_mark() {
            return None;
        }
        let wake = self.wake_at().map(|at| at.since(self.host.now()).min(LOOK_AGAIN));
        [wake, self.grace_left(), self.trial_left()].into_iter().flatten().min()
    }

    /// Ends the rounds whose time has come.
    pub(super) fn ring(&mut self) {
        let now = self.host.now();
        while let Some((at, exec)) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&(at, exec));
            self.on_woke(exec);
        }
    }
}
