//! Saying something to a run wherever it is: stops and answers reach parked and queued runs as well.

use super::{AnswerError, Control, Host, Progress};
use crate::driver::Reply;
use crate::journal::{Answer, JournalError};
use heddle_model::RunId;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

impl Host {
    /// Stops a run and waits until that is on disk; false when there is none that has not ended.
    pub async fn stop(self: &Arc<Self>, run: RunId) -> bool {
        let Ok(Some(mut progress)) = self.command(run, Control::Stop).await else { return false };
        // An error means that its driver has gone, which is as good.
        let _ = progress.wait_for(|progress| progress.ended.is_some()).await;
        true
    }

    /// Asks a run in memory to stop, without waiting.
    pub(crate) fn ask_to_stop(&self, run: RunId) {
        let _ = self.live().say(run, Control::Stop);
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
