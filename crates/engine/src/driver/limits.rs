//! What one run may take up: events, time, memory.

use super::Driver;
use crate::journal::JournalError;
use heddle_model::{Status, Time};

impl Driver {
    /// When the run will have taken too long.
    pub(super) fn deadline(&self) -> Option<Time> {
        let seconds = self.host.limits.run_seconds?;
        Some(self.machine.started_at?.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    pub(super) fn is_over_bound(&self) -> bool {
        let limits = &self.host.limits;
        self.machine.held > limits.run_bytes
            || limits.events.is_some_and(|most| self.next > most)
            || self.deadline().is_some_and(|deadline| self.host.now() >= deadline)
    }

    /// Ends the run as FAILED and says which bound it broke.
    pub(super) async fn fail_for_excess(&mut self) -> Result<(), JournalError> {
        let limits = &self.host.limits;
        let text = if self.machine.held > limits.run_bytes {
            format!("the run holds more than {} bytes (engine.run_bytes)", limits.run_bytes)
        } else if let Some(most) = limits.events.filter(|most| self.next > *most) {
            format!("the run has more than {most} events (engine.events)")
        } else {
            format!("the run took longer than {} seconds (engine.run_seconds)", limits.run_seconds.unwrap_or_default())
        };
        self.end_early(Status::Failed, Some(text)).await
    }
}
