//! Credentials for other services: keeping them, listing them, and opening one while a block works with it.
//!
//! What is kept is sealed for its owner and its id; what is listed is never secret. Keys that the operator has set for
//! everybody are listed after an account's own. A secret is opened in one place, and that place notes who has used it
//! before it hands it out.

mod connected;
mod host_wide;
mod kept;
mod open;

use crate::Error;
use crate::connect::{self, Terms};
use crate::secrets::Secrets;
use heddle_connectors::{CODEX, HostPattern};
use heddle_engine::ports::Clock;
use heddle_model::{CredentialId, Time, UserId, python, rules};
use heddle_outbound::{Client, HeaderName, HeaderValue};
use heddle_store::{CredentialRecord, SealedCredential, Store};
use host_wide::HostWide;
use kept::Kept;
use std::collections::HashMap;
use std::sync::Arc;

pub use heddle_connectors::{Kind, OAuth, Overrides, Provider, Providers, base_url};
pub use heddle_store::SecretUse;
pub use heddle_vault::Secret;
pub(crate) use open::Opener;

/// The table that sealed credentials are bound to.
const TABLE: &str = "credential";

/// Bytes of one credential's secret parts together.
const LONGEST: usize = 64 * 1024;

const UNKNOWN: &str = "Credentials not found";
const NOT_YOURS: &str = "System-managed credentials cannot be deleted";

/// The credentials of this server.
#[derive(Clone)]
pub struct Integrations {
    store: Store,
    secrets: Secrets,
    providers: Arc<Providers>,
    host_wide: Arc<HostWide>,
    clock: Arc<dyn Clock>,
    /// For telling a provider that a connected account is removed.
    client: Client,
}

/// What is told of a credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialMeta {
    /// Its id.
    pub id: String,
    /// For which provider.
    pub provider: String,
    /// Its kind.
    pub kind: Kind,
    /// For people.
    pub title: Option<String>,
    /// What a connected account allows.
    pub scopes: Option<Vec<String>>,
    /// What a connected account is called.
    pub username: Option<String>,
    /// For which host headers are.
    pub host: Option<String>,
    /// Where the provider's API is for it, when that is not the usual place.
    pub base_url: Option<String>,
    /// When it is good no longer.
    pub expires_at: Option<Time>,
    /// When it was made; a host-wide one was not.
    pub created_at: Option<Time>,
    /// When it was last used; of a host-wide one that is not told.
    pub last_used_at: Option<Time>,
    /// Whether it is the operator's, for everybody.
    pub is_host_wide: bool,
}

/// A credential to be kept.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// For which provider.
    pub provider: String,
    /// For people.
    pub title: Option<String>,
    /// The secret part.
    pub secret: NewSecret,
    /// Where the provider's API is for it, when that is not the usual place.
    pub base_url: Option<String>,
    /// When it is good no longer.
    pub expires_at: Option<Time>,
}

/// The secret part of a credential to be kept.
#[derive(Clone, Debug)]
pub enum NewSecret {
    /// A key.
    ApiKey {
        /// The key.
        key: Secret<String>,
    },
    /// Tokens.
    OAuth2 {
        /// What opens the door now.
        access_token: Secret<String>,
        /// What gets the next one.
        refresh_token: Option<Secret<String>>,
        /// What was granted.
        scopes: Vec<String>,
        /// What the account is called.
        username: Option<String>,
    },
    /// A name and a password.
    UserPassword {
        /// The name.
        username: Secret<String>,
        /// The password.
        password: Secret<String>,
    },
    /// Headers for one host.
    HostScoped {
        /// The host, or `*.` and a domain.
        host: String,
        /// Name and value.
        headers: Vec<(String, Secret<String>)>,
    },
}

impl NewSecret {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::OAuth2 { .. } => Kind::OAuth2,
            Self::UserPassword { .. } => Kind::UserPassword,
            Self::HostScoped { .. } => Kind::HostScoped,
        }
    }
}

impl Integrations {
    pub(crate) fn new(
        store: Store,
        secrets: Secrets,
        providers: Arc<Providers>,
        clock: Arc<dyn Clock>,
        client: Client,
    ) -> Self {
        let host_wide = Arc::new(HostWide::of(&providers));
        Self { store, secrets, providers, host_wide, clock, client }
    }

