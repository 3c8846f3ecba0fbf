//! What the engine needs from outside: blocks that run, a journal that keeps, children that start, a clock.

use crate::Effect;
use crate::journal::{Entry, Frame, JournalError, Review};
use crate::plan::Plan;
use crate::tool::Tool;
use async_trait::async_trait;
use heddle_model::{BlockFacts, GraphId, NodeExecId, NodeId, Object, RunId, Time, Usage, UserId, Value};
use std::sync::Arc;
use std::time::Duration;

/// What a block may know about where it runs. Outside a run (direct execution) the ids are absent.
#[derive(Clone, Debug)]
pub struct Context {
    /// The account it runs for.
    pub user: UserId,
    /// The account's IANA time zone; `None` when it has not set one.
    pub time_zone: Option<String>,
    /// Taken when the execution started.
    pub now: Time,
    /// Randomness for this execution.
    pub seed: u64,
    /// Where in which run; `None` outside a run.
    pub place: Option<Place>,
}

/// One node execution's whereabouts.
#[derive(Clone, Debug)]
pub struct Place {
    /// The graph.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// The run.
    pub run: RunId,
    /// The node.
    pub node: NodeId,
    /// The execution's index within the run.
    pub exec: u32,
}

impl Place {
    /// The execution's id: the same after a crash, so it serves as an idempotency key.
    pub fn exec_id(&self) -> NodeExecId {
        NodeExecId::nth(self.run, self.exec)
    }
}

/// Why a block execution failed. The text goes to the `error` pin or to the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The input does not fit the block's schema.
    #[error("{0}")]
    Input(String),
    /// The block said so (it emitted on `error`, or refused a value).
    #[error("{0}")]
    Execution(String),
    /// The block emitted something that its schema does not allow.
    #[error("{0}")]
    Output(String),
    /// Something the block did not foresee.
    #[error("{0}")]
    Unknown(String),
}

/// What an execution emitted, in order. Values before a failure stand.
#[derive(Debug, Default)]
pub struct Emitted {
    /// Pin and value, in emission order.
    pub outputs: Vec<(String, Value)>,
    /// Values for the account's key-value store, to be committed with the frame that records the outputs.
    pub writes: Vec<KeyValue>,
}

/// One entry of an account's key-value store.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyValue {
    /// Scope and name, see the blocks that use it.
    pub key: String,
    /// Any JSON.
    pub value: Value,
}

/// An asynchronous block's way to its run. Outside a run there are no notes, tools or turns.
#[async_trait]
pub trait Sink: Send {
    /// Hands one value on; waits while the run is busy.
    async fn emit(&mut self, pin: &str, value: Value);

    /// What an earlier attempt noted, note by note in its order; `None` when nothing is left.
    fn recall(&mut self) -> Option<Value> {
        None
    }

    /// Keeps a note for attempts after a crash, and counts what it took to find that out.
    async fn note(&mut self, _note: Option<Value>, _usage: Usage) {}

    /// The nodes that may be called, in the order of their links.
    fn tools(&self) -> Arc<[Tool]> {
        Arc::default()
    }

    /// Has nodes run, at once, as executions of the same run, and waits for their ends. An attempt after a crash that
    /// calls the same in the same order is given the same executions.
    async fn call(&mut self, calls: Vec<Call>) -> Vec<Called> {
        calls.into_iter().map(|_| Called::Failed("tools need a graph run".to_owned())).collect()
    }

    /// Waits for a turn among the calls to a provider; it lasts until what is returned is dropped. For blocks that
    /// call more than once, and wait for others in between.
    async fn turn(&mut self, _provider: &str) -> Option<Box<dyn Send>> {
        None
    }
}

/// A node to be run as a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its index in the plan.
    pub node: u32,
    /// Pin → value, laid over the node's constants.
    pub arguments: Object,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    /// Pin and value, in emission order.
    Done(Vec<(String, Value)>),
    /// Why not.
    Failed(String),
    /// It waits for a person.
    Waiting,
}

/// The blocks of this build, as the engine sees them: input checked, outputs checked, texts as the contract has them.
#[async_trait]
pub trait Blocks: Send + Sync {
    /// How far this execution reaches.
    fn effect(&self, block: &BlockFacts, input: &Object) -> Effect;

    /// Whether `run_now` serves this block; otherwise `run` does.
    fn is_immediate(&self, block: &BlockFacts) -> bool;

    /// What one execution with this input costs, in credits (cents); counted when it begins.
    fn cost(&self, _block: &BlockFacts, _input: &Object) -> u64 {
        0
    }

    /// Whether [`cost_after`](Self::cost_after) may find that it costs more.
    fn may_cost_more(&self, _block: &BlockFacts, _input: &Object) -> bool {
        false
    }

    /// What it costs besides, once it has taken so long and used so much; counted at its end.
    fn cost_after(&self, _block: &BlockFacts, _input: &Object, _took: Duration, _usage: &Usage) -> u64 {
        0
    }

