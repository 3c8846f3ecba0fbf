//! Creators: what accounts that publish say about themselves.

use super::{Ratings, json, list};
use crate::cell::{Row, args};
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_model::{Time, UserId};

macro_rules! columns {
    () => {
        "creator.owner, creator.username, creator.name, creator.description, creator.links, creator.avatar, \
         creator.is_featured, creator.created_at, creator.updated_at"
    };
}
const WIDTH: usize = 9;

macro_rules! stats {
    () => {
        ", coalesce(s.agents, 0), coalesce(s.runs, 0), coalesce(s.rating_sum, 0), coalesce(s.rating_count, 0) \
         FROM creator LEFT JOIN (SELECT owner, count(*) AS agents, CAST(sum(run_count) AS BIGINT) AS runs, \
         CAST(sum(rating_sum) AS BIGINT) AS rating_sum, CAST(sum(rating_count) AS BIGINT) AS rating_count \
         FROM listing WHERE active IS NOT NULL GROUP BY owner) AS s ON s.owner = creator.owner "
    };
}

const OF_OWNER: Sql = both!(concat!("SELECT ", columns!(), " FROM creator WHERE owner = ?1"));
const STATS_OF_OWNER: Sql = both!(concat!("SELECT ", columns!(), stats!(), "WHERE creator.owner = ?1"));
const SHOWN: Sql =
    both!(concat!("SELECT ", columns!(), stats!(), "WHERE creator.username = ?1 AND s.agents IS NOT NULL"));
const PUT: Sql = both!(
    "INSERT INTO creator (owner, username, name, description, links, avatar, is_featured, folded, created_at, \
    updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (owner) DO UPDATE SET \
    username = excluded.username, name = excluded.name, description = excluded.description, links = excluded.links, \
    avatar = excluded.avatar, folded = excluded.folded, updated_at = excluded.updated_at"
);
const FEATURE: Sql = both!("UPDATE creator SET is_featured = ?2 WHERE username = ?1");
const CATEGORIES: Sql = both!(
    "SELECT category, count(*) FROM listing JOIN listing_category ON listing_category.listing = listing.number \
    WHERE listing.owner = ?1 AND listing.active IS NOT NULL GROUP BY category ORDER BY 2 DESC, 1 LIMIT 5"
);

/// Featured or any, and whose text holds what.
macro_rules! filter {
    ($strpos:literal) => {
        concat!(
            "WHERE s.agents IS NOT NULL AND (NOT CAST(?1 AS BOOLEAN) OR creator.is_featured) \
             AND (CAST(?2 AS TEXT) IS NULL OR ",
            $strpos,
            "(creator.folded, ?2) > 0) "
        )
    };
}
macro_rules! listed {
    ($order:literal) => {{
        const SQLITE: Sql = both!(concat!(
            "SELECT ",
            columns!(),
            stats!(),
            filter!("instr"),
            "ORDER BY ",
            $order,
            "creator.username LIMIT ?3 OFFSET ?4"
        ));
        const POSTGRES: Sql = both!(concat!(
            "SELECT ",
            columns!(),
            stats!(),
            filter!("strpos"),
            "ORDER BY ",
            $order,
            "creator.username LIMIT ?3 OFFSET ?4"
        ));
        Sql { sqlite: SQLITE.sqlite, postgres: POSTGRES.postgres }
    }};
}
const BY_NAME: Sql = listed!("");
const BY_RATING: Sql =
    listed!("CASE WHEN coalesce(s.rating_count, 0) = 0 THEN 0 ELSE s.rating_sum * 1000 / s.rating_count END DESC, ");
const BY_RUNS: Sql = listed!("s.runs DESC, ");
const BY_AGENTS: Sql = listed!("s.agents DESC, ");
const TOTAL_SQLITE: Sql = both!(concat!(
    "SELECT count(*) FROM creator JOIN (SELECT owner, 1 AS agents FROM listing WHERE active IS NOT NULL GROUP BY owner) \
     AS s ON s.owner = creator.owner ",
    filter!("instr")
));
const TOTAL_POSTGRES: Sql = both!(concat!(
    "SELECT count(*) FROM creator JOIN (SELECT owner, 1 AS agents FROM listing WHERE active IS NOT NULL GROUP BY owner) \
     AS s ON s.owner = creator.owner ",
    filter!("strpos")
));
const TOTAL: Sql = Sql { sqlite: TOTAL_SQLITE.sqlite, postgres: TOTAL_POSTGRES.postgres };

