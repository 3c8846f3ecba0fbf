//! Agent nodes: their child runs, started in the parent's commit and read from the child's journal.
//!
//! A child's id follows from the node execution, and the parent journals how far it has read, so a crash at any
//! moment neither starts a second child nor takes an output twice.

use super::{Driver, Message, Prepared};
use crate::host::Host;
use crate::journal::{Accepted, Counts, Entry, Event, Outcome, Parent};
use crate::machine::Machine;
use crate::plan::Plan;
use heddle_model::{GraphId, RunId, Status, Value};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// What a child did since the parent last looked.
#[derive(Debug)]
pub(crate) struct ChildNews {
    /// Its events before this number are accounted for.
    upto: u64,
    /// Name and value, in completion order.
    outputs: Vec<(String, Value)>,
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
        let sender = self.sender.clone();
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
    pub(super) fn launch_child(&mut self, exec: u32, machine: Machine, place: Option<OwnedSemaphorePermit>) {
        let (run, plan) = (machine.run, Arc::clone(&machine.plan));
        self.host.launch(machine, 1, place);
        if self.machine.has_ended() {
            return self.host.ask_to_stop(run);
        }
        self.follow(exec, run, plan, 0);
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
        let (host, sender) = (Arc::clone(&self.host), self.sender.clone());
        let task = async move {
            match host.ports.plans.runnable(owner, graph, version).await {
                Ok((plan, _)) => {
                    adopt(&host, child, &plan).await;
                    follow(&host, child, plan, read, exec, &sender).await;
                }
                Err(text) => {
                    host.ask_to_stop(child);
                    let _ = sender.send(Message::ChildNews(exec, failed(read, text))).await;
                }
            }
        };
        self.tasks.insert(exec, tokio::spawn(task).abort_handle());
    }

    fn follow(&mut self, exec: u32, child: RunId, plan: Arc<Plan>, read: u64) {
        let (host, sender) = (Arc::clone(&self.host), self.sender.clone());
        let task = async move { follow(&host, child, plan, read, exec, &sender).await };
        self.tasks.insert(exec, tokio::spawn(task).abort_handle());
    }

    pub(super) fn on_child_news(&mut self, exec: u32, news: ChildNews) {
        for (pin, value) in news.outputs {
            self.emit(exec, pin, value);
        }
        self.record(Event::ChildRead { exec, upto: news.upto });
        let Some(end) = news.ended else { return };
        self.tasks.remove(&exec);
        self.positions.remove(&exec);
        let outcome = match end.status {
            Status::Completed => Outcome::Completed,
            status => {
                Outcome::Failed(end.error.unwrap_or_else(|| format!("the agent's run ended {}", status.as_str())))
            }
        };
        self.record(Event::Ended { exec, outcome, child: Some(end.counts) });
    }
}

/// Drives a child that is on disk and that nobody drives: its first frame was kept although the journal said no.
async fn adopt(host: &Arc<Host>, child: RunId, plan: &Arc<Plan>) {
    if host.watch(child).is_some() {
        return;
    }
    // What cannot be read now is reported by whoever follows the child.
    let entries = host.ports.journal.read(child, 0).await.unwrap_or_default();
    let machine = Machine::replay(child, Arc::clone(plan), &entries);
    if machine.accepted.is_some() && !machine.has_ended() {
        host.launch(machine, entries.len() as u64, None);
    }
}

/// Reads a child's journal as it grows, until it ends.
async fn follow(host: &Host, child: RunId, plan: Arc<Plan>, accounted: u64, exec: u32, sender: &mpsc::Sender<Message>) {
    let mut reader = Reader { plan, accounted, read: 0, open: HashMap::new() };
    loop {
        let progress = host.watch(child);
        let entries = match host.ports.journal.read(child, reader.read).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::error!(run.id = %child, "the journal of child run {child} cannot be read: {error}");
                let _ = sender.send(Message::ChildNews(exec, failed(reader.read, error.to_string()))).await;
                return;
            }
        };
        let mut news = reader.take(entries);
        if news.ended.is_none() && progress.is_none() {
            news.ended = failed(reader.read, "the agent's run was lost".to_owned()).ended;
        }
        let ended = news.ended.is_some();
        if (ended || !news.outputs.is_empty()) && sender.send(Message::ChildNews(exec, news)).await.is_err() {
            return;
        }
        match progress {
            Some(mut progress) if !ended => {
                // A closed channel means that the child's driver has changed: look again.
                let _ = progress.changed().await;
            }
            _ => return,
        }
    }
}

fn failed(upto: u64, error: String) -> ChildNews {
    let end = ChildEnd { status: Status::Failed, error: Some(error), counts: Counts::default() };
    ChildNews { upto, outputs: Vec::new(), ended: Some(end) }
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
        let mut news = ChildNews { upto: 0, outputs: Vec::new(), ended: None };
        for entry in entries {
            let is_new = self.read >= self.accounted;
            self.read += 1;
            match entry.what {
                Event::Started { exec, node, input } if self.plan.node(node).is_output() => {
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
                        let values = values.into_iter().filter(|(pin, _)| pin == "output");
                        news.outputs.extend(values.map(|(_, value)| (name.clone(), value)));
                    }
                }
                Event::RunEnded { status, error, counts } => news.ended = Some(ChildEnd { status, error, counts }),
                _ => {}
            }
        }
        news.upto = self.read;
        news
    }
}

#[cfg(test)]
mod tests;
