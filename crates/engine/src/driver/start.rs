//! Starting executions: blocks at once or as tasks, timers, and everything again after a crash.

use super::outbox::{Outbox, Said};
use super::{Driver, Message};
use crate::bounds;
use crate::effect::Effect;
use crate::host::CallPlace;
use crate::journal::{Counts, Event, Outcome};
use crate::plan::Kind;
use crate::ports::{Blocks, Context, Emitted, Failure};
use futures::FutureExt;
use heddle_model::{BlockFacts, Object, Status, Time, Value};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// What an effect that a crash interrupted ends with where repeating it is not wanted.
pub(super) const INTERRUPTED: &str = "interrupted";

/// Inputs whose JSON is longer run on a thread of their own, so that other runs go on meanwhile.
const LARGE_INPUT: usize = 64 * 1024;

impl Driver {
    pub(super) fn start(&mut self, exec: u32) {
        match self.machine.kind(exec).clone() {
            Kind::Block => self.start_block(exec),
            Kind::Timer => self.start_timer(exec),
            Kind::Review => self.start_review(exec),
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
        if self.must_ask(exec) {
            return self.ask_consent(exec);
        }
        if self.effect_of(exec).waits_for_disk() {
            self.record_start(exec);
            self.hold(exec);
        } else {
            self.run_block(exec);
        }
    }

    fn effect_of(&self, exec: u32) -> Effect {
        match (self.block_of(exec), &self.machine.execs[exec as usize].input) {
            (Some(block), Some(input)) => self.host.ports.blocks.effect(&block, input),
            _ => Effect::Pure,
        }
    }

    /// That it begins is on disk before it does: what a crash interrupts is known to have begun.
    fn hold(&mut self, exec: u32) {
        if self.durable < self.next {
            self.held.push_back((self.next, exec));
        } else {
            self.run_block(exec);
        }
    }

    /// A person has let it.
    pub(super) fn start_consented(&mut self, exec: u32) {
        if self.effect_of(exec).waits_for_disk() || self.awaits_mark() {
            self.hold(exec);
        } else {
            self.run_block(exec);
        }
    }

    pub(super) fn run_block(&mut self, exec: u32) {
        let now = self.host.now();
        if self.machine.execs[exec as usize].status != Status::Running {
            self.record_start_at(now, exec);
        }
        let input = self.machine.execs[exec as usize].input.clone().unwrap_or_default();
        let context = self.context(now, exec);
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
            tokio::spawn(on_own_thread(blocks, block, input, context, exec, self.inbox.sender()))
        } else {
            let place = self.call_place(&block, &input);
            let outbox = self.outbox(exec);
            let work = async move {
                let _place = place.await;
                as_task(blocks, block, input, context, outbox).await;
            };
            tokio::spawn(work)
        };
        self.tasks.insert(exec, task.abort_handle());
    }

    /// A turn among the calls to the provider that a block asks; none where it asks nobody.
    fn call_place(&self, block: &BlockFacts, input: &Object) -> impl Future<Output = Option<CallPlace>> + use<> {
        let lane = self.lane();
        let place = self.host.ports.blocks.provider(block, input).map(|provider| self.host.call_place(provider, lane));
        async move {
            match place {
                Some(place) => place.await,
                None => None,
            }
        }
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
        // What it brings happens at once.
        let now = self.host.now();
        for (pin, value) in emitted.outputs {
            if let Some(text) = bounds::refusal(&pin, &value, limit) {
                return self.end(exec, Outcome::Failed(text));
            }
            self.emit_at(now, exec, pin, value);
            if self.machine.held > self.host.limits.run_bytes {
                // The run is about to be ended for it.
                return;
            }
        }
        self.end_at(
            now,
            exec,
            result.map_or_else(|failure| Outcome::Failed(failure.to_string()), |()| Outcome::Completed),
            None,
        );
    }

    /// What a block that may wait said last, and its end.
    pub(super) fn take_said(&mut self, exec: u32, said: Vec<Said>, result: Result<(), Failure>) {
        let mut outputs = Vec::new();
        for said in said {
            match said {
                Said::Output(pin, value) => outputs.push((pin, value)),
                Said::Noted(note, usage) => self.record(Event::Noted { exec, note, usage }),
                // Nobody waits for it any more.
                Said::Called(..) => {}
            }
        }
        self.take_emitted(exec, Emitted { outputs, writes: Vec::new() }, result);
    }

    pub(super) fn end(&mut self, exec: u32, outcome: Outcome) {
        self.end_counting(exec, outcome, None);
    }

    pub(super) fn end_counting(&mut self, exec: u32, outcome: Outcome, child: Option<Counts>) {
        self.end_at(self.host.now(), exec, outcome, child);
    }

