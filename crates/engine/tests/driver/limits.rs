//! Bounds on runs.

use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{World, idle};
use heddle_engine::{Limits, StartError};
use heddle_model::block::AGENT_EXECUTOR;
use heddle_model::{GraphId, Status};
use serde_json::json;

fn gated() -> Builder {
    graph().node("r", "read", json!({"value": 1, "gate": "g"})).output("o").link("r.value", "o.value")
}

#[test]
fn a_run_too_many_is_refused_until_another_has_ended() {
    let world = World::with(Limits { queued_runs: 3, ..Limits::default() });
    world.process(async |process| {
        let mut first = process.start(&gated()).await;
        process.start(&gated()).await;
        process.start(&gated()).await;
        assert!(matches!(process.try_start(&gated()).await, Err(StartError::Busy)));
        assert_eq!(world.disk.runs().len(), 3);
        world.blocks.open("g", 1);
        first.ended().await;
        idle().await;
        process.start(&gated()).await;
        world.blocks.open("g", 9);
        process.all_ended().await;
    });
}

#[test]
fn runs_beyond_the_places_wait_queued_and_none_is_lost() {
    let world = World::with(Limits { running_runs: 2, ..Limits::default() });
    world.process(async |process| {
        let mut runs = Vec::new();
        for _ in 0..26 {
            runs.push(process.start(&gated()).await);
        }
        idle().await;
        let queued = || runs.iter().filter(|run| world.disk.row(run.id).status == Status::Queued).count();
        assert_eq!((queued(), world.blocks.alive()), (24, 2));
        world.blocks.open("g", 1);
        idle().await;
        assert_eq!((queued(), world.blocks.alive()), (23, 2));
        world.blocks.open("g", 25);
        for run in &mut runs {
            assert_eq!(run.outputs().await, json!({"o": [1]}));
        }
        assert_eq!(world.blocks.most_alive(), 2);
    });
}

#[test]
fn queued_runs_survive_a_crash() {
    let world = World::with(Limits { running_runs: 1, ..Limits::default() });
    let runs = world.process(async |process| {
        let mut runs = Vec::new();
        for _ in 0..5 {
            runs.push(process.start(&gated()).await.id);
        }
        runs
    });
    world.blocks.open("g", 5);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    for run in runs {
        assert_eq!(world.outputs(run), json!({"o": [1]}));
    }
}

#[test]
fn five_thousand_values_come_out() {
    let world = World::new();
    world.process(async |process| {
        let items: Vec<u32> = (0..5000).collect();
        let graph = graph().node("a", "each", json!({"items": items})).output("o").link("a.item", "o.value");
        assert_eq!(process.start(&graph).await.outputs().await, json!({"o": items}));
    });
}

#[test]
fn an_agent_that_calls_itself_twice_ends_although_its_runs_wait_for_each_other() {
    // The ninth generation has 512 runs, twice as many as may be driven at once.
    let world = World::with(Limits { nesting: 9, ..Limits::default() });
    let itself = json!({"graph_id": GraphId::from_random([7; 16]).to_string(), "graph_version": 1});
    let twice = numbered_graph(7).node("a", AGENT_EXECUTOR, itself.clone()).node("b", AGENT_EXECUTOR, itself);
    world.agents.add(&twice.plan());
    world.process(async |process| {
        let mut run = process.start(&twice).await;
        run.ended().await;
        assert_eq!(world.disk.runs().len(), 1023);
    });
}

#[test]
fn many_children_of_one_node_wait_for_each_other_and_all_run() {
    let world = World::new();
    let child = numbered_graph(8).node("x", "input", json!({"name": "x"})).output("y").fixed("x.result", "y.value");
    world.agents.add(&child.plan());
    let items: Vec<u32> = (0..600).collect();
    let parent = graph()
        .node("each", "each", json!({"items": items}))
        .node(
            "agent",
            AGENT_EXECUTOR,
            json!({"graph_id": GraphId::from_random([8; 16]).to_string(), "graph_version": 1}),
        )
        .output("o")
        .link("each.item", "agent.x")
        .link("agent.y", "o.value");
    world.process(async |process| {
        let mut run = process.start(&parent).await;
        assert_eq!(run.outputs().await, json!({"o": items}));
    });
}
