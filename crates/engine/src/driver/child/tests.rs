//! What a parent makes of its child's events.

use super::Reader;
use crate::journal::{Entry, Event, Outcome};
use crate::made_up::graph;
use heddle_model::{Object, Time, Value};
use serde_json::json;
use std::collections::HashMap;

fn output(position: u32, pin: &str, value: Value) -> Event {
    Event::Output { exec: 0, position, pin: pin.to_owned(), value }
}

/// What the events of an output node's execution, called `y`, come to.
fn read(events: Vec<Event>, accounted: u64) -> (Vec<(String, Value)>, u64) {
    let input: Object = [("name".to_owned(), json!("y"))].into_iter().collect();
    let started = Event::Started { exec: 0, node: 0, input: input.into(), cost: 0 };
    let ended = Event::Ended { exec: 0, outcome: Outcome::Completed, child: None, outputs: None };
    let all = std::iter::once(started).chain(events).chain([ended]);
    let entries = all.map(|what| Entry { at: Time::default(), what }).collect();
    let mut reader = Reader { plan: graph().output("y").plan(), accounted, read: 0, open: HashMap::new() };
    let news = reader.take(entries);
    (news.outputs, news.upto)
}

#[test]
fn only_the_output_pin_counts_and_attempts_are_laid_over_each_other() {
    let attempt = || Event::AttemptBegun { exec: 0 };
    let name = || output(1, "name", json!("y"));
    let cases = [
        ("one attempt", vec![output(0, "output", json!(1)), name()], vec![1]),
        ("a second one that emits the same", vec![output(0, "output", json!(1)), attempt(), name()], vec![1]),
        ("a differing one", vec![output(0, "output", json!(1)), attempt(), output(0, "output", json!(2))], vec![2]),
        ("nothing", vec![attempt()], vec![]),
    ];
    for (case, events, want) in cases {
        let upto = events.len() as u64 + 2;
        let want: Vec<_> = want.into_iter().map(|value| ("y".to_owned(), json!(value))).collect();
        assert_eq!(read(events, 0), (want, upto), "{case}");
    }
}

#[test]
fn what_was_taken_over_before_a_crash_is_not_taken_again() {
    let events = || vec![output(0, "output", json!(1))];
    assert_eq!(read(events(), 3).0, []);
    assert_eq!(read(events(), 2).0, [("y".to_owned(), json!(1))], "its end had not been read");
}