    /// The providers that this server knows.
    pub fn providers(&self) -> &Arc<Providers> {
        &self.providers
    }

    /// The owner's credentials in the order in which they were made, and then the host-wide ones.
    pub async fn list(&self, owner: UserId) -> Result<Vec<CredentialMeta>, Error> {
        let own = self.store.credentials(owner).await?;
        let mut listed: Vec<_> = own.into_iter().filter_map(meta).collect();
        listed.extend(self.host_wide.iter().map(|(_, meta)| meta.clone()));
        Ok(listed)
    }

    /// Those of one provider; none of one that nobody knows.
    pub async fn list_of(&self, owner: UserId, provider: &str) -> Result<Vec<CredentialMeta>, Error> {
        let mut listed = self.list(owner).await?;
        listed.retain(|meta| meta.provider == provider);
        Ok(listed)
    }

    /// Keeps a credential. [`Error::NotFound`] for a provider that nobody knows, [`Error::Refused`] for what cannot be
    /// sent anywhere.
    pub async fn add(&self, owner: UserId, new: NewCredential) -> Result<CredentialMeta, Error> {
        if new.provider == CODEX {
            return Err(Error::Refused("Codex credentials must be created through ChatGPT sign-in".to_owned()));
        }
        if !self.providers.get(&new.provider).is_some_and(|provider| provider.is_listed) {
            return Err(Error::NotFound(format!("Provider '{}' not found", new.provider)));
        }
        self.keep(owner, new).await
    }

    fn lacks_base_url(&self, new: &NewCredential) -> bool {
        let asks = self.providers.get(&new.provider).is_some_and(|provider| provider.asks_base_url);
        asks && new.secret.kind() == Kind::ApiKey && self.providers.base_url(&new.provider).is_none()
    }

    async fn keep(&self, owner: UserId, new: NewCredential) -> Result<CredentialMeta, Error> {
        if let Some(why) = unsendable(&new) {
            return Err(Error::Refused(why));
        }
        let base_url = new.base_url.as_deref().map(base_url);
        let base_url = match base_url {
            Some(None) => {
                return Err(Error::Refused(
                    "the base URL is not an http or https URL without a name and password".to_owned(),
                ));
            }
            Some(Some(url)) => Some(url.to_string()),
            None if self.lacks_base_url(&new) => {
                return Err(Error::Refused("the base URL is missing: where is this server?".to_owned()));
            }
            None => None,
        };
        let (scopes, username) = match &new.secret {
            NewSecret::OAuth2 { scopes, username, .. } => (Some(scopes.clone()), username.clone()),
            _ => (None, None),
        };
        let host = match &new.secret {
            NewSecret::HostScoped { host, .. } => Some(host.trim().to_owned()),
            _ => None,
        };
        let record = CredentialRecord {
            id: CredentialId::from_random(self.clock.random()),
            owner,
            provider: new.provider,
            kind: new.secret.kind().as_str().to_owned(),
            title: new.title.map(cleaned),
            scopes,
            username: username.map(cleaned),
            host,
            base_url,
            expires_at: new.expires_at,
            created_at: self.clock.now(),
            last_used_at: None,
        };
        let bytes = Kept::of(&new.secret).bytes();
        if bytes.len() > LONGEST {
            return Err(Error::Refused(format!("the secret is longer than {LONGEST} bytes")));
        }
        // Held until the row is there: a change of the master key waits for it.
        let sealing = self.secrets.sealing().await?;
        let sealed = sealing.seal(TABLE, &row(owner, record.id), &bytes)?;
        self.store.insert_credential(SealedCredential { record: record.clone(), sealed }).await?;
        drop(sealing);
        let (id, provider) = (record.id, &record.provider);
        tracing::info!(target: "audit", { user.id = %owner, credential.id = %id }, "a credential for {provider} was added");
        meta(record).ok_or_else(|| Error::Internal("a kind that was just written is not known".to_owned()))
    }

