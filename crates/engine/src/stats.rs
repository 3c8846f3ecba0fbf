//! How long a run and its executions took, and how large their data is (`engine.md` 14), worked out when somebody asks.
//!
//! Nothing is recorded for it: every entry of the journal carries its time, and the values are there. What a journal
//! cannot tell is put in its simplest terms. A block that never waits is taken to compute from its start to its end, all
//! else is taken to wait. Time between a crash and the next start counts for nobody, except for what only waits.

use crate::journal::{Entry, Event};
use crate::machine::{Exec, Machine};
use crate::plan::{Kind, Plan};
use crate::ports::Blocks;
use heddle_model::{Object, Time, Usage, python};
use std::sync::Arc;
use std::time::Duration;

/// What was counted of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Credits, in cents; children included.
    pub cost: u64,
    /// How long it was RUNNING, over all pauses.
    pub walltime: Duration,
    /// How long something of it computed. No more is known than of its executions.
    pub cputime: Duration,
    /// The executions' times added up.
    pub nodes_walltime: Duration,
    /// As far as they computed.
    pub nodes_cputime: Duration,
    /// Finished executions, children included.
    pub node_count: u64,
    /// Those that failed.
    pub node_error_count: u64,
}

/// What was counted of one execution.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExecStats {
    /// Credits, in cents.
    pub cost: u64,
    /// How long it was RUNNING, over all attempts.
    pub walltime: Duration,
    /// How long it computed.
    pub cputime: Duration,
    /// Characters of its input's JSON.
    pub input_size: usize,
    /// Characters of the JSON of all that it emitted, value by value.
    pub output_size: usize,
    /// What it has used of other servers.
    pub usage: Usage,
}

/// Follows a journal beside the machine.
pub struct Tally {
    plan: Arc<Plan>,
    blocks: Arc<dyn Blocks>,
    run: Stopwatch,
    execs: Vec<Spent>,
    /// Time of the last entry.
    last: Time,
}

/// What an execution has spent so far.
#[derive(Clone, Debug, Default)]
struct Spent {
    watch: Stopwatch,
    cost: u64,
    /// It computes all the time that it runs.
    computes: bool,
    /// A crash cuts it off, rather than having it wait longer.
    is_cut: bool,
}

/// Adds up stretches of time.
#[derive(Clone, Debug, Default)]
struct Stopwatch {
    since: Option<Time>,
    spent: Duration,
}

impl Stopwatch {
    fn start(&mut self, at: Time) {
        self.since.get_or_insert(at);
    }

    fn stop(&mut self, at: Time) {
        if let Some(since) = self.since.take() {
            self.spent += at.since(since);
        }
    }

    fn read(&self, now: Time) -> Duration {
        self.spent + self.since.map_or(Duration::ZERO, |since| now.since(since))
    }
}

impl Tally {
    /// Of a run to which nothing has happened.
    pub fn new(plan: Arc<Plan>, blocks: Arc<dyn Blocks>) -> Self {
        Self { plan, blocks, run: Stopwatch::default(), execs: Vec::new(), last: Time::default() }
    }

    /// Takes one event in.
    pub fn take(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.what {
            Event::Started { exec, node, input, cost } => {
                let (computes, is_cut) = (self.computes(*node, input), self.plan.node(*node).kind == Kind::Block);
                let spent = self.exec(*exec);
                (spent.cost, spent.computes, spent.is_cut) = (*cost, computes, is_cut);
                spent.watch.start(at);
                self.run.start(at);
            }
            Event::AttemptBegun { exec } => {
                if self.exec(*exec).watch.since.is_some() {
                    self.crashed();
                }
                self.exec(*exec).watch.start(at);
                self.run.start(at);
            }
            Event::Charged { exec, cost } => self.exec(*exec).cost += cost,
            Event::ReviewAsked { exec } | Event::Ended { exec, .. } => self.exec(*exec).watch.stop(at),
            Event::Paused => self.run.stop(at),
            Event::RunEnded { .. } => {
                self.run.stop(at);
                self.execs.iter_mut().for_each(|spent| spent.watch.stop(at));
            }
            _ => {}
        }
        self.last = at;
    }

    /// The run, as far as its events were taken in.
    pub fn run(&self, machine: &Machine) -> RunStats {
        let sum = |computing: bool| {
            let spent = self.execs.iter().filter(|spent| spent.computes || !computing);
            spent.map(|spent| spent.watch.read(self.last)).sum()
        };
        RunStats {
            cost: machine.counts.cost,
            walltime: self.run.read(self.last),
            cputime: sum(true),
            nodes_walltime: sum(false),
            nodes_cputime: sum(true),
            node_count: machine.counts.nodes,
            node_error_count: machine.counts.errors,
        }
    }

    /// One of the run's executions.
    pub fn exec_of(&self, machine: &Machine, index: u32) -> ExecStats {
        let exec = &machine.execs[index as usize];
        let spent = self.execs.get(index as usize).cloned().unwrap_or_default();
        let walltime = spent.watch.read(self.last);
        ExecStats {
            cost: spent.cost,
            walltime,
            cputime: if spent.computes { walltime } else { Duration::ZERO },
            input_size: exec.input_size(),
            output_size: exec.output_size(),
            usage: exec.usage,
        }
    }

    fn exec(&mut self, index: u32) -> &mut Spent {
        let index = index as usize;
        if self.execs.len() <= index {
            self.execs.resize(index + 1, Spent::default());
        }
        &mut self.execs[index]
    }

    fn computes(&self, node: u32, input: &Object) -> bool {
        let node = self.plan.node(node);
        node.kind == Kind::Block
            && node.block.as_ref().is_some_and(|block| {
                self.blocks.is_immediate(block) && !self.blocks.effect(block, input).waits_for_disk()
            })
    }

    /// The process died after the last event: what was being carried out then had its time until there.
    fn crashed(&mut self) {
        let last = self.last;
        self.run.stop(last);
        self.execs.iter_mut().filter(|spent| spent.is_cut).for_each(|spent| spent.watch.stop(last));
    }
}

impl Exec {
    /// Characters of its input's JSON; none before it had all it needs.
    pub fn input_size(&self) -> usize {
        self.input.as_deref().map_or(0, python::json_size_of)
    }

    /// Characters of the JSON of all that it emitted, value by value.
    pub fn output_size(&self) -> usize {
        self.outputs.iter().map(|(_, value)| python::json_size(value)).sum()
    }
}

#[cfg(test)]
mod tests;
