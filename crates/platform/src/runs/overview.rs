//! A run at a glance, for whoever watches it go on: what each node has done, kept up as the journal reaches the disk.
//!
//! Knows how often, not what: no values leave here. Of a child run it tells what the child's row says.

use super::{Runs, run_not_found};
use crate::plans::Known;
use crate::{Error, RunCounts};
use heddle_engine::journal::{Entry, Event, Outcome};
use heddle_engine::plan::Kind;
use heddle_engine::ports::Journal;
use heddle_engine::{Host, Machine};
use heddle_model::{Node, RunId, Status, Time, UserId, Value};
use heddle_store::Store;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows of children are looked at while nothing else happens.
const CHILDREN: Duration = Duration::from_millis(500);

/// Child runs of which the rows are looked at, those that began last.
const LOOKED_AT: usize = 16;

/// What has changed since the glance before.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// Where the run stands.
    pub status: Status,
    /// The nodes that changed; in the first glance all that are ever run.
    pub nodes: Vec<NodeGlance>,
}

/// What a node has done so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeGlance {
    /// Its place in the graph.
    pub index: u32,
    /// Its block's name.
    pub name: String,
    /// What tells it from others of the block, if anything does.
    pub label: Option<String>,
    /// Executions that have all they need and have not begun.
    pub waiting: u64,
    /// Executions that go on.
    pub running: u64,
    /// Executions that wait for a person.
    pub in_review: u64,
    /// Executions that completed.
    pub done: u64,
    /// Executions that failed.
    pub failed: u64,
    /// Executions that were stopped.
    pub stopped: u64,
    /// When the oldest of those that go on began.
    pub since: Option<Time>,
    /// How long those that have ended took, added up.
    pub spent: Duration,
    /// Its child runs, once there are any.
    pub children: Option<ChildGlance>,
}

/// The child runs of an agent node taken together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChildGlance {
    /// The agent's name.
    pub name: String,
    /// How many go on.
    pub running: u64,
    /// How many of those wait for a person.
    pub in_review: u64,
    /// Finished executions of all of them.
    pub done: u64,
    /// Those that failed.
    pub failed: u64,
}

/// Watches one run.
pub struct Overview {
    store: Store,
    host: Arc<Host>,
    owner: UserId,
    machine: Machine,
    /// Journal entries taken in.
    read: u64,
    /// Queued executions looked at.
    queued: usize,
    nodes: Vec<Watched>,
    changed: BTreeSet<u32>,
    /// Child runs that go on: their execution and what their rows last said.
    children: BTreeMap<u32, (RunId, Child)>,
    /// Agents' names by node.
    agents: HashMap<u32, String>,
    /// The status that was told last.
    told: Option<Status>,
}

/// A node and its executions that go on.
struct Watched {
    glance: NodeGlance,
    running: BTreeMap<u32, Time>,
    /// What its children that are over have counted.
    counted: RunCounts,
}

/// What a child's row says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Child {
    in_review: bool,
    counts: RunCounts,
}

impl Runs {
    /// Watches a run of the owner's from its beginning.
    pub async fn overview(&self, owner: UserId, run: RunId) -> Result<Overview, Error> {
        let record = self.store.run_by_id(owner, run).await?.ok_or_else(|| run_not_found(&run.to_string()))?;
        let known = self.known(&record).await?;
        let mut agents = HashMap::new();
        for (index, node) in (0..).zip(&known.plan.nodes) {
            let Kind::Agent { graph: Some(graph), version } = node.kind else { continue };
            let agent = self.plans.find(owner, graph, version).await?;
            agents.insert(index, agent.map_or_else(|| "agent".to_owned(), |agent| agent.stored.graph.name.clone()));
        }
        Ok(Overview {
            store: self.store.clone(),
            host: Arc::clone(&self.host),
            owner,
            machine: Machine::new(run, Arc::clone(&known.plan)),
            read: 0,
            queued: 0,
            changed: (0..).zip(&known.plan.nodes).filter(|(_, node)| node.kind != Kind::Note).map(|(i, _)| i).collect(),
            nodes: watched(&known),
            children: BTreeMap::new(),
            agents,
            told: None,
        })
    }
}

fn watched(known: &Known) -> Vec<Watched> {
    let nodes = (0..).zip(known.plan.nodes.iter().zip(&known.stored.graph.nodes));
    let one = |(index, (plan, node)): (u32, (&heddle_engine::plan::PlanNode, &Node))| {
        let own = if plan.is_input() || plan.is_output() { "name" } else { "agent_name" };
        let label = named(node.metadata.get("customized_name")).or_else(|| named(node.input_default.get(own)));
        let glance = NodeGlance { index, name: plan.block_name().to_owned(), label, ..NodeGlance::default() };
        Watched { glance, running: BTreeMap::new(), counted: RunCounts::default() }
    };
    nodes.map(one).collect()
}

