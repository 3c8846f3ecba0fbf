//! A real store, shared by all worlds of this process: opening one for each would take most of the time. Each world has
//! ids of its own in it.

use heddle_cluster::Cluster;
use heddle_engine::journal::{Entry, Frame};
use heddle_engine::ports::Journal;
use heddle_model::{NodeExecId, RunId};
use heddle_store::Store;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use tempfile::TempDir;

/// One world's part of the store.
pub struct Under {
    world: u32,
    /// Each run's last frame.
    last: Mutex<HashMap<RunId, Frame>>,
}

impl Default for Under {
    fn default() -> Self {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        Self { world: WORLDS.fetch_add(1, Ordering::Relaxed), last: Mutex::default() }
    }
}

impl Under {
    /// Keeps frames that were committed together; they must be taken.
    pub fn keep(&self, frames: &[Frame]) {
        let frames: Vec<_> = frames.iter().cloned().map(|frame| self.of_world(frame)).collect();
        self.last.lock().unwrap().extend(frames.iter().map(|frame| (frame.run, frame.clone())));
        waiting(async { store().append(frames).durable().await }).unwrap();
    }

    /// Adds one event to a run's `count`.
    pub fn add(&self, run: RunId, count: usize, entry: &Entry) {
        let last = self.last.lock().unwrap()[&self.own(run)].clone();
        let frame =
            Frame { first: count as u64, entries: vec![entry.clone()], opening: None, writes: Vec::new(), ..last };
        waiting(async { store().append(vec![frame]).durable().await }).unwrap();
    }

    /// Looks whether a run's events from a number on are these.
    pub fn check(&self, run: RunId, from: usize, entries: &[Entry]) {
        assert_eq!(waiting(store().entries(self.own(run), from as u64)).unwrap(), entries, "{run}");
    }

    /// The same id for the same run, another one for another world's.
    fn own(&self, run: RunId) -> RunId {
        let mut bytes = *run.0.as_bytes();
        bytes.iter_mut().rev().zip(self.world.to_le_bytes()).for_each(|(byte, world)| *byte ^= world);
        RunId(uuid::Uuid::from_bytes(bytes))
    }

    fn of_world(&self, mut frame: Frame) -> Frame {
        frame.run = self.own(frame.run);
        for review in &mut frame.reviews {
            review.run = frame.run;
            review.exec = NodeExecId::nth(frame.run, review.index);
        }
        if let Some(opening) = &mut frame.opening {
            opening.parent = opening.parent.map(|parent| self.own(parent));
            if let Some(idempotency) = &mut opening.idempotency {
                idempotency.key += &format!(" in world {}", self.world);
            }
        }
        frame
    }
}

/// PostgreSQL when that is wanted, a file otherwise.
fn store() -> &'static Store {
    static STORE: OnceLock<(Store, Option<TempDir>)> = OnceLock::new();
    let open = || {
        if heddle_cluster::is_wanted() {
            return (Store::connect(&Cluster::shared().unwrap().database()).unwrap(), None);
        }
        let folder = tempfile::tempdir().unwrap();
        (Store::open_throwaway(&folder.path().join("heddle.db")).unwrap(), Some(folder))
    };
    &STORE.get_or_init(open).0
}

/// Waits without the runtime's help: where this is called time stands still, and would jump if the runtime waited.
fn waiting<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    // A task may look at the runtime's things only so often before it has to yield, and this one does not.
    let mut work = pin!(tokio::task::unconstrained(work));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}
