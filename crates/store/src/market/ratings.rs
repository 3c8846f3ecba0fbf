//! What people think of listings: one rating an account and listing.

use crate::cell::{Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_model::{ListingId, Time, UserId};

const PUT: Sql = both!(
    "INSERT INTO listing_rating (listing, account, score, comment, created_at, updated_at) \
    SELECT number, ?1, ?3, ?4, ?5, ?5 FROM listing WHERE id = ?2 AND active IS NOT NULL \
    ON CONFLICT (listing, account) DO UPDATE SET score = excluded.score, comment = excluded.comment, \
    updated_at = excluded.updated_at"
);
const DELETE: Sql =
    both!("DELETE FROM listing_rating WHERE account = ?1 AND listing = (SELECT number FROM listing WHERE id = ?2)");
/// From the ratings themselves, so that nothing adds up to anything else.
const ADD_UP: Sql = both!(
    "UPDATE listing SET rating_sum = s.total, rating_count = s.many, \
    rating = CASE WHEN s.many = 0 THEN 0 ELSE s.total * 1000 / s.many END FROM \
    (SELECT coalesce(CAST(sum(score) AS BIGINT), 0) AS total, count(*) AS many FROM listing_rating \
    WHERE listing = (SELECT number FROM listing WHERE id = ?1)) AS s WHERE listing.id = ?1"
);
const OWN: Sql = both!(
    "SELECT r.account, r.score, r.comment, r.created_at, r.updated_at, account.name FROM listing_rating AS r \
    JOIN listing ON listing.number = r.listing JOIN account ON account.id = r.account \
    WHERE r.account = ?1 AND listing.id = ?2"
);
const OF_LISTING: Sql = both!(
    "SELECT r.account, r.score, r.comment, r.created_at, r.updated_at, account.name FROM listing_rating AS r \
    JOIN listing ON listing.number = r.listing JOIN account ON account.id = r.account \
    WHERE listing.id = ?1 AND listing.active IS NOT NULL AND r.comment IS NOT NULL \
    ORDER BY r.updated_at DESC, r.account LIMIT ?2 OFFSET ?3"
);
const TOTAL: Sql = both!(
    "SELECT count(*) FROM listing_rating AS r JOIN listing ON listing.number = r.listing \
    WHERE listing.id = ?1 AND listing.active IS NOT NULL AND r.comment IS NOT NULL"
);

/// What somebody thinks of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rating {
    /// Who.
    pub account: UserId,
    /// His name, if he has given one.
    pub name: Option<String>,
    /// 1 to 5.
    pub score: i64,
    /// In words.
    pub comment: Option<String>,
    /// When it was first said.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

fn read(row: &Row<'_>) -> Result<Rating, Error> {
    Ok(Rating {
        account: UserId(row.id(0)?),
        score: row.int(1)?,
        comment: row.text_option(2)?,
        created_at: row.time(3)?,
        updated_at: row.time(4)?,
        name: row.text_option(5)?,
    })
}

fn add_up(db: Db<'_>, listing: ListingId) -> Result<(), Error> {
    db.execute(ADD_UP, &args![listing]).map(|_| ())
}

impl Store {
    /// Keeps what an account thinks of a listing, instead of what it thought before; false when it is not shown.
    pub async fn rate(
        &self,
        account: UserId,
        listing: ListingId,
        score: i64,
        comment: Option<String>,
        at: Time,
    ) -> Result<bool, Error> {
        self.write(move |db| {
            let kept = db.execute(PUT, &args![account, listing, score, comment, at])? > 0;
            add_up(db, listing)?;
            Ok(kept)
        })
        .await
    }

    /// Takes that back; false when there was none.
    pub async fn unrate(&self, account: UserId, listing: ListingId) -> Result<bool, Error> {
        self.write(move |db| {
            let was_there = db.execute(DELETE, &args![account, listing])? > 0;
            add_up(db, listing)?;
            Ok(was_there)
        })
        .await
    }

    /// What an account thinks of a listing.
    pub async fn own_rating(&self, account: UserId, listing: ListingId) -> Result<Option<Rating>, Error> {
        self.read(move |db| db.first(OWN, &args![account, listing], read)).await
    }

    /// What people say of a listing that is shown, last said first.
    pub async fn ratings(&self, listing: ListingId, paging: Paging) -> Result<Page<Rating>, Error> {
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(TOTAL, &args![listing], |row| row.count(0))?;
                Ok(Page { items: db.all(OF_LISTING, &args![listing, paging.limit(), paging.offset()], read)?, total })
            })
        })
        .await
    }
}
