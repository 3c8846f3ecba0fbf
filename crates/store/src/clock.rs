//! The time for the store's own bookkeeping (when a migration ran, when a value was put). Times that mean something to
//! anybody else come in from outside.

use heddle_model::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, or the epoch on a machine whose clock stands before it.
pub(crate) fn now() -> Time {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    Time(i64::try_from(micros).unwrap_or(i64::MAX))
}
