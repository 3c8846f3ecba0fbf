//! Agents that run agents.

use crate::disk::Refusal;
use crate::made_up::{Builder, graph, numbered_graph};
use crate::world::{World, emitted, idle, outputs};
use heddle_engine::journal::{Counts, Event};
use heddle_engine::{Gauges, Limits};
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER};
use heddle_model::{GraphId, NodeExecId, RunId, Status};
use serde_json::{Value, json};
use std::time::Duration;

fn id(number: u8) -> String {
    GraphId::from_random([number; 16]).to_string()
}

fn agent(number: u8, inputs: Value) -> Value {
    json!({"graph_id": id(number), "graph_version": 1, "inputs": inputs})
}

/// Emits each of its items, one at a time through a gate, as `v=…` on `y`.
fn trickling() -> Builder {
    numbered_graph(9)
        .node("xs", "input", json!({"name": "xs"}))
        .node("t", "trickle", json!({"gate": "g"}))
        .node("y", "output", json!({"name": "y", "format": "v="}))
        .fixed("xs.result", "t.items")
        .link("t.item", "y.value")
}

/// Runs that agent on 1, 2, 3; what it emits goes to `o`, its failure to `e`.
fn parent() -> Builder {
    graph()
        .node("agent", AGENT_EXECUTOR, agent(9, json!({"xs": [1, 2, 3]})))
        .output("o")
        .output("e")
        .link("agent.y", "o.value")
        .link("agent.error", "e.value")
}

#[test]
fn outputs_arrive_while_the_child_runs() {
    let world = World::new();
    world.process(async |process| {
        world.agents.add(&trickling().plan());
        let mut run = process.start(&parent()).await;
        for passed in 0..3_usize {
            idle().await;
            let so_far: Vec<String> = (1..=passed).map(|item| format!("v={item}")).collect();
            let got = world.outputs(run.id).get("o").cloned().unwrap_or(json!([]));
            assert_eq!((got, world.machine(run.id).status), (json!(so_far), Status::Running));
            world.blocks.open("g", 1);
        }
        let machine = run.ended().await;
        assert_eq!(outputs(&machine), json!({"o": ["v=1", "v=2", "v=3"]}));
        assert_eq!(world.outputs(world.disk.runs()[1]), json!({"y": [1, 2, 3]}), "the child keeps the raw values");
        // The agent node and three outputs here; xs, t and three outputs there.
        assert_eq!(
            (machine.counts, machine.execs[0].status),
            (Counts { nodes: 9, errors: 0, cost: 0 }, Status::Completed)
        );
    });
}

#[test]
fn a_child_knows_where_it_comes_from() {
    let world = World::new();
    world.process(async |process| {
        world.agents.add(&trickling().plan());
        world.blocks.open("g", 9);
        let graph = graph()
            .node("a", "each", json!({"items": [[7]]}))
            .node("agent", AGENT_EXECUTOR, agent(9, json!({"xs": [1], "other": 2})))
            .link("a.item", "agent.xs");
        let (run, prepared) = process.prepare(&graph, |accepted| {
            accepted.credentials.insert("key".to_owned(), json!({"id": "c"}));
            accepted.masks.insert("y".to_owned(), json!({"format": "masked="}));
            accepted.settings.time_zone = Some("Europe/Zurich".to_owned());
        });
        process.host.start(prepared).await.unwrap();
        process.all_ended().await;
        let machine = world.machine(run);
        let child = world.machine(world.disk.runs()[1]);
        let (ours, theirs) = (machine.accepted.as_ref().unwrap(), child.accepted.as_ref().unwrap());
        assert_eq!(theirs.inputs, *json!({"xs": [7], "other": 2}).as_object().unwrap());
        assert_eq!((&theirs.credentials, &theirs.masks), (&ours.credentials, &ours.masks));
        assert_eq!((theirs.owner, theirs.root, theirs.depth), (ours.owner, run, 1));
        assert_eq!((theirs.parent.unwrap().run, theirs.parent.unwrap().exec), (run, 1));
        assert_eq!(theirs.settings, ours.settings);
        assert_eq!(child.run, RunId::child_of(NodeExecId::nth(run, 1)));
        assert_eq!(emitted(&machine, "agent"), [json!("masked=7")]);
    });
}

