//! Providers and credentials (`v1.md` 6). No type here has a member for a secret of an answer.

use heddle_platform::CredentialMeta;
use heddle_platform::integrations::{Kind, Provider};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A service that agents can work with.
#[derive(Serialize, ToSchema)]
pub struct ProviderInfo {
    /// What credentials and graphs call it.
    name: String,
    /// An account can be connected.
    #[schema(required = false, default = false)]
    supports_oauth: bool,
    /// A key can be kept.
    #[schema(required = false, default = false)]
    supports_api_key: bool,
    /// A name and a password can be kept.
    #[schema(required = false, default = false)]
    supports_user_password: bool,
    /// Headers for a host can be kept.
    #[schema(required = false, default = false)]
    supports_host_scoped: bool,
    /// What is asked for when an account is connected and nothing is named.
    #[schema(required = false)]
    default_scopes: Vec<String>,
}

impl ProviderInfo {
    /// What is told of a provider.
    pub fn of(provider: &Provider) -> Self {
        Self {
            name: provider.name.clone(),
            supports_oauth: provider.oauth.is_some(),
            supports_api_key: provider.lists(Kind::ApiKey),
            supports_user_password: provider.lists(Kind::UserPassword),
            supports_host_scoped: provider.lists(Kind::HostScoped),
            default_scopes: provider.oauth.iter().flat_map(|oauth| oauth.scopes.clone()).collect(),
        }
    }
}

/// What is told of a credential.
#[derive(Serialize, ToSchema)]
pub struct CredentialsMetaResponse {
    /// Its id.
    id: String,
    /// For which provider.
    provider: String,
    /// `api_key`, `oauth2`, `user_password` or `host_scoped`.
    #[schema(value_type = String)]
    r#type: Kind,
    /// What it is called.
    #[schema(required = true)]
    title: Option<String>,
    /// What a connected account allows; null for other types.
    #[schema(required = true)]
    scopes: Option<Vec<String>>,
    /// What a connected account is called; null for other types.
    #[schema(required = true)]
    username: Option<String>,
    /// For which host headers are; null for other types.
    host: Option<String>,
    /// Whether somebody else looks after it.
    #[schema(required = false, default = false)]
    is_managed: bool,
}

impl From<CredentialMeta> for CredentialsMetaResponse {
    fn from(meta: CredentialMeta) -> Self {
        Self {
            id: meta.id,
            provider: meta.provider,
            r#type: meta.kind,
            title: meta.title,
            scopes: meta.scopes,
            username: meta.username,
            host: meta.host,
            is_managed: false,
        }
    }
}

/// A credential to be kept.
#[derive(ToSchema)]
#[schema(discriminator(property_name = "type", mapping(
    ("api_key" = "#/components/schemas/CreateAPIKeyCredentialRequest"),
    ("user_password" = "#/components/schemas/CreateUserPasswordCredentialRequest"),
    ("host_scoped" = "#/components/schemas/CreateHostScopedCredentialRequest"),
)))]
#[expect(dead_code, reason = "only its schema is used")]
#[serde(untagged)]
pub enum CreateCredentialRequest {
    /// A key.
    Key(CreateAPIKeyCredentialRequest),
    /// A name and a password.
    Password(CreateUserPasswordCredentialRequest),
    /// Headers for a host.
    Headers(CreateHostScopedCredentialRequest),
}

/// A key to be kept.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CreateAPIKeyCredentialRequest {
    /// `api_key`; has to be there all the same.
    #[schema(required = false, default = "api_key")]
    r#type: String,
    /// The key.
    api_key: String,
    /// What it is to be called.
    title: String,
    /// When it is good no longer, in seconds since 1970.
    expires_at: Option<i64>,
    /// Where the provider's API is for this key, when that is not the usual place.
    base_url: Option<String>,
}

/// A name and a password to be kept.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CreateUserPasswordCredentialRequest {
    /// `user_password`; has to be there all the same.
    #[schema(required = false, default = "user_password")]
    r#type: String,
    /// The name.
    username: String,
    /// The password.
    password: String,
    /// What it is to be called.
    title: String,
}

/// Headers for a host to be kept.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CreateHostScopedCredentialRequest {
    /// `host_scoped`; has to be there all the same.
    #[schema(required = false, default = "host_scoped")]
    r#type: String,
    /// A host, or `*.` and a domain; with a port where only that port is meant.
    host: String,
    /// Header name → value.
    headers: BTreeMap<String, String>,
    /// What they are to be called.
    title: String,
}

/// A credential that was kept.
#[derive(Serialize, ToSchema)]
pub struct CreateCredentialResponse {
    /// Its id.
    id: String,
    /// For which provider.
    provider: String,
    /// `api_key`, `oauth2`, `user_password` or `host_scoped`.
    #[schema(value_type = String)]
    r#type: Kind,
    /// What it is called.
    title: Option<String>,
}

impl From<CredentialMeta> for CreateCredentialResponse {
    fn from(meta: CredentialMeta) -> Self {
        Self { id: meta.id, provider: meta.provider, r#type: meta.kind, title: meta.title }
    }
}

/// A credential that is gone.
#[derive(Serialize, ToSchema)]
pub struct DeleteCredentialResponse {
    /// True.
    deleted: bool,
    /// Which.
    credentials_id: String,
}

impl DeleteCredentialResponse {
    /// The answer for an id.
    pub fn of(id: String) -> Self {
        Self { deleted: true, credentials_id: id }
    }
}
