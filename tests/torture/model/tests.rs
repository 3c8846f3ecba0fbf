//! The model finds fault with histories that were doctored, and none with one that was not.

use super::{Arrival, Asked, Child, Event, Execution, Found, History, Listed, Seen, Stop};
use crate::torture::workload::{Workload, counted, heard};
use serde_json::{Value, json};

const CALM: [&str; 5] = ["r0000000@s8", "r0000001@s8", "r0000002@s8", "r0000003@s8", "r0000010@s8"];
const CHAIN: &str = "r0000004@s0";
const ASKING: &str = "r0000005@s0";
const FAMILY: &str = "r0000006@s1";
const STOPPED: &str = "r0000007@s1";
const COUNTER: &str = "r0000008@s1";
const RECEIPT: &str = "r0000009@s1";

/// The request of a receipt is the tenth connection; every counter is used once.
fn outputs(workload: Workload, token: &str) -> Vec<Value> {
    let other = if workload == Workload::Counter { json!(counted(1)) } else { json!(10) };
    workload.outputs(token).unwrap_or_else(|| vec![other])
}

fn completed(workload: Workload, token: &str) -> Seen {
    let output = outputs(workload, token).into_iter().map(|value| json!({"text": value})).collect();
    Seen { status: "COMPLETED".to_owned(), output }
}

fn executions(workload: Workload, token: &str) -> Vec<Execution> {
    let execution = |node: &str, input: Value, output: Value| Execution { node: node.to_owned(), input, output };
    let last = outputs(workload, token);
    let mut all = vec![execution("in", json!(token), json!({"result": [token]}))];
    all.extend(last.iter().map(|value| execution("out", value.clone(), json!({"output": [value]}))));
    all
}

fn events(workload: Workload, token: &str) -> Vec<Event> {
    let event = |id: &str, name: &str, data| Event { id: id.to_owned(), name: name.to_owned(), data };
    let mut events = vec![
        event("0", "run", json!({"status": "RUNNING"})),
        event("1", "node", json!({"node_exec_id": "e", "status": "RUNNING"})),
        event("2", "node", json!({"node_exec_id": "e", "status": "COMPLETED"})),
    ];
    for (n, value) in outputs(workload, token).iter().enumerate() {
        events.push(event(&format!("3.{n}"), "output", json!({"value": value})));
    }
    events.push(event("4", "run", json!({"status": "COMPLETED"})));
    events
}

fn asked(workload: Workload, token: &str) -> Asked {
    let end = completed(workload, token);
    let events = events(workload, token);
    Asked {
        ids: vec![format!("id of {token}"); 2],
        seen: vec![end.clone()],
        followed: Some(events.clone()),
        found: Some(Found { end, executions: executions(workload, token), events }),
        ..Asked::new(token.to_owned(), workload, 1)
    }
}

/// Six runs: one pure, one that sends three requests, one with children, one that is stopped in its second request, one
/// that counts, one that hands an answer's number on; a server that died twice and repeated one effect. Before them, one undisturbed run of each kind.
fn history() -> History {
    let mut history = History { deaths: vec![100, 200], ..History::default() };
    let kinds = [Workload::Chain, Workload::Requests, Workload::Family, Workload::Counter, Workload::Receipt];
    for (token, workload) in CALM.into_iter().zip(kinds) {
        history.asked.push(asked(workload, token));
        history.undisturbed.insert(workload, (token.to_owned(), executions(workload, token)));
    }
    let runs = [
        (CHAIN, kinds[0]),
        (ASKING, kinds[1]),
        (FAMILY, kinds[2]),
        (STOPPED, kinds[1]),
        (COUNTER, kinds[3]),
        (RECEIPT, kinds[4]),
    ];
    for (token, workload) in runs {
        history.asked.push(asked(workload, token));
    }
    for asked in &history.asked {
        let arrival = |(n, label): (usize, String)| Arrival {
            connection: n as u64 * 10 + 10,
            key: format!("key of {label}"),
            label,
        };
        history.arrivals.extend(asked.workload.effects(&asked.token).into_iter().enumerate().map(arrival));
        let given = asked.workload.children(&asked.token).into_iter();
        history.children.extend(given.map(|given| {
            let end = Seen { status: "COMPLETED".to_owned(), output: json!([{"text": heard(&given)}]) };
            Child { id: format!("child of {given}"), given: Some(given), end }
        }));
    }
    history.counters = [("s1".to_owned(), json!(counted(1)))].into();
    let repeated = history.arrivals.iter().find(|arrival| arrival.label.starts_with(ASKING)).unwrap().clone();
    history.arrivals.push(Arrival { connection: 150, ..repeated });
    stop(&mut history);
    history.listed = history.asked.iter().map(listed).collect();
    history
}

