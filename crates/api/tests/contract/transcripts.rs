//! Exchanges recorded from the original, as its newer releases answer.
//!
//! `data/v1-transcripts.jsonl` holds those that concern our routes and need no state that was faked there
//! and no block that this release does not run.

use crate::testbed::{Ask, Person, Testbed, V1, echo, without_ids};
use heddle_model::Scope;
use serde_json::{Value, json};
use std::collections::HashMap;

const TRANSCRIPTS: &str = include_str!("../data/v1-transcripts.jsonl");
/// The graph that the recordings run.
const RECORDED: &str = "5b6f0e0e-0a58-44c5-8f8c-4b1d4b8a7c10";

fn recorded(prefix: &str) -> impl Iterator<Item = Value> {
    let lines = TRANSCRIPTS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(move |line| case(line).starts_with(prefix))
}

fn case(line: &Value) -> &str {
    line["case"].as_str().unwrap()
}

fn with_body<'a>(ask: Ask<'a>, line: &Value) -> Ask<'a> {
    match (line.get("body"), line.get("raw_body"), line.get("form_body")) {
        (Some(body), ..) => ask.json(body),
        (_, Some(raw), _) => ask.raw(raw.as_str().map(unescaped).unwrap()),
        (.., Some(form)) => {
            let pairs =
                form.as_object().unwrap().iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
            ask.header("content-type", "application/x-www-form-urlencoded").raw(pairs.collect::<Vec<_>>().join("&"))
        }
        (None, None, None) => ask,
    }
}

/// The recordings write the one byte that is no text as it is written in Python.
fn unescaped(raw: &str) -> Vec<u8> {
    let mut pieces = raw.split("\\xff").map(str::as_bytes);
    let first = pieces.next().unwrap_or_default().to_vec();
    pieces.fold(first, |bytes, piece| [&bytes[..], b"\xff", piece].concat())
}

/// What two answers have in common: ids masked, and the members that the recordings cut short or fill with fakes.
fn comparable(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(without_ids(text)),
        Value::Array(list) => list.iter().map(comparable).collect(),
        Value::Object(members) => {
            let faked = ["user_id", "created_at", "graph_id", "webhook", "discriminator_mapping", "email"];
            let kept = members.iter().filter(|(name, _)| !faked.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), comparable(value))).collect())
        }
        other => other.clone(),
    }
}

/// Providers of a credential group stand in catalogue order, which differs between the releases.
fn sorted_keys(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(sorted_keys);
            if list.iter().all(Value::is_string) {
                list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
        }
        Value::Object(members) => members.values_mut().for_each(sorted_keys),
        _ => {}
    }
}

#[tokio::test]
async fn answers_equal_the_recorded_ones() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let own_graph = bed.echo(&ada).await;
    let keys = HashMap::from([
        ("<key with every scope>", ada.key.clone()),
        ("<key without scopes>", bed.key(ada.user, &[]).await),
        ("<key with IDENTITY>", bed.key(ada.user, &[Scope::Identity]).await),
        ("<unknown key>", format!("agpt_{}", "x".repeat(43))),
        ("<text without the prefix>", "x".repeat(48)),
        ("Bearer <unknown token>", format!("Bearer agpt_xt_{}", "x".repeat(43))),
    ]);
    let mut wrong = Vec::new();
    for line in recorded("").filter(|line| line.get("graph").is_none()) {
        let mut path = line["path"].as_str().unwrap().to_owned();
        if case(&line).starts_with("execute:") && line["status"] == 200 {
            path = path.replace(RECORDED, &own_graph);
        }
        let mut ask = bed.ask(line["method"].as_str().unwrap(), &path);
        for (name, value) in line["headers"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            ask = ask.header(name, keys.get(value).map_or(value, String::as_str));
        }
        let answer = with_body(ask, &line).send().await;
        let (mut found, mut expected) = (comparable(&answer.json()), comparable(&line["response"]));
        sorted_keys(&mut found);
        sorted_keys(&mut expected);
        let same = found == expected;
        if answer.status.as_u16() != line["status"] || !same {
            wrong.push(format!(
                "{}\n  found    {} {found}\n  expected {} {expected}",
                case(&line),
                answer.status,
                line["status"]
            ));
        }
        for (member, header) in [("allow", "allow"), ("location", "location"), ("retry_after", "retry-after")] {
            if let Some(expected) = line[member].as_str() {
                assert_eq!(answer.header(header), expected, "{}", case(&line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn starts_are_refused_and_accepted_as_recorded() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let mut wrong = Vec::new();
    for line in recorded("run:") {
        let (status, found) = start(&bed, &ada, &line).await;
        let expected = match line["status"].as_u64() {
            Some(200) => json!({ "id": "ID" }),
            _ => comparable(&line["response"]),
        };
        let same = found == expected;
        if status != line["status"] || !same {
            wrong.push(format!(
                "{}\n  found    {status} {found}\n  expected {} {expected}",
                case(&line),
                line["status"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Saves the recorded graph and starts it. What the recording's start refused, we may refuse when it is saved.
async fn start(bed: &Testbed, person: &Person, line: &Value) -> (u16, Value) {
    let mut graph = echo();
    for member in ["nodes", "links"] {
        graph[member] = line["graph"][member].clone();
    }
    let saved = bed.post("/graphs").of(person).json(&graph).send().await;
    if saved.status != 201 {
        return (saved.status.as_u16(), comparable(&json!({ "detail": saved.json()["detail"] })));
    }
    let id = saved.json()["id"].as_str().unwrap().to_owned();
    let path = line["path"].as_str().unwrap().replace(RECORDED, &id).replace(V1, "");
    let answer = bed.post(&path).of(person).json(&line["body"]).send().await;
    (answer.status.as_u16(), comparable(&answer.json()))
}
