//! Effects: every one that was due arrived, under one key, at most once in a server's life; none after a stop.

use super::{Arrival, Asked, History};
use std::collections::{BTreeMap, HashMap};

pub fn check(history: &History, faults: &mut Vec<String>) {
    let mut due: HashMap<String, &Asked> = HashMap::new();
    for asked in &history.asked {
        due.extend(asked.workload.effects(&asked.token).into_iter().map(|label| (label, asked)));
    }
    let mut by_label: BTreeMap<&str, Vec<&Arrival>> = BTreeMap::new();
    for arrival in &history.arrivals {
        by_label.entry(&arrival.label).or_default().push(arrival);
    }
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for (label, arrivals) in &by_label {
        match due.get(*label) {
            Some(asked) => after_stop(asked, label, arrivals, faults),
            None => faults.push(format!("nobody asked for effect {label}")),
        }
        repeated(history, label, arrivals, faults);
        for arrival in arrivals {
            if arrival.key.is_empty() {
                faults.push(format!("effect {label} came without a key"));
            } else if let Some(other) = owners.insert(&arrival.key, label).filter(|other| other != label) {
                faults.push(format!("effects {label} and {other} came under one key, {}", arrival.key));
            }
        }
    }
    for (label, asked) in due {
        if asked.is_completed() && !by_label.contains_key(label.as_str()) {
            faults.push(format!("{}: effect {label} never arrived", asked.name()));
        }
    }
}

fn repeated(history: &History, label: &str, arrivals: &[&Arrival], faults: &mut Vec<String>) {
    if let Some(other) = arrivals.iter().find(|arrival| arrival.key != arrivals[0].key) {
        faults.push(format!("effect {label} came under two keys, {} and {}", arrivals[0].key, other.key));
    }
    let life = |arrival: &&Arrival| history.deaths.partition_point(|death| *death < arrival.connection);
    let mut lives: Vec<_> = arrivals.iter().map(life).collect();
    lives.sort_unstable();
    for pair in lives.windows(2).filter(|pair| pair[0] == pair[1]) {
        faults.push(format!("effect {label} came twice in life {} of the server", pair[0] + 1));
    }
}

fn after_stop(asked: &Asked, label: &str, arrivals: &[&Arrival], faults: &mut Vec<String>) {
    let Some((_, mark)) = asked.stop.as_ref().and_then(|stop| stop.acknowledged.as_ref()) else { return };
    for late in arrivals.iter().filter(|arrival| arrival.connection > *mark) {
        faults.push(format!(
            "{}: effect {label} began after the stop was acknowledged (connection {} after {mark})",
            asked.name(),
            late.connection
        ));
    }
}
