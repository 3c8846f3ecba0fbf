//! Runs that ask persons.

use crate::disk::Refusal;
use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{Process, World, emitted, idle, outputs};
use heddle_engine::journal::{Answer, Counts, Event, Review, ReviewStatus, Settings};
use heddle_engine::{AnswerError, Gauges};
use heddle_model::block::{AGENT_EXECUTOR, HUMAN_IN_THE_LOOP};
use heddle_model::{GraphId, RunId, Status, Value};
use serde_json::json;
use std::time::Duration;

/// What a person says to a review; `None` leaves it for later.
type Policy = fn(&Review) -> Option<Answer>;

fn yes() -> Answer {
    Answer { approved: true, data: None, message: None, future: false }
}

fn no(message: &str) -> Answer {
    Answer { approved: false, message: Some(message.to_owned()), ..yes() }
}

/// Puts what a node emits on this pin to a person.
fn reviewed(graph: Builder, from: &str) -> Builder {
    graph
        .node("r", HUMAN_IN_THE_LOOP, json!({"name": "Fine?"}))
        .output("yes")
        .output("no")
        .output("said")
        .link(from, "r.data")
        .link("r.approved_data", "yes.value")
        .link("r.rejected_data", "no.value")
        .link("r.review_message", "said.value")
}

fn items(items: &Value) -> Builder {
    graph().node("x", "each", json!({"items": items}))
}

/// Counts to three, asking each time.
fn round() -> Builder {
    reviewed(graph().node("zero", "echo", json!({"value": 0})), "zero.value")
        .node("c", "count", json!({"upto": 3}))
        .link("r.approved_data", "c.n")
        .link("c.next", "r.data")
}

/// Does something that leaves traces with each item.
fn sensitive() -> Builder {
    items(&json!([1, 2, 3]))
        .node("s", "sensitive", json!({}))
        .output("o")
        .output("e")
        .link("x.item", "s.value")
        .link("s.value", "o.value")
        .link("s.error", "e.value")
}

fn child() -> Builder {
    reviewed(numbered_graph(9).node("x", "each", json!({"items": ["a", "b"]})), "x.item")
}

fn parent() -> Builder {
    let id = GraphId::from_random([9; 16]).to_string();
    graph()
        .node("agent", AGENT_EXECUTOR, json!({"graph_id": id, "graph_version": 1}))
        .output("o")
        .link("agent.yes", "o.value")
}

fn careful() -> Settings {
    Settings { sensitive_action_safe_mode: true, ..Settings::default() }
}

async fn start(process: &Process, graph: &Builder, settings: Settings) -> RunId {
    let (run, prepared) = process.prepare(graph, |accepted| accepted.settings = settings);
    process.host.start(prepared).await.unwrap();
    run
}

fn waiting(world: &World, run: RunId) -> Vec<Review> {
    let reviews = world.disk.reviews(run).into_iter();
    reviews.filter(|review| review.status == ReviewStatus::Waiting).collect()
}

/// A person who answers whatever waits, until nothing does or the disk does not take it.
async fn attend(world: &World, process: &Process, policy: Policy) {
    for _ in 0..100 {
        idle().await;
        let in_review = |run: &RunId| world.disk.row(*run).status == Status::Review;
        let asks = world.disk.runs().into_iter().filter(in_review).find_map(|run| {
            let answers = waiting(world, run).into_iter();
            let answers: Vec<_> =
                answers.filter_map(|review| policy(&review).map(|answer| (review.index, answer))).collect();
            (!answers.is_empty()).then_some((run, answers))
        });
        let Some((run, answers)) = asks else { return };
        // A refusal is another matter: one asks again.
        let said = tokio::time::timeout(Duration::from_millis(100), process.host.answer(run, answers)).await;
        if said.is_err() {
            return;
        }
    }
    panic!("there is always something to answer");
}

/// Everything about a run and its children that must not depend on crashes and refusals.
fn told(world: &World, run: RunId) -> Value {
    let runs = world.disk.runs().into_iter().map(|run| {
        let machine = world.machine(run);
        assert_eq!(world.disk.row(run).counts, machine.counts, "the row agrees with the journal");
        let execs: Vec<Value> = machine
            .execs
            .iter()
            .map(|exec| json!([machine.plan.node(exec.node).id, exec.status, exec.input, exec.outputs]))
            .collect();
        let reviews: Vec<Value> = world
            .disk
            .reviews(run)
            .into_iter()
            .inspect(|review| assert_eq!(machine.review(review.index).as_ref(), Some(review)))
            .map(|review| {
                json!([
                    review.index,
                    review.status,
                    review.payload,
                    review.message,
                    review.was_edited,
                    review.processed
                ])
            })
            .collect();
        json!([machine.status, outputs(&machine), machine.counts, execs, reviews])
    });
    assert_eq!(world.disk.runs()[0], run);
    runs.collect()
}

