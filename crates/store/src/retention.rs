//! Removing runs that ended long ago, a little at a time.
//!
//! No index knows when runs ended, because each start would pay for it. So the index of the lists is walked, graph by
//! graph, over what was created before the day in question. A walk remembers where it stands and is cheap to repeat.
//!
//! A run goes in one transaction with everything that hangs on it. One that is too much for that is taken away from its
//! owner first, so that nobody sees half of it, and goes in several; a walk finds those that a crash interrupted before
//! anything else. What SQLite's file no longer needs it uses again; it does not get smaller.

use crate::cell::args;
use crate::db::Db;
use crate::frames::KEY_LIFETIME;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_fault as fault;
use heddle_model::{RunId, Time};
use std::time::{Duration, Instant};
use uuid::Uuid;

const GRAPH: Sql =
    both!("SELECT owner, graph_id FROM run WHERE (owner, graph_id) > (?1, ?2) ORDER BY owner, graph_id LIMIT 1");
/// A page of the walk, with what may go marked. A child is read by its parent as long as that has not ended.
const PAGE: Sql = both!(
    "SELECT id, created_at, CAST(CASE WHEN ended_at <= ?5 AND NOT EXISTS (SELECT 1 FROM run AS above \
    WHERE above.id = run.parent AND above.ended_at IS NULL) THEN 1 ELSE 0 END AS BIGINT) \
    FROM run WHERE owner = ?1 AND graph_id = ?2 AND (created_at, id) > (?3, ?4) AND created_at <= ?5 \
    ORDER BY created_at, id LIMIT 256"
);
const RUN: Sql = both!("DELETE FROM run WHERE id = ?1 AND ended_at IS NOT NULL");
const HIDE: Sql = both!("UPDATE run SET owner = ?2 WHERE id = ?1 AND ended_at IS NOT NULL");
const KEYS: Sql = both!(
    "DELETE FROM idempotency WHERE (owner, organization, key) IN \
    (SELECT owner, organization, key FROM idempotency WHERE created_at <= ?1 ORDER BY created_at LIMIT 64)"
);

/// Rows of a run that are removed at once.
const ROWS: u64 = 16;

macro_rules! rows_of_run {
    ($table:literal, $key:literal) => {
        both!(concat!(
            "DELETE FROM ",
            $table,
            " WHERE run = ?1 AND ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE run = ?1 ORDER BY ",
            $key,
            " LIMIT 16)"
        ))
    };
}

/// Everything that hangs on a run, by table. Idempotency keys go by their own age.
const OF_RUN: &[(&str, Sql)] = &[
    ("frame", rows_of_run!("frame", "first")),
    ("review", rows_of_run!("review", "id")),
    ("callback", rows_of_run!("callback", "run")),
];

/// Graphs looked at in one question.
const GRAPHS: usize = 64;

/// A walk over all runs of everybody.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Runs that ended up to here go; `None`: only what a crash left half removed.
    before: Option<Time>,
    graph: (Vec<u8>, Vec<u8>),
    is_inside: bool,
    after: (Time, Vec<u8>),
    doomed: Vec<RunId>,
    are_keys_done: bool,
}

/// What one step of a walk did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    /// Runs that are gone.
    pub runs: u64,
    /// Whether the walk is over.
    pub is_over: bool,
}

impl Walk {
    /// Over the runs that ended at this time or earlier.
    pub fn before(time: Time) -> Self {
        Self { before: Some(time), ..Self::over_leftovers() }
    }

    /// Over what a crash left half removed, and nothing else.
    pub fn over_leftovers() -> Self {
        Self {
            before: None,
            graph: Default::default(),
            is_inside: false,
            after: (Time(i64::MIN), Vec::new()),
            doomed: Vec::new(),
            are_keys_done: false,
        }
    }

