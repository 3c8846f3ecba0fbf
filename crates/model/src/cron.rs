//! When a schedule is due: five-field cron in a time zone.
//!
//! The weekday rules are the standard ones (0 and 7 are Sunday, names, ranges that wrap), not those of the scheduler
//! that counted from Monday. Written here rather than taken from a crate because the crates differ from that table in
//! wrapping ranges and from the rules below at clock changes. Nothing here reads the clock: the caller says after what.
//!
//! **Both day fields given.** When day-of-month and day-of-week are both restricted, a day that matches *either* is due,
//! as POSIX and every crontab have it (`0 0 13 * 5` is each 13th and each Friday). A field that begins with `*`, also
//! one with a step such as `*/2`, counts as unrestricted, as in Vixie cron; then both have to match, which lets `*/2`
//! narrow the other field instead of being swallowed by it.
//!
//! **Clocks put forward.** A slot the clock skips fires once, at the first moment after the gap, however many slots the
//! gap swallowed; a daily job must not lose its day. Only when the hour field admits every hour are skipped slots
//! dropped: the next hour has its own.
//!
//! **Clocks put back.** A slot that the clock shows twice fires at its first showing. When the minute or the hour field
//! begins with `*` it fires at both, as in Vixie cron: `*/10 * * * *` means every ten minutes, whatever the clock shows.

mod field;
mod next;

use std::fmt;
use std::str::FromStr;

pub use chrono_tz::Tz;

use crate::Time;
use field::Field;

/// A parsed cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

/// Why a text is not a cron expression or a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error("a cron expression has five fields (minute hour day-of-month month day-of-week), {text:?} has {count}")]
    Count {
        /// The expression.
        text: String,
        /// Its fields.
        count: usize,
    },
    /// One of the `@` words, which are not five-field cron.
    #[error("write {instead:?} instead of {word:?}")]
    Macro {
        /// The word.
        word: String,
        /// The same in five fields.
        instead: &'static str,
    },
    /// A field is wrong.
    #[error("{field} {text:?}: {reason}")]
    Field {
        /// Which field.
        field: FieldName,
        /// The part of it that is wrong.
        text: String,
        /// What is wrong about it.
        reason: String,
    },
    /// No such time zone.
    #[error("{0:?} is not a time zone name such as Europe/Berlin")]
    Zone(String),
}

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldName {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or `jan` to `dec`.
    Month,
    /// 0 to 7, or `sun` to `sat`.
    DayOfWeek,
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        })
    }
}

impl Cron {
    /// The first moment after `after` at which this is due in `zone`, or `None` when it never is, as on 30 February.
    pub fn next_after(&self, after: Time, zone: Tz) -> Option<Time> {
        next::next_after(self, after, zone)
    }

    /// Whether a slot counts each time the clock shows it, rather than once a day of the calendar.
    fn is_elastic(&self) -> bool {
        self.minute.starred || self.hour.starred
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            if let [word] = fields[..]
                && let Some(instead) = five_fields(word)
            {
                return Err(CronError::Macro { word: word.to_owned(), instead });
            }
            return Err(CronError::Count { text: text.to_owned(), count: fields.len() });
        };
        Ok(Self {
            minute: Field::parse(FieldName::Minute, minute)?,
            hour: Field::parse(FieldName::Hour, hour)?,
            day: Field::parse(FieldName::DayOfMonth, day)?,
            month: Field::parse(FieldName::Month, month)?,
            weekday: Field::parse(FieldName::DayOfWeek, weekday)?,
        })
    }
}

/// A moment as the clocks of a zone show it, with their offset (RFC 3339, whole seconds).
pub fn shown(at: Time, zone: Tz) -> String {
    let time = chrono::DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    time.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

/// The zone of this IANA name.
pub fn zone(name: &str) -> Result<Tz, CronError> {
    name.parse().map_err(|_| CronError::Zone(name.to_owned()))
}

/// The names of all zones.
pub fn zones() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// What an `@` word means. The words are a habit of some crons, not part of the format, and the contract asks for five
/// fields; a helpful refusal keeps one spelling in storage.
fn five_fields(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
