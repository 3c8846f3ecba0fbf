//! Python's `strftime` in the C locale, as glibc carries it out.
//!
//! Written by hand because chrono's own refuses directives that it does not know, where C prints them.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use std::fmt::Write;

/// The moment by the pattern.
pub(crate) fn strftime(moment: &DateTime<Tz>, pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let directive = &rest[at..];
        let flagged = directive[1..].starts_with(['-', '_', '0', '^', '#']);
        let flag = if flagged { directive.chars().nth(1) } else { None };
        let Some(letter) = directive.chars().nth(if flagged { 2 } else { 1 }) else {
            out.push_str(directive);
            return out;
        };
        let length = 1 + usize::from(flagged) + letter.len_utf8();
        match written(moment, letter) {
            Some(text) => flagged_text(&mut out, &text, flag),
            None => out.push_str(&directive[..length]),
        }
        rest = &directive[length..];
    }
    out.push_str(rest);
    out
}

/// glibc's flags: no padding, padding with blanks or zeros, upper case, the other case.
fn flagged_text(out: &mut String, text: &str, flag: Option<char>) {
    let zeros = text.len() - text.trim_start_matches('0').len();
    let padding = zeros.min(text.len().saturating_sub(1));
    let number = text.bytes().all(|b| b.is_ascii_digit());
    match flag {
        Some('-') if number => out.push_str(&text[padding..]),
        Some('-') => out.push_str(text.trim_start()),
        Some('_') if number => {
            let _ = write!(out, "{:>width$}", &text[padding..], width = text.len());
        }
        Some('0') => out.push_str(&text.replace(' ', "0")),
        Some('^') => out.push_str(&text.to_uppercase()),
        Some('#') if text == "AM" || text == "PM" => out.push_str(&text.to_lowercase()),
        Some('#') => out.push_str(&text.to_uppercase()),
        _ => out.push_str(text),
    }
}

fn written(moment: &DateTime<Tz>, letter: char) -> Option<String> {
    let two = |number: u32| format!("{number:02}");
    let blank = |number: u32| format!("{number:>2}");
    let days = moment.ordinal0() as i32;
    let from_sunday = moment.weekday().num_days_from_sunday() as i32;
    let from_monday = moment.weekday().num_days_from_monday() as i32;
    let week = |weekday: i32| two(((days + 7 - weekday) / 7).unsigned_abs());
    let twelve = moment.hour12().1;
    let pattern = |pattern: &str| Some(strftime(moment, pattern));
    Some(match letter {
        'Y' => moment.year().to_string(),
        'G' => moment.iso_week().year().to_string(),
        'C' => format!("{:02}", moment.year().div_euclid(100)),
        'y' => format!("{:02}", moment.year().rem_euclid(100)),
        'g' => format!("{:02}", moment.iso_week().year().rem_euclid(100)),
        'm' => two(moment.month()),
        'd' => two(moment.day()),
        'e' => blank(moment.day()),
        'H' => two(moment.hour()),
        'k' => blank(moment.hour()),
        'I' => two(twelve),
        'l' => blank(twelve),
        'M' => two(moment.minute()),
        'S' => two(moment.second()),
        'f' => format!("{:06}", moment.timestamp_subsec_micros()),
        'j' => format!("{:03}", moment.ordinal()),
        'U' => week(from_sunday),
        'W' => week(from_monday),
        'V' => two(moment.iso_week().week()),
        'w' => from_sunday.to_string(),
        'u' => (from_monday + 1).to_string(),
        'p' => if moment.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'P' => if moment.hour() < 12 { "am" } else { "pm" }.to_owned(),
        's' => moment.timestamp().to_string(),
        // Names in English, which are those of the C locale.
        'a' | 'A' | 'b' | 'B' | 'Z' | 'z' => moment.format(&format!("%{letter}")).to_string(),
        'h' => moment.format("%b").to_string(),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        'c' => return pattern("%a %b %e %H:%M:%S %Y"),
        'D' | 'x' => return pattern("%m/%d/%y"),
        'F' => return pattern("%Y-%m-%d"),
        'T' | 'X' => return pattern("%H:%M:%S"),
        'R' => return pattern("%H:%M"),
        'r' => return pattern("%I:%M:%S %p"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn directives_write_what_python_writes() {
        let moment = Tz::Europe__Paris.with_ymd_and_hms(2026, 2, 3, 5, 6, 7).single().expect("a moment");
        let cases = [
            ("%Y-%m-%d %H:%M:%S", "2026-02-03 05:06:07"),
            ("%a %A %b %B %p %y %j", "Tue Tuesday Feb February AM 26 034"),
            ("%U %W %V %G %u %w", "05 05 06 2026 2 2"),
            ("%z %Z", "+0100 CET"),
            ("%c|%x|%X", "Tue Feb  3 05:06:07 2026|02/03/26|05:06:07"),
            ("%-d/%-m %_d %e %^a %#p", "3/2  3  3 TUE am"),
            ("%% %q %", "% %q %"),
            ("%f %I %l", "000000 05  5"),
            ("é%dé", "é03é"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(strftime(&moment, pattern), expected, "{pattern}");
        }
    }
}
