//! What lies under the fake disk: here nothing. `heddle-platform` runs these same tests with a real database there.

use heddle_engine::journal::{Entry, Frame};
use heddle_model::RunId;

/// Nothing.
#[derive(Default)]
pub struct Under;

impl Under {
    /// Keeps frames that were committed together.
    pub fn keep(&self, _: &[Frame]) {}

    /// Adds one event to a run's `count`.
    pub fn add(&self, _: RunId, _count: usize, _: &Entry) {}

    /// Looks whether a run's events from a number on are these.
    pub fn check(&self, _: RunId, _from: usize, _: &[Entry]) {}
}
