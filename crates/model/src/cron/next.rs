//! The search for the next slot.
//!
//! Time is cut where the zone's offset changes. Within a piece, local time runs evenly, so the calendar alone finds the
//! next slot; the rules about clock changes are applied where two pieces meet.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

use super::Cron;
use crate::Time;

/// How far the search goes. A 29 February on one given weekday comes back after at most 40 years (around 2100).
const YEARS: i32 = 41;

/// The longest gap or repetition a zone has had is a day (islands that moved across the date line).
const LONGEST_CHANGE: TimeDelta = TimeDelta::hours(25);

pub(super) fn next_after(cron: &Cron, after: Time, zone: Tz) -> Option<Time> {
    let after = chrono::DateTime::from_timestamp_micros(after.0)?.naive_utc();
    // Slots and clock changes are on whole seconds: what is due at `from` is not after, from the next second on it is.
    let mut from = after.with_nanosecond(0)?;
    let mut earliest = from.checked_add_signed(TimeDelta::seconds(1))?;
    let last_year = from.year() + YEARS;
    let mut offset = offset_at(zone, from);

    // Local times before this were shown once already, and their slots were due then.
    let mut shown_until = NaiveDateTime::MIN;
    if !cron.is_elastic() {
        let before = from.checked_sub_signed(LONGEST_CHANGE)?;
        if let Some(change) = change_between(zone, before, from) {
            shown_until = change.checked_add_signed(offset_at(zone, before))?;
        }
    }

    loop {
        let local = earliest.checked_add_signed(offset)?.max(shown_until);
        let due = next_slot(cron, local, last_year)?.checked_sub_signed(offset)?;
        let Some(change) = change_between(zone, from, due) else { return Some(time(due)) };

        let shown = change.checked_add_signed(offset)?;
        offset = offset_at(zone, change);
        let resumed = change.checked_add_signed(offset)?;
        if shown < resumed {
            let swallowed = next_slot(cron, shown, last_year).is_some_and(|slot| slot < resumed);
            if swallowed && cron.hour.count() < 24 {
                return Some(time(change));
            }
        } else if !cron.is_elastic() {
            shown_until = shown;
        }
        from = change;
        earliest = change;
    }
}

fn time(at: NaiveDateTime) -> Time {
    Time(at.and_utc().timestamp_micros())
}

fn offset_at(zone: Tz, utc: NaiveDateTime) -> TimeDelta {
    TimeDelta::seconds(i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()))
}

/// The first moment in `(from, to]` whose offset is not that of `from`. Looks once a day: no zone changes its clocks and
/// changes them back within one.
fn change_between(zone: Tz, from: NaiveDateTime, to: NaiveDateTime) -> Option<NaiveDateTime> {
    let offset = offset_at(zone, from);
    let mut low = from;
    loop {
        if low >= to {
            return None;
        }
        let high = low.checked_add_days(Days::new(1))?.min(to);
        if offset_at(zone, high) != offset {
            return Some(bisect(zone, offset, low, high));
        }
        low = high;
    }
}

/// The second at which the offset stops being `offset`: it is so at `low`, and not so at `high`.
fn bisect(zone: Tz, offset: TimeDelta, mut low: NaiveDateTime, mut high: NaiveDateTime) -> NaiveDateTime {
    loop {
        let seconds = (high - low).num_seconds();
        if seconds <= 1 {
            return high;
        }
        let middle = low + TimeDelta::seconds(seconds / 2);
        if offset_at(zone, middle) == offset { low = middle } else { high = middle }
    }
}

/// The first local time from `from` on that the fields admit: pure calendar.
fn next_slot(cron: &Cron, from: NaiveDateTime, last_year: i32) -> Option<NaiveDateTime> {
    // A slot is a whole minute.
    let from = if from.second() == 0 && from.nanosecond() == 0 {
        from
    } else {
        from.with_second(0)?.with_nanosecond(0)?.checked_add_signed(TimeDelta::minutes(1))?
    };
    let mut day = from.date();
    let mut earliest = from.time();
    while day.year() <= last_year {
        if !cron.month.has(day.month()) {
            day = first_of_month_after(day)?;
        } else {
            if is_day(cron, day)
                && let Some(time) = next_in_day(cron, earliest)
            {
                return Some(day.and_time(time));
            }
            day = day.succ_opt()?;
        }
        earliest = NaiveTime::MIN;
    }
    None
}

fn first_of_month_after(day: NaiveDate) -> Option<NaiveDate> {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)
}

fn is_day(cron: &Cron, day: NaiveDate) -> bool {
    let of_month = cron.day.has(day.day());
    let of_week = cron.weekday.has(day.weekday().num_days_from_sunday());
    if cron.day.starred || cron.weekday.starred { of_month && of_week } else { of_month || of_week }
}

fn next_in_day(cron: &Cron, from: NaiveTime) -> Option<NaiveTime> {
    let hour = cron.hour.from(from.hour())?;
    if hour == from.hour()
        && let Some(minute) = cron.minute.from(from.minute())
    {
        return NaiveTime::from_hms_opt(hour, minute, 0);
    }
    let hour = if hour == from.hour() { cron.hour.from(hour + 1)? } else { hour };
    NaiveTime::from_hms_opt(hour, cron.minute.from(0)?, 0)
}
