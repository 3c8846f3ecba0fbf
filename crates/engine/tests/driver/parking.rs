//! Runs that wait long leave memory, and whatever they wait for brings them back.

use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{Process, World, idle, outputs};
use heddle_engine::journal::{Answer, Parked, ReviewStatus};
use heddle_engine::{AnswerError, Gauges};
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP};
use heddle_model::{GraphId, RunId, Status, Time};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const HOUR: u64 = 3600;
/// Longer than a run stays in memory whose children are parked.
const GRACE: Duration = Duration::from_secs(2);

/// What a run may wait for, each of which ends in a value of `o`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wait {
    Delay(u64),
    /// A child that waits so long.
    Child(u64),
    /// A child that asks a person.
    AskingChild,
    Review,
}

use Wait::{AskingChild, Child, Delay, Review};

fn timer(seconds: u64, message: &str) -> serde_json::Value {
    json!({"seconds": seconds, "message": message})
}

fn agent(number: u8) -> serde_json::Value {
    json!({"graph_id": GraphId::from_random([number; 16]).to_string(), "graph_version": 1})
}

/// A run that waits for all of these at once.
fn waiting(world: &World, waits: &[Wait]) -> Builder {
    waits.iter().fold(graph().output("o"), |graph, wait| match wait {
        Delay(seconds) => {
            graph.node("t", COUNTDOWN_TIMER, timer(*seconds, "delay")).link("t.output_message", "o.value")
        }
        Child(seconds) => {
            let child = numbered_graph(8).node("t", COUNTDOWN_TIMER, timer(*seconds, "child")).output("y");
            world.agents.add(&child.link("t.output_message", "y.value").plan());
            graph.node("c", AGENT_EXECUTOR, agent(8)).link("c.y", "o.value")
        }
        AskingChild => {
            let child = numbered_graph(9).node("r", HUMAN_IN_THE_LOOP, json!({"data": "asked"})).output("y");
            world.agents.add(&child.link("r.approved_data", "y.value").plan());
            graph.node("a", AGENT_EXECUTOR, agent(9)).link("a.y", "o.value")
        }
        Review => graph.node("r", HUMAN_IN_THE_LOOP, json!({"data": "review"})).link("r.approved_data", "o.value"),
    })
}

fn yes() -> Answer {
    Answer { approved: true, data: None, message: None, future: false }
}

/// Starts a run that waits, and stays until nobody drives it.
async fn park(world: &World, process: &Process, waits: &[Wait]) -> RunId {
    let run = process.start(&waiting(world, waits)).await.id;
    tokio::time::sleep(GRACE).await;
    assert_parked(world, process);
    run
}

/// All runs are parked: on disk, and nowhere else.
fn assert_parked(world: &World, process: &Process) {
    let runs = world.disk.runs();
    let left: Vec<_> = runs.into_iter().filter(|run| world.disk.row(*run).ended_at.is_none()).collect();
    assert_eq!(process.host.gauges(), Gauges { unfinished: left.len(), driven: 0, queued: 0 });
    assert_eq!(process.host.gauges().parked(), left.len());
    for run in left {
        assert!(world.disk.row(run).parked.is_some(), "{run} says that it is parked");
    }
}

/// The only run below another one.
fn child(world: &World) -> RunId {
    world.disk.runs()[1]
}

fn parked(world: &World, run: RunId) -> Parked {
    world.disk.row(run).parked.expect("it is parked")
}

/// Says yes to whatever is asked; how many runs took it.
async fn approve(world: &World, process: &Process) -> usize {
    let mut taken = 0;
    for run in world.disk.runs() {
        let asked = world.disk.reviews(run).into_iter().filter(|review| review.status == ReviewStatus::Waiting);
        let answers: Vec<_> = asked.map(|review| (review.index, yes())).collect();
        if !answers.is_empty() {
            taken += usize::from(process.host.answer(run, answers).await.is_ok());
        }
    }
    taken
}

/// Seconds from the start of a run to its end.
fn lasted(world: &World, run: RunId) -> i64 {
    let machine = world.machine(run);
    machine.ended_at.unwrap().unix() - machine.started_at.unwrap().unix()
}

#[test]
fn a_run_that_waits_for_a_delay_is_parked_until_then() {
    let world = World::new();
    world.process(async |process| {
        let run = park(&world, &process, &[Delay(HOUR)]).await;
        let began = world.machine(run).started_at.unwrap();
        let until = Time(began.0 + HOUR as i64 * 1_000_000);
        assert_eq!(parked(&world, run), Parked { wake_at: Some(until), awaits: Vec::new() });
        assert_eq!(world.disk.row(run).status, Status::Running);
        tokio::time::sleep(Duration::from_secs(HOUR - 3)).await;
        assert_parked(&world, &process);
        process.all_ended().await;
        assert_eq!((world.outputs(run), lasted(&world, run)), (json!({"o": ["delay"]}), HOUR as i64));
    });
}

