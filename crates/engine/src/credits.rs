//! What accounts may spend (`engine.md` 16).
//!
//! What an account has left is kept in memory for those whose runs move: what stands on disk, less what was taken for
//! executions whose frames are not there yet. An execution is paid for before it begins; what it costs is part of the
//! event that it began, and leaves the account's wallet in the transaction that keeps that event. So it is charged as
//! often as it is recorded: once. Runs of one account take from one purse, so no two of them spend the same credit.
//!
//! Whoever changes a wallet otherwise does it through [`Credits::change`].

use crate::journal::JournalError;
use async_trait::async_trait;
use heddle_model::{GraphId, Time, UserId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// Each so many executions of an account within a day cost a credit more.
const FEE_EVERY: u64 = 100;
/// What that is.
const FEE: u64 = 1;
/// How long executions are counted, from the first one on.
const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;
/// Whoever falls below so many credits is told.
const LOW: i64 = 500;

/// A wallet as it stands on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Credits; below nought when more was used than there was.
    pub balance: i64,
    /// Executions that were counted since `since`.
    pub counted: u64,
    /// When counting began.
    pub since: Time,
    /// The period whose refill it has had; each account has one refill a period.
    pub period: i64,
    /// What that refill brought.
    pub refill: u64,
}

/// Where wallets are kept.
#[async_trait]
pub trait Wallets: Send + Sync {
    /// An account's wallet, made when it is not there, refilled when that is due.
    async fn wallet(&self, owner: UserId, now: Time) -> Result<Wallet, JournalError>;

    /// The period to which a moment belongs.
    fn period(&self, now: Time) -> i64;

    /// Tells that an account runs out of credits. Returns at once.
    fn tell(&self, notice: Notice);
}

/// Something that the owner of a wallet should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose wallet.
    pub owner: UserId,
    /// What was running.
    pub graph: GraphId,
    /// Which of the two it is.
    pub what: Low,
    /// What is left.
    pub balance: i64,
    /// When.
    pub at: Time,
}

/// How low a balance has fallen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Low {
    /// It crossed the mark at which the owner is told.
    Low,
    /// A run ended for want of credits.
    Short,
}

/// What a frame takes from its owner's wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Credits, for all that the frame records.
    pub amount: u64,
    /// The number of the last execution in it, among those that are counted …
    pub counted: u64,
    /// … since then.
    pub since: Time,
}

/// There are not enough credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// What there is.
    pub have: i64,
    /// What it would take.
    pub need: u64,
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let need = i64::try_from(self.need).unwrap_or(i64::MAX);
        write!(f, "Insufficient balance of ${}, where this will cost ${}", Dollars(self.have), Dollars(need))
    }
}

/// Credits as dollars and cents.
struct Dollars(i64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, cents) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// Who spends, on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spender {
    /// The account.
    pub owner: UserId,
    /// The agent that runs.
    pub graph: GraphId,
}

/// What is left of one account's credits.
#[derive(Debug)]
struct Purse {
    balance: i64,
    /// What is set aside for executions that are paid for at their end.
    held: u64,
    counted: u64,
    since: Time,
    period: i64,
}

/// Credits that are set aside for an execution until this is dropped.
#[must_use]
pub struct Hold {
    credits: Arc<Credits>,
    owner: UserId,
    amount: u64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(purse) = self.credits.purses().get_mut(&self.owner) {
            purse.held -= self.amount;
        }
    }
}

/// The purses of those whose runs move.
pub struct Credits {
    wallets: Arc<dyn Wallets>,
    purses: Mutex<HashMap<UserId, Purse>>,
    /// Whoever reads or changes a wallet by itself does so alone: a purse must not be made of what is about to change.
    changing: tokio::sync::Mutex<()>,
    fee_every: u64,
}

impl Credits {
    /// No purses yet.
    pub fn new(wallets: Arc<dyn Wallets>) -> Self {
        Self::with_fee_every(wallets, FEE_EVERY)
    }

    /// As [`new`](Self::new), with another number of executions for the fee.
    pub fn with_fee_every(wallets: Arc<dyn Wallets>, fee_every: u64) -> Self {
        Self { wallets, purses: Mutex::default(), changing: tokio::sync::Mutex::default(), fee_every }
    }

    /// Sees to it that the account has a purse, refilled when that is due, and says what is in it.
    pub async fn open(&self, owner: UserId, now: Time) -> Result<i64, JournalError> {
        let period = self.wallets.period(now);
        if let Some(purse) = self.purses().get(&owner).filter(|purse| purse.period >= period) {
            return Ok(purse.balance);
        }
        let _alone = self.changing.lock().await;
        let wallet = self.wallets.wallet(owner, now).await?;
        let mut purses = self.purses();
        let purse = purses.entry(owner).or_insert_with(|| Purse {
            balance: wallet.balance,
            held: 0,
            counted: wallet.counted,
            since: wallet.since,
            period: wallet.period,
        });
        if std::mem::replace(&mut purse.period, wallet.period) != wallet.period {
            purse.balance += signed(wallet.refill);
        }
        Ok(purse.balance)
    }

