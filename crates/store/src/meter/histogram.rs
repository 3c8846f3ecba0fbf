//! How often something was how large: atomics only, so that noting a value costs three additions and no lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of whole numbers by fixed bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is larger than all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The largest value that each count but the last takes in.
    pub bounds: &'static [u64],
    /// How many values lay at or below each bound and above the one before it; last those above all bounds.
    pub counts: Vec<u64>,
    /// All values added up.
    pub sum: u64,
}

impl Histogram {
    /// An empty one; the bounds rise.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Notes a value.
    pub fn note(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// What it holds. Values noted meanwhile may be in the counts and not yet in the sum.
    pub fn read(&self) -> Distribution {
        Distribution {
            bounds: self.bounds,
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_counts_below_it() {
        let histogram = Histogram::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11, 1_000] {
            histogram.note(value);
        }
        assert_eq!(histogram.read(), Distribution { bounds: &[1, 10], counts: vec![2, 2, 2], sum: 1_024 });
    }
}
