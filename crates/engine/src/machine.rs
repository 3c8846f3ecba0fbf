//! One run's state, changed by events and by nothing else.
//!
//! No clock, no I/O, no randomness: every event carries its time, so a run is rebuilt by feeding its journal. The
//! rules are those of `contract/engine.md` 5 to 12 and 14.

mod exec;
mod review;
mod route;
#[cfg(test)]
mod tests;

use crate::bounds;
use crate::check::{Check, check};
use crate::journal::{Accepted, Counts, Entry, Event, Outcome, Row};
use crate::plan::{Kind, Plan};
pub use exec::Exec;
use heddle_model::{NodeExecId, Object, RunId, Status, Time, Usage};
pub use review::Reviewing;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// One run.
#[derive(Debug)]
pub struct Machine {
    /// The run.
    pub run: RunId,
    /// The compiled graph.
    pub plan: Arc<Plan>,
    /// What it was started with, once it was.
    pub accepted: Option<Box<Accepted>>,
    /// Every execution, by index.
    pub execs: Vec<Exec>,
    /// Where the run stands.
    pub status: Status,
    /// When it was accepted.
    pub created_at: Time,
    /// First time an execution began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it FAILED.
    pub error: Option<String>,
    /// Finished executions, children included.
    pub counts: Counts,
    /// Somebody asked it to stop.
    pub stop_asked: bool,
    /// How often in a row it was begun again by another process and has not got anywhere since.
    pub interrupted: u32,
    /// When that was done for the first time since it got on.
    pub suspected_at: Option<Time>,
    /// When the last thing happened.
    pub last_at: Time,
    /// How many events it has taken in.
    pub events: u64,
    /// Number of the event after the last one that a parent has to hear of.
    pub news: u64,
    /// Bytes of JSON that its values take up, near enough.
    pub held: usize,
    nodes: Vec<NodeState>,
    ready: VecDeque<u32>,
    running: BTreeSet<u32>,
    /// Executions in the order in which they were queued.
    queue: Vec<u32>,
    /// Executions that wait for a person.
    reviewing: BTreeSet<u32>,
    /// Executions whose review was answered and that have not gone on.
    answered: BTreeSet<u32>,
    /// Nodes whose further reviews are approved without asking.
    trusted: BTreeSet<u32>,
    refusal: Option<String>,
}

/// What a node remembers between deliveries.
#[derive(Debug, Default)]
struct NodeState {
    /// Executions that wait for pins, oldest first.
    waiting: VecDeque<u32>,
    /// The execution that was queued last; static pins are copied from it.
    last_queued: Option<u32>,
    /// Queued executions whose outputs are not all routed, oldest first. Only the first one's outputs are routed.
    outbox: VecDeque<u32>,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Start this execution with its input.
    Start(u32),
    /// It can never run: end it with this text.
    Fail(u32, String),
    /// Its node is on the skip list: end it without outputs.
    Skip(u32),
    /// A person has answered: it goes on.
    Resume(u32),
}

impl Machine {
    /// A run to which nothing has happened.
    pub fn new(run: RunId, plan: Arc<Plan>) -> Self {
        let nodes: Vec<_> = plan.nodes.iter().map(|_| NodeState::default()).collect();
        Self {
            run,
            plan,
            accepted: None,
            // In most runs each node runs once.
            execs: Vec::with_capacity(nodes.len().min(64)),
            status: Status::Incomplete,
            created_at: Time::default(),
            started_at: None,
            ended_at: None,
            error: None,
            counts: Counts::default(),
            stop_asked: false,
            interrupted: 0,
            suspected_at: None,
            last_at: Time::default(),
            events: 0,
            news: 0,
            held: 0,
            nodes,
            ready: VecDeque::new(),
            running: BTreeSet::new(),
            queue: Vec::new(),
            reviewing: BTreeSet::new(),
            answered: BTreeSet::new(),
            trusted: BTreeSet::new(),
            refusal: None,
        }
    }

