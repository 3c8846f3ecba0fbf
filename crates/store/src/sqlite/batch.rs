//! One batch of the writer on SQLite.
//!
//! Most frames go without a savepoint, which costs as much as the frame; a batch in which such a frame fails half-way is
//! undone and done again with savepoints.

use crate::Error;
use crate::db::Db;
use crate::writer::Work;
use heddle_fault as fault;
use rusqlite::Connection;

/// Writes a batch.
pub(super) fn commit(db: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), Error> {
    match transaction(db, batch, false)? {
        End::Repeat => transaction(db, batch, true).map(|_| ()),
        End::Commit | End::Undo => Ok(()),
    }
}

/// Writes a batch without ever undoing more than one piece of it: a copy that is being made would begin anew.
pub(super) fn commit_carefully(db: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), Error> {
    transaction(db, batch, true).map(|_| ())
}

/// How the work of a batch left the transaction.
enum End {
    /// To be committed.
    Commit,
    /// To be undone: its only work failed.
    Undo,
    /// To be undone and done again with savepoints.
    Repeat,
}

/// One transaction. An error means that nothing of the batch was kept.
fn transaction(db: &Connection, batch: &mut [Box<dyn Work>], careful: bool) -> Result<End, Error> {
    // What a batch left that panicked.
    if !db.is_autocommit() {
        execute(db, "ROLLBACK")?;
    }
    execute(db, "BEGIN IMMEDIATE")?;
    let end = match steps(db, batch, careful) {
        Ok(End::Commit) => keep(db).map(|()| End::Commit),
        other => other,
    };
    // Some failures end the transaction by themselves.
    if !db.is_autocommit() {
        execute(db, "ROLLBACK")?;
    }
    end
}

fn keep(db: &Connection) -> Result<(), Error> {
    fault::point!("store.commit.before")?;
    execute(db, "COMMIT")?;
    // A failure here stands for a commit of which nobody can tell whether it took place.
    fault::point!("store.commit.after")?;
    Ok(())
}

fn steps(db: &Connection, batch: &mut [Box<dyn Work>], careful: bool) -> Result<End, Error> {
    if let ([work], false) = (&mut *batch, careful) {
        return match work.run(Db::Sqlite(db)) {
            Ok(()) => Ok(End::Commit),
            Err(error) if db.is_autocommit() => Err(error),
            Err(_) => Ok(End::Undo),
        };
    }
    for work in batch {
        if work.is_plain() && !careful {
            let before = db.total_changes();
            let outcome = work.run(Db::Sqlite(db));
            match outcome {
                Err(error) if db.is_autocommit() => return Err(error),
                Err(_) if db.total_changes() != before => return Ok(End::Repeat),
                _ => {}
            }
            continue;
        }
        execute(db, "SAVEPOINT work")?;
        match work.run(Db::Sqlite(db)) {
            Ok(()) => {}
            Err(error) if db.is_autocommit() => return Err(error),
            Err(_) => execute(db, "ROLLBACK TO work")?,
        }
        execute(db, "RELEASE work")?;
    }
    Ok(End::Commit)
}

fn execute(db: &Connection, sql: &str) -> Result<(), Error> {
    db.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests;
