//! What has to be known of a provider to connect an account there: its file, and this server's client.

use heddle_connectors::{OAuth, Providers};
use heddle_vault::Secret;

/// A provider's authorization server, and what this server is there.
#[derive(Clone, Debug)]
pub struct Terms {
    /// E.g. `github`.
    pub provider: String,
    /// What people call it.
    pub title: String,
    /// Its endpoints and habits.
    pub oauth: OAuth,
    /// This server's name there.
    pub client_id: String,
    /// And its secret, if it has one.
    pub client_secret: Option<Secret<String>>,
}

/// Why a provider's accounts cannot be connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// There is no such provider, or it knows no OAuth 2.0.
    NoOAuth,
    /// The operator has not registered this server there.
    NotConfigured,
}

impl Terms {
    /// Those of a provider. Names are compared exactly.
    pub fn of(providers: &Providers, name: &str) -> Result<Self, Unknown> {
        let provider = providers.get(name).ok_or(Unknown::NoOAuth)?;
        let oauth = provider.oauth.clone().ok_or(Unknown::NoOAuth)?;
        let set = providers.overrides(name).ok_or(Unknown::NotConfigured)?;
        let client_id = set.client_id.clone().ok_or(Unknown::NotConfigured)?;
        let (provider, title) = (provider.name.clone(), provider.title.clone());
        Ok(Self { provider, title, oauth, client_id, client_secret: set.client_secret.clone() })
    }

    /// The scopes to ask for: those that were wished for, else the provider's usual ones.
    pub fn scopes(&self, wished: &[String]) -> Vec<String> {
        if wished.is_empty() { self.oauth.scopes.clone() } else { wished.to_vec() }
    }

    pub(super) fn secret(&self) -> &str {
        self.client_secret.as_ref().map(|secret| secret.expose().as_str()).unwrap_or_default()
    }
}
