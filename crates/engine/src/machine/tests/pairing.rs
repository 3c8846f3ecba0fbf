//! How tokens meet (`engine.md` 6 and 7).

use super::runner::Runner;
use crate::made_up::graph;
use heddle_model::Status;
use serde_json::{Value, json};

#[test]
fn the_kth_tokens_of_all_pins_meet_in_the_kth_execution() {
    let plan = graph()
        .node("a", "each", json!({"items": [1, 2, 3]}))
        .node("b", "each", json!({"items": [10, 20]}))
        .node("p", "pair", json!({}))
        .link("a.item", "p.left")
        .link("b.item", "p.right")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.data("p"), json!([{"left": 1, "right": 10}, {"left": 2, "right": 20}, {"left": 3}]));
    assert_eq!(run.statuses("p"), [Status::Completed, Status::Completed, Status::Incomplete]);
}

#[test]
fn tokens_wait_in_line_until_the_other_pin_catches_up() {
    let plan = graph()
        .node("a", "each", json!({"items": []}))
        .node("b", "each", json!({"items": []}))
        .node("p", "pair", json!({}))
        .link("a.item", "p.left")
        .link("b.item", "p.right")
        .plan();
    let mut run = Runner::accept(plan);
    let (a, b) = (run.begin_next().unwrap(), run.begin_next().unwrap());
    for item in [1, 2, 3] {
        run.emit(a, "item", json!(item));
    }
    assert_eq!(run.statuses("p"), [Status::Incomplete; 3]);
    run.emit(b, "item", json!("x"));
    run.complete(a);
    run.emit(b, "item", json!("y"));
    assert_eq!(run.statuses("p"), [Status::Queued, Status::Queued, Status::Incomplete]);
    assert_eq!(run.data("p")[1], json!({"left": 2, "right": "y"}));
}

#[test]
fn any_of_several_links_fills_a_pin() {
    let plan = graph()
        .node("a", "each", json!({"items": [1, 2]}))
        .node("b", "each", json!({"items": [3]}))
        .node("c", "each", json!({"items": ["x", "y", "z"]}))
        .node("p", "pair", json!({}))
        .link("a.item", "p.left")
        .link("b.item", "p.left")
        .link("c.item", "p.right")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.emitted("p"), json!([[["pair", [1, "x"]]], [["pair", [2, "y"]]], [["pair", [3, "z"]]]]));
}

#[test]
fn one_value_may_fill_two_pins_of_one_node_and_several_nodes() {
    let plan = graph()
        .node("a", "echo", json!({"value": 4}))
        .node("p", "pair", json!({}))
        .output("o")
        .link("a.value", "p.left")
        .link("a.value", "o.value")
        .link("a.value", "p.right")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.emitted("p"), json!([[["pair", [4, 4]]]]));
    assert_eq!(run.outputs(), json!({"o": [4]}));
}

#[test]
fn a_null_is_a_token() {
    let plan = graph()
        .node("a", "each", json!({"items": [null, 1]}))
        .node("p", "pair", json!({}))
        .link("a.item", "p.left")
        .plan();
    assert_eq!(Runner::accept(plan).finish().data("p"), json!([{"left": null}, {"left": 1}]));
}

#[test]
fn a_null_on_a_required_pin_leaves_its_execution_waiting() {
    let plan = graph()
        .node("a", "each", json!({"items": [null, 1]}))
        .node("e", "echo", json!({"value": "default"}))
        .link("a.item", "e.value")
        .plan();
    assert_eq!(Runner::accept(plan).finish().statuses("e"), [Status::Incomplete, Status::Completed]);
}

#[test]
fn a_default_never_stands_in_for_a_linked_pin() {
    let plan = graph()
        .node("a", "silent", json!({}))
        .node("e", "echo", json!({"value": "default"}))
        .link("a.value", "e.value")
        .plan();
    assert_eq!(Runner::accept(plan).finish().statuses("e"), []);
}

#[test]
fn a_link_takes_its_part_of_a_value_or_sends_nothing() {
    let emitted = json!({"k": [10, null, {"x": "y"}], "n": null});
    let cases = [
        ("value", json!([emitted])),
        ("value_#_k_$_0", json!([10])),
        ("value_@_k_$_2_#_x", json!(["y"])),
        ("value_#_k_$_1", json!([])),
        ("value_#_n", json!([])),
        ("value_#_missing", json!([])),
        ("value_$_0", json!([])),
        ("value_#_k_$_9", json!([])),
        ("value_#_k_$_x", json!([])),
        ("value_#_", json!([])),
        ("val", json!([])),
    ];
    for (source, want) in cases {
        let plan = graph()
            .node("a", "echo", json!({"value": emitted}))
            .output("o")
            .link(&format!("a.{source}"), "o.value")
            .plan();
        let run = Runner::accept(plan).finish();
        assert_eq!(run.outputs().get("o").cloned().unwrap_or(json!([])), want, "{source}");
        assert_eq!(run.execs_of("o").len(), want.as_array().map_or(0, Vec::len), "{source}");
    }
}

#[test]
fn a_tool_pin_reaches_the_node_and_pin_that_it_names() {
    let plan = graph()
        .node("a", "echo", json!({"value": 0}))
        .node("p", "pair", json!({}))
        .node("q", "pair", json!({}))
        .link("a.tools", "p.left")
        .link("a.tools_^_whatever_~_text", "q.left")
        .link("a.value", "q.left")
        .plan();
    let mut run = Runner::accept(plan);
    let a = run.begin_next().unwrap();
    run.emit(a, "tools_^_p_~_left", json!("for p"));
    run.emit(a, "tools_^_q_~_left", json!("for q"));
    run.emit(a, "tools_^_q_~_right", json!("for nobody"));
    assert_eq!(run.data("p"), json!([{"left": "for p"}]));
    assert_eq!(run.data("q"), json!([{"left": "for q"}]));
}

#[test]
fn a_starved_branch_stays_incomplete_and_the_run_completes() {
    let plan = graph()
        .node("a", "echo", json!({"value": 1}))
        .node("s", "silent", json!({}))
        .node("p", "pair", json!({}))
        .output("o")
        .link("a.value", "p.left")
        .link("s.value", "p.right")
        .link("p.pair", "o.value")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!(run.statuses("p"), [Status::Incomplete]);
    assert_eq!((run.statuses("o"), run.outputs()), (vec![], json!({})));
    assert_eq!((run.machine.status, run.machine.counts.nodes), (Status::Completed, 2));
    let last = *run.machine.in_queue_order().last().unwrap();
    assert_eq!(run.name(last), "p", "those never queued come last");
}

#[test]
fn an_execution_with_all_its_tokens_that_does_not_fit_is_passed_by() {
    let plan = graph()
        .node("a", "each", json!({"items": [99, 5, 50, 10]}))
        .node("t", "typed", json!({}))
        .link("a.item", "t.level")
        .plan();
    let run = Runner::accept(plan).finish();
    let want = [Status::Incomplete, Status::Completed, Status::Incomplete, Status::Completed];
    assert_eq!(run.statuses("t"), want);
    let levels: Vec<Value> = run.data("t").as_array().unwrap().iter().map(|data| data["level"].clone()).collect();
    assert_eq!(levels, [99, 5, 50, 10]);
}
