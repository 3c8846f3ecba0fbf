//! What creators hand in: drafts, pending, approved and rejected versions of their listings.

use super::{Ratings, graphs, index, json, list};
use crate::cell::{Row, args, unreadable};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_model::{Graph, GraphId, ListingId, ListingVersionId, OrgId, Time, UserId};

macro_rules! columns {
    () => {
        "v.id, listing.id, listing.owner, creator.username, listing.slug, listing.graph_id, v.version, v.graph_version, \
         v.name, v.sub_heading, v.description, v.instructions, v.categories, v.images, v.video, v.output_demo, \
         v.schedule, v.changes, v.status, v.submitted_at, v.reviewed_at, v.reviewer, v.comments, v.notes, v.created_at, \
         v.updated_at, listing.run_count, listing.rating_sum, listing.rating_count, \
         CASE WHEN listing.active = v.id THEN TRUE ELSE FALSE END, listing.withdrawn_at, listing.number, \
         listing.is_featured FROM listing_version AS v JOIN listing ON listing.number = v.listing \
         JOIN creator ON creator.owner = listing.owner "
    };
}
pub(super) use columns;

const LISTING_OF: Sql = both!("SELECT number, slug FROM listing WHERE owner = ?1 AND graph_id = ?2");
const NEW_LISTING: Sql = both!(
    "INSERT INTO listing (id, owner, organization, graph_id, slug, active, withdrawn_at, is_featured, run_count, \
    rating_sum, rating_count, rating, name_key, shown_at, indexed_as, created_at) VALUES (?1, ?2, ?3, ?4, ?5, NULL, NULL, \
    FALSE, (SELECT count(*) FROM run WHERE owner = ?2 AND graph_id = ?4), 0, 0, 0, '', ?6, 0, ?6)"
);
const NEXT_VERSION: Sql = both!("SELECT coalesce(max(version), 0) + 1 FROM listing_version WHERE listing = ?1");
const INSERT: Sql = both!(
    "INSERT INTO listing_version (id, listing, version, graph_version, name, sub_heading, description, instructions, \
    categories, images, video, output_demo, schedule, changes, status, submitted_at, created_at, updated_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17)"
);
const UPDATE: Sql = both!(
    "UPDATE listing_version SET name = ?3, sub_heading = ?4, description = ?5, instructions = ?6, categories = ?7, \
    images = ?8, video = ?9, output_demo = ?10, schedule = ?11, changes = ?12, status = ?13, submitted_at = ?14, \
    updated_at = ?15 WHERE id = ?2 AND status <> 'approved' \
    AND listing IN (SELECT number FROM listing WHERE owner = ?1)"
);
const ONE: Sql = both!(concat!("SELECT ", columns!(), "WHERE listing.owner = ?1 AND v.id = ?2"));
const OF_OWNER: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    "WHERE listing.owner = ?1 ORDER BY coalesce(v.submitted_at, v.created_at) DESC, v.id LIMIT ?2 OFFSET ?3"
));
const TOTAL: Sql = both!(
    "SELECT count(*) FROM listing_version AS v JOIN listing ON listing.number = v.listing WHERE listing.owner = ?1"
);
const DELETE: Sql = both!(
    "DELETE FROM listing_version WHERE id = ?2 AND status <> 'approved' \
    AND listing IN (SELECT number FROM listing WHERE owner = ?1)"
);
const DELETE_EMPTY: Sql = both!(
    "DELETE FROM listing WHERE owner = ?1 AND NOT EXISTS (SELECT 1 FROM listing_version WHERE listing = listing.number)"
);
const WITHDRAW: Sql =
    both!("UPDATE listing SET active = NULL, withdrawn_at = ?3 WHERE owner = ?1 AND id = ?2 AND active IS NOT NULL");
const NUMBER: Sql = both!("SELECT number FROM listing WHERE owner = ?1 AND id = ?2");
const PICTURES: Sql = both!(
    "SELECT v.images FROM listing_version AS v JOIN listing ON listing.number = v.listing WHERE listing.owner = ?1"
);

/// Where a submission stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubmissionStatus {
    /// Its creator is still at it.
    Draft,
    /// It waits for an operator.
    Pending,
    /// It may be shown.
    Approved,
    /// It may not; why is in the comments.
    Rejected,
}

impl SubmissionStatus {
    /// `draft`, `pending`, `approved` or `rejected`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads that back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Pending, Self::Approved, Self::Rejected].into_iter().find(|status| status.as_str() == text)
    }
}

