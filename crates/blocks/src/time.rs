//! The clock as an execution saw it, and waiting.

pub(crate) mod countdown;
pub(crate) mod current_date;
pub(crate) mod current_date_time;
pub(crate) mod current_time;
mod format;
mod strftime;
