//! What operators decide: which submissions are shown, which listings are chosen.

use super::submissions::{Submission, SubmissionStatus, columns, read};
use super::{graphs, index};
use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_model::{GraphId, ListingVersionId, Time, UserId};

const QUEUE: Sql =
    both!(concat!("SELECT ", columns!(), "WHERE v.status = ?1 ORDER BY v.submitted_at, v.id LIMIT ?2 OFFSET ?3"));
const TOTAL: Sql = both!("SELECT count(*) FROM listing_version WHERE status = ?1");
const ANY: Sql = both!(concat!("SELECT ", columns!(), "WHERE v.id = ?1"));
const DECIDE: Sql = both!(
    "UPDATE listing_version SET status = ?2, reviewer = ?3, reviewed_at = ?4, comments = ?5, notes = ?6 \
    WHERE id = ?1 AND status = ?7"
);
const SHOW: Sql = both!("UPDATE listing SET active = ?2, shown_at = ?3, withdrawn_at = NULL WHERE number = ?1");
/// The approved version with the highest number, or none.
const FALL_BACK: Sql = both!(
    "UPDATE listing SET active = (SELECT id FROM listing_version WHERE listing = ?1 AND status = 'approved' \
    ORDER BY version DESC LIMIT 1), shown_at = ?3 WHERE number = ?1 AND active = ?2"
);
const FEATURE: Sql = both!(
    "UPDATE listing SET is_featured = ?3 WHERE slug = ?2 AND active IS NOT NULL \
    AND owner = (SELECT owner FROM creator WHERE username = ?1)"
);

/// A decision.
#[derive(Clone, Debug)]
pub struct Review {
    /// About which submission.
    pub submission: ListingVersionId,
    /// Who decides.
    pub reviewer: UserId,
    /// What.
    pub approved: bool,
    /// For its creator.
    pub comments: Option<String>,
    /// For other operators.
    pub notes: Option<String>,
    /// Now.
    pub at: Time,
}

impl Store {
    /// Everybody's submissions of a status, the longest waiting first: for operators.
    pub async fn review_queue(&self, status: SubmissionStatus, paging: Paging) -> Result<Page<Submission>, Error> {
        self.read(move |db| {
            db.snapshot(|db| {
                let total = db.one(TOTAL, &args![status.as_str()], |row| row.count(0))?;
                let items = db.all(QUEUE, &args![status.as_str(), paging.limit(), paging.offset()], read)?;
                Ok(Page { items, total })
            })
        })
        .await
    }

    /// Anybody's submission: for operators.
    pub async fn any_submission(&self, id: ListingVersionId) -> Result<Option<Submission>, Error> {
        self.read(move |db| db.first(ANY, &args![id], read)).await
    }

    /// Keeps a decision about a submission that stands at `seen`; false when it has moved on since. Approved: it is shown,
    /// and others may run `graphs`, its graph and the agents that calls, all of its owner's. Rejected: if it was shown, the
    /// last approved version before it is shown instead, or the listing no more.
    pub async fn decide(
        &self,
        review: Review,
        seen: SubmissionStatus,
        graphs: Vec<(GraphId, i64)>,
    ) -> Result<bool, Error> {
        self.write(move |db| {
            let Review { submission, reviewer, approved, comments, notes, at } = &review;
            let status = if *approved { SubmissionStatus::Approved } else { SubmissionStatus::Rejected }.as_str();
            let seen = seen.as_str();
            let row = args![submission, status, reviewer, at, comments, notes, seen];
            if db.execute(DECIDE, &row)? == 0 {
                return Ok(false);
            }
            let about = db.one(ANY, &args![submission], read)?;
            if *approved {
                db.execute(SHOW, &args![about.number, submission, at])?;
                graphs::approve(db, about.owner, &graphs, *at)?;
            } else {
                db.execute(FALL_BACK, &args![about.number, submission, at])?;
            }
            index::refresh(db, about.number)?;
            Ok(true)
        })
        .await
    }

    /// Marks a shown listing as chosen, or not; false when there is none of these names.
    pub async fn feature_listing(&self, username: &str, slug: &str, featured: bool) -> Result<bool, Error> {
        let (username, slug) = (username.to_owned(), slug.to_owned());
        self.write(move |db| Ok(db.execute(FEATURE, &args![username, slug, featured])? > 0)).await
    }
}