    /// An execution's end; the outputs of a longer attempt before are cut off.
    fn end_at(&mut self, at: Time, exec: u32, outcome: Outcome, child: Option<Counts>) {
        let emitted = self.positions.remove(&exec).unwrap_or(0);
        let state = &self.machine.execs[exec as usize];
        let was_cut = state.attempts > 0 && state.outputs.len() > emitted as usize;
        let outputs = (was_cut && matches!(outcome, Outcome::Completed | Outcome::Failed(_))).then_some(emitted);
        self.charge_for_use(at, exec, &outcome);
        self.record_at(at, Event::Ended { exec, outcome, child, outputs });
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
            None => return self.end(exec, Outcome::Failed(unknown().to_string())),
        };
        let wake_at = interrupted.unwrap_or_else(|| {
            let wake_at = self.host.now().plus_seconds(i64::try_from(timer.seconds).unwrap_or(i64::MAX));
            self.record(Event::TimerSet { exec, wake_at });
            wake_at
        });
        self.timers.insert(exec, timer);
        self.alarms.insert((wake_at, exec));
    }

    pub(super) fn on_woke(&mut self, exec: u32) {
        let Some(timer) = self.timers.remove(&exec) else { return };
        let (pin, value) = timer.output;
        self.emit(exec, pin, value);
        if self.machine.execs[exec as usize].outputs.len() >= timer.rounds as usize {
            self.end(exec, Outcome::Completed);
        } else {
            self.arm_timer(exec, None);
        }
    }

    /// After a crash, or in memory again: whatever had begun and not ended goes on, under the same execution id.
    pub(super) fn resume_running(&mut self) {
        for exec in self.machine.running() {
            if self.machine.execs[exec as usize].is_call {
                self.hold_again(exec);
            }
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
                Kind::Review => match self.machine.answer(exec) {
                    Some(_) => self.go_on_reviewed(exec),
                    None => self.ask_review(exec),
                },
                Kind::Block | Kind::Note => self.begin_again(exec),
            }
        }
    }

    /// A block that a crash interrupted.
    fn begin_again(&mut self, exec: u32) {
        if self.must_ask(exec) {
            return self.ask_consent(exec);
        }
        let refused = self.machine.answer(exec).is_some_and(|answer| !answer.approved);
        if refused {
            return self.go_on_reviewed(exec);
        }
        let effect = self.effect_of(exec);
        if effect == Effect::Unsafe && self.host.limits.fail_interrupted {
            // What it emitted stands.
            let emitted = self.machine.execs[exec as usize].outputs.len() as u32;
            self.positions.insert(exec, emitted);
            return self.end(exec, Outcome::Failed(INTERRUPTED.to_owned()));
        }
        self.record(Event::AttemptBegun { exec });
        if effect.waits_for_disk() || self.awaits_mark() { self.hold(exec) } else { self.run_block(exec) }
    }
}

/// Runs a block that may wait, within its time limit.
async fn as_task(
    blocks: Arc<dyn Blocks>,
    block: Arc<BlockFacts>,
    input: Arc<Object>,
    context: Context,
    mut outbox: Outbox,
) {
    let limit = block.time_limit;
    let post = outbox.post();
    let work = AssertUnwindSafe(blocks.run(block, input, context, &mut outbox)).catch_unwind();
    let work = post.hand_on(work);
    let result = match limit {
        Some(seconds) => match tokio::time::timeout(Duration::from_secs(seconds), work).await {
            Ok(result) => result,
            Err(_) => Ok(Err(overran(seconds))),
        },
        None => work.await,
    };
    let result = result.unwrap_or_else(|_| Err(unknown()));
    post.finish(result).await;
}

/// Runs a block that never waits but has much to do.
async fn on_own_thread(
    blocks: Arc<dyn Blocks>,
    block: Arc<BlockFacts>,
    input: Arc<Object>,
    context: Context,
    exec: u32,
    sender: mpsc::Sender<Message>,
) {
    let limit = block.time_limit;
    let work = tokio::task::spawn_blocking(move || blocks.run_now(&block, input, &context));
    // A thread cannot be ended from outside; past its time it is left alone, and what it brings is not looked at.
    let work = match limit {
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), work).await.map_err(|_| overran(seconds)),
        None => Ok(work.await),
    };
    let (emitted, result) = match work {
        Ok(Ok(work)) => work,
        Ok(Err(_)) => (Emitted::default(), Err(unknown())),
        Err(overran) => (Emitted::default(), Err(overran)),
    };
    let _ = sender.send(Message::Emitted(exec, emitted, result)).await;
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
