//! The form in which the secret parts of a credential are sealed.

use super::NewSecret;
use heddle_connectors::Material;
use heddle_vault::Secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// The secret parts as JSON, which only the vault ever sees.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Kept<'a> {
    #[serde(rename = "api_key")]
    ApiKey { key: Cow<'a, str> },
    #[serde(rename = "oauth2")]
    OAuth2 {
        access_token: Cow<'a, str>,
        refresh_token: Option<Cow<'a, str>>,
        /// Microseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        given_at: Option<i64>,
        /// Microseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_ends_at: Option<i64>,
    },
    #[serde(rename = "user_password")]
    UserPassword { username: Cow<'a, str>, password: Cow<'a, str> },
    #[serde(rename = "host_scoped")]
    HostScoped { headers: Vec<(Cow<'a, str>, Cow<'a, str>)> },
}

/// What was kept, opened.
pub(super) enum Opened {
    /// What a block gets.
    Material(Material),
    /// Tokens; whoever renews them needs both.
    Tokens {
        access_token: Secret<String>,
        refresh_token: Option<Secret<String>>,
        given_at: Option<i64>,
        refresh_ends_at: Option<i64>,
    },
}

impl<'a> Kept<'a> {
    pub(super) fn of(secret: &'a NewSecret) -> Self {
        let text = |secret: &'a Secret<String>| Cow::Borrowed(secret.expose().as_str());
        match secret {
            NewSecret::ApiKey { key } => Self::ApiKey { key: text(key) },
            NewSecret::OAuth2 { access_token, refresh_token, .. } => {
                let (access_token, refresh_token) = (text(access_token), refresh_token.as_ref().map(text));
                Self::OAuth2 { access_token, refresh_token, given_at: None, refresh_ends_at: None }
            }
            NewSecret::UserPassword { username, password } => {
                Self::UserPassword { username: text(username), password: text(password) }
            }
            NewSecret::HostScoped { headers, .. } => Self::HostScoped {
                headers: headers.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), text(value))).collect(),
            },
        }
    }

    pub(super) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("texts can always be written"))
    }

    /// Reads what [`Kept::bytes`] made; `None` when it is something else.
    pub(super) fn read(bytes: &Secret<Vec<u8>>, host: Option<&str>) -> Option<Opened> {
        let secret = |text: Cow<'_, str>| Secret::new(text.into_owned());
        let kept: Kept<'static> = serde_json::from_slice(bytes.expose()).ok()?;
        Some(match kept {
            Kept::ApiKey { key } => Opened::Material(Material::ApiKey { key: secret(key) }),
            Kept::OAuth2 { access_token, refresh_token, given_at, refresh_ends_at } => {
                let (access_token, refresh_token) = (secret(access_token), refresh_token.map(secret));
                Opened::Tokens { access_token, refresh_token, given_at, refresh_ends_at }
            }
            Kept::UserPassword { username, password } => {
                Opened::Material(Material::UserPassword { username: secret(username), password: secret(password) })
            }
            Kept::HostScoped { headers } => Opened::Material(Material::HostScoped {
                host: host?.to_owned(),
                headers: headers.into_iter().map(|(name, value)| (name.into_owned(), secret(value))).collect(),
            }),
        })
    }
}
