//! What must hold of everything that was seen from outside, said plainly.
//!
//! Knows no server, thread or clock: it is given a history and names what is wrong with it. That it can find fault is
//! shown by the doctored histories of its tests.

mod effects;
mod nodes;
mod runs;
mod tests;

use super::workload::{Workload, counted};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Everything that was asked for, answered, and found at the end.
#[derive(Clone, Default)]
pub struct History {
    /// The starts, each until it was answered.
    pub asked: Vec<Asked>,
    /// What the server lists at the end.
    pub listed: Vec<Listed>,
    /// The child runs that it lists.
    pub children: Vec<Child>,
    /// What the upstream server noted.
    pub arrivals: Vec<Arrival>,
    /// For each end of a server, a number between those of the connections before and after it.
    pub deaths: Vec<u64>,
    /// For each workload the token and the executions of a run that nothing disturbed.
    pub undisturbed: HashMap<Workload, (String, Vec<Execution>)>,
    /// What counters hold at the end.
    pub counters: BTreeMap<String, Value>,
}

/// A start with all that its caller saw.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its name, in its inputs and as its `Idempotency-Key`.
    pub token: String,
    /// What it runs.
    pub workload: Workload,
    /// Counts the runs of one counter from 1.
    pub ordinal: u64,
    /// The ids in all answers to it.
    pub ids: Vec<String>,
    /// Ends that were seen while kills went on.
    pub seen: Vec<Seen>,
    /// Whether it was to be stopped.
    pub stop: Option<Stop>,
    /// The events that one follower saw, over all its connections.
    pub followed: Option<Vec<Event>>,
    /// How it is found at the end; `None` when it is not.
    pub found: Option<Found>,
}

/// An end.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its status.
    pub status: String,
    /// The outputs as they stand in an answer.
    pub output: Value,
}

/// A wish to stop a run, sent until it was answered.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// The status in the body of the answer 200, and a number between those of the connections before and after it.
    pub acknowledged: Option<(String, u64)>,
}

/// A run at the end.
#[derive(Clone, Debug)]
pub struct Found {
    /// Status and outputs.
    pub end: Seen,
    /// Its executions.
    pub executions: Vec<Execution>,
    /// All its events, read at one go, when some follower saw them before.
    pub events: Vec<Event>,
}

/// A node execution in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Its node.
    pub node: String,
    /// What it was given.
    pub input: Value,
    /// Pin → values.
    pub output: Value,
}

/// A live event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Where it stands.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it says.
    pub data: Value,
}

/// A run in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// What its graph is.
    pub workload: Workload,
    /// Its status.
    pub status: String,
    /// Seconds from its start to its end.
    pub seconds: f64,
}

/// A child run.
#[derive(Clone, Debug)]
pub struct Child {
    /// Its id.
    pub id: String,
    /// What it was given; `None` when it was stopped before it took anything.
    pub given: Option<String>,
    /// Status and outputs.
    pub end: Seen,
}

/// An effect that reached the upstream server.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The number of its connection.
    pub connection: u64,
    /// What it said.
    pub label: String,
    /// Its `Idempotency-Key`.
    pub key: String,
}

/// The history in numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct Totals {
    /// Runs asked for.
    pub runs: usize,
    /// Those that were stopped.
    pub stopped: usize,
    /// Child runs.
    pub children: usize,
    /// Node executions of all runs but children.
    pub executions: usize,
    /// Different effects.
    pub effects: usize,
    /// Arrivals beyond the first.
    pub repeats: usize,
    /// Streams of events that were followed.
    pub followed: usize,
}

impl History {
    /// All that is wrong; nothing when all is well.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        runs::check(self, &mut faults);
        nodes::check(self, &mut faults);
        effects::check(self, &mut faults);
        self.check_counters(&mut faults);
        faults
    }

    /// In numbers.
    pub fn totals(&self) -> Totals {
        let mut effects: Vec<_> = self.arrivals.iter().map(|arrival| &arrival.label).collect();
        effects.sort();
        effects.dedup();
        let found = || self.asked.iter().filter_map(|asked| asked.found.as_ref());
        Totals {
            runs: self.asked.len(),
            stopped: found().filter(|found| found.end.status == "TERMINATED").count(),
            children: self.children.len(),
            executions: found().map(|found| found.executions.len()).sum(),
            effects: effects.len(),
            repeats: self.arrivals.len() - effects.len(),
            followed: self.asked.iter().filter(|asked| asked.followed.is_some()).count(),
        }
    }

    fn check_counters(&self, faults: &mut Vec<String>) {
        for (counter, value) in &self.counters {
            let adds = |asked: &&Asked| asked.workload == Workload::Counter && asked.counter() == counter;
            let runs = self.asked.iter().filter(adds).count() as u64;
            if value.as_f64() != Some(counted(runs)) {
                faults.push(format!("counter {counter} holds {value} after {runs} runs"));
            }
        }
    }
}

impl Asked {
    /// A start that has not been sent.
    pub fn new(token: String, workload: Workload, ordinal: u64) -> Self {
        let (ids, seen) = Default::default();
        Self { token, workload, ordinal, ids, seen, stop: None, followed: None, found: None }
    }

    fn counter(&self) -> &str {
        super::workload::counter_of(&self.token)
    }

    fn is_completed(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.end.status == "COMPLETED")
    }

    /// For messages.
    fn name(&self) -> String {
        format!("{:?} {} ({})", self.workload, self.token, self.ids.first().map_or("no id", String::as_str))
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, stopped, children, executions, effects, repeats, followed } = self;
        write!(f, "{runs} runs ({stopped} stopped, {followed} followed live), {children} child runs, ")?;
        write!(f, "{executions} node executions, {effects} effects, {repeats} repeats")
    }
}
