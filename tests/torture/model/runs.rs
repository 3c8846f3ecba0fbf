//! Runs: each that was asked for is there once, ended as it had to and stayed so; its events were seen once.

use super::super::workload::{Workload, counted, heard};
use super::{Asked, Event, Found, History};
use crate::support::same;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Terminal statuses that anything here may have.
const ENDS: [&str; 2] = ["COMPLETED", "TERMINATED"];

pub fn check(history: &History, faults: &mut Vec<String>) {
    for asked in &history.asked {
        answered(asked, faults);
        match &asked.found {
            Some(found) => {
                let values = predicted(history, asked, found);
                ended(asked, found, &values, faults);
                followed(asked, found, &values, faults);
            }
            None => faults.push(format!("{} is lost", asked.name())),
        }
    }
    listed(history, faults);
    children(history, faults);
}

/// What its outputs have to be.
fn predicted(history: &History, asked: &Asked, found: &Found) -> Vec<Value> {
    match asked.workload {
        Workload::Counter => vec![json!(before(history, asked) + counted(1))],
        Workload::Receipt => answer_taken(history, asked, found).into_iter().collect(),
        workload => workload.outputs(&asked.token).unwrap_or_default(),
    }
}

/// What the run before it left in its counter.
fn before(history: &History, asked: &Asked) -> f64 {
    let is_before = |other: &&Asked| {
        other.workload == asked.workload && other.counter() == asked.counter() && other.ordinal + 1 == asked.ordinal
    };
    let found = history.asked.iter().find(is_before).and_then(|other| other.found.as_ref());
    let last = found.and_then(|found| found.end.output.as_array()?.last()?.as_object()?.values().next());
    last.and_then(Value::as_f64).unwrap_or_default()
}

/// The answer that it handed on, of those that its request had; else the first.
fn answer_taken(history: &History, asked: &Asked, found: &Found) -> Option<Value> {
    let labels = asked.workload.effects(&asked.token);
    let heard = history.arrivals.iter().filter(|arrival| labels.contains(&arrival.label));
    let numbers: Vec<_> = heard.map(|arrival| json!(arrival.connection)).collect();
    let taken = numbers.iter().find(|number| values_are(&found.end.output, std::slice::from_ref(number)));
    taken.or(numbers.first()).cloned()
}

fn answered(asked: &Asked, faults: &mut Vec<String>) {
    match asked.ids.split_first() {
        None => faults.push(format!("{} was never answered", asked.name())),
        Some((first, others)) if others.iter().any(|other| other != first) => {
            faults.push(format!("{} was started more than once: {:?}", asked.name(), asked.ids));
        }
        Some(_) => {}
    }
}

fn ended(asked: &Asked, found: &Found, values: &[Value], faults: &mut Vec<String>) {
    let name = asked.name();
    let status = found.end.status.as_str();
    let acknowledged = asked.stop.as_ref().and_then(|stop| stop.acknowledged.as_ref());
    if let Some((answer, _)) = acknowledged {
        if answer != "TERMINATED" {
            faults.push(format!("{name}: the answer to stopping it says {answer}"));
        }
        if status != "TERMINATED" {
            faults.push(format!("{name} was stopped and is {status}"));
        }
    }
    match status {
        "COMPLETED" => {
            if !values_are(&found.end.output, values) {
                faults.push(format!("{name}: outputs {} and not {}", short(&found.end.output), short(&json!(values))));
            }
        }
        "TERMINATED" if asked.stop.is_some() => {
            if !found.end.output.is_null() {
                faults.push(format!("{name} was stopped and has outputs {}", short(&found.end.output)));
            }
        }
        _ => faults.push(format!("{name} is {status}")),
    }
    for seen in &asked.seen {
        if *seen != found.end {
            faults.push(format!("{name} was seen {} and is {status} with other outputs or status", seen.status));
        }
    }
}

/// `[{name: value}, …]` holds these values in this order, all under one name.
fn values_are(output: &Value, values: &[Value]) -> bool {
    let Some(entries) = output.as_array() else { return false };
    let value = |entry: &Value| entry.as_object().filter(|entry| entry.len() == 1)?.values().next().cloned();
    let found: Option<Vec<_>> = entries.iter().map(value).collect();
    found.is_some_and(|found| same(&Value::Array(found), &json!(values)))
}

fn followed(asked: &Asked, found: &Found, wanted: &[Value], faults: &mut Vec<String>) {
    let Some(followed) = &asked.followed else { return };
    let name = asked.name();
    let mut known = HashSet::new();
    for event in followed {
        if !known.insert(&event.id) {
            faults.push(format!("{name}: event {} was seen twice", event.id));
        }
    }
    let all: HashSet<_> = found.events.iter().map(|event| &event.id).collect();
    for event in &found.events {
        if !known.contains(&event.id) {
            faults.push(format!("{name}: event {} ({}) was never seen", event.id, event.name));
        }
    }
    for event in followed {
        if !all.contains(&event.id) {
            faults.push(format!("{name}: event {} ({}) was seen and is no more", event.id, event.name));
        }
    }
    if let Some((seen, is)) = followed.iter().zip(&found.events).find(|(seen, is)| seen != is)
        && followed.len() == found.events.len()
    {
        faults.push(format!("{name}: event {} was seen as {} and is {}", is.id, short(&seen.data), short(&is.data)));
    }
    told(asked, found, wanted, faults);
}

