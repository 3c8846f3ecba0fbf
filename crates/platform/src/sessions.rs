//! Signing in and staying so: sessions of browsers, and the passwords that open them.
//!
//! A session is known by a token of 256 random bits that only its browser has; its SHA-256 is kept. It is over two weeks
//! after it was last used and ninety days after the password was given, whichever is first. It ends at once when it is
//! ended, when the password changes elsewhere, and when the account is disabled: checked sessions are remembered only until
//! something about accounts and credentials changes, as checked keys are. How often passwords may be tried is
//! said in `attempts`.

mod attempts;
mod passwords;
#[cfg(test)]
mod tests;

use crate::accounts::Accounts;
use crate::counters::Counting;
use crate::mail::Mail;
use crate::{Account, Error, NewAccount, Principal, Visitor, keys, password};
use attempts::{Attempts, Name};
use heddle_engine::ports::Clock;
use heddle_model::{Scope, SessionId, Time, UserId};
use heddle_store::{PasskeyUse, Store};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub use heddle_store::BrowserSession;

/// Seconds without use after which a session is over.
const IDLE: i64 = 14 * 86_400;
/// Seconds after which it is over whatever happens.
const LONGEST: i64 = 90 * 86_400;
/// `last_used_at` moves at most this often.
const TOUCH_MICROS: i64 = 60_000_000;
const CACHED: u64 = 10_000;
/// How long a place is remembered from which somebody signed in.
const PLACES: Duration = Duration::from_secs(90 * 86_400);

/// Who may sign in how.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// Anybody may make an account.
    pub is_open: bool,
    /// What sends mail with links to reset passwords; `None`: nobody does.
    pub mail: Option<Mail>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What he may do: everything that is his.
    pub principal: Principal,
    /// His account.
    pub account: Arc<Account>,
    /// His browser's session.
    pub session: SessionId,
    /// When the password was given, or the passkey shown.
    pub since: Time,
}

/// A session that has just begun.
#[derive(Clone)]
pub struct Begun {
    /// Whose.
    pub account: UserId,
    /// What the browser shows from now on. This is the only time it is seen.
    pub token: String,
    /// For how many seconds the browser should keep it.
    pub seconds: i64,
}

/// What a session is begun by.
pub(crate) enum How {
    /// The password with this hash.
    Password(String),
    /// A passkey.
    Passkey(PasskeyUse),
    /// Something that was settled before.
    Settled,
}

struct Known {
    session: BrowserSession,
    /// The accounts' generation when it was read; it holds only within that one.
    generation: u64,
    touched: AtomicI64,
    expires_at: AtomicI64,
}

/// The sessions of this server.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    accounts: Accounts,
    clock: Arc<dyn Clock>,
    known: Cache<[u8; 32], Arc<Known>>,
    places: Cache<(UserId, IpAddr), ()>,
    attempts: Arc<Attempts>,
    rules: SignIn,
}

impl Sessions {
    pub(crate) fn new(store: Store, accounts: Accounts, rules: SignIn, clock: Arc<dyn Clock>) -> Self {
        let known = Cache::builder().max_capacity(CACHED).time_to_live(Duration::from_secs(60)).build();
        let places = Cache::builder().max_capacity(10 * CACHED).time_to_live(PLACES).build();
        Self { store, accounts, clock, known, places, attempts: Arc::default(), rules }
    }

    /// What keeps its counters over a restart.
    pub(crate) fn counting(&self) -> Arc<dyn Counting> {
        self.attempts.clone()
    }

    /// Whether anybody may make an account.
    pub fn is_open(&self) -> bool {
        self.rules.is_open
    }

    /// Whether passwords can be reset by mail.
    pub fn has_mail(&self) -> bool {
        self.rules.mail.is_some()
    }

    /// Begins a session for whoever knows the password. [`Error::Forbidden`] when address or password is wrong, which is
    /// not told apart; [`Error::TooMany`] after too many wrong ones.
    pub async fn sign_in(&self, email: &str, password: String, visitor: &Visitor) -> Result<Begun, Error> {
        let account = self.store.account_by_email(email.trim()).await?;
        let account = account.filter(|account| account.disabled_at.is_none());
        let hash = self.try_password(account.as_ref(), email, password, visitor).await?;
        let wrong = || Error::Forbidden("The e-mail address or the password is wrong.".to_owned());
        let account = account.ok_or_else(wrong)?;
        self.begin(account.id, How::Password(hash.ok_or_else(wrong)?), visitor).await?.ok_or_else(wrong)
    }

