//! Where connected accounts are kept, as connecting needs it.

use super::terms::{Terms, Unknown};
use crate::Error;
use heddle_model::{Time, UserId};
use heddle_vault::Secret;

/// The tokens of one connected account.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What opens the provider's API.
    pub access_token: Secret<String>,
    /// What gets the next one; not every provider gives one.
    pub refresh_token: Option<Secret<String>>,
    /// When the access token was given.
    pub given_at: Time,
    /// When it is over; `None`: nobody said.
    pub access_ends_at: Option<Time>,
    /// When the refresh token is over; `None`: nobody said.
    pub refresh_ends_at: Option<Time>,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// A connected account as it is kept.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its provider.
    pub provider: String,
    /// Whose account it is at the provider, if it said so.
    pub username: Option<String>,
    /// Its tokens.
    pub tokens: Tokens,
    /// Which state of the record this is; every change makes another.
    pub version: Vec<u8>,
    /// Why it is of no use any more, once the provider said so for good.
    pub ended: Option<String>,
}

/// An account that was just connected.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Its provider.
    pub provider: String,
    /// Whose account it is at the provider, if it said so.
    pub username: Option<String>,
    /// Its tokens.
    pub tokens: Tokens,
}

/// Knows providers and keeps credentials. Owner first; somebody else's look missing.
#[async_trait::async_trait]
pub trait Shelf: Send + Sync {
    /// How to deal with a provider.
    fn terms(&self, provider: &str) -> Result<Terms, Unknown>;

    /// Keeps a connected account; its id and title.
    async fn add(&self, owner: UserId, new: NewConnection) -> Result<(String, Option<String>), Error>;

    /// A connected account with its tokens.
    async fn held(&self, owner: UserId, id: &str) -> Result<Option<Held>, Error>;

    /// Keeps new tokens in place of those of this version; false when it has another by now or is gone. On disk once it
    /// returns.
    async fn renew(&self, owner: UserId, id: &str, version: &[u8], tokens: &Tokens) -> Result<bool, Error>;

    /// Notes that those of this version are of no use any more, and why.
    async fn end(&self, owner: UserId, id: &str, version: &[u8], why: &str) -> Result<(), Error>;

    /// Those of an account that are of no use any more, and why.
    async fn ended(&self, owner: UserId) -> Result<Vec<(String, String)>, Error>;
}
