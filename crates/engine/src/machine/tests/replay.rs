//! A journal tells the whole run: properties over random graphs, values and orders of events.

use super::runner::Runner;
use crate::journal::{Entry, Event, Outcome};
use crate::machine::Machine;
use crate::made_up::{Behaviour, Builder, behave, graph};
use heddle_model::{RunId, Status, Value};
use serde_json::json;
use std::collections::HashMap;

/// SplitMix64: the same numbers for a seed, always.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn value(&mut self) -> Value {
        match self.below(7) {
            0 => Value::Null,
            1 => json!({"k": self.below(5), "l": [self.below(3)]}),
            2 => json!([self.below(3), {"k": null}]),
            3 => json!(self.of(&["red", "green", "7", "é\u{1f600}"])),
            4 => json!(self.below(2) == 0),
            _ => json!(self.below(20)),
        }
    }
}

const BLOCKS: [(&str, &[&str], &[&str]); 8] = [
    ("echo", &["value"], &["value"]),
    ("pair", &["left", "right"], &["pair", "pair_$_0"]),
    ("each", &["items"], &["item", "item_#_k", "item_$_0"]),
    ("fail", &["value"], &["value", "error"]),
    ("typed", &["text", "ints_$_1", "ints", "map_#_a", "level", "key", "ints_$_x"], &["data", "data_#_text", "error"]),
    ("store", &["input"], &["output", "output_#_k"]),
    ("silent", &["value"], &["value"]),
    ("output", &["value"], &["output"]),
];

/// What a random graph may have.
#[derive(Clone, Copy)]
struct Shape {
    cycles: bool,
    static_links: bool,
    shared_pins: bool,
}

fn random_graph(random: &mut Random, shape: Shape) -> Builder {
    let count = 3 + random.below(4);
    let kinds: Vec<_> = (0..count).map(|_| random.of(&BLOCKS)).collect();
    let mut built = graph()
        .node("start", "each", json!({"items": (0..1 + random.below(3)).map(|_| random.value()).collect::<Vec<_>>()}))
        .node("other", "store", json!({"input": random.below(9)}));
    for (at, (block, ..)) in kinds.iter().enumerate() {
        let id = format!("n{at}");
        built = if *block == "output" { built.output(&id) } else { built.node(&id, block, json!({})) };
    }
    let mut taken: Vec<String> = Vec::new();
    for (at, (_, pins, _)) in kinds.iter().enumerate() {
        for _ in 0..1 + random.below(2) {
            let sink = format!("n{at}.{}", random.of(pins));
            if !shape.shared_pins && taken.contains(&sink) {
                continue;
            }
            let before = if shape.cycles { count } else { at };
            let source = match random.below(before + 2) {
                0 => "start.item".to_owned(),
                1 => "other.output".to_owned(),
                node => format!("n{}.{}", node - 2, random.of(kinds[node - 2].2)),
            };
            let is_static = shape.static_links && random.below(3) == 0;
            built = if is_static { built.fixed(&source, &sink) } else { built.link(&source, &sink) };
            taken.push(sink);
        }
    }
    built
}

/// All of a machine that events decide.
fn state(machine: &Machine) -> String {
    let run = (machine.status, machine.created_at, machine.started_at, machine.ended_at, &machine.error);
    let lines = (&machine.nodes, &machine.ready, &machine.running, machine.in_line());
    format!("{run:?} {:?} {} {lines:?}\n{:#?}", machine.counts, machine.stop_asked, machine.execs)
}

/// What an outsider sees, times aside.
fn view(machine: &Machine) -> String {
    let execs: Vec<_> =
        machine.execs.iter().map(|exec| (exec.node, exec.status, &exec.input, &exec.tokens, &exec.outputs)).collect();
    format!("{:?} {:?}\n{execs:#?}\n{:?} {:?}", machine.status, machine.counts, machine.outputs(), machine.in_line())
}

/// Begins, emits and ends in random order, with random values, until nothing is left or it is stopped.
fn run_wild(run: &mut Runner, random: &mut Random) {
    for _ in 0..120 {
        let running = run.machine.running();
        if run.machine.is_idle() {
            let counts = run.machine.counts;
            return run.record(Event::RunEnded { status: Status::Completed, error: None, counts });
        }
        if running.is_empty() || (run.machine.has_ready() && random.below(3) == 0) {
            run.begin_next();
            continue;
        }
        let exec = random.of(&running);
        let block = run.machine.plan.node(run.machine.execs[exec as usize].node).block.clone().unwrap();
        let pins: Vec<&str> = block.output_pins().keys().map(String::as_str).collect();
        match random.below(5) {
            0 => run.complete(exec),
            1 => run.end(exec, Outcome::Failed(format!("failure {}", random.below(9)))),
            _ if pins.is_empty() => run.complete(exec),
            _ => {
                let value = random.value();
                run.emit(exec, random.of(&pins), value);
            }
        }
    }
    run.record(Event::StopAsked);
    for exec in run.machine.running() {
        run.end(exec, Outcome::Terminated);
    }
    let counts = run.machine.counts;
    run.record(Event::RunEnded { status: Status::Terminated, error: None, counts });
}

#[test]
fn a_replayed_machine_equals_the_live_one() {
    let run_id = RunId::from_random([7; 16]);
    for seed in 0..400 {
        let random = &mut Random(seed);
        let shape = Shape { cycles: true, static_links: true, shared_pins: true };
        let plan = random_graph(random, shape).plan();
        let mut run = Runner::accept(plan.clone());
        run_wild(&mut run, random);
        let stored = serde_json::to_vec(&run.journal).unwrap();
        let stored: Vec<Entry> = serde_json::from_slice(&stored).unwrap();
        let replayed = Machine::replay(run_id, plan.clone(), &stored);
        assert_eq!(state(&replayed), state(&run.machine), "seed {seed}");
        // What came before any event is the same, however one got there.
        let cut = 1 + random.below(run.journal.len());
        let mut parts = Machine::replay(run_id, plan, &run.journal[..cut]);
        run.journal[cut..].iter().for_each(|entry| parts.apply(entry));
        assert_eq!(state(&parts), state(&run.machine), "seed {seed}");
    }
}

