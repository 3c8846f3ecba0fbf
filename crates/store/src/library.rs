//! The library: which graphs an account lists as its agents, and what it has set for each.

use crate::cell::{Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_model::ids::derived;
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

macro_rules! item {
    ($more:literal) => {
        concat!(
            "SELECT library_agent.id, graph.id, graph.version, graph.name, graph.description, \
            library_agent.is_archived, graph.owner FROM library_agent JOIN graph \
            ON graph.id = library_agent.graph_id AND graph.version = library_agent.graph_version \
            WHERE library_agent.owner = ?1 AND NOT library_agent.is_deleted",
            $more
        )
    };
}
const LISTED: Sql = both!(item!(" ORDER BY library_agent.updated_at DESC, library_agent.id"));
const ITEM: Sql = both!(item!(" AND library_agent.id = ?2"));

/// An agent of a library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LibraryItem {
    /// Its id in the library.
    pub id: Uuid,
    /// Its graph.
    pub graph: GraphId,
    /// The version that the library lists.
    pub version: i64,
    /// Of that version.
    pub name: String,
    /// Of that version.
    pub description: String,
    /// Put aside.
    pub is_archived: bool,
    /// Whose graph it is.
    pub author: UserId,
}

/// What was removed comes back in the version that is added now; what is there keeps its own, unless it is to follow.
const ADD: Sql = both!(
    "INSERT INTO library_agent (id, owner, organization, graph_id, graph_version, settings, \
    created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, '{}', ?6, ?6) \
    ON CONFLICT (owner, graph_id) DO UPDATE SET graph_version = excluded.graph_version, is_deleted = FALSE, \
    is_archived = FALSE, updated_at = excluded.updated_at WHERE library_agent.is_deleted OR ?7"
);
const ENTRY: Sql = both!(
    "SELECT id, graph_id, graph_version, created_at FROM library_agent WHERE owner = ?1 AND graph_id = ?2 \
    AND NOT is_deleted"
);
const REMOVE: Sql = both!(
    "UPDATE library_agent SET is_deleted = TRUE, updated_at = ?3 WHERE owner = ?1 AND graph_id = ?2 AND NOT is_deleted"
);

/// An agent in somebody's library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LibraryEntry {
    /// Its id there.
    pub id: Uuid,
    /// Its graph.
    pub graph: GraphId,
    /// The version that is run.
    pub graph_version: i64,
    /// Since when it is there.
    pub created_at: Time,
}

fn read_entry(row: &Row<'_>) -> Result<LibraryEntry, Error> {
    Ok(LibraryEntry {
        id: row.id(0)?,
        graph: GraphId(row.id(1)?),
        graph_version: row.int(2)?,
        created_at: row.time(3)?,
    })
}

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
    let id = derived(owner.0, graph.0.as_bytes());
    db.execute(ENTER, &args![id, owner, organization, graph, version, at, is_active])?;
    Ok(())
}

impl Store {
    /// The owner's agents whose name or description holds a text, in whatever case; changed last first. Case is not the
    /// same thing in both databases, so it is looked for here.
    pub async fn library(&self, owner: UserId, text: &str, paging: Paging) -> Result<Page<LibraryItem>, Error> {
        let text = text.to_lowercase();
        self.read(move |db| {
            let mut listed = db.all(LISTED, &args![owner], read_item)?;
            let holds = |whole: &str| whole.to_lowercase().contains(&text);
            listed.retain(|entry| text.is_empty() || holds(&entry.name) || holds(&entry.description));
            let total = listed.len() as u64;
            let first = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
            let items = listed.into_iter().skip(first).take(paging.page_size as usize).collect();
            Ok(Page { items, total })
        })
        .await
    }

    /// One of them by its id.
    pub async fn library_item(&self, owner: UserId, id: Uuid) -> Result<Option<LibraryItem>, Error> {
        self.read(move |db| db.first(ITEM, &args![owner, id], read_item)).await
    }

    /// Lists a version of a graph, somebody else's or the owner's own, and says what is listed then. One that is listed
    /// stays at its version, unless it is to follow to this one.
    pub async fn add_to_library(
        &self,
        owner: UserId,
        organization: OrgId,
        graph: GraphId,
        version: i64,
        follow: bool,
        at: Time,
    ) -> Result<LibraryEntry, Error> {
        let id = derived(owner.0, graph.0.as_bytes());
        self.write(move |db| {
            db.execute(ADD, &args![id, owner, organization, graph, version, at, follow])?;
            db.one(ENTRY, &args![owner, graph], read_entry)
        })
        .await
    }

    /// What the library lists of a graph.
    pub async fn library_entry(&self, owner: UserId, graph: GraphId) -> Result<Option<LibraryEntry>, Error> {
        self.read(move |db| db.first(ENTRY, &args![owner, graph], read_entry)).await
    }

    /// Takes a graph off the library; false when it does not list it. Its runs stay.
    pub async fn remove_from_library(&self, owner: UserId, graph: GraphId, at: Time) -> Result<bool, Error> {
        self.write(move |db| Ok(db.execute(REMOVE, &args![owner, graph, at])? > 0)).await
    }

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

fn read_item(row: &Row<'_>) -> Result<LibraryItem, Error> {
    Ok(LibraryItem {
        id: row.id(0)?,
        graph: GraphId(row.id(1)?),
        version: row.int(2)?,
        name: row.text(3)?,
        description: row.text(4)?,
        is_archived: row.flag(5)?,
        author: UserId(row.id(6)?),
    })
}
