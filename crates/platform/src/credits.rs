//! Credits: what an account has, where it came from, where it went (`engine.md` 16).
//!
//! Off by default: then spending is free, and what runs cost is only counted. Each execution of a run is paid for by the
//! engine ([`heddle_engine::Credits`]); blocks that are run by themselves are paid for here.

mod wallets;

use crate::Error;
use crate::clock::SystemClock;
use crate::keys::secret;
use heddle_engine::credits::Short;
use heddle_engine::ports::Clock;
use heddle_model::{Time, UserId};
use heddle_store::{NewCredit, Store};
use std::sync::Arc;
use wallets::StoredWallets;

pub use heddle_store::{CreditNotice, CreditRecord};

/// What the balance reads where spending is free.
const PLACEHOLDER: i64 = 100;
/// Records in one answer at most.
const LONGEST: usize = 1_000;
/// More credits than anybody is to have.
const MOST: i64 = 1_000_000_000_000;

/// Whether spending is free, and how wallets are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditRules {
    /// Executions are paid for.
    pub is_on: bool,
    /// What a balance is brought up to at its first use in each month, in credits.
    pub monthly_refill: u32,
}

impl Default for CreditRules {
    fn default() -> Self {
        Self { is_on: false, monthly_refill: 1500 }
    }
}

/// Why an operator changes a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// Given; taken away when below nought.
    Grant,
    /// Paid for in some other way.
    TopUp,
    /// Given back.
    Refund,
}

impl GrantKind {
    /// As on the wire and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "GRANT",
            Self::TopUp => "TOP_UP",
            Self::Refund => "REFUND",
        }
    }

    /// The kind of this name, in any case, with a dash or an underscore.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase().replace('-', "_");
        [Self::Grant, Self::TopUp, Self::Refund].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What an operator changes.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Why.
    pub kind: GrantKind,
    /// Credits; below nought to take some.
    pub amount: i64,
    /// For people.
    pub comment: Option<String>,
    /// The same key changes an account's wallet once; `None` for one of its own.
    pub key: Option<String>,
}

/// The credits of this server's accounts.
#[derive(Clone)]
pub struct Credits {
    store: Store,
    rules: CreditRules,
    /// `None`: spending is free.
    purses: Option<Arc<heddle_engine::Credits>>,
    clock: SystemClock,
}

/// A block that was paid for and may run by itself.
pub(crate) struct Paid {
    credits: Credits,
    owner: UserId,
    block: String,
}

impl Credits {
    pub(crate) fn new(store: Store, rules: CreditRules) -> Self {
        let wallets = || Arc::new(StoredWallets::new(store.clone(), rules.monthly_refill));
        let purses = rules.is_on.then(|| Arc::new(heddle_engine::Credits::new(wallets())));
        Self { store, rules, purses, clock: SystemClock }
    }

    /// What runs pay from.
    pub(crate) fn purses(&self) -> Option<Arc<heddle_engine::Credits>> {
        self.purses.clone()
    }

    /// Whether spending is not free.
    pub fn is_on(&self) -> bool {
        self.rules.is_on
    }

    /// Credits that an account may spend; a fixed number where spending is free.
    pub async fn balance(&self, owner: UserId) -> Result<i64, Error> {
        match &self.purses {
            Some(purses) => Ok(purses.open(owner, self.clock.now()).await?),
            None => Ok(PLACEHOLDER),
        }
    }

    /// [`Error::Payment`] when an account has no credit to start a run with.
    pub async fn check_start(&self, owner: UserId) -> Result<(), Error> {
        match self.balance(owner).await? {
            balance if balance > 0 => Ok(()),
            _ => {
                let text = "Insufficient balance to execute the agent. Please top up your account.";
                Err(Error::Payment(text.to_owned()))
            }
        }
    }

    /// What has changed an account's balance, newest first: of one kind (`GRANT`, `TOP_UP`, `REFUND`, `USAGE`) or of all,
    /// after a record in that order. All that one run took is one record.
    pub async fn transactions(
        &self,
        owner: UserId,
        kind: Option<&'static str>,
        after: Option<(Time, String)>,
        limit: usize,
    ) -> Result<Vec<CreditRecord>, Error> {
        Ok(self.store.credits(owner, kind, after, limit.min(LONGEST)).await?)
    }

    /// What an account was told since its wallet was last filled, oldest first.
    pub async fn notices(&self, owner: UserId) -> Result<Vec<CreditNotice>, Error> {
        Ok(self.store.credit_notices(owner).await?)
    }