#[test]
fn each_execution_has_a_child_and_their_outputs_keep_their_order() {
    let world = World::new();
    world.process(async |process| {
        let child = numbered_graph(9)
            .node("x", "input", json!({"name": "x"}))
            .node("r", "read", json!({"gate": "g"}))
            .output("y")
            .fixed("x.result", "r.value")
            .link("r.value", "y.value");
        world.agents.add(&child.plan());
        let graph = graph()
            .node("a", "each", json!({"items": [1, 2, 3, 4]}))
            .node("agent", AGENT_EXECUTOR, agent(9, json!({})))
            .output("o")
            .link("a.item", "agent.x")
            .link("agent.y", "o.value");
        let mut run = process.start(&graph).await;
        idle().await;
        assert_eq!((world.blocks.alive(), world.disk.runs().len()), (4, 5));
        world.blocks.open("g", 4);
        let machine = run.ended().await;
        assert_eq!((outputs(&machine), machine.counts.nodes), (json!({"o": [1, 2, 3, 4]}), 1 + 4 + 4 + 4 * 3));
    });
}

#[test]
fn children_need_no_place_of_their_own() {
    let world = World::with(Limits { running_runs: 1, queued_runs: 1, ..Limits::default() });
    world.process(async |process| {
        world.agents.add(&trickling().plan());
        world.blocks.open("g", 9);
        assert_eq!(process.start(&parent()).await.outputs().await, json!({"o": ["v=1", "v=2", "v=3"]}));
    });
}

#[test]
fn a_child_that_was_stopped_fails_the_node_and_its_outputs_stay() {
    let world = World::new();
    world.process(async |process| {
        world.agents.add(&trickling().plan());
        let mut run = process.start(&parent()).await;
        world.blocks.open("g", 1);
        idle().await;
        assert!(process.host.stop(world.disk.runs()[1]).await);
        let machine = run.ended().await;
        assert_eq!(outputs(&machine), json!({"o": ["v=1"], "e": ["the agent's run ended TERMINATED"]}));
        assert_eq!((machine.status, machine.execs[0].status), (Status::Completed, Status::Failed));
        assert_eq!(emitted(&machine, "agent").len(), 2);
        // The agent node, `o` and `e` here; xs, t and y there.
        assert_eq!(machine.counts, Counts { nodes: 6, errors: 1, cost: 0 });
    });
}

#[test]
fn a_child_that_failed_fails_the_node_with_its_text() {
    let world = World::new();
    let run = world.process(async |process| {
        world.agents.add(&trickling().plan());
        let run = process.start(&parent()).await;
        world.blocks.open("g", 2);
        idle().await;
        run.id
    });
    let counts = Counts { nodes: 3, errors: 1, cost: 0 };
    let failed = Event::RunEnded { status: Status::Failed, error: Some("the graph is gone".to_owned()), counts };
    world.disk.write(world.disk.runs()[1], failed);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    let machine = world.machine(run);
    assert_eq!(outputs(&machine), json!({"o": ["v=1", "v=2"], "e": ["the graph is gone"]}));
    assert_eq!(machine.counts, Counts { nodes: 3 + 4, errors: 2, cost: 0 });
}

#[test]
fn a_child_that_may_not_run_fails_the_node() {
    let unfit = numbered_graph(9).node("e", "echo", json!({}));
    let refusal = "Input data missing or mismatch for `EchoBlock`: missing input {'value'}";
    let cases = [
        (agent(9, json!({})), Some(unfit), refusal),
        (agent(9, json!({})), None, "no such agent"),
        (json!({"graph_id": "x"}), None, "the agent node names no graph"),
    ];
    for (defaults, child, text) in cases {
        let world = World::new();
        world.process(async |process| {
            if let Some(child) = child {
                world.agents.add(&child.plan());
            }
            let graph = graph().node("agent", AGENT_EXECUTOR, defaults).output("e").link("agent.error", "e.value");
            let machine = process.start(&graph).await.ended().await;
            assert_eq!(outputs(&machine), json!({"e": [text]}));
            assert_eq!((machine.counts.errors, world.disk.runs().len()), (1, 1), "{text}");
        });
    }
}

