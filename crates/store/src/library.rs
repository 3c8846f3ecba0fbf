//! The library: which graphs an account lists as its agents, and what it has set for each.

use crate::cell::args;
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{GraphId, Object, OrgId, Time, UserId, Value};
use uuid::Uuid;

const ENTER: Sql = both!(
    "INSERT INTO library_agent (id, owner, organization, graph_id, graph_version, settings, \
    created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, '{}', ?6, ?6) \
    ON CONFLICT (owner, graph_id) DO UPDATE SET graph_version = excluded.graph_version, \
    updated_at = excluded.updated_at WHERE ?7"
);
const SETTINGS: Sql = both!("SELECT settings FROM library_agent WHERE owner = ?1 AND graph_id = ?2 AND NOT is_deleted");
const SET_SETTINGS: Sql =
    both!("UPDATE library_agent SET settings = ?3 WHERE owner = ?1 AND graph_id = ?2 AND NOT is_deleted");

/// Lists a graph; one that is listed already follows to the new version if that is active.
pub(crate) fn enter(
    db: Db<'_>,
    owner: UserId,
    organization: OrgId,
    graph: GraphId,
    version: i64,
    is_active: bool,
    at: Time,
) -> Result<(), Error> {
    // Derived, so that one graph is one agent of the owner's, however often it is saved.
    let id = Uuid::new_v5(&owner.0, graph.0.as_bytes());
    db.execute(ENTER, &args![id, owner, organization, graph, version, at, is_active])?;
    Ok(())
}

impl Store {
    /// What the owner has set for the library agent of this graph; `None` when the library does not list it.
    pub async fn library_settings(&self, owner: UserId, graph: GraphId) -> Result<Option<Object>, Error> {
        self.read(move |db| db.first(SETTINGS, &args![owner, graph], |row| row.object(0))).await
    }

    /// Replaces those settings. [`Error::NotFound`] when the library does not list the graph.
    pub async fn set_library_settings(&self, owner: UserId, graph: GraphId, settings: Object) -> Result<(), Error> {
        let text = Value::Object(settings).to_string();
        self.write(move |db| match db.execute(SET_SETTINGS, &args![owner, graph, text])? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        })
        .await
    }
}
