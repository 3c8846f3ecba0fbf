use super::*;
use crate::Effect;
use crate::journal::{Accepted, Answer, Counts, Outcome};
use crate::made_up::graph;
use crate::ports::{Context, Emitted, Failure, Sink, Timer};
use async_trait::async_trait;
use heddle_model::block::{COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP};
use heddle_model::{BlockFacts, OrgId, RunId, Status, UserId, Value};
use serde_json::json;

/// Knows which made-up blocks wait, and runs none.
struct Nothing;

#[async_trait]
impl Blocks for Nothing {
    fn effect(&self, block: &BlockFacts, _: &Object) -> Effect {
        if block.id.as_str() == "unsafe" { Effect::Unsafe } else { Effect::Pure }
    }

    fn is_immediate(&self, block: &BlockFacts) -> bool {
        block.id.as_str() != "trickle"
    }

    fn run_now(&self, _: &BlockFacts, _: Arc<Object>, _: &Context) -> (Emitted, Result<(), Failure>) {
        panic!("a journal is only read")
    }

    async fn run(&self, _: Arc<BlockFacts>, _: Arc<Object>, _: Context, _: &mut dyn Sink) -> Result<(), Failure> {
        panic!("a journal is only read")
    }

    fn timer(&self, _: &BlockFacts, _: &Object) -> Result<Timer, Failure> {
        panic!("a journal is only read")
    }
}

/// Five nodes that start by themselves, one execution each.
const FAST: u32 = 0;
const SLOW: u32 = 1;
const ASK: u32 = 2;
const EFFECT: u32 = 3;
const TIMER: u32 = 4;

struct Told {
    machine: Machine,
    tally: Tally,
}

impl Told {
    fn new() -> Self {
        let plan = graph()
            .node("fast", "echo", json!({"value": "h\u{e9}"}))
            .node("slow", "trickle", json!({"items": [1]}))
            .node("ask", HUMAN_IN_THE_LOOP, json!({"data": 1}))
            .node("effect", "unsafe", json!({"value": 2}))
            .node("timer", COUNTDOWN_TIMER, json!({"seconds": 9}))
            .plan();
        let run = RunId::from_random([7; 16]);
        let (owner, organization) = (UserId::from_random([1; 16]), OrgId::from_random([2; 16]));
        let accepted = Accepted::new(run, owner, organization, plan.graph, plan.version);
        let mut told = Self { machine: Machine::new(run, plan.clone()), tally: Tally::new(plan, Arc::new(Nothing)) };
        told.at(100, Event::Accepted(Box::new(accepted)));
        told
    }

    fn at(&mut self, micros: i64, what: Event) {
        let entry = Entry { at: Time(micros), what };
        self.machine.apply(&entry);
        self.tally.take(&entry);
    }

    fn start(&mut self, micros: i64, exec: u32, cost: u64) {
        let input = self.machine.execs[exec as usize].input.clone().unwrap();
        self.at(micros, Event::Started { exec, node: exec, input, cost });
    }

    fn emit(&mut self, micros: i64, exec: u32, position: u32, value: Value) {
        self.at(micros, Event::Output { exec, position, pin: "value".to_owned(), value });
    }

    fn end(&mut self, micros: i64, exec: u32, outcome: Outcome, child: Option<Counts>) {
        self.at(micros, Event::Ended { exec, outcome, child, outputs: None });
    }

    fn end_run(&mut self, micros: i64) {
        let counts = self.machine.counts;
        self.at(micros, Event::RunEnded { status: Status::Completed, error: None, counts });
    }

    /// Wall time and computing time in microseconds.
    fn times(&self, exec: u32) -> (u128, u128) {
        let stats = self.tally.exec_of(&self.machine, exec);
        (stats.walltime.as_micros(), stats.cputime.as_micros())
    }

    fn run(&self) -> RunStats {
        self.tally.run(&self.machine)
    }
}

