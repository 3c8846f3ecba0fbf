//! An API key's record (`auth.md` 2.2). The key's digest is no part of it.

use heddle_model::{KeyId, OrgId, Scope, UserId};
use heddle_platform::ApiKey;
use serde::Serialize;

/// A key as its owner sees it.
#[derive(Serialize)]
pub struct ApiKeyRecord {
    user_id: UserId,
    scopes: Vec<Scope>,
    r#type: &'static str,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    id: KeyId,
    name: String,
    head: String,
    tail: String,
    status: &'static str,
    description: Option<String>,
    organization_id: OrgId,
    team_id_restriction: Option<String>,
}

impl From<ApiKey> for ApiKeyRecord {
    fn from(key: ApiKey) -> Self {
        Self {
            user_id: key.owner,
            scopes: key.scopes,
            r#type: "api_key",
            created_at: key.created_at.rfc3339(),
            expires_at: None,
            last_used_at: key.last_used_at.map(|time| time.rfc3339()),
            revoked_at: key.revoked_at.map(|time| time.rfc3339()),
            id: key.id,
            name: key.name,
            head: key.head,
            tail: key.tail,
            status: key.status.as_str(),
            description: key.description,
            organization_id: key.organization,
            team_id_restriction: None,
        }
    }
}

/// A key that was just made.
#[derive(Serialize)]
pub struct CreatedApiKey {
    /// Its record.
    pub api_key: ApiKeyRecord,
    /// The key.
    pub plain_text_key: String,
}
