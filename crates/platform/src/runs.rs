//! Runs: started, waited for, looked at, stopped.

pub mod events;
pub mod overview;
mod persons;
mod start;

use crate::accounts::Accounts;
use crate::clock::SystemClock;
use crate::plans::{Known, Plans, not_found};
use crate::traces::Traces;
use crate::{Error, Page, PageRequest};
use heddle_engine::journal::Counts;
use heddle_engine::ports::Journal;
use heddle_engine::stats::{ExecStats, RunStats, Tally};
use heddle_engine::view::{self, Named};
use heddle_engine::{Host, Machine, Progress};
use heddle_model::{BlockId, GraphId, NodeExecId, NodeId, Object, RunId, Status, Time, UserId};
use heddle_store::{RunRecord, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub use start::Start;

/// A stop that takes longer is still carried out, but not waited for.
const STOP: Duration = Duration::from_secs(15);

/// An accepted run.
#[derive(Clone, Debug)]
pub struct Started {
    /// The run.
    pub id: RunId,
    /// Follows it; `None` for a run that an earlier request started.
    progress: Option<watch::Receiver<Progress>>,
}

/// A run in a list.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Run id.
    pub id: RunId,
    /// Graph.
    pub graph_id: GraphId,
    /// Its version.
    pub graph_version: i64,
    /// Where it stands.
    pub status: Status,
    /// First time an execution began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Finished executions, how many of them failed, and what they cost; children included.
    pub counts: Counts,
}

/// A run with all its node executions, folded from its journal.
#[derive(Clone, Debug)]
pub struct RunView {
    /// As in lists.
    pub summary: RunSummary,
    /// Why it FAILED.
    pub error: Option<String>,
    /// The stored run inputs.
    pub inputs: Object,
    /// In queue order; those never queued last.
    pub nodes: Vec<NodeView>,
    /// Output name → values in queue order, names in first-emission order.
    pub outputs: Named,
    /// Finished executions, children included.
    pub node_exec_count: u64,
    /// Those that failed.
    pub node_error_count: u64,
    /// What was counted of it.
    pub stats: RunStats,
}

/// Where a run stands and what came out of it, without its nodes.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// As in lists.
    pub summary: RunSummary,
    /// Why it FAILED.
    pub error: Option<String>,
    /// Output name → values in queue order, names in first-emission order.
    pub outputs: Named,
    /// Finished executions, children included.
    pub node_exec_count: u64,
    /// Those that failed.
    pub node_error_count: u64,
}

/// One node execution.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// Execution id.
    pub exec_id: NodeExecId,
    /// Node id.
    pub node_id: NodeId,
    /// Block id.
    pub block_id: BlockId,
    /// Where it stands.
    pub status: Status,
    /// Its data; of a waiting one what has arrived.
    pub input: Object,
    /// Pin → values in emission order.
    pub output: Named,
    /// When it came into being.
    pub added_at: Time,
    /// When it had all it needs.
    pub queued_at: Option<Time>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// What was counted of it.
    pub stats: ExecStats,
}

/// The runs of this server.
#[derive(Clone)]
pub struct Runs {
    store: Store,
    host: Arc<Host>,
    plans: Plans,
    accounts: Accounts,
    clock: SystemClock,
    starting: start::Starting,
    traces: Traces,
}

impl Runs {
    pub(crate) fn new(store: Store, host: Arc<Host>, plans: Plans, accounts: Accounts, traces: Traces) -> Self {
        Self { store, host, plans, accounts, clock: SystemClock, starting: start::Starting::default(), traces }
    }

    /// Waits until the run ends or the time is over; then the run as it is.
    pub async fn wait(&self, owner: UserId, run: RunId, limit: Duration) -> Result<RunOutcome, Error> {
        self.wait_for(owner, Started { id: run, progress: None }, limit).await
    }

