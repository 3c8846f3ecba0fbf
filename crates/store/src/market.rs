//! The marketplace's rows: creators, listings and their versions, ratings, pictures, published graphs, and the index they
//! are found by.
//!
//! What may be seen by everybody is read without an owner and only while it is shown; everything else names whose it is
//! first, but for what operators review. The index is changed in one commit with what it is about.

mod creators;
mod graphs;
mod index;
mod listings;
mod pictures;
mod postings;
mod ratings;
mod review;
mod search;
mod submissions;

pub use creators::{Creator, CreatorFilter, CreatorOrder, CreatorStats};
pub(crate) use graphs::{COUNT_RUN, published_ids};
pub use listings::{AgentCard, AgentDetails, AgentFilter, AgentOrder, ApprovedVersion, Ratings};
pub use pictures::Picture;
pub use ratings::Rating;
pub use review::Review;
pub use submissions::{Submission, SubmissionStatus, SubmissionText, Submitted};

use crate::Error;
use crate::cell::{Row, unreadable};
use serde_json::Value;

/// A list of texts that is kept as JSON.
fn list(row: &Row<'_>, column: usize) -> Result<Vec<String>, Error> {
    let unfit = || unreadable(column, "no list of texts");
    let Value::Array(elements) = row.json(column)? else { return Err(unfit()) };
    elements.into_iter().map(|element| element.as_str().map(str::to_owned).ok_or_else(unfit)).collect()
}

fn json(texts: &[String]) -> String {
    Value::from(texts).to_string()
}
