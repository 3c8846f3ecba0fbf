//! What is on disk when.

use crate::disk::Refusal;
use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{World, emitted, idle, until};
use heddle_engine::StartError;
use heddle_engine::journal::{Entry, Event, JournalError};
use heddle_model::Status;
use serde_json::json;

fn chain(length: usize) -> Builder {
    let mut chain = graph().node("n0", "echo", json!({"value": 1}));
    for at in 1..length {
        chain = chain.node(&format!("n{at}"), "echo", json!({}));
        chain = chain.link(&format!("n{}.value", at - 1), &format!("n{at}.value"));
    }
    chain.output("o").link(&format!("n{}.value", length - 1), "o.value")
}

#[test]
fn a_run_is_on_disk_before_start_returns() {
    let world = World::new();
    world.process(async |process| {
        world.disk.hold();
        let (run, prepared) = process.prepare(&chain(1), |_| {});
        let host = process.host.clone();
        let start = tokio::spawn(async move { host.start(prepared).await.map(drop) });
        idle().await;
        assert!(!start.is_finished() && world.disk.entries(run).is_empty());
        world.disk.release_one();
        idle().await;
        assert!(start.is_finished() && matches!(world.disk.entries(run)[0].what, Event::Accepted(_)));
        start.await.unwrap().unwrap();
    });
}

#[test]
fn a_chain_of_pure_blocks_is_one_frame() {
    let world = World::new();
    world.process(async |process| {
        let mut run = process.start(&chain(50)).await;
        assert_eq!(run.outputs().await, json!({"o": [1]}));
        assert_eq!(world.disk.frames(), [1 + 50 * 3 + 4 + 1]);
        assert_eq!(world.disk.row(run.id).status, Status::Completed);
        assert_eq!(process.host.gauges().driven, 0);
    });
}

#[test]
fn the_end_is_told_when_it_is_on_disk() {
    let world = World::new();
    world.process(async |process| {
        let chain = graph().node("r", "read", json!({"value": 1, "gate": "g"})).output("o").link("r.value", "o.value");
        let mut run = process.start(&chain).await;
        idle().await;
        world.disk.hold();
        world.blocks.open("g", 1);
        idle().await;
        assert!(process.host.watch(run.id).unwrap().borrow().ended.is_none());
        world.disk.release();
        assert_eq!(run.ended().await.status, Status::Completed);
    });
}

#[test]
fn only_what_reaches_outside_and_leaves_something_waits_for_the_disk() {
    let cases = [("local", 1), ("read", 1), ("idempotent", 0), ("unsafe", 0)];
    for (block, while_held) in cases {
        let world = World::new();
        world.process(async |process| {
            let graph = graph()
                .node("a", "echo", json!({"value": 1}))
                .node("x", block, json!({}))
                .output("o")
                .link("a.value", "x.value")
                .link("x.value", "o.value");
            world.disk.hold();
            let run = process.start_aside(&graph);
            idle().await;
            assert_eq!(world.blocks.starts(block).len(), while_held, "{block}");
            world.disk.release();
            process.all_ended().await;
            assert_eq!(world.outputs(run), json!({"o": [1]}), "{block}");
            assert_eq!(world.blocks.starts(block).len(), 1, "{block}");
        });
    }
}

#[test]
fn an_effect_waits_for_the_outputs_that_it_depends_on() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph()
            .node("first", "unsafe", json!({"value": 1}))
            .node("second", "unsafe", json!({}))
            .node("third", "idempotent", json!({}))
            .link("first.value", "second.value")
            .link("second.value", "third.value");
        world.disk.hold();
        process.start_aside(&graph);
        for started in 0..3 {
            idle().await;
            assert_eq!(world.blocks.starts("*").len(), started);
            // Two frames an effect at most: its end may follow its output on its own.
            while world.blocks.starts("*").len() == started {
                assert!(world.disk.release_one());
                idle().await;
            }
        }
        world.disk.release();
        process.all_ended().await;
    });
}

#[test]
fn a_read_goes_on_while_an_effect_waits() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph()
            .node("u", "unsafe", json!({"value": 1}))
            .node("r", "read", json!({"value": 2}))
            .output("o")
            .link("r.value", "o.value");
        world.disk.hold();
        process.start_aside(&graph);
        idle().await;
        assert_eq!((world.blocks.starts("unsafe").len(), world.blocks.starts("output").len()), (0, 1));
        world.disk.release();
        process.all_ended().await;
    });
}

#[test]
fn a_refused_first_frame_fails_the_start_and_nothing_lives_on() {
    let world = World::new();
    world.process(async |process| {
        world.disk.refuse_after(0, Refusal::Clean);
        let graph = graph().node("h", "hang", json!({"value": 1})).node("u", "unsafe", json!({"value": 1}));
        let refused = process.try_start(&graph).await.err();
        assert!(matches!(refused, Some(StartError::Journal(JournalError::Disk(_)))));
        idle().await;
        assert_eq!((process.host.gauges().driven, world.blocks.alive()), (0, 0));
        assert!(world.disk.runs().is_empty() && world.blocks.starts("unsafe").is_empty());
    });
}

