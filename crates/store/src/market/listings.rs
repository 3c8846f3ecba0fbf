//! Listings as everybody sees them: those with an active version.

use super::list;
use crate::cell::{Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_model::{GraphId, ListingId, ListingVersionId, Time, UserId};

/// The columns that [`read_card`] reads.
macro_rules! columns {
    () => {
        "listing.number, listing.id, v.id, listing.owner, creator.username, creator.name, creator.avatar, listing.slug, \
         v.name, v.sub_heading, v.description, v.categories, v.images, listing.run_count, listing.rating_sum, \
         listing.rating_count, listing.graph_id, v.graph_version, listing.is_featured, listing.shown_at"
    };
}
pub(super) const WIDTH: usize = 20;

macro_rules! shown {
    () => {
        " FROM listing JOIN listing_version AS v ON v.id = listing.active \
         JOIN creator ON creator.owner = listing.owner "
    };
}
pub(super) use {columns, shown};

/// What a list is narrowed by: `?1` to `?3`.
macro_rules! filter {
    () => {
        "listing.active IS NOT NULL AND (NOT CAST(?1 AS BOOLEAN) OR listing.is_featured) \
         AND (CAST(?2 AS TEXT) IS NULL OR listing.owner = (SELECT owner FROM creator WHERE username = ?2)) \
         AND (CAST(?3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM listing_category WHERE category = ?3 \
         AND listing = listing.number)) "
    };
}

/// Which listings stand on the page is decided before anything is joined to them.
macro_rules! listed {
    ($order:literal) => {
        both!(concat!(
            "SELECT ",
            columns!(),
            " FROM (SELECT number FROM listing WHERE ",
            filter!(),
            "ORDER BY ",
            $order,
            " LIMIT ?4 OFFSET ?5) AS page JOIN listing ON listing.number = page.number \
             JOIN listing_version AS v ON v.id = listing.active JOIN creator ON creator.owner = listing.owner ORDER BY ",
            $order
        ))
    };
}
const BY_AGE: Sql = listed!("listing.number");
const BY_RATING: Sql = listed!("listing.rating DESC, listing.number DESC");
const BY_RUNS: Sql = listed!("listing.run_count DESC, listing.number DESC");
const BY_NAME: Sql = listed!("listing.name_key, listing.number");
const BY_TIME: Sql = listed!("listing.shown_at DESC, listing.number DESC");
const TOTAL: Sql = both!(concat!("SELECT count(*) FROM listing WHERE ", filter!()));

macro_rules! one {
    ($which:literal) => {
        both!(concat!(
            "SELECT ",
            columns!(),
            ", v.video, v.output_demo, v.instructions, v.schedule, v.version",
            shown!(),
            "WHERE ",
            $which
        ))
    };
}
const BY_SLUG: Sql = one!("creator.username = ?1 AND listing.slug = ?2");
const BY_VERSION: Sql = one!("v.id = ?1");
const BY_GRAPH: Sql = one!("listing.graph_id = ?1");
const APPROVED: Sql = both!(
    "SELECT version, graph_version, changes, coalesce(reviewed_at, created_at) FROM listing_version WHERE listing = ?1 \
    AND status = 'approved' ORDER BY version"
);
const CATEGORIES: Sql = both!(
    "SELECT category, count(*) FROM listing_category JOIN listing ON listing.number = listing_category.listing \
    WHERE listing.active IS NOT NULL GROUP BY category ORDER BY 2 DESC, 1 LIMIT 60"
);

/// Scores of 1 to 5, added up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ratings {
    /// Of all scores.
    pub sum: u64,
    /// How many there are.
    pub count: u64,
}

impl Ratings {
    /// Their mean; 0 without any.
    pub fn mean(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }
}

/// A listing in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentCard {
    /// Its short id.
    pub number: i64,
    /// Its id.
    pub listing: ListingId,
    /// The version that is shown.
    pub version: ListingVersionId,
    /// Whose it is.
    pub owner: UserId,
    /// The creator's name in addresses.
    pub creator: String,
    /// The creator's name for people.
    pub creator_name: String,
    /// Name of the creator's picture.
    pub creator_avatar: Option<String>,
    /// The listing's name in addresses.
    pub slug: String,
    /// For people.
    pub name: String,
    /// One line.
    pub sub_heading: String,
    /// Many lines.
    pub description: String,
    /// In its creator's order.
    pub categories: Vec<String>,
    /// Names of pictures, the first of which stands for it.
    pub images: Vec<String>,
    /// Runs of its graph by anybody.
    pub runs: u64,
    /// What people think of it.
    pub ratings: Ratings,
    /// Its graph.
    pub graph: GraphId,
    /// The version of it that is shown.
    pub graph_version: i64,
    /// Chosen by an operator.
    pub is_featured: bool,
    /// Since when the version is shown.
    pub updated_at: Time,
}

/// All of a listing that is public.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentDetails {
    /// As in lists.
    pub card: AgentCard,
    /// Address of a film.
    pub video: Option<String>,
    /// Address of what came out of a run.
    pub output_demo: Option<String>,
    /// How to use it.
    pub instructions: Option<String>,
    /// Five fields: how often it is best run.
    pub schedule: Option<String>,
    /// Number of the version that is shown.
    pub number: i64,
    /// All approved versions, oldest first.
    pub versions: Vec<ApprovedVersion>,
}

