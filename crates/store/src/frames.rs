//! Frames on their way to disk: packed on the thread that appends them, put into the tables on the writer's.

use crate::writer::Work;
use crate::{Error, clock, codec, key_value};
use heddle_engine::journal::{Frame, Idempotency, JournalError, Opening, Row};
use heddle_model::{RunId, Time, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

const OPEN_RUN: &str = "INSERT INTO run (id, owner, organization, graph_id, graph_version, status, created_at, \
    started_at, ended_at, error, node_count, error_count, parent, event_count) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const MOVE_RUN: &str = "UPDATE run SET status = ?4, started_at = ?5, ended_at = ?6, error = ?7, node_count = ?8, \
    error_count = ?9, event_count = ?10 WHERE owner = ?1 AND id = ?2 AND event_count = ?3";
const EVENT_COUNT: &str = "SELECT event_count FROM run WHERE owner = ?1 AND id = ?2";
const INSERT_FRAME: &str = "INSERT INTO frame (run, first, last, body) VALUES (?1, ?2, ?3, ?4)";
const CLAIM_KEY: &str = "INSERT INTO idempotency (owner, organization, key, fingerprint, run, created_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (owner, organization, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, run = excluded.run, created_at = excluded.created_at \
    WHERE idempotency.created_at <= ?7";
const FORGET_KEYS: &str = "DELETE FROM idempotency WHERE (owner, organization, key) IN \
    (SELECT owner, organization, key FROM idempotency WHERE created_at <= ?1 ORDER BY created_at LIMIT 2)";

/// How long an idempotency key is held, in seconds.
const KEY_LIFETIME: i64 = 24 * 60 * 60;

/// A frame as it goes into the tables.
struct Packed {
    run: RunId,
    owner: UserId,
    first: u64,
    /// Number of the event after the last one.
    next: u64,
    /// `None` for a frame without events, which only moves the row.
    body: Option<Vec<u8>>,
    row: Row,
    opening: Option<Opening>,
    writes: Vec<(String, String)>,
    at: Time,
}

impl Packed {
    fn of(frame: Frame) -> Result<Self, Error> {
        let body = if frame.entries.is_empty() { None } else { Some(codec::encode(&frame.entries)?) };
        let writes = frame.writes.into_iter().map(|write| (write.key, write.value.to_string())).collect();
        Ok(Self {
            run: frame.run,
            owner: frame.owner,
            first: frame.first,
            next: frame.first + frame.entries.len() as u64,
            body,
            row: frame.row,
            opening: frame.opening,
            writes,
            at: frame.entries.last().map_or_else(clock::now, |entry| entry.at),
        })
    }
}

/// Frames that stand or fall together.
pub(crate) struct Append {
    frames: Vec<Packed>,
    outcome: Result<(), JournalError>,
    done: oneshot::Sender<Result<(), JournalError>>,
}

impl Append {
    /// Packs the frames; an error has already been told to whoever holds the ticket.
    pub(crate) fn pack(frames: Vec<Frame>, done: oneshot::Sender<Result<(), JournalError>>) -> Option<Self> {
        match frames.into_iter().map(Packed::of).collect() {
            Ok(frames) => Some(Self { frames, outcome: Ok(()), done }),
            Err(error) => {
                drop(done.send(Err(error.into())));
                None
            }
        }
    }
}

impl Work for Append {
    fn run(&mut self, db: &Connection) -> Result<(), Error> {
        self.outcome = self.frames.iter().try_for_each(|frame| put(db, frame));
        self.outcome.clone().map_err(|error| Error::Disk(error.to_string()))
    }

    /// One frame fails at its first statement or hardly ever; an idempotency key is checked after the run's row.
    fn is_plain(&self) -> bool {
        matches!(&self.frames[..], [frame] if frame.opening.as_ref().is_none_or(|opening| opening.idempotency.is_none()))
    }

    fn answer(self: Box<Self>, batch: Result<(), Error>) {
        let outcome = self.outcome.and(batch.map_err(JournalError::from));
        drop(self.done.send(outcome));
    }
}

/// Puts one frame into the tables.
fn put(db: &Connection, frame: &Packed) -> Result<(), JournalError> {
    match &frame.opening {
        Some(opening) => open_run(db, frame, opening)?,
        None => move_run(db, frame)?,
    }
    if let Some(body) = &frame.body {
        let last = frame.next - 1;
        execute(db, INSERT_FRAME, params![frame.run.0.as_bytes(), number(frame.first), number(last), body])?;
    }
    for (key, value) in &frame.writes {
        execute(db, key_value::PUT, params![frame.owner.0.as_bytes(), key, value, frame.at.0])?;
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
        ],
    )?;
    if moved == 1 { Ok(()) } else { Err(why_refused(db, frame)) }
}

/// The run's row was not where the frame expects it.
fn why_refused(db: &Connection, frame: &Packed) -> JournalError {
    let count = db
        .prepare_cached(EVENT_COUNT)
        .and_then(|mut statement| {
            let key = params![frame.owner.0.as_bytes(), frame.run.0.as_bytes()];
            statement.query_row(key, |row| crate::sql::count(row, 0)).optional()
        })
        .map_err(|error| JournalError::from(Error::from(error)));
    match count {
        Ok(Some(count)) if count > frame.first => JournalError::Exists,
        Ok(Some(count)) => gap(frame, count),
        Ok(None) => JournalError::Disk(format!("run {} is not there", frame.run)),
        Err(error) => error,
    }
}

fn gap(frame: &Packed, count: u64) -> JournalError {
    JournalError::Disk(format!("a frame of run {} begins at event {}, not at {count}", frame.run, frame.first))
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

    #[test]
    fn a_frame_touches_rows_by_their_keys() {
        for (sql, index) in [
            (MOVE_RUN, "PRIMARY KEY (id=?)"),
            (EVENT_COUNT, "PRIMARY KEY (id=?)"),
            (FORGET_KEYS, "idempotency_by_age (created_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN idempotency"), "{sql}: {plan}");
        }
    }
}
