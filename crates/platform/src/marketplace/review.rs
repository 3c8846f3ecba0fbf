//! What operators decide about what others hand in.

use super::{Marketplace, text};
use crate::{Error, Page, PageRequest};
use heddle_model::{GraphId, ListingVersionId, UserId, Value, export};
use heddle_store::{MarketReview, Submission, SubmissionStatus};

/// Letters of what is said of a submission.
const COMMENTS: usize = 4_000;

/// A decision about a submission.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Which.
    pub submission: String,
    /// What.
    pub approved: bool,
    /// For its creator; a rejection has some.
    pub comments: Option<String>,
    /// For other operators.
    pub notes: Option<String>,
}

impl Marketplace {
    /// Everybody's submissions of a status, the longest waiting first. Only for operators.
    pub async fn queue(
        &self,
        operator: UserId,
        status: SubmissionStatus,
        page: PageRequest,
    ) -> Result<Page<Submission>, Error> {
        self.operator(operator).await?;
        Ok(page.of(self.store.review_queue(status, page.paging()).await?, |submission| submission))
    }

    /// Anybody's submission that was handed in. Only for operators.
    pub async fn any_submission(&self, operator: UserId, id: &str) -> Result<Submission, Error> {
        self.operator(operator).await?;
        let missing = || Error::NotFound(format!("Submission #{id} not found"));
        let found = self.store.any_submission(ListingVersionId::parse(id).ok_or_else(missing)?).await?;
        found.filter(|found| found.status != SubmissionStatus::Draft).ok_or_else(missing)
    }

    /// The agent file of a submission as others will get it. Only for operators.
    pub async fn submitted_file(&self, operator: UserId, id: &str) -> Result<Value, Error> {
        let submission = self.any_submission(operator, id).await?;
        self.file(&submission).await
    }

    pub(super) async fn file(&self, submission: &Submission) -> Result<Value, Error> {
        let Submission { owner, graph, graph_version, .. } = *submission;
        let missing = || Error::NotFound(format!("Graph #{graph} not found."));
        let main = self.store.submitted_graph(owner, graph, graph_version).await?.ok_or_else(missing)?;
        let mut subs = Vec::new();
        for (sub, version) in self.called(owner, graph, graph_version).await? {
            subs.extend(self.store.submitted_graph(owner, sub, version).await?);
        }
        Ok(export::export(&main, &subs, &*self.registry))
    }

    /// Approves or rejects a submission that waits, or takes an approval back. Approved: the listing shows it, and others
    /// may run its graph and the agents of its creator that it calls. Rejected: if it was shown, the last approved version
    /// before it is shown instead. Only for operators.
    pub async fn decide(&self, operator: UserId, verdict: Verdict) -> Result<Submission, Error> {
        let Verdict { submission: id, approved, comments, notes } = verdict;
        let submission = self.any_submission(operator, &id).await?;
        let is_open = match submission.status {
            SubmissionStatus::Pending => true,
            SubmissionStatus::Approved => !approved,
            SubmissionStatus::Draft | SubmissionStatus::Rejected => false,
        };
        let decided = || Error::Conflict("this submission has been decided already".to_owned());
        if !is_open {
            return Err(decided());
        }
        let comments = text::optional("the comment", comments.as_deref(), COMMENTS)?;
        if !approved && comments.is_none() {
            return Err(Error::Refused("tell the creator why it is rejected".to_owned()));
        }
        let mut graphs = self.called(submission.owner, submission.graph, submission.graph_version).await?;
        graphs.push((submission.graph, submission.graph_version));
        let review = MarketReview {
            submission: submission.id,
            reviewer: operator,
            approved,
            comments,
            notes: text::optional("the note", notes.as_deref(), COMMENTS)?,
            at: self.clock.now(),
        };
        if !self.store.decide(review, submission.status, graphs).await? {
            return Err(decided());
        }
        let verdict = if approved { "approved" } else { "rejected" };
        tracing::info!(
            account.id = %operator,
            submission.id = %submission.id,
            "submission {} ({}/{}) was {verdict}", submission.id, submission.creator, submission.slug
        );
        self.any_submission(operator, &id).await
    }

    /// The owner's graphs that one of his calls, directly or not.
    pub(super) async fn called(
        &self,
        owner: UserId,
        graph: GraphId,
        version: i64,
    ) -> Result<Vec<(GraphId, i64)>, Error> {
        let Some(known) = self.plans.find(owner, graph, version).await? else { return Ok(Vec::new()) };
        let mut own = Vec::new();
        for sub in self.plans.sub_graphs(owner, &known.stored.graph).await? {
            let is_own =
                self.plans.find(owner, sub.id, sub.version).await?.is_some_and(|sub| sub.stored.author == owner);
            own.extend(is_own.then_some((sub.id, sub.version)));
        }
        Ok(own)
    }

    /// Marks an agent as chosen, or not. Only for operators.
    pub async fn feature(&self, operator: UserId, username: &str, slug: &str, featured: bool) -> Result<(), Error> {
        self.operator(operator).await?;
        match self.store.feature_listing(&username.to_lowercase(), &slug.to_lowercase(), featured).await? {
            true => Ok(()),
            false => Err(Error::NotFound(format!("Agent {username}/{slug} not found"))),
        }
    }

    /// Marks a creator as chosen, or not. Only for operators.
    pub async fn feature_creator(&self, operator: UserId, username: &str, featured: bool) -> Result<(), Error> {
        self.operator(operator).await?;
        match self.store.feature_creator(&username.to_lowercase(), featured).await? {
            true => Ok(()),
            false => Err(Error::NotFound(format!("Creator {username} not found"))),
        }
    }
}
