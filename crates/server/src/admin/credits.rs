//! Credits, for commands.

use heddle_platform::credits::{CreditNotice, CreditRecord};
use heddle_platform::{Error, Grant, GrantKind, Platform};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is asked about credits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "credits", rename_all = "snake_case")]
pub enum Ask {
    /// Changes an account's balance.
    Grant { user: Option<String>, amount: i64, kind: String, comment: Option<String>, key: Option<String> },
    /// What an account has, and what it was told.
    Show { user: Option<String> },
    /// What has changed its balance.
    Transactions { user: Option<String>, kind: Option<String>, limit: u16 },
}

pub async fn execute(platform: &Platform, ask: Ask) -> Result<Value, Error> {
    match ask {
        Ask::Grant { user, amount, kind, comment, key } => {
            let owner = super::account(platform, user.as_deref()).await?;
            let kind = GrantKind::parse(&kind).ok_or_else(|| Error::Refused(format!("there is no kind {kind:?}")))?;
            let record = platform.credits.grant(owner.id, Grant { kind, amount, comment, key }).await?;
            let mut shown = shown(&record);
            shown["balance"] = platform.credits.balance(owner.id).await?.into();
            shown["email"] = owner.email.into();
            Ok(shown)
        }
        Ask::Show { user } => {
            let owner = super::account(platform, user.as_deref()).await?;
            let notices = platform.credits.notices(owner.id).await?;
            Ok(json!({
                "email": owner.email,
                "enabled": platform.credits.is_on(),
                "balance": platform.credits.balance(owner.id).await?,
                "notices": notices.iter().map(told).collect::<Value>(),
            }))
        }
        Ask::Transactions { user, kind, limit } => {
            let owner = super::account(platform, user.as_deref()).await?;
            let kind = match kind.as_deref() {
                None => None,
                Some("usage") => Some("USAGE"),
                Some(name) => GrantKind::parse(name).map(GrantKind::as_str),
            };
            let records = platform.credits.transactions(owner.id, kind, None, limit.into()).await?;
            Ok(records.iter().map(shown).collect())
        }
    }
}

/// One change, with the names that the second version of the API has for it.
fn shown(record: &CreditRecord) -> Value {
    json!({
        "transaction_key": record.key,
        "type": record.kind,
        "amount": record.amount,
        "transaction_time": record.created_at.rfc3339(),
        "description": record.description,
        "graph_id": record.graph,
        "run_id": record.run,
    })
}

fn told(notice: &CreditNotice) -> Value {
    json!({
        "type": notice.what,
        "graph_id": notice.graph,
        "balance": notice.balance,
        "created_at": notice.created_at.rfc3339(),
    })
}
