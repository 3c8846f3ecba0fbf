//! The real clock and the operating system's randomness.

use heddle_engine::ports::Clock;
use heddle_model::Time;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

/// What tells applications' grants and browsers' sessions the time: the machine's clock, or one that a test sets.
#[derive(Clone)]
pub struct Watch(pub Arc<dyn Clock>);

impl Default for Watch {
    fn default() -> Self {
        Self(Arc::new(SystemClock))
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}
