use super::*;
use heddle_engine::journal::{Answer, Counts};
use heddle_model::{RunId, Status};
use serde_json::json;

fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

/// One of each kind, with and without what is rare in it.
fn events() -> Vec<Event> {
    let input = Arc::new(object(json!({"a": [1, {"b": null}], "A": 1.5})));
    let counts = Counts { nodes: 3, errors: 1, cost: 2 };
    let answer = Answer { approved: false, data: None, message: Some("no".to_owned()), future: true };
    let ended = |outcome, child, outputs| Event::Ended { exec: 7, outcome, child, outputs };
    vec![
        Event::Started { exec: 4_000_000_000, node: 2, input: Arc::clone(&input), cost: 0 },
        Event::Started { exec: 1, node: 2, input, cost: 5 },
        Event::Started { exec: 1, node: 2, input: Arc::default(), cost: 0 },
        Event::AttemptBegun { exec: 1 },
        Event::Output { exec: 1, position: 9, pin: "o\"é\n".to_owned(), value: json!({"x": [[]]}) },
        Event::Output { exec: 1, position: 0, pin: String::new(), value: Value::Null },
        ended(Outcome::Completed, None, None),
        ended(Outcome::Completed, Some(counts), None),
        ended(Outcome::Completed, None, Some(1)),
        ended(Outcome::Failed("S".to_owned()), None, None),
        ended(Outcome::Terminated, None, None),
        Event::ChildStarted { exec: 1, child: RunId::at(Time(5), [7; 16]) },
        Event::TimerSet { exec: 1, wake_at: Time(-3) },
        Event::ReviewAnswered { exec: 1, answer: Box::new(answer) },
        Event::Paused,
        Event::StopAsked,
        Event::RunEnded { status: Status::Failed, error: Some("E".to_owned()), counts },
    ]
}

/// The events at these times, all kinds in turn.
fn entries(times: &[i64]) -> Vec<Entry> {
    let what = events().into_iter().cycle();
    times.iter().zip(what).map(|(at, what)| Entry { at: Time(*at), what }).collect()
}

fn written(entries: &[Entry]) -> String {
    serde_json::to_string(&Written(entries)).unwrap()
}

/// Two lists as one.
fn joined(one: &str, other: &str) -> String {
    format!("{},{}", one.strip_suffix(']').unwrap(), other.strip_prefix('[').unwrap())
}

fn read(text: &str) -> Result<Vec<Entry>, serde_json::Error> {
    serde_json::from_str::<Read>(text).map(|Read(entries)| entries)
}

#[test]
fn what_is_written_is_read_again_in_every_order() {
    let kinds = events().len();
    for first in 0..kinds {
        let mut entries = entries(&(0..40).map(|n| 1_795_489_270_433_799 + 17 * n).collect::<Vec<_>>());
        entries.rotate_left(first);
        assert_eq!(read(&written(&entries)).unwrap(), entries);
    }
    assert_eq!(read(&written(&[])).unwrap(), []);
}

#[test]
fn times_may_jump_as_they_like() {
    let entries = entries(&[5, 3, i64::MAX, i64::MIN, 0, -1, i64::MIN, i64::MAX, 1_795_489_270_433_799]);
    assert_eq!(read(&written(&entries)).unwrap(), entries);
}

#[test]
fn lists_that_are_put_behind_each_other_are_one() {
    let (one, other) = (entries(&[100, 110, 120]), entries(&[5_000, 5_001, 4_000]));
    assert_eq!(read(&joined(&written(&one), &written(&other))).unwrap(), [one, other].concat());
}

#[test]
fn what_earlier_releases_wrote_is_read_also_in_one_list_with_ours() {
    let (old, new) = (entries(&[100, 90, 80]), entries(&[200, 210]));
    let old_text = serde_json::to_string(&old).unwrap();
    assert_eq!(read(&old_text).unwrap(), old);
    assert_eq!(read(&joined(&old_text, &written(&new))).unwrap(), [old, new].concat());
}

#[test]
fn the_frequent_kinds_are_short() {
    let text = written(&[
        Entry { at: Time(1_000), what: Event::Paused },
        Entry { at: Time(1_007), what: Event::Started { exec: 1, node: 2, input: Arc::default(), cost: 0 } },
        Entry { at: Time(1_009), what: events().swap_remove(6) },
    ]);
    assert_eq!(text, r#"[{"at":1000,"what":"Paused"},[7,"S",1,2,{}],[9,"E",7]]"#);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let full = r#"{"at":1,"what":"Paused"}"#;
    for bad in
        [r#"[1,"X",1]"#, r#"[1,"S",1]"#, r#"[1]"#, "[]", r#"["1","E",1]"#, r#"[1,"E",-1]"#, r#"[1,"E",1,2]"#, "7"]
    {
        assert!(read(&format!("[{full},{bad}]")).is_err(), "{bad}");
    }
}
