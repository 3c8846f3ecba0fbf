use chrono::{NaiveDateTime, Timelike};

use super::*;

const LONDON: Tz = Tz::Europe__London;
const BERLIN: Tz = Tz::Europe__Berlin;
const NEW_YORK: Tz = Tz::America__New_York;
const LORD_HOWE: Tz = Tz::Australia__Lord_Howe;

fn cron(text: &str) -> Cron {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn utc(text: &str) -> Time {
    let text = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
    Time(text.parse::<NaiveDateTime>().expect("a date and time").and_utc().timestamp_micros())
}

fn shown(time: Time) -> String {
    time.rfc3339().replace(":00Z", "")
}

/// The next `count` firings after a moment, in UTC.
fn firings(text: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let (cron, mut at) = (cron(text), utc(after));
    let mut all = Vec::new();
    for _ in 0..count {
        let Some(next) = cron.next_after(at, zone) else { break };
        assert!(next > at, "{text} goes back");
        all.push(shown(next));
        at = next;
    }
    all
}

#[test]
fn weekdays_follow_the_standard_table() {
    const NAMES: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    for (field, days) in [
        ("*", "Sun Mon Tue Wed Thu Fri Sat"),
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("2", "Tue"),
        ("3", "Wed"),
        ("4", "Thu"),
        ("5", "Fri"),
        ("6", "Sat"),
        ("sun", "Sun"),
        ("MON", "Mon"),
        ("Tue", "Tue"),
        ("wEd", "Wed"),
        ("thu", "Thu"),
        ("FRI", "Fri"),
        ("sat", "Sat"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("mon-fri", "Mon Tue Wed Thu Fri"),
        ("MON-5", "Mon Tue Wed Thu Fri"),
        ("0-6", "Sun Mon Tue Wed Thu Fri Sat"),
        ("0-7", "Sun Mon Tue Wed Thu Fri Sat"),
        ("1-7", "Sun Mon Tue Wed Thu Fri Sat"),
        ("5-7", "Sun Fri Sat"),
        ("6-7", "Sun Sat"),
        ("7-7", "Sun"),
        ("0-0", "Sun"),
        ("7-0", "Sun"),
        ("7-2", "Sun Mon Tue"),
        ("0-2", "Sun Mon Tue"),
        ("6-2", "Sun Mon Tue Sat"),
        ("sat-tue", "Sun Mon Tue Sat"),
        ("fri-sun", "Sun Fri Sat"),
        ("5-0", "Sun Fri Sat"),
        ("6-0", "Sun Sat"),
        ("2-1", "Sun Mon Tue Wed Thu Fri Sat"),
        ("*/2", "Sun Tue Thu Sat"),
        ("*/3", "Sun Wed Sat"),
        ("*/7", "Sun"),
        ("*/1", "Sun Mon Tue Wed Thu Fri Sat"),
        ("1-5/2", "Mon Wed Fri"),
        ("5-2/2", "Sun Tue Fri"),
        ("6-2/3", "Tue Sat"),
        ("0-7/2", "Sun Tue Thu Sat"),
        ("1-7/2", "Sun Mon Wed Fri"),
        ("1/2", "Mon Wed Fri"),
        ("7/2", "Sun Tue Thu Sat"),
        ("1,3,5", "Mon Wed Fri"),
        ("0,7", "Sun"),
        ("sun,wed-thu,6", "Sun Wed Thu Sat"),
        ("5-7,1", "Sun Mon Fri Sat"),
    ] {
        // 5 January 2025 is a Sunday.
        let (cron, mut at, mut due) = (cron(&format!("0 12 * * {field}")), utc("2025-01-05T00:00"), Vec::new());
        while let Some(next) = cron.next_after(at, Tz::UTC).filter(|next| *next < utc("2025-01-12T00:00")) {
            due.push(NAMES[(next.unix() - utc("2025-01-05T00:00").unix()) as usize / 86_400]);
            at = next;
        }
        assert_eq!(due.join(" "), days, "{field}");
    }
}

#[test]
fn fields_and_calendar() {
    for (text, after, expected) in [
        ("* * * * *", "2025-03-01T10:20:30", "2025-03-01T10:21 2025-03-01T10:22"),
        ("5/20 * * * *", "2025-03-01T10:20", "2025-03-01T10:25 2025-03-01T10:45"),
        ("10-20/5 3 * * *", "2025-03-01T10:20", "2025-03-02T03:10 2025-03-02T03:15"),
        ("0 0 1 * *", "2025-12-15T00:00", "2026-01-01T00:00 2026-02-01T00:00"),
        ("0 0 31 * *", "2025-03-31T00:00", "2025-05-31T00:00 2025-07-31T00:00"),
        ("0 0 1 JAN,Jul *", "2025-01-01T00:00", "2025-07-01T00:00 2026-01-01T00:00"),
        ("0 0 1 oct-dec/2 *", "2025-01-01T00:00", "2025-10-01T00:00 2025-12-01T00:00"),
        ("0 0 1 2/5 *", "2025-01-01T00:00", "2025-02-01T00:00 2025-07-01T00:00"),
        ("59 23 31 12 *", "2025-12-31T23:58:59", "2025-12-31T23:59 2026-12-31T23:59"),
        ("  0\t6   * * 1-5 ", "2025-01-03T06:00", "2025-01-06T06:00 2025-01-07T06:00"),
        // Leap days, and the year 2100, which has none.
        ("0 0 29 2 *", "2025-01-01T00:00", "2028-02-29T00:00 2032-02-29T00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00 2108-02-29T00:00"),
        // A leap day on a Sunday; the second gap holds the year 2100.
        ("0 0 29 2 */7", "2025-01-01T00:00", "2032-02-29T00:00 2060-02-29T00:00"),
        ("0 0 29 2 */7", "2088-03-01T00:00", "2128-02-29T00:00"),
        // Dates that never come.
        ("0 0 30 2 *", "2025-01-01T00:00", ""),
        ("0 0 31 4,6,9,11 *", "2025-01-01T00:00", ""),
        // Both day fields: either one; with a star in front, both.
        ("0 0 13 * 5", "2025-06-01T00:00", "2025-06-06T00:00 2025-06-13T00:00 2025-06-20T00:00"),
        ("0 0 13 * 1", "2025-06-10T00:00", "2025-06-13T00:00 2025-06-16T00:00"),
        ("0 0 30 2 1", "2025-02-01T00:00", "2025-02-03T00:00 2025-02-10T00:00"),
        ("0 0 */10 * 1", "2025-06-01T00:00", "2025-07-21T00:00 2025-08-11T00:00"),
        ("0 0 1-31 * 1", "2025-06-10T00:00", "2025-06-11T00:00 2025-06-12T00:00"),
    ] {
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(firings(text, Tz::UTC, after, expected.len().max(1)), expected, "{text} after {after}");
    }
}

#[test]
fn errors_name_the_field_and_the_text() {
    for (text, message) in [
        ("", r#"a cron expression has five fields (minute hour day-of-month month day-of-week), "" has 0"#),
        (
            "* * * *",
            r#"a cron expression has five fields (minute hour day-of-month month day-of-week), "* * * *" has 4"#,
        ),
        (
            "0 * * * * *",
            r#"a cron expression has five fields (minute hour day-of-month month day-of-week), "0 * * * * *" has 6"#,
        ),
        ("@Hourly", r#"write "0 * * * *" instead of "@Hourly""#),
        ("@midnight", r#"write "0 0 * * *" instead of "@midnight""#),
        (
            "@reboot",
            r#"a cron expression has five fields (minute hour day-of-month month day-of-week), "@reboot" has 1"#,
        ),
        ("60 * * * *", r#"minute "60": must be 0 to 59"#),
        ("-1 * * * *", r#"minute "-1": a value is missing"#),
        ("+1 * * * *", r#"minute "+1": "+1" is not a number"#),
        ("99999999999999999999 * * * *", r#"minute "99999999999999999999": must be 0 to 59"#),
        ("١ * * * *", r#"minute "١": "١" is not a number"#),
        ("* 24 * * *", r#"hour "24": must be 0 to 23"#),
        ("* 22-2 * * *", r#"hour "22-2": the range runs backwards"#),
        ("* * 0 * *", r#"day-of-month "0": must be 1 to 31"#),
        ("* * 1,32 * *", r#"day-of-month "32": must be 1 to 31"#),
        ("* * L * *", r#"day-of-month "L": "L" is not a number"#),
        ("* * * 13 *", r#"month "13": must be 1 to 12"#),
        ("* * * january *", r#"month "january": "january" is neither a number nor a name from jan to dec"#),
        ("* * * nov-feb *", r#"month "nov-feb": the range runs backwards"#),
        ("* * * * 8", r#"day-of-week "8": must be 0 to 7"#),
        ("* * * * mo", r#"day-of-week "mo": "mo" is neither a number nor a name from sun to sat"#),
        ("* * * * 1,,2", r#"day-of-week "": a value is missing"#),
        ("* * * * 1-", r#"day-of-week "1-": a value is missing"#),
        ("* * * * 1-2-3", r#"day-of-week "1-2-3": "2-3" is neither a number nor a name from sun to sat"#),
        ("*/0 * * * *", r#"minute "*/0": the step must be 1 to 60"#),
        ("*/90 * * * *", r#"minute "*/90": the step must be 1 to 60"#),
        ("*/ * * * *", r#"minute "*/": the step is not a number"#),
        ("*/5/5 * * * *", r#"minute "*/5/5": the step is not a number"#),
        ("** * * * *", r#"minute "**": "**" is not a number"#),
        ("*-5 * * * *", r#"minute "*-5": "*" is not a number"#),
    ] {
        assert_eq!(text.parse::<Cron>().expect_err(text).to_string(), message);
    }
    assert_eq!(
        zone("Mars/Base").expect_err("no zone").to_string(),
        r#""Mars/Base" is not a time zone name such as Europe/Berlin"#
    );
    assert_eq!(zone("Europe/Berlin"), Ok(BERLIN));
}

#[test]
fn clocks_put_forward() {
    for (text, zone, after, expected) in [
        // Berlin, 30 March 2025: 02:00 to 03:00 is skipped at 01:00 UTC.
        ("30 2 * * *", BERLIN, "2025-03-29T00:00", "2025-03-29T01:30 2025-03-30T01:00 2025-03-31T00:30"),
        ("0 2 * * *", BERLIN, "2025-03-29T12:00", "2025-03-30T01:00 2025-03-31T00:00"),
        // Several skipped slots, and one right after the gap, are one firing.
        (
            "0,20,40 2,3 * * *",
            BERLIN,
            "2025-03-30T00:00",
            "2025-03-30T01:00 2025-03-30T01:20 2025-03-30T01:40 2025-03-31T00:00",
        ),
        ("*/15 2 * * *", BERLIN, "2025-03-30T00:00", "2025-03-30T01:00 2025-03-31T00:00"),
        ("0 */2 * * *", BERLIN, "2025-03-29T23:30", "2025-03-30T01:00 2025-03-30T02:00"),
        // Every hour has its own slot: nothing to make up for.
        ("30 * * * *", BERLIN, "2025-03-30T00:00", "2025-03-30T00:30 2025-03-30T01:30"),
        ("* * * * *", BERLIN, "2025-03-30T00:58", "2025-03-30T00:59 2025-03-30T01:00 2025-03-30T01:01"),
        // Just before the gap ends, within the last second, and at its end.
        ("30 2 * * *", BERLIN, "2025-03-30T00:59:59.500", "2025-03-30T01:00"),
        ("30 2 * * *", BERLIN, "2025-03-30T01:00", "2025-03-31T00:30"),
        // A day that is not due is not made due by the gap.
        ("30 2 * * 1", BERLIN, "2025-03-29T00:00", "2025-03-31T00:30"),
        // New York, 9 March 2025: 02:00 to 03:00 is skipped at 07:00 UTC.
        ("30 2 * * *", NEW_YORK, "2025-03-08T08:00", "2025-03-09T07:00 2025-03-10T06:30"),
        // Lord Howe, 5 October 2025: 02:00 to 02:30 is skipped at 15:30 UTC the day before.
        ("15 2 * * *", LORD_HOWE, "2025-10-04T00:00", "2025-10-04T15:30 2025-10-05T15:15"),
        ("45 2 * * *", LORD_HOWE, "2025-10-04T00:00", "2025-10-04T15:45 2025-10-05T15:45"),
        ("0 * * * *", LORD_HOWE, "2025-10-04T14:00", "2025-10-04T14:30 2025-10-04T16:00"),
        // Beirut skips midnight itself; Samoa skipped the whole of 30 December 2011.
        ("0 0 * * *", Tz::Asia__Beirut, "2025-03-29T12:00", "2025-03-29T22:00 2025-03-30T21:00"),
        ("0 9 * * *", Tz::Pacific__Apia, "2011-12-29T00:00", "2011-12-29T19:00 2011-12-30T10:00 2011-12-30T19:00"),
    ] {
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(firings(text, zone, after, expected.len()), expected, "{text} in {zone}");
    }
}

#[test]
fn clocks_put_back() {
    for (text, zone, after, expected) in [
        // Berlin, 26 October 2025: 02:00 to 03:00 is shown twice, from 00:00 and from 01:00 UTC.
        ("30 2 * * *", BERLIN, "2025-10-25T12:00", "2025-10-26T00:30 2025-10-27T01:30"),
        ("0 2 * * *", BERLIN, "2025-10-25T12:00", "2025-10-26T00:00 2025-10-27T01:00"),
        ("0 3 * * *", BERLIN, "2025-10-25T12:00", "2025-10-26T02:00 2025-10-27T02:00"),
        ("0,30 1-3 * * *", BERLIN, "2025-10-26T00:00", "2025-10-26T00:30 2025-10-26T02:00 2025-10-26T02:30"),
        // Asked in the middle of the second showing: what it shows was due before.
        ("50 2 * * *", BERLIN, "2025-10-26T01:10", "2025-10-27T01:50"),
        ("50 2 * * *", BERLIN, "2025-10-26T00:50", "2025-10-27T01:50"),
        // With a star in the minute or hour both showings count.
        (
            "30 * * * *",
            BERLIN,
            "2025-10-25T23:00",
            "2025-10-25T23:30 2025-10-26T00:30 2025-10-26T01:30 2025-10-26T02:30",
        ),
        (
            "*/30 2 * * *",
            BERLIN,
            "2025-10-25T23:00",
            "2025-10-26T00:00 2025-10-26T00:30 2025-10-26T01:00 2025-10-26T01:30 2025-10-27T01:00",
        ),
        ("0 */2 * * *", BERLIN, "2025-10-25T23:30", "2025-10-26T00:00 2025-10-26T01:00 2025-10-26T03:00"),
        // New York, 2 November 2025: 01:00 to 02:00 twice, from 05:00 and from 06:00 UTC.
        ("30 1 * * *", NEW_YORK, "2025-11-02T00:00", "2025-11-02T05:30 2025-11-03T06:30"),
        // Lord Howe, 6 April 2025: 01:30 to 02:00 twice, from 14:30 and from 15:00 UTC the day before.
        ("45 1 * * *", LORD_HOWE, "2025-04-05T00:00", "2025-04-05T14:45 2025-04-06T15:15"),
        ("15 1 * * *", LORD_HOWE, "2025-04-05T00:00", "2025-04-05T14:15 2025-04-06T14:45"),
        ("45 * * * *", LORD_HOWE, "2025-04-05T14:00", "2025-04-05T14:45 2025-04-05T15:15 2025-04-05T16:15"),
        // Havana shows midnight to 01:00 twice, so a day begins twice.
        ("0 0 * * *", Tz::America__Havana, "2025-11-01T12:00", "2025-11-02T04:00 2025-11-03T05:00"),
    ] {
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(firings(text, zone, after, expected.len()), expected, "{text} in {zone}");
    }
}

#[test]
fn zones_without_clock_changes() {
    for (zone, expected) in [
        (Tz::UTC, "2025-03-30T02:30"),
        (Tz::Asia__Kolkata, "2025-03-30T21:00"),
        (Tz::Asia__Kathmandu, "2025-03-30T20:45"),
        (Tz::Asia__Tokyo, "2025-03-30T17:30"),
        (Tz::Pacific__Kiritimati, "2025-03-30T12:30"),
        (Tz::America__Phoenix, "2025-03-30T09:30"),
    ] {
        assert_eq!(firings("30 2 * * *", zone, "2025-03-30T00:00", 1), [expected], "{zone}");
    }
}

#[test]
fn a_moment_at_the_end_of_time_has_no_next() {
    for time in [Time(i64::MAX), Time(i64::MIN), Time(8_210_266_876_799_000_000)] {
        assert_eq!(cron("* * * * *").next_after(time, BERLIN), None);
    }
}

/// A pseudo-random sequence, so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(bound)) as u32
    }

    /// A field and the values it means.
    fn field(&mut self, low: u32, high: u32) -> (String, Vec<u32>) {
        let size = high - low + 1;
        match self.below(5) {
            0 => ("*".to_owned(), (low..=high).collect()),
            1 => {
                let step = 1 + self.below(size);
                (format!("*/{step}"), (low..=high).filter(|value| (value - low).is_multiple_of(step)).collect())
            }
            2 => {
                let (a, b) = (low + self.below(size), low + self.below(size));
                let (a, b) = (a.min(b), a.max(b));
                (format!("{a}-{b}"), (a..=b).collect())
            }
            _ => {
                let values: Vec<_> = (0..1 + self.below(3)).map(|_| low + self.below(size)).collect();
                (values.iter().map(u32::to_string).collect::<Vec<_>>().join(","), values)
            }
        }
    }
}

#[test]
fn the_search_agrees_with_a_scan_of_every_minute() {
    use chrono::{Datelike, TimeDelta, TimeZone};

    let starts = ["2025-03-28", "2025-10-24", "2025-03-07", "2025-10-31", "2025-10-03", "2025-04-04", "2024-02-27"];
    let zones =
        [BERLIN, NEW_YORK, LORD_HOWE, LONDON, Tz::UTC, Tz::America__Havana, Tz::Asia__Beirut, Tz::Africa__Casablanca];
    let mut dice = Dice(16);
    for round in 0..300 {
        let (minute, minutes) = dice.field(0, 59);
        let (hour, hours) = if dice.below(2) == 0 { ("1-3".to_owned(), vec![1, 2, 3]) } else { dice.field(0, 23) };
        let (day, days) = if dice.below(2) == 0 { ("*".to_owned(), (1..=31).collect()) } else { dice.field(1, 31) };
        let (weekday, weekdays) = dice.field(0, 6);
        let text = format!("{minute} {hour} {day} * {weekday}");
        let zone = zones[round % zones.len()];
        let start = utc(&format!("{}T00:00", starts[dice.below(starts.len() as u32) as usize]));
        let start = start.plus_seconds(i64::from(dice.below(4 * 1440)) * 60);

        let elastic = minute.starts_with('*') || hour.starts_with('*');
        let either = !day.starts_with('*') && !weekday.starts_with('*');
        let matches = |local: NaiveDateTime| {
            let (a, b) = (days.contains(&local.day()), weekdays.contains(&local.weekday().num_days_from_sunday()));
            minutes.contains(&local.minute()) && hours.contains(&local.hour()) && if either { a || b } else { a && b }
        };
        let every_hour = (0..24).all(|hour| hours.contains(&hour));
        let local_at = |time: Time| {
            let utc = chrono::DateTime::from_timestamp_micros(time.0).expect("in range").naive_utc();
            zone.from_utc_datetime(&utc).naive_local()
        };

        // The scan begins two days early, to know what the clock has shown.
        let mut due = Vec::new();
        let mut at = start.plus_seconds(-2 * 86_400);
        let mut newest = local_at(at);
        for _ in 0..5 * 1440 {
            let previous = local_at(at);
            at = at.plus_seconds(60);
            let local = local_at(at);
            let mut skipped = previous + TimeDelta::minutes(1);
            let mut made_up = false;
            while skipped < local {
                made_up |= matches(skipped) && !every_hour;
                skipped += TimeDelta::minutes(1);
            }
            if (made_up || matches(local) && (elastic || local > newest)) && at > start {
                due.push(at);
            }
            newest = newest.max(local);
        }

        let cron = cron(&text);
        let (mut found, mut from) = (Vec::new(), start);
        while let Some(next) = cron.next_after(from, zone).filter(|next| *next <= at) {
            found.push(next);
            from = next;
        }
        let shown = |times: &[Time]| times.iter().copied().map(shown).collect::<Vec<_>>();
        assert_eq!(shown(&found), shown(&due), "{text} in {zone} after {}", start.rfc3339());
        // Within a minute the answer is the same as at its beginning.
        assert_eq!(cron.next_after(Time(start.0 + 30_000_001), zone), cron.next_after(start, zone));
    }
}

#[test]
fn a_slot_is_shown_with_the_offset_of_its_day() {
    let (winter, summer) = (Time(1_770_109_200_000_000), Time(1_785_661_200_000_000));
    let shown = |at| super::shown(at, zone("Europe/Berlin").unwrap());
    assert_eq!(
        (shown(winter), shown(summer)),
        ("2026-02-03T10:00:00+01:00".into(), "2026-08-02T11:00:00+02:00".into())
    );
}
