//! What a repeat of a node execution would mean to the world.

/// How far a block reaches. It decides when a node execution may start and what a crash means for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Same input, same output, nothing touched. Runs ahead of the disk.
    Pure,
    /// Reads the clock or randomness: runs ahead like `Pure`; on replay its recorded value wins.
    Local,
    /// Looks outside, changes nothing. Starts at once.
    Read,
    /// Passes on a key that makes a repeat harmless. Starts when all it depends on is durable.
    Idempotent,
    /// A repeat is felt. Starts when all it depends on is durable.
    Unsafe,
}

impl Effect {
    /// Whether the journal must be on disk up to here before such an execution starts.
    pub fn waits_for_disk(self) -> bool {
        matches!(self, Self::Idempotent | Self::Unsafe)
    }
}
