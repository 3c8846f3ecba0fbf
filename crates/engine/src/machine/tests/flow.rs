//! From outputs to the end of a run (`engine.md` 9 to 12 and 14).

use super::runner::Runner;
use crate::journal::{Event, Outcome};
use crate::made_up::graph;
use heddle_model::{Status, Time};
use serde_json::json;

#[test]
fn a_failure_goes_out_on_the_error_pin_after_what_was_emitted() {
    let plan = graph()
        .node("f", "fail", json!({"value": 1}))
        .output("value")
        .output("error")
        .link("f.error", "error.value")
        .link("f.value", "value.value")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.emitted("f"), json!([[["value", 1], ["error", "no good"]]]));
    assert_eq!(run.outputs(), json!({"value": [1], "error": ["no good"]}));
    assert_eq!(run.statuses("f"), [Status::Failed]);
    assert_eq!(run.machine.status, Status::Completed, "a failed node never fails the run");
    assert_eq!((run.machine.counts.nodes, run.machine.counts.errors), (3, 1));
}

#[test]
fn an_earlier_execution_is_routed_completely_before_a_later_one_that_ended_first() {
    let plan = graph()
        .node("src", "each", json!({"items": [["a"], ["b"], ["c"]]}))
        .node("e", "each", json!({}))
        .output("o")
        .link("src.item", "e.items")
        .link("e.item", "o.value")
        .link("e.error", "o.value")
        .plan();
    let mut run = Runner::accept(plan);
    run.step();
    let [first, second, third] = [(); 3].map(|()| run.begin_next().unwrap());
    run.emit(third, "item", json!(5));
    run.complete(third);
    run.emit(second, "item", json!(3));
    assert_eq!(run.outputs(), json!({}));
    run.emit(first, "item", json!(1));
    assert_eq!(run.outputs(), json!({"o": [1]}));
    run.emit(second, "item", json!(4));
    run.emit(first, "item", json!(2));
    assert_eq!(run.outputs(), json!({"o": [1, 2]}));
    run.end(first, Outcome::Failed("so far".to_owned()));
    assert_eq!(run.outputs(), json!({"o": [1, 2, "so far", 3, 4]}));
    run.complete(second);
    assert_eq!(run.outputs(), json!({"o": [1, 2, "so far", 3, 4, 5]}));
}

#[test]
fn an_execution_that_fails_before_it_starts_waits_for_its_turn_too() {
    let plan = graph()
        .node("src", "each", json!({"items": ["red", "green"]}))
        .node("t", "typed", json!({}))
        .output("o")
        .link("src.item", "t.key")
        .link("t.data_#_key", "o.value")
        .link("t.error", "o.value")
        .plan();
    let mut run = Runner::accept(plan);
    run.step();
    let first = run.begin_next().unwrap();
    run.begin_next().unwrap();
    assert_eq!(run.statuses("t"), [Status::Running, Status::Failed]);
    assert_eq!(run.outputs(), json!({}));
    run.emit(first, "data", json!({"key": "red"}));
    run.complete(first);
    assert_eq!(run.outputs()["o"][0], json!("red"));
    assert_eq!(run.outputs()["o"].as_array().unwrap().len(), 2);
}

#[test]
fn a_cycle_ends_when_nothing_feeds_it_any_more() {
    let plan = graph()
        .node("zero", "echo", json!({"value": 0}))
        .node("c", "count", json!({"upto": 50}))
        .output("o")
        .link("zero.value", "c.n")
        .link("c.next", "c.n")
        .link("c.done", "o.value")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!((run.outputs(), run.execs_of("c").len()), (json!({"o": [50]}), 51));
}

