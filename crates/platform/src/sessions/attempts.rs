//! How often somebody may try a password, so that guessing is hopeless and nobody can shut an account's owner out.
//!
//! Failures are counted three ways:
//!
//! * for an account *and* a network: ten in fifteen minutes. Guessing one person's password from one place ends here, and
//!   only that place is refused.
//! * for a network: a hundred in fifteen minutes, whatever the accounts. Trying one password on many accounts ends here.
//! * for an account from anywhere: a hundred in an hour. Guessing from many places ends here. Past it only places are
//!   heard from which the account was signed in before, so strangers who guess cannot lock its owner out; an owner who is
//!   somewhere new meanwhile resets the password by mail, which signs in, or asks the operator to.
//!
//! An attempt counts from its beginning and is taken back when the password was right, so that attempts at once do not
//! slip past. Unknown accounts are counted like others. Everything is bounded, and kept over a restart ([`Counting`]).

use crate::counters::Counting;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use heddle_model::Time;

/// An account as counters know it: SHA-256 of what was typed, in lower case.
pub(super) type Name = [u8; 32];

const QUARTER: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Counters held at once of each kind. Past it and nothing stale to drop, what is new is not counted: a full table must
/// not lock anybody out.
const MOST: usize = 50_000;

/// What is counted.
pub(super) struct Attempts {
    counters: Mutex<Counters>,
    changes: AtomicU64,
}

struct Counters {
    here: Windows<(Name, IpAddr)>,
    network: Windows<IpAddr>,
    account: Windows<Name>,
    sign_ups: Windows<IpAddr>,
    resets: Windows<IpAddr>,
    mails: Windows<Name>,
    passkeys: Windows<IpAddr>,
}

impl Default for Attempts {
    fn default() -> Self {
        let counters = Counters {
            here: Windows::new(10, QUARTER),
            network: Windows::new(100, QUARTER),
            account: Windows::new(100, HOUR),
            sign_ups: Windows::new(20, HOUR),
            resets: Windows::new(10, QUARTER),
            mails: Windows::new(3, HOUR),
            passkeys: Windows::new(100, QUARTER),
        };
        Self { counters: Mutex::new(counters), changes: AtomicU64::new(0) }
    }
}

impl Counting for Attempts {
    fn name(&self) -> &'static str {
        "sign-in"
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn dump(&self) -> serde_json::Result<Vec<u8>> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_vec(&(
            counters.here.dump(),
            counters.network.dump(),
            counters.account.dump(),
            counters.sign_ups.dump(),
            counters.resets.dump(),
            counters.mails.dump(),
            counters.passkeys.dump(),
        ))
    }

    fn restore(&self, dumped: &[u8]) -> serde_json::Result<()> {
        let (here, network, account, sign_ups, resets, mails, passkeys) = serde_json::from_slice(dumped)?;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.here.restore(here);
        counters.network.restore(network);
        counters.account.restore(account);
        counters.sign_ups.restore(sign_ups);
        counters.resets.restore(resets);
        counters.mails.restore(mails);
        counters.passkeys.restore(passkeys);
        Ok(())
    }
}

