//! Copying a database that is being written to.
//!
//! The writer's own connection copies a few pages after each batch; SQLite puts what a later commit changes into the copy
//! as well. So nobody holds on to an old state, the log stays short, and the copy is the database as it is at the end.

use super::connection;
use super::migrate;
use crate::migrate::SQLITE;
use crate::{Error, MigrationState};
use heddle_fault as fault;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Pages copied at once: a fraction of a millisecond.
const PART: i32 = 64;

/// Beginning anew is not kept up for ever.
const MOST_TIMES_OVER: i64 = 8;

/// Copies the database into a new file; `between` is called after each part.
pub(super) fn while_writing(
    db: &Connection,
    to: &Path,
    mut between: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    connection::make_new(to)?;
    let outcome = copy(db, to, &mut between);
    if outcome.is_err() {
        remove(to);
    }
    outcome
}

/// Copies a database that nobody uses into a new file, log included, without bringing its tables up to date.
pub(crate) fn at_rest(from: &Path, to: &Path) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(from, flags)?;
    db.busy_timeout(connection::BUSY_TIMEOUT)?;
    while_writing(&db, to, || Ok(()))
}

/// Reads a database that nobody uses to its last byte, and says which migrations it has.
pub(crate) fn verify(path: &Path) -> Result<Vec<MigrationState>, Error> {
    let db = migrate::look(path)?;
    let found: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::Corrupt(found));
    }
    let done = migrate::applied(&db, SQLITE)?;
    if done == 0 {
        return Err(Error::Corrupt("it has no tables of Heddle's".to_owned()));
    }
    Ok(crate::migrate::states(SQLITE, done))
}

fn copy(db: &Connection, to: &Path, between: &mut impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    // Half a copy is thrown away, and a whole one is read again before anybody relies on it.
    target.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update(None, "cache_size", -1024)?;
    let backup = Backup::new(db, &mut target)?;
    let (mut pages, mut part, mut copied) = (0, PART, 0i64);
    loop {
        fault::point!("store.copy.part")?;
        match backup.step(part)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy => return Err(Error::Locked),
            _ => {}
        }
        copied += i64::from(part);
        let now = backup.progress().pagecount;
        // A database that grows must not grow faster than it is copied.
        part = PART + 2 * (now - pages).clamp(0, 2048) * i32::from(pages > 0);
        pages = now;
        if copied > MOST_TIMES_OVER * i64::from(pages) + 100_000 {
            return Err(Error::Disk("the database changes too much to be copied".to_owned()));
        }
        between()?;
    }
}

fn remove(path: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // Most of them were never there.
        let _ = std::fs::remove_file(name);
    }
}
