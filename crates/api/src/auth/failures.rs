//! Bad credentials per minute, counted so that guessing gets slow and memory stays bounded.
//!
//! Only failures are counted: a valid key is never limited here.

use super::address::counted;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Counters held at once of each kind. Past it and nothing stale to drop, a new client is not counted: a full table
/// must not lock anybody out.
const MOST: usize = 20_000;

/// The first characters of a credential, by which guesses are told apart.
type Head = [u8; 8];

/// Counters of failed authentications.
pub struct Failures {
    per_head: u32,
    per_address: u32,
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    heads: Windows<(IpAddr, Head)>,
    addresses: Windows<IpAddr>,
}

impl Failures {
    /// Counters that refuse past these numbers a minute.
    pub fn new(per_head: u32, per_address: u32) -> Self {
        Self { per_head, per_address, counters: Mutex::default() }
    }

    /// Counts a failure; whether there were too many.
    pub fn count(&self, address: IpAddr, credential: &[u8], now: Instant) -> bool {
        let address = counted(address);
        let mut head = Head::default();
        let len = credential.len().min(head.len());
        head[..len].copy_from_slice(&credential[..len]);
        // Counters stay usable whatever happened to another holder of the lock.
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let of_head = counters.heads.hit((address, head), now);
        let of_address = counters.addresses.hit(address, now);
        of_head > self.per_head || of_address > self.per_address
    }
}

/// Hits per key in fixed windows that begin with the first hit.
struct Windows<K> {
    open: HashMap<K, (Instant, u32)>,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self { open: HashMap::new() }
    }
}

impl<K: Eq + Hash> Windows<K> {
    /// Counts a hit and returns how many there were in the window.
    fn hit(&mut self, key: K, now: Instant) -> u32 {
        let over = |begun: Instant| now.saturating_duration_since(begun) >= WINDOW;
        if self.open.len() >= MOST && !self.open.contains_key(&key) {
            self.open.retain(|_, (begun, _)| !over(*begun));
            if self.open.len() >= MOST {
                return 0;
            }
        }
        let (begun, hits) = self.open.entry(key).or_insert((now, 0));
        if over(*begun) {
            (*begun, *hits) = (now, 0);
        }
        *hits = hits.saturating_add(1);
        *hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(1, 1, 1, 1));
    const BOB: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(2, 2, 2, 2));

    #[test]
    fn failures_are_refused_past_the_limit_until_the_window_ends() {
        let failures = Failures::new(2, 3);
        let start = Instant::now();
        let refused =
            |address, key: &str, after| failures.count(address, key.as_bytes(), start + Duration::from_secs(after));
        assert!(!refused(ADA, "agpt_aaa1", 0));
        assert!(!refused(ADA, "agpt_aaa2", 1));
        assert!(refused(ADA, "agpt_aaa3", 2), "third with one head");
        assert!(refused(ADA, "agpt_bbb1", 3), "fourth from one address");
        assert!(!refused(BOB, "agpt_aaa1", 3), "another address");
        assert!(!refused(ADA, "agpt_aaa1", 60), "the next window");
    }

    #[test]
    fn the_table_is_bounded() {
        let mut windows = Windows::default();
        let start = Instant::now();
        for key in 0..MOST + 10 {
            windows.hit(key, start);
        }
        assert_eq!(windows.open.len(), MOST);
        assert_eq!(windows.hit(0, start), 2, "known clients stay counted");
        assert_eq!(windows.hit(MOST + 10, start + WINDOW), 1, "stale ones make room");
        assert_eq!(windows.open.len(), 1);
    }
}
