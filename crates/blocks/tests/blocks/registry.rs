//! What the registry promises the engine and the doors.

use crate::common::{Collected, Memory, in_a_run, outside_a_run, run};
use heddle_blocks::{Ports, Registry, Storage, category_description};
use heddle_engine::Effect;
use heddle_engine::ports::{Blocks, Failure, KeyValue, Timer};
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP};
use heddle_model::{BlockFacts, Catalogue, Object, UserId, Value};
use serde_json::json;
use std::sync::Arc;

const PERSIST: &str = "1d055e55-a2b9-4547-8311-907d05b0304d";
const RETRIEVE: &str = "d8710fc9-6e29-481e-a7d5-165eb16f8471";
const STORE_VALUE: &str = "1ff065e9-88e8-4358-9d82-8dc91f622ba9";
const CURRENT_TIME: &str = "a892b8d9-3e4e-4e9c-9c1e-75f8efcf1bfa";
const WEB_REQUEST: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";
const AUTHENTICATED: &str = "fff86bcd-e001-4bad-a7f6-2eae4720c8dc";
const SQL_QUERY: &str = "4dc35c0f-4fd8-465e-9616-5a216f1ba2bc";
const SAMPLING: &str = "4a448883-71fa-49cf-91cf-70d793bd7d87";
const CONDITION: &str = "715696a0-e1da-45c8-b209-c2fa9c3b0be6";

fn facts(registry: &Registry, id: &str) -> Arc<BlockFacts> {
    registry.facts(id).expect("the block is known")
}

fn object(value: Value) -> Object {
    value.as_object().expect("an object").clone()
}

#[test]
fn served_blocks_come_in_catalogue_order_and_can_all_be_used() {
    let registry = Registry::standard();
    let names: Vec<_> = registry.served().map(|facts| facts.name.clone()).collect();
    // What one release serves, later ones do too.
    assert!(names.len() >= 72, "{}", names.len());
    assert!(names.is_sorted());
    assert!(registry.served().all(|facts| facts.served && !facts.disabled));
}

#[test]
fn every_block_that_needs_nobody_else_is_served() {
    let registry = Registry::standard();
    let ids = include_str!("../cases/tier_a.txt").lines();
    let missing: Vec<_> = ids.filter(|id| !facts(&registry, id).served).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn ids_are_compared_exactly() {
    let registry = Registry::standard();
    assert!(registry.block(&STORE_VALUE.into()).is_some());
    assert!(registry.block(&STORE_VALUE.to_uppercase().as_str().into()).is_none());
    assert!(registry.block(&"".into()).is_none());
}

#[test]
fn blocks_that_are_not_served_are_known_but_do_not_run() {
    let registry = Registry::standard();
    let block = facts(&registry, SQL_QUERY);
    assert!(!block.served);
    let (emitted, ended) = registry.run_now(&block, Arc::default(), &in_a_run());
    assert!(emitted.outputs.is_empty());
    assert!(matches!(ended, Err(Failure::Execution(text)) if text.contains("not available")));
    assert_eq!(registry.effect(&block, &Object::new()), Effect::Unsafe);
}

#[test]
fn effects_say_how_far_a_block_reaches() {
    let registry = Registry::standard();
    let expected = [
        (STORE_VALUE, Effect::Pure, true),
        (CURRENT_TIME, Effect::Local, true),
        (SAMPLING, Effect::Local, true),
        (PERSIST, Effect::Local, true),
        (RETRIEVE, Effect::Idempotent, false),
        (COUNTDOWN_TIMER, Effect::Pure, false),
        (AGENT_EXECUTOR, Effect::Idempotent, false),
        (HUMAN_IN_THE_LOOP, Effect::Pure, false),
    ];
    for (id, effect, immediate) in expected {
        let block = facts(&registry, id);
        assert_eq!(registry.effect(&block, &Object::new()), effect, "{}", block.name);
        assert_eq!(registry.is_immediate(&block), immediate, "{}", block.name);
    }
}

#[test]
fn the_method_says_how_far_a_web_request_reaches() {
    let registry = Registry::standard();
    for block in [facts(&registry, WEB_REQUEST), facts(&registry, AUTHENTICATED)] {
        assert!(!registry.is_immediate(&block));
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(registry.effect(&block, &object(json!({"method": method}))), Effect::Read, "{method}");
        }
        for method in [json!("POST"), json!("PUT"), json!("PATCH"), json!("DELETE"), json!("get"), json!(null)] {
            assert_eq!(registry.effect(&block, &object(json!({"method": method}))), Effect::Unsafe, "{method}");
        }
        assert_eq!(registry.effect(&block, &Object::new()), Effect::Unsafe);
    }
}

