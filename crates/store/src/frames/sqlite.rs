//! Putting a frame into SQLite's tables: one statement after the other, the first of which refuses a frame that does not
//! follow. Written to that library directly, because nothing in the store is done more often.

use super::{KEY_LIFETIME, Packed, gap, why_refused};
use crate::cell::args;
use crate::db::Db;
use crate::{Error, callbacks, key_value, market, reviews, sqlite};
use heddle_engine::journal::{Idempotency, JournalError, Opening};
use rusqlite::{Connection, params};

const OPEN_RUN: &str = "INSERT INTO run (id, owner, organization, graph_id, graph_version, status, created_at, \
    started_at, ended_at, error, node_count, error_count, parent, event_count, cost, news, parked, wake_at, awaits) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
const MOVE_RUN: &str = "UPDATE run SET status = ?4, started_at = ?5, ended_at = ?6, error = ?7, node_count = ?8, \
    error_count = ?9, event_count = ?10, cost = ?11, news = ?12, parked = ?13, wake_at = ?14, awaits = ?15, \
    frame_count = frame_count + ?16 WHERE owner = ?1 AND id = ?2 AND event_count = ?3";
const INSERT_FRAME: &str = "INSERT INTO frame (run, first, last, body) VALUES (?1, ?2, ?3, ?4)";
const CLAIM_KEY: &str = "INSERT INTO idempotency (owner, organization, key, fingerprint, run, created_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (owner, organization, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, run = excluded.run, created_at = excluded.created_at \
    WHERE idempotency.created_at <= ?7";
const FORGET_KEYS: &str = "DELETE FROM idempotency WHERE (owner, organization, key) IN \
    (SELECT owner, organization, key FROM idempotency WHERE created_at <= ?1 ORDER BY created_at LIMIT 2)";

/// Puts one frame into the tables.
pub(super) fn put(db: &Connection, frame: &Packed) -> Result<(), JournalError> {
    match &frame.opening {
        Some(opening) => open_run(db, frame, opening)?,
        None => move_run(db, frame)?,
    }
    if let Some(body) = &frame.body {
        let last = frame.next - 1;
        execute(db, INSERT_FRAME, params![frame.run.0.as_bytes(), number(frame.first), number(last), body])?;
    }
    for (key, value) in &frame.writes {
        execute(db, key_value::PUT.sqlite, params![frame.owner.0.as_bytes(), key, value, frame.at.0])?;
    }
    for review in &frame.reviews {
        sqlite::execute(db, reviews::PUT.sqlite, &review.cells(&frame.owner))?;
    }
    for (sql, values) in frame.takes() {
        sqlite::execute(db, sql.sqlite, &values)?;
    }
    if let Some(graph) = &frame.listed {
        sqlite::execute(db, market::COUNT_RUN.sqlite, &args![graph])?;
    }
    if let Some(url) = &frame.callback_url {
        sqlite::execute(db, callbacks::PUT.sqlite, &args![frame.run, frame.owner, url, frame.at])?;
    }
    Ok(())
}

fn open_run(db: &Connection, frame: &Packed, opening: &Opening) -> Result<(), JournalError> {
    if frame.first != 0 {
        return Err(gap(frame, 0));
    }
    let row = &frame.row;
    execute(
        db,
        OPEN_RUN,
        params![
            frame.run.0.as_bytes(),
            frame.owner.0.as_bytes(),
            opening.organization.0.as_bytes(),
            opening.graph.0.as_bytes(),
            opening.version,
            row.status.as_str(),
            opening.created_at.0,
            row.started_at.map(|time| time.0),
            row.ended_at.map(|time| time.0),
            row.error,
            number(row.counts.nodes),
            number(row.counts.errors),
            opening.parent.as_ref().map(|parent| parent.0.as_bytes()),
            number(frame.next),
            number(row.counts.cost),
            number(row.news),
            row.parked.is_some(),
            frame.wake_at().map(|time| time.0),
            frame.awaits,
        ],
    )?;
    match &opening.idempotency {
        Some(idempotency) => claim_key(db, frame, opening, idempotency),
        None => Ok(()),
    }
}

fn claim_key(db: &Connection, frame: &Packed, opening: &Opening, claim: &Idempotency) -> Result<(), JournalError> {
    let expired = opening.created_at.plus_seconds(-KEY_LIFETIME).0;
    let claimed = execute(
        db,
        CLAIM_KEY,
        params![
            frame.owner.0.as_bytes(),
            opening.organization.0.as_bytes(),
            claim.key,
            claim.fingerprint,
            frame.run.0.as_bytes(),
            opening.created_at.0,
            expired,
        ],
    )?;
    if claimed == 0 {
        return Err(JournalError::Taken);
    }
    // Two go for each one that comes, so the table stays as long as a day's keys.
    execute(db, FORGET_KEYS, params![expired])?;
    Ok(())
}

fn move_run(db: &Connection, frame: &Packed) -> Result<(), JournalError> {
    let row = &frame.row;
    let moved = execute(
        db,
        MOVE_RUN,
        params![
            frame.owner.0.as_bytes(),
            frame.run.0.as_bytes(),
            number(frame.first),
            row.status.as_str(),
            row.started_at.map(|time| time.0),
            row.ended_at.map(|time| time.0),
            row.error,
            number(row.counts.nodes),
            number(row.counts.errors),
            number(frame.next),
            number(row.counts.cost),
            number(row.news),
            row.parked.is_some(),
            frame.wake_at().map(|time| time.0),
            frame.awaits,
            frame.body.is_some(),
        ],
    )?;
    if moved == 1 { Ok(()) } else { Err(why_refused(Db::Sqlite(db), frame)) }
}

/// Event numbers and counts stay far below the database's integers.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn execute(db: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<usize, JournalError> {
    let changed = db.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
    changed.map_err(|error| JournalError::from(Error::from(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Sql;

    #[test]
    fn a_frame_touches_rows_by_their_keys() {
        for (sql, index) in [
            (MOVE_RUN, "PRIMARY KEY (id=?)"),
            (crate::frames::EVENT_COUNT.sqlite, "PRIMARY KEY (id=?)"),
            (FORGET_KEYS, "idempotency_by_age (created_at<?)"),
        ] {
            let plan = crate::sql::plan(Sql { sqlite: sql, postgres: "" });
            assert!(plan.contains(index) && !plan.contains("SCAN idempotency"), "{sql}: {plan}");
        }
    }
}
