//! What all threads know: which server lives now, what has just happened, and when it is time to end.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Something that a kill can be aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A starter has read the first byte of an answer.
    Answer,
    /// An effect has reached the upstream server.
    EffectArrived,
    /// It has been answered.
    EffectAnswered,
}

/// Shared by all threads.
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The living server and which life this is; lives count from 1.
    address: Option<String>,
    life: u64,
    noticed: HashMap<Notice, u64>,
    /// Set when no more runs are to be started: when to give up what is unfinished.
    give_up: Option<Instant>,
    faults: Vec<String>,
}

impl World {
    /// A server listens.
    pub fn open(&self, address: &str) {
        let mut state = self.state.lock().unwrap();
        state.address = Some(address.to_owned());
        state.life += 1;
        self.changed.notify_all();
    }

    /// It is gone.
    pub fn close(&self) {
        self.state.lock().unwrap().address = None;
    }

    /// The living server and its life, once there is one; `None` when it is time to give up.
    pub fn server(&self) -> Option<(String, u64)> {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(address) = &state.address {
                return (!state.is_over()).then(|| (address.clone(), state.life));
            }
            if state.is_over() {
                return None;
            }
            state = self.changed.wait_timeout(state, Duration::from_secs(1)).unwrap().0;
        }
    }

    /// Waits for the life after this one. False when there will be none, or none soon.
    pub fn next_life(&self, life: u64) -> bool {
        let mut state = self.state.lock().unwrap();
        while state.life <= life && state.give_up.is_none() {
            state = self.changed.wait_timeout(state, Duration::from_secs(1)).unwrap().0;
        }
        state.give_up.is_none()
    }

    /// Whether this life is still on.
    pub fn lives(&self, life: u64) -> bool {
        let state = self.state.lock().unwrap();
        state.life == life && state.address.is_some()
    }

    /// Something happened.
    pub fn notice(&self, what: Notice) {
        *self.state.lock().unwrap().noticed.entry(what).or_default() += 1;
        self.changed.notify_all();
    }

    /// Waits until it happens once more, but no longer than this.
    pub fn wait_for(&self, what: Notice, limit: Duration) {
        let give_up = Instant::now() + limit;
        let mut state = self.state.lock().unwrap();
        let before = state.noticed.get(&what).copied().unwrap_or_default();
        while state.noticed.get(&what).copied().unwrap_or_default() == before {
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Something is wrong that no model needs to be asked about.
    pub fn fault(&self, text: String) {
        self.state.lock().unwrap().faults.push(text);
    }

    /// What was wrong so far.
    pub fn faults(&self) -> Vec<String> {
        self.state.lock().unwrap().faults.clone()
    }

    /// No more runs are to be started; what is unfinished after this long is given up.
    pub fn finish(&self, limit: Duration) {
        self.state.lock().unwrap().give_up = Some(Instant::now() + limit);
        self.changed.notify_all();
    }

    /// Whether no more runs are to be started.
    pub fn is_finishing(&self) -> bool {
        self.state.lock().unwrap().give_up.is_some()
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.give_up.is_some_and(|give_up| Instant::now() >= give_up)
    }
}
