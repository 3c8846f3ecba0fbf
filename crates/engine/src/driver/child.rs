//! Agent nodes: their child runs, started in the parent's commit and read from the child's journal.
//!
//! A child's id follows from the node execution, and the parent journals how far it has read, so a crash at any
//! moment neither starts a second child nor takes an output twice.

use super::{Driver, Message, Prepared};
use crate::host::{Host, RETRY};
use crate::journal::{Accepted, Counts, Entry, Event, Outcome, Parent};
use crate::machine::Machine;
use crate::plan::Plan;
use heddle_model::{GraphId, RunId, Status, Value};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::AbortHandle;

/// What a child did since the parent last looked.
#[derive(Debug)]
pub(crate) struct ChildNews {
    /// Its events before this number are accounted for.
    upto: u64,
    /// Name and value, in completion order.
    outputs: Vec<(String, Value)>,
    /// Whether there was anything that the parent is told of.
    is_news: bool,
    /// How it ended.
    ended: Option<ChildEnd>,
}

#[derive(Debug, Clone)]
struct ChildEnd {
    status: Status,
    error: Option<String>,
    counts: Counts,
}

impl Driver {
    pub(super) fn start_agent(&mut self, exec: u32, graph: Option<GraphId>, version: i64) {
        self.record_start(exec);
        self.prepare_child(exec, graph, version);
    }

    /// Has the child checked, away from this task.
    pub(super) fn prepare_child(&mut self, exec: u32, graph: Option<GraphId>, version: i64) {
        let host = Arc::clone(&self.host);
        let sender = self.inbox.sender();
        let accepted = self.child_request(exec, graph, version);
        let run = RunId::child_of(self.machine.exec_id(exec));
        let task = async move {
            let child = match accepted {
                Ok(accepted) => host.prepare_child(run, accepted).await,
                Err(text) => Err(text),
            };
            let _ = sender.send(Message::ChildReady(exec, child.map(Box::new))).await;
        };
        self.tasks.insert(exec, tokio::spawn(task).abort_handle());
    }

    fn child_request(&self, exec: u32, graph: Option<GraphId>, version: i64) -> Result<Accepted, String> {
        let ours = self.machine.accepted.as_ref().expect("a driven run was accepted");
        let limit = self.host.limits.nesting;
        if ours.depth + 1 > limit {
            return Err(format!("agents are nested deeper than {limit} (engine.nesting)"));
        }
        let graph = graph.ok_or("the agent node names no graph")?;
        Ok(Accepted {
            owner: ours.owner,
            organization: ours.organization,
            graph,
            version,
            inputs: self.machine.execs[exec as usize].input.as_deref().cloned().unwrap_or_default(),
            credentials: ours.credentials.clone(),
            masks: ours.masks.clone(),
            skip: Vec::new(),
            settings: ours.settings.clone(),
            parent: Some(Parent { run: self.machine.run, exec }),
            root: ours.root,
            depth: ours.depth + 1,
            callback_url: None,
        })
    }

    /// The child goes to disk together with our knowledge of it.
    pub(super) fn on_child_ready(&mut self, exec: u32, child: Result<Box<Prepared>, String>) {
        match child {
            Ok(child) => {
                self.record(Event::ChildStarted { exec, child: child.machine.run });
                self.births.push((exec, child));
            }
            Err(text) => {
                self.tasks.remove(&exec);
                self.end(exec, Outcome::Failed(text));
            }
        }
    }

    /// The child is on disk: drive it and follow it. When we have ended meanwhile, it is stopped at once.
    pub(super) fn launch_child(&mut self, exec: u32, machine: Machine, generation: Option<OwnedSemaphorePermit>) {
        let (run, plan) = (machine.run, Arc::clone(&machine.plan));
        self.tasks.remove(&exec);
        // Followed first: a child may park before its follower has its turn.
        let following = self.host.watch(run);
        self.host.launch(machine, 1, generation);
        if self.machine.has_ended() {
            return self.host.ask_to_stop(run);
        }
        let (host, sender) = (Arc::clone(&self.host), self.inbox.sender());
        let task = async move {
            let _following = following;
            follow(&host, run, plan, 0, exec, &sender).await;
        };
        self.has_follower(exec, tokio::spawn(task).abort_handle());
    }

    /// A journal that refused a child's first frame may have kept it: then it is unfinished like any other.
    pub(super) fn count_unborn(&mut self) {
        for child in std::mem::take(&mut self.channels.unborn) {
            if self.machine.execs.iter().any(|exec| exec.child == Some(child)) {
                self.host.count_child();
            }
        }
    }

