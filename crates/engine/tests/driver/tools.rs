//! Nodes that a block has run as tools, and what it notes: neither is done twice, whenever the process ends.

use crate::made_up::{Builder, graph};
use crate::world::{World, emitted, idle, outputs};
use heddle_engine::Machine;
use heddle_model::block::{HUMAN_IN_THE_LOOP, SMART_DECISION_MAKER};
use heddle_model::{NodeExecId, Status, Usage, Value};
use serde_json::json;
use std::collections::HashSet;

fn deciding(script: Value) -> Builder {
    graph()
        .node("d", SMART_DECISION_MAKER, json!({"script": script}))
        .node("u", "unsafe", json!({}))
        .node("r", "read", json!({"value": "preset"}))
        .node("f", "fail", json!({"value": 0}))
        .output("o")
        .output("end")
        .link("d.tools_^_anything_~_value", "u.value")
        .link("d.tools", "r.value")
        .link("d.tools", "f.value")
        .link("u.value", "o.value")
        .link("d.finished", "end.value")
}

fn told(machine: &Machine) -> Value {
    let tools = ["u", "r", "f"].map(|node| emitted(machine, node));
    json!([outputs(machine), emitted(machine, "d"), tools, machine.status, machine.counts])
}

#[test]
fn tools_run_as_executions_of_their_nodes_and_tell_how_they_ended() {
    let world = World::new();
    let script = json!([[[0, {"value": 1}]], [[1, {}], [0, {"value": 2}], [2, {}]], [[0, {}]]]);
    let machine = world.process(async |process| process.start(&deciding(script)).await.ended().await);
    assert_eq!(emitted(&machine, "u"), [json!(1), json!(2)]);
    assert_eq!(
        emitted(&machine, "d"),
        [
            json!([r#"Done([("value", Number(1))])"#]),
            json!([
                r#"Done([("value", String("preset"))])"#,
                r#"Done([("value", Number(2))])"#,
                r#"Failed("no good")"#
            ]),
            json!([r#"Failed("Input data missing or mismatch for `UnsafeBlock`: missing input {'value'}")"#]),
            json!(true),
        ]
    );
    assert_eq!(outputs(&machine), json!({"o": [1, 2], "end": [true]}), "what tools emit goes out like all else");
    assert_eq!(machine.execs[0].usage, Usage { calls: 3, input_tokens: 21, ..Usage::default() });
    assert_eq!((machine.counts.nodes, machine.counts.errors), (8, 1));
    assert_eq!(machine.counts.cost, 2 * 5 + 21, "the tool that failed costs nothing");
}

#[test]
fn a_crash_after_any_commit_neither_asks_nor_calls_again() {
    let graph = deciding(json!([[[0, {"value": 1}]], [[0, {"value": 2}], [1, {"value": 3}], [0, {"value": 2}]]]));
    let undisturbed = World::new();
    let want = undisturbed.process(async |process| told(&*process.start(&graph).await.ended().await));
    let commits = undisturbed.disk.frames().len();
    assert!(commits > 4, "{commits}");
    for commit in 1..commits {
        let world = World::new();
        let run = world.process(async |process| {
            world.disk.fail_after(commit);
            let run = process.start(&graph).await;
            idle().await;
            run.id
        });
        let kept = world.machine(run);
        let noted = kept.execs[0].notes.len();
        let over = (0..kept.execs.len() as u32).filter(|&exec| kept.execs[exec as usize].status.is_terminal());
        let over: HashSet<NodeExecId> = over.map(|exec| kept.exec_id(exec)).collect();
        let (asked, started) = (world.blocks.asked().len(), world.blocks.starts("*").len());
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        let machine = world.machine(run);
        assert_eq!(told(&machine), want, "crash after {commit} of {commits}");
        assert_eq!(machine.execs[0].usage, Usage { calls: 2, input_tokens: 14, ..Usage::default() });
        let again = world.blocks.asked().split_off(asked);
        assert!(again.iter().all(|round| *round >= noted), "{commit}: {again:?}, {noted} were noted");
        let again = world.blocks.starts("*").split_off(started);
        assert!(!again.iter().any(|start| over.contains(&start.exec)), "{commit}: what had ended runs again");
        let execs: HashSet<_> = world.blocks.starts("unsafe").into_iter().map(|start| start.exec).collect();
        assert_eq!(execs.len(), 3, "{commit}: the same executions as before");
    }
}

#[test]
fn a_tool_that_waits_for_a_person_holds_nobody_up() {
    let world = World::new();
    let graph = graph()
        .node("d", SMART_DECISION_MAKER, json!({"script": [[[0, {"data": 1}]]]}))
        .node("h", HUMAN_IN_THE_LOOP, json!({}))
        .output("end")
        .link("d.tools", "h.data")
        .link("d.finished", "end.value");
    world.process(async |process| {
        let run = process.start(&graph).await;
        idle().await;
        let machine = world.machine(run.id);
        assert_eq!((machine.status, outputs(&machine)), (Status::Review, json!({"end": [true]})));
        assert_eq!(emitted(&machine, "d")[0], json!(["Waiting"]));
    });
}

#[test]
fn a_conversation_goes_on_when_the_output_that_it_waits_for_is_there() {
    let world = World::new();
    let asked = json!([{"role": "assistant", "tool_calls": [{"id": "c"}]}]);
    let graph = graph()
        .node("h", "echo", json!({"value": asked}))
        .node("t", "read", json!({"value": "x", "gate": "tool"}))
        .node("d", SMART_DECISION_MAKER, json!({"script": []}))
        .node("lone", SMART_DECISION_MAKER, json!({"script": []}))
        .output("end")
        .link("h.value", "d.conversation_history")
        .link("t.value", "d.last_tool_output")
        .link("h.value", "lone.conversation_history")
        .link("d.finished", "end.value")
        .link("lone.finished", "end.value");
    world.process(async |process| {
        let mut run = process.start(&graph).await;
        idle().await;
        assert_eq!(world.outputs(run.id), json!({}), "the call has no answer yet");
        world.blocks.open("tool", 1);
        assert_eq!(run.outputs().await, json!({"end": [true]}), "history alone is not enough");
    });
}
