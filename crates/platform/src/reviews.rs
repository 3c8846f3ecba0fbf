//! Reviews: what runs ask persons, and what persons answer (`engine.md` 15, "Human review").
//!
//! The rows say who may answer what; whether a run takes the answers is decided by the run itself, which may have moved
//! on meanwhile.

use crate::plans::Plans;
use crate::runs::run_not_found;
use crate::{Error, Page, PageRequest};
use heddle_engine::journal::Answer;
use heddle_engine::plan::Kind;
use heddle_engine::{AnswerError, Host};
use heddle_model::{NodeExecId, RunId, Status, UserId, Value, python};
use heddle_store::{ReviewRecord, Store};
use std::collections::HashSet;
use std::sync::Arc;

pub use heddle_engine::journal::{Review, ReviewStatus};

/// Characters of JSON that changed data may have.
const DATA: usize = 1_000_000;
/// Lists and objects within each other in changed data.
const NESTING: usize = 10;
/// Characters of a person's words.
const MESSAGE: usize = 2_000;
const CLOSING: &str = "Answers cannot be taken right now, retry shortly.";

/// A person's decision on one review.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The review's id as it came in.
    pub review: String,
    /// Whether the execution may go on.
    pub approved: bool,
    /// What takes the payload's place; `None` and null leave it.
    pub data: Option<Value>,
    /// The person's words; blank ones count as none.
    pub message: Option<String>,
    /// Approves later executions of the same node in this run without asking; data is then left as it is.
    pub auto_approve_future: bool,
}

/// What a batch of decisions came to. Those that had been taken before count as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The run.
    pub run: RunId,
    /// How many were approved.
    pub approved: usize,
    /// How many were rejected.
    pub rejected: usize,
}

/// The reviews of this server.
#[derive(Clone)]
pub struct Reviews {
    store: Store,
    host: Arc<Host>,
    plans: Plans,
}

impl Decision {
    /// Why it is out of bounds, whatever it is about; `None` when it is not.
    pub fn excess(&self) -> Option<String> {
        if self.message.as_ref().is_some_and(|message| message.chars().count() > MESSAGE) {
            return Some(format!("a message must not have more than {MESSAGE} characters"));
        }
        let data = self.data.as_ref()?;
        // First, because the other walks it to its bottom.
        if !is_within(data, NESTING) {
            return Some(format!("the data must not be nested deeper than {NESTING} levels"));
        }
        let is_long = python::json(data).chars().count() > DATA;
        is_long.then(|| format!("the data must not have more than {DATA} characters of JSON"))
    }

    /// The data that takes the payload's place, if it is to.
    fn change(&self, review: &Review) -> Option<&Value> {
        let data = self.data.as_ref().filter(|data| !data.is_null() && **data != review.payload);
        data.filter(|_| !(self.approved && self.auto_approve_future))
    }

    fn answer(&self, review: &Review) -> Answer {
        let mut words = self.message.clone().unwrap_or_default();
        python::clean_text(&mut words);
        Answer {
            approved: self.approved,
            // What is rejected goes out as it was shown.
            data: self.change(review).filter(|_| self.approved).cloned().map(python::cleaned),
            message: Some(words).filter(|words| !words.trim().is_empty()),
            future: self.approved && self.auto_approve_future,
        }
    }
}

impl Reviews {
    pub(crate) fn new(store: Store, host: Arc<Host>, plans: Plans) -> Self {
        Self { store, host, plans }
    }

    /// Reviews that wait for an answer, oldest first.
    pub async fn waiting(&self, owner: UserId, page: PageRequest) -> Result<Page<Review>, Error> {
        Ok(page.of(self.store.waiting_reviews(owner, page.paging()).await?, |record| record.review))
    }

    /// The next reviews that wait for an answer after one of them, or from the oldest on.
    pub async fn waiting_after(&self, owner: UserId, after: Option<&Review>, most: u32) -> Result<Vec<Review>, Error> {
        let after = after.map(|review| (review.created_at, review.exec));
        Ok(reviews(self.store.waiting_reviews_after(owner, after, most).await?))
    }

    /// All reviews of a run: those that wait first, then oldest first.
    pub async fn of_run(&self, owner: UserId, run: &str) -> Result<Vec<Review>, Error> {
        let missing = || run_not_found(run);
        let id = RunId::parse(run).ok_or_else(missing)?;
        self.store.run_by_id(owner, id).await?.ok_or_else(missing)?;
        let mut reviews = reviews(self.store.reviews_of(owner, id).await?);
        reviews.sort_by_key(|review| review.status != ReviewStatus::Waiting);
        Ok(reviews)
    }

    /// One review.
    pub async fn get(&self, owner: UserId, review: &str) -> Result<Review, Error> {
        let missing = || not_found(&[review]);
        let id = NodeExecId::parse(review).ok_or_else(missing)?;
        Ok(self.store.review(owner, id).await?.ok_or_else(missing)?.review)
    }