impl Attempts {
    fn with<T>(&self, work: impl FnOnce(&mut Counters) -> T) -> T {
        self.changes.fetch_add(1, Ordering::Relaxed);
        // Counters stay usable whatever happened to another holder of the lock.
        work(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether so many tried this account that only known places are heard.
    pub(super) fn is_besieged(&self, name: &Name, now: Time) -> bool {
        self.with(|counters| counters.account.wait(name, now).is_some())
    }

    /// Begins to try a password; otherwise how many seconds to wait.
    pub(super) fn begin(&self, name: Name, network: IpAddr, is_known: bool, now: Time) -> Result<(), u32> {
        self.with(|counters| {
            let here = counters.here.wait(&(name, network), now);
            let network_wait = counters.network.wait(&network, now);
            let account = counters.account.wait(&name, now).filter(|_| !is_known);
            if let Some(seconds) = [here, network_wait, account].into_iter().flatten().max() {
                return Err(seconds);
            }
            counters.here.hit((name, network), now);
            counters.network.hit(network, now);
            counters.account.hit(name, now);
            Ok(())
        })
    }

    /// The password was right.
    pub(super) fn forgive(&self, name: &Name, network: &IpAddr) {
        self.with(|counters| {
            counters.here.forget(&(*name, *network));
            counters.network.take_back(network);
            counters.account.take_back(name);
        });
    }

    /// Counts a passkey that is tried there; otherwise how many seconds to wait. They cannot be guessed: this bounds the work.
    pub(super) fn passkey(&self, network: IpAddr, now: Time) -> Result<(), u32> {
        self.with(|counters| counters.passkeys.take(network, now))
    }

    /// The passkey was right.
    pub(super) fn forgive_passkey(&self, network: &IpAddr) {
        self.with(|counters| counters.passkeys.take_back(network));
    }

    /// Counts a new account from there; otherwise how many seconds to wait.
    pub(super) fn sign_up(&self, network: IpAddr, now: Time) -> Result<(), u32> {
        self.with(|counters| counters.sign_ups.take(network, now))
    }

    /// Counts that a reset was asked for there; otherwise how many seconds to wait.
    pub(super) fn reset(&self, network: IpAddr, now: Time) -> Result<(), u32> {
        self.with(|counters| counters.resets.take(network, now))
    }

    /// Counts a mail to an account; false when it had enough.
    pub(super) fn mail(&self, name: Name, now: Time) -> bool {
        self.with(|counters| counters.mails.take(name, now).is_ok())
    }
}

/// Hits per key in fixed windows that begin with the first hit.
struct Windows<K> {
    open: HashMap<K, (Time, u32)>,
    most: u32,
    length: Duration,
}

impl<K: Eq + Hash> Windows<K> {
    fn new(most: u32, length: Duration) -> Self {
        Self { open: HashMap::new(), most, length }
    }

    fn dump(&self) -> Vec<(&K, &(Time, u32))> {
        self.open.iter().collect()
    }

    fn restore(&mut self, dumped: Vec<(K, (Time, u32))>) {
        self.open.extend(dumped);
    }

    /// How many seconds until there may be one more, when there were enough.
    fn wait(&self, key: &K, now: Time) -> Option<u32> {
        let &(begun, hits) = self.open.get(key)?;
        let left = self.length.checked_sub(now.since(begun)).filter(|left| !left.is_zero())?;
        (hits >= self.most).then(|| u32::try_from(left.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
    }

    fn hit(&mut self, key: K, now: Time) {
        let length = self.length;
        let is_over = |begun: Time| now.since(begun) >= length;
        if self.open.len() >= MOST && !self.open.contains_key(&key) {
            self.open.retain(|_, (begun, _)| !is_over(*begun));
            if self.open.len() >= MOST {
                return;
            }
        }
        let (begun, hits) = self.open.entry(key).or_insert((now, 0));
        if is_over(*begun) {
            (*begun, *hits) = (now, 0);
        }
        *hits = hits.saturating_add(1);
    }

    fn take(&mut self, key: K, now: Time) -> Result<(), u32> {
        match self.wait(&key, now) {
            Some(seconds) => Err(seconds),
            None => {
                self.hit(key, now);
                Ok(())
            }
        }
    }

    fn take_back(&mut self, key: &K) {
        if let Some((_, hits)) = self.open.get_mut(key) {
            *hits = hits.saturating_sub(1);
        }
    }

    fn forget(&mut self, key: &K) {
        self.open.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Name = [1; 32];
    const BOB: Name = [2; 32];
    const NOON: Time = Time(1_770_000_000_000_000);

    fn place(number: u8) -> IpAddr {
        IpAddr::from([10, 0, number / 100, number])
    }

    #[test]
    fn one_place_is_refused_one_account_until_its_window_ends() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            assert_eq!(attempts.begin(ADA, place(1), false, NOON), Ok(()));
        }
        assert_eq!(attempts.begin(ADA, place(1), false, NOON), Err(901));
        assert_eq!(attempts.begin(ADA, place(1), true, NOON.plus_seconds(899)), Err(2), "also a place that is known");
        assert_eq!(attempts.begin(ADA, place(2), false, NOON), Ok(()), "another place");
        assert_eq!(attempts.begin(BOB, place(1), false, NOON), Ok(()), "another account");
        assert_eq!(attempts.begin(ADA, place(1), false, NOON.plus_seconds(900)), Ok(()));
    }

    #[test]
    fn one_place_may_not_try_everybody() {
        let attempts = Attempts::default();
        for number in 0..100 {
            assert_eq!(attempts.begin([number; 32], place(1), false, NOON), Ok(()));
        }
        assert_eq!(attempts.begin([200; 32], place(1), true, NOON), Err(901));
        assert_eq!(attempts.begin([200; 32], place(2), true, NOON), Ok(()));
    }

    #[test]
    fn an_account_under_siege_still_hears_places_that_are_known() {
        let attempts = Attempts::default();
        for number in 0..100 {
            assert!(!attempts.is_besieged(&ADA, NOON));
            assert_eq!(attempts.begin(ADA, place(number), false, NOON), Ok(()));
        }
        assert!(attempts.is_besieged(&ADA, NOON));
        assert_eq!(attempts.begin(ADA, place(150), false, NOON), Err(3_601));
        assert_eq!(attempts.begin(ADA, place(150), true, NOON), Ok(()));
        assert!(!attempts.is_besieged(&ADA, NOON.plus_seconds(3_600)));
    }

    #[test]
    fn right_passwords_do_not_count() {
        let attempts = Attempts::default();
        for _ in 0..1_000 {
            assert_eq!(attempts.begin(ADA, place(1), false, NOON), Ok(()));
            attempts.forgive(&ADA, &place(1));
        }
    }

    #[test]
    fn tables_are_bounded_and_full_ones_lock_nobody_out() {
        let mut windows = Windows::new(1, QUARTER);
        for key in 0..MOST + 10 {
            windows.hit(key, NOON);
        }
        assert_eq!(windows.open.len(), MOST);
        assert_eq!((windows.take(0, NOON), windows.take(MOST + 1, NOON)), (Err(901), Ok(())));
        assert_eq!(windows.take(MOST + 1, NOON.plus_seconds(900)), Ok(()));
        assert_eq!(windows.open.len(), 1, "stale ones make room");
    }
}
