//! Ending a run before its time: children first, then what runs, then the run.

use super::{Driver, durable};
use crate::journal::{Event, JournalError, Outcome};
use heddle_model::Status;
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
        self.abort_tasks();
        self.held.clear();
        self.stop_children().await?;
        // Children that were launched meanwhile are followed.
        self.abort_tasks();
        for exec in self.machine.running() {
            self.end_counting(exec, Outcome::Terminated, None);
        }
        let counts = self.machine.counts;
        self.record(Event::RunEnded { status, error, counts });
        Ok(())
    }

    /// The wish goes to disk first: a crash while the children end must not let this run go on without them.
    async fn stop_children(&mut self) -> Result<(), JournalError> {
        let running = self.machine.running();
        let children: Vec<_> = running.iter().filter_map(|&exec| self.machine.execs[exec as usize].child).collect();
        if children.is_empty() {
            return Ok(());
        }
        while !self.is_still() {
            self.flush();
            let result = durable(&mut self.flight).await;
            self.on_durable(result)?;
        }
        let stops = futures::future::join_all(children.into_iter().map(|child| self.host.stop(child)));
        if tokio::time::timeout(CHILDREN, stops).await.is_err() {
            tracing::warn!(run.id = %self.machine.run, "run {} stops before its children did", self.machine.run);
        }
        Ok(())
    }

    pub(super) fn abort_tasks(&mut self) {
        self.tasks.drain().for_each(|(_, task)| task.abort());
        self.followers.drain().for_each(|(_, task)| task.abort());
        self.parked_children.clear();
        self.timers.clear();
        self.alarms.clear();
    }
}