struct Scenario {
    name: &'static str,
    graph: fn() -> Builder,
    settings: fn() -> Settings,
    policy: Policy,
    outputs: Value,
    /// An attempt that paused counts too.
    counts: Counts,
}

fn scenarios() -> Vec<Scenario> {
    let edits: Policy = |review| {
        Some(match review.payload.as_i64() {
            Some(1) => Answer { data: Some(json!({"edited": true})), message: Some("Better".to_owned()), ..yes() },
            Some(2) => no("Not this one"),
            _ => yes(),
        })
    };
    vec![
        Scenario {
            name: "edits",
            graph: || reviewed(items(&json!([1, 2, 3])), "x.item"),
            settings: Settings::default,
            policy: edits,
            outputs: json!({
                "yes": [{"edited": true}, 3],
                "said": ["Better", "Not this one", "Execution approved by reviewer"],
                "no": [2],
            }),
            counts: Counts { nodes: 1 + 3 + 6 + 3, errors: 0, cost: 6 },
        },
        Scenario {
            name: "again and again",
            graph: round,
            settings: Settings::default,
            policy: |_| Some(yes()),
            outputs: json!({"yes": [0, 1, 2, 3], "said": vec!["Execution approved by reviewer"; 4]}),
            counts: Counts { nodes: 1 + 4 + 4 + 8 + 4, errors: 0, cost: 8 },
        },
        Scenario {
            name: "all future ones",
            graph: round,
            settings: Settings::default,
            policy: |_| Some(Answer { future: true, ..yes() }),
            outputs: {
                let trusted = "Auto-approved (user approved all future actions for this node)";
                json!({"yes": [0, 1, 2, 3], "said": ["Execution approved by reviewer", trusted, trusted, trusted]})
            },
            counts: Counts { nodes: 1 + 4 + 4 + 8 + 1, errors: 0, cost: 8 },
        },
        Scenario {
            name: "sensitive",
            graph: sensitive,
            settings: careful,
            policy: |review| {
                Some(match review.payload["value"].as_i64() {
                    Some(1) => Answer { data: Some(json!({"value": "changed"})), ..yes() },
                    Some(2) => no("too risky"),
                    _ => yes(),
                })
            },
            outputs: json!({"o": ["changed", 3], "e": ["Block execution rejected by reviewer: too risky"]}),
            counts: Counts { nodes: 1 + 3 + 3 + 3, errors: 1, cost: 9 },
        },
        Scenario {
            name: "a child's",
            graph: parent,
            settings: Settings::default,
            policy: |review| Some(if review.payload == "a" { yes() } else { no("b is out") }),
            outputs: json!({"o": ["a"]}),
            // The agent node and one output here; x, two reviews, which paused, and four outputs there.
            counts: Counts { nodes: 2 + 1 + 2 + 2 + 4, errors: 0, cost: 4 },
        },
    ]
}

impl Scenario {
    fn world() -> World {
        let world = World::new();
        world.agents.add(&child().plan());
        world
    }

    /// Undisturbed: what is told, and how many commits it took.
    fn undisturbed(&self) -> (Value, usize) {
        let world = Self::world();
        let run = world.process(async |process| {
            let run = start(&process, &(self.graph)(), (self.settings)()).await;
            attend(&world, &process, self.policy).await;
            process.all_ended().await;
            run
        });
        let machine = world.machine(run);
        assert_eq!((outputs(&machine), machine.counts), (self.outputs.clone(), self.counts), "{}", self.name);
        assert_eq!(machine.status, Status::Completed, "{}", self.name);
        (told(&world, run), world.disk.frames().len())
    }
}

#[test]
fn a_crash_after_any_commit_changes_nothing() {
    for scenario in scenarios() {
        let (want, commits) = scenario.undisturbed();
        for commit in 1..commits {
            let world = Scenario::world();
            let run = world.process(async |process| {
                world.disk.fail_after(commit);
                let run = start(&process, &(scenario.graph)(), (scenario.settings)()).await;
                attend(&world, &process, scenario.policy).await;
                run
            });
            world.process(async |process| {
                process.resume();
                attend(&world, &process, scenario.policy).await;
                // A parent may have heard of its child only now.
                attend(&world, &process, scenario.policy).await;
                process.all_ended().await;
            });
            assert_eq!(told(&world, run), want, "{}: crash after {commit} of {commits}", scenario.name);
        }
    }
}

