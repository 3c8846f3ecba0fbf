//! Ending a run before its time: children first, then what runs, then the run.

use super::{Driver, durable};
use crate::journal::{Event, JournalError, Outcome};
use heddle_model::Status;
use std::sync::Arc;
use std::time::Duration;

/// How long a stopping run waits for its children to end.
const CHILDREN: Duration = Duration::from_secs(10);

impl Driver {
    /// Ends everything that has not ended. What has been emitted so far stays.
    pub(super) async fn stop(&mut self) -> Result<(), JournalError> {
        if self.machine.has_ended() {
            return Ok(());
        }
        if !self.machine.stop_asked {
            self.record(Event::StopAsked);
        }
        self.end_early(Status::Terminated, None).await
    }

    pub(super) async fn end_early(&mut self, status: Status, error: Option<String>) -> Result<(), JournalError> {
        self.end_early_over(None, status, error).await
    }

    /// Ends the run over an execution that cannot begin: it fails with the same text, in the frame that ends the run.
    pub(super) async fn end_early_over(
        &mut self,
        cause: Option<u32>,
        status: Status,
        error: Option<String>,
    ) -> Result<(), JournalError> {
        self.is_ending = true;
        self.abort_tasks();
        self.held.clear();
        if !self.stop_children().await? {
            self.closing = true;
            return Ok(());
        }
        // Children that were launched meanwhile are followed.
        self.abort_tasks();
        if let (Some(exec), Some(text)) = (cause, &error) {
            self.end(exec, Outcome::Failed(text.clone()));
        }
        for exec in self.machine.running() {
            self.end_counting(exec, Outcome::Terminated, None);
        }
        let counts = self.machine.counts;
        self.record(Event::RunEnded { status, error, counts });
        Ok(())
    }

    /// The wish goes to disk first: a crash while the children end must not let this run go on without them. False when
    /// the process closes before they have ended: the next one stops what is left.
    async fn stop_children(&mut self) -> Result<bool, JournalError> {
        let running = self.machine.running();
        let children: Vec<_> = running.iter().filter_map(|&exec| self.machine.execs[exec as usize].child).collect();
        if children.is_empty() {
            return Ok(true);
        }
        while !self.is_still() {
            self.flush();
            let result = durable(&mut self.flight).await;
            self.on_durable(result)?;
        }
        // Tasks of their own, because they go on when this run does not wait any longer.
        let stops = children.into_iter().map(|child| {
            let host = Arc::clone(&self.host);
            tokio::spawn(async move { host.stop_unless_closing(child).await.is_ok() })
        });
        match tokio::time::timeout(CHILDREN, futures::future::join_all(stops)).await {
            Ok(stopped) => Ok(stopped.into_iter().all(|stopped| stopped.unwrap_or(true))),
            Err(_) => {
                tracing::warn!(run.id = %self.machine.run, "run {} stops before its children did", self.machine.run);
                Ok(!self.host.is_closing())
            }
        }
    }

    pub(super) fn abort_tasks(&mut self) {
        self.tasks.drain().for_each(|(_, task)| task.abort());
        self.followers.drain().for_each(|(_, task)| task.abort());
        self.parked_children.clear();
        self.timers.clear();
        self.alarms.clear();
    }
}
