//! Whether the database still works: for readiness and for the doctor.

use crate::{Error, Store, clock};
use rusqlite::params;

const PROBE: &str = "INSERT INTO probe (id, written_at) VALUES (1, ?1) \
    ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at";

impl Store {
    /// Commits something small the way runs are committed.
    pub async fn check(&self) -> Result<(), Error> {
        self.write(|db| {
            db.prepare_cached(PROBE)?.execute(params![clock::now().0])?;
            Ok(())
        })
        .await
    }

    /// Reads the whole database for damage. Takes as long as that takes.
    pub async fn integrity(&self) -> Result<(), Error> {
        self.read(|db| match db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))? {
            text if text == "ok" => Ok(()),
            text => Err(Error::Corrupt(text)),
        })
        .await
    }
}
