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
