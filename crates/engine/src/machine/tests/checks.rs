//! What starts, with which data, and what is refused (`engine.md` 5.5, 6 "Check", 7 and 8).

use super::runner::Runner;
use crate::made_up::{Builder, graph};
use heddle_model::Status;
use serde_json::{Value, json};

#[test]
fn a_starting_node_that_cannot_run_refuses_the_run() {
    let inbound = graph()
        .node("a", "echo", json!({"value": 1}))
        .node("n", "input", json!({"name": "n"}))
        .link("a.value", "n.value");
    let cases = [
        (graph().node("n", "echo", json!({})), "`EchoBlock`: missing input {'value'}"),
        (graph().node("n", "add", json!({"x": 1})), "`AddBlock`: missing input {'a', 'b'}"),
        (graph().node("n", "echo", json!({"value": null})), "`EchoBlock`: 'value' is a required property"),
        (graph().node("n", "typed", json!({"level": 99})), "`TypedBlock`: 99 is greater than the maximum of 10"),
        (inbound, "`InputBlock`: unpopulated links {'value'}"),
    ];
    for (graph, want) in cases {
        let run = Runner::accept(graph.plan());
        let want = format!("Input data missing or mismatch for {want}");
        assert_eq!(run.machine.refusal(), Some(want.as_str()));
    }
}

#[test]
fn a_starting_value_that_cannot_be_coerced_refuses_the_run() {
    let run = Runner::accept(graph().node("n", "typed", json!({"key": "green"})).plan());
    let text = run.machine.refusal().unwrap();
    assert!(text.starts_with("Input data missing or mismatch for `TypedBlock`: "), "{text}");
    assert!(text.contains("'green'") && text.contains("'blue'"), "{text}");
}

#[test]
fn the_first_refusal_is_the_one_that_is_told() {
    let plan = graph().node("a", "echo", json!({})).node("b", "add", json!({})).plan();
    let run = Runner::accept(plan);
    assert!(run.machine.refusal().unwrap().contains("EchoBlock"));
}

