//! Putting a frame into PostgreSQL's tables.
//!
//! A failing statement would end the whole batch's transaction, so a frame that does not follow is no error here: the
//! statement that moves the run's row also keeps the events, and touches nothing when the row is not where the frame
//! expects it. One statement a frame, whose answer nobody has to wait for before sending the next.

use super::Connection;
use crate::cell::{Cell, Keep};
use crate::db::Db;
use crate::frames::{Append, KEY_LIFETIME, Packed, gap, why_refused};
use crate::{callbacks, key_value, market, reviews};
use heddle_engine::journal::{JournalError, Opening};

const OPEN_RUN: &str = "WITH opened AS (INSERT INTO run (id, owner, organization, graph_id, graph_version, status, \
    created_at, started_at, ended_at, error, node_count, error_count, parent, event_count, cost, news, parked, wake_at, \
    awaits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $16, $17, $18, $19, $20) \
    ON CONFLICT (id) DO NOTHING RETURNING id), \
    kept AS (INSERT INTO frame (run, first, last, body) SELECT id, 0, $14 - 1, $15::bytea FROM opened \
    WHERE $15::bytea IS NOT NULL) SELECT FROM opened";
const MOVE_RUN: &str = "WITH moved AS (UPDATE run SET status = $4, started_at = $5, ended_at = $6, error = $7, \
    node_count = $8, error_count = $9, event_count = $10, cost = $12, news = $13, parked = $14, wake_at = $15, \
    awaits = $16, frame_count = frame_count + CASE WHEN $11::bytea IS NULL THEN 0 ELSE 1 END WHERE owner = $1 AND id = $2 AND event_count = $3 \
    RETURNING id), kept AS (INSERT INTO frame (run, first, last, body) SELECT id, $3, $10 - 1, $11::bytea FROM moved \
    WHERE $11::bytea IS NOT NULL) SELECT FROM moved";
const CLAIM_KEY: &str = "INSERT INTO idempotency (owner, organization, key, fingerprint, run, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, organization, key) DO UPDATE \
    SET fingerprint = excluded.fingerprint, run = excluded.run, created_at = excluded.created_at \
    WHERE idempotency.created_at <= $7";
const FORGET_KEYS: &str = "DELETE FROM idempotency WHERE (owner, organization, key) IN \
    (SELECT owner, organization, key FROM idempotency WHERE created_at <= $1 ORDER BY created_at LIMIT 2)";

/// One statement of a frame.
pub(super) struct Step<'a> {
    pub(super) text: &'static str,
    pub(super) args: Vec<Cell<'a>>,
    /// What it means if no row is touched.
    pub(super) idle: Idle,
}

/// What it means that a statement touched no row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// Nothing.
    Fine,
    /// The frame does not follow.
    Refused,
    /// Another run holds the idempotency key.
    Taken,
}

/// The statements of a frame, in order. The first is the only one that a frame which does not follow can fail at.
pub(super) fn steps(frame: &Packed) -> Result<Vec<Step<'_>>, JournalError> {
    let mut steps = Vec::with_capacity(1);
    match &frame.opening {
        Some(_) if frame.first != 0 => return Err(gap(frame, 0)),
        Some(opening) => {
            steps.push(Step { text: OPEN_RUN, args: open(frame, opening), idle: Idle::Refused });
            claim(frame, opening, &mut steps);
        }
        None => steps.push(Step { text: MOVE_RUN, args: advance(frame), idle: Idle::Refused }),
    }
    for (key, value) in &frame.writes {
        let args = vec![frame.owner.cell(), key.cell(), value.cell(), frame.at.cell()];
        steps.push(Step { text: key_value::PUT.postgres, args, idle: Idle::Fine });
    }
    for review in &frame.reviews {
        steps.push(Step { text: reviews::PUT.postgres, args: review.cells(&frame.owner), idle: Idle::Fine });
    }
    for (sql, args) in frame.takes() {
        steps.push(Step { text: sql.postgres, args, idle: Idle::Fine });
    }
    if let Some(graph) = &frame.listed {
        steps.push(Step { text: market::COUNT_RUN.postgres, args: vec![graph.cell()], idle: Idle::Fine });
    }
    if let Some(url) = &frame.callback_url {
        let args = vec![frame.run.cell(), frame.owner.cell(), url.cell(), frame.at.cell()];
        steps.push(Step { text: callbacks::PUT.postgres, args, idle: Idle::Fine });
    }
    Ok(steps)
}