/// What a creator says of a version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SubmissionText {
    /// For people.
    pub name: String,
    /// One line.
    pub sub_heading: String,
    /// Many lines.
    pub description: String,
    /// How to use it.
    pub instructions: Option<String>,
    /// In the creator's order.
    pub categories: Vec<String>,
    /// Names of pictures.
    pub images: Vec<String>,
    /// Address of a film.
    pub video: Option<String>,
    /// Address of what came out of a run.
    pub output_demo: Option<String>,
    /// Five fields: how often it is best run.
    pub schedule: Option<String>,
    /// What is new.
    pub changes: Option<String>,
}

/// A submission to be kept.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its id.
    pub id: ListingVersionId,
    /// The id of the listing, should the graph have none yet.
    pub listing: ListingId,
    /// Whose.
    pub owner: UserId,
    /// In which organization.
    pub organization: OrgId,
    /// The listing's name in addresses; one that is there keeps its own.
    pub slug: String,
    /// What is handed in.
    pub graph: GraphId,
    /// Its version.
    pub graph_version: i64,
    /// What is said of it.
    pub text: SubmissionText,
    /// Draft or pending.
    pub status: SubmissionStatus,
    /// Now.
    pub at: Time,
}

/// A version of a listing, as its creator and operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submission {
    /// Its id.
    pub id: ListingVersionId,
    /// The listing's.
    pub listing: ListingId,
    /// Whose.
    pub owner: UserId,
    /// The creator's name in addresses.
    pub creator: String,
    /// The listing's name in addresses.
    pub slug: String,
    /// The graph.
    pub graph: GraphId,
    /// Number of this submission in its listing, from 1.
    pub version: i64,
    /// Version of the graph.
    pub graph_version: i64,
    /// What is said of it.
    pub text: SubmissionText,
    /// Where it stands.
    pub status: SubmissionStatus,
    /// When it was last handed in.
    pub submitted_at: Option<Time>,
    /// When an operator decided.
    pub reviewed_at: Option<Time>,
    /// Who that was.
    pub reviewer: Option<UserId>,
    /// What he tells the creator.
    pub comments: Option<String>,
    /// What he tells other operators.
    pub notes: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Runs of the listing's graph.
    pub runs: u64,
    /// What people think of the listing.
    pub ratings: Ratings,
    /// Whether it is the version that is shown.
    pub is_active: bool,
    /// Since when the listing is withdrawn.
    pub withdrawn_at: Option<Time>,
    /// The listing's short id.
    pub number: i64,
    /// Whether an operator chose the listing.
    pub is_featured: bool,
}

pub(super) fn read(row: &Row<'_>) -> Result<Submission, Error> {
    let status = row.str(18)?;
    Ok(Submission {
        id: ListingVersionId(row.id(0)?),
        listing: ListingId(row.id(1)?),
        owner: UserId(row.id(2)?),
        creator: row.text(3)?,
        slug: row.text(4)?,
        graph: GraphId(row.id(5)?),
        version: row.int(6)?,
        graph_version: row.int(7)?,
        text: SubmissionText {
            name: row.text(8)?,
            sub_heading: row.text(9)?,
            description: row.text(10)?,
            instructions: row.text_option(11)?,
            categories: list(row, 12)?,
            images: list(row, 13)?,
            video: row.text_option(14)?,
            output_demo: row.text_option(15)?,
            schedule: row.text_option(16)?,
            changes: row.text_option(17)?,
        },
        status: SubmissionStatus::parse(&status).ok_or_else(|| unreadable(18, &format!("the status {status:?}")))?,
        submitted_at: row.time_option(19)?,
        reviewed_at: row.time_option(20)?,
        reviewer: row.id_option(21)?.map(UserId),
        comments: row.text_option(22)?,
        notes: row.text_option(23)?,
        created_at: row.time(24)?,
        updated_at: row.time(25)?,
        runs: row.count(26)?,
        ratings: Ratings { sum: row.count(27)?, count: row.count(28)? },
        is_active: row.flag(29)?,
        withdrawn_at: row.time_option(30)?,
        number: row.int(31)?,
        is_featured: row.flag(32)?,
    })
}

fn listing_of(db: Db<'_>, new: &Submitted) -> Result<i64, Error> {
    let known = || db.first(LISTING_OF, &args![new.owner, new.graph], |row| row.int(0));
    if let Some(number) = known()? {
        return Ok(number);
    }
    let Submitted { listing, owner, organization, graph, slug, at, .. } = new;
    db.execute(NEW_LISTING, &args![listing, owner, organization, graph, slug, at])?;
    known()?.ok_or(Error::NotFound)
}

