//! How connections are set up. Everything that trades safety for speed is decided here.

use crate::Error;
use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// A committed transaction survives power loss.
    Full,
    /// It survives nothing.
    Throwaway,
}

/// Another process may hold the database for a moment (a command without a server, a backup).
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than all the texts in this crate, so that none is prepared twice.
const STATEMENTS: usize = 256;

/// The one connection that writes; makes the file.
pub(crate) fn writer(path: &Path, durability: Durability) -> Result<Connection, Error> {
    make(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    // Opened that way without a word where the file's mode allows no more.
    if db.is_readonly("main")? {
        return Err(Error::Disk("the file is readonly".to_owned()));
    }
    common(&db)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::Disk(format!("this file system cannot keep a write-ahead log (journal mode {mode})")));
    }
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Throwaway => "OFF",
    };
    db.pragma_update(None, "synchronous", synchronous)?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(db)
}

/// Makes the file, for its owner only, before SQLite would make it for everybody; the log beside it takes its mode over.
/// A file that is there is not even opened: closing it would drop the locks that this process has on it.
fn make(path: &Path) -> Result<(), Error> {
    match make_new(path) {
        Err(Error::Exists) => Ok(()),
        other => other,
    }
}

/// Makes a file that is not there, for its owner only.
pub(super) fn make_new(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Error::Exists),
        Err(error) => Err(Error::Disk(error.to_string())),
    }
}

/// A connection that cannot change anything.
pub(crate) fn reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    common(&db)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

fn common(db: &Connection) -> Result<(), Error> {
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Savepoints keep what they may have to undo there.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -16_384)?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_database_is_for_its_owner_even_in_an_open_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().join("heddle.db");
        let db = writer(&path, Durability::Full).unwrap();
        db.execute_batch("CREATE TABLE kept (id INTEGER)").unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 3, "the file, its log and the log's index: {files:?}");
        for file in files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        }
        writer(&path, Durability::Full).unwrap().query_row("SELECT count(*) FROM kept", [], |_| Ok(())).unwrap();
    }
}
