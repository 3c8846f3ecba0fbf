//! The events of a run: its only truth. State is what remains after feeding them to the machine in order.
//!
//! Events are numbered from 0 within a run. What became durable together is one [`Frame`].

use crate::credits::Charge;
use crate::ports::KeyValue;
use heddle_model::{GraphId, NodeExecId, NodeId, Object, OrgId, RunId, Status, Time, Usage, UserId, Value};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One event and when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// What.
    pub what: Event,
}

/// What happened. Node executions are named by their index within the run, nodes by theirs within the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The run was accepted; always the first event.
    Accepted(Box<Accepted>),
    /// An execution began with this input.
    Started {
        /// Execution.
        exec: u32,
        /// Its node.
        node: u32,
        /// Checked and coerced data.
        input: Arc<Object>,
        /// What it costs, in credits (cents).
        #[serde(default, skip_serializing_if = "is_zero")]
        cost: u64,
    },
    /// A started execution begins again after a crash; its output list starts anew at position 0.
    AttemptBegun {
        /// Execution.
        exec: u32,
    },
    /// An execution emitted a value.
    Output {
        /// Execution.
        exec: u32,
        /// Position in the execution's output list.
        position: u32,
        /// Output pin.
        pin: String,
        /// The value.
        value: Value,
    },
    /// What an execution that is about to end costs besides, for what it has used.
    Charged {
        /// Execution.
        exec: u32,
        /// Credits (cents).
        cost: u64,
    },
    /// An execution ended.
    Ended {
        /// Execution.
        exec: u32,
        /// How.
        outcome: Outcome,
        /// What a child run under it counted.
        child: Option<Counts>,
        /// How many values it emitted, when an attempt before it had recorded more: those are no longer its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outputs: Option<u32>,
    },
    /// An execution has found something out that costs to find out: its later attempts go by it.
    Noted {
        /// Execution.
        exec: u32,
        /// What; `None` where only the usage is to be kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Value>,
        /// What that took.
        usage: Usage,
    },
    /// An execution has a linked node run as a tool: a new execution of it, with the next index of the run.
    Called {
        /// The calling execution.
        exec: u32,
        /// The node.
        node: u32,
        /// Checked and coerced data.
        input: Arc<Object>,
    },
    /// An agent node's child run was accepted in the same commit.
    ChildStarted {
        /// Execution.
        exec: u32,
        /// The child.
        child: RunId,
    },
    /// A child's journal was read, and what it emitted taken over, up to this event number (exclusive).
    ChildRead {
        /// Execution.
        exec: u32,
        /// Event number in the child's journal.
        upto: u64,
    },
    /// A timer node waits until then for its next round.
    TimerSet {
        /// Execution.
        exec: u32,
        /// When the round ends.
        wake_at: Time,
    },
    /// A started execution waits for a person's answer to what its input holds.
    ReviewAsked {
        /// Execution.
        exec: u32,
    },
    /// A person has answered.
    ReviewAnswered {
        /// Execution.
        exec: u32,
        /// What was said.
        answer: Box<Answer>,
    },
    /// All that is left waits for persons: the run is REVIEW.
    Paused,
    /// Somebody asked the run to stop.
    StopAsked,
    /// The run goes on in another process than before; or that process lets go of it in good order.
    Resumed {
        /// How often in a row it was begun again without getting anywhere, this time included.
        interrupted: u32,
    },
    /// The run ended.
    RunEnded {
        /// COMPLETED, TERMINATED or FAILED.
        status: Status,
        /// Why, when FAILED.
        error: Option<String>,
        /// What was counted.
        counts: Counts,
    },
}

/// What these events took from the run's owner; what children took is in their own.
pub fn spent<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> u64 {
    let cost = |entry: &Entry| match &entry.what {
        Event::Started { cost, .. } | Event::Charged { cost, .. } => *cost,
        _ => 0,
    };
    entries.into_iter().map(cost).sum()
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// By itself.
    Completed,
    /// With this text, which also goes out on `error`.
    Failed(String),
    /// By a stop.
    Terminated,
}

/// A person's answer to a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it may go on.
    pub approved: bool,
    /// What takes the payload's place; `None` leaves it.
    pub data: Option<Value>,
    /// The person's words; `None` stands for the usual text.
    pub message: Option<String>,
    /// Later executions of the same node in this run are approved without asking.
    #[serde(default)]
    pub future: bool,
}

