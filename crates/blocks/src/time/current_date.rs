//! What day it is, or was some days ago.

use super::format::Format;
use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use crate::number;
use chrono::{TimeDelta, TimeZone};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::local("b29c1b50-5d0e-4d9f-8f9d-1b0e6fcbf0b1", run);

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let format = Format::of(&mut input, "%Y-%m-%d", cx);
    // Text that is no number counts as today.
    let days = match input.take("offset") {
        Value::String(text) => number::int(&text).unwrap_or(0),
        other => number::integer(&other).unwrap_or(0),
    };
    // Days of the calendar: where clocks change in between, a day is not 24 hours.
    let now = format.now(cx);
    let local = TimeDelta::try_days(days).and_then(|days| now.naive_local().checked_sub_signed(days));
    let day = local.map(|local| {
        now.timezone().from_local_datetime(&local).earliest().unwrap_or(now.timezone().from_utc_datetime(&local))
    });
    let day = day.ok_or_else(|| refuse(format!("{days} days from today is outside the calendar")))?;
    out.emit("date", format.write_date(&day))
}