fn listed(asked: &Asked) -> Listed {
    let status = asked.found.as_ref().unwrap().end.status.clone();
    Listed { id: asked.ids[0].clone(), workload: asked.workload, status, seconds: 1.0 }
}

fn stop(history: &mut History) {
    history.arrivals.retain(|arrival| !arrival.label.starts_with(STOPPED) || !arrival.label.ends_with("/2"));
    let asked = of(history, STOPPED);
    asked.stop = Some(Stop { acknowledged: Some(("TERMINATED".to_owned(), 30)) });
    let end = Seen { status: "TERMINATED".to_owned(), output: Value::Null };
    asked.seen = vec![end.clone()];
    let found = asked.found.as_mut().unwrap();
    found.executions.truncate(1);
    found.end = end;
    found.events.retain(|event| event.name != "output");
    found.events.last_mut().unwrap().data = json!({"status": "TERMINATED"});
    asked.followed = Some(found.events.clone());
}

fn of<'a>(history: &'a mut History, token: &str) -> &'a mut Asked {
    history.asked.iter_mut().find(|asked| asked.token == token).unwrap()
}

fn found<'a>(history: &'a mut History, token: &str) -> &'a mut Found {
    of(history, token).found.as_mut().unwrap()
}

fn arrival<'a>(history: &'a mut History, token: &str) -> &'a mut Arrival {
    history.arrivals.iter_mut().find(|arrival| arrival.label.starts_with(token)).unwrap()
}

#[test]
fn a_history_in_which_all_is_well_has_no_faults() {
    assert_eq!(history().faults(), Vec::<String>::new());
    let totals = history().totals();
    assert_eq!((totals.runs, totals.stopped, totals.children, totals.repeats), (11, 1, 4, 1));
    assert_eq!(totals.effects, 3 + 2 + 1 + 3 + 2 + 2 + 1);
}

/// What is done to a history, and what the model must say to it.
type Doctored = (&'static str, fn(&mut History), &'static str);

const RUNS: &[Doctored] = &[
    ("a lost run", |h| of(h, CHAIN).found = None, "is lost"),
    ("a start without an answer", |h| of(h, CHAIN).ids.clear(), "was never answered"),
    ("a retry that made a second run", |h| of(h, CHAIN).ids[1] = "another".to_owned(), "started more than once"),
    (
        "an invented run",
        |h| {
            let mut row = h.listed[0].clone();
            row.id = "another".to_owned();
            h.listed.push(row);
        },
        "nobody asked for run another",
    ),
    (
        "two starts with one run",
        |h| of(h, CHAIN).ids = vec!["id of r0000005@s0".to_owned()],
        "answers for several starts",
    ),
    ("a run that is not listed", |h| drop(h.listed.pop()), "is listed 0 times"),
    ("a run that is listed twice", |h| h.listed.push(h.listed[4].clone()), "is listed 2 times"),
    ("a list that says otherwise", |h| h.listed[4].status = "RUNNING".to_owned(), "is listed as"),
    ("a run that never ended", |h| found(h, CHAIN).end.status = "RUNNING".to_owned(), "is RUNNING"),
    ("a run that failed", |h| found(h, CHAIN).end.status = "FAILED".to_owned(), "is FAILED"),
    ("a run that nobody stopped", |h| of(h, STOPPED).stop = None, "is TERMINATED"),
    ("a wait cut short", |h| h.listed.iter_mut().for_each(|row| row.seconds = 0.9), "has to wait longer"),
    ("a missing output", |h| found(h, FAMILY).end.output.as_array_mut().unwrap().truncate(1), "outputs"),
    (
        "a doubled output",
        |h| {
            let output = found(h, CHAIN).end.output.as_array_mut().unwrap();
            output.push(output[0].clone());
        },
        "outputs",
    ),
    ("a count that is off by one", |h| found(h, COUNTER).end.output = json!([{"text": 4.0}]), "and not [3.0]"),
    ("an answer that nobody gave", |h| arrival(h, RECEIPT).connection = 11, "and not [11]"),
    (
        "two answers to one request",
        |h| {
            let second = Arrival { connection: 111, ..arrival(h, RECEIPT).clone() };
            h.arrivals.push(second);
            found(h, RECEIPT).end.output.as_array_mut().unwrap().push(json!({"number": 111}));
        },
        "outputs",
    ),
    ("outputs in another order", |h| found(h, FAMILY).end.output.as_array_mut().unwrap().reverse(), "outputs"),
    ("an end that did not last", |h| of(h, CHAIN).seen[0].status = "TERMINATED".to_owned(), "was seen TERMINATED"),
    (
        "a stop that did not hold",
        |h| found(h, STOPPED).end = completed(Workload::Requests, STOPPED),
        "was stopped and is COMPLETED",
    ),
    (
        "a stop that was not carried out when it was answered",
        |h| of(h, STOPPED).stop = Some(Stop { acknowledged: Some(("RUNNING".to_owned(), 20)) }),
        "the answer to stopping it says RUNNING",
    ),
];

