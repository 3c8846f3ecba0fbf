//! Numbers as Python reads them.

use heddle_model::Value;

/// A whole number; 3.0 is one, true is not. One past 64 bits counts as the nearest that fits: as an index, a size or a
/// count it is out of any range all the same.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let number = value.as_f64()?;
    (number.fract() == 0.0).then_some(number as i64)
}

/// What `int(text)` gives.
pub(crate) fn int(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.contains('_') { ungrouped(text)?.parse().ok() } else { text.parse().ok() }
}

/// Takes out underscores, which may only stand between digits.
fn ungrouped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let fine = bytes.iter().enumerate().all(|(at, &b)| b != b'_' || (at > 0 && digit(at - 1) && digit(at + 1)));
    fine.then(|| text.replace('_', ""))
}

/// Python's `round(x)`: to the nearest whole number, halves to the even one, and an integer while it fits.
pub(crate) fn rounded(number: f64) -> Value {
    let rounded = number.round_ties_even();
    if rounded.abs() < 9.2e18 { Value::from(rounded as i64) } else { Value::from(rounded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_python_reads_them() {
        let cases = [
            (" 15 ", Some(15)),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("_1", None),
            ("1.0", None),
            ("", None),
            ("+2", Some(2)),
        ];
        for (text, expected) in cases {
            assert_eq!(int(text), expected, "{text}");
        }
    }

    #[test]
    fn a_whole_number_past_the_range_counts_as_the_nearest() {
        let cases = [
            (Value::from(3.0), Some(3)),
            (Value::from(1.5), None),
            (Value::from(u64::MAX), Some(i64::MAX)),
            (Value::from(-1e300), Some(i64::MIN)),
            (Value::from(true), None),
        ];
        for (value, expected) in cases {
            assert_eq!(integer(&value), expected, "{value}");
        }
    }

    #[test]
    fn halves_round_to_the_even_number() {
        for (number, expected) in [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-3.5, -4)] {
            assert_eq!(rounded(number), Value::from(expected), "{number}");
        }
    }
}