impl Store {
    /// Keeps a new submission with the copies of its graphs that others are to run, and makes the graph's listing if it has
    /// none. [`Error::Exists`] when another listing of the owner's has the slug; [`Error::NotFound`] when the owner has no
    /// profile.
    pub async fn submit(&self, new: Submitted, copies: &[Graph]) -> Result<(), Error> {
        let copies = graphs::pack(copies)?;
        // Before it is kept: a run that begins meanwhile is counted by one or the other.
        self.inner.listed.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(new.graph);
        self.write(move |db| {
            let listing = listing_of(db, &new)?;
            let version = db.one(NEXT_VERSION, &args![listing], |row| row.int(0))?;
            let SubmissionText {
                name,
                sub_heading,
                description,
                instructions,
                video,
                output_demo,
                schedule,
                changes,
                ..
            } = &new.text;
            let (categories, images) = (json(&new.text.categories), json(&new.text.images));
            let submitted_at = (new.status == SubmissionStatus::Pending).then_some(new.at);
            let status = new.status.as_str();
            let row = args![
                new.id,
                listing,
                version,
                new.graph_version,
                name,
                sub_heading,
                description,
                instructions,
                categories,
                images,
                video,
                output_demo,
                schedule,
                changes,
                status,
                submitted_at,
                new.at
            ];
            db.execute(INSERT, &row)?;
            graphs::put(db, new.owner, &copies)
        })
        .await
    }

    /// Replaces what a submission says that was not approved; it is a draft or pending afterwards.
    /// [`Error::NotFound`] when the owner has no such one.
    pub async fn resubmit(
        &self,
        owner: UserId,
        id: ListingVersionId,
        text: SubmissionText,
        status: SubmissionStatus,
        at: Time,
    ) -> Result<(), Error> {
        self.write(move |db| {
            let SubmissionText {
                name,
                sub_heading,
                description,
                instructions,
                video,
                output_demo,
                schedule,
                changes,
                ..
            } = &text;
            let (categories, images) = (json(&text.categories), json(&text.images));
            let submitted_at = (status == SubmissionStatus::Pending).then_some(at);
            let status = status.as_str();
            let row = args![
                owner,
                id,
                name,
                sub_heading,
                description,
                instructions,
                categories,
                images,
                video,
                output_demo,
                schedule,
                changes,
                status,
                submitted_at,
                at
            ];
            match db.execute(UPDATE, &row)? {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// One of the owner's submissions.
    pub async fn submission(&self, owner: UserId, id: ListingVersionId) -> Result<Option<Submission>, Error> {
        self.read(move |db| db.first(ONE, &args![owner, id], read)).await
    }

    /// The owner's submissions, last handed in first.
    pub async fn submissions(&self, owner: UserId, paging: Paging) -> Result<Page<Submission>, Error> {
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(TOTAL, &args![owner], |row| row.count(0))?;
                Ok(Page { items: db.all(OF_OWNER, &args![owner, paging.limit(), paging.offset()], read)?, total })
            })
        })
        .await
    }

    /// Removes a submission that was not approved; the listing goes with its last one. False when the owner has none.
    pub async fn delete_submission(&self, owner: UserId, id: ListingVersionId) -> Result<bool, Error> {
        self.write(move |db| {
            let deleted = db.execute(DELETE, &args![owner, id])? > 0;
            db.execute(DELETE_EMPTY, &args![owner])?;
            Ok(deleted)
        })
        .await
    }

    /// Takes a listing of the owner's off the marketplace; false when none of his is shown under this id. What was
    /// approved stays where others have it.
    pub async fn withdraw_listing(&self, owner: UserId, id: ListingId, at: Time) -> Result<bool, Error> {
        self.write(move |db| {
            if db.execute(WITHDRAW, &args![owner, id, at])? == 0 {
                return Ok(false);
            }
            let number = db.one(NUMBER, &args![owner, id], |row| row.int(0))?;
            index::refresh(db, number)?;
            Ok(true)
        })
        .await
    }

    /// The pictures that any of the owner's submissions names.
    pub async fn pictures_in_use(&self, owner: UserId) -> Result<Vec<String>, Error> {
        let lists = self.read(move |db| db.all(PICTURES, &args![owner], |row| list(row, 0))).await?;
        Ok(lists.into_iter().flatten().collect())
    }
}