#[test]
fn the_rest_of_a_delay_that_is_not_worth_it_is_waited_for_in_memory() {
    let world = World::new();
    world.process(async |process| {
        let run = park(&world, &process, &[Review, Delay(10)]).await;
        tokio::time::sleep(Duration::from_millis(9_500) - GRACE).await;
        assert_parked(&world, &process);
        // Nobody is asked yet, and this wakes it.
        assert_eq!(approve(&world, &process).await, 0);
        assert_eq!(process.host.gauges().driven, 1);
        attend(&world, &process).await;
        assert_whole(&world, run, &[Review, Delay(10)]);
    });
}

#[test]
fn every_round_of_a_timer_parks_anew() {
    let world = World::new();
    world.process(async |process| {
        let rounds = json!({"seconds": HOUR, "repeat": 3, "message": 1});
        let graph = graph().node("t", COUNTDOWN_TIMER, rounds).output("o").link("t.output_message", "o.value");
        let run = process.start(&graph).await.id;
        for round in 0..3 {
            tokio::time::sleep(GRACE).await;
            assert_parked(&world, &process);
            assert_eq!(world.machine(run).execs[0].outputs.len(), round);
            tokio::time::sleep(Duration::from_secs(HOUR) - GRACE).await;
            idle().await;
        }
        process.all_ended().await;
        assert_eq!((world.outputs(run), lasted(&world, run)), (json!({"o": [1, 1, 1]}), 3 * HOUR as i64));
    });
}

#[test]
fn a_run_whose_child_is_parked_is_parked_too_and_wakes_with_it() {
    let world = World::new();
    world.process(async |process| {
        let run = park(&world, &process, &[Child(HOUR)]).await;
        let Parked { wake_at, awaits } = parked(&world, run);
        assert_eq!((wake_at, awaits.len(), awaits[0].0), (None, 1, child(&world)));
        assert!(parked(&world, child(&world)).wake_at.is_some());
        process.all_ended().await;
        assert_eq!((world.outputs(run), lasted(&world, run)), (json!({"o": ["child"]}), HOUR as i64));
    });
}

#[test]
fn a_run_that_waits_for_a_person_is_parked_without_end() {
    let world = World::new();
    world.process(async |process| {
        let run = park(&world, &process, &[Review]).await;
        assert_eq!((parked(&world, run), world.disk.row(run).status), (Parked::default(), Status::Review));
        tokio::time::sleep(Duration::from_secs(1000 * HOUR)).await;
        assert_parked(&world, &process);
        assert_eq!(approve(&world, &process).await, 1);
        process.all_ended().await;
        assert_eq!(world.outputs(run), json!({"o": ["review"]}));
    });
}

#[test]
fn an_answer_to_a_child_wakes_its_parent() {
    let world = World::new();
    world.process(async |process| {
        let run = park(&world, &process, &[AskingChild]).await;
        assert_eq!(world.disk.row(run).status, Status::Running);
        assert_eq!(approve(&world, &process).await, 1);
        let before = Instant::now();
        process.all_ended().await;
        assert!(before.elapsed() < Duration::from_secs(1), "nobody waits for anything");
        assert_eq!(world.outputs(run), json!({"o": ["asked"]}));
    });
}

#[test]
fn of_two_things_each_wakes_it_and_meanwhile_it_is_parked_for_the_other() {
    for (waits, order) in
        [([Delay(HOUR), Child(3 * HOUR)], ["delay", "child"]), ([Delay(3 * HOUR), Child(HOUR)], ["child", "delay"])]
    {
        let world = World::new();
        world.process(async |process| {
            let run = park(&world, &process, &waits).await;
            let both = parked(&world, run);
            assert_eq!((both.wake_at.is_some(), both.awaits.len()), (true, 1));
            // Who follows a child that was parked before hears that it is.
            tokio::time::sleep(Duration::from_secs(HOUR) + GRACE).await;
            assert_parked(&world, &process);
            assert_eq!(world.outputs(run), json!({"o": [order[0]]}));
            let one = parked(&world, run);
            assert_eq!((one.wake_at.is_some(), one.awaits.is_empty()), (order[1] == "delay", order[1] == "delay"));
            process.all_ended().await;
            assert_eq!((world.outputs(run), lasted(&world, run)), (json!({"o": order}), 3 * HOUR as i64));
        });
    }
}

