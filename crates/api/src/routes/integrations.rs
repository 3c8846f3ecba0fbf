//! Integrations: which services there are, and the caller's credentials for them.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::{CredentialOf, NewCredentialInput, OfProvider};
use crate::scopes::{DeleteIntegrations, ManageIntegrations, ReadIntegrations};
use crate::wire::{
    CreateCredentialRequest, CreateCredentialResponse, CredentialsMetaResponse, DeleteCredentialResponse, Detail,
    Failure, ProviderInfo,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// The services that agents can work with, and what a credential for each may be.
#[utoipa::path(get, path = "/integrations/providers", tag = "integrations", responses((status = 200, description = "All providers, by name", body = Vec<ProviderInfo>)))]
pub async fn list_providers(
    State(app): State<App>,
    _call: Call<ReadIntegrations, ()>,
) -> Result<Json<Vec<ProviderInfo>>, ApiError> {
    let providers = app.platform.integrations.providers();
    Ok(Json(providers.iter().filter(|provider| provider.is_listed).map(ProviderInfo::of).collect()))
}

/// The caller's credentials in the order in which they were made, and then those that everybody may use. Never a secret.
#[utoipa::path(get, path = "/integrations/credentials", tag = "integrations", responses((status = 200, description = "All credentials", body = Vec<CredentialsMetaResponse>)))]
pub async fn list_credentials(
    State(app): State<App>,
    call: Call<ReadIntegrations, ()>,
) -> Result<Json<Vec<CredentialsMetaResponse>>, ApiError> {
    let listed = app.platform.integrations.list(call.caller.user).await?;
    Ok(Json(listed.into_iter().map(CredentialsMetaResponse::from).collect()))
}

/// Those for one provider; none for one that there is not.
#[utoipa::path(
    get,
    path = "/integrations/{provider}/credentials",
    tag = "integrations",
    params(("provider" = String, Path, description = "Provider, compared exactly")),
    responses((status = 200, description = "The credentials", body = Vec<CredentialsMetaResponse>))
)]
pub async fn list_credentials_by_provider(
    State(app): State<App>,
    call: Call<ReadIntegrations, OfProvider>,
) -> Result<Json<Vec<CredentialsMetaResponse>>, ApiError> {
    let listed = app.platform.integrations.list_of(call.caller.user, &call.input.0).await?;
    Ok(Json(listed.into_iter().map(CredentialsMetaResponse::from).collect()))
}

/// Keeps a credential. Its secret is sealed and never shown again.
#[utoipa::path(
    post,
    path = "/integrations/{provider}/credentials",
    tag = "integrations",
    params(("provider" = String, Path, description = "Provider, compared exactly")),
    request_body = inline(CreateCredentialRequest),
    responses(
        (status = 201, description = "The credential", body = CreateCredentialResponse),
        (status = 400, description = "It cannot be kept, or the body cannot be read", body = Failure),
        (status = 404, description = "There is no such provider", body = Detail),
    )
)]
pub async fn create_credential(
    State(app): State<App>,
    call: Call<ManageIntegrations, NewCredentialInput>,
) -> Result<Response, ApiError> {
    let made = app.platform.integrations.add(call.caller.user, call.input.0).await?;
    Ok((StatusCode::CREATED, Json(CreateCredentialResponse::from(made))).into_response())
}

/// Removes a credential. Runs that want it from now on fail.
#[utoipa::path(
    delete,
    path = "/integrations/{provider}/credentials/{cred_id}",
    tag = "integrations",
    params(
        ("provider" = String, Path, description = "Provider, compared exactly"),
        ("cred_id" = String, Path, description = "Credential id"),
    ),
    responses(
        (status = 200, description = "It is gone", body = DeleteCredentialResponse),
        (status = 403, description = "The credential lacks a scope, or it is one that everybody uses", body = Detail),
        (status = 404, description = "The caller has no such credential for this provider", body = Detail),
    )
)]
pub async fn delete_credential(
    State(app): State<App>,
    call: Call<DeleteIntegrations, CredentialOf>,
) -> Result<Json<DeleteCredentialResponse>, ApiError> {
    let CredentialOf { provider, id } = call.input;
    app.platform.integrations.remove(call.caller.user, &provider, &id).await?;
    Ok(Json(DeleteCredentialResponse::of(id)))
}
