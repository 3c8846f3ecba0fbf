use crate::bed::{Bed, later, opening, output, person, run_id};
use heddle_engine::ports::Journal;
use heddle_store::{Error, Store};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_made_under_load_holds_what_was_durable_before_it_began() {
    let (bed, ada) = (Bed::sqlite(), person(1));
    for number in 0..2000 {
        bed.store.put_value(ada.id, &format!("filler {number}"), &json!("x".repeat(4000))).await.unwrap();
    }
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (store, stop, next) = (bed.store.clone(), Arc::clone(&stop), Arc::clone(&next));
            tokio::spawn(async move {
                let mut durable = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let run = run_id(number);
                    store.append(vec![opening(ada, run)]).durable().await.unwrap();
                    store.append(vec![later(ada, run, 1, vec![output(json!(number))])]).durable().await.unwrap();
                    // Goes wrong in the middle of a batch, which undoes it.
                    store.append(vec![opening(ada, run)]).durable().await.unwrap_err();
                    durable.push(number);
                }
                durable
            })
        })
        .collect();
    while next.load(Ordering::Relaxed) < 500 {
        tokio::task::yield_now().await;
    }
    // With eight writers, those that count up to here but eight are done.
    let before = next.load(Ordering::Relaxed) - 8;
    let to = bed.path().with_extension("copy");
    bed.store.copy_to(&to).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut durable = Vec::new();
    for writer in writers {
        durable.extend(writer.await.unwrap());
    }

    assert!(Store::verify(&to).unwrap().iter().all(|migration| migration.applied));
    let copy = Store::open(&to).unwrap();
    let mut found = 0;
    for number in durable {
        let entries = copy.read(run_id(number), 1).await.unwrap();
        if number < before {
            assert_eq!(entries, [output(json!(number))], "run {number}");
        }
        found += u32::from(!entries.is_empty());
    }
    assert!(found >= before);
    assert_eq!(copy.get_value(ada.id, "filler 1999").await.unwrap(), Some(json!("x".repeat(4000))));
}

#[tokio::test]
async fn a_copy_goes_where_nothing_is_and_nowhere_else() {
    let bed = Bed::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "precious").unwrap();
    assert_eq!(bed.store.copy_to(&taken).await, Err(Error::Exists));
    assert_eq!(std::fs::read(&taken).unwrap(), b"precious");
    let missing = folder.path().join("missing/copy");
    assert!(matches!(bed.store.copy_to(&missing).await, Err(Error::Disk(_))));
    bed.store.check().await.unwrap();
}

#[tokio::test]
async fn a_postgresql_database_is_not_copied_by_us() {
    let Some(bed) = Bed::postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let refused = bed.store.copy_to(&folder.path().join("copy")).await.unwrap_err();
    assert!(refused.to_string().contains("pg_dump"), "{refused}");
}

#[tokio::test]
async fn a_folder_at_rest_is_copied_with_its_log() {
    let (bed, ada) = (Bed::sqlite(), person(1));
    bed.store.put_value(ada.id, "key", &json!(1)).await.unwrap();
    let left = tempfile::tempdir().unwrap();
    for name in ["heddle.db", "heddle.db-wal"] {
        std::fs::copy(bed.path().with_file_name(name), left.path().join(name)).unwrap();
    }
    let to = left.path().join("copy");
    Store::copy_at_rest(&left.path().join("heddle.db"), &to).unwrap();
    Store::verify(&to).unwrap();
    assert_eq!(Store::open(&to).unwrap().get_value(ada.id, "key").await.unwrap(), Some(json!(1)));
}

#[tokio::test]
async fn damage_in_a_copy_is_found() {
    let bed = Bed::sqlite();
    for number in 0..200 {
        bed.store.put_value(person(1).id, &format!("key {number}"), &json!("x".repeat(200))).await.unwrap();
    }
    let to = bed.path().with_extension("copy");
    bed.store.copy_to(&to).await.unwrap();
    Store::verify(&to).unwrap();
    let mut bytes = std::fs::read(&to).unwrap();
    let end = bytes.len();
    bytes[end - 3 * 4096..].fill(0xa5);
    std::fs::write(&to, bytes).unwrap();
    assert!(matches!(Store::verify(&to), Err(Error::Corrupt(_))));
    std::fs::write(&to, "").unwrap();
    assert!(Store::verify(&to).is_err());
}
