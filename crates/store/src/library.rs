//! The library: which graphs an account lists as its agents, and what it has set for each.

use crate::{Error, Store, sql};
use heddle_model::{GraphId, Object, OrgId, Time, UserId, Value};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

const ENTER: &str = "INSERT INTO library_agent (id, owner, organization, graph_id, graph_version, settings, \
    created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, '{}', ?6, ?6) \
    ON CONFLICT (owner, graph_id) DO UPDATE SET graph_version = excluded.graph_version, \
    updated_at = excluded.updated_at WHERE ?7";
const SETTINGS: &str = "SELECT settings FROM library_agent WHERE owner = ?1 AND graph_id = ?2 AND NOT is_deleted";
const SET_SETTINGS: &str =
    "UPDATE library_agent SET settings = ?3 WHERE owner = ?1 AND graph_id = ?2 AND NOT is_deleted";

/// Lists a graph; one that is listed already follows to the new version if that is active.
pub(crate) fn enter(
    db: &Connection,
    owner: UserId,
    organization: OrgId,
    graph: GraphId,
    version: i64,
    is_active: bool,
    at: Time,
) -> Result<(), Error> {
    // Derived, so that one graph is one agent of the owner's, however often it is saved.
    let id = Uuid::new_v5(&owner.0, graph.0.as_bytes());
    db.prepare_cached(ENTER)?.execute(params![
        id.as_bytes(),
        owner.0.as_bytes(),
        organization.0.as_bytes(),
        graph.0.as_bytes(),
        version,
        at.0,
        is_active,
    ])?;
    Ok(())
}

impl Store {
    /// What the owner has set for the library agent of this graph; `None` when the library does not list it.
    pub async fn library_settings(&self, owner: UserId, graph: GraphId) -> Result<Option<Object>, Error> {
        self.read(move |db| {
            let mut statement = db.prepare_cached(SETTINGS)?;
            let key = params![owner.0.as_bytes(), graph.0.as_bytes()];
            Ok(statement.query_row(key, |row| sql::object(row, 0)).optional()?)
        })
        .await
    }

    /// Replaces those settings. [`Error::NotFound`] when the library does not list the graph.
    pub async fn set_library_settings(&self, owner: UserId, graph: GraphId, settings: Object) -> Result<(), Error> {
        let text = Value::Object(settings).to_string();
        self.write(move |db| {
            let mut statement = db.prepare_cached(SET_SETTINGS)?;
            match statement.execute(params![owner.0.as_bytes(), graph.0.as_bytes(), text])? {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }
}
