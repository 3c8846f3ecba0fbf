//! API keys of whoever is signed in. Somebody else's look missing.

use crate::app::App;
use crate::error::ApiError;
use crate::input::{KeyInput, NewKeyInput, PermissionsInput};
use crate::session::SessionCall;
use crate::wire::{ApiKeyRecord, CreatedApiKey};
use axum::Json;
use axum::extract::State;
use heddle_platform::{ApiKey, Error};

/// How many are listed.
const LISTED: usize = 500;

/// Makes a key; its text is in this answer and nowhere else.
pub async fn create(State(app): State<App>, call: SessionCall<NewKeyInput>) -> Result<Json<CreatedApiKey>, ApiError> {
    let (record, key) = app.platform.keys.create(call.who.caller.user, call.input.0).await?;
    Ok(Json(CreatedApiKey { api_key: record.into(), plain_text_key: key }))
}

/// The keys of every status, newest first.
pub async fn list(State(app): State<App>, call: SessionCall<()>) -> Result<Json<Vec<ApiKeyRecord>>, ApiError> {
    let keys = app.platform.keys.list(call.who.caller.user).await?;
    Ok(Json(keys.into_iter().take(LISTED).map(Into::into).collect()))
}

/// One key.
pub async fn get(State(app): State<App>, call: SessionCall<KeyInput>) -> Result<Json<ApiKeyRecord>, ApiError> {
    Ok(Json(app.platform.keys.get(call.who.caller.user, &call.input.0).await?.into()))
}

/// Ends a key for good.
pub async fn revoke(State(app): State<App>, call: SessionCall<KeyInput>) -> Result<Json<ApiKeyRecord>, ApiError> {
    changed(app.platform.keys.revoke(call.who.caller.user, &call.input.0).await)
}

/// Stops a key until it is resumed.
pub async fn suspend(State(app): State<App>, call: SessionCall<KeyInput>) -> Result<Json<ApiKeyRecord>, ApiError> {
    changed(app.platform.keys.suspend(call.who.caller.user, &call.input.0).await)
}

/// Lets a suspended key open things again.
pub async fn resume(State(app): State<App>, call: SessionCall<KeyInput>) -> Result<Json<ApiKeyRecord>, ApiError> {
    changed(app.platform.keys.resume(call.who.caller.user, &call.input.0).await)
}

/// Changes what a key may do.
pub async fn set_permissions(
    State(app): State<App>,
    call: SessionCall<PermissionsInput>,
) -> Result<Json<ApiKeyRecord>, ApiError> {
    let PermissionsInput { key, permissions } = call.input;
    changed(app.platform.keys.set_scopes(call.who.caller.user, &key, &permissions).await)
}

fn changed(result: Result<ApiKey, Error>) -> Result<Json<ApiKeyRecord>, ApiError> {
    match result {
        Ok(key) => Ok(Json(key.into())),
        Err(Error::NotFound(detail)) => Err(ApiError::NoSuchKey(detail)),
        Err(other) => Err(other.into()),
    }
}
