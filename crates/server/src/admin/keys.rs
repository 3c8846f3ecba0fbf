//! API keys, for commands.

use heddle_model::Scope;
use heddle_platform::{Account, ApiKey, Error, NewKey, Platform};
use serde_json::{Value, json};

pub async fn create(platform: &Platform, user: Option<&str>, name: String, scopes: Vec<Scope>) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let (key, text) = platform.keys.create(owner.id, NewKey { name, scopes, description: None }).await?;
    let mut shown = shown(&owner, &key);
    shown["key"] = text.into();
    Ok(shown)
}

pub async fn list(platform: &Platform, user: Option<&str>) -> Result<Value, Error> {
    let owners = match user {
        Some(email) => vec![super::account(platform, Some(email)).await?],
        None => platform.accounts.list().await?,
    };
    let mut keys = Vec::new();
    for owner in owners {
        keys.extend(platform.keys.list(owner.id).await?.iter().map(|key| shown(&owner, key)));
    }
    Ok(keys.into())
}

/// Whoever may run commands on this folder may revoke every key in it.
pub async fn revoke(platform: &Platform, id: &str) -> Result<Value, Error> {
    for owner in platform.accounts.list().await? {
        match platform.keys.revoke(owner.id, id).await {
            Err(Error::NotFound(_)) => {}
            other => return other.map(|key| shown(&owner, &key)),
        }
    }
    Err(Error::NotFound(format!("there is no API key {id:?}")))
}

fn shown(owner: &Account, key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "email": owner.email,
        "head": key.head,
        "tail": key.tail,
        "status": key.status.as_str(),
        "scopes": key.scopes,
        "created_at": key.created_at.rfc3339(),
        "last_used_at": key.last_used_at.map(|time| time.rfc3339()),
        "revoked_at": key.revoked_at.map(|time| time.rfc3339()),
    })
}
