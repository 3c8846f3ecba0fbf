//! A run's events as they reach the disk, for whoever follows it live.
//!
//! Read from the journal and from nowhere else: hints only say when to look again, so nothing is missed, repeated or
//! shown before it is durable. A position names an event for good, also across a restart.

use super::Runs;
use crate::Error;
use futures::stream::{self, Stream};
use heddle_engine::journal::{Entry, Event};
use heddle_engine::ports::Journal;
use heddle_engine::stats::{ExecStats, RunStats, Tally};
use heddle_engine::view::{Named, group};
use heddle_engine::{Host, Machine, Progress};
use heddle_model::{BlockId, NodeExecId, NodeId, Object, RunId, Status, Time, UserId, Value};
use heddle_store::Store;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// Where an event stands: the journal entry it comes from, and its place among those that come from the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    entry: u64,
    /// The last one of an entry counts as `u32::MAX`, so that the plain number means "all of it".
    part: u32,
}

impl Position {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            None => Some(Self { entry: text.parse().ok()?, part: u32::MAX }),
            Some((entry, part)) => Some(Self { entry: entry.parse().ok()?, part: part.parse().ok()? }),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            u32::MAX => write!(f, "{}", self.entry),
            part => write!(f, "{}.{part}", self.entry),
        }
    }
}

/// One thing that happened, and its position.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveEvent {
    /// To go on after it.
    pub position: Position,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The run's status changed.
    Run {
        /// The run.
        id: RunId,
        /// Its status now.
        status: Status,
        /// Why it FAILED.
        error: Option<String>,
        /// When it began.
        started_at: Option<Time>,
        /// When it ended.
        ended_at: Option<Time>,
        /// What was counted of it, when it has ended or waits for persons.
        stats: Option<RunStats>,
    },
    /// A node execution began (with its input) or ended (with its output).
    Node {
        /// The execution.
        exec: NodeExecId,
        /// Its node.
        node: NodeId,
        /// The node's block.
        block: BlockId,
        /// Its status now.
        status: Status,
        /// At the start.
        input: Option<Object>,
        /// At the end.
        output: Option<Named>,
        /// Why it FAILED.
        error: Option<String>,
        /// What was counted of it, at the end.
        stats: Option<ExecStats>,
    },
    /// A value of the run's outputs.
    Output {
        /// Output name.
        name: String,
        /// The value.
        value: Value,
    },
}

impl Runs {
    /// Follows a run from after a position, or from the start, until its end.
    pub async fn events(
        &self,
        owner: UserId,
        graph: &str,
        run: &str,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = LiveEvent> + Send + use<>, Error> {
        let record = self.find(owner, graph, run).await?;
        let (machine, tally) = self.unfolded(&record).await?;
        let follower = Follower {
            store: self.store.clone(),
            host: Arc::clone(&self.host),
            machine,
            tally,
            read: 0,
            outputs_seen: 0,
            after,
            ready: VecDeque::new(),
        };
        Ok(stream::unfold(follower, |mut follower| async { Some((follower.next().await?, follower)) }))
    }
}

struct Follower {
    store: Store,
    host: Arc<Host>,
    machine: Machine,
    tally: Tally,
    /// Journal entries taken in.
    read: u64,
    /// Queued executions looked at for outputs.
    outputs_seen: usize,
    after: Option<Position>,
    ready: VecDeque<LiveEvent>,
}

impl Follower {
    async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.machine.has_ended() {
                return None;
            }
            self.read_on().await?;
        }
    }

    /// Takes in what is new on disk; waits when nothing is. `None`: the process is closing.
    async fn read_on(&mut self) -> Option<()> {
        // Taken before the look at the disk, so that nothing falls between the two.
        let progress = self.host.watch(self.machine.run);
        let entries = match self.store.read(self.machine.run, self.read).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::error!(run.id = %self.machine.run, "the journal of run {} cannot be read: {error}", self.machine.run);
                return None;
            }
        };
        if entries.is_empty() {
            return wait(progress?).await;
        }
        entries.iter().for_each(|entry| self.take(entry));
        Some(())
    }

    fn take(&mut self, entry: &Entry) {
        let status = self.machine.status;
        self.machine.apply(entry);
        self.tally.take(entry);
        let mut happenings = Vec::new();
        let ends = matches!(entry.what, Event::RunEnded { .. });
        if status != self.machine.status && !ends {
            happenings.push(self.run());
        }
        match &entry.what {
            Event::Started { exec, input, .. } => happenings.push(self.node(*exec, Some(Object::clone(input)))),
            Event::Ended { exec, .. } => happenings.push(self.node(*exec, None)),
            _ => {}
        }
        happenings.extend(self.new_outputs());
        if ends {
            happenings.push(self.run());
        }
        self.publish(happenings);
    }

    fn publish(&mut self, happenings: Vec<Happening>) {
        let last = happenings.len().saturating_sub(1);
        for (part, what) in happenings.into_iter().enumerate() {
            let part = if part == last { u32::MAX } else { part as u32 };
            let position = Position { entry: self.read, part };
            if self.after.is_none_or(|after| position > after) {
                self.ready.push_back(LiveEvent { position, what });
            }
        }
        self.read += 1;
    }

    fn new_outputs(&mut self) -> Vec<Happening> {
        let queued = &self.machine.in_line()[self.outputs_seen..];
        let outputs = queued.iter().filter_map(|&exec| self.machine.run_output(&self.machine.execs[exec as usize]));
        let found = outputs.map(|(name, value)| Happening::Output { name: name.to_owned(), value: value.clone() });
        let found = found.collect();
        self.outputs_seen = self.machine.in_line().len();
        found
    }

    fn run(&self) -> Happening {
        let rests = self.machine.has_ended() || self.machine.status == Status::Review;
        Happening::Run {
            id: self.machine.run,
            status: self.machine.status,
            error: self.machine.error.clone(),
            started_at: self.machine.started_at,
            ended_at: self.machine.ended_at,
            stats: rests.then(|| self.tally.run(&self.machine)),
        }
    }

    fn node(&self, index: u32, input: Option<Object>) -> Happening {
        let exec = &self.machine.execs[index as usize];
        let node = self.machine.plan.node(exec.node);
        let outputs = || group(exec.outputs.iter().map(|(pin, value)| (pin.as_str(), value)));
        let failure = || exec.outputs.iter().rev().find(|(pin, _)| pin == "error").map(|(_, text)| text);
        let error = if exec.status == Status::Failed { failure().and_then(Value::as_str) } else { None };
        Happening::Node {
            exec: self.machine.exec_id(index),
            node: node.id.clone(),
            block: node.block_id.clone(),
            status: exec.status,
            output: if input.is_none() { Some(outputs()) } else { None },
            error: error.map(str::to_owned),
            stats: if input.is_none() { Some(self.tally.exec_of(&self.machine, index)) } else { None },
            input,
        }
    }
}

/// Until there is more on disk. A run that is over has left everything there, so that is news too.
async fn wait(mut progress: watch::Receiver<Progress>) -> Option<()> {
    let _ = progress.changed().await;
    Some(())
}
