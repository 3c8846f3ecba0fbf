//! An agent input that is a time of day, emitted with its seconds.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use chrono::{NaiveTime, Timelike};

pub(crate) const BLOCK: Block = Block::pure("2a1c757e-86cf-4c7e-aacf-060dc382e434", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let Some(value) = input.given("value") else {
        return Ok(());
    };
    let text = value.as_str().unwrap_or_default();
    let time = written(text).ok_or_else(|| refuse(format!("'{text}' is not a time like 10:30 or 10:30:00")))?;
    out.emit("result", time)
}

/// The time in full; an offset from UTC is kept.
fn written(text: &str) -> Option<String> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], offset(&text[at..])?),
        None => (text, String::new()),
    };
    let fields: Vec<&str> = clock.split(':').collect();
    let two = |field: &str| field.len() == 2 && field.bytes().all(|b| b.is_ascii_digit());
    let seconds = fields.get(2).map_or(Some(""), |field| field.get(..2).map(|_| *field));
    if fields.len() > 3 || !fields.first().is_some_and(|f| two(f)) || !fields.get(1).is_some_and(|f| two(f)) {
        return None;
    }
    let format = if seconds?.is_empty() { "%H:%M" } else { "%H:%M:%S%.f" };
    if fields.get(2).is_some_and(|field| !two(field.split('.').next().unwrap_or_default())) {
        return None;
    }
    let time = NaiveTime::parse_from_str(clock, format).ok().filter(|time| time.nanosecond() < 1_000_000_000)?;
    let micros = time.nanosecond() / 1000;
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    Some(format!("{}{fraction}{offset}", time.format("%H:%M:%S")))
}

fn offset(text: &str) -> Option<String> {
    if text.eq_ignore_ascii_case("z") {
        return Some("Z".to_owned());
    }
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let fits = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    (fits && &digits[..2] < "24" && &digits[2..] < "60")
        .then(|| format!("{}{}:{}", &text[..1], &digits[..2], &digits[2..]))
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn times_are_written_in_full() {
        let cases = [
            ("10:30", Some("10:30:00")),
            ("10:30:05", Some("10:30:05")),
            ("23:59:59.5", Some("23:59:59.500000")),
            ("10:30Z", Some("10:30:00Z")),
            ("10:30:00+02:00", Some("10:30:00+02:00")),
            ("24:00", None),
            ("10:60", None),
            ("1:30", None),
            ("10", None),
            ("nope", None),
            ("", None),
            ("10:30:", None),
            ("10:30:60", None),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text).as_deref(), expected, "{text}");
        }
    }
}
