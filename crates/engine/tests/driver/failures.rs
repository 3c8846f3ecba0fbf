//! Blocks that misbehave.

use crate::made_up::graph;
use crate::world::{World, emitted, outputs};
use heddle_engine::Limits;
use heddle_model::Status;
use serde_json::{Value, json};
use std::thread;

#[test]
fn a_panic_fails_its_node_and_nothing_else() {
    let large = "x".repeat(100_000);
    for (block, value) in [("panic", json!(1)), ("panic-later", json!(1)), ("panic", json!(large))] {
        let world = World::new();
        world.process(async |process| {
            let graph = graph()
                .node("x", block, json!({"value": value}))
                .node("e", "echo", json!({"value": 2}))
                .output("o")
                .output("error")
                .link("e.value", "o.value")
                .link("x.error", "error.value");
            let machine = process.start(&graph).await.ended().await;
            let want = json!({"o": [2], "error": ["Unknown error occurred"]});
            assert_eq!((outputs(&machine), machine.status), (want, Status::Completed), "{block}");
            assert_eq!(machine.counts.errors, 1, "{block}");
            assert_eq!(process.start(&graph).await.ended().await.counts.errors, 1, "the process lives on");
        });
    }
}

#[test]
fn what_was_emitted_before_a_failure_stays() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph().node("x", "panic-later", json!({"value": 1})).node("f", "fail", json!({"value": 2}));
        let machine = process.start(&graph).await.ended().await;
        assert_eq!(emitted(&machine, "x"), [json!(1), json!("Unknown error occurred")]);
        assert_eq!(emitted(&machine, "f"), [json!(2), json!("no good")]);
    });
}

#[test]
fn a_block_that_overruns_its_time_fails() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph().node("h", "hang", json!({"value": 1})).output("e").link("h.error", "e.value");
        let machine = process.start(&graph).await.ended().await;
        assert_eq!(outputs(&machine), json!({"e": ["Node execution exceeded 1800s wall-clock cap"]}));
        assert_eq!(emitted(&machine, "h")[0], json!(1));
        let [started, ended] = [machine.started_at, machine.ended_at].map(|time| time.unwrap().unix());
        assert_eq!((ended - started, world.blocks.alive()), (1800, 0));
    });
}

#[test]
fn a_value_that_is_too_large_fails_the_node_that_emits_it() {
    let world = World::with(Limits { value_bytes: 1000, ..Limits::default() });
    world.process(async |process| {
        for block in ["echo", "read"] {
            let graph = graph()
                .node("a", "each", json!({"items": ["small", "x".repeat(1001), "small too"]}))
                .node("x", block, json!({}))
                .node("big", block, json!({"value": {"k": ["x".repeat(500), "x".repeat(500)]}}))
                .output("o")
                .output("e")
                .link("big.value", "o.value")
                .link("big.error", "e.value")
                .link("a.item", "x.value")
                .link("a.error", "e.value");
            let machine = process.start(&graph).await.ended().await;
            let text = "the value on 'value' is larger than 1000 bytes (engine.value_bytes)";
            assert_eq!(emitted(&machine, "big"), [json!(text)], "{block}");
            assert_eq!(emitted(&machine, "x"), [json!("small")], "{block}: the rest was never emitted");
            let said = [text.replace("value'", "item'"), text.to_owned()];
            let mut errors: Vec<Value> = outputs(&machine)["e"].as_array().unwrap().clone();
            errors.sort_by_key(Value::to_string);
            assert_eq!(errors, said.map(Value::from), "{block}");
        }
    });
}

#[test]
fn large_inputs_are_worked_on_by_a_thread_of_their_own() {
    let world = World::new();
    world.process(async |process| {
        let large = json!("x".repeat(100_000));
        let graph = graph()
            .node("large", "echo", json!({"value": large}))
            .node("small", "silent", json!({"value": "x"}))
            .node("after", "silent", json!({}))
            .link("large.value", "after.value_#_none")
            .output("o")
            .link("large.value", "o.value");
        let machine = process.start(&graph).await.ended().await;
        assert_eq!(outputs(&machine), json!({"o": [large]}));
        let here = thread::current().id();
        assert_ne!(world.blocks.starts("echo")[0].thread, here);
        assert_eq!(world.blocks.starts("silent")[0].thread, here);
    });
}

#[test]
fn a_block_that_this_build_does_not_have_fails_its_node() {
    let world = World::new();
    world.process(async |process| {
        let graph = graph().node("gone", "gone", json!({})).output("e").link("gone.error", "e.value");
        let machine = process.start(&graph).await.ended().await;
        assert_eq!(outputs(&machine), json!({"e": ["Block gone is not available"]}));
    });
}