#[test]
fn a_kept_value_travels_with_the_outputs() {
    let registry = Registry::standard();
    let block = facts(&registry, PERSIST);
    let (emitted, ended) = registry.run_now(&block, Arc::new(object(json!({"key": "k", "value": [1]}))), &in_a_run());
    assert_eq!(ended, Ok(()));
    assert_eq!(emitted.outputs, [("value".to_owned(), json!([1]))]);
    let graph = in_a_run().place.expect("a place").graph;
    assert_eq!(emitted.writes, [KeyValue { key: format!("agent#{graph}#k"), value: json!([1]) }]);
}

#[tokio::test]
async fn outside_a_run_a_kept_value_is_stored_at_once_for_its_owner_alone() {
    let memory = Arc::new(Memory::default());
    let registry = Registry::new(Ports { storage: Some(memory.clone()), ..Ports::default() });
    let input = object(json!({"key": "k", "value": 1, "scope": "across_agents"}));
    let (_, ended) = run(&registry, PERSIST, input, outside_a_run()).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(memory.get(outside_a_run().user, "global#k").await, Ok(Some(json!(1))));
    let stranger = heddle_engine::ports::Context { user: UserId::from_random([2; 16]), ..outside_a_run() };
    let input = object(json!({"key": "k", "scope": "across_agents"}));
    let (outputs, _) = run(&registry, RETRIEVE, input, stranger).await;
    assert_eq!(outputs, [("value".to_owned(), Value::Null)]);
}

#[tokio::test]
async fn without_storage_blocks_that_keep_values_fail() {
    let registry = Registry::standard();
    let input = object(json!({"key": "k", "value": 1, "scope": "across_agents"}));
    for id in [PERSIST, RETRIEVE] {
        let (outputs, ended) = run(&registry, id, input.clone(), outside_a_run()).await;
        assert!(outputs.is_empty() && matches!(ended, Err(Failure::Execution(_))), "{id}");
    }
}

