//! How the three clock blocks are asked for a format and a zone.

use super::strftime::strftime;
use crate::block::{Cx, Input};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use heddle_model::Value;

/// What the `format_type` pin asks for.
pub(crate) struct Format {
    /// A pattern, or ISO 8601 when there is none.
    pattern: Option<String>,
    microseconds: bool,
    zone: Tz,
}

impl Format {
    /// Reads the pin; without it, `pattern` in UTC.
    pub fn of(input: &mut Input, pattern: &str, cx: &Cx) -> Self {
        let mut asked = Input::new(input.object("format_type"));
        let named = asked.text("timezone");
        let users = cx.time_zone.as_deref().filter(|_| asked.flag("use_user_timezone", false));
        let zone = users.and_then(|zone| zone.parse().ok()).or_else(|| named.parse().ok()).unwrap_or(Tz::UTC);
        let microseconds = asked.flag("include_microseconds", false);
        if asked.text("discriminator") == "iso8601" {
            return Self { pattern: None, microseconds, zone };
        }
        let pattern = match asked.take("format") {
            Value::String(own) => own,
            _ => pattern.to_owned(),
        };
        Self { pattern: Some(pattern), microseconds, zone }
    }

    /// When the execution started, in the zone asked for.
    pub fn now(&self, cx: &Cx) -> DateTime<Tz> {
        DateTime::<Utc>::from_timestamp_micros(cx.now.0).unwrap_or_default().with_timezone(&self.zone)
    }

    /// The moment as text; `iso` is the ISO 8601 form without fraction and offset.
    pub fn write(&self, moment: &DateTime<Tz>, iso: &str) -> String {
        match &self.pattern {
            Some(pattern) => strftime(moment, pattern),
            None => {
                let fraction = if self.microseconds { "%.6f" } else { "" };
                moment.format(&format!("{iso}{fraction}%:z")).to_string()
            }
        }
    }

    /// The day as text.
    pub fn write_date(&self, moment: &DateTime<Tz>) -> String {
        strftime(moment, self.pattern.as_deref().unwrap_or("%Y-%m-%d"))
    }
}
