//! How often somebody may call (`auth.md` 9, `v1.md` 1.7): bad credentials for an address, and, where the operator wants
//! that, requests for a credential and scope. All in minutes of the clock.

use crate::counters::Counting;
use crate::{Clock, Principal};
use heddle_model::{KeyId, Scope, Time, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Seconds of a window.
const WINDOW: i64 = 60;
/// Counters held at once. Past it and nothing stale to drop, a new client is not counted: a full table must not lock
/// anybody out.
const MOST: usize = 40_000;
/// The first characters of a credential, by which guesses are told apart.
const HEAD: usize = 8;

/// What is allowed in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Bad credentials with the same first characters from one address.
    pub failures_per_head: u32,
    /// Bad credentials from one address.
    pub failures_per_address: u32,
    /// Requests of one credential for one scope that only reads or changes; `None`: as many as it likes.
    pub requests: Option<u32>,
    /// Requests that run something.
    pub executions: Option<u32>,
}

impl Default for Limit {
    fn default() -> Self {
        Self { failures_per_head: 30, failures_per_address: 300, requests: None, executions: None }
    }
}

/// What is counted.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Key {
    Head(IpAddr, [u8; HEAD]),
    Address(IpAddr),
    Scope(UserId, Option<KeyId>, Scope),
}

/// How a caller stands within the current window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Requests in a window.
    pub limit: u32,
    /// Those that are left.
    pub remaining: u32,
    /// When the window ends, in unix seconds.
    pub reset: i64,
    /// Seconds to wait when there were too many.
    pub retry_after: Option<u32>,
}

/// The counters.
#[derive(Clone)]
pub struct Limiter(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    limit: Limit,
    /// Window and hits.
    open: Mutex<HashMap<Key, (i64, u32)>>,
    changes: AtomicU64,
}

impl Limiter {
    pub(crate) fn new(limit: Limit, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { clock, limit, open: Mutex::default(), changes: AtomicU64::new(0) }))
    }

    /// What keeps it over a restart.
    pub(crate) fn counting(&self) -> Arc<dyn Counting> {
        self.0.clone()
    }

    /// Counts a bad credential from an address, which is one client's; whether there were too many.
    pub fn is_too_often(&self, address: IpAddr, credential: &[u8]) -> bool {
        let mut head = [0; HEAD];
        let length = credential.len().min(HEAD);
        head[..length].copy_from_slice(&credential[..length]);
        let window = self.0.window(self.0.clock.now());
        let mut open = self.0.open();
        let of_head = hit(&mut open, Key::Head(address, head), window);
        let of_address = hit(&mut open, Key::Address(address), window);
        self.0.changes.fetch_add(1, Ordering::Relaxed);
        of_head > self.0.limit.failures_per_head || of_address > self.0.limit.failures_per_address
    }

    /// Whether any requests are limited that are not bad.
    pub fn limits_requests(&self) -> bool {
        self.0.limit.requests.is_some() || self.0.limit.executions.is_some()
    }

    /// Counts a request; `None` where requests of this scope are not limited.
    pub fn admit(&self, caller: &Principal, scope: Scope) -> Option<Standing> {
        let limit = match scope {
            Scope::ExecuteGraph | Scope::ExecuteBlock | Scope::UseTools | Scope::RunAgent => self.0.limit.executions?,
            _ => self.0.limit.requests?,
        };
        let now = self.0.clock.now();
        let window = self.0.window(now);
        let hits = hit(&mut self.0.open(), Key::Scope(caller.user, caller.key, scope), window);
        self.0.changes.fetch_add(1, Ordering::Relaxed);
        let reset = (window + 1) * WINDOW;
        let left = u32::try_from((reset - now.unix()).clamp(1, WINDOW)).unwrap_or(1);
        Some(Standing {
            limit,
            remaining: limit.saturating_sub(hits),
            reset,
            retry_after: (hits > limit).then_some(left),
        })
    }
}

impl Shared {
    fn window(&self, now: Time) -> i64 {
        now.unix().div_euclid(WINDOW)
    }

    /// Counters stay usable whatever happened to another holder of the lock.
    fn open(&self) -> MutexGuard<'_, HashMap<Key, (i64, u32)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a hit and returns how many there were in the window.
fn hit(open: &mut HashMap<Key, (i64, u32)>, key: Key, window: i64) -> u32 {
    if open.len() >= MOST && !open.contains_key(&key) {
        open.retain(|_, (of, _)| *of == window);
        if open.len() >= MOST {
            return 0;
        }
    }
    let (of, hits) = open.entry(key).or_insert((window, 0));
    if *of != window {
        (*of, *hits) = (window, 0);
    }
    *hits = hits.saturating_add(1);
    *hits
}

impl Counting for Shared {
    fn name(&self) -> &'static str {
        "requests"
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn dump(&self) -> serde_json::Result<Vec<u8>> {
        let window = self.window(self.clock.now());
        let open = self.open();
        let current: Vec<_> = open.iter().filter(|(_, (of, _))| *of == window).collect();
        serde_json::to_vec(&current)
    }