/// An approved version in a listing's history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApprovedVersion {
    /// From 1.
    pub version: i64,
    /// Of the graph.
    pub graph_version: i64,
    /// What its creator says is new.
    pub changes: Option<String>,
    /// When it was approved.
    pub approved_at: Time,
}

/// Which listings.
#[derive(Clone, Debug, Default)]
pub struct AgentFilter {
    /// Only those chosen by an operator.
    pub featured: bool,
    /// Only this creator's.
    pub creator: Option<String>,
    /// Only those in this category.
    pub category: Option<String>,
    /// In which order.
    pub order: AgentOrder,
}

/// In which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AgentOrder {
    /// As they came.
    #[default]
    Age,
    /// Best rated first.
    Rating,
    /// Most run first.
    Runs,
    /// By name.
    Name,
    /// Last changed first.
    UpdatedAt,
}

pub(super) fn read_card(row: &Row<'_>) -> Result<AgentCard, Error> {
    Ok(AgentCard {
        number: row.int(0)?,
        listing: ListingId(row.id(1)?),
        version: ListingVersionId(row.id(2)?),
        owner: UserId(row.id(3)?),
        creator: row.text(4)?,
        creator_name: row.text(5)?,
        creator_avatar: row.text_option(6)?,
        slug: row.text(7)?,
        name: row.text(8)?,
        sub_heading: row.text(9)?,
        description: row.text(10)?,
        categories: list(row, 11)?,
        images: list(row, 12)?,
        runs: row.count(13)?,
        ratings: Ratings { sum: row.count(14)?, count: row.count(15)? },
        graph: GraphId(row.id(16)?),
        graph_version: row.int(17)?,
        is_featured: row.flag(18)?,
        updated_at: row.time(19)?,
    })
}

fn read_details(row: &Row<'_>) -> Result<AgentDetails, Error> {
    Ok(AgentDetails {
        card: read_card(row)?,
        video: row.text_option(WIDTH)?,
        output_demo: row.text_option(WIDTH + 1)?,
        instructions: row.text_option(WIDTH + 2)?,
        schedule: row.text_option(WIDTH + 3)?,
        number: row.int(WIDTH + 4)?,
        versions: Vec::new(),
    })
}

fn with_versions(db: Db<'_>, found: Option<AgentDetails>) -> Result<Option<AgentDetails>, Error> {
    let Some(mut details) = found else { return Ok(None) };
    details.versions = db.all(APPROVED, &args![details.card.number], |row| {
        Ok(ApprovedVersion {
            version: row.int(0)?,
            graph_version: row.int(1)?,
            changes: row.text_option(2)?,
            approved_at: row.time(3)?,
        })
    })?;
    Ok(Some(details))
}

impl Store {
    /// Listings that are shown.
    pub async fn shown_agents(&self, filter: AgentFilter, paging: Paging) -> Result<Page<AgentCard>, Error> {
        let sql = match filter.order {
            AgentOrder::Age => BY_AGE,
            AgentOrder::Rating => BY_RATING,
            AgentOrder::Runs => BY_RUNS,
            AgentOrder::Name => BY_NAME,
            AgentOrder::UpdatedAt => BY_TIME,
        };
        self.read(move |db| {
            let AgentFilter { featured, creator, category, .. } = &filter;
            db.snapshot(|db| {
                let total = db.one(TOTAL, &args![featured, creator, category], |row| row.count(0))?;
                let (limit, offset) = (paging.limit(), paging.offset());
                let items = db.all(sql, &args![featured, creator, category, limit, offset], read_card)?;
                Ok(Page { items, total })
            })
        })
        .await
    }

    /// The listing of these names, if it is shown.
    pub async fn shown_agent(&self, username: &str, slug: &str) -> Result<Option<AgentDetails>, Error> {
        let (username, slug) = (username.to_owned(), slug.to_owned());
        self.read(move |db| {
            db.snapshot(|db| with_versions(db, db.first(BY_SLUG, &args![username, slug], read_details)?))
        })
        .await
    }

    /// The listing whose version this is, while that is the one that is shown.
    pub async fn shown_agent_by_version(&self, version: ListingVersionId) -> Result<Option<AgentDetails>, Error> {
        self.read(move |db| db.snapshot(|db| with_versions(db, db.first(BY_VERSION, &args![version], read_details)?)))
            .await
    }

    /// The listing of a graph, if it is shown.
    pub async fn shown_agent_of(&self, graph: GraphId) -> Result<Option<AgentDetails>, Error> {
        self.read(move |db| db.snapshot(|db| with_versions(db, db.first(BY_GRAPH, &args![graph], read_details)?))).await
    }

    /// The categories of what is shown, with how many listings are in each, the fullest first.
    pub async fn shown_categories(&self) -> Result<Vec<(String, u64)>, Error> {
        self.read(|db| db.all(CATEGORIES, &[], |row| Ok((row.text(0)?, row.count(1)?)))).await
    }
}
