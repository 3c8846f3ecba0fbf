//! Lets readers in, and keeps new ones out for a moment when the log must be begun anew.
//!
//! A log can only start from its beginning while nobody looks at it. With readers that overlap without end that moment
//! would never come, so it is made: those inside finish, those outside wait, and nobody waits longer than the moment.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The gate of one database.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    inside: usize,
    closed_until: Option<Instant>,
}

/// The right to look; gone when dropped.
pub(crate) struct Pass<'a>(&'a Gate);

impl Gate {
    /// Waits while the gate is closed.
    pub(crate) fn enter(&self) -> Pass<'_> {
        let mut state = self.lock();
        while let Some(until) = state.closed_until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.closed_until = None;
                break;
            }
            state = self.opened.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.inside += 1;
        Pass(self)
    }

    /// Keeps new readers out, at most so long.
    pub(crate) fn close_for(&self, moment: Duration) {
        self.lock().closed_until = Some(Instant::now() + moment);
    }

    /// Lets everybody in again.
    pub(crate) fn open(&self) {
        self.lock().closed_until = None;
        self.opened.notify_all();
    }

    /// Whether it is closed; it opens by itself.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed_until.is_some_and(|until| Instant::now() < until)
    }

    /// Whether nobody is inside.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().inside == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.lock().inside -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn those_inside_finish_and_those_outside_wait_until_it_opens() {
        let gate = Arc::new(Gate::default());
        let inside = gate.enter();
        gate.close_for(Duration::from_secs(60));
        assert!(gate.is_closed() && !gate.is_empty());
        let waiting = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || drop(gate.enter())
        });
        drop(inside);
        assert!(gate.is_empty());
        gate.open();
        waiting.join().unwrap();
    }

    #[test]
    fn it_opens_by_itself() {
        let gate = Gate::default();
        gate.close_for(Duration::from_millis(1));
        drop(gate.enter());
        assert!(!gate.is_closed());
    }
}