    fn restore(&self, dumped: &[u8]) -> serde_json::Result<()> {
        let kept: Vec<(Key, (i64, u32))> = serde_json::from_slice(dumped)?;
        self.open().extend(kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_model::OrgId;

    struct At(std::sync::atomic::AtomicI64);

    impl Clock for At {
        fn now(&self) -> Time {
            Time(self.0.load(Ordering::Relaxed) * 1_000_000)
        }

        fn random(&self) -> [u8; 16] {
            [0; 16]
        }
    }

    /// Seconds at which a minute begins.
    const NOON: i64 = 1_770_000_000;
    const ADA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(1, 1, 1, 1));
    const BOB: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(2, 2, 2, 2));

    fn limiter(limit: Limit) -> (Limiter, Arc<At>) {
        let clock = Arc::new(At(NOON.into()));
        (Limiter::new(limit, clock.clone()), clock)
    }

    fn principal(user: u8, key: Option<u8>) -> Principal {
        let id = |number| heddle_model::KeyId::from_random([number; 16]);
        Principal {
            user: UserId::from_random([user; 16]),
            organization: OrgId::from_random([user; 16]),
            key: key.map(id),
            scopes: Vec::new(),
        }
    }

    #[test]
    fn failures_are_refused_past_the_limit_until_the_minute_ends() {
        let (limiter, clock) = limiter(Limit { failures_per_head: 2, failures_per_address: 3, ..Limit::default() });
        let refused = |address, key: &str, after| {
            clock.0.store(NOON + after, Ordering::Relaxed);
            limiter.is_too_often(address, key.as_bytes())
        };
        assert!(!refused(ADA, "agpt_aaa1", 0));
        assert!(!refused(ADA, "agpt_aaa2", 1));
        assert!(refused(ADA, "agpt_aaa3", 2), "third with one head");
        assert!(refused(ADA, "agpt_bbb1", 3), "fourth from one address");
        assert!(!refused(BOB, "agpt_aaa1", 3), "another address");
        assert!(!refused(ADA, "agpt_aaa1", 60), "the next minute");
    }

    #[test]
    fn requests_are_counted_by_account_key_and_scope_where_they_are_limited() {
        let (free, _) = limiter(Limit::default());
        assert_eq!(free.admit(&principal(1, None), Scope::ReadGraph), None);
        let (limiter, clock) = limiter(Limit { requests: Some(2), executions: Some(1), ..Limit::default() });
        clock.0.store(NOON + 15, Ordering::Relaxed);
        let admit = |user, key, scope| limiter.admit(&principal(user, key), scope).unwrap();
        let first = Standing { limit: 2, remaining: 1, reset: NOON + 60, retry_after: None };
        assert_eq!(admit(1, Some(1), Scope::ReadGraph), first);
        assert_eq!(admit(1, Some(1), Scope::ReadGraph), Standing { remaining: 0, ..first });
        let refused = Standing { remaining: 0, retry_after: Some(45), ..first };
        assert_eq!(admit(1, Some(1), Scope::ReadGraph), refused);
        for (user, key, scope) in
            [(2, Some(1), Scope::ReadGraph), (1, None, Scope::ReadGraph), (1, Some(1), Scope::Identity)]
        {
            assert_eq!(admit(user, key, scope), first);
        }
        let execution = Standing { limit: 1, remaining: 0, reset: NOON + 60, retry_after: None };
        assert_eq!(admit(1, Some(1), Scope::ExecuteGraph), execution);
        assert_eq!(admit(1, Some(1), Scope::ExecuteGraph), Standing { retry_after: Some(45), ..execution });
        clock.0.store(NOON + 60, Ordering::Relaxed);
        assert_eq!(admit(1, Some(1), Scope::ReadGraph), Standing { reset: NOON + 120, ..first });
    }

    #[test]
    fn what_was_counted_goes_on_in_another_process() {
        let limit = Limit { failures_per_head: 1, requests: Some(2), ..Limit::default() };
        let (before, _) = limiter(limit);
        assert!(!before.is_too_often(ADA, b"agpt_aaa1"));
        before.admit(&principal(1, None), Scope::ReadGraph);
        let dumped = before.counting().dump().unwrap();
        let (after, clock) = limiter(limit);
        after.counting().restore(&dumped).unwrap();
        assert!(after.is_too_often(ADA, b"agpt_aaa2"));
        assert_eq!(after.admit(&principal(1, None), Scope::ReadGraph).unwrap().remaining, 0);
        clock.0.store(NOON + 60, Ordering::Relaxed);
        assert_eq!(after.counting().dump().unwrap(), b"[]", "what is over is not kept");
        assert!(after.counting().restore(b"{").is_err());
    }

    #[test]
    fn the_table_is_bounded() {
        let mut open = HashMap::new();
        let key = |number: usize| Key::Address(IpAddr::from(u32::try_from(number).unwrap().to_be_bytes()));
        for number in 0..MOST + 10 {
            hit(&mut open, key(number), 1);
        }
        assert_eq!(open.len(), MOST);
        assert_eq!(hit(&mut open, key(0), 1), 2, "known clients stay counted");
        assert_eq!(hit(&mut open, key(MOST + 10), 2), 1, "stale ones make room");
        assert_eq!(open.len(), 1);
    }
}
