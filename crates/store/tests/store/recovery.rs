use crate::bed::{Bed, later, opening, output, person, run_id};
use heddle_engine::journal::JournalError;
use heddle_engine::ports::Journal;
use heddle_store::Store;
use serde_json::json;
use std::path::Path;

/// What a killed process leaves: the files as they are now, without the memory that the processes share.
fn leave(from: &Path, to: &Path) {
    for name in ["heddle.db", "heddle.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_many_writers_were_told_is_durable_survives_a_kill() {
    let (bed, ada) = (Bed::sqlite(), person(1));
    let (runs, frames) = (40u32, 6u64);
    let writers: Vec<_> = (0..runs)
        .map(|number| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                let run = run_id(number);
                store.append(vec![opening(ada, run)]).durable().await.unwrap();
                // The frames are queued at once, as a driver that runs ahead does.
                let frames = (0..frames).map(|frame| later(ada, run, 1 + frame, vec![output(json!([number, frame]))]));
                let mut tickets: Vec<_> = frames.map(|frame| store.append(vec![frame])).collect();
                store.put_value(ada.id, &format!("value {number}"), &json!(number)).await.unwrap();
                for ticket in &mut tickets {
                    ticket.durable().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }

    let copy = tempfile::tempdir().unwrap();
    leave(bed.path().parent().unwrap(), copy.path());
    let after = Store::open(&copy.path().join("heddle.db")).unwrap();
    after.integrity().await.unwrap();
    assert_eq!(after.count_unfinished().await.unwrap(), u64::from(runs));
    for number in 0..runs {
        let entries = after.read(run_id(number), 1).await.unwrap();
        let expected: Vec<_> = (0..frames).map(|frame| output(json!([number, frame]))).collect();
        assert_eq!(entries, expected, "run {number}");
        assert_eq!(after.get_value(ada.id, &format!("value {number}")).await.unwrap(), Some(json!(number)));
    }
}

#[tokio::test]
async fn what_is_queued_when_the_last_handle_goes_is_still_written() {
    let ada = person(1);
    for bed in Bed::each() {
        let Bed { store, place } = bed;
        let tickets: Vec<_> = (0..2000).map(|number| store.append(vec![opening(ada, run_id(number))])).collect();
        drop(store);
        for mut ticket in tickets {
            ticket.durable().await.unwrap();
        }
        assert_eq!(place.open().count_unfinished().await.unwrap(), 2000);
    }
}

#[tokio::test]
async fn a_failing_append_harms_none_of_those_beside_it() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.append(vec![opening(ada, run_id(7))]).await.unwrap();
        let tickets: Vec<_> = (0..20).map(|number| bed.store.append(vec![opening(ada, run_id(number))])).collect();
        for (number, mut ticket) in tickets.into_iter().enumerate() {
            let expected = if number == 7 { Err(JournalError::Exists) } else { Ok(()) };
            assert_eq!(ticket.durable().await, expected, "{number}");
        }
        assert_eq!(bed.store.count_unfinished().await.unwrap(), 20);
        assert!(!bed.store.unfinished().await.unwrap().0.is_empty());
    }
}

#[tokio::test]
async fn after_the_end_an_append_says_closed() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.store.close().await;
        assert_eq!(bed.append(vec![opening(ada, run_id(1))]).await, Err(JournalError::Closed));
        assert_eq!(bed.store.read(run_id(1), 0).await, Err(JournalError::Closed));
    }
}
