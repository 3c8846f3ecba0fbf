//! Connecting accounts from our own pages: what their scripts ask for, with a session (`auth.md` 10).

use crate::app::App;
use crate::error::ApiError;
use crate::input::{CompleteOAuth, LoginToProvider, NewCredentialInput};
use crate::session::{SessionCall, SignedIn};
use crate::unrouted::{Templates, origin};
use crate::wire::{CreateCredentialResponse, OAuthCompleteResponse};
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use heddle_model::Object;
use heddle_platform::connect::{Return, Start, Traveller, Way};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

/// Where providers send our own pages' people back to.
pub const CALLBACK_PATH: &str = "/auth/integrations/oauth_callback";

/// All routes.
pub fn routes(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, methods, handlers) in [
        ("/api/integrations/{provider}/login", "GET", get(login)),
        ("/api/integrations/{provider}/callback", "POST", post(callback)),
        ("/api/integrations/{provider}/credentials", "POST", post(create)),
    ] {
        templates.add(path, methods);
        router = router.route(path, handlers);
    }
    router
}

/// Whoever is signed in, on the way with this browser.
pub fn traveller(who: &SignedIn) -> Traveller {
    Traveller { user: who.caller.user, session: Some(who.who.session), key_id: None }
}

/// The address of [`CALLBACK_PATH`], as browsers reach it.
pub fn callback_url(app: &App, uri: &Uri, headers: &HeaderMap) -> String {
    format!("{}{}{CALLBACK_PATH}", origin(app, uri, headers), app.settings.prefix())
}

/// Begins a sign-in at a provider, for a window that a page opens.
async fn login(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    call: SessionCall<LoginToProvider>,
) -> Result<Json<Value>, ApiError> {
    let LoginToProvider { provider, scopes } = call.input;
    let callback_url = callback_url(&app, &uri, &headers);
    let (metadata, back) = (Object::default(), None);
    let start = Start { provider, way: Way::Window, callback_url, scopes, metadata, back };
    let begun = app.platform.connect.initiate(traveller(&call.who), start).await?;
    Ok(Json(json!({ "login_url": begun.login_url, "state_token": begun.state.expose() })))
}

/// Completes it with what the window was sent.
async fn callback(State(app): State<App>, call: SessionCall<CompleteOAuth>) -> Result<Response, ApiError> {
    let CompleteOAuth { provider, code, state, issuer } = call.input;
    let back = Return { provider: Some(provider), code: code.into(), state: state.into(), issuer };
    let connected = app.platform.connect.complete_here(traveller(&call.who), back).await?;
    let id = connected.id.clone();
    let mut body = serde_json::to_value(OAuthCompleteResponse::from(connected)).unwrap_or_default();
    body["id"] = json!(id);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Keeps a credential.
async fn create(State(app): State<App>, call: SessionCall<NewCredentialInput>) -> Result<Response, ApiError> {
    let made = app.platform.integrations.add(call.who.caller.user, call.input.0).await?;
    Ok((StatusCode::CREATED, Json(CreateCredentialResponse::from(made))).into_response())
}
