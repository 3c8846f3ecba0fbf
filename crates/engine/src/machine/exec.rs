//! One node execution's state.

use super::review::Reviewing;
use crate::plan::PlanNode;
use heddle_model::{Object, RunId, Status, Time, Usage, Value};
use std::sync::Arc;

/// One future or past run of a node.
#[derive(Debug)]
pub struct Exec {
    /// Index of its node.
    pub node: u32,
    /// Where it stands.
    pub status: Status,
    /// What has arrived: pin index and value, in order of arrival.
    pub tokens: Vec<(u16, Value)>,
    /// Checked data, once it is queued.
    pub input: Option<Arc<Object>>,
    /// Its tokens can never be used, and this is why.
    pub broken: Option<String>,
    /// It left the line of those that may start.
    pub(super) taken: bool,
    /// What it emitted, in order, a failure's `error` included.
    pub outputs: Vec<(String, Value)>,
    /// How many of them went out over the links.
    pub routed: usize,
    /// When it came into being.
    pub added_at: Time,
    /// When it had all it needs.
    pub queued_at: Option<Time>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When its last attempt began.
    pub begun_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// An agent node's child run.
    pub child: Option<RunId>,
    /// How far the child's journal was read.
    pub child_read: u64,
    /// A timer node's next wake.
    pub wake_at: Option<Time>,
    /// What a person was asked, and what came of it.
    pub review: Option<Box<Reviewing>>,
    /// How often it began again after a crash or a review.
    pub attempts: u32,
    /// What it has noted for later attempts, until it ends.
    pub notes: Vec<Value>,
    /// What it has used so far.
    pub usage: Usage,
    /// The executions that it has had run as tools.
    pub calls: Vec<u32>,
    /// It is one that another has had run as a tool.
    pub is_call: bool,
}

impl Exec {
    pub(super) fn new(node: u32, at: Time) -> Self {
        Self {
            node,
            status: Status::Incomplete,
            tokens: Vec::new(),
            input: None,
            broken: None,
            taken: false,
            outputs: Vec::new(),
            routed: 0,
            added_at: at,
            queued_at: None,
            started_at: None,
            begun_at: None,
            ended_at: None,
            child: None,
            child_read: 0,
            wake_at: None,
            review: None,
            attempts: 0,
            notes: Vec::new(),
            usage: Usage::default(),
            calls: Vec::new(),
            is_call: false,
        }
    }

    pub(super) fn queue(&mut self, data: Arc<Object>, at: Time) {
        self.status = Status::Queued;
        self.input = Some(data);
        self.queued_at = Some(at);
        self.tokens = Vec::new();
    }

    pub(super) fn has_token(&self, pin: u16) -> bool {
        self.tokens.iter().any(|(held, _)| *held == pin)
    }

    /// What has arrived, by pin name.
    pub fn tokens_of(&self, node: &PlanNode) -> impl Iterator<Item = (String, Value)> {
        self.tokens.iter().map(|(pin, value)| (node.pins[usize::from(*pin)].name.clone(), value.clone()))
    }

    /// Its data if it was queued, else what has arrived.
    pub fn data(&self, node: &PlanNode) -> Object {
        self.input.as_deref().cloned().unwrap_or_else(|| self.tokens_of(node).collect())
    }
}