#[test]
fn an_agent_that_calls_itself_ends_at_the_bound() {
    let world = World::with(Limits { nesting: 3, ..Limits::default() });
    world.process(async |process| {
        let graph = numbered_graph(9)
            .node("agent", AGENT_EXECUTOR, agent(9, json!({})))
            .output("deep")
            .link("agent.error", "deep.value")
            .link("agent.deep", "deep.value");
        let machine = process.start(&graph).await.ended().await;
        assert_eq!(outputs(&machine), json!({"deep": ["agents are nested deeper than 3 (engine.nesting)"]}));
        let depths: Vec<u32> =
            world.disk.runs().into_iter().map(|run| world.machine(run).accepted.unwrap().depth).collect();
        assert_eq!((depths, machine.counts), (vec![0, 1, 2, 3], Counts { nodes: 8, errors: 1, cost: 0 }));
    });
}

#[test]
fn a_child_whose_agent_is_gone_at_the_next_start_fails_and_its_parent_goes_on() {
    let world = World::new();
    let run = world.process(async |process| {
        world.agents.add(&trickling().plan());
        let run = process.start(&parent()).await;
        world.blocks.open("g", 1);
        idle().await;
        run.id
    });
    world.agents.lose(GraphId::from_random([9; 16]));
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
        assert_eq!(world.outputs(run), json!({"o": ["v=1"], "e": ["the agent is gone"]}));
        let child = world.disk.row(world.disk.runs()[1]);
        assert_eq!(child.status, Status::Failed);
        assert!(child.error.unwrap().ends_with(" version 1 is gone"));
    });
}

#[test]
fn a_child_whose_parent_was_given_up_is_stopped_at_the_next_start() {
    let world = World::new();
    let run = world.process(async |process| {
        world.agents.add(&trickling().plan());
        let run = process.start(&parent()).await;
        idle().await;
        run.id
    });
    world.disk.write(run, Event::RunEnded { status: Status::Failed, error: None, counts: Counts::default() });
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    assert_eq!(world.machine(world.disk.runs()[1]).status, Status::Terminated);
}

#[test]
fn a_parked_child_whose_agent_is_gone_ends_with_its_node() {
    let world = World::new();
    let child = numbered_graph(8).node("t", COUNTDOWN_TIMER, json!({"seconds": 500_000}));
    world.agents.add(&child.plan());
    let graph = graph()
        .node("agent", AGENT_EXECUTOR, agent(8, json!({})))
        .node("r", "read", json!({"value": 1, "gate": "g"}))
        .output("e")
        .link("agent.error", "e.value");
    let run = world.process(async |process| {
        let run = process.start(&graph).await;
        idle().await;
        assert!(world.disk.row(world.disk.runs()[1]).parked.is_some());
        run.id
    });
    world.agents.lose(GraphId::from_random([8; 16]));
    world.blocks.open("g", 1);
    world.process(async |process| {
        process.resume();
        process.all_ended().await;
    });
    assert_eq!(world.outputs(run), json!({"e": ["the agent is gone"]}));
    assert_eq!(world.disk.row(world.disk.runs()[1]).status, Status::Failed);
}

#[test]
fn a_child_that_a_disk_refused_but_kept_counts_as_unfinished_once() {
    for refusal in [Refusal::Clean, Refusal::ButKept] {
        let world = World::new();
        world.process(async |process| {
            world.agents.add(&trickling().plan());
            world.disk.refuse_after(1, refusal);
            let mut run = process.start(&parent()).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!((world.disk.runs().len(), process.host.gauges().unfinished), (2, 2), "{refusal:?}");
            world.blocks.open("g", 3);
            run.ended().await;
            process.all_ended().await;
        });
    }
}

#[test]
fn a_parent_in_memory_again_learns_that_its_child_is_parked() {
    let world = World::new();
    world.agents.add(&numbered_graph(8).node("t", COUNTDOWN_TIMER, json!({"seconds": 500_000})).plan());
    let graph = graph().node("agent", AGENT_EXECUTOR, agent(8, json!({})));
    world.process(async |process| {
        process.start(&graph).await;
        idle().await;
        assert_eq!(process.host.gauges().driven, 1, "the parent stays a moment");
    });
    world.process(async |process| {
        process.resume();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(process.host.gauges(), Gauges { unfinished: 2, driven: 0, queued: 0 });
    });
}