#[test]
fn a_timer_says_how_long_its_rounds_last() {
    let registry = Registry::standard();
    let block = facts(&registry, COUNTDOWN_TIMER);
    let timer =
        registry.timer(&block, &object(json!({"minutes": "1", "seconds": 5, "repeat": 2, "input_message": null})));
    let output = ("output_message".to_owned(), json!("timer finished"));
    assert_eq!(timer, Ok(Timer { seconds: 65, rounds: 2, output }));
    assert!(matches!(registry.timer(&block, &object(json!({"repeat": 1001}))), Err(Failure::Input(_))));
    assert!(matches!(registry.timer(&block, &object(json!({"seconds": "x"}))), Err(Failure::Execution(_))));
    assert!(registry.timer(&facts(&registry, STORE_VALUE), &Object::new()).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_countdown_emits_after_each_wait() {
    let registry = Registry::standard();
    let started = tokio::time::Instant::now();
    let input = object(json!({"seconds": 90, "repeat": 2}));
    let (outputs, ended) = run(&registry, COUNTDOWN_TIMER, input, outside_a_run()).await;
    assert_eq!((outputs.len(), ended), (2, Ok(())));
    assert_eq!(started.elapsed().as_secs(), 180);
}

#[tokio::test]
async fn nulls_are_dropped_so_a_required_null_is_missing() {
    let registry = Registry::standard();
    let mut sink = Collected::default();
    let input = object(json!({"input": null, "data": 1}));
    let ended = registry.run(facts(&registry, STORE_VALUE), Arc::new(input), in_a_run(), &mut sink).await;
    let text = "Unable to execute block with invalid input data: 'input' is a required property";
    assert_eq!(ended, Err(Failure::Input(text.to_owned())));
}

#[test]
fn outputs_before_a_failure_stay() {
    let registry = Registry::standard();
    let step = facts(&registry, "f66a3543-28d3-4ab5-8945-9b336371e2ce");
    let (emitted, ended) =
        registry.run_now(&step, Arc::new(object(json!({"items": [1], "items_str": "["}))), &in_a_run());
    assert_eq!(emitted.outputs.len(), 2);
    assert!(matches!(ended, Err(Failure::Execution(_))));
}

#[test]
fn samples_repeat_for_the_same_seed_only() {
    let registry = Registry::standard();
    let block = facts(&registry, SAMPLING);
    let rows: Vec<_> = (0..50).map(|n| json!({"n": n, "g": n % 3, "w": n})).collect();
    for method in ["random", "systematic", "stratified", "weighted", "reservoir", "cluster"] {
        let input = |seed: Value| {
            object(json!({"data": rows, "sample_size": 10, "sampling_method": method, "random_seed": seed,
                "stratify_key": "g", "weight_key": "w", "cluster_key": "g"}))
        };
        let picks = |seed: Value, cx_seed: u64| {
            let cx = heddle_engine::ports::Context { seed: cx_seed, ..in_a_run() };
            let (emitted, ended) = registry.run_now(&block, input(seed).into(), &cx);
            assert_eq!(ended, Ok(()), "{method}");
            emitted.outputs[1].1.as_array().expect("indices").clone()
        };
        let first = picks(json!(null), 1);
        assert_eq!(first.len(), 10, "{method}");
        assert_eq!(first, picks(json!(null), 1), "{method}");
        assert_eq!(picks(json!(7), 1), picks(json!(7), 2), "{method}");
        assert!((2..20).any(|seed| picks(json!(null), seed) != first), "{method}");
        if method != "weighted" {
            let distinct: std::collections::HashSet<_> = first.iter().map(Value::as_u64).collect();
            assert_eq!(distinct.len(), 10, "{method}");
        }
    }
}

#[test]
fn stratified_samples_take_from_every_group() {
    let registry = Registry::standard();
    let mut rows: Vec<_> = (0..97).map(|_| json!({"g": "many"})).collect();
    rows.extend([json!({"g": "few"}), json!({"g": "one"}), json!({"g": "few"})]);
    let input = json!({"data": rows, "sample_size": 10, "sampling_method": "stratified", "stratify_key": "g"});
    let (emitted, _) = registry.run_now(&facts(&registry, SAMPLING), object(input).into(), &in_a_run());
    let groups: Vec<_> = emitted.outputs[0].1.as_array().expect("rows").iter().map(|row| row["g"].clone()).collect();
    let count = |name: &str| groups.iter().filter(|group| *group == name).count();
    assert_eq!((count("many"), count("few"), count("one")), (8, 1, 1));
}

#[test]
fn pin_descriptions_stand_after_the_title() {
    let registry = Registry::standard();
    let block = facts(&registry, CONDITION);
    let keys: Vec<_> = object(block.input_pins()["value1"].clone()).keys().cloned().collect();
    let title = keys.iter().position(|key| key == "title").expect("a title");
    assert_eq!(keys[title + 1], "description");
    assert!(!block.description.is_empty());
    assert!(block.categories.iter().all(|name| !category_description(name).is_empty()));
    assert_eq!(category_description("NOPE"), "");
}