#[test]
fn a_refusal_of_any_commit_changes_nothing() {
    for scenario in scenarios() {
        let (want, commits) = scenario.undisturbed();
        for refusal in [Refusal::Clean, Refusal::ButKept] {
            for at in 1..commits {
                let world = Scenario::world();
                let run = world.process(async |process| {
                    world.disk.refuse_after(at, refusal);
                    let run = start(&process, &(scenario.graph)(), (scenario.settings)()).await;
                    // Whoever lost the journal reads it again after a second.
                    for _ in 0..5 {
                        attend(&world, &process, scenario.policy).await;
                        tokio::time::sleep(Duration::from_secs(2)).await;
                    }
                    process.all_ended().await;
                    run
                });
                assert_eq!(told(&world, run), want, "{}: {refusal:?} {at} of {commits}", scenario.name);
            }
        }
    }
}

#[test]
fn a_run_in_review_takes_up_nothing_and_waits_out_a_crash() {
    let world = World::new();
    let run = world.process(async |process| {
        let run = start(&process, &reviewed(items(&json!([1])), "x.item"), Settings::default()).await;
        idle().await;
        assert_eq!(process.host.gauges(), Gauges { unfinished: 1, driven: 0, queued: 0 });
        run
    });
    let machine = world.machine(run);
    assert_eq!((world.disk.row(run).status, machine.status), (Status::Review, Status::Review));
    assert_eq!((machine.execs[1].status, machine.ended_at), (Status::Review, None));
    assert_eq!(emitted(&machine, "r"), [] as [Value; 0]);
    let review = &waiting(&world, run)[0];
    assert_eq!((&review.payload, review.instructions.as_deref()), (&json!(1), Some("Fine?")));
    assert_eq!((review.exec, review.run, review.editable), (machine.exec_id(1), run, true));
    world.process(async |process| {
        process.resume();
        idle().await;
        assert_eq!(process.host.gauges(), Gauges { unfinished: 1, driven: 0, queued: 0 });
        process.host.answer(run, vec![(1, yes())]).await.unwrap();
        process.all_ended().await;
    });
    assert_eq!(world.outputs(run), json!({"yes": [1], "said": ["Execution approved by reviewer"]}));
    assert_eq!(world.disk.reviews(run)[0].status, ReviewStatus::Approved);
    assert!(world.disk.reviews(run)[0].processed);
}

#[test]
fn an_answer_that_was_taken_is_not_asked_for_again_after_a_crash() {
    let world = World::new();
    let run = world.process(async |process| {
        let run = start(&process, &reviewed(items(&json!([1])), "x.item"), Settings::default()).await;
        idle().await;
        world.disk.fail_after(1);
        process.host.answer(run, vec![(1, no("never"))]).await.unwrap();
        idle().await;
        run
    });
    assert_eq!(world.disk.row(run).status, Status::Queued);
    assert!(!world.disk.reviews(run)[0].processed);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    assert_eq!(world.outputs(run), json!({"no": [1], "said": ["never"]}));
    assert_eq!(world.machine(run).counts, Counts { nodes: 5, errors: 0, cost: 2 });
}

#[test]
fn while_one_review_waits_the_run_does_too() {
    let world = World::new();
    world.process(async |process| {
        let run = start(&process, &reviewed(items(&json!([1, 2])), "x.item"), Settings::default()).await;
        idle().await;
        process.host.answer(run, vec![(2, yes())]).await.unwrap();
        idle().await;
        assert_eq!(world.disk.row(run).status, Status::Review);
        assert_eq!(process.host.gauges(), Gauges { unfinished: 1, driven: 0, queued: 0 });
        let reviews = world.disk.reviews(run);
        let told: Vec<_> = reviews.iter().map(|review| (review.status, review.processed)).collect();
        assert_eq!(told, [(ReviewStatus::Waiting, false), (ReviewStatus::Approved, false)]);
        assert_eq!(world.outputs(run), json!({}));
        process.host.answer(run, vec![(1, yes())]).await.unwrap();
        process.all_ended().await;
        assert_eq!(world.outputs(run)["yes"], json!([1, 2]), "in the order of the executions");
    });
}