    /// The next runs to go, or none; whether the walk is over.
    fn look(&mut self, db: Db<'_>) -> Result<bool, Error> {
        for _ in 0..GRAPHS {
            if !self.is_inside {
                let next = db.first(GRAPH, &args![self.graph.0, self.graph.1], |row| {
                    Ok((row.bytes(0)?.to_vec(), row.bytes(1)?.to_vec()))
                })?;
                let is_hidden = |owner: &[u8]| owner == Uuid::nil().as_bytes();
                match next.filter(|(owner, _)| self.before.is_some() || is_hidden(owner)) {
                    Some(graph) => self.graph = graph,
                    None => return Ok(true),
                }
                self.is_inside = true;
                self.after = (Time(i64::MIN), Vec::new());
            }
            // What was hidden may go whatever the day.
            let is_hidden = self.graph.0 == Uuid::nil().as_bytes();
            let before = self.before.filter(|_| !is_hidden).unwrap_or(Time(i64::MAX));
            let values = args![self.graph.0, self.graph.1, self.after.0, self.after.1, before];
            let page = db.all(PAGE, &values, |row| Ok((RunId(row.id(0)?), row.time(1)?, row.int(2)? == 1)))?;
            match page.last() {
                Some((id, created_at, _)) => self.after = (*created_at, id.0.as_bytes().to_vec()),
                None => self.is_inside = false,
            }
            self.doomed.extend(page.iter().filter(|(.., may_go)| *may_go).map(|(id, ..)| *id));
            if !page.is_empty() {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

impl Store {
    /// Goes on with a walk: removes runs for about so long, which is how long other writers wait.
    pub async fn remove_ended(&self, walk: &mut Walk, now: Time, limit: Duration) -> Result<Removed, Error> {
        if let Some(before) = walk.before.filter(|_| !walk.are_keys_done) {
            let expired = before.min(now.plus_seconds(-KEY_LIFETIME));
            let removed = self.write(move |db| db.execute(KEYS, &args![expired])).await?;
            walk.are_keys_done = removed == 0;
            return Ok(Removed::default());
        }
        if walk.doomed.is_empty() {
            let mut moved = walk.clone();
            let (moved, is_over) = self
                .read(move |db| {
                    let is_over = moved.look(db)?;
                    Ok((moved, is_over))
                })
                .await?;
            *walk = moved;
            return Ok(Removed { runs: 0, is_over });
        }
        let doomed = walk.doomed.clone();
        let gone = self.write(move |db| remove(db, &doomed, limit)).await?;
        walk.doomed.drain(..gone);
        Ok(Removed { runs: gone as u64, is_over: false })
    }
}

/// Removes runs in order until the time is up; says how many are gone.
fn remove(db: Db<'_>, runs: &[RunId], limit: Duration) -> Result<usize, Error> {
    let begun = Instant::now();
    for (gone, &run) in runs.iter().enumerate() {
        if gone > 0 && begun.elapsed() >= limit {
            return Ok(gone);
        }
        for (_, rows) in OF_RUN {
            while db.execute(*rows, &args![run])? >= ROWS {
                if begun.elapsed() >= limit {
                    db.execute(HIDE, &args![run, Uuid::nil()])?;
                    return Ok(gone);
                }
            }
        }
        fault::point!("store.remove.rows")?;
        db.execute(RUN, &args![run])?;
    }
    Ok(runs.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_by_the_index_of_the_lists() {
        for (sql, index) in [
            (GRAPH, "run_by_graph ((owner,graph_id)>(?,?))"),
            (PAGE, "run_by_graph (owner=? AND graph_id=? AND (created_at,id)>(?,?)"),
            (RUN, "PRIMARY KEY (id=?)"),
            (HIDE, "PRIMARY KEY (id=?)"),
            (KEYS, "idempotency_by_age (created_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
            assert!(!plan.contains("SCAN run") && !plan.contains("TEMP B-TREE"), "{sql:?}: {plan}");
        }
        for (table, sql) in OF_RUN {
            let plan = crate::sql::plan(*sql);
            assert!(!plan.contains(&format!("SCAN {table}")) && !plan.contains("TEMP B-TREE"), "{table}: {plan}");
        }
    }

    /// What was paid, and which secrets were used, is told also of runs that are gone.
    #[test]
    fn every_table_that_hangs_on_a_run_is_known_here() {
        let mut db = rusqlite::Connection::open_in_memory().unwrap();
        crate::sqlite::migrate::apply(&mut db, crate::migrate::SQLITE).unwrap();
        let text = "SELECT m.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c \
            WHERE m.type = 'table' AND c.name = 'run' AND m.name NOT IN ('idempotency', 'credit', 'secret_use') ORDER BY 1";
        let mut statement = db.prepare(text).unwrap();
        let found: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let mut known: Vec<_> = OF_RUN.iter().map(|(table, _)| *table).collect();
        known.sort();
        assert_eq!(found, known);
    }
}
