//! The runs that this process drives: started, watched, stopped, picked up again.

use crate::driver::{Channels, Drive, Driver, Prepared};
use crate::journal::{Accepted, Entry, Event, Idempotency, JournalError, Opening};
use crate::machine::Machine;
use crate::plan::Plan;
use crate::ports::{Blocks, Clock, Journal, Plans};
use heddle_model::RunId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

/// Waited before a run whose journal failed is read again.
const RETRY: Duration = Duration::from_secs(1);

/// Runs equally deep below one root that are driven at once.
const GENERATION: usize = 256;

/// What the engine works with.
#[derive(Clone)]
pub struct Ports {
    /// Keeps events.
    pub journal: Arc<dyn Journal>,
    /// Runs blocks.
    pub blocks: Arc<dyn Blocks>,
    /// Finds agents that agents call.
    pub plans: Arc<dyn Plans>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Bounds, see `operator.md`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Accepted and unfinished runs.
    pub queued_runs: usize,
    /// Runs worked on at once.
    pub running_runs: usize,
    /// Bytes of one value's JSON.
    pub value_bytes: usize,
    /// Nested agents.
    pub nesting: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queued_runs: 100_000, running_runs: 10_000, value_bytes: 16 << 20, nesting: 32 }
    }
}

/// How far a run's journal is on disk.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Events on disk.
    pub events: u64,
    /// The whole run, once it has ended.
    pub ended: Option<Arc<Machine>>,
}

