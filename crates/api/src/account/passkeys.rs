//! Passkeys of whoever is signed in, and signing in with one. Somebody else's look missing.

use crate::app::App;
use crate::error::ApiError;
use crate::input::{NewPasskeyInput, PasskeyInput, PasskeyNameInput, PasskeySignInInput};
use crate::pages::{PageCall, end_former, target};
use crate::session::SessionCall;
use crate::wire::PasskeyRecord;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use serde_json::{Value, json};

/// What to ask the browser for a new passkey (`PublicKeyCredentialCreationOptionsJSON`).
pub async fn creation(State(app): State<App>, call: PageCall<()>) -> Result<Json<Value>, ApiError> {
    let who = call.member()?;
    Ok(Json(app.platform.passkeys.creation(&call.party()?, &who.who, who.form.as_str()).await?))
}

/// Keeps the passkey that the browser made (`RegistrationResponseJSON`).
pub async fn create(
    State(app): State<App>,
    call: PageCall<NewPasskeyInput>,
) -> Result<(StatusCode, Json<PasskeyRecord>), ApiError> {
    let (who, party) = (call.member()?, call.party()?);
    let NewPasskeyInput { name, credential } = &call.input;
    let made = app.platform.passkeys.register(&party, &who.who, who.form.as_str(), name, credential).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// The passkeys, oldest first.
pub async fn list(State(app): State<App>, call: SessionCall<()>) -> Result<Json<Vec<PasskeyRecord>>, ApiError> {
    let passkeys = app.platform.passkeys.list(call.who.caller.user).await?;
    Ok(Json(passkeys.into_iter().map(Into::into).collect()))
}

/// Gives a passkey another name.
pub async fn rename(
    State(app): State<App>,
    call: SessionCall<PasskeyNameInput>,
) -> Result<Json<PasskeyRecord>, ApiError> {
    let PasskeyNameInput { passkey, name } = &call.input;
    Ok(Json(app.platform.passkeys.rename(call.who.caller.user, passkey, name).await?.into()))
}

/// Removes a passkey.
pub async fn remove(State(app): State<App>, call: SessionCall<PasskeyInput>) -> Result<Json<Value>, ApiError> {
    app.platform.passkeys.remove(call.who.caller.user, &call.input.0).await?;
    Ok(Json(json!({ "status": "ok" })))
}

/// What to ask the browser with which somebody wants to sign in (`PublicKeyCredentialRequestOptionsJSON`).
pub async fn request(State(app): State<App>, call: PageCall<()>) -> Result<Response, ApiError> {
    let asked = app.platform.passkeys.request(&call.party()?, call.visit.form.as_str()).await?;
    let mut response = Json(asked).into_response();
    if let Some(cookie) = call.visit.fresh_cookie() {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

/// Signs in whoever answers with a passkey (`AuthenticationResponseJSON`); the answer says where to go from here.
pub async fn sign_in(State(app): State<App>, call: PageCall<PasskeySignInInput>) -> Result<Response, ApiError> {
    let (party, visit) = (call.party()?, &call.visit);
    let PasskeySignInInput { credential, next } = &call.input;
    let begun = app.platform.passkeys.sign_in(&party, visit.form.as_str(), credential, &visit.visitor).await?;
    end_former(visit).await;
    let answer = Json(json!({ "location": target(visit, next) })).into_response();
    Ok(visit.with_session(&begun, answer))
}
