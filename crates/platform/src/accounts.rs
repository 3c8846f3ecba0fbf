//! Accounts: who can own things.

use crate::clock::SystemClock;
use crate::{Error, password};
use heddle_engine::ports::Clock;
use heddle_model::{OrgId, UserId, cron};
use heddle_store::Store;
use moka::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use heddle_store::Account;

/// Accounts kept in memory, since every start looks at one.
const CACHED: u64 = 10_000;
/// Letters of a name.
const NAME: usize = 200;

/// What a new account is made of.
#[derive(Clone)]
pub struct NewAccount {
    /// An address with an `@`.
    pub email: String,
    /// For people.
    pub name: Option<String>,
    /// In clear; kept as an argon2id hash. `None`: cannot sign in with a password.
    pub password: Option<String>,
    /// An operator of this server.
    pub is_admin: bool,
}

/// The accounts of this server.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    clock: SystemClock,
    known: Cache<UserId, Arc<Account>>,
    generation: Arc<AtomicU64>,
}

impl Accounts {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, clock: SystemClock, known: Cache::new(CACHED), generation: Arc::default() }
    }

    /// Makes an account and its personal organization. [`Error::Conflict`] when the address is taken.
    pub async fn create(&self, new: NewAccount) -> Result<Account, Error> {
        let email = new.email.trim().to_owned();
        if !is_address(&email) {
            return Err(Error::Refused(format!("'{email}' is not an e-mail address")));
        }
        let password_hash = match new.password {
            Some(password) => Some(password::hash(password).await?),
            None => None,
        };
        let record = heddle_store::NewAccount {
            id: UserId::from_random(self.clock.random()),
            email: email.clone(),
            name: new.name,
            password_hash,
            is_admin: new.is_admin,
            created_at: self.clock.now(),
            organization: OrgId::from_random(self.clock.random()),
        };
        match self.store.create_account(record).await {
            Err(heddle_store::Error::Exists) => {
                Err(Error::Conflict(format!("an account with the address {email} exists already")))
            }
            other => {
                other?;
                self.named(Some(&email)).await
            }
        }
    }

    /// The account of an id; `None` when unknown or disabled.
    pub async fn get(&self, id: UserId) -> Result<Option<Arc<Account>>, Error> {
        if let Some(known) = self.known.get(&id) {
            return Ok(Some(known));
        }
        let found = self.store.account(id).await?.filter(|account| account.disabled_at.is_none()).map(Arc::new);
        if let Some(account) = &found {
            self.known.insert(id, Arc::clone(account));
        }
        Ok(found)
    }

    /// The account of an address, or without one the operator account made at first start; [`Error::NotFound`]
    /// otherwise.
    pub async fn named(&self, email: Option<&str>) -> Result<Account, Error> {
        let found = match email {
            Some(email) => self.store.account_by_email(email).await?,
            None => self.store.operator().await?,
        };
        found.ok_or_else(|| match email {
            Some(email) => Error::NotFound(format!("there is no account with the address {email}")),
            None => Error::NotFound("there is no operator account yet: start the server once".to_owned()),
        })
    }

    /// All accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<Account>, Error> {
        Ok(self.store.accounts().await?)
    }

    /// Disables an account: its credentials stop working at once.
    pub async fn disable(&self, email: &str) -> Result<Account, Error> {
        let account = self.named(Some(email)).await?;
        self.store.set_account_disabled(account.id, Some(self.clock.now())).await?;
        self.known.invalidate(&account.id);
        self.changed();
        self.named(Some(email)).await
    }

    /// Has a disabled account work again, with the keys it had.
    pub async fn enable(&self, email: &str) -> Result<Account, Error> {
        let account = self.named(Some(email)).await?;
        self.store.set_account_disabled(account.id, None).await?;
        self.known.invalidate(&account.id);
        self.changed();
        self.named(Some(email)).await
    }

    /// Sets a new password, which ends the account's sessions.
    pub async fn set_password(&self, email: &str, password: &str) -> Result<(), Error> {
        let account = self.named(Some(email)).await?;
        let hash = password::hash(password.to_owned()).await?;
        let set = self.store.set_password_hash(account.id, hash).await;
        self.changed();
        Ok(set?)
    }

    /// Sets what the account's owner may set about himself: a name and an IANA time zone, or none.
    pub async fn set_profile(&self, id: UserId, name: Option<String>, time_zone: Option<String>) -> Result<(), Error> {
        let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if name.as_deref().is_some_and(|name| name.chars().count() > NAME || name.contains(char::is_control)) {
            return Err(Error::Refused(format!("a name has at most {NAME} letters, all on one line")));
        }
        let time_zone = time_zone.map(|zone| zone.trim().to_owned()).filter(|zone| !zone.is_empty());
        if let Some(zone) = &time_zone {
            cron::zone(zone).map_err(|error| Error::Refused(error.to_string()))?;
        }
        let set = self.store.set_profile(id, name, time_zone).await;
        self.known.invalidate(&id);
        Ok(set?)
    }

    /// Counts changes of accounts and credentials: what was read in one generation says nothing about the next.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

/// A rough look: something, one `@`, something, and no space. Whether mail arrives is not known here.
fn is_address(email: &str) -> bool {
    let parts: Vec<&str> = email.split('@').collect();
    let ok = |part: &&str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    parts.len() == 2 && parts.iter().all(ok)
}