    /// What is in an account's purse, if it has one.
    pub fn balance(&self, owner: UserId) -> Option<i64> {
        self.purses().get(&owner).map(|purse| purse.balance)
    }

    /// Pays for an execution that is about to begin, and counts it. One that may cost more afterwards needs a credit to
    /// begin with.
    pub fn take(&self, spender: Spender, cost: u64, more: bool, now: Time) -> Result<Charge, Short> {
        self.begin(spender, cost, cost, more, now)
    }

    /// The same for one that is paid for only if it succeeds, as tools are: it is counted, and what it will cost is set aside.
    pub fn admit(
        self: &Arc<Self>,
        spender: Spender,
        cost: u64,
        more: bool,
        now: Time,
    ) -> Result<(Charge, Hold), Short> {
        let charge = self.begin(spender, cost, 0, more, now)?;
        Ok((charge, Hold { credits: Arc::clone(self), owner: spender.owner, amount: cost }))
    }

    /// Sets credits aside for one that was admitted by an earlier process.
    pub fn hold(self: &Arc<Self>, owner: UserId, amount: u64) -> Hold {
        // Without a purse nothing can begin.
        let amount = self.purses().get_mut(&owner).map_or(0, |purse| {
            purse.held += amount;
            amount
        });
        Hold { credits: Arc::clone(self), owner, amount }
    }

    /// Takes `due` of `cost`, and sets the rest aside.
    fn begin(&self, spender: Spender, cost: u64, due: u64, more: bool, now: Time) -> Result<Charge, Short> {
        let mut purses = self.purses();
        let short = |have| Short { have, need: cost.max(1) };
        let purse = purses.get_mut(&spender.owner).ok_or(short(0))?;
        let is_over = now.0.saturating_sub(purse.since.0) >= DAY_MICROS;
        let (since, counted) = if is_over { (now, 1) } else { (purse.since, purse.counted + 1) };
        let fee = if counted.is_multiple_of(self.fee_every) { FEE } else { 0 };
        let (need, have) = (cost + fee, purse.balance - signed(purse.held));
        if (need > 0 && have < signed(need)) || (more && have <= 0) {
            return Err(Short { need: need.max(1), have });
        }
        (purse.since, purse.counted) = (since, counted);
        purse.held += cost - due;
        let amount = due + fee;
        self.lower(purse, spender, amount, now);
        Ok(Charge { amount, counted, since })
    }

    /// Draws credits for something that is no execution of a run; the caller puts it on disk, or puts it right.
    pub fn draw(&self, owner: UserId, amount: u64) -> Result<(), Short> {
        let mut purses = self.purses();
        let purse = purses.get_mut(&owner).ok_or(Short { have: 0, need: amount })?;
        let have = purse.balance - signed(purse.held);
        if have < signed(amount) {
            return Err(Short { have, need: amount });
        }
        purse.balance -= signed(amount);
        Ok(())
    }

    /// Pays for what an execution has used, whether or not there is enough.
    pub fn settle(&self, spender: Spender, cost: u64, now: Time) {
        if let Some(purse) = self.purses().get_mut(&spender.owner) {
            self.lower(purse, spender, cost, now);
        }
    }

    /// Puts right what was taken for a run: so much more, or less, of it stands on disk than was thought.
    pub fn correct(&self, owner: UserId, by: i64) {
        if let Some(purse) = self.purses().get_mut(&owner) {
            purse.balance += by;
        }
    }

    /// Tells the owner that a run ended for want of credits.
    pub fn fell_short(&self, spender: Spender, balance: i64, at: Time) {
        let Spender { owner, graph } = spender;
        self.wallets.tell(Notice { owner, graph, what: Low::Short, balance, at });
    }

    /// Changes a wallet on disk by what `change` says it has added, so that the purse follows.
    pub async fn change<E>(&self, owner: UserId, change: impl Future<Output = Result<i64, E>>) -> Result<i64, E> {
        let _alone = self.changing.lock().await;
        let added = change.await?;
        self.correct(owner, added);
        Ok(added)
    }

    fn lower(&self, purse: &mut Purse, spender: Spender, amount: u64, at: Time) {
        let before = purse.balance;
        purse.balance -= signed(amount);
        if before >= LOW && purse.balance < LOW {
            let Spender { owner, graph } = spender;
            self.wallets.tell(Notice { owner, graph, what: Low::Low, balance: purse.balance, at });
        }
    }

    fn purses(&self) -> MutexGuard<'_, HashMap<UserId, Purse>> {
        self.purses.lock().expect("nothing panics while it holds the lock")
    }
}

fn signed(credits: u64) -> i64 {
    i64::try_from(credits).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
