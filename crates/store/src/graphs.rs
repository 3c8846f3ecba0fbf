//! Graph versions. A saved one never changes, but for the flag that says which version is active.

use crate::cell::{Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store, codec, library};
use heddle_model::{Graph, GraphId, OrgId, Time, UserId};

const FOREIGN: Sql = both!("SELECT 1 FROM graph WHERE id = ?2 AND owner <> ?1 LIMIT 1");
const DEACTIVATE: Sql = both!("UPDATE graph SET is_active = FALSE WHERE owner = ?1 AND id = ?2 AND is_active");
const INSERT: Sql = both!(
    "INSERT INTO graph (id, version, owner, organization, parent, name, description, is_active, \
    created_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);

macro_rules! stored {
    () => {
        "SELECT graph.body, graph.is_active, graph.created_at, graph.organization, graph.parent, \
         EXISTS (SELECT 1 FROM library_agent WHERE library_agent.owner = graph.owner \
         AND library_agent.graph_id = graph.id AND NOT library_agent.is_deleted), graph.owner \
         FROM graph WHERE graph.owner = ?1 AND graph.id = ?2 "
    };
}
const VERSION: Sql = both!(concat!(stored!(), "AND graph.version = ?3"));
const HIGHEST: Sql = both!(concat!(stored!(), "ORDER BY graph.version DESC LIMIT 1"));

/// Somebody else's graph in the owner's library: the copy that was published, of the version that the library names. Seen
/// from there it is the owner's.
macro_rules! added {
    () => {
        "SELECT p.body, TRUE, library_agent.created_at, library_agent.organization, NULL, TRUE, p.owner \
         FROM library_agent JOIN published_graph AS p ON p.graph_id = library_agent.graph_id \
         AND p.version = library_agent.graph_version WHERE library_agent.owner = ?1 AND library_agent.graph_id = ?2 \
         AND NOT library_agent.is_deleted AND p.owner <> ?1 AND p.approved_at IS NOT NULL "
    };
}
const ADDED: Sql = both!(added!());
const ADDED_VERSION: Sql = both!(concat!(added!(), "AND p.version = ?3"));

/// Of the owner's graphs the highest version, of others' the one that the library names.
const LIST: Sql = both!(
    "SELECT graph.id, graph.version, graph.name, graph.description, graph.created_at, graph.is_active \
    FROM library_agent JOIN graph ON graph.id = library_agent.graph_id \
    AND graph.version = CASE WHEN graph.owner = library_agent.owner THEN \
    (SELECT max(version) FROM graph AS other WHERE other.id = library_agent.graph_id) \
    ELSE library_agent.graph_version END \
    WHERE library_agent.owner = ?1 AND NOT library_agent.is_deleted \
    ORDER BY graph.created_at DESC, graph.id LIMIT ?2 OFFSET ?3"
);
const LIST_TOTAL: Sql = both!("SELECT count(*) FROM library_agent WHERE owner = ?1 AND NOT is_deleted");

/// A graph version and what is known about it.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredGraph {
    /// As it was saved, `is_active` as it is now.
    pub graph: Graph,
    /// When this version was saved.
    pub created_at: Time,
    /// In which organization.
    pub organization: OrgId,
    /// The graph it was saved inside of.
    pub parent: Option<GraphId>,
    /// Whether the owner's library lists it.
    pub in_library: bool,
    /// Whose work it is: another's than who asked for it when it came from the marketplace.
    pub author: UserId,
}

/// A line in the list of an owner's graphs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphSummary {
    /// Its id.
    pub id: GraphId,
    /// The highest version.
    pub version: i64,
    /// Of that version.
    pub name: String,
    /// Of that version.
    pub description: String,
    /// When that version was saved.
    pub created_at: Time,
    /// Whether that version is active.
    pub is_active: bool,
}

