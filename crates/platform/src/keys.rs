//! API keys: made, shown once, checked on every request, revoked.
//!
//! A key is 256 random bits, kept as its SHA-256 digest and found by it, so nothing on the request path is slow and
//! nothing secret is stored (`auth.md` 2). Checked keys are remembered until
//! something about keys or accounts changes.

use crate::accounts::Accounts;
use crate::clock::SystemClock;
use crate::{Error, Principal};
use heddle_engine::ports::Clock;
use heddle_model::{KeyId, Scope, Time, UserId};
use heddle_store::Store;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub use heddle_store::ApiKey;

/// What every key starts with.
const PREFIX: &str = "agpt_";
const DISPLAYED: usize = 8;
/// `last_used_at` moves at most this often.
const TOUCH_MICROS: i64 = 60_000_000;
const CACHED: u64 = 10_000;

/// What a new key is made of.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// For people.
    pub description: Option<String>,
}

/// A key that was checked.
struct Known {
    principal: Principal,
    id: KeyId,
    /// The accounts' generation when it was read; it holds only within that one.
    generation: u64,
    touched: AtomicI64,
}

/// The API keys of this server.
#[derive(Clone)]
pub struct Keys {
    store: Store,
    accounts: Accounts,
    clock: SystemClock,
    known: Cache<[u8; 32], Arc<Known>>,
}

impl Keys {
    pub(crate) fn new(store: Store, accounts: Accounts) -> Self {
        let known = Cache::builder().max_capacity(CACHED).time_to_live(Duration::from_secs(60)).build();
        Self { store, accounts, clock: SystemClock, known }
    }

    /// Makes a key; the text beside the record is the only time it is seen.
    pub async fn create(&self, owner: UserId, new: NewKey) -> Result<(ApiKey, String), Error> {
        let account = self.accounts.get(owner).await?.ok_or_else(|| Error::NotFound("User not found.".to_owned()))?;
        let key = new_key()?;
        let id = KeyId::from_random(self.clock.random());
        let record = heddle_store::NewKey {
            id,
            organization: account.organization,
            name: new.name,
            head: key[..DISPLAYED].to_owned(),
            tail: key[key.len() - DISPLAYED..].to_owned(),
            digest: digest(&key),
            scopes: new.scopes,
            description: new.description,
            created_at: self.clock.now(),
        };
        self.store.insert_key(owner, record).await?;
        tracing::info!(target: "audit", { account.id = %owner, key.id = %id }, "API key {id} was made");
        let made = self.list(owner).await?.into_iter().find(|record| record.id == id);
        made.map(|record| (record, key)).ok_or_else(|| Error::Internal("a new key has vanished".to_owned()))
    }

    /// Who a key speaks for. `None` for an unknown, revoked, suspended or malformed key alike, and when its account is
    /// disabled. Marks the key as used, at most once a minute.
    pub async fn authenticate(&self, key: &str) -> Result<Option<Principal>, Error> {
        if !key.starts_with(PREFIX) {
            return Ok(None);
        }
        let digest = digest(key);
        let generation = self.accounts.generation();
        let known = match self.known.get(&digest) {
            Some(known) if known.generation == generation => known,
            _ => match self.look_up(digest, generation).await? {
                Some(known) => known,
                None => return Ok(None),
            },
        };
        self.touch(&known);
        Ok(Some(known.principal.clone()))
    }

    async fn look_up(&self, digest: [u8; 32], generation: u64) -> Result<Option<Arc<Known>>, Error> {
        let Some((key, account)) = self.store.key_by_digest(&digest).await? else { return Ok(None) };
        if account.disabled_at.is_some() {
            return Ok(None);
        }
        let principal =
            Principal { user: key.owner, organization: key.organization, key: Some(key.id), scopes: key.scopes };
        let touched = AtomicI64::new(key.last_used_at.unwrap_or(Time(0)).0);
        let known = Arc::new(Known { principal, id: key.id, generation, touched });
        self.known.insert(digest, Arc::clone(&known));
        Ok(Some(known))
    }

    fn touch(&self, known: &Known) {
        let now = self.clock.now();
        let last = known.touched.load(Ordering::Relaxed);
        let first = |last| known.touched.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now.0 - last < TOUCH_MICROS || !first(last) {
            return;
        }
        let (store, id) = (self.store.clone(), known.id);
        tokio::spawn(async move {
            if let Err(error) = store.touch_key(id, now).await {
                tracing::warn!(key.id = %id, "the last use of key {id} was not noted: {error}");
            }
        });
    }

    /// The owner's keys, newest first.
    pub async fn list(&self, owner: UserId) -> Result<Vec<ApiKey>, Error> {
        Ok(self.store.keys(owner).await?)
    }

    /// One of the owner's keys.
    pub async fn get(&self, owner: UserId, id: &str) -> Result<ApiKey, Error> {
        let missing = || Error::NotFound("API key not found".to_owned());
        let id = KeyId::parse(id).ok_or_else(missing)?;
        let keys = self.list(owner).await?;
        keys.into_iter().find(|key| key.id == id).ok_or_else(missing)
    }

    /// Stops a key from opening anything until it is resumed; a revoked one stays revoked.
    pub async fn suspend(&self, owner: UserId, id: &str) -> Result<ApiKey, Error> {
        self.change(id, async |key| self.store.suspend_key(owner, key).await).await
    }

    /// Lets a suspended key open things again; a revoked one stays revoked.
    pub async fn resume(&self, owner: UserId, id: &str) -> Result<ApiKey, Error> {
        self.change(id, async |key| self.store.resume_key(owner, key).await).await
    }

    /// Changes what a key may do.
    pub async fn set_scopes(&self, owner: UserId, id: &str, scopes: &[Scope]) -> Result<ApiKey, Error> {
        self.change(id, async |key| self.store.set_key_scopes(owner, key, scopes).await).await
    }

    /// Revokes a key for good.
    pub async fn revoke(&self, owner: UserId, id: &str) -> Result<ApiKey, Error> {
        self.change(id, async |key| self.store.revoke_key(owner, key, self.clock.now()).await).await
    }

    async fn change(
        &self,
        id: &str,
        change: impl AsyncFnOnce(KeyId) -> Result<ApiKey, heddle_store::Error>,
    ) -> Result<ApiKey, Error> {
        let missing = || Error::NotFound(format!("API key with id {id} not found"));
        let key = KeyId::parse(id).ok_or_else(missing)?;
        let result = change(key).await;
        // Also after a failure: nobody can tell whether it took place.
        self.accounts.changed();
        match result {
            Err(heddle_store::Error::NotFound) => Err(missing()),
            other => {
                let changed = other?;
                let (id, owner, status) = (changed.id, changed.owner, changed.status.as_str());
                tracing::info!(target: "audit", { account.id = %owner, key.id = %id, status }, "API key {id} is {status}");
                Ok(changed)
            }
        }
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// `agpt_` and 43 URL-safe base64 characters of 32 random bytes.
fn new_key() -> Result<String, Error> {
    secret(32).map(|text| format!("{PREFIX}{text}"))
}

/// URL-safe base64, without padding, of so many bytes from the operating system.
pub(crate) fn secret(bytes: usize) -> Result<String, Error> {
    use base64::Engine;
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
}
