//! A moment, as a number. Reading the clock is somebody else's business.

use serde::{Deserialize, Serialize};

/// Microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// RFC 3339 with `Z`: six fractional digits when they are not all zero, none otherwise.
    pub fn rfc3339(self) -> String {
        let time = chrono::DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        let format = if self.0 % 1_000_000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
        time.format(format).to_string()
    }

    /// This moment and `seconds` more.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Seconds since the epoch, rounded down.
    pub fn unix(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_carry_no_fraction() {
        assert_eq!(Time(1_770_114_030_000_000).rfc3339(), "2026-02-03T10:20:30Z");
        assert_eq!(Time(1_770_114_030_678_000).rfc3339(), "2026-02-03T10:20:30.678000Z");
    }
}
