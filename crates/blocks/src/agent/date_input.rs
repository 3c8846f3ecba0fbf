//! An agent input that is a date.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

pub(crate) const BLOCK: Block = Block::pure("7e198b09-4994-47db-8b4d-952d98241817", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let Some(value) = input.given("value") else {
        return Ok(());
    };
    let text = value.as_str().unwrap_or_default();
    let date = parse(text).ok_or_else(|| refuse(format!("'{text}' is not a date like 2026-02-03")))?;
    out.emit("result", date.format("%Y-%m-%d").to_string())
}

/// A date, or a moment at midnight.
fn parse(text: &str) -> Option<NaiveDate> {
    // chrono takes numbers of any length; a date has four, two and two digits.
    if !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|parsed| parsed.to_string() == date)?;
    match rest {
        "" => Some(date),
        _ => {
            let moment = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S%.f").ok()?;
            (moment.time() == NaiveTime::MIN).then_some(date)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_real_dates_are_dates() {
        for text in ["2026-03-04", "2024-02-29", "2026-03-04T00:00:00", "2026-03-04T00:00:00Z"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in ["nope", "2026-02-30", "2026-3-4", "04/03/2026", "2026-03-04T10:00:00", "2026-03-04x", ""] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
