//! How long the log gets.

use super::*;
use crate::sqlite::connection::{Durability, reader, writer};
use std::path::{Path, PathBuf};

struct Bed {
    folder: tempfile::TempDir,
    db: Connection,
    log: Log,
    gate: Arc<Gate>,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut db = writer(&folder.path().join("t.db"), Durability::Throwaway).unwrap();
        db.execute_batch("CREATE TABLE thing (body BLOB)").unwrap();
        let gate = Arc::new(Gate::default());
        let log = Log::watch(&mut db, Arc::clone(&gate)).unwrap();
        Self { folder, db, log, gate }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    /// Commits a megabyte, in pages that come again and again.
    fn commit(&mut self) -> Option<Duration> {
        self.db.execute("DELETE FROM thing", []).unwrap();
        self.db.execute("INSERT INTO thing VALUES (randomblob(1048576))", []).unwrap();
        self.log.settle(&self.db)
    }

    fn pages(&self) -> u32 {
        self.log.pages.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("t.db-wal")).unwrap().len()
    }
}

/// A connection that looks at the state of now until it is dropped.
fn look(path: &Path) -> Connection {
    let db = reader(path).unwrap();
    db.execute_batch("BEGIN; SELECT count(*) FROM thing").unwrap();
    db.query_row("SELECT count(*) FROM thing", [], |row| row.get::<_, i64>(0)).unwrap();
    db
}

#[test]
fn it_starts_anew_after_so_many_pages() {
    let mut bed = Bed::new();
    for _ in 0..100 {
        bed.commit();
        assert!(bed.pages() < STEP + 1000, "{} pages", bed.pages());
    }
    assert!(bed.bytes() < 24 << 20, "{} bytes", bed.bytes());
}

#[test]
fn it_shrinks_again_when_an_old_state_is_let_go() {
    let mut bed = Bed::new();
    bed.commit();
    let held = look(&bed.path());
    for _ in 0..100 {
        bed.commit();
    }
    let long = bed.bytes();
    assert!(long > 100 << 20, "{long} bytes: nothing that is being looked at can go");
    drop(held);
    // Nothing more is written: it is asked again by and by.
    bed.log.retry = Some(Instant::now());
    assert_eq!(bed.log.settle(&bed.db), None);
    assert_eq!(bed.pages(), 0);
    bed.commit();
    assert!(bed.bytes() <= 64 << 20, "{} bytes", bed.bytes());
}

#[test]
fn readers_that_overlap_without_end_leave_it_a_gap() {
    let mut bed = Bed::new();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (path, gate, stop) = (bed.path(), Arc::clone(&bed.gate), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let _inside = gate.enter();
                    let seen = look(&path);
                    std::thread::sleep(Duration::from_millis(3));
                    drop(seen);
                }
            })
        })
        .collect();
    let mut most = 0;
    for _ in 0..200 {
        bed.commit();
        most = most.max(bed.pages());
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert!(most < BOUND * 2, "{most} pages");
}

#[test]
fn a_reader_that_stays_does_not_keep_the_others_out() {
    let mut bed = Bed::new();
    bed.commit();
    let (gate, path) = (Arc::clone(&bed.gate), bed.path());
    let _inside = gate.enter();
    let _held = look(&path);
    for _ in 0..80 {
        bed.commit();
    }
    assert!(bed.pages() > BOUND);
    let begun = Instant::now();
    drop(bed.gate.enter());
    assert!(begun.elapsed() < MOMENT * 4, "{:?}", begun.elapsed());
}
