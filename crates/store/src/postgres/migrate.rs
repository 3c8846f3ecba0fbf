//! Carrying migrations out on PostgreSQL, over the connection that holds the database's lock.

use super::Connection;
use crate::cell::args;
use crate::migrate::{Migration, MigrationState, POSTGRES, count, states};
use crate::{Error, clock};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";
const APPLIED: &str = "SELECT number, name FROM migration ORDER BY number";
const RECORD: &str = "INSERT INTO migration (number, name, applied_at) VALUES ($1, $2, $3)";
/// Tables that an extension brought along are nobody's.
const TABLES: &str = "SELECT count(*), count(*) FILTER (WHERE relname = 'migration') FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')";

/// Runs the steps that are missing.
pub(crate) fn apply(db: Connection<'_>, migrations: &[Migration]) -> Result<(), Error> {
    let done = applied(db, migrations)?;
    for next in &migrations[done..] {
        db.run("BEGIN")?;
        let ended = step(db, next).and_then(|()| db.run("COMMIT"));
        if let Err(error) = ended {
            // The error says more than a failing rollback could.
            drop(db.run("ROLLBACK"));
            return Err(error);
        }
        tracing::info!(migration.number = next.number, migration.name = next.name, "migration {} applied", next.name);
    }
    Ok(())
}

/// One step, inside a transaction.
fn step(db: Connection<'_>, next: &Migration) -> Result<(), Error> {
    db.run(CREATE)?;
    db.run(next.sql)?;
    db.execute(RECORD, &args![i64::from(next.number), next.name, clock::now()])?;
    Ok(())
}

/// How many of `migrations` the database has.
fn applied(db: Connection<'_>, migrations: &[Migration]) -> Result<usize, Error> {
    let counts = db.query(TABLES, &[])?;
    let counts = counts.first().ok_or(Error::NotFound)?;
    let (tables, ours): (i64, i64) = (counts.try_get(0)?, counts.try_get(1)?);
    if ours == 0 {
        return count(migrations, tables, None);
    }
    let rows = db.query(APPLIED, &[])?;
    let done = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    count(migrations, tables, Some(&done.collect::<Result<Vec<_>, Error>>()?))
}

/// What the database has, without touching it.
pub(crate) fn state(db: Connection<'_>) -> Result<Vec<MigrationState>, Error> {
    Ok(states(POSTGRES, applied(db, POSTGRES)?))
}
