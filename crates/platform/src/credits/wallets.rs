//! Wallets as the engine asks for them: kept in the store, refilled each month.

use async_trait::async_trait;
use heddle_engine::credits::{Low, Notice, Wallet, Wallets};
use heddle_engine::journal::JournalError;
use heddle_model::{Time, UserId};
use heddle_store::{CreditNotice, Refill, Store};

/// Wallets in the store.
pub(super) struct StoredWallets {
    store: Store,
    upto: i64,
}

impl StoredWallets {
    pub(super) fn new(store: Store, upto: u32) -> Self {
        Self { store, upto: i64::from(upto) }
    }
}

#[async_trait]
impl Wallets for StoredWallets {
    async fn wallet(&self, owner: UserId, now: Time) -> Result<Wallet, JournalError> {
        let period = self.period(now);
        let key = format!("refill-{}-{:02}", period.div_euclid(12), period.rem_euclid(12) + 1);
        Ok(self.store.refilled_wallet(owner, Refill { period, upto: self.upto, key, at: now }).await?)
    }

    /// Months, counted from the year nought on (UTC).
    fn period(&self, now: Time) -> i64 {
        month(now.unix().div_euclid(24 * 3600))
    }

    fn tell(&self, notice: Notice) {
        let Notice { owner, graph, what, balance, at } = notice;
        let what = match what {
            Low::Low => "LOW_BALANCE",
            Low::Short => "INSUFFICIENT_FUNDS",
        };
        let store = self.store.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let kept = CreditNotice { what: what.to_owned(), graph, balance, created_at: at };
            match store.put_credit_notice(owner, kept).await {
                Ok(true) => {
                    tracing::warn!(account.id = %owner, graph.id = %graph, balance, what, "account {owner} has {balance} credits left");
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(account.id = %owner, what, "a notice was not kept: {error}"),
            }
        });
    }
}

/// The month of a day since 1970-01-01 in the proleptic Gregorian calendar, counted from the year nought. Years are taken
/// to begin in March, so that the day that not every year has is the last one.
fn month(day: i64) -> i64 {
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    (era * 400 + year) * 12 + month + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        // The first of January of the year nought.
        let mut day = -719_528;
        let lengths = |year: i64| {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        for year in 0..2_500 {
            for (index, length) in (0..).zip(lengths(year)) {
                assert_eq!(
                    (month(day), month(day + length - 1)),
                    (year * 12 + index, year * 12 + index),
                    "{year} {index}"
                );
                day += length;
            }
        }
    }

    #[test]
    fn a_refill_is_named_after_its_month() {
        // 2026-12-01.
        let period = month(20_788);
        assert_eq!((period.div_euclid(12), period.rem_euclid(12) + 1), (2026, 12));
    }
}
