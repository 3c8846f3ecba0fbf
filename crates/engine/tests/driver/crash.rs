//! Power cuts: whatever was committed, the next process makes the same of it.

use crate::made_up::{Builder, graph};
use crate::world::{World, idle, outputs};
use heddle_engine::Machine;
use heddle_model::{NodeExecId, RunId, Status, Value};
use serde_json::json;
use std::collections::HashSet;

fn graphs() -> Vec<(&'static str, Builder)> {
    let effects = graph()
        .node("a", "each", json!({"items": [1, 2, 3, 4]}))
        .node("s", "store", json!({"input": "s"}))
        .node("u", "unsafe", json!({}))
        .node("r", "read", json!({}))
        .node("p", "pair", json!({}))
        .node("f", "fail", json!({}))
        .output("o")
        .output("e")
        .link("a.item", "u.value")
        .link("u.value", "r.value")
        .link("r.value", "p.left")
        .fixed("s.output", "p.right")
        .link("p.pair", "o.value")
        .link("u.value", "f.value")
        .link("f.error", "e.value");
    let cycle = graph()
        .node("zero", "echo", json!({"value": 0}))
        .node("c", "count", json!({"upto": 5}))
        .node("i", "idempotent", json!({}))
        .output("o")
        .link("zero.value", "c.n")
        .link("c.next", "i.value")
        .link("i.value", "c.n")
        .link("i.value", "o.value")
        .link("c.done", "o.value");
    let streams = graph()
        .node("t", "trickle", json!({"items": [1, 2, 3]}))
        .node("u", "unsafe", json!({}))
        .node("late", "trickle", json!({}))
        .node("l", "echo", json!({"value": ["x", "y"]}))
        .output("o")
        .link("t.item", "u.value")
        .link("u.value", "o.value")
        .link("l.value", "late.items")
        .link("late.item", "o.value");
    vec![("effects", effects), ("cycle", cycle), ("streams", streams)]
}

/// Everything about a run that must not depend on crashes.
fn told(machine: &Machine) -> (Value, Value, Status) {
    let by_node = machine.plan.nodes.iter().zip(0u32..).map(|(node, index)| {
        let execs = machine.execs.iter().filter(|exec| exec.node == index);
        let told = execs.map(|exec| json!([exec.status, exec.input, exec.outputs])).collect::<Value>();
        (node.id.0.clone(), told)
    });
    (by_node.collect(), outputs(machine), machine.status)
}

fn ended_execs(machine: &Machine) -> HashSet<NodeExecId> {
    let execs = 0..machine.execs.len() as u32;
    execs.filter(|&exec| machine.execs[exec as usize].status.is_terminal()).map(|exec| machine.exec_id(exec)).collect()
}

/// What left something in the world is in the journal, under the same id and with the same input.
fn check_effects(world: &World, run: RunId) {
    let machine = world.machine(run);
    for start in ["unsafe", "idempotent"].into_iter().flat_map(|block| world.blocks.starts(block)) {
        let exec = (0..machine.execs.len() as u32).find(|&exec| machine.exec_id(exec) == start.exec);
        let exec = &machine.execs[exec.expect("the journal knows the execution") as usize];
        assert_eq!(exec.input.as_deref(), Some(&start.input));
    }
}

#[test]
fn a_crash_after_any_commit_changes_nothing() {
    for (name, graph) in graphs() {
        let undisturbed = World::new();
        let want = undisturbed.process(async |process| told(&*process.start(&graph).await.ended().await));
        let commits = undisturbed.disk.frames().len();
        assert!(commits > 5, "{name}");
        for commit in 1..commits {
            let world = World::new();
            let run = world.process(async |process| {
                world.disk.fail_after(commit);
                let run = process.start(&graph).await;
                idle().await;
                run.id
            });
            check_effects(&world, run);
            let ended = ended_execs(&world.machine(run));
            let before = world.blocks.starts("*").len();
            world.process(async |process| {
                process.resume();
                process.all_ended().await;
            });
            assert_eq!(told(&world.machine(run)), want, "{name}: crash after {commit} of {commits}");
            let repeated =
                world.blocks.starts("*").split_off(before).into_iter().any(|start| ended.contains(&start.exec));
            assert!(!repeated, "{name}: what had ended on disk is not run again");
            check_effects(&world, run);
        }
    }
}

