//! The states of runs and node executions (`engine.md` 14).

use serde::{Deserialize, Serialize};

/// State of a run or of a node execution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Waits for pins.
    Incomplete,
    /// Has all it needs, not begun.
    Queued,
    /// Being worked on.
    Running,
    /// Ended by itself.
    Completed,
    /// Ended by a stop.
    Terminated,
    /// Ended by a failure.
    Failed,
    /// Waits for a person.
    Review,
}

impl Status {
    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "INCOMPLETE",
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Terminated => "TERMINATED",
            Self::Failed => "FAILED",
            Self::Review => "REVIEW",
        }
    }

    /// The status of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Incomplete, Self::Queued, Self::Running, Self::Completed, Self::Terminated, Self::Failed, Self::Review]
            .into_iter()
            .find(|status| status.as_str() == name)
    }

    /// Nothing follows.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Terminated | Self::Failed)
    }
}
