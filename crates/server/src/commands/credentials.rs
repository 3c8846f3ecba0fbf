//! `heddle credential` and `heddle vault`.

use super::{ask, stdin};
use crate::admin::Request;
use crate::admin::credentials::{Ask, Lines};
use crate::cli::{Add, Credential, Kind, Vault};
use crate::failure::Failure;
use crate::{Setting, print};
use heddle_platform::integrations;
use serde_json::Value;

const COLUMNS: [&str; 8] = ["id", "provider", "type", "title", "email", "host", "base_url", "last_used_at"];
const USES: [&str; 7] = ["used_at", "credential", "provider", "door", "run", "node", "exec"];

/// Carries out what was asked about credentials.
pub async fn run(setting: &Setting, command: Credential) -> Result<(), Failure> {
    let json = setting.json;
    let credential = async |credential: Ask| ask(setting, Request::Credential { credential }).await;
    match command {
        Credential::Add(Add { provider, r#type, title, user, base_url, username, host, scopes }) => {
            let kind = match r#type {
                Kind::ApiKey => integrations::Kind::ApiKey,
                Kind::OAuth2 => integrations::Kind::OAuth2,
                Kind::UserPassword => integrations::Kind::UserPassword,
                Kind::HostScoped => integrations::Kind::HostScoped,
            };
            let lines = Lines(stdin::secrets()?);
            let add = Ask::Add { user, provider, kind, title, base_url, username, host, scopes, lines };
            print::member(&credential(add).await?, "id", json)
        }
        Credential::List { user } => print::table(&credential(Ask::List { user }).await?, &COLUMNS, json),
        Credential::Remove { id } => print::member(&credential(Ask::Remove { id }).await?, "id", json),
        Credential::Uses { user, limit } => print::table(&credential(Ask::Uses { user, limit }).await?, &USES, json),
    }
}

/// Carries out what was asked about the master key.
pub async fn vault(setting: &Setting, command: Vault) -> Result<(), Failure> {
    let Vault::Rotate = command;
    let done = ask(setting, Request::RotateMasterKey).await?;
    if setting.json {
        return print::json(&done);
    }
    let count = |name: &str| done[name].as_u64().unwrap_or_default();
    print::text(&format!("{} secrets are sealed with the new master key {}", count("resealed"), text(&done["key"])))?;
    match count("unopened") {
        0 => Ok(()),
        unopened => {
            Err(Failure::new(format!("{unopened} secrets do not open and stay as they are, with the older keys")))
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
