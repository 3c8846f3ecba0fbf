use crate::bed::{Bed, NOON, claiming, later, opening, output, person, run_id};
use heddle_engine::journal::{Counts, Entry, Event, JournalError, Outcome};
use heddle_engine::ports::{Journal, KeyValue};
use heddle_model::{Object, Status, Time, Value};
use serde_json::json;

#[tokio::test]
async fn events_are_read_from_any_number_on() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        let first = opening(ada, run);
        let mut all = first.entries.clone();
        bed.append(vec![first]).await.unwrap();
        for size in [1, 3, 2] {
            let entries: Vec<_> = (0..size).map(|index| output(json!([all.len(), index]))).collect();
            bed.append(vec![later(ada, run, all.len() as u64, entries.clone())]).await.unwrap();
            all.extend(entries);
        }
        for from in 0..=all.len() + 2 {
            let read = bed.store.read(run, from as u64).await.unwrap();
            assert_eq!(read, all[from.min(all.len())..], "from {from}");
        }
        assert_eq!(bed.store.read(run, u64::MAX).await.unwrap(), []);
        assert_eq!(bed.store.read(run_id(2), 0).await.unwrap(), [], "an unknown run has no events");
    }
}

#[tokio::test]
async fn a_frame_that_does_not_follow_is_refused_and_changes_nothing() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        bed.append(vec![opening(ada, run)]).await.unwrap();
        bed.append(vec![later(ada, run, 1, vec![output(1), output(2)])]).await.unwrap();
        let before = bed.store.read(run, 0).await.unwrap();

        for first in [0, 1, 2] {
            let again = later(ada, run, first, vec![output("again")]);
            assert_eq!(bed.append(vec![again]).await, Err(JournalError::Exists), "at {first}");
        }
        assert_eq!(bed.append(vec![opening(ada, run)]).await, Err(JournalError::Exists));
        let gap = bed.append(vec![later(ada, run, 4, vec![output("late")])]).await;
        assert!(
            matches!(&gap, Err(JournalError::Disk(text)) if text.contains("begins at event 4, not at 3")),
            "{gap:?}"
        );
        let unknown = bed.append(vec![later(ada, run_id(2), 0, vec![output("nobody")])]).await;
        assert!(matches!(unknown, Err(JournalError::Disk(_))), "{unknown:?}");

        assert_eq!(bed.store.read(run, 0).await.unwrap(), before);
        assert_eq!(bed.store.run_by_id(ada.id, run).await.unwrap().unwrap().status, Status::Running);
    }
}

#[tokio::test]
async fn frames_given_together_are_kept_together_or_not_at_all() {
    for bed in Bed::each() {
        let (ada, parent, child) = (person(1), run_id(1), run_id(2));
        bed.append(vec![opening(ada, parent)]).await.unwrap();
        bed.append(vec![later(ada, parent, 1, vec![output(1)]), opening(ada, child)]).await.unwrap();
        assert_eq!(bed.store.run_by_id(ada.id, child).await.unwrap().unwrap().events, 1);

        // The child is there already, so the parent's frame must not stay either, alone or in company.
        let again = || vec![later(ada, parent, 2, vec![output(2)]), opening(ada, child)];
        assert_eq!(bed.append(again()).await, Err(JournalError::Exists));
        let mut tickets: Vec<_> = [again(), vec![opening(ada, run_id(3))], again()]
            .into_iter()
            .map(|frames| bed.store.append(frames))
            .collect();
        assert_eq!(tickets[0].durable().await, Err(JournalError::Exists));
        assert_eq!(tickets[1].durable().await, Ok(()));
        assert_eq!(tickets[2].durable().await, Err(JournalError::Exists));
        assert_eq!(bed.store.run_by_id(ada.id, parent).await.unwrap().unwrap().events, 2);
    }
}

