//! Stopping runs, in whatever they are.

use crate::disk::Refusal;
use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{World, idle, outputs};
use heddle_engine::Limits;
use heddle_engine::journal::Event;
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER};
use heddle_model::{GraphId, RunId, Status};
use serde_json::json;
use tokio::time::Instant;

/// A block that emits 1 into the output `o` and then hangs.
fn hanging() -> Builder {
    numbered_graph(9).node("h", "hang", json!({"value": 1})).output("o").link("h.value", "o.value")
}

/// An agent node that runs the hanging graph.
fn parent() -> Builder {
    let child = GraphId::from_random([9; 16]).to_string();
    graph()
        .node("agent", AGENT_EXECUTOR, json!({"graph_id": child, "graph_version": 1}))
        .output("o")
        .link("agent.o", "o.value")
}

fn status(world: &World, run: RunId) -> Status {
    let machine = world.machine(run);
    assert_eq!(world.disk.row(run).status, machine.status, "the row agrees with the journal");
    assert_eq!(machine.ended_at.is_some(), machine.has_ended());
    machine.status
}

#[test]
fn a_hanging_block_does_not_delay_a_stop_and_outputs_so_far_stay() {
    let world = World::new();
    world.process(async |process| {
        let mut run = process.start(&hanging()).await;
        idle().await;
        let before = Instant::now();
        assert!(process.host.stop(run.id).await);
        assert_eq!(before.elapsed().as_millis(), 0);
        let machine = run.ended().await;
        assert_eq!((status(&world, run.id), machine.status), (Status::Terminated, Status::Terminated));
        assert_eq!(machine.execs[0].status, Status::Terminated);
        assert_eq!(world.outputs(run.id), json!({"o": [1]}));
        idle().await;
        assert_eq!((world.blocks.alive(), process.host.gauges().driven), (0, 0));
        assert!(!process.host.stop(run.id).await, "it is not driven here any more");
    });
}

#[test]
fn a_queued_run_is_stopped_without_having_begun() {
    let world = World::with(Limits { running_runs: 1, ..Limits::default() });
    world.process(async |process| {
        let first = process.start(&hanging()).await;
        let mut second = process.start(&hanging()).await;
        idle().await;
        assert_eq!(status(&world, second.id), Status::Queued);
        assert!(process.host.stop(second.id).await);
        let machine = second.ended().await;
        assert_eq!((status(&world, second.id), machine.started_at), (Status::Terminated, None));
        assert!(machine.execs.iter().all(|exec| exec.status == Status::Terminated));
        assert_eq!(status(&world, first.id), Status::Running);
        assert_eq!(process.host.gauges().queued, 0, "nothing of it waits for a place");
        process.host.stop(first.id).await;
    });
}

#[test]
fn stopping_twice_at_once_is_stopping() {
    let world = World::new();
    world.process(async |process| {
        let run = process.start(&hanging()).await;
        let (first, second) = tokio::join!(process.host.stop(run.id), process.host.stop(run.id));
        assert!(first && second);
        let stops = world.disk.entries(run.id).into_iter().filter(|entry| entry.what == Event::StopAsked).count();
        assert_eq!((stops, status(&world, run.id)), (1, Status::Terminated));
    });
}

#[test]
fn an_effect_that_waits_for_the_disk_never_starts_after_a_stop() {
    let world = World::new();
    world.process(async |process| {
        world.disk.hold();
        let run = process.start_aside(&graph().node("u", "unsafe", json!({"value": 1})));
        idle().await;
        let host = process.host.clone();
        let stop = tokio::spawn(async move { host.stop(run).await });
        idle().await;
        world.disk.release();
        assert!(stop.await.unwrap());
        assert!(world.blocks.starts("unsafe").is_empty());
        let machine = world.machine(run);
        assert_eq!((status(&world, run), machine.execs[0].status), (Status::Terminated, Status::Terminated));
    });
}

