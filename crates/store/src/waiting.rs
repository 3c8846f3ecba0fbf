//! Runs that have not ended: which go on at a start, which wait, and for what. For the engine, not for an account.

use crate::cell::{Row, args, unreadable};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_engine::Unfinished;
use heddle_engine::ports::{Awaiting, Due, Lane, Standing};
use heddle_model::{GraphId, RunId, Time, UserId};
use uuid::Uuid;

const STANDING: Sql = both!("SELECT owner, graph_id, parent, ended_at, parked, news FROM run WHERE id = ?1");
const ACTIVE: Sql = Sql {
    sqlite: "SELECT owner, graph_id, parent, id FROM run WHERE ended_at IS NULL AND parked = 0 ORDER BY created_at",
    postgres: "SELECT owner, graph_id, parent, id FROM run WHERE ended_at IS NULL AND NOT parked ORDER BY created_at",
};
const COUNT_PARKED: Sql = Sql {
    sqlite: "SELECT count(*) FROM run WHERE ended_at IS NULL AND parked = 1",
    postgres: "SELECT count(*) FROM run WHERE ended_at IS NULL AND parked",
};
const COUNT_UNFINISHED: Sql = both!("SELECT count(*) FROM run WHERE ended_at IS NULL");
const DUE: Sql = both!(
    "SELECT owner, graph_id, parent, id, wake_at FROM run \
    WHERE wake_at IS NOT NULL AND wake_at <= ?1 AND (wake_at, id) > (?2, ?3) ORDER BY wake_at, id LIMIT ?4"
);
const NEXT: Sql = both!("SELECT min(wake_at) FROM run WHERE wake_at IS NOT NULL AND wake_at > ?1");
const AWAITING: Sql = both!("SELECT id, awaits FROM run WHERE awaits IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2");

/// Bytes of one child in `awaits`.
const AWAITED: usize = 24;

fn lane(row: &Row<'_>) -> Result<Lane, Error> {
    Ok(Lane { owner: UserId(row.id(0)?), graph: GraphId(row.id(1)?) })
}

impl Store {
    /// Everybody's runs that go on at a start, oldest first, and how many others are parked.
    pub async fn unfinished(&self) -> Result<(Vec<Unfinished>, u64), Error> {
        self.read(|db| {
            let read = |row: &Row<'_>| {
                Ok(Unfinished { lane: lane(row)?, is_child: row.id_option(2)?.is_some(), run: RunId(row.id(3)?) })
            };
            db.snapshot(|db| Ok((db.all(ACTIVE, &[], read)?, db.one(COUNT_PARKED, &[], |row| row.count(0))?)))
        })
        .await
    }

    /// How many runs of everybody have not ended.
    pub async fn count_unfinished(&self) -> Result<u64, Error> {
        self.read(|db| db.one(COUNT_UNFINISHED, &[], |row| row.count(0))).await
    }

    pub(crate) async fn run_standing(&self, run: RunId) -> Result<Option<Standing>, Error> {
        self.read(move |db| {
            db.first(STANDING, &args![run], |row| {
                Ok(Standing {
                    lane: lane(row)?,
                    is_child: row.id_option(2)?.is_some(),
                    ended: row.time_option(3)?.is_some(),
                    parked: row.flag(4)?,
                    news: row.count(5)?,
                })
            })
        })
        .await
    }

    pub(crate) async fn runs_due(
        &self,
        now: Time,
        after: Option<(Time, RunId)>,
        limit: usize,
    ) -> Result<Vec<Due>, Error> {
        let (at, id) = after.unwrap_or((Time(i64::MIN), RunId(Uuid::nil())));
        self.read(move |db| {
            db.all(DUE, &args![now, at, id, limit as i64], |row| {
                let is_child = row.id_option(2)?.is_some();
                Ok(Due { lane: lane(row)?, is_child, run: RunId(row.id(3)?), wake_at: row.time(4)? })
            })
        })
        .await
    }

    pub(crate) async fn next_run_due(&self, after: Time) -> Result<Option<Time>, Error> {
        self.read(move |db| db.one(NEXT, &args![after], |row| row.time_option(0))).await
    }

    pub(crate) async fn runs_awaiting(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Awaiting>, Error> {
        let after = after.unwrap_or(RunId(Uuid::nil()));
        self.read(move |db| {
            db.all(AWAITING, &args![after, limit as i64], |row| {
                let awaits = row.bytes(1)?;
                if awaits.len() % AWAITED != 0 {
                    return Err(unreadable(1, "no list of runs"));
                }
                let children = awaits.chunks_exact(AWAITED).map(child);
                Ok(Awaiting { run: RunId(row.id(0)?), children: children.collect() })
            })
        })
        .await
    }
}

/// A child's id and how far it has been read.
fn child(bytes: &[u8]) -> (RunId, u64) {
    let (mut id, mut read) = ([0; 16], [0; 8]);
    id.copy_from_slice(&bytes[..16]);
    read.copy_from_slice(&bytes[16..AWAITED]);
    (RunId(Uuid::from_bytes(id)), u64::from_be_bytes(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_wait_are_found_by_an_index() {
        for (sql, index) in [
            (STANDING, "PRIMARY KEY (id=?)"),
            (ACTIVE, "run_unfinished (parked=?)"),
            (COUNT_UNFINISHED, "run_unfinished"),
            (COUNT_PARKED, "run_unfinished (parked=?)"),
            (DUE, "run_to_wake ("),
            (NEXT, "run_to_wake (wake_at>?)"),
            (AWAITING, "run_awaiting (id>?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{sql:?}: {plan}");
        }
    }
}
