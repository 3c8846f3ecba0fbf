//! Blocks that take their time, and a look at the disk whenever an effect begins.

use crate::core::Core;
use crate::disk::{Disk, short};
use crate::made_up::{Behaviour, behave};
use crate::model::{emissions_of, mood, price, used_by};
use async_trait::async_trait;
use heddle_engine::Effect;
use heddle_engine::ports::{Blocks, Context, Emitted, Failure, KeyValue, Sink, Timer};
use heddle_model::{BlockFacts, NodeExecId, Object, Usage, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The made-up blocks under a simulation.
pub struct Works {
    core: Arc<Core>,
    disk: Arc<Disk>,
    alive: Arc<Mutex<BTreeSet<NodeExecId>>>,
    /// The age in which each effect began last.
    begun: Mutex<BTreeMap<NodeExecId, u64>>,
}

impl Works {
    pub fn new(core: Arc<Core>, disk: Arc<Disk>) -> Self {
        Self { core, disk, alive: Arc::default(), begun: Mutex::default() }
    }

    pub fn alive(&self) -> usize {
        self.alive.lock().unwrap().len()
    }

    /// What must hold when an execution that reaches outside begins.
    fn check_start(&self, block: &BlockFacts, input: &Object, cx: &Context) {
        let place = cx.place.as_ref().unwrap();
        let (run, exec) = (place.run, place.exec_id());
        self.core.say(format!("begin {} {} {exec}", block.id.0, short(run)));
        if !self.effect(block, input).waits_for_disk() {
            return;
        }
        let age = self.core.age.load(SeqCst);
        if self.begun.lock().unwrap().insert(exec, age) == Some(age) {
            self.core.problem(format!("{exec} of {} began twice without a reason", short(run)));
        }
        let known = self.disk.look(run, |ledger| {
            let index = (0..500).find(|index| NodeExecId::nth(run, *index) == exec)?;
            ledger.may_work(index).map(|known| known == input)
        });
        if known.flatten() != Some(true) {
            self.core.problem(format!("{exec} of {} began before that was on disk", short(run)));
        }
    }

    /// The first attempt of a flaky block can be foretold, a repeat may do anything else.
    fn draw_mood(&self, input: &Object, cx: &Context) -> Behaviour {
        let place = cx.place.as_ref().unwrap();
        let is_repeat = self.core.script(place.exec_id()).is_some();
        let number = is_repeat.then(|| self.core.roll(|rng| rng.within(0..12)));
        let behaviour = mood(input, number);
        self.core.play(place.exec_id(), emissions_of(behaviour.clone()));
        if is_repeat && let Some(root) = self.disk.look(place.run, |ledger| ledger.root) {
            self.core.disturb(short(root));
        }
        behaviour
    }

    async fn take_time(&self) {
        let time = self.core.roll(|rng| match rng.within(0..40) {
            0..=9 => 0,
            10..=29 => rng.within(1..50),
            30..=37 => rng.within(50..3_000),
            38 => rng.within(3_000..60_000),
            _ => rng.within(60_000..600_000),
        });
        if time > 0 {
            tokio::select! {
                biased;
                () = self.core.hurry.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(time)) => {}
            }
        }
        if self.core.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}

/// One that works, until it ends or is dropped.
struct Alive(Arc<Mutex<BTreeSet<NodeExecId>>>, NodeExecId);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.lock().unwrap().remove(&self.1);
    }
}

#[async_trait]
impl Blocks for Works {
    fn effect(&self, block: &BlockFacts, input: &Object) -> Effect {
        match block.id.as_str() {
            "unsafe" | "sensitive" => Effect::Unsafe,
            "flaky" if input.get("value").and_then(Value::as_u64).is_some_and(|value| value % 2 == 0) => {
                Effect::Idempotent
            }
            "flaky" => Effect::Read,
            "idempotent" => Effect::Idempotent,
            "read" | "trickle" | "hang" | "panic-later" => Effect::Read,
            "local" => Effect::Local,
            _ => Effect::Pure,
        }
    }

    fn is_immediate(&self, block: &BlockFacts) -> bool {
        !matches!(
            block.id.as_str(),
            "unsafe" | "sensitive" | "idempotent" | "read" | "flaky" | "trickle" | "hang" | "panic-later"
        )
    }

    fn cost(&self, block: &BlockFacts, _: &Object) -> u64 {
        price(block.id.as_str())
    }

    fn may_cost_more(&self, block: &BlockFacts, _: &Object) -> bool {
        used_by(block.id.as_str()) > 0
    }

    fn cost_after(&self, block: &BlockFacts, _: &Object, _: Duration, _: &Usage) -> u64 {
        used_by(block.id.as_str())
    }

    fn provider(&self, block: &BlockFacts, _: &Object) -> Option<String> {
        matches!(block.id.as_str(), "read" | "unsafe" | "flaky").then(|| "there".to_owned())
    }

    fn run_now(&self, block: &BlockFacts, input: Arc<Object>, _: &Context) -> (Emitted, Result<(), Failure>) {
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
        if self.core.is_dead() {
            std::future::pending::<()>().await;
        }
        self.check_start(&block, &input, &cx);
        let exec = cx.place.as_ref().unwrap().exec_id();
        if !self.alive.lock().unwrap().insert(exec) {
            self.core.problem(format!("{exec} works twice at once"));
        }
        let _alive = Alive(Arc::clone(&self.alive), exec);
        let (outputs, result) = match block.id.as_str() {
            "flaky" => self.draw_mood(&input, &cx),
            known => behave(known, &input),
        };
        for (pin, value) in outputs {
            self.take_time().await;
            sink.emit(&pin, value).await;
        }
        self.take_time().await;
        match block.id.as_str() {
            "panic-later" => panic!("as asked"),
            "hang" => std::future::pending().await,
            _ => result.map_err(Failure::Execution),
        }
    }

    fn timer(&self, _: &BlockFacts, input: &Object) -> Result<Timer, Failure> {
        let number = |pin: &str| input.get(pin).and_then(Value::as_u64);
        Ok(Timer {
            seconds: number("seconds").unwrap_or(0),
            rounds: number("repeat").unwrap_or(1) as u32,
            output: ("output_message".to_owned(), input.get("message").cloned().unwrap_or_default()),
        })
    }
}