    /// As [`wait`](Self::wait), for a run that was just started: needs no look into the database when it ends in time.
    pub async fn wait_for(&self, owner: UserId, started: Started, limit: Duration) -> Result<RunOutcome, Error> {
        let run = started.id;
        let progress = match started.progress {
            Some(progress) => Some(progress),
            None => self.following(owner, run).await?,
        };
        if let Some(mut progress) = progress {
            let ended = progress.wait_for(|progress| progress.ended.is_some());
            if let Ok(Ok(progress)) = tokio::time::timeout(limit, ended).await {
                let machine = progress.ended.as_ref().expect("it was waited for");
                if machine.accepted.as_ref().is_some_and(|accepted| accepted.owner == owner) {
                    return Ok(outcome(machine));
                }
            }
        }
        let record = self.store.run_by_id(owner, run).await?;
        let machine = self.machine(&record.ok_or_else(|| run_not_found(&run.to_string()))?).await?;
        Ok(outcome(&machine))
    }

    /// Follows a run of the owner's that has not ended.
    async fn following(&self, owner: UserId, run: RunId) -> Result<Option<watch::Receiver<Progress>>, Error> {
        // Taken before the look at its row, so that its end does not fall between the two.
        let progress = self.host.watch(run);
        let record = self.store.run_by_id(owner, run).await?;
        let goes_on = record.is_some_and(|record| !record.status.is_terminal());
        Ok(progress.filter(|_| goes_on))
    }

    /// A run with its nodes. [`Error::NotFound`] with the texts of `v1.md` 4.
    pub async fn results(&self, owner: UserId, graph: &str, run: &str) -> Result<RunView, Error> {
        let missing = || run_not_found(run);
        let id = RunId::parse(run).ok_or_else(missing)?;
        let graph = GraphId::parse(graph).ok_or_else(missing)?;
        let (record, entries) = self.store.run_and_entries(owner, graph, id).await?.ok_or_else(missing)?;
        if entries.is_empty() {
            // Removed since: no run is without its beginning.
            return Err(missing());
        }
        let (mut machine, mut tally) = self.unfolded(&record).await?;
        for entry in entries {
            tally.take(&entry);
            machine.apply(&entry);
        }
        Ok(run_view(&machine, &tally))
    }

    /// Runs of a graph, newest first.
    pub async fn list(&self, owner: UserId, graph: &str, page: PageRequest) -> Result<Page<RunSummary>, Error> {
        let missing = || Error::NotFound(not_found(graph));
        let id = GraphId::parse(graph).ok_or_else(missing)?;
        let runs = self.store.runs(owner, id, page.paging()).await?;
        // Runs outlast the agent's place in the library.
        if runs.total == 0 && self.store.graph(owner, id, None).await?.is_none() {
            return Err(missing());
        }
        Ok(page.of(runs, |record| summary(&record)))
    }

    /// Stops a run and its children. [`Error::Conflict`] when it has ended already.
    pub async fn stop(&self, owner: UserId, graph: &str, run: &str) -> Result<RunSummary, Error> {
        let record = self.find(owner, graph, run).await?;
        let over = |status: Status| Error::Conflict(format!("the run has ended already: {}", status.as_str()));
        if record.status.is_terminal() {
            return Err(over(record.status));
        }
        if tokio::time::timeout(STOP, self.host.stop(record.id)).await.is_err() {
            tracing::warn!(run.id = %record.id, "run {} takes long to stop", record.id);
        }
        let after = summary(&self.find(owner, graph, run).await?);
        match after.status {
            Status::Completed | Status::Failed => Err(over(after.status)),
            _ => Ok(after),
        }
    }

    /// How a run has ended; `None` when it is not there any more.
    pub(crate) async fn ended(&self, owner: UserId, run: RunId) -> Result<Option<RunOutcome>, Error> {
        let Some(record) = self.store.run_by_id(owner, run).await? else { return Ok(None) };
        match self.machine(&record).await {
            Ok(machine) => Ok(Some(outcome(&machine))),
            // Its graph is gone; its row still says how it ended.
            Err(Error::NotFound(_)) => Ok(Some(RunOutcome {
                summary: summary(&record),
                error: record.error,
                outputs: Vec::new(),
                node_exec_count: record.counts.nodes,
                node_error_count: record.counts.errors,
            })),
            Err(error) => Err(error),
        }
    }

