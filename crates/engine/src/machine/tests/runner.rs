//! Drives a machine without a driver: block functions are called on the spot, or a test says what happens.

use crate::journal::{Accepted, Entry, Event, Outcome};
use crate::machine::{Machine, Step};
use crate::made_up::behave;
use crate::plan::Plan;
use heddle_model::{OrgId, RunId, Status, Time, UserId, Value};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// A loop that a test did not want ends here.
const STEPS: usize = 5_000;

/// All that a run of a plan is started with, without inputs.
pub fn request(plan: &Plan) -> Accepted {
    let run = RunId::from_random([7; 16]);
    let (owner, organization) = (UserId::from_random([1; 16]), OrgId::from_random([2; 16]));
    Accepted::new(run, owner, organization, plan.graph, plan.version)
}

/// One run and its journal.
pub struct Runner {
    pub machine: Machine,
    pub journal: Vec<Entry>,
    pub positions: HashMap<u32, u32>,
}

impl Runner {
    /// Accepts a run without inputs.
    pub fn accept(plan: Arc<Plan>) -> Self {
        Self::accept_with(plan, |_| {})
    }

    /// Accepts a run with these inputs.
    pub fn accept_inputs(plan: Arc<Plan>, inputs: &Value) -> Self {
        Self::accept_with(plan, |accepted| accepted.inputs = inputs.as_object().unwrap().clone())
    }

    /// Accepts a run.
    pub fn accept_with(plan: Arc<Plan>, change: impl FnOnce(&mut Accepted)) -> Self {
        let mut accepted = request(&plan);
        change(&mut accepted);
        let machine = Machine::new(accepted.root, plan);
        let mut runner = Self { machine, journal: Vec::new(), positions: HashMap::new() };
        runner.record(Event::Accepted(Box::new(accepted)));
        runner
    }

    /// Goes on after a crash that left this much of a journal: what had begun begins again, first of all.
    pub fn resume(plan: Arc<Plan>, journal: &[Entry]) -> Self {
        let machine = Machine::replay(RunId::from_random([7; 16]), plan, journal);
        let mut runner = Self { machine, journal: journal.to_vec(), positions: HashMap::new() };
        for exec in runner.machine.running() {
            runner.record(Event::AttemptBegun { exec });
            runner.carry_out(exec);
        }
        runner
    }

    /// Applies an event one second after the one before.
    pub fn record(&mut self, what: Event) {
        let entry = Entry { at: Time(self.journal.len() as i64 * 1_000_000), what };
        self.machine.apply(&entry);
        self.journal.push(entry);
    }

    /// Takes the oldest step and begins it; `None` when nothing may start.
    pub fn begin_next(&mut self) -> Option<u32> {
        let step = self.machine.next_step()?;
        let (Step::Start(exec) | Step::Fail(exec, _) | Step::Skip(exec) | Step::Resume(exec)) = step;
        match step {
            Step::Fail(_, text) => self.end(exec, Outcome::Failed(text)),
            Step::Start(_) => self.record_start(exec),
            Step::Resume(_) => self.record(Event::AttemptBegun { exec }),
            Step::Skip(_) => {
                self.record_start(exec);
                self.complete(exec);
            }
        }
        Some(exec)
    }

    fn record_start(&mut self, exec: u32) {
        let state = &self.machine.execs[exec as usize];
        let (node, input) = (state.node, state.input.clone().unwrap());
        self.record(Event::Started { exec, node, input, cost: 0 });
    }

    /// Emits as the driver does: not again what an earlier attempt has emitted.
    pub fn emit(&mut self, exec: u32, pin: &str, value: Value) {
        let position = self.positions.entry(exec).or_default();
        let at = *position;
        *position += 1;
        if !self.machine.has_emitted(exec, at, pin, &value) {
            self.record(Event::Output { exec, position: at, pin: pin.to_owned(), value });
        }
    }

    /// A later attempt counts its outputs from the start.
    pub fn begin_again(&mut self, exec: u32) {
        self.positions.remove(&exec);
    }

    /// Ends an execution.
    pub fn end(&mut self, exec: u32, outcome: Outcome) {
        self.record(Event::Ended { exec, outcome, child: None, outputs: None });
    }

    /// Ends an execution well.
    pub fn complete(&mut self, exec: u32) {
        self.end(exec, Outcome::Completed);
    }

    fn carry_out(&mut self, exec: u32) {
        let node = self.machine.plan.node(self.machine.execs[exec as usize].node).block_id.clone();
        let input = self.machine.execs[exec as usize].input.clone().unwrap();
        let (outputs, result) = behave(node.as_str(), &input);
        for (pin, value) in outputs {
            self.emit(exec, &pin, value);
        }
        self.end(exec, result.map_or_else(Outcome::Failed, |()| Outcome::Completed));
    }

    /// Starts the oldest execution that may start, and lets it end if its block ever does so at once.
    pub fn step(&mut self) -> bool {
        let Some(exec) = self.begin_next() else { return false };
        if self.machine.execs[exec as usize].status == Status::Running {
            self.carry_out(exec);
        }
        true
    }

    /// Starts everything up to the first execution of this node, and begins that.
    pub fn begin(&mut self, node: &str) -> u32 {
        for _ in 0..STEPS {
            let exec = self.begin_next().unwrap_or_else(|| panic!("{node} never becomes ready"));
            if self.name(exec) == node {
                return exec;
            }
            if self.machine.execs[exec as usize].status == Status::Running {
                self.carry_out(exec);
            }
        }
        panic!("{node} is never reached")
    }

    /// Everything that may happen happens, and the run ends.
    pub fn finish(mut self) -> Self {
        for _ in 0..STEPS {
            if !self.step() {
                assert!(self.machine.is_idle());
                let counts = self.machine.counts;
                self.record(Event::RunEnded { status: Status::Completed, error: None, counts });
                return self;
            }
        }
        panic!("the run does not end")
    }

    /// The id of an execution's node.
    pub fn name(&self, exec: u32) -> &str {
        self.machine.plan.node(self.machine.execs[exec as usize].node).id.as_str()
    }

    /// Executions of a node, oldest first.
    pub fn execs_of(&self, node: &str) -> Vec<u32> {
        (0..self.machine.execs.len() as u32).filter(|&exec| self.name(exec) == node).collect()
    }

    /// What each execution of a node has received.
    pub fn data(&self, node: &str) -> Value {
        let data = |exec: u32| {
            let state = &self.machine.execs[exec as usize];
            Value::Object(state.data(self.machine.plan.node(state.node)))
        };
        self.execs_of(node).into_iter().map(data).collect()
    }

    /// What each execution of a node has emitted, as `[pin, value]`.
    pub fn emitted(&self, node: &str) -> Value {
        let outputs = |exec: u32| {
            self.machine.execs[exec as usize].outputs.iter().map(|(pin, value)| json!([pin, value])).collect::<Value>()
        };
        self.execs_of(node).into_iter().map(outputs).collect()
    }

    /// Statuses of a node's executions.
    pub fn statuses(&self, node: &str) -> Vec<Status> {
        self.execs_of(node).into_iter().map(|exec| self.machine.execs[exec as usize].status).collect()
    }

    /// The run's outputs as an object.
    pub fn outputs(&self) -> Value {
        self.machine.outputs().into_iter().map(|(name, values)| (name, Value::from(values))).collect()
    }
}