/// The events tell what the results tell.
fn told(asked: &Asked, found: &Found, wanted: &[Value], faults: &mut Vec<String>) {
    let name = asked.name();
    let is = |wanted: &'static str| move |event: &&Event| event.name == wanted;
    let last = found.events.iter().rfind(is("run"));
    if last.is_none_or(|event| event.data["status"] != found.end.status.as_str()) {
        faults.push(format!("{name} is {} and its last event says {last:?}", found.end.status));
    }
    let mut ends: HashMap<&Value, [usize; 2]> = HashMap::new();
    for event in found.events.iter().filter(is("node")) {
        let starts = event.data["status"] == "RUNNING";
        ends.entry(&event.data["node_exec_id"]).or_default()[usize::from(!starts)] += 1;
    }
    for (exec, [starts, ends]) in &ends {
        if (*starts, *ends) != (1, 1) {
            faults.push(format!("{name}: execution {exec} began {starts} and ended {ends} times in the events"));
        }
    }
    if asked.is_completed() {
        let values: Vec<_> =
            found.events.iter().filter(is("output")).map(|event| event.data["value"].clone()).collect();
        if !same(&json!(values), &json!(wanted)) {
            faults.push(format!("{name}: events tell of outputs {}", short(&json!(values))));
        }
    }
}

fn listed(history: &History, faults: &mut Vec<String>) {
    let mut asked_for: HashMap<&str, Vec<&Asked>> = HashMap::new();
    for asked in &history.asked {
        asked.ids.first().into_iter().for_each(|id| asked_for.entry(id).or_default().push(asked));
    }
    for (id, several) in asked_for.iter().filter(|(_, several)| several.len() > 1) {
        let names: Vec<_> = several.iter().map(|asked| &asked.token).collect();
        faults.push(format!("run {id} answers for several starts: {names:?}"));
    }
    let mut rows: HashMap<&str, usize> = HashMap::new();
    for row in &history.listed {
        *rows.entry(&row.id).or_default() += 1;
        let Some(asked) = asked_for.get(row.id.as_str()).map(|several| several[0]) else {
            faults.push(format!("nobody asked for run {} of {:?} ({})", row.id, row.workload, row.status));
            continue;
        };
        let status = asked.found.as_ref().map(|found| found.end.status.as_str());
        if row.workload != asked.workload || Some(row.status.as_str()) != status {
            faults.push(format!("{} is listed as {:?} {}", asked.name(), row.workload, row.status));
        }
        if asked.is_completed() && row.seconds < asked.workload.seconds() as f64 {
            faults.push(format!("{} took {} s and has to wait longer", asked.name(), row.seconds));
        }
    }
    for asked in &history.asked {
        let count = asked.ids.first().and_then(|id| rows.get(id.as_str())).copied().unwrap_or_default();
        if count != 1 {
            faults.push(format!("{} is listed {count} times", asked.name()));
        }
    }
}

/// Every child has a parent that wanted it, and every completed parent has all its children, once.
fn children(history: &History, faults: &mut Vec<String>) {
    let mut parents: HashMap<String, &Asked> = HashMap::new();
    for asked in &history.asked {
        parents.extend(asked.workload.children(&asked.token).into_iter().map(|given| (given, asked)));
    }
    let mut completed: HashMap<&str, usize> = HashMap::new();
    let mut any: HashMap<&str, usize> = HashMap::new();
    for child in &history.children {
        let status = child.end.status.as_str();
        if !ENDS.contains(&status) {
            faults.push(format!("child run {} of {:?} is {status}", child.id, child.given));
        }
        let Some(given) = &child.given else { continue };
        let Some(parent) = parents.get(given) else {
            faults.push(format!("nobody asked for child run {} of {given}", child.id));
            continue;
        };
        *any.entry(given).or_default() += 1;
        if status == "COMPLETED" {
            *completed.entry(given).or_default() += 1;
            if !values_are(&child.end.output, &[json!(heard(given))]) {
                faults.push(format!("child run {} of {given}: outputs {}", child.id, short(&child.end.output)));
            }
        } else if parent.is_completed() {
            faults.push(format!("child run {} of {given} is {status}, its parent completed", child.id));
        }
    }
    for (given, parent) in &parents {
        let count = |of: &HashMap<&str, usize>| of.get(given.as_str()).copied().unwrap_or_default();
        if count(&any) > 1 {
            faults.push(format!("{} has {} child runs of {given}", parent.name(), count(&any)));
        }
        if parent.is_completed() && count(&completed) != 1 {
            faults.push(format!("{} has {} completed child runs of {given}", parent.name(), count(&completed)));
        }
    }
    if history.children.len() > parents.len() {
        faults.push(format!("{} child runs where {} were wanted", history.children.len(), parents.len()));
    }
}

/// Enough of a value to know it by.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