/// Finished executions, how many of them failed, and what they cost; children included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Finished executions.
    pub nodes: u64,
    /// Those that failed.
    pub errors: u64,
    /// Credits, in cents, of all executions that began, and of what they have used.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cost: u64,
}

impl Counts {
    /// What these events count; the machine's own count without a machine, for a run whose graph is gone.
    pub fn of(entries: &[Entry]) -> Self {
        entries.iter().fold(Self::default(), |mut counts, entry| {
            match &entry.what {
                Event::Started { cost, .. } | Event::Charged { cost, .. } => counts.cost += cost,
                Event::ReviewAsked { .. } => counts.nodes += 1,
                Event::Ended { outcome, child, .. } => {
                    let child = child.unwrap_or_default();
                    counts.nodes += 1 + child.nodes;
                    counts.errors += child.errors + u64::from(matches!(outcome, Outcome::Failed(_)));
                    counts.cost += child.cost;
                }
                _ => {}
            }
            counts
        })
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// All that a run is started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose run it is.
    pub owner: UserId,
    /// In which organization.
    pub organization: OrgId,
    /// Graph.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// Input name → value, as sent.
    pub inputs: Object,
    /// Credentials key → reference.
    #[serde(default)]
    pub credentials: Object,
    /// Node id → pin → value; overrides everything for that node.
    #[serde(default)]
    pub masks: Object,
    /// Indexes of nodes that complete without running.
    #[serde(default)]
    pub skip: Vec<u32>,
    /// Fixed for the whole run.
    pub settings: Settings,
    /// The run and execution that started this one.
    #[serde(default)]
    pub parent: Option<Parent>,
    /// The outermost run.
    pub root: RunId,
    /// 0 for a run that nobody's execution started.
    #[serde(default)]
    pub depth: u32,
    /// Who is told when the run has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

impl Accepted {
    /// A run that nobody's execution started, without inputs.
    pub fn new(run: RunId, owner: UserId, organization: OrgId, graph: GraphId, version: i64) -> Self {
        Self {
            owner,
            organization,
            graph,
            version,
            inputs: Object::new(),
            credentials: Object::new(),
            masks: Object::new(),
            skip: Vec::new(),
            settings: Settings::default(),
            parent: None,
            root: run,
            depth: 0,
            callback_url: None,
        }
    }
}

/// What an account or its library entry sets for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// IANA name; `None` when not set.
    pub time_zone: Option<String>,
    /// Review nodes wait for a person; otherwise they approve by themselves.
    #[serde(default = "on")]
    pub human_in_the_loop_safe_mode: bool,
    /// Sensitive blocks wait for a person as well.
    #[serde(default)]
    pub sensitive_action_safe_mode: bool,
}

fn on() -> bool {
    true
}

impl Default for Settings {
    fn default() -> Self {
        Self { time_zone: None, human_in_the_loop_safe_mode: true, sensitive_action_safe_mode: false }
    }
}

/// Where a child run hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The parent run.
    pub run: RunId,
    /// The agent node's execution in it.
    pub exec: u32,
}

/// Events of one run that become durable together, and what its row says then.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The run.
    pub run: RunId,
    /// Number of the first entry.
    pub first: u64,
    /// The events.
    pub entries: Vec<Entry>,
    /// The run's row after them.
    pub row: Row,
    /// Set on a run's first frame: its row is inserted.
    pub opening: Option<Opening>,
    /// Key-value entries that ride in the same transaction.
    pub writes: Vec<KeyValue>,
    /// Reviews as they stand after it; each takes the place of the row with its execution id.
    pub reviews: Vec<Review>,
    /// Set on a run's last frame when somebody is to be told: the address.
    pub callback_url: Option<String>,
    /// Whose they are.
    pub owner: UserId,
    /// What it takes from the owner's wallet.
    pub charge: Option<Charge>,
}

