//! Stopping a run: children first, then what runs, then the run.

use super::Driver;
use crate::journal::{Event, Outcome};
use heddle_model::Status;
use std::time::Duration;

/// How long a stopping run waits for its children to end.
const CHILDREN: Duration = Duration::from_secs(10);

impl Driver {
    /// Ends everything that has not ended. What has been emitted so far stays.
    pub(super) async fn stop(&mut self) {
        if self.machine.has_ended() {
            return;
        }
        if !self.machine.stop_asked {
            self.record(Event::StopAsked);
        }
        self.tasks.drain().for_each(|(_, task)| task.abort());
        self.held.clear();
        self.stop_children().await;
        for exec in self.machine.running() {
            self.record(Event::Ended { exec, outcome: Outcome::Terminated, child: None });
        }
        let counts = self.machine.counts;
        self.record(Event::RunEnded { status: Status::Terminated, error: None, counts });
    }

    /// Children that are not on disk yet are stopped when they are launched.
    async fn stop_children(&mut self) {
        let running = self.machine.running();
        let children: Vec<_> = running.iter().filter_map(|&exec| self.machine.execs[exec as usize].child).collect();
        if children.is_empty() {
            return;
        }
        // The wish goes to disk first: a crash while the children end must not let this run go on without them.
        self.flush();
        let stops = futures::future::join_all(children.into_iter().map(|child| self.host.stop(child)));
        if tokio::time::timeout(CHILDREN, stops).await.is_err() {
            tracing::warn!(run.id = %self.machine.run, "run {} stops before its children did", self.machine.run);
        }
    }
}