#[tokio::test]
async fn values_ride_with_their_frame_or_fall_with_it() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        let write = |value: i64| vec![KeyValue { key: "counter".to_owned(), value: value.into() }];
        let mut first = opening(ada, run);
        first.writes = write(1);
        bed.append(vec![first.clone()]).await.unwrap();
        assert_eq!(bed.store.get_value(ada.id, "counter").await.unwrap(), Some(json!(1)));
        first.writes = write(2);
        assert_eq!(bed.append(vec![first]).await, Err(JournalError::Exists));
        assert_eq!(bed.store.get_value(ada.id, "counter").await.unwrap(), Some(json!(1)));
        let mut next = later(ada, run, 1, vec![output(1)]);
        next.writes = write(3);
        bed.append(vec![next]).await.unwrap();
        assert_eq!(bed.store.get_value(ada.id, "counter").await.unwrap(), Some(json!(3)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_one_batch_each_piece_of_work_gets_its_own_answer() {
    for bed in Bed::each() {
        let ada = person(1);
        let run = |number: u32| run_id(number);
        bed.append(vec![opening(ada, run(1)), opening(ada, run(2))]).await.unwrap();
        bed.append(vec![claiming(ada, run(3), "held", NOON)]).await.unwrap();
        // Whatever ends up in one batch: everything is queued before anything is waited for.
        let mut written = later(ada, run(2), 1, vec![output(1)]);
        written.writes = vec![KeyValue { key: "k".to_owned(), value: json!("ridden") }];
        let mut refused = later(ada, run(2), 1, vec![output("again")]);
        refused.writes = vec![KeyValue { key: "k".to_owned(), value: json!("refused") }];
        let appends = [
            (vec![later(ada, run(1), 1, vec![output(1)])], None),
            (vec![later(ada, run(1), 1, vec![output("again")])], Some(JournalError::Exists)),
            (vec![later(ada, run(1), 2, vec![output(2), output(3)])], None),
            (vec![written], None),
            (vec![refused], Some(JournalError::Exists)),
            (vec![claiming(ada, run(4), "held", NOON)], Some(JournalError::Taken)),
            (vec![claiming(ada, run(5), "free", NOON)], None),
            (vec![later(ada, run(1), 4, vec![output(4)]), opening(ada, run(1))], Some(JournalError::Exists)),
            (vec![later(ada, run(1), 4, vec![output(4)]), opening(ada, run(6))], None),
            (vec![later(ada, run(1), 5, Vec::new())], None),
        ];
        let (frames, expected): (Vec<_>, Vec<_>) = appends.into_iter().unzip();
        let values: Vec<_> = (0..20)
            .map(|number| {
                let store = bed.store.clone();
                tokio::spawn(async move { store.put_value(ada.id, &format!("v{number}"), &json!(number)).await })
            })
            .collect();
        let mut tickets: Vec<_> = frames.into_iter().map(|frames| bed.store.append(frames)).collect();
        for (number, (ticket, expected)) in tickets.iter_mut().zip(expected).enumerate() {
            assert_eq!(ticket.durable().await.err(), expected, "append {number}");
        }
        for (number, value) in values.into_iter().enumerate() {
            value.await.unwrap().unwrap();
            assert_eq!(bed.store.get_value(ada.id, &format!("v{number}")).await.unwrap(), Some(json!(number)));
        }
        assert_eq!(bed.store.read(run(1), 1).await.unwrap(), [1, 2, 3, 4].map(output));
        assert_eq!(bed.store.read(run(2), 1).await.unwrap(), [output(1)]);
        assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), Some(json!("ridden")));
        let exists = async |number| bed.store.run_by_id(ada.id, run(number)).await.unwrap().is_some();
        assert_eq!((exists(4).await, exists(5).await, exists(6).await), (false, true, true));
    }
}

#[tokio::test]
async fn appending_nothing_succeeds() {
    for bed in Bed::each() {
        assert_eq!(bed.append(Vec::new()).await, Ok(()));
    }
}

/// A xorshift generator, so that a failing seed is its own record.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn text(&mut self) -> String {
        let length = self.below(12);
        (0..length).map(|_| char::from_u32(self.below(0x11_0000) as u32).unwrap_or('\0')).collect()
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::from(self.roll()),
            3 => Value::from(self.roll() as i64),
            4 => serde_json::Number::from_f64(f64::from_bits(self.roll())).map_or(Value::Null, Value::Number),
            5 => Value::String(self.text()),
            6 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.object(depth - 1)),
        }
    }

    fn object(&mut self, depth: u32) -> Object {
        (0..self.below(4)).map(|_| (self.text(), self.value(depth))).collect()
    }

    fn entry(&mut self) -> Entry {
        let exec = self.roll() as u32;
        let counts = Counts { nodes: self.roll(), errors: self.roll(), cost: 0 };
        let what = match self.below(9) {
            0 => Event::Started { exec, node: self.roll() as u32, input: self.object(3).into(), cost: self.roll() },
            1 => Event::AttemptBegun { exec },
            2 => Event::Output { exec, position: self.roll() as u32, pin: self.text(), value: self.value(5) },
            3 => Event::Ended { exec, outcome: Outcome::Failed(self.text()), child: Some(counts), outputs: None },
            4 => Event::ChildStarted { exec, child: run_id(self.roll() as u32) },
            5 => Event::ChildRead { exec, upto: self.roll() },
            6 => Event::TimerSet { exec, wake_at: Time(self.roll() as i64) },
            7 => Event::StopAsked,
            _ => Event::RunEnded { status: Status::Failed, error: Some(self.text()), counts },
        };
        Entry { at: Time(self.roll() as i64), what }
    }
}

#[tokio::test]
async fn any_events_come_back_as_they_were() {
    for bed in Bed::each() {
        let ada = person(1);
        for seed in 1..=60u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let run = run_id(seed as u32);
            let mut all = opening(ada, run).entries;
            bed.append(vec![opening(ada, run)]).await.unwrap();
            for _ in 0..dice.below(5) {
                let entries: Vec<_> = (0..=dice.below(20)).map(|_| dice.entry()).collect();
                bed.append(vec![later(ada, run, all.len() as u64, entries.clone())]).await.unwrap();
                all.extend(entries);
            }
            assert_eq!(bed.store.read(run, 0).await.unwrap(), all, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn a_value_nested_beyond_any_parsers_limit_comes_back() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        let deep = (0..1000).fold(json!(0), |inner, _| json!([inner]));
        bed.append(vec![opening(ada, run)]).await.unwrap();
        bed.append(vec![later(ada, run, 1, vec![output(deep.clone())])]).await.unwrap();
        assert_eq!(bed.store.read(run, 1).await.unwrap(), [output(deep)]);
    }
}
