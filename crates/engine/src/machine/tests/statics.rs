//! Links whose value stays (`engine.md` 6, steps 3 and 6).

use super::runner::Runner;
use crate::journal::Event;
use crate::made_up::{Builder, graph};
use heddle_model::{Object, Status};
use serde_json::{Value, json};

/// `left` is fed by a static link from `s`, `right` by a plain one from `t`; nodes in the order given.
fn two_sources(first: (&str, Value), second: (&str, Value)) -> Builder {
    graph()
        .node(first.0, "each", json!({"items": first.1}))
        .node(second.0, "each", json!({"items": second.1}))
        .node("p", "pair", json!({}))
        .fixed("s.item", "p.left")
        .link("t.item", "p.right")
}

fn pairs(run: &Runner) -> Value {
    run.emitted("p").as_array().unwrap().iter().map(|outputs| outputs[0][1].clone()).collect()
}

#[test]
fn a_static_value_meets_tokens_before_and_after_it() {
    let cases = [
        ("it is reused by later executions", ("s", json!(["A"])), ("t", json!([1, 2, 3]))),
        ("it completes three that wait", ("t", json!([1, 2, 3])), ("s", json!(["A"]))),
    ];
    for (name, first, second) in cases {
        let run = Runner::accept(two_sources(first, second).plan()).finish();
        assert_eq!(pairs(&run), json!([["A", 1], ["A", 2], ["A", 3]]), "{name}");
        assert_eq!(run.machine.counts.nodes, 5, "{name}");
    }
}

#[test]
fn two_static_values_first_open_an_execution_each_and_the_last_one_queued_is_reused() {
    let plan = two_sources(("s", json!(["A", "B"])), ("t", json!([1, 2, 3, 4]))).plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(pairs(&run), json!([["A", 1], ["B", 2], ["B", 3], ["B", 4]]));
}

#[test]
fn a_newer_static_value_replaces_the_one_before_only_once_it_was_used() {
    let mut run = Runner::accept(two_sources(("s", json!([])), ("t", json!([]))).plan());
    let (s, t) = (run.begin_next().unwrap(), run.begin_next().unwrap());
    run.emit(s, "item", json!("A"));
    run.emit(t, "item", json!(1));
    run.emit(t, "item", json!(2));
    run.emit(s, "item", json!("B"));
    assert_eq!(run.statuses("p"), [Status::Queued, Status::Queued, Status::Incomplete]);
    run.emit(t, "item", json!(3));
    run.emit(t, "item", json!(4));
    let want = json!([
        {"left": "A", "right": 1}, {"left": "A", "right": 2}, {"left": "B", "right": 3}, {"left": "B", "right": 4},
    ]);
    assert_eq!(run.data("p"), want);
}

#[test]
fn a_node_with_static_links_only_runs_again_on_each_further_value() {
    let plan = graph()
        .node("b", "each", json!({"items": ["X"]}))
        .node("a", "each", json!({"items": [1, 2, 3]}))
        .node("p", "pair", json!({}))
        .fixed("a.item", "p.left")
        .fixed("b.item", "p.right")
        .plan();
    let mut run = Runner::accept(plan);
    while run.execs_of("p").len() < 3 {
        assert!(run.step());
    }
    assert_eq!(run.statuses("p"), [Status::Queued; 3]);
    assert_eq!(pairs(&run.finish()), json!([[1, "X"], [2, "X"], [3, "X"]]));
}

#[test]
fn static_values_that_wait_are_all_completed_by_the_one_that_was_lacking() {
    let plan = graph()
        .node("a", "each", json!({"items": [1, 2]}))
        .node("b", "each", json!({"items": ["X", "Y"]}))
        .node("p", "pair", json!({}))
        .fixed("a.item", "p.left")
        .fixed("b.item", "p.right")
        .plan();
    assert_eq!(pairs(&Runner::accept(plan).finish()), json!([[1, "X"], [2, "X"], [2, "Y"]]));
}

#[test]
fn a_static_pin_that_the_last_execution_lacks_is_filled_with_null() {
    let mut run = Runner::accept(two_sources(("s", json!(["A"])), ("t", json!([]))).plan());
    assert!(run.step());
    let t = run.begin_next().unwrap();
    run.emit(t, "item", json!(1));
    let p = run.begin_next().unwrap();
    let (exec, node) = (p, run.machine.execs[p as usize].node);
    // What was recorded counts, and this record knows nothing of the pin.
    run.record(Event::Started { exec, node, input: Object::new().into(), cost: 0 });
    run.emit(t, "item", json!(2));
    assert_eq!(run.data("p")[1], json!({"right": 2, "left": null}));
}

#[test]
fn values_are_copied_from_the_checked_data_of_the_last_execution() {
    let plan = graph()
        .node("s", "each", json!({"items": [5]}))
        .node("t", "each", json!({"items": [1, 2]}))
        .node("x", "typed", json!({}))
        .fixed("s.item", "x.text")
        .link("t.item", "x.level")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.data("x"), json!([{"text": "5", "level": 1}, {"level": 2, "text": "5"}]));
}

#[test]
fn a_static_value_survives_an_execution_that_it_completes_and_that_fails() {
    let plan = graph()
        .node("t", "each", json!({"items": ["green", "red"]}))
        .node("s", "each", json!({"items": ["A"]}))
        .node("u", "each", json!({"items": ["blue"]}))
        .node("x", "typed", json!({}))
        .fixed("s.item", "x.text")
        .link("t.item", "x.key")
        .link("u.item", "x.key")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.statuses("x"), [Status::Failed, Status::Completed, Status::Completed]);
    assert_eq!(run.data("x")[1], json!({"key": "red", "text": "A"}));
    assert_eq!(run.data("x")[2], json!({"key": "blue", "text": "A"}));
}
