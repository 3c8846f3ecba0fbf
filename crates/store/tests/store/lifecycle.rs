use crate::bed::{Bed, person};
use heddle_store::{Error, Store};
use serde_json::json;
use std::path::Path;

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn migrations_are_told_without_changing_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd name?#%.db");
    assert!(Store::migrations(&path).unwrap().iter().all(|migration| !migration.applied));
    assert_eq!(files(folder.path()), [] as [&str; 0]);

    let store = Store::open(&path).unwrap();
    assert!(Store::migrations(&path).unwrap().iter().all(|migration| migration.applied), "while it is open");
    store.close().await;
    let before = (files(folder.path()), std::fs::read(&path).unwrap());
    let migrations = Store::migrations(&path).unwrap();
    assert!(migrations.iter().all(|migration| migration.applied));
    assert_eq!((migrations[0].number, migrations[0].name), (1, "0001_account"));
    assert_eq!((files(folder.path()), std::fs::read(&path).unwrap()), before);
}

#[tokio::test]
async fn opening_again_finds_everything_and_migrates_nothing() {
    for bed in Bed::each() {
        bed.account(1).await;
        bed.store.close().await;
        assert_eq!(bed.place.open().accounts().await.unwrap().len(), 1);
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Store::open(&folder.path().join("missing/heddle.db"));
    assert!(matches!(opened, Err(Error::Disk(_))), "{opened:?}");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "shopping list ".repeat(100)).unwrap();
    assert!(matches!(Store::open(&path), Err(Error::Corrupt(_))));
    assert!(matches!(Store::migrations(&path), Err(Error::Corrupt(_))));
}

#[tokio::test]
async fn a_throwaway_store_works_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_throwaway(&folder.path().join("run.db")).unwrap();
    store.put_value(person(1).id, "k", &json!(1)).await.unwrap();
    assert_eq!(store.get_value(person(1).id, "k").await.unwrap(), Some(json!(1)));
}

#[tokio::test]
async fn a_healthy_store_says_so() {
    for bed in Bed::each() {
        bed.store.check().await.unwrap();
        bed.store.check().await.unwrap();
        bed.store.integrity().await.unwrap();
    }
}

#[tokio::test]
async fn damage_is_found() {
    let bed = Bed::sqlite();
    for number in 0..200 {
        bed.store.put_value(person(1).id, &format!("key {number}"), &json!("x".repeat(200))).await.unwrap();
    }
    bed.store.close().await;
    let mut bytes = std::fs::read(bed.path()).unwrap();
    let end = bytes.len();
    bytes[end - 3 * 4096..].fill(0xa5);
    std::fs::write(bed.path(), bytes).unwrap();
    let damaged = Store::open(&bed.path()).unwrap();
    assert!(matches!(damaged.integrity().await, Err(Error::Corrupt(_))));
}
