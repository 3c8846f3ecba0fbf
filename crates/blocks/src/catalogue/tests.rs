use super::*;
use std::collections::HashSet;

#[test]
fn every_block_can_be_read_and_found_by_its_id() {
    let shelf = shelf();
    assert_eq!(shelf.entries().len(), 568);
    for entry in shelf.entries() {
        let facts = entry.facts();
        assert!(shelf.find(facts.id.as_str()).is_some_and(|found| std::ptr::eq(found, entry)), "{}", facts.name);
        assert!(!facts.input_schema.to_string().contains("$shared"), "{}", facts.name);
        assert!(!facts.categories.iter().any(|name| crate::category_description(name).is_empty()), "{}", facts.name);
    }
}

#[test]
fn the_schemas_of_served_blocks_are_sound() {
    for entry in shelf().entries().iter().filter(|entry| entry.block.is_some()) {
        let facts = entry.facts();
        assert!(facts.compiled_input().is_sound() && facts.compiled_output().is_sound(), "{}", facts.name);
    }
}

#[test]
fn every_served_block_is_in_the_catalogue_once() {
    let ids: HashSet<_> = served::BLOCKS.iter().map(|block| block.id).collect();
    assert_eq!(ids.len(), served::BLOCKS.len());
    for id in ids {
        assert!(shelf().find(id).is_some_and(|entry| entry.block.is_some()), "{id}");
    }
}

#[test]
fn served_blocks_and_their_pins_are_described() {
    for entry in shelf().entries().iter().filter(|entry| entry.block.is_some()) {
        let facts = entry.facts();
        assert!(!facts.description.is_empty(), "{}", facts.name);
        let undescribed = entry.undescribed();
        for (side, pins) in [("in", facts.input_pins()), ("out", facts.output_pins())] {
            for (name, pin) in pins {
                let described = pin.get("description").is_some();
                assert_ne!(described, undescribed.contains(&format!("{side}.{name}")), "{} {name}", facts.name);
                let keys: Vec<_> = pin.as_object().expect("a pin is an object").keys().collect();
                let at = keys.iter().position(|key| *key == "description");
                let has_title = pin.get("title").is_some();
                assert!(at.is_none_or(|at| !has_title || keys[at - 1] == "title"), "{} {name}", facts.name);
            }
        }
    }
}

#[test]
fn facts_are_those_of_the_catalogue() {
    let find = |id: &str| shelf().find(id).expect("known").facts().clone();
    let agent = find(heddle_model::block::AGENT_EXECUTOR);
    assert_eq!((agent.time_limit, agent.ui_type, agent.served), (None, UiType::Agent, true));
    assert_eq!(find(heddle_model::block::COUNTDOWN_TIMER).time_limit, Some(604_860));
    let smart = find(heddle_model::block::SMART_DECISION_MAKER);
    assert_eq!((smart.time_limit, smart.ui_type, smart.served), (Some(1800), UiType::Ai, true));
    assert_eq!(smart.credentials["credentials"].also, ["openai_compatible", "gemini"]);
    let review = find(heddle_model::block::HUMAN_IN_THE_LOOP);
    assert_eq!((review.ui_type, review.served), (UiType::HumanInTheLoop, true));
    assert!(find("f3b1c1b2-4c4f-4f0d-8d2f-4c4f0d8d2f4c").disabled);
    assert!(shelf().find("a4b9c2d1-e5f6-4g7h-8i9j-0k1l2m3n4o5p").is_none());
}

/// The packed file against the catalogue it was made from.
#[test]
fn the_packed_catalogue_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/blocks/catalogue.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: 1 (needs ../shared)");
        return;
    };
    let original: Vec<Value> = serde_json::from_str(&text).expect("the catalogue is JSON");
    for block in original.iter().filter(|block| block["source"] != "fork-only") {
        let entry = shelf().find(block["id"].as_str().expect("an id")).expect("every live block is packed");
        let packed = entry.packed();
        assert_eq!(packed.name, block["name"]);
        assert_eq!(packed.output_schema, block["outputSchema"], "{}", packed.name);
        if !block.to_string().contains("$shared") {
            assert_eq!(packed.input_schema, block["inputSchema"], "{}", packed.name);
        }
    }
}
