//! A moment, as a number. Reading the clock is somebody else's business.

use serde::{Deserialize, Serialize};
use std::time::Duration;

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

    /// Day, hour and minute by the clocks of a zone, with its name, for people.
    pub fn shown(self, zone: chrono_tz::Tz) -> String {
        let time = chrono::DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        time.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// The first moment of a day such as `2026-12-31`, UTC; `None` for anything else.
    pub fn of_day(text: &str) -> Option<Self> {
        let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?;
        Some(Self(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()))
    }

    /// The day that it is on, UTC, as [`Time::of_day`] reads it.
    pub fn day(self) -> String {
        let time = chrono::DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        time.format("%Y-%m-%d").to_string()
    }

    /// As headers have it: `Thu, 31 Dec 2026 00:00:00 GMT` (RFC 9110, 5.6.7).
    pub fn http_date(self) -> String {
        let time = chrono::DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// This moment and `seconds` more.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// How long after another moment this one is; nothing when it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
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
    fn no_time_lies_between_a_moment_and_an_earlier_one() {
        assert_eq!(Time(1_500_000).since(Time(-500_000)), Duration::from_secs(2));
        assert_eq!(Time(1).since(Time(2)), Duration::ZERO);
        assert_eq!(Time(i64::MIN).since(Time(i64::MAX)), Duration::ZERO);
        assert_eq!(Time(i64::MAX).since(Time(i64::MIN)), Duration::from_micros(i64::MAX as u64));
    }

    #[test]
    fn people_read_their_own_clocks() {
        let time = Time(1_770_114_030_678_000);
        assert_eq!(time.shown(chrono_tz::Tz::UTC), "2026-02-03 10:20 UTC");
        assert_eq!(time.shown(chrono_tz::Tz::Europe__Berlin), "2026-02-03 11:20 CET");
    }

    #[test]
    fn days_begin_at_midnight() {
        let day = Time::of_day("2026-12-31").unwrap();
        assert_eq!((day.unix(), day.http_date().as_str()), (1_798_675_200, "Thu, 31 Dec 2026 00:00:00 GMT"));
        assert_eq!(day.day(), "2026-12-31");
        for bad in ["", "2026-12-32", "2026-1-1", "31.12.2026", "2026-12-31T00:00:00Z", "+12026-12-31"] {
            assert_eq!(Time::of_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn whole_seconds_carry_no_fraction() {
        assert_eq!(Time(1_770_114_030_000_000).rfc3339(), "2026-02-03T10:20:30Z");
        assert_eq!(Time(1_770_114_030_678_000).rfc3339(), "2026-02-03T10:20:30.678000Z");
    }
}
