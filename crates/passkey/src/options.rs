//! What a browser is asked (`PublicKeyCredentialCreationOptionsJSON` and `PublicKeyCredentialRequestOptionsJSON`, Web
//! Authentication 5.1).

use crate::answer::encode;
use crate::key::PublicKey;
use crate::party::Party;
use serde_json::{Value, json};

/// What people are shown of the server.
const NAME: &str = "Heddle";
/// Milliseconds that a person has.
const TIMEOUT: u32 = 300_000;

/// Whose a new passkey is.
#[derive(Clone, Copy, Debug)]
pub struct User<'a> {
    /// What every sign-in with it says: at most 64 bytes that tell nothing of the person.
    pub id: &'a [u8],
    /// What people tell accounts apart by.
    pub name: &'a str,
    /// What they call themselves.
    pub display_name: &'a str,
}

/// Asks for a new passkey, on an authenticator that has none of these yet.
pub fn creation<'a>(
    party: &Party,
    user: User<'_>,
    challenge: &[u8],
    excluded: impl Iterator<Item = &'a [u8]>,
) -> Value {
    let kinds = PublicKey::ALGORITHMS.map(|algorithm| json!({ "type": "public-key", "alg": algorithm }));
    let excluded: Vec<_> = excluded.map(|id| json!({ "type": "public-key", "id": encode(id) })).collect();
    json!({
        "rp": { "id": party.id(), "name": NAME },
        "user": { "id": encode(user.id), "name": user.name, "displayName": user.display_name },
        "challenge": encode(challenge),
        "pubKeyCredParams": kinds,
        "timeout": TIMEOUT,
        "excludeCredentials": excluded,
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// Asks for a sign-in with whichever passkey the person chooses.
pub fn request(party: &Party, challenge: &[u8]) -> Value {
    json!({
        "rpId": party.id(),
        "challenge": encode(challenge),
        "timeout": TIMEOUT,
        "allowCredentials": [],
        "userVerification": "required",
    })
}
