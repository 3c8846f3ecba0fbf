//! Three generations of runs, cut off and refused at every commit.

use crate::disk::Refusal;
use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{World, idle, outputs};
use heddle_engine::journal::Counts;
use heddle_model::block::AGENT_EXECUTOR;
use heddle_model::{GraphId, RunId, Status};
use serde_json::{Value, json};

fn agent(number: u8) -> Value {
    json!({"graph_id": GraphId::from_random([number; 16]).to_string(), "graph_version": 1})
}

/// A grandparent's view of three levels, with effects and failures on the way.
fn family(world: &World) -> Builder {
    let grandchild = numbered_graph(8)
        .node("x", "input", json!({"name": "x"}))
        .node("u", "unsafe", json!({}))
        .node("f", "fail", json!({}))
        .output("z")
        .fixed("x.result", "u.value")
        .link("u.value", "z.value")
        .link("u.value", "f.value")
        .link("f.error", "z.value");
    let child = numbered_graph(9)
        .node("x", "input", json!({"name": "x"}))
        .node("inner", AGENT_EXECUTOR, agent(8))
        .node("y", "output", json!({"name": "y", "format": "v="}))
        .fixed("x.result", "inner.x")
        .link("inner.z", "y.value");
    world.agents.add(&grandchild.plan());
    world.agents.add(&child.plan());
    graph()
        .node("a", "each", json!({"items": [1, 2]}))
        .node("agent", AGENT_EXECUTOR, agent(9))
        .node("u", "unsafe", json!({}))
        .output("o")
        .link("a.item", "agent.x")
        .link("agent.y", "u.value")
        .link("u.value", "o.value")
}

/// A run's outputs and counts, and the outputs of all runs.
type Told = (Value, Counts, Vec<String>);

fn told(world: &World, run: RunId) -> Told {
    let machine = world.machine(run);
    assert_eq!(machine.status, Status::Completed);
    let mut runs: Vec<String> = world.disk.runs().iter().map(|run| format!("{run} {}", world.outputs(*run))).collect();
    runs.sort();
    (outputs(&machine), machine.counts, runs)
}

/// What is told when nothing goes wrong, and in how many frames.
fn undisturbed() -> (Told, usize) {
    let world = World::new();
    let graph = family(&world);
    let run = world.process(async |process| {
        let mut run = process.start(&graph).await;
        run.ended().await;
        run.id
    });
    (told(&world, run), world.disk.frames().len())
}

#[test]
fn a_crash_at_any_commit_changes_nothing_and_starts_no_second_child() {
    let (want, commits) = undisturbed();
    assert_eq!(want.0, json!({"o": ["v=1", "v=\"no good\"", "v=2", "v=\"no good\""]}));
    assert_eq!(want.2.len(), 5);
    for commit in 1..commits {
        let world = World::new();
        let graph = family(&world);
        let run = world.process(async |process| {
            world.disk.fail_after(commit);
            let run = process.start(&graph).await;
            idle().await;
            run.id
        });
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        assert_eq!(told(&world, run), want, "crash after {commit} of {commits}");
    }
}

#[test]
fn a_journal_that_fails_at_any_commit_changes_nothing_either() {
    let (want, commits) = undisturbed();
    for refusal in [Refusal::Clean, Refusal::ButKept] {
        for commit in 1..commits {
            let world = World::new();
            let graph = family(&world);
            let run = world.process(async |process| {
                world.disk.refuse_after(commit, refusal);
                let mut run = process.start(&graph).await;
                run.ended().await;
                process.all_ended().await;
                run.id
            });
            assert_eq!(told(&world, run), want, "{refusal:?} after {commit}");
        }
    }
}