    /// After a crash: the child exists; go on reading it where we were.
    pub(super) fn reattach_child(&mut self, exec: u32, child: RunId) {
        let read = self.machine.execs[exec as usize].child_read;
        let emitted = self.machine.execs[exec as usize].outputs.len() as u32;
        self.positions.insert(exec, emitted);
        let crate::plan::Kind::Agent { graph: Some(graph), version } = self.machine.kind(exec).clone() else {
            return self.end(exec, Outcome::Failed("the agent node names no graph".to_owned()));
        };
        let owner = self.machine.accepted.as_ref().expect("a driven run was accepted").owner;
        let (host, sender) = (Arc::clone(&self.host), self.inbox.sender());
        let task = async move {
            let plan = loop {
                match host.ports.plans.plan(owner, graph, version).await {
                    Ok(plan) => break plan,
                    Err(error) => {
                        tracing::error!(run.id = %child, "the graph of child run {child} cannot be read yet: {error}");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            };
            if let Some(plan) = plan {
                // Followed first: where the child stands is told to those who follow it.
                let _following = host.watch(child);
                host.wake_child(child).await;
                return follow(&host, child, plan, read, exec, &sender).await;
            }
            host.ask_to_stop(child);
            let gone = failed(read, "the agent is gone".to_owned());
            let _ = sender.send(Message::ChildNews(exec, gone)).await;
        };
        self.has_follower(exec, tokio::spawn(task).abort_handle());
    }

    fn has_follower(&mut self, exec: u32, task: AbortHandle) {
        self.followers.insert(exec, task);
        self.has_moved();
    }

    pub(super) fn on_child_news(&mut self, exec: u32, news: ChildNews) {
        for (pin, value) in news.outputs {
            self.emit(exec, pin, value);
        }
        self.record(Event::ChildRead { exec, upto: news.upto });
        let Some(end) = news.ended else { return };
        self.followers.remove(&exec);
        self.parked_children.remove(&exec);
        let outcome = match end.status {
            Status::Completed => Outcome::Completed,
            status => {
                Outcome::Failed(end.error.unwrap_or_else(|| format!("the agent's run ended {}", status.as_str())))
            }
        };
        self.end_counting(exec, outcome, Some(end.counts));
    }
}

/// Reads a child's journal as it grows, until it ends, and says when the child parks.
async fn follow(
    host: &Arc<Host>,
    child: RunId,
    plan: Arc<Plan>,
    accounted: u64,
    exec: u32,
    sender: &mpsc::Sender<Message>,
) {
    let mut reader = Reader { plan, accounted, read: 0, open: HashMap::new() };
    let mut was_parked = false;
    // None: the process is closing.
    while let Some(mut progress) = host.watch(child) {
        loop {
            let is_parked = progress.borrow_and_update().is_parked;
            let news = match host.ports.journal.read(child, reader.read).await {
                Ok(entries) => reader.take(entries),
                Err(error) => {
                    tracing::error!(run.id = %child, "the journal of child run {child} cannot be read yet: {error}");
                    tokio::time::sleep(RETRY).await;
                    progress.mark_changed();
                    continue;
                }
            };
            let ended = news.ended.is_some();
            if news.is_news && sender.send(Message::ChildNews(exec, news)).await.is_err() {
                return;
            }
            if ended {
                return;
            }
            if std::mem::replace(&mut was_parked, is_parked) != is_parked
                && sender.send(Message::ChildParked(exec, is_parked)).await.is_err()
            {
                return;
            }
            if progress.changed().await.is_err() {
                break;
            }
        }
        // Its driver has gone without an end: it was never kept, or the process is closing.
        if !host.wake_child(child).await && !host.has_ended(child).await {
            let lost = failed(reader.read, "the agent's run was lost".to_owned());
            let _ = sender.send(Message::ChildNews(exec, lost)).await;
            return;
        }
    }
}

fn failed(upto: u64, error: String) -> ChildNews {
    let end = ChildEnd { status: Status::Failed, error: Some(error), counts: Counts::default() };
    ChildNews { upto, outputs: Vec::new(), is_news: true, ended: Some(end) }
}

/// Folds a child's events into what its output nodes emitted, each node's values at its end.
struct Reader {
    plan: Arc<Plan>,
    /// Events before this number were taken over by an earlier attempt.
    accounted: u64,
    read: u64,
    /// Output name, and pins and values by position, of executions that have not ended. A later attempt records only
    /// what differs from the one before.
    open: HashMap<u32, (String, Vec<(String, Value)>)>,
}

impl Reader {
    fn take(&mut self, entries: Vec<Entry>) -> ChildNews {
        let mut news = ChildNews { upto: 0, outputs: Vec::new(), is_news: false, ended: None };
        for entry in entries {
            let is_new = self.read >= self.accounted;
            self.read += 1;
            match entry.what {
                Event::Started { exec, node, input, .. } if self.plan.node(node).is_output() => {
                    let name = input.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                    self.open.insert(exec, (name, Vec::new()));
                }
                Event::Output { exec, position, pin, value } => {
                    let Some((_, values)) = self.open.get_mut(&exec) else { continue };
                    match values.get_mut(position as usize) {
                        Some(before) => *before = (pin, value),
                        None => values.push((pin, value)),
                    }
                }
                Event::Ended { exec, .. } => {
                    if let Some((name, values)) = self.open.remove(&exec).filter(|_| is_new) {
                        news.is_news = true;
                        let values = values.into_iter().filter(|(pin, _)| pin == "output");
                        news.outputs.extend(values.map(|(_, value)| (name.clone(), value)));
                    }
                }
                Event::RunEnded { status, error, counts } => {
                    news.is_news = true;
                    news.ended = Some(ChildEnd { status, error, counts });
                }
                _ => {}
            }
        }
        news.upto = self.read;
        news
    }
}

#[cfg(test)]
mod tests;
