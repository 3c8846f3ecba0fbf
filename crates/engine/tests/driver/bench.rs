//! Blocks that wait at gates, panic, hang and reach as far as a test wants, and a record of who started when.

use crate::made_up::behave;
use async_trait::async_trait;
use heddle_engine::Effect;
use heddle_engine::ports::{Blocks, Call, Context, Emitted, Failure, KeyValue, Sink, Timer};
use heddle_model::block::{HUMAN_IN_THE_LOOP, SMART_DECISION_MAKER};
use heddle_model::{BlockFacts, NodeExecId, Object, Usage, Value};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tokio::sync::Semaphore;

/// One start of a block.
#[derive(Clone, Debug)]
pub struct Start {
    pub block: String,
    pub exec: NodeExecId,
    pub input: Object,
    pub thread: ThreadId,
}

/// Runs the made-up blocks.
#[derive(Default)]
pub struct Bench {
    starts: Mutex<Vec<Start>>,
    asked: Mutex<Vec<usize>>,
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    alive: Arc<AtomicUsize>,
    most_alive: AtomicUsize,
}

impl Bench {
    /// Lets so many pass that wait, or will wait, at a gate.
    pub fn open(&self, gate: &str, places: usize) {
        self.gate(gate).add_permits(places);
    }

    /// Starts of a block, or of every block.
    pub fn starts(&self, block: &str) -> Vec<Start> {
        let starts = self.starts.lock().unwrap();
        starts.iter().filter(|start| block == "*" || start.block == block).cloned().collect()
    }

    /// Waiting blocks that run.
    pub fn alive(&self) -> usize {
        self.alive.load(SeqCst)
    }

    /// The most that ever ran at once.
    pub fn most_alive(&self) -> usize {
        self.most_alive.load(SeqCst)
    }

    fn gate(&self, name: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    async fn pass(&self, input: &Object) {
        if let Some(gate) = input.get("gate").and_then(Value::as_str) {
            self.gate(gate).acquire().await.unwrap().forget();
        }
    }

    /// Rounds of the script for which something was asked that costs to ask.
    pub fn asked(&self) -> Vec<usize> {
        self.asked.lock().unwrap().clone()
    }

    /// Goes through a script: in each round the tools of its calls run, `[place among the tools, arguments]`.
    async fn decide(&self, input: &Object, sink: &mut dyn Sink) -> Result<(), Failure> {
        let tools = sink.tools();
        for (number, round) in input["script"].as_array().unwrap().iter().enumerate() {
            let round = match sink.recall() {
                Some(known) => known,
                None => {
                    tokio::task::yield_now().await;
                    self.asked.lock().unwrap().push(number);
                    sink.note(Some(round.clone()), Usage { calls: 1, input_tokens: 7, ..Usage::default() }).await;
                    round.clone()
                }
            };
            let call = |call: &Value| Call {
                node: tools[call[0].as_u64().unwrap() as usize].node,
                arguments: call[1].as_object().cloned().unwrap(),
            };
            let called = sink.call(round.as_array().unwrap().iter().map(call).collect()).await;
            sink.emit("conversations", called.iter().map(|called| format!("{called:?}")).collect()).await;
        }
        sink.emit("finished", true.into()).await;
        Ok(())
    }

    fn note(&self, block: &BlockFacts, input: &Object, cx: &Context) {
        self.starts.lock().unwrap().push(Start {
            block: block.id.0.clone(),
            exec: cx.place.as_ref().unwrap().exec_id(),
            input: input.clone(),
            thread: thread::current().id(),
        });
    }
}

/// Counts one running block, until it ends or is dropped.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl Blocks for Bench {
    fn effect(&self, block: &BlockFacts, _: &Object) -> Effect {
        match block.id.as_str() {
            "unsafe" | "sensitive" => Effect::Unsafe,
            "idempotent" => Effect::Idempotent,
            "read" | "trickle" | "hang" | "panic-later" | SMART_DECISION_MAKER => Effect::Read,
            "local" => Effect::Local,
            _ => Effect::Pure,
        }
    }

    fn is_immediate(&self, block: &BlockFacts) -> bool {
        !matches!(
            block.id.as_str(),
            "unsafe" | "sensitive" | "idempotent" | "read" | "trickle" | "hang" | "panic-later" | SMART_DECISION_MAKER
        )
    }

    fn cost(&self, block: &BlockFacts, _: &Object) -> u64 {
        match block.id.as_str() {
            HUMAN_IN_THE_LOOP => 2,
            "sensitive" => 3,
            "unsafe" => 5,
            "fail" => 7,
            _ => 0,
        }
    }

    fn may_cost_more(&self, block: &BlockFacts, _: &Object) -> bool {
        block.id.as_str() == SMART_DECISION_MAKER
    }

    fn cost_after(&self, _: &BlockFacts, _: &Object, _: Duration, usage: &Usage) -> u64 {
        usage.input_tokens
    }

    fn run_now(&self, block: &BlockFacts, input: Arc<Object>, cx: &Context) -> (Emitted, Result<(), Failure>) {
        self.note(block, &input, cx);
        assert_ne!(block.id.as_str(), "panic", "as asked");
        let (outputs, result) = behave(block.id.as_str(), &input);
        let mut emitted = Emitted { outputs, ..Emitted::default() };
        if block.id.as_str() == "keep" {
            emitted.writes.push(KeyValue { key: "kept".to_owned(), value: input["value"].clone() });
        }
        (emitted, result.map_err(Failure::Execution))
    }

    async fn run(
        &self,
        block: Arc<BlockFacts>,
        input: Arc<Object>,
        cx: Context,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.note(&block, &input, &cx);
        self.most_alive.fetch_max(self.alive.fetch_add(1, SeqCst) + 1, SeqCst);
        let _alive = Alive(Arc::clone(&self.alive));
        if block.id.as_str() == SMART_DECISION_MAKER {
            return self.decide(&input, sink).await;
        }
        let (outputs, result) = behave(block.id.as_str(), &input);
        for (pin, value) in outputs {
            self.pass(&input).await;
            sink.emit(&pin, value).await;
        }
        match block.id.as_str() {
            "panic-later" => panic!("as asked"),
            "hang" => std::future::pending().await,
            _ => result.map_err(Failure::Execution),
        }
    }

    fn timer(&self, _: &BlockFacts, input: &Object) -> Result<Timer, Failure> {
        let number = |pin: &str, default: u64| input.get(pin).map_or(Some(default), Value::as_u64);
        let refused = || Failure::Execution("that is no time to wait".to_owned());
        Ok(Timer {
            seconds: number("seconds", 0).ok_or_else(refused)?,
            rounds: number("repeat", 1).ok_or_else(refused)? as u32,
            output: ("output_message".to_owned(), input.get("message").cloned().unwrap_or_default()),
        })
    }
}
