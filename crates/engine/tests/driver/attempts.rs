//! Runs that processes leave under way, again and again.

use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{World, idle};
use heddle_engine::Limits;
use heddle_engine::journal::Event;
use heddle_model::block::AGENT_EXECUTOR;
use heddle_model::{GraphId, RunId, Status};
use serde_json::json;
use std::time::Duration;

/// A block that never gets to its end before the process does.
fn stuck(block: &str) -> Builder {
    graph().node("r", block, json!({"value": 1, "gate": "g"})).output("o").link("r.value", "o.value")
}

/// So many processes that end without warning while they work on what the one before left, a while after each other.
fn crash(world: &World, times: usize) {
    for _ in 0..times {
        world.pass(15);
        crash_at_once(world, 1);
    }
}

/// The same, one right after the other.
fn crash_at_once(world: &World, times: usize) {
    for _ in 0..times {
        world.process(async |process| {
            process.resume();
            idle().await;
        });
    }
}

/// What the run's journal says about how often it was begun again.
fn marks(world: &World, run: RunId) -> Vec<u32> {
    let marks = world.disk.entries(run).into_iter().filter_map(|entry| match entry.what {
        Event::Resumed { interrupted } => Some(interrupted),
        _ => None,
    });
    marks.collect()
}

fn begin(world: &World, graph: &Builder) -> RunId {
    world.process(async |process| {
        let run = process.start(graph).await;
        idle().await;
        run.id
    })
}

#[test]
fn a_run_that_ends_every_process_is_given_up() {
    for block in ["read", "idempotent", "unsafe"] {
        let world = World::new();
        let run = begin(&world, &stuck(block));
        crash(&world, 5);
        assert_eq!((marks(&world, run), world.disk.row(run).status), (vec![1, 2, 3, 4, 5], Status::Running));
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        let row = world.disk.row(run);
        let text = "given up: the server ended 5 times in a row while it worked on this run";
        assert_eq!((row.status, row.error.as_deref()), (Status::Failed, Some(text)));
        assert_eq!(world.blocks.starts(block).len(), 6, "the last process does not touch it");
    }
}

#[test]
fn a_run_is_not_given_up_for_processes_that_end_within_a_moment() {
    let world = World::new();
    let run = begin(&world, &stuck("read"));
    crash_at_once(&world, 8);
    assert_eq!((marks(&world, run).len(), world.disk.row(run).status), (8, Status::Running));
    world.pass(59);
    crash_at_once(&world, 1);
    assert_eq!(world.disk.row(run).status, Status::Running);
    world.pass(1);
    crash_at_once(&world, 1);
    let text = "given up: the server ended 9 times in a row while it worked on this run";
    assert_eq!(world.disk.row(run).error.as_deref(), Some(text));
}

#[test]
fn children_of_a_run_that_is_given_up_are_stopped() {
    let world = World::new();
    let child = GraphId::from_random([9; 16]).to_string();
    world.agents.add(&numbered_graph(9).node("h", "hang", json!({"value": 1})).plan());
    let graph = stuck("read").node("agent", AGENT_EXECUTOR, json!({"graph_id": child, "graph_version": 1}));
    let run = begin(&world, &graph);
    // The child is tried as often as its parent.
    for _ in 0..12 {
        crash(&world, 1);
    }
    let statuses = [run, world.disk.runs()[1]].map(|run| world.disk.row(run).status);
    assert!(statuses.iter().all(|status| status.is_terminal()) && statuses[0] == Status::Failed, "{statuses:?}");
}

#[test]
fn nothing_runs_before_the_attempt_is_on_disk() {
    for block in ["read", "idempotent", "unsafe"] {
        let world = World::new();
        begin(&world, &stuck(block));
        world.process(async |process| {
            world.disk.hold();
            process.resume();
            idle().await;
            assert_eq!(world.blocks.starts(block).len(), 1, "{block}");
            world.disk.release_one();
            idle().await;
            assert_eq!(world.blocks.starts(block).len(), 2, "{block}: with the attempt of the execution");
        });
    }
}

