use super::*;
use crate::client::Origin;
use crate::draft::Making;
use crate::testing::NOW;
use heddle_model::AppId;

const CEILING: [Permission; 3] = [Permission::Identity, Permission::RunAgent, Permission::ReadRun];

fn read(body: Value) -> Result<Registration, Refusal> {
    Registration::read(&body, &CEILING)
}

fn answer(body: Value) -> Value {
    let registration = read(body).unwrap();
    let making = Making {
        id: AppId::from_random([1; 16]),
        name_bytes: [5; 32],
        secret_bytes: [6; 32],
        owner: None,
        organization: None,
        origin: Origin::Dynamic,
        now: NOW,
    };
    let (client, secret) = registration.draft.clone().make(making).unwrap();
    registration.answer(&client, secret.as_ref())
}

/// RFC 7591, 3.2.1; what MCP clients send.
#[test]
fn an_application_learns_what_it_got() {
    assert_eq!(
        answer(json!({
            "client_name": "Inspector", "redirect_uris": ["http://localhost:6274/oauth/callback"],
            "grant_types": ["authorization_code", "refresh_token", "implicit"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "scope": "openid RUN_AGENT WRITE_STORE nonsense",
            "client_uri": "https://inspector.example", "software_id": "x",
        })),
        json!({
            "client_id": "agpt_client_BQUFBQUFBQUFBQUFBQUFBQ", "client_id_issued_at": 1_770_112_800,
            "client_name": "Inspector", "redirect_uris": ["http://localhost:6274/oauth/callback"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "scope": "openid profile email offline_access IDENTITY RUN_AGENT",
            "id_token_signed_response_alg": "RS256",
        })
    );
    let uri = json!(["https://looms.example/cb"]);
    let chosen = answer(json!({"redirect_uris": uri, "id_token_signed_response_alg": "ES256"}));
    assert_eq!(chosen["id_token_signed_response_alg"], "ES256");
    let confidential = answer(json!({"redirect_uris": ["https://looms.example/cb"], "scope": "RUN_AGENT"}));
    assert_eq!(confidential["client_name"], "looms.example");
    assert_eq!(confidential["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(confidential["client_secret_expires_at"], 0);
    assert_eq!(confidential["scope"], "offline_access RUN_AGENT");
    assert!(confidential["client_secret"].as_str().unwrap().starts_with("agpt_secret_"));
    let greedy = read(json!({"redirect_uris": ["https://looms.example/cb"]})).unwrap();
    assert_eq!(greedy.draft.scopes, CEILING);
}

/// RFC 7591, 3.2.2.
#[test]
fn what_cannot_be_is_refused_by_name() {
    let uri = || json!(["https://looms.example/cb"]);
    for (body, error) in [
        (json!([]), ErrorCode::InvalidClientMetadata),
        (json!({}), ErrorCode::InvalidRedirectUri),
        (json!({"redirect_uris": []}), ErrorCode::InvalidRedirectUri),
        (json!({"redirect_uris": ["http://looms.example/cb"]}), ErrorCode::InvalidRedirectUri),
        (json!({"redirect_uris": ["javascript:alert(1)"]}), ErrorCode::InvalidRedirectUri),
        (json!({"redirect_uris": ["https://looms.example/cb#x"]}), ErrorCode::InvalidRedirectUri),
        (json!({"redirect_uris": "https://looms.example/cb"}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": [1]}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "client_name": 1}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "client_name": "a\u{202e}b"}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "logo_uri": "http://a.example"}), ErrorCode::InvalidClientMetadata),
        (
            json!({"redirect_uris": uri(), "token_endpoint_auth_method": "private_key_jwt"}),
            ErrorCode::InvalidClientMetadata,
        ),
        (json!({"redirect_uris": uri(), "response_types": ["token"]}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "grant_types": ["client_credentials"]}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "id_token_signed_response_alg": "none"}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "subject_type": "pairwise"}), ErrorCode::InvalidClientMetadata),
        (json!({"redirect_uris": uri(), "scope": "WRITE_STORE"}), ErrorCode::InvalidClientMetadata),
        (
            json!({"redirect_uris": uri(), "require_pushed_authorization_requests": "yes"}),
            ErrorCode::InvalidClientMetadata,
        ),
    ] {
        assert_eq!(read(body.clone()).unwrap_err().error, error, "{body}");
    }
}

#[test]
fn policies_have_names() {
    for policy in [Policy::Off, Policy::Token, Policy::Open] {
        assert_eq!(Policy::parse(policy.as_str()), Some(policy));
    }
    assert_eq!((Policy::default(), Policy::parse("on")), (Policy::Off, None));
}