    /// Whose servers an execution calls: calls to one provider are bounded. `None` for blocks that call nobody.
    fn provider(&self, _block: &BlockFacts, _input: &Object) -> Option<String> {
        None
    }

    /// Whether an immediate block may take long with this input, so that it gets a thread of its own.
    fn may_be_slow(&self, _block: &BlockFacts, _input: &Object) -> bool {
        false
    }

    /// Runs a block that never waits. The result beside the outputs says how it ended.
    fn run_now(&self, block: &BlockFacts, input: Arc<Object>, cx: &Context) -> (Emitted, Result<(), Failure>);

    /// Runs a block that may wait. Dropping the future cancels it.
    async fn run(
        &self,
        block: Arc<BlockFacts>,
        input: Arc<Object>,
        cx: Context,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure>;

    /// For a timer block: how long each round lasts and what it emits then. Fails like the block would.
    fn timer(&self, block: &BlockFacts, input: &Object) -> Result<Timer, Failure>;
}

/// What a timer node does: `rounds` times wait `seconds`, then emit `value` on `pin`.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// Length of one round in seconds.
    pub seconds: u64,
    /// How many rounds.
    pub rounds: u32,
    /// Emitted at the end of each round, with its pin.
    pub output: (String, Value),
}

/// Keeps the journals. Frames given together are committed together or not at all.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Queues frames at once; the ticket says when they are on disk.
    fn append(&self, frames: Vec<Frame>) -> Ticket;

    /// The run's events from number `from` on.
    async fn read(&self, run: RunId, from: u64) -> Result<Vec<Entry>, JournalError>;

    /// Where a run stands by its row; `None` when there is no such run.
    async fn standing(&self, run: RunId) -> Result<Option<Standing>, JournalError>;

    /// Parked runs whose time has come: by time and id, after a place, at most so many.
    async fn due(&self, now: Time, after: Option<(Time, RunId)>, limit: usize) -> Result<Vec<Due>, JournalError>;

    /// The earliest time later than `after` that a parked run waits for.
    async fn next_wake(&self, after: Time) -> Result<Option<Time>, JournalError>;

    /// Parked runs that wait for child runs: by id, after an id, at most so many.
    async fn awaiting(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Awaiting>, JournalError>;

    /// The reviews of a run as the index over them says; none where no index is kept.
    async fn reviews(&self, _owner: UserId, _run: RunId) -> Result<Vec<Review>, JournalError> {
        Ok(Vec::new())
    }
}

/// Where a run stands, by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose runs it takes its turn with.
    pub lane: Lane,
    /// It is over.
    pub ended: bool,
    /// It waits to be woken.
    pub parked: bool,
    /// It is another run's child.
    pub is_child: bool,
    /// See [`crate::journal::Row`].
    pub news: u64,
}

/// Runs of one account and graph share a bound, those of one account take turns with those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The account.
    pub owner: UserId,
    /// The graph.
    pub graph: GraphId,
}

/// A parked run whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it was to be woken.
    pub wake_at: Time,
    /// The run.
    pub run: RunId,
    /// Its lane.
    pub lane: Lane,
    /// It is another run's child.
    pub is_child: bool,
}

/// A parked run that waits for child runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaiting {
    /// The run.
    pub run: RunId,
    /// Its children and how far it has read each.
    pub children: Vec<(RunId, u64)>,
}

/// The promise that frames become durable.
#[derive(Debug)]
pub struct Ticket(tokio::sync::oneshot::Receiver<Result<(), JournalError>>);

impl Ticket {
    /// A ticket and the end that redeems it.
    pub fn new() -> (tokio::sync::oneshot::Sender<Result<(), JournalError>>, Self) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (sender, Self(receiver))
    }

    /// Waits until the frames are on disk.
    pub async fn durable(&mut self) -> Result<(), JournalError> {
        (&mut self.0).await.unwrap_or(Err(JournalError::Closed))
    }
}

/// Finds compiled graphs.
#[async_trait]
pub trait Plans: Send + Sync {
    /// The plan of a graph version that `owner` may run from another agent, checked as for any start, with the
    /// indexes of nodes to skip, when these masks (node id → pin → value) lie over its constants. The text says why it may
    /// not be run, and is for the caller: what passes, such as a database that is away, is waited for, or it would fail
    /// the node.
    async fn runnable(
        &self,
        owner: UserId,
        graph: GraphId,
        version: i64,
        masks: &Object,
    ) -> Result<(Arc<Plan>, Vec<u32>), String>;

    /// The plan of a graph version as it is, for a run that was accepted; `None` when it is gone.
    async fn plan(&self, owner: UserId, graph: GraphId, version: i64) -> Result<Option<Arc<Plan>>, String>;
}

/// Tells the time and makes randomness.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;

    /// 16 random bytes.
    fn random(&self) -> [u8; 16];
}
