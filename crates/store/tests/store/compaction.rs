use crate::bed::{Bed, Person, later, noon_and, opening, output, person, row, run_id};
use heddle_engine::journal::Entry;
use heddle_engine::ports::Journal;
use heddle_model::{RunId, Status};
use heddle_store::{Compacted, Compaction};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Works until there is nothing left to do; what was done.
async fn compact(bed: &Bed) -> Compacted {
    let (mut state, mut all) = (Compaction::default(), Compacted::default());
    loop {
        let step = bed.store.compact(&mut state).await.unwrap();
        if step.is_over {
            return all;
        }
        all.runs += step.runs;
        all.rows = (all.rows.0 + step.rows.0, all.rows.1 + step.rows.1);
        all.bytes = (all.bytes.0 + step.bytes.0, all.bytes.1 + step.bytes.1);
    }
}

/// A finished run of so many frames; the size of an event's text.
async fn finished(bed: &Bed, who: Person, run: RunId, frames: u64, size: usize) -> Vec<Entry> {
    bed.append(vec![opening(who, run)]).await.unwrap();
    for number in 1..frames {
        let text = format!("{number} ").repeat(size / 4);
        let mut frame =
            later(who, run, 2 * number - 1, vec![output(json!(0.1)), output(json!({"b": text, "a": 1e300}))]);
        if number + 1 == frames {
            frame.row = row(Status::Completed);
            frame.row.ended_at = Some(noon_and(1));
        }
        bed.append(vec![frame]).await.unwrap();
    }
    bed.store.read(run, 0).await.unwrap()
}

#[tokio::test]
async fn a_finished_run_becomes_one_row_and_says_the_same() {
    for bed in Bed::each() {
        let ada = person(1);
        let mut before = Vec::new();
        for number in 0..40 {
            before.push(finished(&bed, ada, run_id(number), 2 + u64::from(number % 5), 40).await);
        }
        bed.append(vec![opening(ada, run_id(100))]).await.unwrap();
        bed.append(vec![later(ada, run_id(100), 1, vec![output("not yet")])]).await.unwrap();

        let done = compact(&bed).await;
        assert_eq!((done.runs, done.rows.1), (40, 40), "{done:?}");
        assert!(done.rows.0 > 100 && done.bytes.1 < done.bytes.0, "{done:?}");
        for (number, entries) in before.iter().enumerate() {
            let run = run_id(number as u32);
            for from in 0..=entries.len() {
                assert_eq!(
                    bed.store.read(run, from as u64).await.unwrap(),
                    entries[from..],
                    "run {number} from {from}"
                );
            }
        }
        assert_eq!(compact(&bed).await, Compacted::default(), "nothing is left");
        assert_eq!(bed.store.read(run_id(100), 0).await.unwrap().len(), 2);
        bed.append(vec![later(ada, run_id(100), 2, vec![output("goes on")])]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_run_becomes_few_rows_while_readers_miss_and_repeat_nothing() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        let entries = Arc::new(finished(&bed, ada, run, 200, 30_000).await);
        let stop = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (store, entries, stop) = (bed.store.clone(), Arc::clone(&entries), Arc::clone(&stop));
                tokio::spawn(async move {
                    let (mut from, mut rounds) = (reader * 50, 0);
                    while !stop.load(Ordering::Relaxed) || rounds == 0 {
                        assert_eq!(store.read(run, from as u64).await.unwrap(), entries[from..], "from {from}");
                        from = (from + 37) % entries.len();
                        rounds += 1;
                    }
                })
            })
            .collect();
        let done = compact(&bed).await;
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.await.unwrap();
        }
        assert_eq!((done.runs, done.rows.0), (1, 200), "{done:?}");
        assert!((2..20).contains(&done.rows.1), "{done:?}");
        assert_eq!(bed.store.read(run, 0).await.unwrap(), *entries);
        assert_eq!(compact(&bed).await, Compacted::default(), "nothing is left");
    }
}