impl Store {
    /// Saves new versions together: the main graph first, then those it contains. The main graph enters the owner's
    /// library; an active version takes that place from the one before. [`Error::Exists`] when one of the versions is
    /// there, [`Error::NotFound`] when a graph is somebody else's.
    pub async fn save_graphs(
        &self,
        owner: UserId,
        organization: OrgId,
        graphs: &[Graph],
        at: Time,
    ) -> Result<(), Error> {
        let main = graphs.first().map(|graph| graph.id);
        let prepared = graphs.iter().map(|graph| {
            let parent = main.filter(|main| *main != graph.id);
            let body = codec::encode(graph)?;
            let (name, description) = (graph.name.clone(), graph.description.clone());
            let (id, version, is_active) = (graph.id, graph.version, graph.is_active);
            Ok(NewVersion { id, version, is_active, name, description, parent, body })
        });
        let versions: Vec<NewVersion> = prepared.collect::<Result<_, Error>>()?;
        self.write(move |db| {
            versions.iter().try_for_each(|version| insert(db, owner, organization, version, at))?;
            match versions.first() {
                Some(main) => library::enter(db, owner, organization, main.id, main.version, main.is_active, at),
                None => Ok(()),
            }
        })
        .await
    }

    /// One version of a graph; without a number, the highest. Of somebody else's only the version that was added to the
    /// owner's library, without its author's secrets.
    pub async fn graph(&self, owner: UserId, id: GraphId, version: Option<i64>) -> Result<Option<StoredGraph>, Error> {
        self.read(move |db| match version {
            Some(version) => match db.first(VERSION, &args![owner, id, version], read_stored)? {
                None => db.first(ADDED_VERSION, &args![owner, id, version], read_stored),
                own => Ok(own),
            },
            None => match db.first(HIGHEST, &args![owner, id], read_stored)? {
                None => db.first(ADDED, &args![owner, id], read_stored),
                own => Ok(own),
            },
        })
        .await
    }

    /// The graphs of the owner's library, each in its highest version, newest first.
    pub async fn graphs(&self, owner: UserId, paging: Paging) -> Result<Page<GraphSummary>, Error> {
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(LIST_TOTAL, &args![owner], |row| row.count(0))?;
                let items = db.all(LIST, &args![owner, paging.limit(), paging.offset()], read_summary)?;
                Ok(Page { items, total })
            })
        })
        .await
    }
}

/// A graph version, packed.
struct NewVersion {
    id: GraphId,
    version: i64,
    is_active: bool,
    name: String,
    description: String,
    parent: Option<GraphId>,
    body: Vec<u8>,
}

fn insert(db: Db<'_>, owner: UserId, organization: OrgId, new: &NewVersion, at: Time) -> Result<(), Error> {
    let NewVersion { id, version, is_active, name, description, parent, body } = new;
    if db.first(FOREIGN, &args![owner, id], |_| Ok(()))?.is_some() {
        return Err(Error::NotFound);
    }
    if *is_active {
        db.execute(DEACTIVATE, &args![owner, id])?;
    }
    let row = args![id, version, owner, organization, parent, name, description, is_active, at, body];
    db.execute(INSERT, &row)?;
    Ok(())
}

fn read_stored(row: &Row<'_>) -> Result<StoredGraph, Error> {
    let graph = Graph { is_active: row.flag(1)?, ..codec::decode(row.bytes(0)?)? };
    Ok(StoredGraph {
        graph,
        created_at: row.time(2)?,
        organization: OrgId(row.id(3)?),
        parent: row.id_option(4)?.map(GraphId),
        in_library: row.flag(5)?,
        author: UserId(row.id(6)?),
    })
}

fn read_summary(row: &Row<'_>) -> Result<GraphSummary, Error> {
    Ok(GraphSummary {
        id: GraphId(row.id(0)?),
        version: row.int(1)?,
        name: row.text(2)?,
        description: row.text(3)?,
        created_at: row.time(4)?,
        is_active: row.flag(5)?,
    })
}