#[test]
fn run_outputs_are_raw_values_by_name_in_queue_order() {
    let plan = graph()
        .node("a", "each", json!({"items": [1, null, {"k": [2.0]}]}))
        .node("b", "echo", json!({"value": "late"}))
        .node("o1", "output", json!({"name": "same", "format": "v="}))
        .node("o2", "output", json!({"name": "other"}))
        .node("o3", "output", json!({"name": "same"}))
        .node("starved", "output", json!({"name": "starved"}))
        .node("silent", "silent", json!({}))
        .link("b.value", "o3.value")
        .link("a.item", "o2.value")
        .link("a.item_#_k", "o1.value")
        .link("a.item", "starved.value")
        .link("silent.value", "starved.format")
        .plan();
    let run = Runner::accept(plan).finish();
    let outputs = run.machine.outputs();
    let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["other", "same"]);
    assert_eq!(run.outputs(), json!({"other": [1, null, {"k": [2.0]}], "same": [[2.0], "late"]}));
    assert_eq!(run.emitted("o1"), json!([[["output", "v=[2.0]"]]]));
}

#[test]
fn a_run_output_shows_as_soon_as_its_node_is_queued() {
    let plan = graph().node("a", "echo", json!({"value": 1})).output("o").link("a.value", "o.value").plan();
    let mut run = Runner::accept(plan);
    run.step();
    assert_eq!((run.statuses("o"), run.outputs()), (vec![Status::Queued], json!({"o": [1]})));
}

#[test]
fn statuses_and_times_follow_the_events() {
    let plan = graph().node("a", "echo", json!({"value": 1})).output("o").link("a.value", "o.value").plan();
    let mut run = Runner::accept(plan);
    assert_eq!(run.machine.status, Status::Queued);
    assert_eq!((run.machine.created_at, run.machine.started_at), (Time(0), None));
    let a = run.begin_next().unwrap();
    assert_eq!((run.machine.status, run.statuses("a")), (Status::Running, vec![Status::Running]));
    run.emit(a, "value", json!(1));
    run.complete(a);
    let run = run.finish();
    let seconds = |time: Option<Time>| time.map(Time::unix);
    let times = |node: &str| {
        let state = &run.machine.execs[run.execs_of(node)[0] as usize];
        let added = Some(state.added_at);
        [added, state.queued_at, state.started_at, state.ended_at].map(seconds)
    };
    assert_eq!(times("a"), [0, 0, 1, 3].map(Some));
    assert_eq!(times("o"), [2, 2, 4, 7].map(Some));
    assert_eq!((seconds(run.machine.started_at), seconds(run.machine.ended_at)), (Some(1), Some(8)));
    let row = run.machine.row();
    assert_eq!((row.status, row.counts.nodes), (Status::Completed, 2));
}

#[test]
fn a_stopped_run_ends_what_was_queued_and_leaves_what_was_waiting() {
    let plan = graph()
        .node("a", "each", json!({"items": []}))
        .node("e", "echo", json!({}))
        .node("s", "silent", json!({}))
        .node("p", "pair", json!({}))
        .link("a.item", "e.value")
        .link("a.item", "p.left")
        .link("s.value", "p.right")
        .plan();
    let mut run = Runner::accept(plan);
    let a = run.begin_next().unwrap();
    run.emit(a, "item", json!(1));
    run.emit(a, "item", json!(2));
    // One of them was taken off the line and waits, perhaps for the disk.
    run.machine.next_step();
    run.machine.next_step();
    run.record(Event::StopAsked);
    run.end(a, Outcome::Terminated);
    let counts = run.machine.counts;
    run.record(Event::RunEnded { status: Status::Terminated, error: None, counts });
    for (node, want) in [("a", Status::Terminated), ("e", Status::Terminated), ("s", Status::Terminated)] {
        let ended = run.execs_of(node).into_iter().all(|exec| run.machine.execs[exec as usize].ended_at.is_some());
        assert!(ended && run.statuses(node).iter().all(|&status| status == want), "{node}");
    }
    assert_eq!(run.statuses("p"), [Status::Incomplete; 2]);
    assert_eq!(run.emitted("a"), json!([[["item", 1], ["item", 2]]]), "no error output");
    assert!(run.machine.has_ended() && run.machine.is_idle() && run.machine.stop_asked);
}

#[test]
fn a_block_that_is_gone_can_still_be_looked_at() {
    let plan = graph()
        .node("a", "echo", json!({"value": 1}))
        .node("gone", "no such block", json!({"x": 1}))
        .link("a.value", "gone.pin")
        .plan();
    let mut run = Runner::accept(plan);
    run.step();
    assert_eq!(run.data("gone"), json!([{"x": 1, "pin": 1}]));
}