#[test]
fn live_and_replayed_runs_agree_on_what_a_stop_has_ended() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph()
            .node("h", "hang", json!({"value": 1, "gate": "g"}))
            .node("u", "unsafe", json!({}))
            .node("p", "pair", json!({}))
            .link("h.value", "u.value")
            .link("h.value", "p.left")
            .link("u.value", "p.right");
        let mut run = process.start(&graph).await;
        idle().await;
        world.disk.hold();
        world.blocks.open("g", 1);
        idle().await;
        let (id, host) = (run.id, process.host.clone());
        let stop = tokio::spawn(async move { host.stop(id).await });
        idle().await;
        world.disk.release();
        stop.await.unwrap();
        let live: Vec<_> = run.ended().await.execs.iter().map(|exec| (exec.status, exec.ended_at)).collect();
        let replayed: Vec<_> = world.machine(run.id).execs.iter().map(|exec| (exec.status, exec.ended_at)).collect();
        assert_eq!(live, replayed);
        let statuses: Vec<_> = live.into_iter().map(|(status, _)| status).collect();
        assert_eq!(statuses, [Status::Terminated, Status::Terminated, Status::Incomplete]);
    });
}

#[test]
fn children_are_stopped_with_their_parent() {
    let world = World::new();
    world.process(async |process| {
        world.agents.add(&hanging().plan());
        let run = process.start(&parent()).await;
        idle().await;
        let before = Instant::now();
        assert!(process.host.stop(run.id).await);
        assert_eq!(before.elapsed().as_millis(), 0);
        let statuses: Vec<_> = world.disk.runs().into_iter().map(|run| status(&world, run)).collect();
        assert_eq!(statuses, [Status::Terminated; 2]);
        assert_eq!(world.outputs(world.disk.runs()[1]), json!({"o": [1]}));
        idle().await;
        assert_eq!((process.host.gauges().driven, world.blocks.alive()), (0, 0));
    });
}

#[test]
fn a_child_that_is_being_born_is_stopped_too() {
    let world = World::new();
    world.process(async |process| {
        world.agents.add(&hanging().plan());
        world.disk.hold();
        let run = process.start_aside(&parent());
        idle().await;
        world.disk.release_one();
        idle().await;
        assert_eq!(world.disk.runs(), [run], "the child's first frame is on its way");
        let host = process.host.clone();
        let stop = tokio::spawn(async move { host.stop(run).await });
        while !stop.is_finished() {
            idle().await;
            world.disk.release_one();
        }
        process.all_ended().await;
        let statuses: Vec<_> = world.disk.runs().into_iter().map(|run| status(&world, run)).collect();
        assert_eq!(statuses, [Status::Terminated; 2]);
    });
}

#[test]
fn a_stop_is_not_forgotten_when_the_journal_refuses_it() {
    for refusal in [Refusal::Clean, Refusal::ButKept] {
        let world = World::new();
        world.process(async |process| {
            world.agents.add(&hanging().plan());
            for graph in [hanging(), parent()] {
                let run = process.start(&graph).await;
                idle().await;
                world.disk.refuse_after(0, refusal);
                assert!(process.host.stop(run.id).await);
                assert_eq!(status(&world, run.id), Status::Terminated);
            }
            process.all_ended().await;
        });
    }
}