    /// Makes an account and begins a session in it, where anybody may. [`Error::Forbidden`] elsewhere.
    pub async fn sign_up(
        &self,
        email: &str,
        name: Option<String>,
        password: String,
        visitor: &Visitor,
    ) -> Result<Begun, Error> {
        if !self.rules.is_open {
            return Err(Error::Forbidden("The operator of this server makes its accounts.".to_owned()));
        }
        self.attempts.sign_up(visitor.network, self.clock.now()).map_err(too_many)?;
        let new = NewAccount { email: email.to_owned(), name, password: Some(password), is_admin: false };
        let account = self.accounts.create(new).await?;
        tracing::info!(target: "audit", { account.id = %account.id, client.address = %visitor.address }, "account {} was made by signing up", account.id);
        self.begin_at_once(account.id, visitor).await
    }

    /// Who a token speaks for; `None` when it is unknown or over, or the account is disabled. Marks the session as used, at
    /// most once a minute.
    pub async fn authenticate(&self, token: &str, visitor: &Visitor) -> Result<Option<SignedIn>, Error> {
        let digest = digest(token);
        let generation = self.accounts.generation();
        let known = match self.known.get(&digest) {
            Some(known) if known.generation == generation => known,
            _ => match self.look_up(digest, generation).await? {
                Some(known) => known,
                None => return Ok(None),
            },
        };
        let now = self.clock.now();
        if now.0 >= known.expires_at.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(account) = self.accounts.get(known.session.account).await? else { return Ok(None) };
        self.touch(&known, visitor, now);
        let principal =
            Principal { user: account.id, organization: account.organization, key: None, scopes: Scope::ALL.to_vec() };
        Ok(Some(SignedIn { principal, account, session: known.session.id, since: known.session.created_at }))
    }

    /// The account's sessions that are not over, last used first.
    pub async fn list(&self, account: UserId) -> Result<Vec<BrowserSession>, Error> {
        let now = self.clock.now();
        let sessions = self.store.sessions(account).await?;
        Ok(sessions.into_iter().filter(|session| session.expires_at > now).collect())
    }

    /// Ends one of the account's sessions. [`Error::NotFound`] when there is no such.
    pub async fn end(&self, account: UserId, id: &str) -> Result<(), Error> {
        let missing = || Error::NotFound("There is no such session.".to_owned());
        let id = SessionId::parse(id).ok_or_else(missing)?;
        let ended = self.store.end_session(account, id).await;
        self.accounts.changed();
        match ended {
            Err(heddle_store::Error::NotFound) => Err(missing()),
            other => Ok(other?),
        }
    }

    /// Ends all of the account's sessions but this one; says how many there were.
    pub async fn end_others(&self, account: UserId, kept: SessionId) -> Result<u64, Error> {
        let ended = self.store.end_other_sessions(account, kept).await;
        self.accounts.changed();
        Ok(ended?)
    }

    /// Tries a password within the limits: its hash when it is right. Takes as long without an account.
    async fn try_password(
        &self,
        account: Option<&Account>,
        email: &str,
        password: String,
        visitor: &Visitor,
    ) -> Result<Option<String>, Error> {
        let (name, now) = (name(email), self.clock.now());
        let is_known = match account {
            Some(account) if self.attempts.is_besieged(&name, now) => self.is_known_place(account.id, visitor).await?,
            _ => false,
        };
        if let Err(seconds) = self.attempts.begin(name, visitor.network, is_known, now) {
            tracing::warn!(target: "audit", { client.address = %visitor.address }, "too many wrong passwords from {}", visitor.address);
            return Err(too_many(seconds));
        }
        let id = account.map_or(UserId(Default::default()), |account| account.id);
        let hash = self.store.password_hash(id).await?;
        let is_right = password::verify(hash.clone(), password).await?;
        if is_right {
            self.attempts.forgive(&name, &visitor.network);
        } else {
            let id = account.map(|account| account.id.to_string()).unwrap_or_default();
            tracing::warn!(target: "audit", { account.id = id, client.address = %visitor.address }, "a wrong password was given from {}", visitor.address);
        }
        Ok(hash.filter(|_| is_right))
    }

