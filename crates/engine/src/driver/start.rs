//! Starting executions: blocks at once or as tasks, timers, and everything again after a crash.

use super::{Driver, Message};
use crate::bounds;
use crate::journal::{Event, Outcome};
use crate::plan::Kind;
use crate::ports::{Blocks, Context, Emitted, Failure, Sink};
use async_trait::async_trait;
use futures::FutureExt;
use heddle_model::{BlockFacts, Object, Time, Value};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Inputs whose JSON is longer run on a thread of their own, so that other runs go on meanwhile.
const LARGE_INPUT: usize = 64 * 1024;

impl Driver {
    pub(super) fn start(&mut self, exec: u32) {
        match self.machine.kind(exec).clone() {
            Kind::Block => self.start_block(exec),
            Kind::Timer => self.start_timer(exec),
            Kind::Agent { graph, version } => self.start_agent(exec, graph, version),
            Kind::Note => {
                self.record_start(exec);
                self.end(exec, Outcome::Completed);
            }
        }
    }

    fn block_of(&self, exec: u32) -> Option<Arc<BlockFacts>> {
        self.machine.plan.node(self.machine.execs[exec as usize].node).block.clone()
    }

    /// Runs a block now, or when all that happened before is on disk.
    fn start_block(&mut self, exec: u32) {
        let effect = match (self.block_of(exec), &self.machine.execs[exec as usize].input) {
            (Some(block), Some(input)) => self.host.ports.blocks.effect(&block, input),
            _ => crate::Effect::Pure,
        };
        if effect.waits_for_disk() && self.durable < self.next {
            self.held.push_back((self.next, exec));
        } else {
            self.run_block(exec);
        }
    }

    pub(super) fn run_block(&mut self, exec: u32) {
        if self.machine.execs[exec as usize].status != heddle_model::Status::Running {
            self.record_start(exec);
        }
        let input = self.machine.execs[exec as usize].input.as_deref().cloned().unwrap_or_default();
        let context = self.context(exec);
        let Some(block) = self.block_of(exec) else {
            let id = self.machine.plan.node(self.machine.execs[exec as usize].node).block_id.clone();
            return self.end(exec, Outcome::Failed(format!("Block {id} is not available")));
        };
        let blocks = Arc::clone(&self.host.ports.blocks);
        let immediate = blocks.is_immediate(&block);
        if immediate && !bounds::exceeds(&input, LARGE_INPUT) && !blocks.may_be_slow(&block, &input) {
            let run = || blocks.run_now(&block, input, &context);
            let (emitted, result) = std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(panicked);
            return self.take_emitted(exec, emitted, result);
        }
        let task = if immediate {
            tokio::spawn(on_own_thread(blocks, block, input, context, exec, self.sender.clone()))
        } else {
            tokio::spawn(as_task(blocks, block, input, context, exec, self.sender.clone()))
        };
        self.tasks.insert(exec, task.abort_handle());
    }

    /// A value of a waiting block; one that is too large ends the block.
    pub(super) fn on_output(&mut self, exec: u32, pin: String, value: Value) {
        let Some(text) = bounds::refusal(&pin, &value, self.host.limits.value_bytes) else {
            return self.emit(exec, pin, value);
        };
        if let Some(task) = self.tasks.remove(&exec) {
            task.abort();
        }
        self.end(exec, Outcome::Failed(text));
    }

    pub(super) fn take_emitted(&mut self, exec: u32, emitted: Emitted, result: Result<(), Failure>) {
        self.writes.extend(emitted.writes);
        let limit = self.host.limits.value_bytes;
        for (pin, value) in emitted.outputs {
            if let Some(text) = bounds::refusal(&pin, &value, limit) {
                return self.end(exec, Outcome::Failed(text));
            }
            self.emit(exec, pin, value);
        }
        self.end_with(exec, result);
    }

    fn start_timer(&mut self, exec: u32) {
        self.record_start(exec);
        self.arm_timer(exec, None);
    }