#[test]
fn answers_are_taken_all_or_none_and_only_when_asked_for() {
    let world = World::new();
    world.process(async |process| {
        let graph = reviewed(items(&json!([1, 2])), "x.item").node("g", "read", json!({"value": 0, "gate": "g"}));
        let run = start(&process, &graph, Settings::default()).await;
        idle().await;
        let answer = async |answers| process.host.answer(run, answers).await;
        let is_first = world.machine(run).execs.iter().position(|exec| exec.status == Status::Review);
        let first = u32::try_from(is_first.unwrap()).unwrap();
        assert_eq!(answer(vec![(first, yes())]).await, Err(AnswerError::NotInReview(Status::Running)));
        world.blocks.open("g", 1);
        idle().await;
        assert_eq!(answer(vec![(first, yes()), (0, yes())]).await, Err(AnswerError::NotWaiting(0)));
        assert_eq!(answer(vec![(first, yes()), (99, yes())]).await, Err(AnswerError::NotWaiting(99)));
        assert_eq!(waiting(&world, run).len(), 2, "nothing of a refused batch is taken");
        assert_eq!(answer(vec![(first, yes())]).await, Ok(()));
        assert_eq!(answer(vec![(first, yes())]).await, Ok(()), "the same again");
        assert_eq!(answer(vec![(first, no("")), (first + 1, yes())]).await, Err(AnswerError::Decided(first)));
        assert_eq!(waiting(&world, run).len(), 1);
        let said = |entry: &heddle_engine::journal::Entry| matches!(entry.what, Event::ReviewAnswered { .. });
        assert_eq!(world.disk.entries(run).iter().filter(|entry| said(entry)).count(), 1);
        assert_eq!(answer(vec![(first + 1, yes())]).await, Ok(()));
        process.all_ended().await;
        assert_eq!(answer(vec![(first, yes())]).await, Err(AnswerError::Missing));
        assert_eq!(process.host.answer(RunId::from_random([9; 16]), Vec::new()).await, Err(AnswerError::Missing));
    });
}

#[test]
fn without_safe_mode_nobody_is_asked() {
    let world = World::new();
    world.process(async |process| {
        let settings = Settings { human_in_the_loop_safe_mode: false, ..Settings::default() };
        let run = start(&process, &reviewed(items(&json!([1])), "x.item"), settings).await;
        process.all_ended().await;
        assert_eq!(world.outputs(run), json!({"yes": [1], "said": ["Auto-approved (safe mode disabled)"]}));
        assert!(world.disk.reviews(run).is_empty());
        assert_eq!(world.disk.frames().len(), 1);

        let run = start(&process, &sensitive(), Settings::default()).await;
        process.all_ended().await;
        assert_eq!(world.outputs(run), json!({"o": [1, 2, 3]}));
        assert!(world.disk.reviews(run).is_empty());
    });
}

#[test]
fn a_sensitive_block_begins_only_when_it_is_let_and_leaves_one_trace() {
    let world = World::new();
    world.process(async |process| {
        let run = start(&process, &sensitive(), careful()).await;
        idle().await;
        assert!(world.blocks.starts("sensitive").is_empty());
        let review = &waiting(&world, run)[0];
        assert_eq!((&review.payload, review.editable), (&json!({"value": 1}), true));
        assert_eq!(review.instructions.as_deref(), Some("Review required for SensitiveBlock execution"));
        let all = Answer { future: true, ..yes() };
        process.host.answer(run, vec![(1, all), (2, no("no")), (3, yes())]).await.unwrap();
        process.all_ended().await;
        assert_eq!(world.blocks.starts("sensitive").len(), 2);
        assert_eq!(world.outputs(run)["o"], json!([1, 3]));
    });
}

#[test]
fn a_parent_goes_on_running_while_its_child_asks() {
    let world = Scenario::world();
    world.process(async |process| {
        let run = start(&process, &parent(), Settings::default()).await;
        tokio::time::sleep(Duration::from_secs(40)).await;
        let child = world.disk.runs()[1];
        assert_eq!((world.disk.row(run).status, world.disk.row(child).status), (Status::Running, Status::Review));
        assert_eq!(process.host.gauges(), Gauges { unfinished: 2, driven: 0, queued: 0 }, "neither takes up anything");
        process.host.answer(child, vec![(1, yes()), (2, yes())]).await.unwrap();
        process.all_ended().await;
        assert_eq!(world.outputs(run), json!({"o": ["a", "b"]}));
    });
}

