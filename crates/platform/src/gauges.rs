//! What can be said about the whole at this moment, for those who watch over it.

use heddle_store::{Counts, Sizes};

/// The platform at one moment.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// Accepted and unfinished runs that this process holds.
    pub live_runs: u64,
    /// What was written since the start.
    pub counts: Counts,
    /// Bytes the database takes; `None` when it did not say in time.
    pub sizes: Option<Sizes>,
}