    /// Changes an account's balance for an operator, once for each key, and says the record. [`Error::Refused`] where
    /// spending is free, and when more is to be taken than there is.
    pub async fn grant(&self, owner: UserId, grant: Grant) -> Result<CreditRecord, Error> {
        let purses = self.purses.as_ref().ok_or_else(|| refused("spending is free (credits.enabled)"))?;
        if grant.amount == 0 || grant.amount.abs() > MOST {
            return Err(refused("the amount must be a whole number of credits, and not nought"));
        }
        let key = match grant.key {
            Some(key) if key.is_empty() || key.len() > 255 => return Err(refused("the key is empty or too long")),
            Some(key) => key,
            None => secret(16)?,
        };
        // Before anything is added to what a refill brings up to its mark.
        purses.open(owner, self.clock.now()).await?;
        let (kind, amount) = (grant.kind.as_str(), grant.amount);
        let new = NewCredit {
            key: key.clone(),
            kind,
            amount,
            at: self.clock.now(),
            description: grant.comment,
            is_owed: false,
        };
        match purses.change(owner, self.changed(owner, new)).await {
            Ok(0) => {}
            Ok(added) => {
                tracing::info!(target: "audit", { account.id = %owner, credits = added, kind }, "a wallet changed by {added}");
            }
            Err(heddle_store::Error::NotFound) => return Err(refused("the account does not have so many credits")),
            Err(error) => return Err(error.into()),
        }
        let record = self.store.credit(owner, &key).await?;
        let record = record.ok_or_else(|| Error::Internal("a record of credits has vanished".to_owned()))?;
        match record.amount == amount && record.kind == kind {
            true => Ok(record),
            false => Err(Error::Conflict("this key was used for another change".to_owned())),
        }
    }

    /// Changes a wallet. Of a commit that failed nobody knows whether it took place, so the record decides.
    async fn changed(&self, owner: UserId, new: NewCredit) -> Result<i64, heddle_store::Error> {
        let (key, amount) = (new.key.clone(), new.amount);
        match self.store.change_wallet(owner, new).await {
            Err(error) if error.may_pass() => match self.store.credit(owner, &key).await? {
                Some(_) => Ok(amount),
                None => Err(error),
            },
            other => other,
        }
    }

    /// Pays for a block that is about to run by itself. [`Error::Payment`] with the contract's text. One that may cost
    /// more afterwards needs a credit to begin with.
    pub(crate) async fn pay(&self, owner: UserId, block: &str, cost: u64, more: bool) -> Result<Paid, Error> {
        let paid = Paid { credits: self.clone(), owner, block: block.to_owned() };
        let Some(purses) = &self.purses else { return Ok(paid) };
        if cost > 0 || more {
            let have = purses.open(owner, self.clock.now()).await?;
            let enough = if more { have > 0 } else { true };
            let drawn = if enough { purses.draw(owner, cost) } else { Err(Short { have, need: cost.max(1) }) };
            drawn.map_err(|short| Error::Payment(short.to_string()))?;
            paid.keep(purses, cost).await?;
        }
        Ok(paid)
    }
}

impl Paid {
    /// Takes what the block has used besides, whether or not there is enough.
    pub(crate) async fn settle(self, cost: u64) {
        let Some(purses) = self.credits.purses.clone().filter(|_| cost > 0) else { return };
        purses.correct(self.owner, -cost.cast_signed());
        if let Err(error) = self.keep(&purses, cost).await {
            tracing::error!(account.id = %self.owner, cost, "what {} has used was not paid for: {error}", self.block);
        }
    }

    /// Puts on disk what was taken from the purse; what is not there goes back.
    async fn keep(&self, purses: &heddle_engine::Credits, cost: u64) -> Result<(), Error> {
        if cost == 0 {
            return Ok(());
        }
        let new = NewCredit {
            key: secret(16)?,
            kind: "USAGE",
            amount: -cost.cast_signed(),
            at: self.credits.clock.now(),
            description: Some(self.block.clone()),
            is_owed: true,
        };
        let kept = self.credits.changed(self.owner, new).await;
        if kept.is_err() {
            purses.correct(self.owner, cost.cast_signed());
        }
        kept.map(drop).map_err(Error::from)
    }
}

fn refused(text: &str) -> Error {
    Error::Refused(text.to_owned())
}
