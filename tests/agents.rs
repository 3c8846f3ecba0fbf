//! Agents that others have published: those that run offline do, all others can at least be kept and handed back.

use crate::support::{Case, Heddle, Server, check, json_of, same, shared};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Refused on save, as the collection says.
const REFUSED: &str = "discord-search-bot-696b4b9c.json";
/// The block that calls another agent.
const AGENT: &str = "e189baac-8c20-45a1-94a7-55177ea42565";

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(ending)))
        .collect();
    files.sort();
    files
}

/// The cases of an expectation file, each with its agent, patched if the case says so.
fn cases(expected: &Path) -> Vec<Case> {
    let file = json_of(expected);
    let agent = file["agent"].as_str().or(file["graph"].as_str()).unwrap();
    let agent = json_of(&expected.with_file_name(agent));
    let case = |case: &Value| {
        let mut agent = agent.clone();
        for patch in case["graph_patch"].as_array().into_iter().flatten() {
            remove(&mut agent, patch);
        }
        let stem = expected.file_name().unwrap().to_str().unwrap();
        Case {
            name: format!("{stem}: {}", case["name"].as_str().unwrap()),
            agent,
            inputs: case["inputs"].clone(),
            expect: case["expect"].clone(),
        }
    };
    file["cases"].as_array().unwrap().iter().map(case).collect()
}

/// The one operation of JSON Patch that the cases use.
fn remove(agent: &mut Value, patch: &Value) {
    assert_eq!(patch["op"], "remove");
    let (parent, name) = patch["path"].as_str().unwrap().rsplit_once('/').unwrap();
    agent.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn agents_that_need_nothing_from_outside_give_the_expected_results() {
    let Some(shared) = shared(1) else { return };
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let offline = |path: &PathBuf| json_of(path)["mode"] == "offline";
    let agents: Vec<_> = files(&shared.join("agents"), ".expected.json").into_iter().filter(offline).collect();
    let graphs = files(&shared.join("agents/semantics"), ".expected.json");
    assert!(agents.len() >= 5 && graphs.len() >= 6, "{} and {}", agents.len(), graphs.len());
    for case in agents.iter().chain(&graphs).flat_map(|path| cases(path)) {
        check(&heddle, &client, &case);
    }
}

#[test]
fn every_agent_is_kept_and_handed_back_as_it_was() {
    let Some(shared) = shared(1) else { return };
    let heddle = Heddle::new();
    let _server = Server::start(&heddle);
    let mut all = files(&shared.join("agents"), ".json");
    all.extend(files(&shared.join("agents/semantics"), ".json"));
    all.retain(|path| !path.to_str().unwrap().ends_with(".expected.json"));
    assert!(all.len() >= 46, "{}", all.len());
    for path in all {
        let name = path.file_name().unwrap().to_str().unwrap();
        let imported = heddle.run(&["import", path.to_str().unwrap()]);
        if name == REFUSED {
            assert!(
                imported.refused("refused").json()[0]["error"].as_str().unwrap().contains(" invalid, Allowed fields: ")
            );
            continue;
        }
        assert_eq!(imported.code, 0, "{name}: {imported:?}");
        let saved = &imported.json()[0];
        let exported = heddle.json(&["export", saved["id"].as_str().unwrap()]);
        let original = json_of(&path);
        assert_eq!(exported["name"], original["name"], "{name}");
        same_graph(name, &original, &exported);
        let subs = called(&original);
        assert_eq!(exported["sub_graphs"].as_array().unwrap().len(), subs.len(), "{name}: sub-graphs");
        for before in subs {
            // They may come back in another order; their names are kept.
            let after = exported["sub_graphs"].as_array().unwrap().iter().find(|after| after["name"] == before["name"]);
            same_graph(name, before, after.unwrap());
        }
        let text = exported.to_string();
        let owners = |pattern: &str| text.matches(pattern).count();
        assert_eq!(owners(r#""user_id":""#), owners(r#""user_id":"""#), "{name}: an owner's id was exported");
    }
}

/// The sub-graphs that agent nodes call, directly or not. Some files carry others, whose ids nothing refers to.
fn called(agent: &Value) -> Vec<&Value> {
    let mut found: Vec<&Value> = Vec::new();
    let mut open = vec![agent];
    while let Some(graph) = open.pop() {
        for node in graph["nodes"].as_array().into_iter().flatten().filter(|node| node["block_id"] == AGENT) {
            let wanted = |sub: &&Value| sub["id"] == node["input_default"]["graph_id"];
            if let Some(sub) = agent["sub_graphs"].as_array().into_iter().flatten().find(wanted)
                && !found.contains(&sub)
            {
                found.push(sub);
                open.push(sub);
            }
        }
    }
    found
}

/// Same nodes and links in the same order, but for ids, pins that hold secrets, agent nodes' references and static
/// flags that were forced.
fn same_graph(name: &str, before: &Value, after: &Value) {
    let list = |graph: &Value, what: &str| graph[what].as_array().cloned().unwrap_or_default();
    let (old, new) = (list(before, "nodes"), list(after, "nodes"));
    assert_eq!(old.len(), new.len(), "{name}: nodes");
    let mut renamed = HashMap::new();
    for (old, new) in old.iter().zip(&new) {
        renamed.insert(old["id"].clone(), new["id"].clone());
        assert_eq!(old["block_id"], new["block_id"], "{name}");
        let metadata = old.get("metadata").cloned().unwrap_or(json!({}));
        assert!(same(&metadata, &new["metadata"]), "{name}: metadata");
        same_defaults(name, old, new);
    }
    let (old, new) = (list(before, "links"), list(after, "links"));
    let mut unique: Vec<&Value> = Vec::new();
    let ends = ["source_id", "source_name", "sink_id", "sink_name"];
    for link in &old {
        if !unique.iter().any(|known| ends.iter().all(|end| known[end] == link[end])) {
            unique.push(link);
        }
    }
    assert_eq!(unique.len(), new.len(), "{name}: links");
    for (old, new) in unique.into_iter().zip(&new) {
        for end in ["source_id", "sink_id"] {
            assert_eq!(renamed.get(&old[end]), Some(&new[end]), "{name}: {end}");
        }
        assert_eq!((&old["source_name"], &old["sink_name"]), (&new["source_name"], &new["sink_name"]), "{name}");
        assert!(old["is_static"] != json!(true) || new["is_static"] == json!(true), "{name}: a static link was lost");
    }
}

/// Every default that comes back is the one that went in; only credentials and secrets may be missing.
fn same_defaults(name: &str, old: &Value, new: &Value) {
    let empty = serde_json::Map::new();
    let before = old["input_default"].as_object().unwrap_or(&empty);
    let after = new["input_default"].as_object().unwrap_or(&empty);
    let replaced = |pin: &str| old["block_id"] == AGENT && ["user_id", "inputs", "graph_id"].contains(&pin);
    let secret = |pin: &str| {
        let pin = pin.to_ascii_lowercase();
        ["credentials", "api_key", "password", "token", "secret"].iter().any(|word| pin.contains(word))
    };
    for (pin, value) in after {
        assert!(replaced(pin) || before.get(pin).is_some_and(|old| same(old, value)), "{name}: {pin}");
    }
    for pin in before.keys() {
        assert!(after.contains_key(pin) || replaced(pin) || secret(pin), "{name}: {pin} was dropped");
    }
}