#[test]
fn crash_after_crash_a_run_gets_to_its_end() {
    for (name, graph) in graphs() {
        for step in [2, 3, 5] {
            let world = World::new();
            let run = world.process(async |process| {
                world.disk.fail_after(step);
                let run = process.start(&graph).await;
                idle().await;
                run.id
            });
            let mut processes = 1;
            while !world.machine(run).has_ended() {
                processes += 1;
                assert!(processes < 200, "{name}: {step} commits a process lead nowhere");
                world.process(async |process| {
                    world.disk.fail_after(step);
                    process.resume();
                    idle().await;
                });
            }
            assert!(processes > 1, "{name}");
            let undisturbed = World::new();
            let want = undisturbed.process(async |process| told(&*process.start(&graph).await.ended().await));
            assert_eq!(told(&world.machine(run)), want, "{name}: {step} commits a process");
            check_effects(&world, run);
        }
    }
}

#[test]
fn an_execution_of_unknown_end_starts_again_under_its_id() {
    for block in ["read", "idempotent", "unsafe"] {
        let world = World::new();
        let graph = graph()
            .node("a", "echo", json!({"value": 1}))
            .node("x", block, json!({"gate": "g"}))
            .output("o")
            .link("a.value", "x.value")
            .link("x.value", "o.value");
        let run = world.process(async |process| {
            let run = process.start(&graph).await;
            idle().await;
            run.id
        });
        assert_eq!(world.blocks.starts(block).len(), 1, "{block}");
        world.blocks.open("g", 1);
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        let starts = world.blocks.starts(block);
        assert_eq!((starts.len(), starts[0].exec), (2, starts[1].exec), "{block}");
        assert_eq!(world.outputs(run), json!({"o": [1]}), "{block}");
        assert_eq!(world.machine(run).counts.nodes, 3, "{block}");
    }
}

#[test]
fn a_second_attempt_repeats_no_output_that_was_routed() {
    let world = World::new();
    let graph =
        graph().node("t", "trickle", json!({"items": [1, 2, 3, 4], "gate": "g"})).output("o").link("t.item", "o.value");
    world.blocks.open("g", 2);
    let run = world.process(async |process| {
        let run = process.start(&graph).await;
        idle().await;
        assert_eq!(world.outputs(run.id), json!({"o": [1, 2]}));
        run.id
    });
    world.blocks.open("g", 1);
    world.process(async |process| {
        process.resume();
        idle().await;
        assert_eq!(world.outputs(run), json!({"o": [1, 2]}), "the first value again");
    });
    world.blocks.open("g", 4);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    assert_eq!(world.outputs(run), json!({"o": [1, 2, 3, 4]}));
    assert_eq!(world.machine(run).execs[0].outputs.len(), 4);
}

#[test]
fn a_thousand_items_survive_crashes_without_loss_or_repetition() {
    let items: Vec<u32> = (0..1000).collect();
    let graph = graph()
        .node("a", "each", json!({"items": items}))
        .node("u", "unsafe", json!({}))
        .output("o")
        .link("a.item", "u.value")
        .link("u.value", "o.value");
    for commits in [1, 2, 3, 7, 20] {
        let world = World::new();
        let run = world.process(async |process| {
            world.disk.fail_after(commits);
            let run = process.start(&graph).await;
            idle().await;
            run.id
        });
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        assert_eq!(world.outputs(run), json!({"o": items}), "{commits}");
        assert_eq!(world.machine(run).counts.nodes, 2001, "{commits}");
    }
}