    /// Removes a credential; the provider has to be its. [`Error::NotFound`] when the owner has no such one,
    /// [`Error::Forbidden`] for a host-wide one.
    pub async fn remove(&self, owner: UserId, provider: &str, id: &str) -> Result<CredentialMeta, Error> {
        let missing = || Error::NotFound(UNKNOWN.to_owned());
        if self.host_wide.get(id).is_some_and(|(_, meta)| meta.provider == provider) {
            return Err(Error::Forbidden(NOT_YOURS.to_owned()));
        }
        let id = CredentialId::parse(id).ok_or_else(missing)?;
        match self.store.remove_credential(owner, id, provider).await {
            Ok(removed) => {
                tracing::info!(target: "audit", { user.id = %owner, credential.id = %id }, "a credential for {provider} was removed");
                // Never fails for it: the credential is gone.
                if let (Ok(Some(tokens)), Ok(terms)) =
                    (self.tokens(&removed).await, Terms::of(&self.providers, provider))
                {
                    connect::revoke(&self.client, terms, tokens);
                }
                meta(removed.record).ok_or_else(missing)
            }
            Err(heddle_store::Error::NotFound) => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    /// The owner's latest uses of secrets, latest first.
    pub async fn uses(&self, owner: UserId, limit: u64) -> Result<Vec<SecretUse>, Error> {
        Ok(self.store.secret_uses(owner, limit).await?)
    }

    /// What the rules of a run have to know of the credentials that an account may use.
    pub(crate) async fn usable(&self, owner: UserId) -> Result<Usable, heddle_store::Error> {
        let now = self.clock.now();
        let own = self.store.credentials(owner).await?;
        let own = own.into_iter().map(|record| {
            let is_over = record.kind != Kind::OAuth2.as_str() && record.expires_at.is_some_and(|end| end <= now);
            let known = rules::Credential { provider: record.provider, kind: record.kind };
            (record.id.to_string(), if is_over { Err(EXPIRED.to_owned()) } else { Ok(known) })
        });
        let wide = self.host_wide.iter().map(|(id, meta)| {
            let kind = meta.kind.as_str().to_owned();
            (id.clone(), Ok(rules::Credential { provider: meta.provider.clone(), kind }))
        });
        Ok(Usable { known: own.chain(wide).collect(), host_wide: Arc::clone(&self.host_wide) })
    }
}

/// What is said of a credential whose time is over.
const EXPIRED: &str = "they have expired";

/// The credentials that an account may use, at one moment.
pub(crate) struct Usable {
    known: HashMap<String, Result<rules::Credential, String>>,
    host_wide: Arc<HostWide>,
}

impl Usable {
    /// Whether there is a credential of this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    /// The credential of this id, or why it cannot be used.
    pub(crate) fn find(&self, id: &str) -> Result<Option<rules::Credential>, String> {
        self.known.get(id).cloned().transpose()
    }

    /// A reference to the operator's key for a provider, for pins that nobody has filled.
    pub(crate) fn default_for(&self, provider: &str) -> Option<heddle_model::Value> {
        self.host_wide.default_for(provider)
    }
}

/// What is told of a kept credential; nothing of a kind that only a newer release knows.
fn meta(record: CredentialRecord) -> Option<CredentialMeta> {
    let kind = Kind::parse(&record.kind)?;
    Some(CredentialMeta {
        id: record.id.to_string(),
        provider: record.provider,
        kind,
        title: record.title,
        scopes: record.scopes,
        username: record.username,
        host: record.host,
        base_url: record.base_url,
        expires_at: record.expires_at,
        created_at: Some(record.created_at),
        last_used_at: record.last_used_at,
        is_host_wide: false,
    })
}

/// The row that a credential is sealed for.
fn row(owner: UserId, id: CredentialId) -> String {
    format!("{owner}/{id}")
}

fn cleaned(mut text: String) -> String {
    python::clean_text(&mut text);
    text
}

/// Why headers for a host could never be sent.
fn unsendable(new: &NewCredential) -> Option<String> {
    let NewSecret::HostScoped { host, headers } = &new.secret else { return None };
    if HostPattern::parse(host).is_none() {
        return Some(format!("{host:?} is not a host"));
    }
    headers.iter().find_map(|(name, value)| {
        if HeaderName::try_from(name.as_str()).is_err() {
            return Some(format!("{name:?} is not the name of a header"));
        }
        HeaderValue::try_from(value.expose().as_str()).is_err().then(|| format!("the header {name:?} cannot be sent"))
    })
}
