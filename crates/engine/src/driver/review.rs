//! Executions that ask a person: review nodes, and sensitive blocks where the account wants that.

use super::Driver;
use crate::journal::{Answer, Event, JournalError, Outcome};
use crate::plan::Kind;
use heddle_model::{Status, Value};
use tokio::sync::oneshot;

const SAFE_MODE_OFF: &str = "Auto-approved (safe mode disabled)";
const TRUSTED: &str = "Auto-approved (user approved all future actions for this node)";
const APPROVED: &str = "Execution approved by reviewer";
const REJECTED: &str = "Execution rejected by reviewer";

/// Why answers were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// There is no such run, or it has ended.
    #[error("the run is over")]
    Missing,
    /// Something of the run still moves.
    #[error("the run is {}", .0.as_str())]
    NotInReview(Status),
    /// This execution waits for nobody.
    #[error("the review is not waiting")]
    NotWaiting(u32),
    /// This execution's review was decided the other way.
    #[error("the review was decided already")]
    Decided(u32),
    /// It could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Told once whether answers are on disk.
#[derive(Debug)]
pub(crate) struct Reply(pub(crate) oneshot::Sender<Result<(), AnswerError>>);

impl Reply {
    pub(super) fn kept(self) {
        let _ = self.0.send(Ok(()));
    }

    pub(super) fn lost(self, error: &JournalError) {
        let _ = self.0.send(Err(error.clone().into()));
    }
}

impl Driver {
    pub(super) fn start_review(&mut self, exec: u32) {
        self.record_start(exec);
        self.ask_review(exec);
    }

    /// Asks, unless nobody wants to be asked.
    pub(super) fn ask_review(&mut self, exec: u32) {
        let settings = &self.machine.accepted.as_ref().expect("a driven run was accepted").settings;
        if !settings.human_in_the_loop_safe_mode {
            return self.finish_review(exec, "approved_data", SAFE_MODE_OFF.to_owned());
        }
        if self.machine.is_trusted(self.machine.execs[exec as usize].node) {
            return self.finish_review(exec, "approved_data", TRUSTED.to_owned());
        }
        self.record(Event::ReviewAsked { exec });
    }

    /// Whether a block with this input may only run with a person's consent, which nobody has been asked for.
    pub(super) fn must_ask(&self, exec: u32) -> bool {
        let state = &self.machine.execs[exec as usize];
        let block = self.machine.plan.node(state.node).block.as_ref();
        let settings = &self.machine.accepted.as_ref().expect("a driven run was accepted").settings;
        settings.sensitive_action_safe_mode
            && block.is_some_and(|block| block.sensitive)
            && state.review.is_none()
            && !self.machine.is_trusted(state.node)
    }

    pub(super) fn ask_consent(&mut self, exec: u32) {
        if self.machine.execs[exec as usize].status != Status::Running {
            self.record_start(exec);
        }
        self.record(Event::ReviewAsked { exec });
    }

    /// A person has answered: the execution goes on.
    pub(super) fn resume_review(&mut self, exec: u32) {
        self.record(Event::AttemptBegun { exec });
        self.go_on_reviewed(exec);
    }

    /// What an answered execution does, also after a crash.
    pub(super) fn go_on_reviewed(&mut self, exec: u32) {
        let Some(Answer { approved, data, message, .. }) = self.machine.answer(exec).cloned() else { return };
        let is_node = *self.machine.kind(exec) == Kind::Review;
        let text = message.unwrap_or_else(|| if approved { APPROVED } else { REJECTED }.to_owned());
        match (is_node, approved) {
            (true, true) => self.finish_with(exec, "approved_data", data, text),
            (true, false) => self.finish_with(exec, "rejected_data", data, text),
            (false, true) => self.start_consented(exec),
            (false, false) => {
                self.end(exec, Outcome::Failed(format!("Block execution rejected by reviewer: {text}")));
            }
        }
    }

    fn finish_review(&mut self, exec: u32, pin: &str, text: String) {
        self.finish_with(exec, pin, None, text);
    }

    fn finish_with(&mut self, exec: u32, pin: &str, data: Option<Value>, text: String) {
        let payload = data.unwrap_or_else(|| self.machine.payload(exec));
        self.emit(exec, pin.to_owned(), payload);
        self.emit(exec, "review_message".to_owned(), text.into());
        self.end(exec, Outcome::Completed);
    }

    /// Takes answers in, all or none.
    pub(super) fn take_answers(&mut self, answers: Vec<(u32, Answer)>, reply: Reply) {
        match self.check_answers(&answers) {
            Err(error) => drop(reply.0.send(Err(error))),
            Ok(()) => {
                for (exec, answer) in answers {
                    if self.machine.is_reviewing(exec) {
                        self.record(Event::ReviewAnswered { exec, answer: Box::new(answer) });
                    }
                }
                match self.next <= self.durable {
                    true => reply.kept(),
                    false => self.replies.push((self.next, reply)),
                }
            }
        }
    }

    fn check_answers(&self, answers: &[(u32, Answer)]) -> Result<(), AnswerError> {
        if self.machine.has_ended() || self.closing {
            return Err(AnswerError::Missing);
        }
        let asks = |(exec, _): &(u32, Answer)| self.machine.is_reviewing(*exec);
        if answers.iter().any(asks) && self.machine.status != Status::Review {
            return Err(AnswerError::NotInReview(self.machine.status));
        }
        for (exec, answer) in answers.iter().filter(|answer| !asks(answer)) {
            let reviewed = self.machine.execs.get(*exec as usize).and_then(|state| state.review.as_ref());
            match reviewed.and_then(|review| review.answer.as_ref()) {
                Some((before, _)) if before.approved == answer.approved => {}
                Some(_) => return Err(AnswerError::Decided(*exec)),
                None => return Err(AnswerError::NotWaiting(*exec)),
            }
        }
        Ok(())
    }
}