#[test]
fn a_person_who_answers_before_the_delay_is_over_is_told_so_and_may_come_again() {
    let world = World::new();
    world.process(async |process| {
        let run = park(&world, &process, &[Review, Delay(HOUR)]).await;
        let asked = world.disk.reviews(run)[0].index;
        let early = process.host.answer(run, vec![(asked, yes())]).await;
        assert_eq!(early, Err(AnswerError::NotInReview(Status::Running)));
        idle().await;
        assert_parked(&world, &process);
        tokio::time::sleep(Duration::from_secs(HOUR)).await;
        assert_parked(&world, &process);
        assert_eq!((parked(&world, run), world.disk.row(run).status), (Parked::default(), Status::Review));
        assert_eq!(approve(&world, &process).await, 1);
        process.all_ended().await;
        assert_eq!(world.outputs(run), json!({"o": ["delay", "review"]}));
    });
}

/// Everything that a run can be parked by, alone and together.
fn all_waits() -> Vec<Vec<Wait>> {
    let alone = [Delay(HOUR), Child(HOUR), AskingChild, Review];
    let pairs = alone.iter().flat_map(|first| alone.iter().map(move |second| (*first, *second)));
    let pairs = pairs.filter(|(first, second)| first != second).map(|(first, second)| vec![first, second]);
    alone.iter().map(|wait| vec![*wait]).chain(pairs).collect()
}

#[test]
fn a_parked_run_is_stopped_at_once_with_all_below_it() {
    for waits in all_waits() {
        let world = World::new();
        world.process(async |process| {
            let run = park(&world, &process, &waits).await;
            let before = Instant::now();
            assert!(process.host.stop(run).await, "{waits:?}");
            assert_eq!(before.elapsed().as_millis(), 0, "{waits:?}");
            for run in world.disk.runs() {
                assert_eq!(world.machine(run).status, Status::Terminated, "{waits:?}");
                assert!(world.disk.reviews(run).iter().all(|review| review.status == ReviewStatus::Rejected));
                assert_eq!(world.disk.row(run).parked, None);
            }
            assert!(!process.host.stop(run).await, "{waits:?}: it is over");
            process.all_ended().await;
        });
    }
}

#[test]
fn a_parked_run_stopped_after_a_restart_ends_with_all_below_it() {
    for waits in all_waits() {
        let world = World::new();
        let run = world.process(async |process| park(&world, &process, &waits).await);
        world.process(async |process| {
            process.resume();
            assert!(process.host.stop(run).await, "{waits:?}");
            process.all_ended().await;
            let statuses: Vec<_> = world.disk.runs().iter().map(|run| world.machine(*run).status).collect();
            assert!(statuses.iter().all(|status| *status == Status::Terminated), "{waits:?}: {statuses:?}");
        });
    }
}

