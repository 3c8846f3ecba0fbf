//! Graphs that others may run: copies without their author's secrets.

use crate::cell::args;
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store, StoredGraph, codec};
use heddle_model::{Graph, GraphId, OrgId, Time, UserId};
use std::collections::HashSet;

const PUT: Sql = both!(
    "INSERT INTO published_graph (graph_id, version, owner, body, approved_at) VALUES (?1, ?2, ?3, ?4, NULL) \
    ON CONFLICT (graph_id, version) DO NOTHING"
);
const APPROVE: Sql = both!(
    "UPDATE published_graph SET approved_at = ?4 WHERE owner = ?1 AND graph_id = ?2 AND version = ?3 \
    AND approved_at IS NULL"
);
const APPROVED: Sql = both!(
    "SELECT p.body, p.owner, graph.organization, graph.created_at FROM published_graph AS p JOIN graph \
    ON graph.id = p.graph_id AND graph.version = p.version WHERE p.graph_id = ?1 AND p.version = ?2 \
    AND p.approved_at IS NOT NULL"
);
const SUBMITTED: Sql = both!("SELECT body FROM published_graph WHERE owner = ?1 AND graph_id = ?2 AND version = ?3");
const LISTED: Sql = both!("SELECT graph_id FROM listing");

/// Counts a run of a graph that has a listing.
pub(crate) const COUNT_RUN: Sql = both!("UPDATE listing SET run_count = run_count + 1 WHERE graph_id = ?1");

/// The graphs that have a listing.
pub(crate) fn published_ids(db: Db<'_>) -> Result<HashSet<GraphId>, Error> {
    Ok(db.all(LISTED, &[], |row| Ok(GraphId(row.id(0)?)))?.into_iter().collect())
}

/// A graph version, packed for others.
pub(super) struct Packed {
    id: GraphId,
    version: i64,
    body: Vec<u8>,
}

pub(super) fn pack(graphs: &[Graph]) -> Result<Vec<Packed>, Error> {
    let pack = |graph: &Graph| Ok(Packed { id: graph.id, version: graph.version, body: codec::encode(graph)? });
    graphs.iter().map(pack).collect()
}

/// Keeps copies; of a version that has one already the old one stays, because a saved version never changes.
pub(super) fn put(db: Db<'_>, owner: UserId, graphs: &[Packed]) -> Result<(), Error> {
    for graph in graphs {
        db.execute(PUT, &args![graph.id, graph.version, owner, graph.body])?;
    }
    Ok(())
}

/// Lets others run these versions of the owner's.
pub(super) fn approve(db: Db<'_>, owner: UserId, graphs: &[(GraphId, i64)], at: Time) -> Result<(), Error> {
    for (graph, version) in graphs {
        db.execute(APPROVE, &args![owner, graph, version, at])?;
    }
    Ok(())
}

impl Store {
    /// The copy of a version that was approved once, also when its listing is gone. Who may run it, and whether it is still
    /// offered, is not asked here.
    pub async fn published_graph(&self, id: GraphId, version: i64) -> Result<Option<StoredGraph>, Error> {
        self.read(move |db| {
            db.first(APPROVED, &args![id, version], |row| {
                Ok(StoredGraph {
                    graph: codec::decode(row.bytes(0)?)?,
                    author: UserId(row.id(1)?),
                    organization: OrgId(row.id(2)?),
                    created_at: row.time(3)?,
                    parent: None,
                    in_library: false,
                })
            })
        })
        .await
    }

    /// The copy that was handed in, approved or not: for its author and for whoever reviews it.
    pub async fn submitted_graph(&self, owner: UserId, id: GraphId, version: i64) -> Result<Option<Graph>, Error> {
        self.read(move |db| db.first(SUBMITTED, &args![owner, id, version], |row| codec::decode(row.bytes(0)?))).await
    }
}
