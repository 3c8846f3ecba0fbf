//! Closing a process in good order.

use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{Process, World, idle};
use heddle_engine::StartError;
use heddle_engine::journal::JournalError;
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER};
use heddle_model::{GraphId, Status};
use serde_json::json;
use std::time::Duration;

/// A run that waits for a block, for a timer and for a child.
fn waiting(world: &World) -> Builder {
    let child = numbered_graph(9).node("r", "read", json!({"value": 3, "gate": "g"})).output("y");
    world.agents.add(&child.link("r.value", "y.value").plan());
    let child = GraphId::from_random([9; 16]).to_string();
    graph()
        .node("r", "read", json!({"value": 1, "gate": "g"}))
        .node("t", COUNTDOWN_TIMER, json!({"seconds": 60, "message": 2}))
        .node("agent", AGENT_EXECUTOR, json!({"graph_id": child, "graph_version": 1}))
        .output("o")
        .link("r.value", "o.value")
        .link("t.output_message", "o.value")
        .link("agent.y", "o.value")
        .output("e")
        .link("agent.error", "e.value")
}

/// Closes, which must not take longer than a disk that is asked to commit.
async fn close(process: &Process) {
    tokio::time::timeout(Duration::from_secs(5), process.host.close()).await.expect("closing ends");
    assert_eq!(process.host.gauges().driven, 0);
}

/// Opens all gates; the run must end as if nothing had happened.
fn goes_on(world: &World) {
    world.blocks.open("g", 2);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    let run = world.disk.runs()[0];
    let machine = world.machine(run);
    assert_eq!((machine.status, machine.counts.errors), (Status::Completed, 0));
    let mut values = world.outputs(run)["o"].as_array().unwrap().clone();
    values.sort_by_key(|value| value.as_i64());
    assert_eq!(values, [1, 2, 3]);
    assert_eq!(world.disk.runs().len(), 2);
}

#[test]
fn a_closed_process_leaves_its_runs_to_the_next() {
    let world = World::new();
    world.process(async |process| {
        process.start(&waiting(&world)).await;
        idle().await;
        close(&process).await;
        assert_eq!(world.blocks.alive(), 0);
        let refused = process.try_start(&waiting(&world)).await.err();
        assert!(matches!(refused, Some(StartError::Journal(JournalError::Closed))));
    });
    goes_on(&world);
}

#[test]
fn closing_waits_for_frames_on_their_way() {
    let world = World::new();
    world.process(async |process| {
        world.disk.hold();
        let run = process.start_aside(&waiting(&world));
        idle().await;
        let host = process.host.clone();
        let closed = tokio::spawn(async move { host.close().await });
        idle().await;
        assert!(!closed.is_finished());
        world.disk.release();
        closed.await.unwrap();
        assert!(!world.disk.entries(run).is_empty());
    });
    goes_on(&world);
}

#[test]
fn a_run_closed_at_any_moment_of_its_beginning_goes_on() {
    for released in 0..6 {
        let world = World::new();
        world.process(async |process| {
            world.disk.hold();
            process.start_aside(&waiting(&world));
            for _ in 0..released {
                idle().await;
                world.disk.release_one();
            }
            let host = process.host.clone();
            let closed = tokio::spawn(async move { host.close().await });
            idle().await;
            world.disk.release();
            tokio::time::timeout(Duration::from_secs(5), closed).await.expect("closing ends").unwrap();
            assert_eq!(process.host.gauges().driven, 0);
        });
        goes_on(&world);
    }
}

#[test]
fn a_child_that_closes_first_is_not_taken_for_lost() {
    let world = World::new();
    world.process(async |process| {
        let run = process.start(&waiting(&world)).await;
        idle().await;
        // A frame of the parent is on its way, so the child is gone before it.
        world.disk.hold();
        world.blocks.open("g", 1);
        idle().await;
        let host = process.host.clone();
        let closed = tokio::spawn(async move { host.close().await });
        idle().await;
        idle().await;
        world.disk.release();
        closed.await.unwrap();
        assert_eq!(world.machine(run.id).counts.errors, 0);
    });
    goes_on(&world);
}