/// What the run comes to, in whatever order.
fn assert_whole(world: &World, run: RunId, waits: &[Wait]) {
    let name = |wait: &Wait| match wait {
        Delay(_) => "delay",
        Child(_) => "child",
        AskingChild => "asked",
        Review => "review",
    };
    let mut want: Vec<_> = waits.iter().map(name).collect();
    let machine = world.machine(run);
    let told = outputs(&machine);
    let mut got: Vec<_> = told["o"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
    want.sort_unstable();
    got.sort_unstable();
    assert_eq!((got, machine.status, machine.counts.errors), (want, Status::Completed, 0), "{waits:?}");
}

/// Answers whatever is asked until all have ended.
async fn attend(world: &World, process: &Process) {
    while process.host.gauges() != Gauges::default() {
        approve(world, process).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    process.all_ended().await;
}

#[test]
fn a_restart_leaves_parked_runs_parked_and_each_is_woken_as_before() {
    for waits in all_waits() {
        // Before its time, and long after.
        for down in [10, 10 * HOUR as i64] {
            let world = World::new();
            let run = world.process(async |process| park(&world, &process, &waits).await);
            world.pass(down);
            world.process(async |process| {
                process.resume();
                if down < HOUR as i64 {
                    idle().await;
                    assert_parked(&world, &process);
                }
                attend(&world, &process).await;
                assert_whole(&world, run, &waits);
                if down < HOUR as i64 && waits == [Child(HOUR)] {
                    assert_eq!(lasted(&world, run), HOUR as i64);
                }
            });
        }
    }
}

#[test]
fn a_parent_whose_child_ended_while_no_process_heard_it_is_woken_at_the_next_start() {
    let mut unheard = 0;
    for commits in 1..6 {
        let world = World::new();
        let run = world.process(async |process| {
            let run = park(&world, &process, &[AskingChild]).await;
            // The answer, and some of what follows from it, are the last things that reach the disk.
            world.disk.fail_after(commits);
            approve(&world, &process).await;
            idle().await;
            run
        });
        let has_ended = world.disk.row(child(&world)).ended_at.is_some();
        unheard += usize::from(has_ended && world.disk.row(run).parked.is_some());
        world.process(async |process| {
            process.resume();
            attend(&world, &process).await;
            assert_whole(&world, run, &[AskingChild]);
        });
    }
    assert!(unheard > 0, "some moment is the one after the child's end and before its parent's next frame");
}

#[test]
fn a_stop_in_the_moment_of_parking_is_not_lost() {
    for waits in all_waits() {
        for released in 0..8 {
            let world = World::new();
            world.process(async |process| {
                world.disk.hold();
                let run = process.start_aside(&waiting(&world, &waits));
                for _ in 0..released {
                    tokio::time::sleep(Duration::from_millis(600)).await;
                    world.disk.release_one();
                }
                let host = process.host.clone();
                let stop = tokio::spawn(async move { host.stop(run).await });
                idle().await;
                world.disk.release();
                assert!(stop.await.unwrap(), "{waits:?} {released}");
                process.all_ended().await;
                let ends = world.disk.runs().into_iter().map(|run| world.machine(run).status);
                assert!(ends.into_iter().all(|status| status == Status::Terminated), "{waits:?} {released}");
            });
        }
    }
}

#[test]
fn an_answer_in_the_moment_of_parking_is_not_lost() {
    for waits in [vec![Review], vec![AskingChild], vec![Review, AskingChild]] {
        for released in 1..10 {
            let world = World::new();
            world.process(async |process| {
                world.disk.hold();
                let run = process.start_aside(&waiting(&world, &waits));
                for _ in 0..released {
                    tokio::time::sleep(Duration::from_millis(600)).await;
                    world.disk.release_one();
                }
                // Whoever is asked answers while the frame that parks the run, or another one, is on its way.
                let asked = world.disk.runs().into_iter().flat_map(|run| world.disk.reviews(run));
                let answers = asked.map(|review| {
                    let host = process.host.clone();
                    tokio::spawn(async move { host.answer(review.run, vec![(review.index, yes())]).await })
                });
                let answers: Vec<_> = answers.collect();
                idle().await;
                world.disk.release();
                for answer in answers {
                    answer.await.unwrap().ok();
                }
                attend(&world, &process).await;
                assert_whole(&world, run, &waits);
            });
        }
    }
}

#[test]
fn a_time_that_comes_in_the_moment_of_parking_is_not_slept_through() {
    for waits in [vec![Delay(3)], vec![Child(3)], vec![Delay(3), Child(4)]] {
        // The disk stands still from some moment on, past the end of the delay.
        for moment in 0..50 {
            let world = World::new();
            world.process(async |process| {
                let mut run = process.start(&waiting(&world, &waits)).await;
                tokio::time::sleep(Duration::from_millis(moment * 100)).await;
                world.disk.hold();
                tokio::time::sleep(Duration::from_secs(5)).await;
                world.disk.release();
                let before = Instant::now();
                run.ended().await;
                assert!(before.elapsed() < Duration::from_secs(2), "{waits:?} {moment}: {:?}", before.elapsed());
                process.all_ended().await;
                assert_whole(&world, run.id, &waits);
            });
        }
    }
}

#[test]
fn whoever_follows_a_run_only_once_it_is_parked_hears_of_its_end() {
    for waits in all_waits() {
        let world = World::new();
        world.process(async |process| {
            let run = park(&world, &process, &waits).await;
            let mut late = process.host.watch(run).unwrap();
            assert!(late.borrow().ended.is_none());
            let follower = tokio::spawn(async move {
                let end = late.wait_for(|progress| progress.ended.is_some()).await.unwrap();
                end.ended.clone().unwrap().status
            });
            attend(&world, &process).await;
            assert_eq!(follower.await.unwrap(), Status::Completed, "{waits:?}");
            assert_whole(&world, run, &waits);
        });
    }
}

#[test]
fn parked_runs_hold_no_places() {
    let world = World::with(heddle_engine::Limits { running_runs: 1, ..Default::default() });
    world.process(async |process| {
        for _ in 0..5 {
            park(&world, &process, &[Delay(HOUR)]).await;
        }
        let mut quick = process.start(&graph().node("e", "echo", json!({"value": 1}))).await;
        quick.ended().await;
        assert_eq!(process.host.gauges().parked(), 5);
        process.all_ended().await;
        assert!(world.disk.runs().iter().all(|run| lasted(&world, *run) <= HOUR as i64));
    });
}
