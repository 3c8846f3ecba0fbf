//! Connecting accounts at providers: a sign-in whose way back leads to the calling application (`v1.md` 6).

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::{CompleteOAuth, InitiateOAuth};
use crate::scopes::ManageIntegrations;
use crate::wire::{
    Detail, DetailList, NotConfigured, OAuthCompleteRequest, OAuthCompleteResponse, OAuthInitiateRequest,
    OAuthInitiateResponse,
};
use axum::Json;
use axum::extract::State;
use heddle_platform::Principal;
use heddle_platform::connect::{Return, Start, Traveller, Way};

fn traveller(caller: &Principal) -> Traveller {
    Traveller { user: caller.user, session: None, key_id: caller.key }
}

/// Starts signing a person in at a provider; the way back leads to the calling application.
///
/// Send the person to `login_url`. The provider sends the browser to `callback_url` with `code` and `state`, which
/// complete the sign-in within ten minutes.
#[utoipa::path(
    post,
    path = "/integrations/{provider}/oauth/initiate",
    tag = "integrations",
    params(("provider" = String, Path, description = "Provider")),
    request_body = OAuthInitiateRequest,
    responses(
        (status = 200, description = "Where to send the person", body = OAuthInitiateResponse),
        (status = 400, description = "The callback URL's origin is not allowed", body = DetailList),
        (status = 404, description = "The provider does not support OAuth, or there is none of this name", body = Detail),
        (status = 501, description = "The operator has not set this server up at the provider", body = NotConfigured),
    )
)]
pub async fn initiate_oauth(
    State(app): State<App>,
    call: Call<ManageIntegrations, InitiateOAuth>,
) -> Result<Json<OAuthInitiateResponse>, ApiError> {
    let InitiateOAuth { provider, callback_url, scopes, metadata } = call.input;
    let start = Start { provider, way: Way::External, callback_url, scopes, metadata, back: None };
    let begun = app.platform.connect.initiate(traveller(&call.caller), start).await?;
    Ok(Json((&begun).into()))
}

/// Completes signing a person in at a provider: keeps the credential.
///
/// Whatever comes of it, the state is used up.
#[utoipa::path(
    post,
    path = "/integrations/{provider}/oauth/complete",
    tag = "integrations",
    params(("provider" = String, Path, description = "Provider")),
    request_body = OAuthCompleteRequest,
    responses(
        (status = 200, description = "The credential", body = OAuthCompleteResponse),
        (status = 400, description = "The state is not good, or the provider refused the code", body = Detail),
        (status = 404, description = "The provider does not support OAuth, or there is none of this name", body = Detail),
        (status = 501, description = "The operator has not set this server up at the provider", body = NotConfigured),
    )
)]
pub async fn complete_oauth(
    State(app): State<App>,
    call: Call<ManageIntegrations, CompleteOAuth>,
) -> Result<Json<OAuthCompleteResponse>, ApiError> {
    let CompleteOAuth { provider, code, state, issuer } = call.input;
    let back = Return { provider: Some(provider), code: code.into(), state: state.into(), issuer };
    let connected = app.platform.connect.complete(traveller(&call.caller), back).await?;
    Ok(Json(connected.into()))
}
