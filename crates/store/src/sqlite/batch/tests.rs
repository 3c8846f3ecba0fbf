//! What a batch does when part of it, or the disk, fails.

use super::*;
use crate::Store;
use crate::cell::args;
use crate::sql::{Sql, both};
use crate::sqlite::connection::{self, Durability};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const INSERT: Sql = both!("INSERT INTO thing (id) VALUES (?1)");

fn database() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let db = connection::writer(&folder.path().join("t.db"), Durability::Throwaway).unwrap();
    db.execute_batch("CREATE TABLE thing (id INTEGER PRIMARY KEY)").unwrap();
    (folder, db)
}

/// Inserts its numbers one after the other; a number that is there makes it fail in the middle.
struct Insert {
    numbers: &'static [i64],
    plain: bool,
    outcome: Result<(), Error>,
    done: Sender<Result<(), Error>>,
}

impl Work for Insert {
    fn run(&mut self, db: Db<'_>) -> Result<(), Error> {
        self.outcome = self.numbers.iter().try_for_each(|number| {
            db.execute(INSERT, &args![number])?;
            Ok(())
        });
        self.outcome.clone()
    }

    fn is_plain(&self) -> bool {
        self.plain
    }

    fn answer(self: Box<Self>, batch: Result<(), Error>) {
        self.done.send(self.outcome.and(batch)).unwrap();
    }
}

/// Commits these pieces of work in one batch and says how each went, and what is in the table then.
fn run(db: &Connection, batch: &[(&'static [i64], bool)]) -> (Vec<Result<(), Error>>, Vec<i64>) {
    let (done, outcomes) = channel();
    let mut work: Vec<Box<dyn Work>> = batch
        .iter()
        .map(|&(numbers, plain)| Box::new(Insert { numbers, plain, outcome: Ok(()), done: done.clone() }) as _)
        .collect();
    drop(done);
    let outcome = commit(db, &mut work);
    work.into_iter().for_each(|work| work.answer(outcome.clone()));
    let mut statement = db.prepare("SELECT id FROM thing ORDER BY id").unwrap();
    let things = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    (outcomes.iter().collect(), things)
}

#[test]
fn a_failing_piece_of_work_leaves_nothing_and_harms_no_other() {
    let exists = || Err(Error::Exists);
    type Case = (&'static [(&'static [i64], bool)], Vec<Result<(), Error>>, &'static [i64]);
    let cases: [Case; 5] = [
        (&[(&[1, 1], true)], vec![exists()], &[]),
        (&[(&[1], true), (&[1], true), (&[2], true)], vec![Ok(()), exists(), Ok(())], &[1, 2]),
        (&[(&[1], true), (&[2, 1], true), (&[3], false)], vec![Ok(()), exists(), Ok(())], &[1, 3]),
        (&[(&[1], true), (&[2, 1], false), (&[2], true)], vec![Ok(()), exists(), Ok(())], &[1, 2]),
        (&[(&[5, 5], false), (&[6, 6], false)], vec![exists(), exists()], &[]),
    ];
    for (batch, outcomes, things) in cases {
        let (_folder, db) = database();
        assert_eq!(run(&db, batch), (outcomes, things.to_vec()), "{batch:?}");
    }
}

#[test]
fn a_batch_that_cannot_begin_fails_for_everyone_and_the_next_one_goes_on() {
    let (folder, db) = database();
    db.busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(folder.path().join("t.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (outcomes, things) = run(&db, &[(&[1], true), (&[2], false)]);
    assert!(outcomes.iter().all(|outcome| *outcome == Err(Error::Locked)), "{outcomes:?}");
    assert!(things.is_empty(), "{things:?}");

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(run(&db, &[(&[1], true)]), (vec![Ok(())], vec![1]));
}

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("t.db")).unwrap();
    let user = heddle_model::UserId::from_random([1; 16]);
    let limit = |sql: Sql| store.write(move |db| db.one(sql, &[], |_| Ok(())));
    limit(both!("PRAGMA max_page_count = 1")).await.unwrap();
    let big = heddle_model::Value::from("x".repeat(100_000));
    let outcome = store.put_value(user, "big", &big).await;
    assert!(matches!(&outcome, Err(Error::Disk(text)) if text.contains("full")), "{outcome:?}");

    limit(both!("PRAGMA max_page_count = 1000000")).await.unwrap();
    store.put_value(user, "big", &big).await.unwrap();
    assert_eq!(store.get_value(user, "big").await.unwrap(), Some(big));
}

#[test]
fn a_disk_that_became_read_only_is_told_and_survived() {
    let (_folder, db) = database();
    db.pragma_update(None, "query_only", true).unwrap();
    let (outcomes, _) = run(&db, &[(&[1], true), (&[2], false)]);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Disk(_)))), "{outcomes:?}");
    db.pragma_update(None, "query_only", false).unwrap();
    assert_eq!(run(&db, &[(&[1], true), (&[2], false)]), (vec![Ok(()), Ok(())], vec![1, 2]));
}

#[tokio::test]
async fn after_the_end_everything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("t.db")).unwrap();
    store.check().await.unwrap();
    store.close().await;
    store.close().await;
    assert_eq!(store.check().await, Err(Error::Closed));
    assert_eq!(store.accounts().await, Err(Error::Closed));
    assert!(!folder.path().join("t.db-wal").exists(), "the log was emptied and removed");
}
