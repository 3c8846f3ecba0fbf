//! What tests start from.

use crate::client::{Client, GrantType, Origin, Proof};
use crate::family::{Family, Standing};
use crate::{Issuer, Kept, Parameters, Plain, Scopes};
use heddle_model::{AppId, FamilyId, Scope as Permission, Time, UserId};

/// 2026-02-03T10:00:00Z.
pub const NOW: Time = Time(1_770_112_800_000_000);
pub const SECRET: &str = "agpt_secret_weft";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub fn issuer() -> Issuer {
    Issuer::new("https://agents.example.org")
}

pub fn ada() -> UserId {
    UserId::from_random([2; 16])
}

pub fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

pub fn parameters(text: &str) -> Parameters {
    Parameters::parse(text.as_bytes()).unwrap()
}

/// A confidential application with one address.
pub fn client() -> Client {
    Client {
        id: AppId::from_random([1; 16]),
        client_id: "agpt_client_looms".to_owned(),
        name: "Looms".to_owned(),
        description: None,
        logo_url: None,
        proof: Proof::Secret { current: Kept::of(&Plain::new(SECRET)), previous: None },
        redirect_uris: vec!["https://looms.example/cb".to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: vec![Permission::Identity, Permission::RunAgent, Permission::ReadRun],
        default_scopes: None,
        owner: Some(ada()),
        organization: None,
        origin: Origin::Operator,
        is_active: true,
        is_trusted: false,
        is_resource_server: false,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
        allows_plain: false,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// Another one that cannot keep a secret.
pub fn public() -> Client {
    let redirect_uris = vec!["http://127.0.0.1/cb".to_owned()];
    let client_id = "agpt_client_shuttle".to_owned();
    Client { id: AppId::from_random([3; 16]), client_id, proof: Proof::Public, redirect_uris, ..client() }
}

/// What [`ada`] allowed [`client`].
pub fn family() -> Family {
    Family {
        id: FamilyId::from_random([4; 16]),
        app: client().id,
        user: ada(),
        scopes: scopes("openid IDENTITY RUN_AGENT"),
        resources: vec![],
        auth_time: NOW.plus_seconds(-60),
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW.plus_seconds(600),
        ends_at: None,
        ended: None,
    }
}

pub fn standing<'a>(family: &'a Family, client: &'a Client) -> Standing<'a> {
    Standing { family, client: Some(client), user_is_enabled: true }
}
