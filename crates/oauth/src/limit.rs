//! Attempts within fixed windows (`auth.md` 9): pure counters, with time as an argument and bounded memory.

use crate::Digest;
use heddle_model::Time;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// How long a window is.
pub const WINDOW_SECONDS: i64 = 60;
/// Failed client authentications of one client from one address within a window.
pub const CLIENT_FAILURES: u32 = 30;
/// Windows held at once. Past it and nothing stale to drop, a new key is not counted: a full table must not lock
/// anybody out.
const MOST: usize = 20_000;

/// Failed client authentications: by address, and by the digest of the client id, which may have any length.
pub type ClientFailures = Attempts<(IpAddr, Digest)>;

/// Counters for them.
pub fn client_failures() -> ClientFailures {
    Attempts::new(CLIENT_FAILURES)
}

/// Hits per key in windows that begin with the first hit.
pub struct Attempts<K> {
    most: u32,
    windows: HashMap<K, Window>,
}

struct Window {
    begun: Time,
    hits: u32,
}

impl Window {
    /// Over when its time is past, and when the clock was set back before its beginning.
    fn is_over(&self, now: Time) -> bool {
        now < self.begun || now >= self.begun.plus_seconds(WINDOW_SECONDS)
    }

    fn seconds_left(&self, now: Time) -> u32 {
        let micros = self.begun.plus_seconds(WINDOW_SECONDS).0.saturating_sub(now.0).max(0) as u64;
        micros.div_ceil(1_000_000).clamp(1, WINDOW_SECONDS.unsigned_abs()) as u32
    }
}

impl<K: Eq + Hash> Attempts<K> {
    /// Counters that are full after so many hits.
    pub fn new(most: u32) -> Self {
        Self { most, windows: HashMap::new() }
    }

    /// Whether this key has had all its hits: in how many seconds it may try again.
    pub fn is_full(&self, key: &K, now: Time) -> Option<u32> {
        let window = self.windows.get(key).filter(|window| !window.is_over(now))?;
        (window.hits >= self.most).then(|| window.seconds_left(now))
    }

    /// Every window that is open: its key, when it began, its hits.
    pub fn open(&self, now: Time) -> impl Iterator<Item = (&K, Time, u32)> {
        let open = self.windows.iter().filter(move |(_, window)| !window.is_over(now));
        open.map(|(key, window)| (key, window.begun, window.hits))
    }

    /// Puts a window back that another process had open.
    pub fn reopen(&mut self, key: K, begun: Time, hits: u32) {
        self.windows.insert(key, Window { begun, hits });
    }

    /// Counts a hit.
    pub fn hit(&mut self, key: K, now: Time) {
        if self.windows.len() >= MOST && !self.windows.contains_key(&key) {
            self.windows.retain(|_, window| !window.is_over(now));
            if self.windows.len() >= MOST {
                return;
            }
        }
        let window = self.windows.entry(key).or_insert(Window { begun: now, hits: 0 });
        if window.is_over(now) {
            *window = Window { begun: now, hits: 0 };
        }
        window.hits = window.hits.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    /// `auth.md` 9.
    #[test]
    fn a_key_waits_for_its_window_to_end() {
        let mut attempts = Attempts::new(2);
        let at = |seconds| NOW.plus_seconds(seconds);
        attempts.hit("a", at(0));
        assert_eq!(attempts.is_full(&"a", at(1)), None);
        attempts.hit("a", at(1));
        assert_eq!(attempts.is_full(&"a", at(2)), Some(58));
        assert_eq!(attempts.is_full(&"a", Time(at(60).0 - 1)), Some(1));
        assert_eq!(attempts.is_full(&"b", at(2)), None);
        assert_eq!(attempts.is_full(&"a", at(60)), None);
        attempts.hit("a", at(60));
        assert_eq!(attempts.is_full(&"a", at(61)), None, "a new window");
    }

    /// Issue 5, the attack list: clock jumps.
    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut attempts = Attempts::new(1);
        attempts.hit("a", NOW);
        assert_eq!(attempts.is_full(&"a", NOW), Some(60));
        assert_eq!(attempts.is_full(&"a", NOW.plus_seconds(-3_600)), None);
    }

    #[test]
    fn a_window_goes_on_where_it_was_put_back() {
        let (mut before, mut after) = (Attempts::new(2), Attempts::new(2));
        before.hit("a", NOW);
        before.hit("a", NOW);
        before.hit("old", NOW.plus_seconds(-60));
        for (key, begun, hits) in before.open(NOW.plus_seconds(1)) {
            after.reopen(*key, begun, hits);
        }
        assert_eq!(after.is_full(&"a", NOW.plus_seconds(2)), Some(58));
        assert_eq!(after.windows.len(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut attempts = Attempts::new(1);
        for key in 0..MOST + 10 {
            attempts.hit(key, NOW);
        }
        assert_eq!(attempts.windows.len(), MOST);
        attempts.hit(MOST + 10, NOW.plus_seconds(WINDOW_SECONDS));
        assert_eq!(attempts.windows.len(), 1);
    }
}