const EVENTS: &[Doctored] = &[
    ("an event that was seen twice", |h| of(h, CHAIN).followed.as_mut().unwrap().rotate_right(1), "was seen as"),
    (
        "an event that came again",
        |h| {
            let followed = of(h, CHAIN).followed.as_mut().unwrap();
            followed.push(followed[1].clone());
        },
        "event 1 was seen twice",
    ),
    (
        "an event that was left out",
        |h| drop(of(h, CHAIN).followed.as_mut().unwrap().remove(2)),
        "event 2 (node) was never",
    ),
    (
        "an event that was taken back",
        |h| drop(found(h, CHAIN).events.remove(2)),
        "event 2 (node) was seen and is no more",
    ),
    (
        "an event that changed",
        |h| of(h, CHAIN).followed.as_mut().unwrap()[3].data = json!({"value": "x"}),
        "event 3.0 was seen as",
    ),
    ("an execution without an end", |h| drop(found(h, CHAIN).events.remove(2)), "ended 0 times in the events"),
    ("an output without an event", |h| drop(found(h, CHAIN).events.remove(3)), "events tell of outputs []"),
    ("events without the end", |h| drop(found(h, CHAIN).events.pop()), "its last event says"),
];

const CHILDREN: &[Doctored] = &[
    ("a child that is missing", |h| drop(h.children.pop()), "has 0 completed child runs"),
    ("a second child", |h| h.children.push(h.children[3].clone()), "has 2 child runs"),
    ("a stranger's child", |h| h.children[3].given = Some("r9999999@s0/0".to_owned()), "nobody asked for child run"),
    ("a child that goes on", |h| h.children[3].end.status = "RUNNING".to_owned(), "is RUNNING"),
    ("a child of another mind", |h| h.children[3].end.output = json!([{"text": "x"}]), "outputs"),
];

const NODES: &[Doctored] = &[
    ("a missing execution", |h| drop(found(h, CHAIN).executions.pop()), "node out ran 0 times and not 1"),
    (
        "a doubled execution",
        |h| {
            let executions = &mut found(h, COUNTER).executions;
            executions.push(executions[0].clone());
        },
        "node in ran 2 times and not 1",
    ),
    ("another order in one node", |h| found(h, FAMILY).executions.swap(1, 2), "execution 0 of node out has"),
    ("another value", |h| found(h, CHAIN).executions[0].input = json!("x"), "execution 0 of node in has"),
    ("a value where it was stopped", |h| found(h, STOPPED).executions[0].input = json!("x"), "out of turn or unknown"),
];

const EFFECTS: &[Doctored] = &[
    ("a lost effect", |h| h.arrivals.retain(|arrival| !arrival.label.starts_with(FAMILY)), "never arrived"),
    ("an invented effect", |h| arrival(h, ASKING).label = "r9999999@s0/0".to_owned(), "nobody asked for effect"),
    ("a repeat under another key", |h| h.arrivals.last_mut().unwrap().key = "another".to_owned(), "under two keys"),
    ("a repeat without a kill", |h| h.arrivals.last_mut().unwrap().connection = 90, "came twice in life 1"),
    (
        "two repeats for one kill",
        |h| {
            let last = h.arrivals.last().unwrap().clone();
            h.arrivals.push(Arrival { connection: 151, ..last });
        },
        "came twice in life 2",
    ),
    (
        "one key for two effects",
        |h| {
            let key = arrival(h, FAMILY).key.clone();
            h.arrivals.iter_mut().filter(|arrival| arrival.label.starts_with(ASKING)).for_each(|a| a.key = key.clone());
        },
        "came under one key",
    ),
    ("an effect without a key", |h| arrival(h, FAMILY).key.clear(), "came without a key"),
    (
        "an effect after the stop",
        |h| of(h, STOPPED).stop = Some(Stop { acknowledged: Some(("TERMINATED".to_owned(), 5)) }),
        "began after the stop was acknowledged",
    ),
    ("a count that is off", |h| drop(h.counters.insert("s1".to_owned(), json!(4.0))), "counter s1 holds 4.0 after 1"),
];

#[test]
fn every_doctored_history_is_found_out() {
    for (what, doctor, expected) in [RUNS, EVENTS, CHILDREN, NODES, EFFECTS].concat() {
        let mut history = history();
        doctor(&mut history);
        let faults = history.faults();
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{what}: expected {expected:?} in {faults:#?}");
    }
}
