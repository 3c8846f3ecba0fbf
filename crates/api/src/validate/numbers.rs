//! Integers and booleans as the original's validation library reads them from texts.

/// What a text is as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// An integer that fits.
    Is(i64),
    /// An integer, but out of our range.
    TooBig,
    /// Something else.
    Not,
}

/// Reads an optional sign, digits (single underscores between them) and a zero fraction, spaces around allowed.
pub fn integer(text: &str) -> Integer {
    let text = text.trim();
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let whole = match unsigned.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return Integer::Not,
        None => unsigned,
    };
    let mut value = Some(0_i64);
    let mut after_digit = false;
    for byte in whole.bytes() {
        match byte {
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                let signed = if negative { -digit } else { digit };
                value = value.and_then(|value| value.checked_mul(10)?.checked_add(signed));
                after_digit = true;
            }
            b'_' if after_digit => after_digit = false,
            _ => return Integer::Not,
        }
    }
    match (after_digit, value) {
        (false, _) => Integer::Not,
        (true, Some(value)) => Integer::Is(value),
        (true, None) => Integer::TooBig,
    }
}

/// Reads the words for true and false, in any letter case.
pub fn boolean(text: &str) -> Option<bool> {
    const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];
    const FALSE: [&str; 6] = ["0", "off", "f", "false", "n", "no"];
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    if TRUE.iter().any(is) { Some(true) } else { FALSE.iter().any(is).then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_signs_spaces_zero_fractions_and_underscores() {
        use Integer::{Is, Not, TooBig};
        for (text, expected) in [
            ("1", Is(1)),
            ("+1", Is(1)),
            (" -12 ", Is(-12)),
            ("1.0", Is(1)),
            ("007.000", Is(7)),
            ("1_000", Is(1000)),
            ("9223372036854775807", Is(i64::MAX)),
            ("-9223372036854775808", Is(i64::MIN)),
            ("9223372036854775808", TooBig),
            ("1.5", Not),
            ("abc", Not),
            ("", Not),
            ("+", Not),
            ("+-1", Not),
            ("1__0", Not),
            ("_1", Not),
            ("1_", Not),
            (".0", Not),
            ("1e3", Not),
            ("0x1", Not),
            ("١", Not),
        ] {
            assert_eq!(integer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn booleans_take_words_in_any_case() {
        for (text, expected) in [
            ("true", Some(true)),
            ("Yes", Some(true)),
            ("ON", Some(true)),
            ("1", Some(true)),
            ("n", Some(false)),
            ("False", Some(false)),
            ("0", Some(false)),
            ("2", None),
            ("", None),
            (" true", None),
            ("maybe", None),
        ] {
            assert_eq!(boolean(text), expected, "{text:?}");
        }
    }
}
