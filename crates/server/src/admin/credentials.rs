//! Credentials for other services, for commands. Whoever may run commands on this folder may remove every one in it; none
//! is ever shown.

use heddle_model::Time;
use heddle_platform::integrations::{Kind, Secret, SecretUse};
use heddle_platform::{Account, CredentialMeta, Error, NewCredential, NewSecret, Platform};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// A use case about credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Keeps one.
    Add {
        user: Option<String>,
        provider: String,
        kind: Kind,
        title: Option<String>,
        base_url: Option<String>,
        username: Option<String>,
        host: Option<String>,
        scopes: Vec<String>,
        lines: Lines,
    },
    /// One account's, or all.
    List { user: Option<String> },
    /// Removes one.
    Remove { id: String },
    /// What has used one account's.
    Uses { user: Option<String>, limit: u64 },
}

/// What was said in confidence, line by line.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lines(pub Vec<String>);

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

pub async fn execute(platform: &Platform, ask: Ask) -> Result<Value, Error> {
    match ask {
        Ask::Add { user, provider, kind, title, base_url, username, host, scopes, lines } => {
            let owner = super::account(platform, user.as_deref()).await?;
            let secret = secret(kind, username, host, scopes, lines.0)?;
            let new = NewCredential { provider, title, secret, base_url, expires_at: None };
            let made = platform.integrations.add(owner.id, new).await?;
            Ok(shown(Some(&owner), &made))
        }
        Ask::List { user } => list(platform, user.as_deref()).await,
        Ask::Remove { id } => remove(platform, &id).await,
        Ask::Uses { user, limit } => {
            let owner = super::account(platform, user.as_deref()).await?;
            Ok(platform.integrations.uses(owner.id, limit).await?.iter().map(used).collect())
        }
    }
}

/// Makes a secret of the lines that were read.
fn secret(
    kind: Kind,
    username: Option<String>,
    host: Option<String>,
    scopes: Vec<String>,
    lines: Vec<String>,
) -> Result<NewSecret, Error> {
    let refused = |text: &str| Error::Refused(text.to_owned());
    let mut lines = lines.into_iter();
    let mut line = |what: &str| {
        lines
            .next()
            .filter(|line| !line.is_empty())
            .map(Secret::new)
            .ok_or_else(|| refused(&format!("{what} on stdin is empty")))
    };
    Ok(match kind {
        Kind::ApiKey => NewSecret::ApiKey { key: line("the key")? },
        Kind::OAuth2 => {
            let access_token = line("the access token")?;
            NewSecret::OAuth2 { access_token, refresh_token: line("").ok(), scopes, username }
        }
        Kind::UserPassword => {
            let username = username.ok_or_else(|| refused("--username is missing"))?;
            NewSecret::UserPassword { username: Secret::new(username), password: line("the password")? }
        }
        Kind::HostScoped => {
            let header = |line: String| {
                let (name, value) =
                    line.split_once(':').ok_or_else(|| refused("a header is written as Name: value"))?;
                Ok((name.trim().to_owned(), Secret::new(value.trim().to_owned())))
            };
            let headers = lines.filter(|line| !line.is_empty()).map(header).collect::<Result<Vec<_>, Error>>()?;
            if headers.is_empty() {
                return Err(refused("there is no header on stdin"));
            }
            NewSecret::HostScoped { host: host.ok_or_else(|| refused("--host is missing"))?, headers }
        }
    })
}

async fn list(platform: &Platform, user: Option<&str>) -> Result<Value, Error> {
    let owners = match user {
        Some(email) => vec![super::account(platform, Some(email)).await?],
        None => platform.accounts.list().await?,
    };
    let mut listed = Vec::new();
    let mut host_wide = Vec::new();
    for owner in owners {
        let all = platform.integrations.list(owner.id).await?;
        let (wide, own): (Vec<_>, Vec<_>) = all.into_iter().partition(|meta| meta.is_host_wide);
        listed.extend(own.iter().map(|meta| shown(Some(&owner), meta)));
        host_wide = wide;
    }
    listed.extend(host_wide.iter().map(|meta| shown(None, meta)));
    Ok(listed.into())
}

async fn remove(platform: &Platform, id: &str) -> Result<Value, Error> {
    for owner in platform.accounts.list().await? {
        let found = platform.integrations.list(owner.id).await?.into_iter().find(|meta| meta.id == id);
        if let Some(meta) = found {
            return platform
                .integrations
                .remove(owner.id, &meta.provider, id)
                .await
                .map(|meta| shown(Some(&owner), &meta));
        }
    }
    Err(Error::NotFound(format!("there is no credential {id:?}")))
}

fn shown(owner: Option<&Account>, meta: &CredentialMeta) -> Value {
    let time = |time: Option<Time>| time.map(Time::rfc3339);
    json!({
        "id": meta.id,
        "provider": meta.provider,
        "type": meta.kind,
        "title": meta.title,
        "email": owner.map(|owner| &owner.email),
        "host": meta.host,
        "base_url": meta.base_url,
        "username": meta.username,
        "scopes": meta.scopes,
        "created_at": time(meta.created_at),
        "expires_at": time(meta.expires_at),
        "last_used_at": time(meta.last_used_at),
    })
}

fn used(noted: &SecretUse) -> Value {
    json!({
        "used_at": noted.used_at.rfc3339(),
        "credential": noted.credential,
        "provider": noted.provider,
        "door": noted.door,
        "run": noted.run,
        "node": noted.node,
        "exec": noted.exec,
    })
}
