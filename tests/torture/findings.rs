//! What is found after the last start.

use super::follower::follow;
use super::model::{Asked, Child, Execution, Found, History, Listed, Seen};
use super::starter::{Shared, end_in};
use super::workload::{RETRIEVE, Workload, counter_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Answers that are fetched at once.
const READERS: usize = 4;

/// Looks at everything; asks for every run once more on the way.
pub fn gather(shared: &Arc<Shared>, asked: Vec<Asked>) -> History {
    let asked = in_parallel(asked, |mut asked| {
        shared.start(&mut asked, false);
        asked.found = found(shared, &asked);
        asked
    });
    let mut history = History { arrivals: shared.upstream.arrivals(), ..History::default() };
    for asked in &asked {
        if let Some(found) = asked.found.as_ref().filter(|_| asked.token.ends_with(super::CALM)) {
            history.undisturbed.insert(asked.workload, (asked.token.clone(), found.executions.clone()));
        }
    }
    history.counters = counters(shared, &asked);
    for (workload, graph) in &shared.graphs {
        history.listed.extend(rows(shared, graph).iter().map(|row| listed(*workload, row)));
        if let Some(child) = graph["sub_graphs"].get(0) {
            let rows = rows(shared, child);
            history.children.extend(in_parallel(rows, |row| child_of(shared, child, &row)));
        }
    }
    history.asked = asked;
    history
}

fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut queues: Vec<Vec<T>> = (0..READERS).map(|_| Vec::new()).collect();
    for (n, item) in items.into_iter().enumerate() {
        queues[n % READERS].push(item);
    }
    std::thread::scope(|scope| {
        let queues: Vec<_> =
            queues.into_iter().map(|queue| scope.spawn(|| queue.into_iter().map(&work).collect::<Vec<_>>())).collect();
        queues.into_iter().flat_map(|queue| queue.join().unwrap()).collect()
    })
}

fn found(shared: &Shared, asked: &Asked) -> Option<Found> {
    let answer = shared.results(asked).filter(|answer| answer.status == 200)?.json();
    let events = match &asked.followed {
        Some(_) => follow(shared, &shared.path(asked)?, |_| false),
        None => Vec::new(),
    };
    Some(Found { end: seen(&answer), executions: executions(&answer), events })
}

fn seen(answer: &Value) -> Seen {
    let status = answer["status"].as_str().unwrap_or_default().to_owned();
    end_in(answer).unwrap_or(Seen { status, output: answer["output"].clone() })
}

fn executions(answer: &Value) -> Vec<Execution> {
    let nodes = answer["nodes"].as_array().into_iter().flatten();
    let execution = |node: &Value| Execution {
        node: node["node_id"].as_str().unwrap_or_default().to_owned(),
        input: node["input"].clone(),
        output: node["output"].clone(),
    };
    nodes.map(execution).collect()
}

/// All pages of a graph's list of runs.
fn rows(shared: &Shared, graph: &Value) -> Vec<Value> {
    let id = graph["id"].as_str().unwrap();
    let mut rows = Vec::new();
    for page in 1.. {
        let path = format!("/external-api/v1/graphs/{id}/executions?page={page}&page_size=100");
        let Some(answer) = shared.ask("GET", &path, &[], None) else { break };
        let page = answer.json()["executions"].as_array().cloned().unwrap_or_default();
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    rows
}

fn listed(workload: Workload, row: &Value) -> Listed {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let (start, end) = (seconds(text("started_at")), seconds(text("ended_at")));
    let seconds = start.zip(end).map_or(0.0, |(start, end)| (end - start).rem_euclid(86_400.0));
    Listed { id: text("id").to_owned(), workload, status: text("status").to_owned(), seconds }
}

/// Seconds of the day in `2026-01-31T23:59:59.5Z`.
fn seconds(time: &str) -> Option<f64> {
    let clock = time.split_once('T')?.1.split(['Z', '+']).next()?;
    clock.split(':').map(|part| part.parse::<f64>().ok()).try_fold(0.0, |sum, part| Some(sum * 60.0 + part?))
}

fn child_of(shared: &Shared, graph: &Value, row: &Value) -> Child {
    let id = row["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("{}/results", crate::support::execution(graph, &id));
    let answer = shared.ask("GET", &path, &[], None).map(|answer| answer.json()).unwrap_or_default();
    let is_input = |node: &&Value| node["node_id"] == graph["nodes"][0]["id"];
    let input = answer["nodes"].as_array().into_iter().flatten().find(is_input);
    let given = input.and_then(|node| node["input"].as_str()).map(str::to_owned);
    Child { id, given, end: seen(&answer) }
}

/// What every counter holds.
fn counters(shared: &Shared, asked: &[Asked]) -> BTreeMap<String, Value> {
    let counting = asked.iter().filter(|asked| asked.workload == Workload::Counter);
    let names: HashSet<_> = counting.map(|asked| counter_of(&asked.token)).collect();
    let read = |name: &str| {
        let body = json!({"key": name, "scope": "across_agents"});
        let answer = shared.ask("POST", &format!("/external-api/v1/blocks/{RETRIEVE}/execute"), &[], Some(&body));
        let values: HashMap<String, Vec<Value>> =
            answer.and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default();
        values.get("value").and_then(|values| values.first()).cloned().unwrap_or_default()
    };
    names.into_iter().map(|name| (name.to_owned(), read(name))).collect()
}