#[test]
fn nodes_without_inbound_links_and_inputs_start_and_notes_do_not() {
    let plan = graph()
        .node("note", "note", json!({"text": "hello"}))
        .node("b", "echo", json!({"value": 1}))
        .node("a", "input", json!({"name": "a"}))
        .output("o")
        .link("b.value", "o.value")
        .plan();
    let mut run = Runner::accept(plan);
    assert_eq!(run.machine.status, Status::Queued);
    let started: Vec<u32> = std::iter::from_fn(|| run.begin_next()).collect();
    let names: Vec<&str> = started.iter().map(|&exec| run.name(exec)).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn run_inputs_reach_the_input_of_their_name() {
    let cases = [
        ("given", json!({"n": 5}), json!({"o": [5]})),
        ("absent: the default", json!({}), json!({"o": ["default"]})),
        ("null overrides the default and is not emitted", json!({"n": null}), json!({})),
        ("unknown ones are ignored", json!({"n": 5, "other": 6, "value": 7}), json!({"o": [5]})),
        ("false is a value", json!({"n": false}), json!({"o": [false]})),
    ];
    let plan = graph()
        .node("in", "input", json!({"name": "n", "value": "default"}))
        .output("o")
        .fixed("in.result", "o.value")
        .plan();
    for (name, inputs, want) in cases {
        let run = Runner::accept_inputs(plan.clone(), &inputs);
        assert_eq!(run.machine.refusal(), None, "{name}");
        let run = run.finish();
        assert_eq!((run.outputs(), run.machine.status), (want, Status::Completed), "{name}");
    }
}

#[test]
fn an_absent_run_input_starves_its_branch_only() {
    let plan = graph()
        .node("in", "input", json!({"name": "n"}))
        .node("e", "echo", json!({"value": 1}))
        .output("o")
        .output("p")
        .fixed("in.result", "o.value")
        .link("e.value", "p.value")
        .plan();
    let run = Runner::accept(plan).finish();
    assert_eq!((run.outputs(), run.machine.counts.errors), (json!({"p": [1]}), 0));
}

#[test]
fn values_are_coerced_to_the_type_of_their_pin() {
    let cases = [
        ("text", json!(5), json!("5")),
        ("text", json!({"a": true}), json!("{\"a\": true}")),
        ("ints", json!("[1, \"2\"]"), json!([1, 2])),
        ("ints", json!(7), json!([7])),
        ("map", json!("{\"k\": 1}"), json!({"k": 1})),
        ("map", json!(["x"]), json!({"0": "x"})),
        ("level", json!("3.9"), json!(3)),
        ("key", json!("red"), json!("red")),
        ("text", json!(null), json!(null)),
    ];
    for (pin, value, want) in cases {
        let plan = graph()
            .node("a", "each", json!({"items": [value]}))
            .node("t", "typed", json!({}))
            .link("a.item", &format!("t.{pin}"))
            .plan();
        assert_eq!(Runner::accept(plan).finish().data("t"), json!([{pin: want}]), "{pin} {value}");
    }
}

#[test]
fn keyed_pins_are_merged_over_the_default_and_their_names_stay() {
    let plan = graph()
        .node("a", "each", json!({"items": [1]}))
        .node("b", "each", json!({"items": [2]}))
        .node("t", "typed", json!({"map": {"c": "const"}, "ints": [0]}))
        .link("a.item", "t.map_#_a")
        .link("b.item", "t.map_@_b")
        .link("b.item", "t.ints_$_2")
        .plan();
    let run = Runner::accept(plan).finish();
    // Padding is null, which coercion turns into 0 in a list of whole numbers.
    let want = json!([{
        "map": {"c": "const", "a": 1, "b": 2}, "ints": [0, 0, 2], "map_#_a": 1, "map_@_b": 2, "ints_$_2": 2,
    }]);
    assert_eq!(run.data("t"), want);
}

#[test]
fn each_keyed_pin_is_a_pin_of_its_own() {
    let plan = graph()
        .node("a", "each", json!({"items": [1]}))
        .node("s", "silent", json!({}))
        .node("t", "typed", json!({}))
        .link("a.item", "t.map_#_a")
        .link("s.value", "t.map_#_b")
        .plan();
    assert_eq!(Runner::accept(plan).finish().statuses("t"), [Status::Incomplete]);
}

/// An `each` whose items go to one pin of a typed node, whose `error` and `data` go to outputs.
fn into_pin(items: Value, pin: &str) -> Builder {
    graph()
        .node("a", "each", json!({"items": items}))
        .node("t", "typed", json!({}))
        .output("data")
        .output("error")
        .link("a.item", &format!("t.{pin}"))
        .link("t.data", "data.value")
        .link("t.error", "error.value")
}

#[test]
fn a_value_that_cannot_be_coerced_fails_its_execution_in_its_turn() {
    let run = Runner::accept(into_pin(json!(["red", "green", "blue"]), "key").plan()).finish();
    assert_eq!(run.statuses("t"), [Status::Completed, Status::Failed, Status::Completed]);
    assert_eq!(run.outputs()["data"], json!([{"key": "red"}, {"key": "blue"}]));
    assert_eq!(run.outputs()["error"], json!([run.emitted("t")[1][0][1]]));
    assert_eq!((run.machine.counts.nodes, run.machine.counts.errors), (7, 1));
    let failed = &run.machine.execs[run.execs_of("t")[1] as usize];
    assert_eq!((failed.started_at, failed.ended_at.is_some()), (None, true));
    assert_eq!(run.data("t")[1], json!({"key": "green"}), "what arrived is shown");
}

#[test]
fn an_index_that_is_no_number_fails_the_execution() {
    let run = Runner::accept(into_pin(json!([1]), "ints_$_x").plan()).finish();
    assert_eq!(run.statuses("t"), [Status::Failed]);
    let text = "Input data missing or mismatch for `TypedBlock`: 'x' is not a usable list index in pin 'ints_$_x'";
    assert_eq!(run.outputs(), json!({"error": [text]}));
}

#[test]
fn a_mask_overrides_defaults_tokens_and_run_inputs_and_fills_linked_pins() {
    let plan = graph()
        .node("in", "input", json!({"name": "n", "value": 1}))
        .node("a", "each", json!({"items": [1, 2]}))
        .node("p", "pair", json!({"left": 0}))
        .fixed("in.result", "p.left")
        .link("a.item", "p.right")
        .node("s", "silent", json!({}))
        .node("q", "pair", json!({}))
        .link("s.value", "q.left")
        .link("a.item", "q.right")
        .plan();
    let masks = json!({"in": {"value": "m"}, "p": {"right": "masked"}, "q": {"left": "stands in"}});
    let run = Runner::accept_with(plan, |accepted| {
        accepted.inputs.insert("n".to_owned(), json!(5));
        accepted.masks = masks.as_object().unwrap().clone();
    })
    .finish();
    assert_eq!(run.data("in"), json!([{"name": "n", "value": "m"}]));
    assert_eq!(run.data("p")[0], json!({"left": "m", "right": "masked"}));
    assert_eq!(run.emitted("q"), json!([[["pair", ["stands in", 1]]], [["pair", ["stands in", 2]]]]));
}

#[test]
fn a_mask_makes_a_starting_node_startable() {
    let plan = graph().node("e", "echo", json!({})).output("o").link("e.value", "o.value").plan();
    let run = Runner::accept_with(plan, |accepted| {
        accepted.masks = json!({"e": {"value": 3}}).as_object().unwrap().clone();
    });
    assert_eq!(run.machine.refusal(), None);
    assert_eq!(run.finish().outputs(), json!({"o": [3]}));
}

#[test]
fn skipped_nodes_complete_without_outputs() {
    let plan = graph()
        .node("start", "echo", json!({}))
        .node("a", "echo", json!({"value": 1}))
        .node("later", "echo", json!({}))
        .output("o")
        .link("a.value", "later.value")
        .link("later.value", "o.value")
        .link("start.value", "o.value")
        .plan();
    let run = Runner::accept_with(plan, |accepted| accepted.skip = vec![0, 2]);
    assert_eq!(run.machine.refusal(), None, "what is skipped need not be startable");
    let run = run.finish();
    for node in ["start", "later"] {
        assert_eq!((run.statuses(node), run.emitted(node)), (vec![Status::Completed], json!([[]])), "{node}");
        let state = &run.machine.execs[run.execs_of(node)[0] as usize];
        assert!(state.started_at.is_some() && state.ended_at.is_some(), "{node}");
    }
    assert_eq!((run.outputs(), run.machine.counts.nodes), (json!({}), 3));
}
