//! Nodes that wait.

use crate::made_up::{Builder, graph};
use crate::world::{World, idle, outputs};
use heddle_model::block::COUNTDOWN_TIMER;
use heddle_model::{Status, Time};
use serde_json::{Value, json};
use std::time::Duration;

fn timer(defaults: Value) -> Builder {
    graph().node("t", COUNTDOWN_TIMER, defaults).output("o").link("t.output_message", "o.value")
}

fn seconds(time: Option<Time>) -> i64 {
    time.unwrap().unix()
}

#[test]
fn a_timer_emits_at_the_end_of_each_round() {
    let world = World::new();
    world.process(async |process| {
        let mut run = process.start(&timer(json!({"seconds": 10, "repeat": 3, "message": "ding"}))).await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        idle().await;
        assert_eq!(
            (world.outputs(run.id), world.machine(run.id).status),
            (json!({"o": ["ding", "ding"]}), Status::Running)
        );
        let machine = run.ended().await;
        assert_eq!(outputs(&machine), json!({"o": ["ding", "ding", "ding"]}));
        assert_eq!(seconds(machine.ended_at) - seconds(machine.started_at), 30);
        assert_eq!(machine.execs[0].status, Status::Completed);
    });
}

#[test]
fn after_a_crash_a_timer_waits_for_the_rest_of_its_round() {
    // Seconds until the crash, seconds without a process, seconds from the start to the end of three rounds of ten.
    let cases = [(4, 0, 30), (4, 3, 30), (14, 2, 30), (14, 60, 84), (4, 60, 84), (25, 0, 30)];
    for (until, down, want) in cases {
        let world = World::new();
        let run = world.process(async |process| {
            let run = process.start(&timer(json!({"seconds": 10, "repeat": 3, "message": 1}))).await;
            tokio::time::sleep(Duration::from_secs(until)).await;
            run.id
        });
        world.pass(down);
        world.process(async |process| {
            process.resume();
            process.all_ended().await;
        });
        let machine = world.machine(run);
        assert_eq!(outputs(&machine), json!({"o": [1, 1, 1]}), "{until} {down}");
        assert_eq!(seconds(machine.ended_at) - seconds(machine.started_at), want, "{until} {down}");
    }
}

#[test]
fn a_timer_without_time_emits_at_once() {
    let world = World::new();
    world.process(async |process| {
        let machine = process.start(&timer(json!({"seconds": 0, "message": 1}))).await.ended().await;
        assert_eq!((outputs(&machine), seconds(machine.ended_at)), (json!({"o": [1]}), seconds(machine.started_at)));
    });
}

#[test]
fn a_time_that_cannot_be_waited_for_fails_the_node() {
    let world = World::new();
    world.process(async |process| {
        let graph = timer(json!({"seconds": -1})).output("e").link("t.error", "e.value");
        let machine = process.start(&graph).await.ended().await;
        assert_eq!(outputs(&machine), json!({"e": ["that is no time to wait"]}));
    });
}

#[test]
fn a_stop_does_not_wait_for_timers() {
    let world = World::new();
    world.process(async |process| {
        let run = process.start(&timer(json!({"seconds": 500_000, "message": 1}))).await;
        idle().await;
        assert!(process.host.stop(run.id).await);
        assert_eq!(world.machine(run.id).status, Status::Terminated);
    });
}
