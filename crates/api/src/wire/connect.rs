//! Ways to providers and back as v1 shows them.

use heddle_platform::connect::{Begun, Connected};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What `POST …/oauth/initiate` takes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct OAuthInitiateRequest {
    /// Where the provider sends the browser back to; its origin must be one that the operator allows.
    #[schema(example = "http://localhost:3000/callback")]
    callback_url: String,
    /// What to ask the provider for; empty: its usual scopes.
    #[schema(required = false)]
    scopes: Vec<String>,
    /// Given back unchanged when the sign-in is completed.
    #[schema(value_type = Object, required = false)]
    state_metadata: Value,
}

/// A sign-in that has begun.
#[derive(Serialize, ToSchema)]
pub struct OAuthInitiateResponse {
    /// Where to send the person.
    login_url: String,
    /// What comes back with the code.
    state_token: String,
    /// Until when it can be completed, in unix seconds.
    expires_at: i64,
}

impl From<&Begun> for OAuthInitiateResponse {
    fn from(begun: &Begun) -> Self {
        Self {
            login_url: begun.login_url.clone(),
            state_token: begun.state.expose().clone(),
            expires_at: begun.expires_at.0 / 1_000_000,
        }
    }
}

/// What `POST …/oauth/complete` takes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct OAuthCompleteRequest {
    /// What the provider sent back as `code`.
    code: String,
    /// What it sent back as `state`.
    state_token: String,
    /// What it sent back as `iss`, if it did: an answer of another server than the one that was asked is refused.
    #[schema(required = false)]
    iss: Option<String>,
}

/// An account that is connected now.
#[derive(Serialize, ToSchema)]
pub struct OAuthCompleteResponse {
    /// The credential's id.
    credentials_id: String,
    /// The provider.
    provider: String,
    /// Always `oauth2`.
    r#type: &'static str,
    /// What the credential is called.
    #[schema(required = false)]
    title: Option<String>,
    /// What was granted; it may be less than was asked for.
    #[schema(required = false)]
    scopes: Vec<String>,
    /// Whose account it is at the provider, if it says so.
    #[schema(required = false)]
    username: Option<String>,
    /// What was handed in at the start.
    #[schema(value_type = Object, required = false)]
    state_metadata: Value,
}

impl From<Connected> for OAuthCompleteResponse {
    fn from(connected: Connected) -> Self {
        let Connected { id, provider, title, scopes, username, metadata, back: _ } = connected;
        Self {
            credentials_id: id,
            provider,
            r#type: "oauth2",
            title,
            scopes,
            username,
            state_metadata: metadata.into(),
        }
    }
}

/// A refusal whose `detail` is a list with one sentence.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct DetailList {
    /// What is wrong: a sentence, or a list with one.
    #[schema(value_type = Value)]
    detail: Value,
}

/// A refusal with advice for the operator.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct NotConfigured {
    /// What is missing.
    detail: Advice,
}

/// What is missing, and what to do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Advice {
    /// What is missing.
    message: String,
    /// What to do.
    hint: String,
}