    async fn find(&self, owner: UserId, graph: &str, run: &str) -> Result<RunRecord, Error> {
        let missing = || run_not_found(run);
        let id = RunId::parse(run).ok_or_else(missing)?;
        let graph = GraphId::parse(graph).ok_or_else(missing)?;
        self.store.run(owner, graph, id).await?.ok_or_else(missing)
    }

    /// Folds a run's journal, as far as it is on disk.
    async fn machine(&self, record: &RunRecord) -> Result<Machine, Error> {
        let known = self.known(record).await?;
        let entries = self.store.read(record.id, 0).await?;
        Ok(Machine::replay(record.id, Arc::clone(&known.plan), &entries))
    }

    /// What a run's journal is folded into.
    async fn unfolded(&self, record: &RunRecord) -> Result<(Machine, Tally), Error> {
        let plan = &self.known(record).await?.plan;
        let tally = Tally::new(Arc::clone(plan), self.plans.blocks());
        Ok((Machine::new(record.id, Arc::clone(plan)), tally))
    }

    /// The graph version that a run runs.
    async fn known(&self, record: &RunRecord) -> Result<Arc<Known>, Error> {
        let found = self.plans.find(record.owner, record.graph, record.version).await?;
        found.ok_or_else(|| Error::NotFound(not_found(&record.graph.to_string())))
    }
}

pub(crate) fn run_not_found(run: &str) -> Error {
    Error::NotFound(format!("Graph execution #{run} not found."))
}

fn summary(record: &RunRecord) -> RunSummary {
    RunSummary {
        id: record.id,
        graph_id: record.graph,
        graph_version: record.version,
        status: record.status,
        started_at: record.started_at,
        ended_at: record.ended_at,
        counts: record.counts,
    }
}

fn summary_of(machine: &Machine) -> RunSummary {
    RunSummary {
        id: machine.run,
        graph_id: machine.plan.graph,
        graph_version: machine.plan.version,
        status: machine.status,
        started_at: machine.started_at,
        ended_at: machine.ended_at,
        counts: machine.counts,
    }
}

fn outcome(machine: &Machine) -> RunOutcome {
    RunOutcome {
        summary: summary_of(machine),
        error: machine.error.clone(),
        outputs: machine.outputs(),
        node_exec_count: machine.counts.nodes,
        node_error_count: machine.counts.errors,
    }
}

fn run_view(machine: &Machine, tally: &Tally) -> RunView {
    RunView {
        summary: summary_of(machine),
        error: machine.error.clone(),
        inputs: machine.accepted.as_ref().map(|accepted| accepted.inputs.clone()).unwrap_or_default(),
        nodes: machine.in_queue_order().into_iter().map(|exec| node_view(machine, tally, exec)).collect(),
        outputs: machine.outputs(),
        node_exec_count: machine.counts.nodes,
        node_error_count: machine.counts.errors,
        stats: tally.run(machine),
    }
}

fn node_view(machine: &Machine, tally: &Tally, index: u32) -> NodeView {
    let exec = &machine.execs[index as usize];
    let node = machine.plan.node(exec.node);
    NodeView {
        exec_id: machine.exec_id(index),
        node_id: node.id.clone(),
        block_id: node.block_id.clone(),
        status: exec.status,
        input: exec.data(node),
        output: view::group(exec.outputs.iter().map(|(pin, value)| (pin.as_str(), value))),
        added_at: exec.added_at,
        queued_at: exec.queued_at,
        started_at: exec.started_at,
        ended_at: exec.ended_at,
        stats: tally.exec_of(machine, index),
    }
}