fn named(text: Option<&Value>) -> Option<String> {
    text?.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

impl Overview {
    /// What has changed, as soon as anything has; `None` when the run is over or the process is closing.
    pub async fn next(&mut self) -> Option<Glance> {
        while self.told.is_none_or(|status| !status.is_terminal()) {
            // Taken before the look at the disk, so that nothing falls between the two.
            let progress = self.host.watch(self.machine.run);
            let entries = match self.store.read(self.machine.run, self.read).await {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::error!(run.id = %self.machine.run, "the journal of run {} cannot be read: {error}", self.machine.run);
                    return None;
                }
            };
            entries.iter().for_each(|entry| self.take(entry));
            self.look_at_children().await;
            if !self.changed.is_empty() || self.told != Some(self.machine.status) {
                return Some(self.glance());
            }
            let mut progress = progress?;
            match self.children.is_empty() {
                true => drop(progress.changed().await),
                false => drop(tokio::time::timeout(CHILDREN, progress.changed()).await),
            }
        }
        None
    }

    fn glance(&mut self) -> Glance {
        let status = self.machine.status;
        self.told = Some(status);
        let changed = std::mem::take(&mut self.changed);
        Glance { status, nodes: changed.into_iter().map(|node| self.node(node)).collect() }
    }

    fn node(&self, index: u32) -> NodeGlance {
        let watched = &self.nodes[index as usize];
        let mut glance = watched.glance.clone();
        glance.running = watched.running.len() as u64;
        glance.since = watched.running.values().min().copied();
        let live: Vec<Child> = self.children_of(index).collect();
        if let Some(children) = &mut glance.children {
            children.running = live.len() as u64;
            children.in_review = live.iter().filter(|child| child.in_review).count() as u64;
            children.done = watched.counted.nodes + live.iter().map(|child| child.counts.nodes).sum::<u64>();
            children.failed = watched.counted.errors + live.iter().map(|child| child.counts.errors).sum::<u64>();
        }
        glance
    }

    fn children_of(&self, node: u32) -> impl Iterator<Item = Child> {
        self.children
            .iter()
            .filter(move |(exec, _)| self.machine.execs[**exec as usize].node == node)
            .map(|(_, (_, child))| *child)
    }

    fn take(&mut self, entry: &Entry) {
        match &entry.what {
            Event::Started { exec, .. } => {
                self.of(*exec, |node| node.glance.waiting = node.glance.waiting.saturating_sub(1));
                self.runs(*exec, entry.at);
            }
            Event::AttemptBegun { exec } if self.is(*exec, Status::Review) => {
                self.of(*exec, |node| node.glance.in_review -= 1);
                self.runs(*exec, entry.at);
            }
            Event::ReviewAsked { exec } => self.of(*exec, |node| {
                node.running.remove(exec);
                node.glance.in_review += 1;
            }),
            Event::ChildStarted { exec, child } => {
                self.children.insert(*exec, (*child, Child::default()));
                let name = self.agents.get(&self.machine.execs[*exec as usize].node).cloned().unwrap_or_default();
                self.of(*exec, |node| {
                    node.glance.children.get_or_insert(ChildGlance { name, ..ChildGlance::default() });
                });
            }
            Event::Ended { exec, outcome, child, .. } => {
                self.ended(*exec, outcome, child.unwrap_or_default(), entry.at)
            }
            Event::RunEnded { .. } => self.run_ended(),
            _ => {}
        }
        self.machine.apply(entry);
        self.read += 1;
        let queued = self.machine.in_line()[self.queued..].to_vec();
        self.queued += queued.len();
        // Those that this very entry ended have never waited.
        queued.into_iter().for_each(|exec| self.of(exec, |node| node.glance.waiting += 1));
    }

    fn runs(&mut self, exec: u32, at: Time) {
        self.of(exec, |node| {
            node.running.insert(exec, at);
        });
    }

    fn ended(&mut self, exec: u32, outcome: &Outcome, child: RunCounts, at: Time) {
        let was_asked = self.is(exec, Status::Review);
        self.children.remove(&exec);
        self.of(exec, |node| {
            match node.running.remove(&exec) {
                Some(since) => node.glance.spent += Duration::from_micros(u64::try_from(at.0 - since.0).unwrap_or(0)),
                None if was_asked => node.glance.in_review -= 1,
                // It could never begin.
                None => node.glance.waiting = node.glance.waiting.saturating_sub(1),
            }
            node.counted.nodes += child.nodes;
            node.counted.errors += child.errors;
            match outcome {
                Outcome::Completed => node.glance.done += 1,
                Outcome::Failed(_) => node.glance.failed += 1,
                Outcome::Terminated => node.glance.stopped += 1,
            }
        });
    }

    /// What had not ended by itself has been stopped.
    fn run_ended(&mut self) {
        self.children.clear();
        for (index, node) in (0..).zip(&mut self.nodes) {
            let left = node.glance.waiting + node.glance.in_review + node.running.len() as u64;
            if left > 0 {
                node.running.clear();
                (node.glance.waiting, node.glance.in_review) = (0, 0);
                node.glance.stopped += left;
                self.changed.insert(index);
            }
        }
    }

    /// Changes what is known of an execution's node.
    fn of(&mut self, exec: u32, change: impl FnOnce(&mut Watched)) {
        let node = self.machine.execs[exec as usize].node;
        change(&mut self.nodes[node as usize]);
        self.changed.insert(node);
    }

    fn is(&self, exec: u32, status: Status) -> bool {
        self.machine.execs[exec as usize].status == status
    }

    async fn look_at_children(&mut self) {
        for (exec, (run, known)) in self.children.iter_mut().rev().take(LOOKED_AT) {
            // A row that cannot be read now can be read the next time.
            let Ok(Some(record)) = self.store.run_by_id(self.owner, *run).await else { continue };
            let says = Child { in_review: record.status == Status::Review, counts: record.counts };
            if std::mem::replace(known, says) != says {
                self.changed.insert(self.machine.execs[*exec as usize].node);
            }
        }
    }
}
