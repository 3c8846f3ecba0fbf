//! What can be said about the whole at this moment, for those who watch over it.

use heddle_store::{Counts, Sizes};

/// The platform at one moment.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// Runs that have not ended.
    pub runs: heddle_engine::Gauges,
    /// What was written since the start.
    pub counts: Counts,
    /// Bytes the database takes; `None` when it did not say in time.
    pub sizes: Option<Sizes>,
}
