//! Rows of runs: where each stands. They are written with the frames; here they are only found.

use crate::{Error, Page, Paging, Store, sql};
use heddle_engine::journal::Counts;
use heddle_model::{GraphId, OrgId, RunId, Status, Time, UserId};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use std::collections::HashMap;

macro_rules! columns {
    () => {
        "id, owner, organization, graph_id, graph_version, status, created_at, started_at, ended_at, error, \
         node_count, error_count, parent, event_count"
    };
}

const OF_GRAPH: &str = concat!("SELECT ", columns!(), " FROM run WHERE owner = ?1 AND graph_id = ?2 AND id = ?3");
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM run WHERE owner = ?1 AND id = ?2");
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM run WHERE owner = ?1 AND graph_id = ?2 ORDER BY created_at DESC, id DESC LIMIT ?3 OFFSET ?4"
);
const LIST_TOTAL: &str = "SELECT count(*) FROM run WHERE owner = ?1 AND graph_id = ?2";
const UNFINISHED: &str = concat!("SELECT ", columns!(), " FROM run WHERE ended_at IS NULL ORDER BY created_at, id");
const COUNT_UNFINISHED: &str = "SELECT count(*) FROM run WHERE ended_at IS NULL";
const BY_KEY: &str = "SELECT fingerprint, run FROM idempotency \
    WHERE owner = ?1 AND organization = ?2 AND key = ?3 AND created_at > ?4";

/// Where a run stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub owner: UserId,
    /// In which organization.
    pub organization: OrgId,
    /// What is run.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// When it was accepted.
    pub created_at: Time,
    /// When an execution first began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it FAILED.
    pub error: Option<String>,
    /// Finished executions and failed ones.
    pub counts: Counts,
    /// The run that started it.
    pub parent: Option<RunId>,
    /// How many events its journal holds.
    pub events: u64,
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let status = row.get_ref(5)?.as_str()?;
    Ok(RunRecord {
        id: RunId(sql::id(row, 0)?),
        owner: UserId(sql::id(row, 1)?),
        organization: OrgId(sql::id(row, 2)?),
        graph: GraphId(sql::id(row, 3)?),
        version: row.get(4)?,
        status: Status::parse(status).ok_or_else(|| sql::unreadable(5, status))?,
        created_at: sql::time(row, 6)?,
        started_at: sql::time_option(row, 7)?,
        ended_at: sql::time_option(row, 8)?,
        error: row.get(9)?,
        counts: Counts { nodes: sql::count(row, 10)?, errors: sql::count(row, 11)? },
        parent: sql::id_option(row, 12)?.map(RunId),
        events: sql::count(row, 13)?,
    })
}

impl Store {
    /// A run of one graph.
    pub async fn run(&self, owner: UserId, graph: GraphId, id: RunId) -> Result<Option<RunRecord>, Error> {
        self.read(move |db| one(db, OF_GRAPH, params![owner.0.as_bytes(), graph.0.as_bytes(), id.0.as_bytes()])).await
    }

    /// A run of any graph.
    pub async fn run_by_id(&self, owner: UserId, id: RunId) -> Result<Option<RunRecord>, Error> {
        self.read(move |db| one(db, BY_ID, params![owner.0.as_bytes(), id.0.as_bytes()])).await
    }

    /// The runs of one graph in all its versions, newest first.
    pub async fn runs(&self, owner: UserId, graph: GraphId, paging: Paging) -> Result<Page<RunRecord>, Error> {
        self.read(move |db| {
            let transaction = db.unchecked_transaction()?;
            let (owner, graph) = (owner.0.as_bytes(), graph.0.as_bytes());
            let mut statement = transaction.prepare_cached(LIST_TOTAL)?;
            let total = statement.query_row(params![owner, graph], |row| sql::count(row, 0))?;
            let mut statement = transaction.prepare_cached(LIST)?;
            let rows = statement.query_map(params![owner, graph, paging.limit(), paging.offset()], read_run)?;
            Ok(Page { items: rows.collect::<Result<_, _>>()?, total })
        })
        .await
    }

    /// Everybody's runs that have not ended, for the restart: oldest first, and a parent before its children.
    pub async fn unfinished(&self) -> Result<Vec<RunRecord>, Error> {
        self.read(|db| {
            let mut statement = db.prepare_cached(UNFINISHED)?;
            let rows = statement.query_map([], read_run)?;
            Ok(parents_first(rows.collect::<Result<_, _>>()?))
        })
        .await
    }

    /// How many runs of everybody have not ended.
    pub async fn count_unfinished(&self) -> Result<u64, Error> {
        self.read(|db| Ok(db.prepare_cached(COUNT_UNFINISHED)?.query_row([], |row| sql::count(row, 0))?)).await
    }

    /// The request and the run that this idempotency key was used for after `since`.
    pub async fn run_by_idempotency(
        &self,
        owner: UserId,
        organization: OrgId,
        key: &str,
        since: Time,
    ) -> Result<Option<([u8; 32], RunId)>, Error> {
        let key = key.to_owned();
        self.read(move |db| {
            let mut statement = db.prepare_cached(BY_KEY)?;
            let values = params![owner.0.as_bytes(), organization.0.as_bytes(), key, since.0];
            let found = statement.query_row(values, |row| Ok((row.get(0)?, RunId(sql::id(row, 1)?))));
            Ok(found.optional()?)
        })
        .await
    }
}

fn one(db: &Connection, sql: &str, key: impl Params) -> Result<Option<RunRecord>, Error> {
    Ok(db.prepare_cached(sql)?.query_row(key, read_run).optional()?)
}

/// Sorts by depth, keeping the order among equals: clocks are too coarse to tell a parent from its child.
fn parents_first(mut runs: Vec<RunRecord>) -> Vec<RunRecord> {
    let parents: HashMap<RunId, RunId> = runs.iter().filter_map(|run| Some((run.id, run.parent?))).collect();
    if !parents.is_empty() {
        let most = runs.len();
        let depth =
            |run: &RunRecord| std::iter::successors(Some(run.id), |id| parents.get(id).copied()).take(most).count();
        runs.sort_by_cached_key(depth);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_look_ups_of_runs_go_by_an_index() {
        for (sql, index) in [
            (OF_GRAPH, "PRIMARY KEY (id=?)"),
            (BY_ID, "PRIMARY KEY (id=?)"),
            (LIST, "run_by_graph (owner=? AND graph_id=?)"),
            (LIST_TOTAL, "run_by_graph (owner=? AND graph_id=?)"),
            (UNFINISHED, "run_unfinished"),
            (COUNT_UNFINISHED, "run_unfinished"),
            (BY_KEY, "PRIMARY KEY (owner=? AND organization=? AND key=?)"),
        ] {
            let plan = sql::plan(sql);
            assert!(plan.contains(index), "{sql}: {plan}");
            let sorts = plan.contains("TEMP B-TREE FOR ORDER BY");
            assert!(!sorts, "{sql}: {plan}");
        }
    }
}
