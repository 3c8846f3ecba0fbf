//! A passkey's record. Its key and the credential's id are no part of it.

use heddle_model::PasskeyId;
use heddle_platform::Passkey;
use serde::Serialize;

/// A passkey as its owner sees it.
#[derive(Serialize)]
pub struct PasskeyRecord {
    id: PasskeyId,
    name: String,
    /// The name of the server that it was made for.
    server: String,
    is_backed_up: bool,
    created_at: String,
    last_used_at: Option<String>,
}

impl From<Passkey> for PasskeyRecord {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            server: passkey.party,
            is_backed_up: passkey.is_backed_up,
            created_at: passkey.created_at.rfc3339(),
            last_used_at: passkey.last_used_at.map(|time| time.rfc3339()),
        }
    }
}
