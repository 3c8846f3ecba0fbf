//! One field of a cron expression, as a set of numbers.

use super::{CronError, FieldName};

/// The values a field admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit n is set when n is admitted. Sunday is 0.
    bits: u64,
    /// Whether the field begins with `*`.
    pub(super) starred: bool,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl FieldName {
    /// The smallest value, and the largest one that `*` reaches.
    fn span(self) -> (u32, u32) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 6),
        }
    }

    /// The largest value one may write: Sunday has a second number.
    fn largest(self) -> u32 {
        if self == Self::DayOfWeek { 7 } else { self.span().1 }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            _ => &[],
        }
    }
}

impl Field {
    pub(super) fn parse(name: FieldName, text: &str) -> Result<Self, CronError> {
        let mut bits = 0;
        for item in text.split(',') {
            let wrong = |reason| CronError::Field { field: name, text: item.to_owned(), reason };
            bits |= parse_item(name, item).map_err(wrong)?;
        }
        Ok(Self { bits, starred: text.starts_with('*') })
    }

    /// Whether the field admits `value`.
    pub(super) fn has(self, value: u32) -> bool {
        self.bits >> value & 1 == 1
    }

    /// The first admitted value from `from` on.
    pub(super) fn from(self, from: u32) -> Option<u32> {
        let rest = self.bits.checked_shr(from)?;
        (rest != 0).then(|| from + rest.trailing_zeros())
    }

    /// How many values the field admits.
    pub(super) fn count(self) -> u32 {
        self.bits.count_ones()
    }
}

fn parse_item(name: FieldName, item: &str) -> Result<u64, String> {
    let (low, high) = name.span();
    let (range, step) = match item.split_once('/') {
        None => (item, None),
        Some((range, step)) => (range, Some(parse_step(step, high - low + 1)?)),
    };
    let (first, last) = if range == "*" {
        (low, high)
    } else if let Some((first, last)) = range.split_once('-') {
        (parse_value(name, first)?, parse_value(name, last)?)
    } else {
        let only = parse_value(name, range)?;
        // `5/15` goes on from 5 to the end; for a weekday the end is Saturday.
        if step.is_some() {
            (if only == 7 && name == FieldName::DayOfWeek { 0 } else { only }, high)
        } else {
            (only, only)
        }
    };

    let days = name == FieldName::DayOfWeek;
    let (first, last) = match (first, last) {
        (7, 7) if days => (0, 0),
        (7, last) if days => (0, last),
        // The week is a circle: Saturday to Tuesday runs over its end.
        (first, last) if days && last < first => (first, last + 7),
        (first, last) if last < first => return Err("the range runs backwards".to_owned()),
        range => range,
    };
    let values = (first..=last).step_by(step.unwrap_or(1));
    Ok(values.fold(0, |bits, value| bits | 1 << if days { value % 7 } else { value }))
}

fn parse_step(text: &str, longest: u32) -> Result<usize, String> {
    match number(text) {
        Some(step) if (1..=longest).contains(&step) => Ok(step as usize),
        Some(_) => Err(format!("the step must be 1 to {longest}")),
        None => Err("the step is not a number".to_owned()),
    }
}

fn parse_value(name: FieldName, text: &str) -> Result<u32, String> {
    let (low, _) = name.span();
    if let Some(at) = name.names().iter().position(|known| known.eq_ignore_ascii_case(text)) {
        return Ok(at as u32 + low);
    }
    match number(text) {
        Some(value) if (low..=name.largest()).contains(&value) => Ok(value),
        Some(_) => Err(format!("must be {low} to {}", name.largest())),
        None if text.is_empty() => Err("a value is missing".to_owned()),
        None => Err(match name.names() {
            [first, .., last] => format!("{text:?} is neither a number nor a name from {first} to {last}"),
            _ => format!("{text:?} is not a number"),
        }),
    }
}

/// Digits only: the library's own parser would let a sign through.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Too many digits are a number all the same, and out of every range.
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}
