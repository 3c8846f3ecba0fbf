//! The graph and run cases of the contract's transcripts, as far as this crate decides them.

use super::{OWNER, draft, graphs, ids, shared, shared_blocks};
use crate::rules::{self, Credential};
use crate::{Object, Value, computed};
use std::collections::HashMap;

fn cases(kind: &str) -> Option<Vec<Value>> {
    let lines = std::fs::read_to_string(shared("contract/v1-transcripts.jsonl")?).unwrap();
    let cases = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(cases.filter(|case| case["case"].as_str().is_some_and(|name| name.starts_with(kind))).collect())
}

/// UUIDs by the order of their appearance.
fn without_ids(text: &str) -> String {
    let (mut out, mut seen, mut rest) = (String::new(), HashMap::new(), text);
    while let Some(c) = rest.chars().next() {
        if let Some(id) = rest.get(..36).filter(|id| uuid::Uuid::try_parse(id).is_ok()) {
            let next = seen.len();
            out += &format!("<{}>", seen.entry(id).or_insert(next));
            rest = &rest[36..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Sets have no order on the wire, and the transcripts shorten the mapping of models.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, _)| *key != "discriminator_mapping");
            kept.map(|(key, value)| (key.clone(), comparable(value))).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(comparable).collect();
            if items.iter().all(Value::is_string) {
                items.sort_by_key(Value::to_string);
            }
            items.into()
        }
        other => other.clone(),
    }
}

#[test]
fn graphs_are_saved_and_refused_as_recorded() {
    let (Some(cases), Some(blocks)) = (cases("create:"), shared_blocks()) else {
        println!("skipped: 16 (needs ../shared)");
        return;
    };
    for case in &cases {
        let name = &case["case"];
        let newest = case.get("newer").unwrap_or(case);
        let saved = draft(case["body"].clone()).save(OWNER, blocks, &mut ids(), &|_| false);
        if newest["status"] != 201 {
            let want = match newest["response"]["detail"].as_str().unwrap() {
                "'Input' object has no attribute 'name'" => "This field is required",
                text => text,
            };
            assert_eq!(without_ids(&saved.unwrap_err().to_string()), without_ids(want), "{name}");
            continue;
        }
        let saved = saved.unwrap();
        let want = &newest["response"];
        for (graph, want) in saved.iter().zip(std::iter::once(want).chain(want["sub_graphs"].as_array().unwrap())) {
            for (member, value) in computed::members(&graph.nodes, blocks) {
                assert_eq!(comparable(&value), comparable(&want[&member]), "{member} of {name}");
            }
            let statics: Vec<_> = graph.links.iter().map(|link| link.is_static).collect();
            let wanted: Vec<_> = want["links"].as_array().unwrap().iter().map(|l| l["is_static"] == true).collect();
            assert_eq!(statics, wanted, "{name}");
            for (node, want) in graph.nodes.iter().zip(want["nodes"].as_array().unwrap()) {
                let want = want["input_default"].as_object().unwrap();
                assert_eq!(node.input_default.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>(), "{name}");
                for (pin, value) in &node.input_default {
                    let (value, want) = (value.to_string(), want[pin].to_string());
                    assert!(without_ids(&value) == without_ids(&want), "{pin} in {name}: {value}, not {want}");
                }
            }
        }
        let all: Vec<_> = saved.iter().collect();
        let credentials = computed::credentials_input_schema(&all, blocks);
        assert_eq!(comparable(&credentials), comparable(&want["credentials_input_schema"]), "{name}");
    }
    assert_eq!(cases.len(), 16);
}

#[test]
fn runs_are_accepted_and_refused_as_recorded() {
    let (Some(cases), Some(blocks)) = (cases("run:"), shared_blocks()) else {
        println!("skipped: 16 (needs ../shared)");
        return;
    };
    let lookup = |id: &str| match id {
        "cred-1" => Ok(Some(Credential { provider: "openai".to_owned(), kind: "api_key".to_owned() })),
        "boom" => Err("store is away".to_owned()),
        _ => Ok(None),
    };
    for case in &cases {
        let name = &case["case"];
        let mut file = case["graph"].clone();
        file["name"] = "x".into();
        let graphs = graphs(file);
        let masks = Object::new();
        let outcome = rules::run_check(&[&graphs[0]], blocks, &masks, &lookup)
            .and_then(|skips| Ok((skips, rules::starting_nodes(&graphs[0], blocks, &masks)?)));
        match (case["response"]["detail"].as_str(), outcome) {
            // The engine checks the data of the starting nodes.
            (Some(text), Ok(_)) => assert!(text.starts_with("Input data missing or mismatch"), "{name}: {text}"),
            (Some(text), Err(refusal)) => assert_eq!(refusal.to_string(), text, "{name}"),
            (None, outcome) => {
                let (skips, starting) = outcome.unwrap();
                let ids: Vec<_> = starting.iter().map(|&at| graphs[0].nodes[at as usize].id.as_str()).collect();
                let want: Vec<_> =
                    case["starting"].as_array().unwrap().iter().map(|one| one[0].as_str().unwrap()).collect();
                assert_eq!((ids, skips), (want, vec![]), "{name}");
            }
        }
    }
    assert_eq!(cases.len(), 16);
}