impl Frame {
    /// The last frame of a run that nothing can be done with but end it: folded from its events, without its graph.
    /// `reviews` are all it has; `None` when the events are none of a run.
    pub fn abandoning(run: RunId, entries: &[Entry], reviews: Vec<Review>, why: String, at: Time) -> Option<Self> {
        let Event::Accepted(accepted) = &entries.first()?.what else { return None };
        let started = entries.iter().find(|entry| matches!(entry.what, Event::Started { .. }));
        let (counts, first) = (Counts::of(entries), entries.len() as u64);
        let row = Row {
            status: Status::Failed,
            started_at: started.map(|entry| entry.at),
            ended_at: Some(at),
            error: Some(why.clone()),
            counts,
            news: first + 1,
            parked: None,
        };
        let end = Event::RunEnded { status: Status::Failed, error: Some(why), counts };
        Some(Self {
            run,
            first,
            entries: vec![Entry { at, what: end }],
            row,
            opening: None,
            writes: Vec::new(),
            reviews: reviews.into_iter().filter(|review| !review.processed).map(|review| review.closed(at)).collect(),
            callback_url: accepted.callback_url.clone(),
            owner: accepted.owner,
            charge: None,
        })
    }
}

/// One review: an index over the journal, for lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The execution that waits; the review's id.
    pub exec: NodeExecId,
    /// Its index within the run.
    pub index: u32,
    /// Its run.
    pub run: RunId,
    /// The graph.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// The node.
    pub node: NodeId,
    /// What is to be approved; after the answer what was approved or rejected.
    pub payload: Value,
    /// What the person is asked.
    pub instructions: Option<String>,
    /// Whether the payload may be changed.
    pub editable: bool,
    /// Where it stands.
    pub status: ReviewStatus,
    /// The person's words.
    pub message: Option<String>,
    /// The payload was changed.
    pub was_edited: bool,
    /// The run has gone on with the answer.
    pub processed: bool,
    /// When it was asked.
    pub created_at: Time,
    /// When anything about it last changed.
    pub updated_at: Time,
    /// When it was answered.
    pub reviewed_at: Option<Time>,
}

/// What is said of a review that nobody has answered when its run ends.
pub(crate) const STOPPED: &str = "Execution was stopped by user";

impl Review {
    /// As it stands when its run ends before going on with an answer.
    fn closed(self, at: Time) -> Self {
        let closed = Self { processed: true, updated_at: at, ..self };
        match closed.status {
            ReviewStatus::Waiting => Self {
                status: ReviewStatus::Rejected,
                message: Some(STOPPED.to_owned()),
                reviewed_at: Some(at),
                ..closed
            },
            ReviewStatus::Approved | ReviewStatus::Rejected => closed,
        }
    }
}

/// Where a review stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReviewStatus {
    /// Nobody has answered.
    Waiting,
    /// It may go on.
    Approved,
    /// It may not, or the run was stopped.
    Rejected,
}

impl ReviewStatus {
    /// As on the wire and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
        }
    }

    /// The status of this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Approved, Self::Rejected].into_iter().find(|status| status.as_str() == text)
    }
}

/// The changing part of a run's row: an index over the journal, for lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Status after the frame.
    pub status: Status,
    /// First time an execution began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it FAILED.
    pub error: Option<String>,
    /// Finished executions so far.
    pub counts: Counts,
    /// Number of the event after the last one that a parent run has to hear of; 0 when there was none.
    pub news: u64,
    /// Nothing will happen until something wakes the run: a time, a child, a person. Nobody drives it until then.
    pub parked: Option<Parked>,
}

/// What wakes a parked run, apart from a person or a stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parked {
    /// The earliest time that it waits for.
    pub wake_at: Option<Time>,
    /// Children that it waits for, and how far it has read each.
    pub awaits: Vec<(RunId, u64)>,
}

/// The fixed part of a run's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// In which organization.
    pub organization: OrgId,
    /// Graph.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// When it was accepted.
    pub created_at: Time,
    /// The parent run, for a child.
    pub parent: Option<RunId>,
    /// An idempotency key that is recorded in the same transaction; the frame is refused as [`JournalError::Taken`]
    /// when somebody else's run holds it.
    pub idempotency: Option<Idempotency>,
}

/// A caller's key for one start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// As sent, trimmed.
    pub key: String,
    /// SHA-256 over route, path and body.
    pub fingerprint: [u8; 32],
}

/// Why frames could not be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The run's row or first frame exists already.
    #[error("the run exists already")]
    Exists,
    /// Another run holds the idempotency key.
    #[error("the idempotency key is taken")]
    Taken,
    /// The disk or the database refused.
    #[error("the journal cannot be written: {0}")]
    Disk(String),
    /// The writer is gone: the process is shutting down.
    #[error("the journal is closed")]
    Closed,
}