/// Whether these frames are one statement, so that being refused leaves nothing to undo.
pub(super) fn is_single(append: &Append) -> bool {
    let claims = |frame: &Packed| frame.opening.as_ref().is_some_and(|opening| opening.idempotency.is_some());
    let is_alone = |frame: &Packed| {
        frame.writes.is_empty()
            && frame.reviews.is_empty()
            && frame.callback_url.is_none()
            && frame.charge.is_none()
            && frame.listed.is_none()
    };
    matches!(&append.frames[..], [frame] if is_alone(frame) && !claims(frame))
}

/// Puts one frame into the tables, one statement after the other.
pub(crate) fn put(db: Connection<'_>, frame: &Packed) -> Result<(), JournalError> {
    for step in steps(frame)? {
        if db.execute(step.text, &step.args)? == 0 {
            match step.idle {
                Idle::Fine => {}
                Idle::Refused => return Err(refusal(db, frame)),
                Idle::Taken => return Err(JournalError::Taken),
            }
        }
    }
    Ok(())
}

fn open<'a>(frame: &'a Packed, opening: &'a Opening) -> Vec<Cell<'a>> {
    let row = &frame.row;
    vec![
        frame.run.cell(),
        frame.owner.cell(),
        opening.organization.cell(),
        opening.graph.cell(),
        opening.version.cell(),
        Cell::Text(row.status.as_str().into()),
        opening.created_at.cell(),
        row.started_at.cell(),
        row.ended_at.cell(),
        row.error.cell(),
        row.counts.nodes.cell(),
        row.counts.errors.cell(),
        opening.parent.cell(),
        frame.next.cell(),
        frame.body.cell(),
        row.counts.cost.cell(),
        row.news.cell(),
        Cell::Flag(row.parked.is_some()),
        frame.wake_at().map_or(Cell::Null, |time| Cell::Int(time.0)),
        frame.awaits.cell(),
    ]
}

fn advance(frame: &Packed) -> Vec<Cell<'_>> {
    let row = &frame.row;
    vec![
        frame.owner.cell(),
        frame.run.cell(),
        frame.first.cell(),
        Cell::Text(row.status.as_str().into()),
        row.started_at.cell(),
        row.ended_at.cell(),
        row.error.cell(),
        row.counts.nodes.cell(),
        row.counts.errors.cell(),
        frame.next.cell(),
        frame.body.cell(),
        row.counts.cost.cell(),
        row.news.cell(),
        Cell::Flag(row.parked.is_some()),
        frame.wake_at().map_or(Cell::Null, |time| Cell::Int(time.0)),
        frame.awaits.cell(),
    ]
}

fn claim<'a>(frame: &'a Packed, opening: &'a Opening, steps: &mut Vec<Step<'a>>) {
    let Some(claim) = &opening.idempotency else { return };
    let expired = opening.created_at.plus_seconds(-KEY_LIFETIME).0;
    let key = vec![
        frame.owner.cell(),
        opening.organization.cell(),
        claim.key.cell(),
        claim.fingerprint.cell(),
        frame.run.cell(),
        opening.created_at.cell(),
        Cell::Int(expired),
    ];
    steps.push(Step { text: CLAIM_KEY, args: key, idle: Idle::Taken });
    // Two go for each one that comes, so the table stays as long as a day's keys.
    steps.push(Step { text: FORGET_KEYS, args: vec![Cell::Int(expired)], idle: Idle::Fine });
}

/// Why a frame was not taken.
pub(super) fn refusal(db: Connection<'_>, frame: &Packed) -> JournalError {
    // A run is opened at event nought, so one that is there has more.
    if frame.opening.is_some() { JournalError::Exists } else { why_refused(Db::Postgres(db), frame) }
}