/// What is said to a running run.
#[derive(Debug)]
pub(crate) enum Control {
    /// End it.
    Stop,
    /// Leave it where it is; it goes on at the next start.
    Close,
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Too many runs wait.
    #[error("too many runs are waiting")]
    Busy,
    /// It could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

struct Handle {
    control: mpsc::UnboundedSender<Control>,
    progress: watch::Receiver<Progress>,
}

/// The runs of this process.
pub struct Host {
    pub(crate) ports: Ports,
    pub(crate) limits: Limits,
    pub(crate) running: Arc<Semaphore>,
    live: Mutex<HashMap<RunId, Handle>>,
    closing: AtomicBool,
    emptied: tokio::sync::Notify,
    generations: Mutex<HashMap<(RunId, u32), Weak<Semaphore>>>,
}

impl Host {
    /// A host without runs.
    pub fn new(ports: Ports, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            ports,
            limits,
            running: Arc::new(Semaphore::new(limits.running_runs)),
            live: Mutex::default(),
            closing: AtomicBool::new(false),
            emptied: tokio::sync::Notify::new(),
            generations: Mutex::default(),
        })
    }

    /// Checks the starting nodes of a run. The text says why it cannot start.
    pub fn prepare(
        &self,
        run: RunId,
        plan: Arc<Plan>,
        accepted: Accepted,
        idempotency: Option<Idempotency>,
    ) -> Result<Prepared, String> {
        let at = self.ports.clock.now();
        let opening = Opening {
            organization: accepted.organization,
            graph: accepted.graph,
            version: accepted.version,
            created_at: at,
            parent: accepted.parent.map(|parent| parent.run),
            idempotency,
        };
        let mut machine = Machine::new(run, plan);
        let entry = Entry { at, what: Event::Accepted(Box::new(accepted)) };
        machine.apply(&entry);
        match machine.refusal() {
            Some(text) => Err(text.to_owned()),
            None => Ok(Prepared { machine, entries: vec![entry], opening, place: None }),
        }
    }

    pub(crate) async fn prepare_child(&self, run: RunId, mut accepted: Accepted) -> Result<Prepared, String> {
        let (plan, skip) = self.ports.plans.runnable(accepted.owner, accepted.graph, accepted.version).await?;
        accepted.skip = skip;
        let place = self.generation(accepted.root, accepted.depth).acquire_owned().await.ok();
        let prepared = self.prepare(run, plan, accepted, None)?;
        Ok(Prepared { place, ..prepared })
    }

    /// The places of the runs that stand equally deep below one root. An agent that calls itself twice would fill all
    /// memory; so its runs wait for each other, and as a run only ever waits for deeper ones, some run can always go on.
    fn generation(&self, root: RunId, depth: u32) -> Arc<Semaphore> {
        let mut generations = self.generations.lock().expect("nothing panics while it holds the lock");
        if let Some(places) = generations.get(&(root, depth)).and_then(Weak::upgrade) {
            return places;
        }
        generations.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(GENERATION));
        generations.insert((root, depth), Arc::downgrade(&places));
        places
    }

    /// Starts a run; it is on disk when this returns.
    pub async fn start(self: &Arc<Self>, prepared: Prepared) -> Result<watch::Receiver<Progress>, StartError> {
        let (accepted, answer) = oneshot::channel();
        let run = prepared.machine.run;
        let (channels, progress) = {
            let mut live = self.live();
            if self.is_closing() {
                return Err(JournalError::Closed.into());
            }
            if live.len() >= self.limits.queued_runs {
                return Err(StartError::Busy);
            }
            register(&mut live, run, Some(accepted))
        };
        let Prepared { machine, entries, opening, place } = prepared;
        let driver = Driver::new(Arc::clone(self), machine, 0, entries, Some(opening), channels).holding(place);
        tokio::spawn(Arc::clone(self).supervise(run, driver));
        answer.await.unwrap_or(Err(JournalError::Closed))?;
        Ok(progress)
    }

    /// Drives a run of which `durable` events are on disk and in the machine.
    pub(crate) fn launch(self: &Arc<Self>, machine: Machine, durable: u64, place: Option<OwnedSemaphorePermit>) {
        self.drive(vec![(machine, durable, place)]);
    }

    /// Drives runs that are on disk. All are known before the first moves, so that parents find their children.
    pub fn resume(self: &Arc<Self>, runs: Vec<(Machine, u64)>) {
        self.drive(runs.into_iter().map(|(machine, durable)| (machine, durable, None)).collect());
    }

    fn drive(self: &Arc<Self>, runs: Vec<(Machine, u64, Option<OwnedSemaphorePermit>)>) {
        let mut drivers = Vec::with_capacity(runs.len());
        for (machine, durable, place) in runs {
            let run = machine.run;
            let channels = {
                let mut live = self.live();
                if self.is_closing() {
                    break;
                }
                register(&mut live, run, None).0
            };
            let driver = Driver::new(Arc::clone(self), machine, durable, Vec::new(), None, channels);
            drivers.push((run, driver.holding(place)));
        }
        for (run, driver) in drivers {
            tokio::spawn(Arc::clone(self).supervise(run, driver));
        }
    }

    /// Follows a run that is being driven here; `None` when it is not (any more).
    pub fn watch(&self, run: RunId) -> Option<watch::Receiver<Progress>> {
        let mut progress = self.live().get(&run)?.progress.clone();
        progress.mark_unchanged();
        Some(progress)
    }

    /// Stops a run and waits until that is on disk; false when it is not being driven here.
    pub async fn stop(&self, run: RunId) -> bool {
        let Some(mut progress) = self.watch(run) else { return false };
        self.ask_to_stop(run);
        // An error means that its driver has gone, which is as good.
        let _ = progress.wait_for(|progress| progress.ended.is_some()).await;
        true
    }

    /// Asks a run to stop, without waiting.
    pub(crate) fn ask_to_stop(&self, run: RunId) {
        if let Some(handle) = self.live().get(&run) {
            let _ = handle.control.send(Control::Stop);
        }
    }

    /// Runs that are accepted and have not ended.
    pub fn unfinished(&self) -> usize {
        self.live().len()
    }

    /// Lets every run's frames reach the disk and leaves them there.
    pub async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        for handle in self.live().values() {
            let _ = handle.control.send(Control::Close);
        }
        loop {
            let emptied = self.emptied.notified();
            if self.live().is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Drives a run to its end, reading it again from the journal when that has failed.
    async fn supervise(self: Arc<Self>, run: RunId, driver: Driver) {
        let plan = Arc::clone(driver.plan());
        let (mut end, mut channels) = driver.drive().await;
        while let Drive::Lost { error, durable } = end {
            if durable == 0 || self.is_closing() {
                break;
            }
            tracing::error!(run.id = %run, "run {run} goes on when the journal does: {error}");
            tokio::time::sleep(RETRY).await;
            end = match self.ports.journal.read(run, 0).await {
                Ok(entries) => {
                    let machine = Machine::replay(run, Arc::clone(&plan), &entries);
                    let count = entries.len() as u64;
                    let driver = Driver::new(Arc::clone(&self), machine, count, Vec::new(), None, channels);
                    let (next, back) = driver.drive().await;
                    channels = back;
                    next
                }
                Err(error) => Drive::Lost { error, durable },
            };
        }
        let mut live = self.live();
        live.remove(&run);
        if live.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Only meaningful while the lock on the live runs is held: no run may join them after they were told to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<RunId, Handle>> {
        self.live.lock().expect("nothing panics while it holds the lock")
    }
}

fn register(
    live: &mut HashMap<RunId, Handle>,
    run: RunId,
    accepted: Option<oneshot::Sender<Result<(), JournalError>>>,
) -> (Channels, watch::Receiver<Progress>) {
    let (sender, control) = mpsc::unbounded_channel();
    let (progress, watcher) = watch::channel(Progress::default());
    live.insert(run, Handle { control: sender, progress: watcher.clone() });
    (Channels { accepted, progress, control, stop: false }, watcher)
}
