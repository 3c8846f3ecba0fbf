//! Bounds, see `operator.md`.

/// What runs may take up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Accepted and unfinished runs.
    pub queued_runs: usize,
    /// Runs worked on at once.
    pub running_runs: usize,
    /// Of these, those of one account and graph.
    pub account_runs: usize,
    /// Calls at once to one provider.
    pub provider_calls: usize,
    /// Bytes of one value's JSON.
    pub value_bytes: usize,
    /// Bytes of JSON that one run's inputs and outputs take up together.
    pub run_bytes: usize,
    /// Nested agents.
    pub nesting: u32,
    /// Events of one run; `None` for any number.
    pub events: Option<u64>,
    /// Seconds from a run's first execution to its end; `None` for any time.
    pub run_seconds: Option<u64>,
    /// Effects that a crash interrupted are not repeated but fail.
    pub fail_interrupted: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queued_runs: 100_000,
            running_runs: 10_000,
            account_runs: 1_000,
            provider_calls: 64,
            value_bytes: 16 << 20,
            run_bytes: 1 << 30,
            nesting: 32,
            events: None,
            run_seconds: None,
            fail_interrupted: false,
        }
    }
}