#[test]
fn whether_an_agent_may_be_run_is_asked_when_its_turn_comes() {
    let world = Scenario::world();
    world.process(async |process| {
        let id = GraphId::from_random([9; 16]);
        let graph = reviewed(items(&json!([1])), "x.item")
            .node("agent", AGENT_EXECUTOR, json!({"graph_id": id.to_string(), "graph_version": 1}))
            .output("e")
            .link("r.approved_data", "agent.x")
            .link("agent.error", "e.value");
        let run = start(&process, &graph, Settings::default()).await;
        idle().await;
        world.agents.refuse(id, "not yours any more");
        process.host.answer(run, vec![(1, yes())]).await.unwrap();
        process.all_ended().await;
        assert_eq!(world.outputs(run)["e"], json!(["not yours any more"]));
        assert_eq!(world.disk.runs(), [run]);
    });
}

#[test]
fn nobody_is_told_of_an_end_before_the_answer() {
    let world = World::new();
    world.process(async |process| {
        let url = "https://example.org/ended";
        let (run, prepared) = process.prepare(&reviewed(items(&json!([1])), "x.item"), |accepted| {
            accepted.callback_url = Some(url.to_owned());
        });
        process.host.start(prepared).await.unwrap();
        idle().await;
        assert_eq!((world.disk.row(run).status, world.disk.callbacks()), (Status::Review, Vec::new()));
        process.host.answer(run, vec![(1, yes())]).await.unwrap();
        process.all_ended().await;
        assert_eq!(world.disk.callbacks(), [(run, url.to_owned())]);
    });
}

#[test]
fn a_stop_in_review_answers_what_nobody_has() {
    for is_child in [false, true] {
        for is_restarted in [false, true] {
            let world = Scenario::world();
            let begin = async |process: &Process| {
                let graph = if is_child { parent() } else { reviewed(items(&json!([1, 2])), "x.item") };
                let run = start(process, &graph, Settings::default()).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
                let asking = *world.disk.runs().last().unwrap();
                process.host.answer(asking, vec![(1, yes())]).await.unwrap();
                idle().await;
                (run, asking)
            };
            let stop = async |process: &Process, run| {
                assert!(process.host.stop(run).await);
                process.all_ended().await;
            };
            let (run, asking) = match is_restarted {
                false => world.process(async |process| {
                    let (run, asking) = begin(&process).await;
                    stop(&process, run).await;
                    (run, asking)
                }),
                true => {
                    let (run, asking) = world.process(async |process| begin(&process).await);
                    world.process(async |process| {
                        process.resume();
                        stop(&process, run).await;
                    });
                    (run, asking)
                }
            };
            let statuses = [run, asking].map(|run| world.disk.row(run).status);
            assert_eq!(statuses, [Status::Terminated; 2]);
            let machine = world.machine(asking);
            assert_eq!((machine.execs[1].status, machine.execs[2].status), (Status::Terminated, Status::Terminated));
            let reviews = world.disk.reviews(asking);
            assert!(reviews.iter().all(|review| review.processed && review.reviewed_at.is_some()));
            let told: Vec<_> = reviews.iter().map(|review| (review.status, review.message.as_deref())).collect();
            let stopped = Some("Execution was stopped by user");
            assert_eq!(told, [(ReviewStatus::Approved, None), (ReviewStatus::Rejected, stopped)]);
        }
    }
}

#[test]
fn a_run_whose_graph_is_gone_asks_nobody_any_more() {
    let world = World::new();
    let run = world.process(async |process| {
        let run = start(&process, &reviewed(items(&json!([1, 2])), "x.item"), Settings::default()).await;
        idle().await;
        process.host.answer(run, vec![(2, yes())]).await.unwrap();
        idle().await;
        run
    });
    world.agents.lose(world.machine(run).plan.graph);
    world.process(async |process| {
        process.resume();
        // It is parked; whoever answers finds out.
        assert_eq!(process.host.answer(run, vec![(1, yes())]).await, Err(AnswerError::Missing));
        process.all_ended().await;
    });
    let told: Vec<_> =
        world.disk.reviews(run).into_iter().map(|review| (review.status, review.processed, review.message)).collect();
    let stopped = Some("Execution was stopped by user".to_owned());
    assert_eq!(told, [(ReviewStatus::Rejected, true, stopped), (ReviewStatus::Approved, true, None)]);
    let (row, machine) = (world.disk.row(run), world.machine(run));
    assert_eq!((row.status, row.counts), (Status::Failed, machine.counts));
    for review in world.disk.reviews(run) {
        assert_eq!(machine.review(review.index), Some(review), "as if its graph had been there");
    }
}