#[test]
fn a_run_whose_journal_fails_later_is_read_again_and_completes_once() {
    let graph = graph()
        .node("a", "each", json!({"items": [1, 2, 3]}))
        .node("s", "store", json!({"input": "s"}))
        .node("u", "unsafe", json!({}))
        .node("p", "pair", json!({}))
        .output("o")
        .output("errors")
        .node("f", "fail", json!({}))
        .link("a.item", "u.value")
        .link("u.value", "p.left")
        .fixed("s.output", "p.right")
        .link("p.pair", "o.value")
        .link("u.value", "f.value")
        .link("f.error", "errors.value");
    let undisturbed = World::new();
    let want = undisturbed.process(async |process| process.start(&graph).await.outputs().await);
    let commits = undisturbed.disk.frames().len();
    assert!(commits > 3);
    for refusal in [Refusal::Clean, Refusal::ButKept] {
        for at in 1..commits {
            let world = World::new();
            world.process(async |process| {
                world.disk.refuse_after(at, refusal);
                world.disk.refuse_reads(at % 2);
                let mut run = process.start(&graph).await;
                assert_eq!(run.outputs().await, want, "{refusal:?} {at}");
                assert_eq!(world.outputs(run.id), want, "{refusal:?} {at}");
                assert_eq!(run.ended().await.counts, world.machine(run.id).counts, "{refusal:?} {at}");
            });
        }
    }
}

#[test]
fn what_a_block_keeps_is_written_with_its_outputs() {
    let world = World::new();
    world.process(async |process| {
        let graph =
            graph().node("u", "unsafe", json!({"value": 5})).node("k", "keep", json!({})).link("u.value", "k.value");
        world.disk.refuse_after(1, Refusal::Clean);
        let mut run = process.start(&graph).await;
        let machine = run.ended().await;
        assert_eq!(emitted(&machine, "k"), [json!(5)]);
        let written: Vec<_> = world.disk.writes().into_iter().map(|write| write.value).collect();
        assert_eq!(written, [json!(5)], "the refused frame took its write with it");
    });
}

#[test]
fn long_pure_work_is_cut_into_frames() {
    let cases = [("by events", 0, 5_000, 10..20), ("by time", 100, 500, 20..200)];
    for (name, tick, upto, frames) in cases {
        let world = World::new().ticking(tick);
        world.process(async |process| {
            let graph = graph()
                .node("zero", "echo", json!({"value": 0}))
                .node("c", "count", json!({"upto": upto}))
                .output("o")
                .link("zero.value", "c.n")
                .link("c.next", "c.n")
                .link("c.done", "o.value");
            let mut run = process.start(&graph).await;
            assert_eq!(run.outputs().await, json!({"o": [upto]}), "{name}");
            let got = world.disk.frames();
            assert!(frames.contains(&got.len()) && got.iter().all(|&events| events < 1100), "{name}: {got:?}");
        });
    }
}

/// A loop of pure blocks without an end.
fn endless() -> Builder {
    numbered_graph(2)
        .node("start", "echo", json!({"value": 1}))
        .node("loop", "echo", json!({}))
        .link("start.value", "loop.value")
        .link("loop.value", "loop.value")
}

#[test]
fn an_endless_loop_commits_and_leaves_room_for_others() {
    let world = World::new();
    world.process(async |process| {
        let graph =
            endless().node("r", "read", json!({"value": 5, "gate": "g"})).output("o").link("r.value", "o.value");
        let run = process.start(&graph).await;
        until(|| world.disk.frames().len() > 3).await;
        assert_eq!(process.start(&chain(3)).await.outputs().await, json!({"o": [1]}));
        world.blocks.open("g", 1);
        until(|| world.blocks.starts("output").len() == 2).await;
        assert!(process.host.stop(run.id).await);
        assert_eq!(world.machine(run.id).status, Status::Terminated);
        assert_eq!(world.outputs(run.id), json!({"o": [5]}));
    });
}

#[test]
fn what_an_effect_says_and_that_it_has_ended_go_to_disk_together() {
    for block in ["read", "idempotent", "unsafe"] {
        let world = World::new();
        let run = world.process(async |process| {
            let graph = graph().node("b", block, json!({"value": 1})).output("o").link("b.value", "o.value");
            let mut run = process.start(&graph).await;
            assert_eq!(run.outputs().await, json!({"o": [1]}));
            run.id
        });
        let entries = world.disk.entries(run);
        let mut left = &entries[..];
        for events in world.disk.frames() {
            let (frame, rest) = left.split_at(events);
            left = rest;
            let says = |entry: &Entry| matches!(entry.what, Event::Output { exec: 0, .. });
            let ends = |entry: &Entry| matches!(entry.what, Event::Ended { exec: 0, .. });
            assert_eq!(frame.iter().any(says), frame.iter().any(ends), "{block}: {frame:?}");
        }
    }
}
