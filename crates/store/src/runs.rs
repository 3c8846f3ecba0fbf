//! Rows of runs: where each stands. They are written with the frames; here they are only found.

use crate::cell::{Cell, Row, args, unreadable};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_engine::journal::Counts;
use heddle_model::{GraphId, OrgId, RunId, Status, Time, UserId};

macro_rules! columns {
    () => {
        "id, owner, organization, graph_id, graph_version, status, created_at, started_at, ended_at, error, \
         node_count, error_count, parent, event_count, cost"
    };
}

const OF_GRAPH: Sql = both!(concat!("SELECT ", columns!(), " FROM run WHERE owner = ?1 AND graph_id = ?2 AND id = ?3"));
const BY_ID: Sql = both!(concat!("SELECT ", columns!(), " FROM run WHERE owner = ?1 AND id = ?2"));
const LIST: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    " FROM run WHERE owner = ?1 AND graph_id = ?2 ORDER BY created_at DESC, id DESC LIMIT ?3 OFFSET ?4"
));
const LIST_TOTAL: Sql = both!("SELECT count(*) FROM run WHERE owner = ?1 AND graph_id = ?2");
const BY_KEY: Sql = both!(
    "SELECT fingerprint, run FROM idempotency \
    WHERE owner = ?1 AND organization = ?2 AND key = ?3 AND created_at > ?4"
);

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

fn read_run(row: &Row<'_>) -> Result<RunRecord, Error> {
    let status = row.str(5)?;
    Ok(RunRecord {
        id: RunId(row.id(0)?),
        owner: UserId(row.id(1)?),
        organization: OrgId(row.id(2)?),
        graph: GraphId(row.id(3)?),
        version: row.int(4)?,
        status: Status::parse(&status).ok_or_else(|| unreadable(5, &format!("the unknown status {status:?}")))?,
        created_at: row.time(6)?,
        started_at: row.time_option(7)?,
        ended_at: row.time_option(8)?,
        error: row.text_option(9)?,
        counts: Counts { nodes: row.count(10)?, errors: row.count(11)?, cost: row.count(14)? },
        parent: row.id_option(12)?.map(RunId),
        events: row.count(13)?,
    })
}

impl Store {
    /// A run of one graph.
    pub async fn run(&self, owner: UserId, graph: GraphId, id: RunId) -> Result<Option<RunRecord>, Error> {
        self.read(move |db| of_graph(db, owner, graph, id)).await
    }

    /// A run of any graph.
    pub async fn run_by_id(&self, owner: UserId, id: RunId) -> Result<Option<RunRecord>, Error> {
        self.read(move |db| one(db, BY_ID, &args![owner, id])).await
    }

    /// The runs of one graph in all its versions, newest first.
    pub async fn runs(&self, owner: UserId, graph: GraphId, paging: Paging) -> Result<Page<RunRecord>, Error> {
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(LIST_TOTAL, &args![owner, graph], |row| row.count(0))?;
                let items = db.all(LIST, &args![owner, graph, paging.limit(), paging.offset()], read_run)?;
                Ok(Page { items, total })
            })
        })
        .await
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
            let values = args![owner, organization, key, since];
            db.first(BY_KEY, &values, |row| Ok((row.array(0)?, RunId(row.id(1)?))))
        })
        .await
    }
}

/// A run of one graph.
pub(crate) fn of_graph(db: Db<'_>, owner: UserId, graph: GraphId, id: RunId) -> Result<Option<RunRecord>, Error> {
    one(db, OF_GRAPH, &args![owner, graph, id])
}

fn one(db: Db<'_>, sql: Sql, key: &[Cell<'_>]) -> Result<Option<RunRecord>, Error> {
    db.first(sql, key, read_run)
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
            (BY_KEY, "PRIMARY KEY (owner=? AND organization=? AND key=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
            let sorts = plan.contains("TEMP B-TREE FOR ORDER BY");
            assert!(!sorts, "{sql:?}: {plan}");
        }
    }
}
