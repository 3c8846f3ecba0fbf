//! Reviews, for lists. They are written with the frames; here they are only found.

use crate::cell::{Cell, Keep, Row, args, unreadable};
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_engine::journal::{Review, ReviewStatus};
use heddle_model::{GraphId, NodeExecId, NodeId, RunId, Time, UserId};
use uuid::Uuid;

macro_rules! columns {
    () => {
        "id, owner, run, exec, graph_id, graph_version, node_id, payload, instructions, editable, status, message, \
         was_edited, processed, created_at, updated_at, reviewed_at"
    };
}

pub(crate) const PUT: Sql = both!(concat!(
    "INSERT INTO review (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
    ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, status = excluded.status, message = excluded.message, \
    was_edited = excluded.was_edited, processed = excluded.processed, updated_at = excluded.updated_at, \
    reviewed_at = excluded.reviewed_at"
));
const WAITING: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    " FROM review WHERE owner = ?1 AND status = 'WAITING' ORDER BY created_at, id LIMIT ?2 OFFSET ?3"
));
const WAITING_TOTAL: Sql = both!("SELECT count(*) FROM review WHERE owner = ?1 AND status = 'WAITING'");
const WAITING_AFTER: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    " FROM review WHERE owner = ?1 AND status = 'WAITING' AND (created_at, id) > (?2, ?3) \
    ORDER BY created_at, id LIMIT ?4"
));
const OF_RUN: Sql =
    both!(concat!("SELECT ", columns!(), " FROM review WHERE run = ?2 AND owner = ?1 ORDER BY created_at, id"));
const BY_ID: Sql = both!(concat!("SELECT ", columns!(), " FROM review WHERE owner = ?1 AND id = ?2"));

/// A review and its payload as it is kept.
pub(crate) struct KeptReview {
    review: Review,
    payload: String,
}

impl KeptReview {
    pub(crate) fn of(review: Review) -> Self {
        Self { payload: review.payload.to_string(), review }
    }

    /// The columns of its row.
    pub(crate) fn cells<'a>(&'a self, owner: &'a UserId) -> Vec<Cell<'a>> {
        let review = &self.review;
        vec![
            review.exec.0.cell(),
            owner.cell(),
            review.run.cell(),
            Cell::Int(review.index.into()),
            review.graph.cell(),
            review.version.cell(),
            Cell::Text(review.node.as_str().into()),
            self.payload.cell(),
            review.instructions.cell(),
            review.editable.cell(),
            Cell::Text(review.status.as_str().into()),
            review.message.cell(),
            review.was_edited.cell(),
            review.processed.cell(),
            review.created_at.cell(),
            review.updated_at.cell(),
            review.reviewed_at.cell(),
        ]
    }
}

/// A review and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewRecord {
    /// Whose run it belongs to.
    pub owner: UserId,
    /// The review.
    pub review: Review,
}

fn read_review(row: &Row<'_>) -> Result<ReviewRecord, Error> {
    let status = row.str(10)?;
    let review = Review {
        exec: NodeExecId(row.id(0)?),
        run: RunId(row.id(2)?),
        index: u32::try_from(row.int(3)?).map_err(|_| unreadable(3, "no index"))?,
        graph: GraphId(row.id(4)?),
        version: row.int(5)?,
        node: NodeId::from(row.str(6)?.as_ref()),
        payload: row.json(7)?,
        instructions: row.text_option(8)?,
        editable: row.flag(9)?,
        status: ReviewStatus::parse(&status).ok_or_else(|| unreadable(10, "an unknown status"))?,
        message: row.text_option(11)?,
        was_edited: row.flag(12)?,
        processed: row.flag(13)?,
        created_at: row.time(14)?,
        updated_at: row.time(15)?,
        reviewed_at: row.time_option(16)?,
    };
    Ok(ReviewRecord { owner: UserId(row.id(1)?), review })
}

impl Store {
    /// Reviews that wait for an answer, oldest first.
    pub async fn waiting_reviews(&self, owner: UserId, paging: Paging) -> Result<Page<ReviewRecord>, Error> {
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(WAITING_TOTAL, &args![owner], |row| row.count(0))?;
                let items = db.all(WAITING, &args![owner, paging.limit(), paging.offset()], read_review)?;
                Ok(Page { items, total })
            })
        })
        .await
    }

    /// The next reviews that wait for an answer after a place, oldest first; at most so many.
    pub async fn waiting_reviews_after(
        &self,
        owner: UserId,
        after: Option<(Time, NodeExecId)>,
        most: u32,
    ) -> Result<Vec<ReviewRecord>, Error> {
        let (at, id) = after.unwrap_or((Time(i64::MIN), NodeExecId(Uuid::nil())));
        self.read(move |db| db.all(WAITING_AFTER, &args![owner, at, id.0, i64::from(most)], read_review)).await
    }

    /// All reviews of a run, oldest first.
    pub async fn reviews_of(&self, owner: UserId, run: RunId) -> Result<Vec<ReviewRecord>, Error> {
        self.read(move |db| db.all(OF_RUN, &args![owner, run], read_review)).await
    }

    /// One review.
    pub async fn review(&self, owner: UserId, id: NodeExecId) -> Result<Option<ReviewRecord>, Error> {
        self.read(move |db| db.first(BY_ID, &args![owner, id.0], read_review)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reviews_are_found_by_an_index() {
        for (sql, index) in [
            (WAITING, "review_by_owner (owner=? AND status=?)"),
            (WAITING_TOTAL, "review_by_owner (owner=? AND status=?)"),
            (WAITING_AFTER, "review_by_owner (owner=? AND status=? AND (created_at,id)>(?,?)"),
            (OF_RUN, "review_by_run (run=?)"),
            (BY_ID, "PRIMARY KEY (id=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
        }
    }
}
