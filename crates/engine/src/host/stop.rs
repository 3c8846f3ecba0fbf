//! Saying something to a run wherever it is: stops and answers reach parked and queued runs as well.

use super::{AnswerError, Control, Host, Progress, RETRY};
use crate::driver::Reply;
use crate::journal::{Answer, JournalError};
use heddle_model::RunId;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

impl Host {
    /// Stops a run and waits until that is on disk, also for a journal that cannot be read for a while. False when there
    /// is none that has not ended, or the process closes before it has.
    pub async fn stop(self: &Arc<Self>, run: RunId) -> bool {
        self.stop_unless_closing(run).await.unwrap_or(false)
    }

    /// As [`stop`](Self::stop); an error when the process closes: the run may not have ended then.
    pub(crate) async fn stop_unless_closing(self: &Arc<Self>, run: RunId) -> Result<bool, JournalError> {
        loop {
            match self.command(run, Control::Stop).await {
                Ok(Some(mut progress)) => {
                    if progress.wait_for(|progress| progress.ended.is_some()).await.is_ok() {
                        return Ok(true);
                    }
                    // Its driver has gone without an end: it was never kept, or the process is closing.
                }
                Ok(None) => return Ok(false),
                Err(JournalError::Closed) if self.is_closing() => return Err(JournalError::Closed),
                Err(error) => {
                    tracing::error!(run.id = %run, "run {run} cannot be stopped yet: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Has a run stopped wherever it is, without waiting.
    pub(crate) fn ask_to_stop(self: &Arc<Self>, run: RunId) {
        if self.live().say(run, Control::Stop).is_ok() {
            return;
        }
        let host = Arc::clone(self);
        tokio::spawn(async move { host.stop(run).await });
    }

    /// Gives a run in REVIEW the answers to some of its executions, by index; they are on disk when this returns. All
    /// are taken or none.
    pub async fn answer(self: &Arc<Self>, run: RunId, answers: Vec<(u32, Answer)>) -> Result<(), AnswerError> {
        let (reply, answer) = oneshot::channel();
        let said = self.command(run, Control::Answer(answers, Reply(reply))).await?;
        said.ok_or(AnswerError::Missing)?;
        answer.await.unwrap_or(Err(AnswerError::Missing))
    }

    /// Says something to a run, in memory or not; `None` when it has ended or does not exist.
    async fn command(
        self: &Arc<Self>,
        run: RunId,
        control: Control,
    ) -> Result<Option<watch::Receiver<Progress>>, JournalError> {
        let Some(progress) = self.watch(run) else { return Err(JournalError::Closed) };
        let refused = self.live().say(run, control).err();
        let Some(control) = refused else { return Ok(Some(progress)) };
        match self.ports.journal.standing(run).await? {
            Some(standing) if !standing.ended => {}
            _ => return Ok(None),
        }
        match self.rouse(run, None, Some(control)) {
            true => Ok(Some(progress)),
            false => Err(JournalError::Closed),
        }
    }
}
