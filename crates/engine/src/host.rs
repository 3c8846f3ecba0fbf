//! The runs that this process drives: started, watched, stopped, parked, picked up again.
//!
//! A run is *driven* (one task), *queued* (it waits for a place; only its id is kept), or *parked* (what its row says
//! wakes it; nothing is kept). The journal holds all three, so none is lost with the process.

mod carry;
mod children;
mod limits;
mod live;
mod resume;
mod stop;
mod timers;

use crate::credits::Credits;
use crate::driver::{Driver, Prepared, Reply};
use crate::journal::{Accepted, Answer, Entry, Event, Idempotency, JournalError, Opening};
use crate::machine::Machine;
use crate::plan::Plan;
use crate::ports::{Blocks, Clock, Journal, Lane, Plans};
use crate::turns::{self, Share, Turns};
use heddle_model::{RunId, Time};
use live::Live;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

pub use crate::driver::AnswerError;
pub use limits::Limits;
pub use resume::Unfinished;

/// Waited before a journal that has failed is asked again.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// Providers kept in memory; past so many, those are forgotten that nobody calls.
const PROVIDERS: usize = 1024;

/// A turn among the calls to one provider.
pub(crate) type CallPlace = turns::Place<oneshot::Sender<CallTurn>>;

/// Hands a place over to whoever waits for it.
pub(crate) struct CallTurn(CallPlace);

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
    /// What accounts may spend; `None`: as much as they like.
    pub credits: Option<Arc<Credits>>,
}

/// How far a run's journal is on disk.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Events on disk.
    pub events: u64,
    /// The whole run, once it has ended.
    pub ended: Option<Arc<Machine>>,
    /// Nobody drives it until something wakes it.
    pub is_parked: bool,
}

/// What is said to a driven run.
#[derive(Debug)]
pub(crate) enum Control {
    /// End it.
    Stop,
    /// Leave it where it is; it goes on at the next start.
    Close,
    /// Persons have answered.
    Answer(Vec<(u32, Answer)>, Reply),
    /// A child's journal says something before this event number that its parent has to hear of.
    ChildNews(RunId, u64),
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

/// How many runs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Accepted and not ended.
    pub unfinished: usize,
    /// In memory.
    pub driven: usize,
    /// Waiting for a place.
    pub queued: usize,
}

impl Gauges {
    /// Those that something has to wake.
    pub fn parked(&self) -> usize {
        self.unfinished.saturating_sub(self.driven + self.queued)
    }
}

/// The runs of this process.
pub struct Host {
    pub(crate) ports: Ports,
    pub(crate) limits: Limits,
    me: Weak<Self>,
    turns: Arc<Turns<RunId>>,
    calls: Mutex<HashMap<String, Arc<Turns<oneshot::Sender<CallTurn>>>>>,
    live: Mutex<Live>,
    unfinished: AtomicUsize,
    emptied: Notify,
    generations: Mutex<HashMap<(RunId, u32), Weak<Semaphore>>>,
    /// When this process began: what is older was left by another.
    pub(crate) started_at: Time,
    /// One at a time of the runs that may be what ends processes.
    pub(crate) trials: Arc<Semaphore>,
    timers: Arc<timers::Timers>,
}

impl Host {
    /// A host without runs.
    pub fn new(ports: Ports, limits: Limits) -> Arc<Self> {
        Arc::new_cyclic(|me: &Weak<Self>| {
            let host = me.clone();
            let share = Share::of(limits.running_runs, limits.account_runs);
            Self {
                started_at: ports.clock.now(),
                trials: Arc::new(Semaphore::new(1)),
                ports,
                limits,
                me: me.clone(),
                turns: Turns::new(share, move |run, place| {
                    if let Some(host) = host.upgrade() {
                        host.take_turn(run, place);
                    }
                }),
                calls: Mutex::default(),
                live: Mutex::default(),
                unfinished: AtomicUsize::new(0),
                emptied: Notify::new(),
                generations: Mutex::default(),
                timers: Arc::default(),
            }
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
            None => Ok(Prepared { machine, entries: vec![entry], opening, generation: None }),
        }
    }

    /// Starts a run; it is on disk when this returns. Without a free place it waits for its turn.
    pub async fn start(self: &Arc<Self>, prepared: Prepared) -> Result<watch::Receiver<Progress>, StartError> {
        if self.unfinished.fetch_add(1, Ordering::Relaxed) >= self.limits.queued_runs {
            self.unfinished.fetch_sub(1, Ordering::Relaxed);
            return Err(StartError::Busy);
        }
        let Prepared { machine, entries, opening, .. } = prepared;
        let (accepted, answer) = oneshot::channel();
        let place = self.turns.try_take(lane(&machine));
        let run = machine.run;
        let registered = self.live().register(run);
        let Some((mut channels, progress)) = registered else {
            self.unfinished.fetch_sub(1, Ordering::Relaxed);
            return Err(JournalError::Closed.into());
        };
        (channels.accepted, channels.place) = (Some(accepted), place);
        let driver = Driver::new(Arc::clone(self), machine, 0, entries, Some(opening), channels);
        tokio::spawn(Arc::clone(self).carry(run, carry::Begin::With(Box::new(driver))));
        answer.await.unwrap_or(Err(JournalError::Closed))?;
        Ok(progress)
    }

    /// Follows a run, whether or not it is being driven; `None` while the process closes. Whether it has ended is
    /// for the caller to look up: who follows a run that is over waits for ever.
    pub fn watch(&self, run: RunId) -> Option<watch::Receiver<Progress>> {
        let mut progress = self.live().watch(run)?;
        progress.mark_unchanged();
        Some(progress)
    }

    /// How many runs there are.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            unfinished: self.unfinished.load(Ordering::Relaxed),
            driven: self.live().driven(),
            queued: self.turns.waiting(),
        }
    }

    /// Lets every run's frames reach the disk and leaves them there.
    pub async fn close(&self) {
        self.turns.clear();
        self.live().close();
        loop {
            let emptied = self.emptied.notified();
            if self.live().is_emptied() {
                return;
            }
            emptied.await;
        }
    }

    /// Waits for a turn among the calls to a provider.
    pub(crate) fn call_place(&self, provider: String, lane: Lane) -> impl Future<Output = Option<CallPlace>> + use<> {
        let turns = {
            let mut calls = self.calls();
            if calls.len() >= PROVIDERS {
                calls.retain(|_, turns| Arc::strong_count(turns) > 1);
            }
            let share = Share::of(self.limits.provider_calls, self.limits.provider_calls);
            // Whoever does not wait any more gives the place back.
            let give = |waiting: oneshot::Sender<CallTurn>, place| drop(waiting.send(CallTurn(place)));
            Arc::clone(calls.entry(provider).or_insert_with(|| Turns::new(share, give)))
        };
        async move {
            if let Some(place) = turns.try_take(lane) {
                return Some(place);
            }
            let (waiting, turn) = oneshot::channel();
            turns.wait(lane, waiting);
            turn.await.ok().map(|CallTurn(place)| place)
        }
    }

    /// Only meaningful while the lock on the live runs is held: no run may join them after they were told to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.live().is_closing()
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Turns<oneshot::Sender<CallTurn>>>>> {
        self.calls.lock().expect("nothing panics while it holds the lock")
    }

    fn live(&self) -> std::sync::MutexGuard<'_, Live> {
        self.live.lock().expect("nothing panics while it holds the lock")
    }
}

/// Whose turn a run takes.
fn lane(machine: &Machine) -> Lane {
    let owner = machine.accepted.as_ref().expect("a run that is driven was accepted").owner;
    Lane { owner, graph: machine.plan.graph }
}
