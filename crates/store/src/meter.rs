//! What the writer has written, counted once it is on disk.
//!
//! The journal says all there is to say about runs, so they are counted here, where each of its frames passes exactly
//! once: what a run did and lost again with its journal was never counted. Atomics only; nothing is looked up or made for
//! a frame.

mod histogram;

pub use histogram::{Distribution, Histogram};

use crate::frames::{Append, Packed};
use crate::writer::Work;
use heddle_engine::journal::{Entry, Event, Outcome};
use heddle_model::{GraphId, RunId, Status, UserId};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Microseconds: from a fast disk's flush to one that is in trouble.
const COMMIT_MICROS: &[u64] = &[
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000,
];
const FRAMES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// How a run or a node execution can end.
const ENDS: [Status; 3] = [Status::Completed, Status::Failed, Status::Terminated];

/// Told of each run that came into being or ended, once that is on disk. Called on the writer's thread, so it must not
/// wait.
pub trait Watcher: Send + Sync {
    /// A run was accepted.
    fn opened(&self, run: RunId, owner: UserId, graph: GraphId, parent: Option<RunId>);

    /// A run has ended.
    fn ended(&self, run: RunId, status: Status);
}

/// What a frame says that is counted; found when the frame is packed, away from the writer's thread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    ended: Option<Status>,
    executions: [u32; ENDS.len()],
}

impl Tally {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut tally = Self::default();
        for entry in entries {
            match &entry.what {
                Event::Ended { outcome: Outcome::Completed, .. } => tally.executions[0] += 1,
                Event::Ended { outcome: Outcome::Failed(_), .. } => tally.executions[1] += 1,
                Event::Ended { outcome: Outcome::Terminated, .. } => tally.executions[2] += 1,
                Event::RunEnded { status, .. } => tally.ended = Some(*status),
                _ => {}
            }
        }
        tally
    }
}

/// Counts since the store was opened.
pub(crate) struct Meter {
    runs_started: AtomicU64,
    runs_ended: [AtomicU64; ENDS.len()],
    executions: [AtomicU64; ENDS.len()],
    commits_failed: AtomicU64,
    commit_frames: Histogram,
    commit_micros: Histogram,
    /// Work that is queued or being written.
    waiting: AtomicU64,
    watcher: OnceLock<Arc<dyn Watcher>>,
}

/// The counts at one moment.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Runs accepted, children among them.
    pub runs_started: u64,
    /// Runs ended, by status.
    pub runs_ended: [(Status, u64); 3],
    /// Node executions ended, by status.
    pub executions: [(Status, u64); 3],
    /// Transactions that could not be written.
    pub commits_failed: u64,
    /// Journal frames in each transaction that was written; other changes ride along or come alone.
    pub commit_frames: Distribution,
    /// How long each took, in microseconds.
    pub commit_micros: Distribution,
    /// Pieces of work that are queued or being written.
    pub waiting: u64,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            runs_started: AtomicU64::new(0),
            runs_ended: Default::default(),
            executions: Default::default(),
            commits_failed: AtomicU64::new(0),
            commit_frames: Histogram::new(FRAMES),
            commit_micros: Histogram::new(COMMIT_MICROS),
            waiting: AtomicU64::new(0),
            watcher: OnceLock::new(),
        }
    }

    /// Only the first one is told anything.
    pub(crate) fn watch(&self, watcher: Arc<dyn Watcher>) {
        if self.watcher.set(watcher).is_err() {
            tracing::debug!("the store is watched already");
        }
    }

    /// Work is on its way to the writer.
    pub(crate) fn queued(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// Work could not be prepared and is not written.
    pub(crate) fn refused(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// A batch is on disk, or was given up; what is in it has not been answered.
    pub(crate) fn written(&self, batch: &mut [Box<dyn Work>], is_kept: bool, took: Duration) {
        self.waiting.fetch_sub(batch.len() as u64, Ordering::Relaxed);
        if !is_kept {
            self.commits_failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut frames = 0;
        for append in batch.iter_mut().filter_map(|work| work.frames()).filter(|append| append.outcome.is_ok()) {
            frames += append.frames.len() as u64;
            self.count(append);
        }
        self.commit_frames.note(frames);
        self.commit_micros.note(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    fn count(&self, append: &Append) {
        for frame in &append.frames {
            if let Some(opening) = &frame.opening {
                self.runs_started.fetch_add(1, Ordering::Relaxed);
                if let Some(watcher) = self.watcher.get() {
                    watcher.opened(frame.run, frame.owner, opening.graph, opening.parent);
                }
            }
            self.count_ends(frame);
        }
    }

    fn count_ends(&self, frame: &Packed) {
        for (count, more) in self.executions.iter().zip(frame.tally.executions) {
            if more > 0 {
                count.fetch_add(more.into(), Ordering::Relaxed);
            }
        }
        let Some(status) = frame.tally.ended else { return };
        if let Some(place) = ENDS.iter().position(|end| *end == status) {
            self.runs_ended[place].fetch_add(1, Ordering::Relaxed);
        }
        if let Some(watcher) = self.watcher.get() {
            watcher.ended(frame.run, status);
        }
    }

    pub(crate) fn read(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let by_end = |counts: &[AtomicU64; ENDS.len()]| std::array::from_fn(|end| (ENDS[end], get(&counts[end])));
        Counts {
            runs_started: get(&self.runs_started),
            runs_ended: by_end(&self.runs_ended),
            executions: by_end(&self.executions),
            commits_failed: get(&self.commits_failed),
            commit_frames: self.commit_frames.read(),
            commit_micros: self.commit_micros.read(),
            waiting: get(&self.waiting),
        }
    }
}