    /// A run as its journal tells it.
    pub fn replay<'a>(run: RunId, plan: Arc<Plan>, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut machine = Self::new(run, plan);
        entries.into_iter().for_each(|entry| machine.apply(entry));
        machine
    }

    /// Takes one event in.
    pub fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        self.events += 1;
        self.last_at = at;
        match &entry.what {
            Event::Resumed { interrupted } => {
                self.interrupted = *interrupted;
                self.suspected_at = (*interrupted > 0).then(|| self.suspected_at.unwrap_or(at));
            }
            // Beginning again is not getting on.
            Event::AttemptBegun { .. } => {}
            _ => (self.interrupted, self.suspected_at) = (0, None),
        }
        match &entry.what {
            Event::Accepted(accepted) => self.accept(accepted.clone(), at),
            Event::Started { exec, input, cost, .. } => self.started(*exec, input, *cost, at),
            Event::AttemptBegun { exec } => self.attempt_begun(*exec, at),
            Event::Output { exec, position, pin, value } => self.output(*exec, *position, pin, value, at),
            Event::Charged { cost, .. } => self.counts.cost += cost,
            Event::Ended { exec, outcome, child, outputs } => {
                self.forget_tail(*exec, *outputs);
                self.ended(*exec, outcome, *child, at);
            }
            Event::Noted { exec, note, usage } => self.noted(*exec, note.as_ref(), *usage),
            Event::Called { exec, node, input } => self.called(*exec, *node, input, at),
            Event::ChildStarted { exec, child } => self.execs[*exec as usize].child = Some(*child),
            Event::ChildRead { exec, upto } => self.execs[*exec as usize].child_read = *upto,
            Event::TimerSet { exec, wake_at } => self.execs[*exec as usize].wake_at = Some(*wake_at),
            Event::ReviewAsked { exec } => self.review_asked(*exec, at),
            Event::ReviewAnswered { exec, answer } => self.review_answered(*exec, answer, at),
            Event::Paused => self.status = Status::Review,
            Event::StopAsked => self.stop_asked = true,
            Event::Resumed { .. } => {}
            Event::RunEnded { status, error, counts } => self.run_ended(*status, error.clone(), *counts, at),
        }
    }

    /// The oldest execution that may start, taken off the queue.
    pub fn next_step(&mut self) -> Option<Step> {
        if let Some(exec) = self.next_answered() {
            return Some(Step::Resume(exec));
        }
        let exec = self.ready.pop_front()?;
        self.execs[exec as usize].taken = true;
        let state = &self.execs[exec as usize];
        Some(match &state.broken {
            Some(text) => Step::Fail(exec, text.clone()),
            None if self.is_skipped(state.node) => Step::Skip(exec),
            None => Step::Start(exec),
        })
    }

    /// Executions in the order in which they were queued.
    pub fn in_line(&self) -> &[u32] {
        &self.queue
    }

    /// Whether an execution could start now.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty() || (self.reviewing.is_empty() && !self.answered.is_empty())
    }

    /// Nothing is queued and nothing runs: the run is over, or persons have to answer.
    pub fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.running.is_empty() && self.answered.is_empty()
    }

    /// Whether the run has ended.
    pub fn has_ended(&self) -> bool {
        self.status.is_terminal()
    }

    /// Whether an execution has begun and not ended.
    pub fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether some run's execution started this one.
    pub fn is_child(&self) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.parent.is_some())
    }

    /// Executions that began and have not ended, oldest first.
    pub fn running(&self) -> Vec<u32> {
        self.running.iter().copied().collect()
    }

    /// Why the run may not start, once it was accepted: a starting execution lacks something.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// The id of an execution.
    pub fn exec_id(&self, exec: u32) -> NodeExecId {
        NodeExecId::nth(self.run, exec)
    }

    /// Whether an execution emitted exactly this at this position before, in an attempt that a crash cut short.
    pub fn has_emitted(&self, exec: u32, position: u32, pin: &str, value: &heddle_model::Value) -> bool {
        let before = self.execs[exec as usize].outputs.get(position as usize);
        before.is_some_and(|(old_pin, old)| old_pin == pin && old == value)
    }

    /// What the run's row says now.
    pub fn row(&self) -> Row {
        Row {
            status: self.status,
            started_at: self.started_at,
            ended_at: self.ended_at,
            error: self.error.clone(),
            counts: self.counts,
            news: self.news,
            parked: None,
        }
    }

    pub(crate) fn is_skipped(&self, node: u32) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.skip.contains(&node))
    }

    pub(crate) fn mask(&self, node: u32) -> Option<&Object> {
        let accepted = self.accepted.as_ref()?;
        if accepted.masks.is_empty() {
            return None;
        }
        accepted.masks.get(self.plan.node(node).id.as_str())?.as_object()
    }

    /// Section 5.5: the starting executions get their run inputs and are checked.
    fn accept(&mut self, accepted: Box<Accepted>, at: Time) {
        self.created_at = at;
        self.status = Status::Queued;
        self.accepted = Some(accepted);
        let plan = self.plan.clone();
        for &index in &plan.starting {
            if self.is_skipped(index) {
                let exec = self.new_exec(index, at);
                self.queue(exec, plan.node(index).defaults.clone(), at);
                continue;
            }
            let given = self.run_input(index);
            let result = check(plan.node(index), given, self.mask(index));
            let exec = self.new_exec(index, at);
            match result {
                Check::Ready(data) => self.queue(exec, data, at),
                Check::NotReady(text) | Check::Broken(text) => {
                    self.refusal.get_or_insert(text);
                }
            }
        }
    }

    fn run_input(&self, index: u32) -> Object {
        let node = self.plan.node(index);
        let mut given = Object::new();
        if !node.is_input() {
            return given;
        }
        let inputs = self.accepted.as_ref().map(|accepted| &accepted.inputs);
        let name = node.defaults.get("name").and_then(heddle_model::Value::as_str);
        if let Some(value) = name.and_then(|name| inputs?.get(name)) {
            given.insert("value".to_owned(), value.clone());
        }
        given
    }

    fn new_exec(&mut self, node: u32, at: Time) -> u32 {
        self.execs.push(Exec::new(node, at));
        (self.execs.len() - 1) as u32
    }

    fn queue(&mut self, exec: u32, data: impl Into<Arc<Object>>, at: Time) {
        let data = data.into();
        self.held += bounds::size_of(&data);
        let state = &mut self.execs[exec as usize];
        state.queue(data, at);
        self.queue.push(exec);
        let node = &mut self.nodes[state.node as usize];
        node.last_queued = Some(exec);
        node.outbox.push_back(exec);
        self.ready.push_back(exec);
    }

    /// Queues an execution whose data can never be used, so that its failure is routed in its turn. It counts as
    /// queued for static pins too: a static value that it holds must not be lost for others.
    fn queue_broken(&mut self, exec: u32, data: Object, text: String, at: Time) {
        self.execs[exec as usize].broken = Some(text);
        self.queue(exec, data, at);
    }

    fn noted(&mut self, exec: u32, note: Option<&heddle_model::Value>, usage: Usage) {
        let state = &mut self.execs[exec as usize];
        state.usage.add(&usage);
        if let Some(note) = note {
            self.held += bounds::size(note);
            state.notes.push(note.clone());
        }
    }

    /// The tool stands in line like any other execution of its node.
    fn called(&mut self, exec: u32, node: u32, input: &Arc<Object>, at: Time) {
        let call = self.new_exec(node, at);
        self.execs[exec as usize].calls.push(call);
        self.execs[call as usize].is_call = true;
        self.queue(call, Arc::clone(input), at);
    }

    fn started(&mut self, exec: u32, input: &Arc<Object>, cost: u64, at: Time) {
        self.leave_ready(exec);
        let state = &mut self.execs[exec as usize];
        if state.input.as_ref().is_none_or(|known| !Arc::ptr_eq(known, input)) {
            state.input = Some(Arc::clone(input));
        }
        state.status = Status::Running;
        state.started_at.get_or_insert(at);
        state.begun_at = Some(at);
        self.counts.cost += cost;
        self.running.insert(exec);
        self.status = Status::Running;
        self.started_at.get_or_insert(at);
    }

    /// It begins again: after a crash, which changes nothing, or after a review.
    fn attempt_begun(&mut self, exec: u32, at: Time) {
        self.answered.remove(&exec);
        let state = &mut self.execs[exec as usize];
        state.attempts += 1;
        state.begun_at = Some(at);
        state.status = Status::Running;
        self.running.insert(exec);
        self.status = Status::Running;
        self.review_processed(exec, at);
    }

    /// What a dead attempt emitted beyond the last one's outputs is not among the execution's outputs. Where it was
    /// routed to it stays.
    fn forget_tail(&mut self, exec: u32, outputs: Option<u32>) {
        let Some(count) = outputs else { return };
        let state = &mut self.execs[exec as usize];
        state.outputs.truncate(count as usize);
        state.routed = state.routed.min(state.outputs.len());
    }

    /// On replay a step was never taken off the queue by hand.
    fn leave_ready(&mut self, exec: u32) {
        if std::mem::replace(&mut self.execs[exec as usize].taken, true) {
            return;
        }
        if let Some(found) = self.ready.iter().position(|&ready| ready == exec) {
            self.ready.remove(found);
        }
    }

    fn output(&mut self, exec: u32, position: u32, pin: &str, value: &heddle_model::Value, at: Time) {
        let state = &mut self.execs[exec as usize];
        let output = (pin.to_owned(), value.clone());
        self.held += bounds::size(value);
        let was_routed = (position as usize) < state.routed;
        match state.outputs.get_mut(position as usize) {
            // A later attempt differs from what was routed: it is what counts, and it is routed as well.
            Some(old) => {
                *old = output;
                if was_routed {
                    self.route(exec, pin, value, at);
                }
            }
            None => {
                state.outputs.push(output);
                self.route_outbox(state_node(&self.execs, exec), at);
            }
        }
    }

    fn ended(&mut self, exec: u32, outcome: &Outcome, child: Option<Counts>, at: Time) {
        self.leave_ready(exec);
        self.running.remove(&exec);
        self.counts.nodes += 1 + child.map_or(0, |counts| counts.nodes);
        self.counts.errors += child.map_or(0, |counts| counts.errors);
        self.counts.cost += child.map_or(0, |counts| counts.cost);
        if self.plan.node(self.execs[exec as usize].node).is_output() {
            self.news = self.events;
        }
        let state = &mut self.execs[exec as usize];
        state.notes = Vec::new();
        state.ended_at = Some(at);
        state.status = match outcome {
            Outcome::Completed => Status::Completed,
            Outcome::Terminated => Status::Terminated,
            Outcome::Failed(text) => {
                self.counts.errors += 1;
                state.outputs.push(("error".to_owned(), text.clone().into()));
                Status::Failed
            }
        };
        // Nothing goes out of a run that is being stopped: what later executions have emitted would come out without
        // what was to come before it.
        if *outcome != Outcome::Terminated {
            self.route_outbox(state_node(&self.execs, exec), at);
        }
    }

    fn run_ended(&mut self, status: Status, error: Option<String>, counts: Counts, at: Time) {
        self.status = status;
        self.error = error;
        self.counts = counts;
        self.ended_at = Some(at);
        self.news = self.events;
        let left = if status == Status::Terminated { Status::Terminated } else { Status::Failed };
        // Not only those in line: one that was taken off it may still wait for the disk.
        let is_left = |state: &&mut Exec| matches!(state.status, Status::Queued | Status::Review);
        for state in self.execs.iter_mut().filter(is_left) {
            state.status = left;
            state.ended_at = Some(at);
        }
        self.close_reviews(at);
        self.ready.clear();
        self.running.clear();
    }

    /// The kind of an execution's node.
    pub fn kind(&self, exec: u32) -> &Kind {
        &self.plan.node(self.execs[exec as usize].node).kind
    }
}

fn state_node(execs: &[Exec], exec: u32) -> u32 {
    execs[exec as usize].node
}