    /// Waits for the next round, or for the rest of the one that a crash interrupted.
    fn arm_timer(&mut self, exec: u32, interrupted: Option<Time>) {
        let input = self.machine.execs[exec as usize].input.as_deref().cloned().unwrap_or_default();
        let timer = match self.block_of(exec).map(|block| self.host.ports.blocks.timer(&block, &input)) {
            Some(Ok(timer)) => timer,
            Some(Err(failure)) => return self.end(exec, Outcome::Failed(failure.to_string())),
            None => return self.end_with(exec, Err(unknown())),
        };
        let wake_at = interrupted.unwrap_or_else(|| {
            let wake_at = self.host.now().plus_seconds(i64::try_from(timer.seconds).unwrap_or(i64::MAX));
            self.record(Event::TimerSet { exec, wake_at });
            wake_at
        });
        self.timers.insert(exec, timer);
        let wait = Duration::from_micros(u64::try_from(wake_at.0 - self.host.now().0).unwrap_or(0));
        let sender = self.sender.clone();
        let task = async move {
            tokio::time::sleep(wait).await;
            let _ = sender.send(Message::Woke(exec)).await;
        };
        self.tasks.insert(exec, tokio::spawn(task).abort_handle());
    }

    pub(super) fn on_woke(&mut self, exec: u32) {
        self.tasks.remove(&exec);
        let Some(timer) = self.timers.remove(&exec) else { return };
        let (pin, value) = timer.output;
        self.emit(exec, pin, value);
        if self.machine.execs[exec as usize].outputs.len() >= timer.rounds as usize {
            self.end(exec, Outcome::Completed);
        } else {
            self.arm_timer(exec, None);
        }
    }

    /// After a crash: whatever had begun and not ended goes on, under the same execution id.
    pub(super) fn resume_running(&mut self) {
        for exec in self.machine.running() {
            match self.machine.kind(exec).clone() {
                Kind::Agent { graph, version } => match self.machine.execs[exec as usize].child {
                    Some(child) => self.reattach_child(exec, child),
                    None => self.prepare_child(exec, graph, version),
                },
                Kind::Timer => {
                    let emitted = self.machine.execs[exec as usize].outputs.len() as u32;
                    self.positions.insert(exec, emitted);
                    self.arm_timer(exec, self.machine.execs[exec as usize].wake_at);
                }
                Kind::Block | Kind::Note => {
                    self.record(Event::AttemptBegun { exec });
                    self.run_block(exec);
                }
            }
        }
    }
}

/// Runs a block that may wait, within its time limit.
async fn as_task(
    blocks: Arc<dyn Blocks>,
    block: Arc<BlockFacts>,
    input: Object,
    context: Context,
    exec: u32,
    sender: mpsc::Sender<Message>,
) {
    let limit = block.time_limit;
    let mut sink = Outbox { exec, sender: &sender };
    let work = AssertUnwindSafe(blocks.run(block, input, context, &mut sink)).catch_unwind();
    let result = match limit {
        Some(seconds) => match tokio::time::timeout(Duration::from_secs(seconds), work).await {
            Ok(result) => result,
            Err(_) => Ok(Err(overran(seconds))),
        },
        None => work.await,
    };
    let result = result.unwrap_or_else(|_| Err(unknown()));
    let _ = sender.send(Message::Ended(exec, result)).await;
}

/// Runs a block that never waits but has much to do.
async fn on_own_thread(
    blocks: Arc<dyn Blocks>,
    block: Arc<BlockFacts>,
    input: Object,
    context: Context,
    exec: u32,
    sender: mpsc::Sender<Message>,
) {
    let work = tokio::task::spawn_blocking(move || blocks.run_now(&block, input, &context)).await;
    let (emitted, result) = work.unwrap_or_else(|_| (Emitted::default(), Err(unknown())));
    let _ = sender.send(Message::Emitted(exec, emitted, result)).await;
}

/// Sends what a task emits to its driver; full when the driver is behind.
struct Outbox<'a> {
    exec: u32,
    sender: &'a mpsc::Sender<Message>,
}

#[async_trait]
impl Sink for Outbox<'_> {
    async fn emit(&mut self, pin: &str, value: Value) {
        // A driver that has gone aborts this task too.
        let _ = self.sender.send(Message::Output(self.exec, pin.to_owned(), value)).await;
    }
}

fn unknown() -> Failure {
    Failure::Unknown("Unknown error occurred".to_owned())
}

fn overran(seconds: u64) -> Failure {
    Failure::Unknown(format!("Node execution exceeded {seconds}s wall-clock cap"))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> (Emitted, Result<(), Failure>) {
    (Emitted::default(), Err(unknown()))
}