#[test]
fn a_run_of_immediate_blocks_goes_on_from_any_event_to_the_same_end() {
    for seed in 0..60 {
        let random = &mut Random(seed);
        let shape = Shape { cycles: false, static_links: true, shared_pins: true };
        let plan = random_graph(random, shape).plan();
        let whole = Runner::accept(plan.clone()).finish();
        for cut in 1..whole.journal.len() {
            let resumed = Runner::resume(plan.clone(), &whole.journal[..cut]).finish();
            assert_eq!(view(&resumed.machine), view(&whole.machine), "seed {seed}, cut {cut}");
        }
    }
}

#[test]
fn nobody_can_tell_in_which_order_executions_completed() {
    for seed in 0..60 {
        let random = &mut Random(seed);
        // Where one pin has several sources, or a value stays, the order of arrival decides, and may.
        let shape = Shape { cycles: false, static_links: false, shared_pins: false };
        let plan = random_graph(random, shape).plan();
        let orderly = Runner::accept(plan.clone()).finish();
        for _ in 0..4 {
            let shuffled = run_shuffled(Runner::accept(plan.clone()), random);
            for node in &plan.nodes {
                let node = node.id.as_str();
                assert_eq!(shuffled.data(node), orderly.data(node), "seed {seed}, {node}");
                assert_eq!(shuffled.emitted(node), orderly.emitted(node), "seed {seed}, {node}");
                assert_eq!(shuffled.statuses(node), orderly.statuses(node), "seed {seed}, {node}");
            }
        }
    }
}

/// The blocks do what they do, but everybody runs at once and gets a turn at random.
fn run_shuffled(mut run: Runner, random: &mut Random) -> Runner {
    let mut plans: HashMap<u32, Behaviour> = HashMap::new();
    while !run.machine.is_idle() {
        let running = run.machine.running();
        if running.is_empty() || (run.machine.has_ready() && random.below(2) == 0) {
            run.begin_next();
            continue;
        }
        let exec = random.of(&running);
        let state = &run.machine.execs[exec as usize];
        let (outputs, result) = plans.entry(exec).or_insert_with(|| {
            let block = run.machine.plan.node(state.node).block_id.clone();
            let (mut outputs, result) = behave(block.as_str(), state.input.as_ref().unwrap());
            outputs.reverse();
            (outputs, result)
        });
        match outputs.pop() {
            Some((pin, value)) => run.emit(exec, &pin, value),
            None => {
                let outcome = result.clone().map_or_else(Outcome::Failed, |()| Outcome::Completed);
                run.end(exec, outcome);
            }
        }
    }
    run
}

#[test]
fn an_equal_output_of_a_second_attempt_is_not_routed_again_and_a_differing_one_is() {
    let cases = [
        ("the same", vec![1, 2], vec![1, 2], json!([1, 2])),
        ("one more", vec![1, 2], vec![1, 2, 3], json!([1, 2, 3])),
        ("a differing one", vec![1, 2], vec![1, 9], json!([1, 2, 9])),
        ("the first time nothing", vec![], vec![1], json!([1])),
    ];
    for (name, first, second, want) in cases {
        let plan = graph().node("e", "each", json!({"items": []})).output("o").link("e.item", "o.value").plan();
        let mut run = Runner::accept(plan.clone());
        let exec = run.begin("e");
        first.iter().for_each(|item| run.emit(exec, "item", json!(item)));
        // The second attempt is told by hand: its values differ from what the block says.
        let crashed = Machine::replay(run.machine.run, plan, &run.journal);
        let mut run = Runner { machine: crashed, journal: run.journal.clone(), ..run };
        run.record(Event::AttemptBegun { exec });
        run.begin_again(exec);
        second.iter().for_each(|item| run.emit(exec, "item", json!(item)));
        run.complete(exec);
        let run = run.finish();
        assert_eq!(run.outputs().get("o").cloned().unwrap_or(json!([])), want, "{name}");
        let shown: Value = run.emitted("e")[0].as_array().unwrap().iter().map(|output| output[1].clone()).collect();
        assert_eq!(shown, json!(second), "{name}: the list shows one attempt");
        let again = Machine::replay(run.machine.run, run.machine.plan.clone(), &run.journal);
        assert_eq!(state(&again), state(&run.machine), "{name}");
    }
}

#[test]
fn a_differing_value_whose_turn_has_not_come_is_routed_once_and_in_its_turn() {
    let plan = graph()
        .node("src", "each", json!({"items": [["a"], ["b"]]}))
        .node("e", "each", json!({}))
        .output("o")
        .link("src.item", "e.items")
        .link("e.item", "o.value")
        .plan();
    let mut run = Runner::accept(plan.clone());
    run.step();
    let (first, second) = (run.begin_next().unwrap(), run.begin_next().unwrap());
    run.emit(second, "item", json!("before the crash"));
    let machine = Machine::replay(run.machine.run, plan, &run.journal);
    let mut run = Runner { machine, ..run };
    for exec in [first, second] {
        run.record(Event::AttemptBegun { exec });
        run.begin_again(exec);
    }
    run.emit(second, "item", json!("after it"));
    run.complete(second);
    assert_eq!(run.outputs(), json!({}));
    run.emit(first, "item", json!("first"));
    run.complete(first);
    assert_eq!(run.outputs(), json!({"o": ["first", "after it"]}));
}