    /// Gives a run the answers to some of its reviews, all or none; they are on disk when this returns. With `run` given,
    /// reviews of other runs look missing.
    ///
    /// [`Error::Refused`] for what cannot be taken, [`Error::NotFound`] naming the unknown ids, [`Error::Conflict`] for
    /// reviews of several runs and for a run that asks nobody.
    pub async fn answer(&self, owner: UserId, run: Option<&str>, decisions: &[Decision]) -> Result<Answered, Error> {
        if decisions.is_empty() {
            return Err(Error::Refused("there is no decision to take".to_owned()));
        }
        if let Some(text) = decisions.iter().find_map(Decision::excess) {
            return Err(Error::Refused(text));
        }
        let found = self.find(owner, run, decisions).await?;
        let (run, graph, version) = (found[0].1.run, found[0].1.graph, found[0].1.version);
        if found.iter().any(|(_, review)| review.run != run) {
            return Err(Error::Conflict("the reviews belong to several runs".to_owned()));
        }
        self.must_ask(owner, run).await?;
        let plan = self.plans.find(owner, graph, version).await?.map(|known| Arc::clone(&known.plan));
        let is_block = |review: &Review| {
            let node = plan.as_ref().and_then(|plan| plan.nodes.iter().find(|node| node.id == review.node));
            node.is_some_and(|node| node.kind != Kind::Review)
        };
        for (decision, review) in &found {
            check(decision, review, is_block(review))?;
        }
        let answers = found.iter().map(|(decision, review)| (review.index, decision.answer(review))).collect();
        if let Err(error) = self.host.answer(run, answers).await {
            return Err(self.refusal(owner, run, error).await);
        }
        let approved = decisions.iter().filter(|decision| decision.approved).count();
        Ok(Answered { run, approved, rejected: decisions.len() - approved })
    }

    /// Each decision with its review.
    async fn find<'a>(
        &self,
        owner: UserId,
        run: Option<&str>,
        decisions: &'a [Decision],
    ) -> Result<Vec<(&'a Decision, Review)>, Error> {
        let run = match run {
            Some(text) => {
                let missing = || run_not_found(text);
                let id = RunId::parse(text).ok_or_else(missing)?;
                self.store.run_by_id(owner, id).await?.ok_or_else(missing)?;
                Some(id)
            }
            None => None,
        };
        let (mut found, mut missing, mut seen) = (Vec::with_capacity(decisions.len()), Vec::new(), HashSet::new());
        for decision in decisions {
            let id = NodeExecId::parse(&decision.review);
            if id.is_some_and(|id| !seen.insert(id)) {
                return Err(Error::Refused(format!("review #{} is answered twice", decision.review)));
            }
            let record = match id {
                Some(id) => self.store.review(owner, id).await?,
                None => None,
            };
            match record.filter(|record| run.is_none_or(|run| record.review.run == run)) {
                Some(record) => found.push((decision, record.review)),
                None => missing.push(decision.review.as_str()),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(not_found(&missing)) }
    }

    /// Refuses a run that asks nobody right now.
    async fn must_ask(&self, owner: UserId, run: RunId) -> Result<(), Error> {
        match self.store.run_by_id(owner, run).await?.ok_or_else(|| run_not_found(&run.to_string()))?.status {
            Status::Review | Status::Incomplete => Ok(()),
            status => Err(not_asking(run, status)),
        }
    }

    /// What the run itself said against the answers.
    async fn refusal(&self, owner: UserId, run: RunId, error: AnswerError) -> Error {
        match error {
            AnswerError::NotInReview(status) => not_asking(run, status),
            AnswerError::Decided(_) => Error::Refused("a review was decided the other way already".to_owned()),
            AnswerError::NotWaiting(_) => Error::Conflict("a review does not wait for an answer".to_owned()),
            AnswerError::Journal(error) => error.into(),
            // It has ended since, or this process is closing.
            AnswerError::Missing => match self.store.run_by_id(owner, run).await {
                Ok(Some(record)) if record.status.is_terminal() => not_asking(run, record.status),
                Ok(Some(_)) => Error::Busy(CLOSING.to_owned(), 1),
                Ok(None) => run_not_found(&run.to_string()),
                Err(error) => error.into(),
            },
        }
    }
}

/// Whether this decision may be taken on this review.
fn check(decision: &Decision, review: &Review, is_block: bool) -> Result<(), Error> {
    let id = review.exec;
    let decided = match review.status {
        ReviewStatus::Waiting => None,
        ReviewStatus::Approved => Some(true),
        ReviewStatus::Rejected => Some(false),
    };
    match decided {
        Some(before) if before == decision.approved => return Ok(()),
        Some(_) => return Err(Error::Refused(format!("review #{id} is {} already", review.status.as_str()))),
        None => {}
    }
    let Some(change) = decision.change(review) else { return Ok(()) };
    if !review.editable {
        return Err(Error::Refused(format!("the data of review #{id} must not be changed")));
    }
    if is_block && !change.is_object() {
        return Err(Error::Refused(format!("the data of review #{id} must stay an object")));
    }
    Ok(())
}

fn not_asking(run: RunId, status: Status) -> Error {
    Error::Conflict(format!("run #{run} is {}, it waits for no review", status.as_str()))
}

fn not_found(ids: &[&str]) -> Error {
    let ids: Vec<String> = ids.iter().map(|id| format!("#{id}")).collect();
    Error::NotFound(format!("Review {} not found.", ids.join(", ")))
}

fn reviews(records: Vec<ReviewRecord>) -> Vec<Review> {
    records.into_iter().map(|record| record.review).collect()
}

/// Whether so many lists and objects stand within each other at most.
fn is_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_within(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| is_within(member, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
