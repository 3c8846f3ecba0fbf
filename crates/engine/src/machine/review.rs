//! Executions that wait for a person (`engine.md` 15, "Human review").

use super::Machine;
use crate::journal::{Answer, Review, ReviewStatus, STOPPED};
use crate::plan::Kind;
use heddle_model::{Status, Time, Value};
use std::sync::Arc;

/// What a person was asked about an execution, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reviewing {
    /// When it was asked.
    pub asked_at: Time,
    /// The answer and when it came.
    pub answer: Option<(Answer, Time)>,
    /// The run has gone on with the answer, or was ended without one.
    pub processed_at: Option<Time>,
}

impl Machine {
    /// Executions that wait for a person.
    pub fn reviewing(&self) -> Vec<u32> {
        self.reviewing.iter().copied().collect()
    }

    /// Whether some execution waits for a person.
    pub fn has_reviews(&self) -> bool {
        !self.reviewing.is_empty()
    }

    /// Executions whose review is not over: nobody has answered, or the run has not gone on.
    pub fn open_reviews(&self) -> Vec<u32> {
        self.reviewing.iter().chain(&self.answered).copied().collect()
    }

    /// Whether this execution waits for a person.
    pub fn is_reviewing(&self, exec: u32) -> bool {
        self.reviewing.contains(&exec)
    }

    /// Whether the node's further reviews are approved without asking.
    pub fn is_trusted(&self, node: u32) -> bool {
        self.trusted.contains(&node)
    }

    /// The answer that an execution may go on with.
    pub fn answer(&self, exec: u32) -> Option<&Answer> {
        self.execs[exec as usize].review.as_ref()?.answer.as_ref().map(|(answer, _)| answer)
    }

    /// What the person is shown: a review node's data, or a sensitive block's whole input.
    pub fn payload(&self, exec: u32) -> Value {
        let state = &self.execs[exec as usize];
        let input = state.input.as_deref();
        match self.kind(exec) {
            Kind::Review => input.and_then(|input| input.get("data")).cloned().unwrap_or_default(),
            _ => Value::Object(input.cloned().unwrap_or_default()),
        }
    }

    /// The row of an execution's review; `None` when it never had one.
    pub fn review(&self, exec: u32) -> Option<Review> {
        let state = &self.execs[exec as usize];
        let reviewing = state.review.as_ref()?;
        let node = self.plan.node(state.node);
        let is_node = *self.kind(exec) == Kind::Review;
        let pin = |name: &str| state.input.as_ref().and_then(|input| input.get(name));
        let payload = self.payload(exec);
        let answer = reviewing.answer.as_ref();
        let data = answer.and_then(|(answer, _)| answer.data.as_ref());
        let was_closed = answer.is_none() && reviewing.processed_at.is_some();
        Some(Review {
            exec: self.exec_id(exec),
            index: exec,
            run: self.run,
            graph: self.plan.graph,
            version: self.plan.version,
            node: node.id.clone(),
            was_edited: data.is_some(),
            payload: data.cloned().unwrap_or(payload),
            instructions: match is_node {
                true => pin("name").and_then(Value::as_str).map(str::to_owned),
                false => Some(format!("Review required for {} execution", node.block_name())),
            },
            editable: !is_node || pin("editable").is_none_or(|editable| *editable != false),
            status: match answer {
                Some((answer, _)) if answer.approved => ReviewStatus::Approved,
                Some(_) => ReviewStatus::Rejected,
                None if was_closed => ReviewStatus::Rejected,
                None => ReviewStatus::Waiting,
            },
            message: match was_closed {
                true => Some(STOPPED.to_owned()),
                false => answer.and_then(|(answer, _)| answer.message.clone()),
            },
            processed: reviewing.processed_at.is_some(),
            created_at: reviewing.asked_at,
            updated_at: reviewing.processed_at.or(answer.map(|(_, at)| *at)).unwrap_or(reviewing.asked_at),
            reviewed_at: answer.map(|(_, at)| *at).or(if was_closed { reviewing.processed_at } else { None }),
        })
    }

    /// Executions go on when nobody has to answer any more, those of the smallest index first.
    pub(super) fn next_answered(&mut self) -> Option<u32> {
        if self.reviewing.is_empty() { self.answered.pop_first() } else { None }
    }

    pub(super) fn review_asked(&mut self, exec: u32, at: Time) {
        let state = &mut self.execs[exec as usize];
        state.status = Status::Review;
        state.review = Some(Box::new(Reviewing { asked_at: at, answer: None, processed_at: None }));
        self.running.remove(&exec);
        self.reviewing.insert(exec);
        // `engine.md` 14: an attempt that pauses counts by itself.
        self.counts.nodes += 1;
    }

    pub(super) fn review_answered(&mut self, exec: u32, answer: &Answer, at: Time) {
        let is_node = *self.kind(exec) == Kind::Review;
        let state = &mut self.execs[exec as usize];
        let Some(reviewing) = &mut state.review else { return };
        if !self.reviewing.remove(&exec) {
            return;
        }
        reviewing.answer = Some((answer.clone(), at));
        if let Some(Value::Object(data)) = answer.data.as_ref().filter(|_| answer.approved && !is_node) {
            state.input = Some(Arc::new(data.clone()));
        }
        if answer.future && answer.approved {
            self.trusted.insert(state.node);
        }
        self.answered.insert(exec);
        if self.reviewing.is_empty() {
            self.status = Status::Queued;
        }
    }

    pub(super) fn review_processed(&mut self, exec: u32, at: Time) {
        if let Some(reviewing) = &mut self.execs[exec as usize].review {
            reviewing.processed_at.get_or_insert(at);
        }
    }

    /// The run has ended: nobody is asked any more.
    pub(super) fn close_reviews(&mut self, at: Time) {
        for exec in std::mem::take(&mut self.reviewing) {
            self.review_processed(exec, at);
        }
        for exec in std::mem::take(&mut self.answered) {
            self.review_processed(exec, at);
        }
    }
}