#[test]
fn times_sizes_and_costs_add_up() {
    let mut told = Told::new();
    told.start(200, FAST, 3);
    told.emit(205, FAST, 0, json!("\u{e9}\""));
    told.emit(206, FAST, 1, json!([1, 2]));
    told.end(210, FAST, Outcome::Completed, None);
    told.start(220, SLOW, 0);
    told.start(221, EFFECT, 2);
    told.end(300, SLOW, Outcome::Failed("no".to_owned()), Some(Counts { nodes: 4, errors: 1, cost: 5 }));
    told.end(400, EFFECT, Outcome::Completed, None);

    let fast = told.tally.exec_of(&told.machine, FAST);
    // {"value": "h\u00e9"}, then "\u00e9\"" and [1, 2].
    assert_eq!((fast.cost, fast.input_size, fast.output_size), (3, 20, 10 + 6));
    assert_eq!([FAST, SLOW, EFFECT].map(|exec| told.times(exec)), [(10, 10), (80, 0), (179, 0)]);
    // Its failure goes out as well.
    assert_eq!(told.tally.exec_of(&told.machine, SLOW).output_size, "\"no\"".len());

    told.start(450, TIMER, 0);
    assert_eq!((told.run().walltime.as_micros(), told.times(TIMER)), (250, (0, 0)), "as far as is known");
    told.end(500, TIMER, Outcome::Completed, None);
    told.end_run(501);
    let run = told.run();
    assert_eq!((run.cost, run.node_count, run.node_error_count), (10, 4 + 4, 2));
    let times = [run.walltime, run.cputime, run.nodes_walltime, run.nodes_cputime].map(|time| time.as_micros());
    assert_eq!(times, [301, 10, 10 + 80 + 179 + 50, 10]);
}

#[test]
fn a_pause_for_a_person_is_nobodys_time() {
    let mut told = Told::new();
    told.start(200, ASK, 0);
    told.at(202, Event::ReviewAsked { exec: ASK });
    told.at(203, Event::Paused);
    assert_eq!((told.run().walltime.as_micros(), told.times(ASK)), (3, (2, 0)));
    let answer = Answer { approved: true, data: None, message: None, future: false };
    told.at(9_000, Event::ReviewAnswered { exec: ASK, answer: Box::new(answer) });
    told.at(9_100, Event::AttemptBegun { exec: ASK });
    told.end(9_104, ASK, Outcome::Completed, None);
    told.end_run(9_110);
    assert_eq!((told.run().walltime.as_micros(), told.times(ASK)), (3 + 10, (2 + 4, 0)));
}

#[test]
fn what_a_crash_cut_off_had_its_time_until_the_last_sign_of_life() {
    let mut told = Told::new();
    told.start(200, SLOW, 0);
    told.start(210, EFFECT, 0);
    told.start(215, TIMER, 0);
    told.emit(220, SLOW, 0, json!(1));
    // Dead until 5,000.
    told.at(5_000, Event::AttemptBegun { exec: SLOW });
    told.end(5_010, SLOW, Outcome::Completed, None);
    told.at(5_020, Event::AttemptBegun { exec: EFFECT });
    told.end(5_030, EFFECT, Outcome::Completed, None);
    told.end(5_040, TIMER, Outcome::Completed, None);
    told.end_run(5_050);
    assert_eq!([SLOW, EFFECT].map(|exec| told.times(exec).0), [20 + 10, 10 + 10]);
    assert_eq!(told.times(TIMER).0, 5_040 - 215, "it waited all the same");
    assert_eq!(told.run().walltime.as_micros(), 20 + 50);
}

#[test]
fn a_clock_that_was_set_back_takes_nothing_away() {
    let mut told = Told::new();
    told.start(200, FAST, 0);
    told.end(150, FAST, Outcome::Completed, None);
    told.start(160, SLOW, 0);
    told.end(165, SLOW, Outcome::Completed, None);
    assert_eq!([FAST, SLOW].map(|exec| told.times(exec).0), [0, 5]);
    assert_eq!(told.run().walltime, Duration::ZERO);
}
