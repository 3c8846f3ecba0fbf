//! Accounts, for commands.

use heddle_platform::{Account, Error, NewAccount, Platform};
use serde_json::{Value, json};

pub async fn create(platform: &Platform, new: NewAccount) -> Result<Value, Error> {
    if !new.email.contains('@') {
        return Err(Error::Refused(format!("{:?} is not an e-mail address", new.email)));
    }
    // The operator account is the first one, also on a folder that no server has started on.
    super::account(platform, None).await?;
    platform.accounts.create(new).await.map(|account| shown(&account))
}

pub async fn list(platform: &Platform) -> Result<Value, Error> {
    Ok(platform.accounts.list().await?.iter().map(shown).collect())
}

/// What signs an account's completion callbacks, for its own eyes.
pub async fn callback_secret(platform: &Platform, user: Option<&str>, rotate: bool) -> Result<Value, Error> {
    let account = super::account(platform, user).await?;
    let secret = match rotate {
        true => platform.callbacks.rotate_secret(account.id).await?,
        false => platform.callbacks.secret(account.id).await?,
    };
    Ok(json!({"email": account.email, "secret": secret.expose()}))
}

/// An account as commands print it.
pub fn shown(account: &Account) -> Value {
    json!({
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "is_admin": account.is_admin,
        "created_at": account.created_at.rfc3339(),
        "disabled_at": account.disabled_at.map(|time| time.rfc3339()),
    })
}