#[test]
fn whatever_a_stopped_run_leaves_at_a_crash_ends_terminated() {
    // How many frames of a held disk are committed before the stop; whether the stop is seen before more of them are;
    // how many commits follow until the crash.
    let cases = (0..6).flat_map(|when| (0..8).flat_map(move |commits| [(when, false, commits), (when, true, commits)]));
    for case @ (when, seen, commits) in cases {
        let world = World::new();
        world.agents.add(&hanging().plan());
        world.process(async |process| {
            world.disk.hold();
            let run = process.start_aside(&parent());
            for _ in 0..when {
                idle().await;
                world.disk.release_one();
            }
            idle().await;
            let host = process.host.clone();
            tokio::spawn(async move { host.stop(run).await });
            if seen {
                idle().await;
            }
            world.disk.fail_after(commits);
            world.disk.release();
            idle().await;
        });
        let asked = |run: &RunId| world.disk.entries(*run).into_iter().any(|entry| entry.what == Event::StopAsked);
        if !world.disk.runs().iter().any(asked) {
            continue;
        }
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        let statuses: Vec<_> = world.disk.runs().into_iter().map(|run| status(&world, run)).collect();
        assert!(statuses.iter().all(|status| *status == Status::Terminated), "{case:?}: {statuses:?}");
    }
}

/// An agent node whose child waits for a time, and a block that hangs.
fn waiting_parent(world: &World) -> Builder {
    world.agents.add(&numbered_graph(8).node("t", COUNTDOWN_TIMER, json!({"seconds": 500_000})).plan());
    let child = GraphId::from_random([8; 16]).to_string();
    graph().node("agent", AGENT_EXECUTOR, json!({"graph_id": child, "graph_version": 1})).node(
        "r",
        "read",
        json!({"value": 1, "gate": "g"}),
    )
}

#[test]
fn a_parked_child_is_stopped_also_while_the_journal_cannot_be_read() {
    let world = World::new();
    world.process(async |process| {
        let run = process.start(&waiting_parent(&world)).await;
        idle().await;
        let child = world.disk.runs()[1];
        assert!(world.disk.row(child).parked.is_some());
        world.disk.refuse_reads(3);
        assert!(process.host.stop(run.id).await);
        assert_eq!([run.id, child].map(|run| status(&world, run)), [Status::Terminated; 2]);
        process.all_ended().await;
    });
}

#[test]
fn a_child_that_cannot_be_reached_for_long_is_stopped_after_its_parent() {
    let world = World::new();
    world.process(async |process| {
        let run = process.start(&waiting_parent(&world)).await;
        idle().await;
        world.disk.refuse_reads(20);
        let before = Instant::now();
        assert!(process.host.stop(run.id).await);
        assert_eq!((before.elapsed().as_secs(), status(&world, run.id)), (10, Status::Terminated));
        process.all_ended().await;
        assert_eq!(status(&world, world.disk.runs()[1]), Status::Terminated);
    });
}

#[test]
fn a_stop_that_a_closing_process_cannot_finish_is_finished_by_the_next() {
    let world = World::new();
    let run = world.process(async |process| {
        let run = process.start(&waiting_parent(&world)).await;
        idle().await;
        let (id, host) = (run.id, process.host.clone());
        world.disk.refuse_reads(2);
        let stop = tokio::spawn(async move { host.stop(id).await });
        idle().await;
        process.host.close().await;
        assert!(!stop.await.unwrap(), "an end that is not is not told");
        assert_eq!(world.disk.row(id).ended_at, None);
        id
    });
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    assert_eq!([run, world.disk.runs()[1]].map(|run| status(&world, run)), [Status::Terminated; 2]);
}

#[test]
fn what_later_executions_have_emitted_does_not_come_out_of_a_stopped_run() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph()
            .node("a", "each", json!({"items": ["open", "shut", "open"]}))
            .node("r", "read", json!({}))
            .output("o")
            .link("a.item", "r.gate")
            .link("a.item", "r.value")
            .link("r.value", "o.value");
        let mut run = process.start(&graph).await;
        world.blocks.open("open", 2);
        idle().await;
        assert!(process.host.stop(run.id).await);
        assert_eq!(world.outputs(run.id), json!({"o": ["open"]}));
        assert_eq!(outputs(&*run.ended().await), world.outputs(run.id));
        let statuses: Vec<_> = world.machine(run.id).execs.iter().map(|exec| exec.status).collect();
        assert_eq!(statuses.len(), 5, "no execution comes into being by a stop: {statuses:?}");
    });
}