/// Somebody who publishes agents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Creator {
    /// Whose profile it is.
    pub owner: UserId,
    /// In addresses; lower case.
    pub username: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Addresses elsewhere.
    pub links: Vec<String>,
    /// Name of a picture.
    pub avatar: Option<String>,
    /// Chosen by an operator.
    pub is_featured: bool,
    /// When.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A creator and what adds up over his listings that are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreatorStats {
    /// The profile.
    pub creator: Creator,
    /// Listings.
    pub agents: u64,
    /// Runs of all of them.
    pub runs: u64,
    /// Ratings of all of them.
    pub ratings: Ratings,
    /// The categories that most of them are in.
    pub categories: Vec<String>,
}

/// Which creators.
#[derive(Clone, Debug, Default)]
pub struct CreatorFilter {
    /// Only those chosen by an operator.
    pub featured: bool,
    /// In username, name or description; in lower case.
    pub text: Option<String>,
    /// In which order.
    pub order: CreatorOrder,
}

/// In which order; the username decides among equals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CreatorOrder {
    /// By username.
    #[default]
    Username,
    /// Best rated first.
    Rating,
    /// Most run first.
    Runs,
    /// Most listings first.
    Agents,
}

fn read(row: &Row<'_>) -> Result<Creator, Error> {
    Ok(Creator {
        owner: UserId(row.id(0)?),
        username: row.text(1)?,
        name: row.text(2)?,
        description: row.text(3)?,
        links: list(row, 4)?,
        avatar: row.text_option(5)?,
        is_featured: row.flag(6)?,
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
    })
}

fn read_stats(row: &Row<'_>) -> Result<CreatorStats, Error> {
    Ok(CreatorStats {
        creator: read(row)?,
        agents: row.count(WIDTH)?,
        runs: row.count(WIDTH + 1)?,
        ratings: Ratings { sum: row.count(WIDTH + 2)?, count: row.count(WIDTH + 3)? },
        categories: Vec::new(),
    })
}

impl Store {
    /// The profile of an account.
    pub async fn creator(&self, owner: UserId) -> Result<Option<Creator>, Error> {
        self.read(move |db| db.first(OF_OWNER, &args![owner], read)).await
    }

    /// The same with what adds up over its listings.
    pub async fn creator_stats(&self, owner: UserId) -> Result<Option<CreatorStats>, Error> {
        self.read(move |db| with_categories(db, db.first(STATS_OF_OWNER, &args![owner], read_stats)?)).await
    }

    /// Keeps an account's profile, a new one or instead of what it was; what an operator chose stays.
    /// [`Error::Exists`] when another account has the username.
    pub async fn put_creator(&self, creator: Creator) -> Result<(), Error> {
        let folded = format!("{}\n{}\n{}", creator.username, creator.name, creator.description).to_lowercase();
        let links = json(&creator.links);
        self.write(move |db| {
            let Creator { owner, username, name, description, avatar, is_featured, created_at, updated_at, .. } =
                &creator;
            let row =
                args![owner, username, name, description, links, avatar, is_featured, folded, created_at, updated_at];
            db.execute(PUT, &row).map(|_| ())
        })
        .await
    }

    /// The creator of this username, if a listing of his is shown.
    pub async fn shown_creator(&self, username: &str) -> Result<Option<CreatorStats>, Error> {
        let username = username.to_owned();
        self.read(move |db| with_categories(db, db.first(SHOWN, &args![username], read_stats)?)).await
    }

    /// Creators of whom a listing is shown.
    pub async fn shown_creators(&self, filter: CreatorFilter, paging: Paging) -> Result<Page<CreatorStats>, Error> {
        let sql = match filter.order {
            CreatorOrder::Username => BY_NAME,
            CreatorOrder::Rating => BY_RATING,
            CreatorOrder::Runs => BY_RUNS,
            CreatorOrder::Agents => BY_AGENTS,
        };
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(TOTAL, &args![filter.featured, filter.text], |row| row.count(0))?;
                let (limit, offset) = (paging.limit(), paging.offset());
                let found = db.all(sql, &args![filter.featured, filter.text, limit, offset], read_stats)?;
                let items = found.into_iter().map(|one| with_categories(db, Some(one)));
                let items = items.filter_map(Result::transpose).collect::<Result<_, _>>()?;
                Ok(Page { items, total })
            })
        })
        .await
    }

    /// Marks a creator as chosen, or not; false when there is none of that name.
    pub async fn feature_creator(&self, username: &str, featured: bool) -> Result<bool, Error> {
        let username = username.to_owned();
        self.write(move |db| Ok(db.execute(FEATURE, &args![username, featured])? > 0)).await
    }
}

fn with_categories(db: crate::db::Db<'_>, found: Option<CreatorStats>) -> Result<Option<CreatorStats>, Error> {
    let Some(mut stats) = found else { return Ok(None) };
    stats.categories = db.all(CATEGORIES, &args![stats.creator.owner], |row| row.text(0))?;
    Ok(Some(stats))
}