    /// Whether the account was signed in from there before.
    async fn is_known_place(&self, account: UserId, visitor: &Visitor) -> Result<bool, Error> {
        if self.places.contains_key(&(account, visitor.network)) {
            return Ok(true);
        }
        let address = visitor.address.to_string();
        Ok(self.list(account).await?.iter().any(|session| session.address == address))
    }

    /// Begins a session for whoever has proved in another way that the account is his.
    async fn begin_at_once(&self, account: UserId, visitor: &Visitor) -> Result<Begun, Error> {
        let begun = self.begin(account, How::Settled, visitor).await?;
        begun.ok_or_else(|| Error::NotFound("The account is gone.".to_owned()))
    }

    /// Counts that a passkey is tried there. [`Error::TooMany`] after too many that proved nothing.
    pub(crate) fn begin_passkey(&self, visitor: &Visitor) -> Result<(), Error> {
        self.attempts.passkey(visitor.network, self.clock.now()).map_err(too_many)
    }

    /// The passkey proved something.
    pub(crate) fn forgive_passkey(&self, visitor: &Visitor) {
        self.attempts.forgive_passkey(&visitor.network);
    }

    /// Begins a session; `None` when what it is begun by has changed meanwhile: the password was replaced, the passkey was
    /// used or removed, the account was disabled.
    pub(crate) async fn begin(&self, account: UserId, how: How, visitor: &Visitor) -> Result<Option<Begun>, Error> {
        let token = keys::secret(32)?;
        let now = self.clock.now();
        let session = BrowserSession {
            id: SessionId::from_random(self.clock.random()),
            account,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus_seconds(IDLE),
            ends_at: now.plus_seconds(LONGEST),
            address: visitor.address.to_string(),
            user_agent: visitor.agent(),
        };
        let id = session.id;
        let kept = match how {
            How::Password(hash) => self.store.open_session(session, digest(&token), hash).await,
            How::Passkey(used) => self.store.open_session_by_passkey(session, digest(&token), used).await,
            How::Settled => self.store.insert_session(session, digest(&token)).await,
        };
        match kept {
            Err(heddle_store::Error::NotFound) => return Ok(None),
            other => other?,
        }
        self.places.insert((account, visitor.network), ());
        tracing::info!(target: "audit", { account.id = %account, session.id = %id, client.address = %visitor.address }, "account {account} signed in");
        Ok(Some(Begun { account, token, seconds: LONGEST }))
    }

    async fn look_up(&self, digest: [u8; 32], generation: u64) -> Result<Option<Arc<Known>>, Error> {
        let Some((session, account)) = self.store.session_by_digest(&digest).await? else { return Ok(None) };
        if account.disabled_at.is_some() {
            return Ok(None);
        }
        let (touched, expires_at) = (AtomicI64::new(session.last_used_at.0), AtomicI64::new(session.expires_at.0));
        let known = Arc::new(Known { session, generation, touched, expires_at });
        self.known.insert(digest, Arc::clone(&known));
        Ok(Some(known))
    }

    fn touch(&self, known: &Known, visitor: &Visitor, now: Time) {
        let last = known.touched.load(Ordering::Relaxed);
        let first = |last| known.touched.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now.0 - last < TOUCH_MICROS || !first(last) {
            return;
        }
        let expires_at = now.plus_seconds(IDLE).min(known.session.ends_at);
        known.expires_at.store(expires_at.0, Ordering::Relaxed);
        let (store, id, address) = (self.store.clone(), known.session.id, visitor.address.to_string());
        tokio::spawn(async move {
            if let Err(error) = store.touch_session(id, now, expires_at, address).await {
                tracing::warn!(session.id = %id, "the last use of session {id} was not noted: {error}");
            }
        });
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// An account as counters know it, whether it exists or not.
fn name(email: &str) -> Name {
    digest(&email.trim().to_lowercase())
}

fn too_many(seconds: u32) -> Error {
    Error::TooMany("Too many attempts. Try again later.".to_owned(), seconds)
}