#[test]
fn a_queued_run_that_another_process_left_does_not_begin_before_that_is_on_disk() {
    let world = World::with(Limits { running_runs: 1, ..Limits::default() });
    world.process(async |process| {
        process.start(&stuck("read")).await;
        process.start(&numbered_graph(2).node("e", "echo", json!({"value": 1}))).await;
        idle().await;
    });
    world.process(async |process| {
        process.resume();
        idle().await;
        world.disk.hold();
        world.blocks.open("g", 1);
        idle().await;
        assert!(world.disk.release_one());
        idle().await;
        assert_eq!(world.blocks.starts("echo").len(), 0, "its turn has come");
        assert!(world.disk.release_one());
        idle().await;
        assert_eq!(world.blocks.starts("echo").len(), 1);
        world.disk.release();
        process.all_ended().await;
    });
}

#[test]
fn processes_that_close_in_good_order_do_not_count() {
    let world = World::new();
    let run = begin(&world, &stuck("read"));
    crash(&world, 2);
    for _ in 0..8 {
        world.process(async |process| {
            process.resume();
            idle().await;
            process.host.close().await;
        });
        world.pass(1);
        assert_eq!(marks(&world, run)[2..].last(), Some(&2));
    }
    world.blocks.open("g", 1);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    assert_eq!(world.outputs(run), json!({"o": [1]}));
}

#[test]
fn a_run_that_gets_on_is_never_given_up() {
    let world = World::new();
    let items: Vec<u32> = (0..12).collect();
    let graph =
        graph().node("t", "trickle", json!({"items": items, "gate": "g"})).output("o").link("t.item", "o.value");
    let run = begin(&world, &graph);
    for passed in 1..=12 {
        world.blocks.open("g", passed);
        crash(&world, 2);
    }
    crash(&world, 1);
    assert_eq!(world.disk.row(run).status, Status::Completed);
    assert_eq!(world.outputs(run), json!({"o": items}));
    assert!(marks(&world, run).into_iter().all(|mark| mark <= 3));
}

#[test]
fn those_under_suspicion_are_tried_one_at_a_time_and_whoever_comes_through_is_free() {
    let world = World::new();
    let runs = world.process(async |process| {
        let mut runs = Vec::new();
        for _ in 0..3 {
            runs.push(process.start(&stuck("read")).await.id);
        }
        idle().await;
        runs
    });
    crash(&world, 2);
    assert_eq!(world.blocks.starts("read").len(), 9);
    crash(&world, 1);
    assert_eq!(world.blocks.starts("read").len(), 10, "one of them");
    world.process(async |process| {
        process.resume();
        for tried in 11..=13 {
            idle().await;
            assert_eq!(world.blocks.starts("read").len(), tried);
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        idle().await;
    });
    let last: Vec<_> = runs.iter().map(|run| marks(&world, *run).pop()).collect();
    assert_eq!(last, [Some(0); 3]);
}

#[test]
fn whoever_waits_to_be_tried_can_be_stopped() {
    let world = World::new();
    let runs = world.process(async |process| {
        let runs = [process.start(&stuck("read")).await.id, process.start(&stuck("read")).await.id];
        idle().await;
        runs
    });
    crash(&world, 2);
    world.process(async |process| {
        process.resume();
        idle().await;
        for run in runs {
            assert!(process.host.stop(run).await);
            assert_eq!(world.disk.row(run).status, Status::Terminated);
        }
    });
}

#[test]
fn a_run_whose_time_is_over_waits_for_its_mark_like_any_other() {
    let world = World::with(Limits { run_seconds: Some(10), ..Limits::default() });
    let run = begin(&world, &stuck("read"));
    world.pass(60);
    world.process(async |process| {
        world.disk.hold();
        process.resume();
        // Time would stand still if the run looked at it over and over.
        idle().await;
        world.disk.release();
        process.all_ended().await;
    });
    assert_eq!((world.disk.row(run).status, marks(&world, run)), (Status::Failed, vec![1]));
}
