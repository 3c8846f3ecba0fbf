//! Node executions: as many as in a run that nothing disturbed, for each node with the same values in the same order.

use super::runs::short;
use super::{Asked, Execution, Found, History};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

type ByNode<'a> = BTreeMap<&'a str, Vec<&'a Execution>>;

pub fn check(history: &History, faults: &mut Vec<String>) {
    for asked in &history.asked {
        let Some(found) = &asked.found else { continue };
        let Some((token, calm)) = history.undisturbed.get(&asked.workload) else {
            faults.push(format!("{:?} was never run undisturbed", asked.workload));
            continue;
        };
        let expected: Vec<_> = calm.iter().map(|execution| renamed(execution, token, &asked.token)).collect();
        compare(asked, found, &by_node(&expected), faults);
    }
}

/// The same execution in a run of another name.
fn renamed(execution: &Execution, from: &str, to: &str) -> Execution {
    Execution {
        node: execution.node.clone(),
        input: in_value(&execution.input, from, to),
        output: in_value(&execution.output, from, to),
    }
}

fn in_value(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(from, to)),
        Value::Array(items) => items.iter().map(|item| in_value(item, from, to)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), in_value(member, from, to))).collect()
        }
        other => other.clone(),
    }
}

fn by_node(executions: &[Execution]) -> ByNode<'_> {
    let mut nodes = ByNode::new();
    for execution in executions {
        nodes.entry(&execution.node).or_default().push(execution);
    }
    nodes
}

fn compare(asked: &Asked, found: &Found, expected: &ByNode, faults: &mut Vec<String>) {
    let name = asked.name();
    let actual = by_node(&found.executions);
    let none = Vec::new();
    for node in expected.keys().chain(actual.keys().filter(|node| !expected.contains_key(*node))) {
        let (wanted, is) = (expected.get(node).unwrap_or(&none), actual.get(node).unwrap_or(&none));
        if is.len() > wanted.len() || (asked.is_completed() && is.len() < wanted.len()) {
            faults.push(format!("{name}: node {node} ran {} times and not {}", is.len(), wanted.len()));
        }
        if !asked.workload.repeats_itself() {
            continue;
        }
        match asked.is_completed() {
            true => all_equal(&name, node, wanted, is, faults),
            false => all_known(&name, node, wanted, is, faults),
        }
    }
}

fn all_equal(name: &str, node: &str, wanted: &[&Execution], is: &[&Execution], faults: &mut Vec<String>) {
    if let Some(place) = wanted.iter().zip(is).position(|(wanted, is)| wanted != is) {
        faults.push(format!(
            "{name}: execution {place} of node {node} has {} → {} and not {} → {}",
            short(&is[place].input),
            short(&is[place].output),
            short(&wanted[place].input),
            short(&wanted[place].output),
        ));
    }
}

/// A stopped run has some of the executions, in the same order: those before a node may have been cut off.
fn all_known(name: &str, node: &str, wanted: &[&Execution], is: &[&Execution], faults: &mut Vec<String>) {
    let mut left = wanted.iter();
    for (place, is) in is.iter().enumerate() {
        if !left.any(|wanted| wanted.input == is.input && begins(&is.output, &wanted.output)) {
            let (input, output) = (short(&is.input), short(&is.output));
            faults.push(format!(
                "{name}: execution {place} of node {node} has {input} → {output}, out of turn or unknown"
            ));
            return;
        }
    }
}

/// Whether the values of each pin are the first ones of the whole.
fn begins(part: &Value, whole: &Value) -> bool {
    let pins: HashMap<_, _> = part.as_object().into_iter().flatten().collect();
    pins.into_iter().all(|(pin, values)| match (values.as_array(), whole[pin.as_str()].as_array()) {
        (Some(values), Some(whole)) => whole.starts_with(values),
        _ => false,
    })
}
