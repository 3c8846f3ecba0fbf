//! The collected agent files: each is saved, shown and exported.

use super::{OWNER, draft, ids, shared, shared_blocks};
use crate::{Graph, Value, computed, export::export};
use std::collections::HashMap;

/// Names pins that no longer exist (`agents/index.md`).
const REFUSED: &str = "discord-search-bot-696b4b9c.json";

/// Older exports without their number inputs, and files edited by hand (`engine.md` 18).
const OTHER_SCHEMAS: [&str; 5] = [
    "resume-rater-b4ab3460.json",
    "business-owner-ceo-finder-16db664e.json",
    "lead-generation-agent-ec45ce8a.json",
    "citedy-topic-to-publish-b2cd3320.json",
    "wikipedia-summary-to-video-a1b2c3d4.json",
];

/// Models that left the catalogue, and a block that takes credentials since.
const OTHER_CREDENTIALS: [&str; 7] = [
    "ai-video-generator-create-viral-ready-content-in-f078dcb6.json",
    "automated-support-agent-ef561358.json",
    "linkedin-post-generator-0c61b30e.json",
    "personal-newsletter-6cf51c3a.json",
    "resume-rater-b4ab3460-2.json",
    "website-page-reviewer-2d194640.json",
    "youtube-transcriber-and-email-summarizer-40eb2873.json",
];

fn files() -> Option<Vec<(String, Value)>> {
    let mut files = Vec::new();
    for folder in [shared("agents")?, shared("agents/semantics")?] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".json") && !name.ends_with(".expected.json") {
                files.push((name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()));
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Some(files)
}

fn saved(file: &Value) -> Result<Vec<Graph>, crate::rules::Refusal> {
    draft(file.clone()).save(OWNER, shared_blocks().unwrap(), &mut ids(), &|_| false)
}

#[test]
fn every_collected_agent_is_saved_but_the_one_with_pins_of_the_past() {
    let Some(files) = files() else {
        println!("skipped: 46 (needs ../shared)");
        return;
    };
    for (name, file) in &files {
        match saved(file) {
            Ok(graphs) => {
                assert_ne!(name, REFUSED);
                let subs = file["sub_graphs"].as_array().map_or(0, Vec::len);
                assert_eq!(graphs.len(), subs + 1, "{name}");
            }
            Err(refusal) => {
                assert_eq!(name, REFUSED, "{refusal}");
                assert!(refusal.to_string().contains("` invalid, Allowed fields: {"), "{refusal}");
            }
        }
    }
    assert_eq!(files.len(), 46);
}

#[test]
fn exporting_gives_back_the_nodes_and_links_that_were_imported() {
    let Some(files) = files() else {
        println!("skipped: 46 (needs ../shared)");
        return;
    };
    let blocks = shared_blocks().unwrap();
    for (name, file) in files.iter().filter(|(name, _)| name != REFUSED) {
        let first = saved(file).unwrap();
        let exported = export(&first[0], &first[1..], blocks);
        assert_eq!(exported["user_id"], "");
        let again = saved(&exported).unwrap();
        assert_eq!(again.len(), first.len(), "{name}");
        let original = draft(file.clone());
        let originals = std::iter::once(&original).chain(&original.sub_graphs);
        for ((first, again), original) in first.iter().zip(&again).zip(originals) {
            assert_eq!(numbered_links(first), numbered_links(again), "{name}");
            assert_eq!(first.nodes.len(), original.nodes.len(), "{name}");
            for ((first, again), original) in first.nodes.iter().zip(&again.nodes).zip(&original.nodes) {
                assert_eq!((&first.block_id, &first.metadata), (&original.block_id, &original.metadata), "{name}");
                assert_eq!((&first.block_id, &first.metadata), (&again.block_id, &again.metadata), "{name}");
                if first.block_id.as_str() != crate::block::AGENT_EXECUTOR {
                    assert_eq!(first.input_default, again.input_default, "{name}");
                    assert_eq!(first.input_default, original.input_default, "{name}");
                }
            }
        }
    }
}

/// Links with node positions instead of ids.
fn numbered_links(graph: &Graph) -> Vec<(usize, String, usize, String, bool)> {
    let places: HashMap<_, _> = graph.nodes.iter().enumerate().map(|(at, node)| (&node.id, at)).collect();
    let links = graph.links.iter();
    links
        .map(|l| (places[&l.source_id], l.source_name.clone(), places[&l.sink_id], l.sink_name.clone(), l.is_static))
        .collect()
}

/// What section 18 compares of a schema.
fn essence(schema: &Value) -> Value {
    let Some(properties) = schema["properties"].as_object() else { return Value::Null };
    let keys = ["title", "description", "default", "secret", "advanced"];
    let shown = |property: &Value| -> Value {
        keys.iter().filter_map(|&key| Some((key, property.get(key)?.clone()))).collect::<Vec<_>>().into_iter().collect()
    };
    let properties: crate::Object = properties.iter().map(|(name, property)| (name.clone(), shown(property))).collect();
    serde_json::json!({"properties": properties, "required": schema["required"]})
}

#[test]
fn computed_schemas_are_those_of_the_files() {
    let Some(files) = files() else {
        println!("skipped: 46 (needs ../shared)");
        return;
    };
    let blocks = shared_blocks().unwrap();
    let mut compared = 0;
    for (name, file) in files.iter().filter(|(name, _)| name != REFUSED && !OTHER_SCHEMAS.contains(&name.as_str())) {
        let graphs = saved(file).unwrap();
        let subs = file["sub_graphs"].as_array().into_iter().flatten();
        for (graph, file) in graphs.iter().zip(std::iter::once(file).chain(subs)) {
            for (member, ours) in computed::members(&graph.nodes, blocks) {
                let Some(theirs) = file.get(&member) else { continue };
                if member.ends_with("_schema") {
                    assert_eq!(essence(&ours), essence(theirs), "{member} of {} in {name}", graph.name);
                    compared += 1;
                } else if member != "has_sensitive_action" {
                    assert_eq!(&ours, theirs, "{member} of {} in {name}", graph.name);
                }
            }
        }
        if let Some(theirs) = file.get("credentials_input_schema").filter(|schema| schema["properties"].is_object()) {
            let ours = computed::credentials_input_schema(&graphs.iter().collect::<Vec<_>>(), blocks);
            if !OTHER_CREDENTIALS.contains(&name.as_str()) {
                assert_eq!(keys(&ours), keys(theirs), "{name}");
            }
        }
    }
    assert!(compared > 50, "{compared}");
}

fn keys(schema: &Value) -> Vec<&String> {
    let mut keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    keys.sort();
    keys
}

#[test]
fn every_schema_of_the_catalogue_makes_sense() {
    let Some(blocks) = shared_blocks() else {
        println!("skipped: 569 (needs ../shared)");
        return;
    };
    for block in blocks.all() {
        assert!(block.compiled_input().is_sound() && block.compiled_output().is_sound(), "{}", block.name);
    }
}
