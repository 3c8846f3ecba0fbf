//! What a signed-in person's browser may ask for: the person's applications, what the person has allowed others, and a
//! consent page's request for a code (`auth.md` 5.3, 5.4, 6.2, 12.6 and 12.8). Somebody else's things look missing.

use super::{logo, response};
use crate::app::App;
use crate::error::ApiError;
use crate::input::{AnyBody, AppInput, AppLogoInput, AppStatusInput, ChangeAppInput, ClientInput, NewAppInput};
use crate::session::{SessionCall, SignedIn};
use crate::unrouted::Templates;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use heddle_platform::authorization::rules::Plain;
use heddle_platform::authorization::rules::client::Client;
use heddle_platform::authorization::rules::consent::Session;
use heddle_platform::authorization::{Answer, By, Change, Grant};
use http::StatusCode;
use serde_json::{Value, json};

/// All routes that need a session.
pub fn routes(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, methods, handlers) in [
        ("/api/oauth/authorize", "POST", post(authorize)),
        ("/api/oauth/app/{client_id}", "GET", get(shown)),
        ("/api/oauth/apps", "POST", post(create)),
        ("/api/oauth/apps/mine", "GET", get(mine)),
        ("/api/oauth/apps/{app_id}", "DELETE, PATCH", patch(change).delete(remove)),
        ("/api/oauth/apps/{app_id}/secret", "POST", post(rotate_secret)),
        ("/api/oauth/apps/{app_id}/status", "PATCH", patch(set_status)),
        ("/api/oauth/apps/{app_id}/logo", "PATCH", patch(set_logo)),
        ("/api/oauth/apps/{app_id}/logo/upload", "POST", post(logo::upload)),
        ("/api/oauth/grants", "GET", get(grants)),
        ("/api/oauth/grants/{client_id}", "DELETE", delete(end_grant)),
    ] {
        templates.add(path, methods);
        router = router.route(path, handlers);
    }
    router
}

pub(super) fn by(who: &SignedIn) -> By {
    By::Person(who.caller.user)
}

pub(super) fn record(client: &Client) -> Result<Value, ApiError> {
    serde_json::to_value(client.record()).map_err(|error| heddle_platform::Error::Internal(error.to_string()).into())
}

fn with_secret(client: &Client, secret: Option<&Plain>) -> Result<Value, ApiError> {
    let mut body = record(client)?;
    body["client_secret"] = json!(secret.map(Plain::expose));
    Ok(body)
}

/// A code for what the person has allowed on a consent page.
async fn authorize(State(app): State<App>, call: SessionCall<AnyBody>) -> Response {
    let session = Session { user: call.who.caller.user, auth_time: call.who.who.since };
    let decided = app.platform.authorization.decide_upstream(&call.input.0, &session).await;
    response(decided.unwrap_or_else(|items| {
        let body = json!({
            "message": "Invalid data for POST /api/oauth/authorize",
            "detail": items,
            "hint": "Ensure the request matches the API schema.",
        });
        Answer { status: 422, ..Answer::ok(body) }
    }))
}

/// What a consent page shows of an application.
async fn shown(State(app): State<App>, call: SessionCall<ClientInput>) -> Result<Json<Value>, ApiError> {
    let client = app.platform.authorization.shown_app(&call.input.0).await?;
    Ok(Json(json!(client.info())))
}

/// Makes an application; its secret is in this answer and nowhere else.
async fn create(State(app): State<App>, call: SessionCall<NewAppInput>) -> Result<(StatusCode, Json<Value>), ApiError> {
    let (client, secret) = app.platform.authorization.create_app(by(&call.who), None, call.input.0).await?;
    Ok((StatusCode::CREATED, Json(with_secret(&client, secret.as_ref())?)))
}

/// The person's applications, newest first.
async fn mine(State(app): State<App>, call: SessionCall<()>) -> Result<Json<Vec<Value>>, ApiError> {
    let apps = app.platform.authorization.apps(by(&call.who)).await?;
    Ok(Json(apps.iter().map(record).collect::<Result<_, _>>()?))
}

/// Changes an application.
async fn change(State(app): State<App>, call: SessionCall<ChangeAppInput>) -> Result<Json<Value>, ApiError> {
    let ChangeAppInput { app: id, change } = call.input;
    Ok(Json(record(&app.platform.authorization.change_app(by(&call.who), &id, change).await?)?))
}

/// Removes an application with all that came of it; the record as it was.
async fn remove(State(app): State<App>, call: SessionCall<AppInput>) -> Result<Json<Value>, ApiError> {
    Ok(Json(record(&app.platform.authorization.delete_app(by(&call.who), &call.input.0).await?)?))
}

/// A new secret, in this answer and nowhere else; the one before goes on for a day.
async fn rotate_secret(State(app): State<App>, call: SessionCall<AppInput>) -> Result<Json<Value>, ApiError> {
    let (client, secret) = app.platform.authorization.rotate_app_secret(by(&call.who), &call.input.0).await?;
    Ok(Json(with_secret(&client, Some(&secret))?))
}

/// Switches an application off, or on again.
async fn set_status(State(app): State<App>, call: SessionCall<AppStatusInput>) -> Result<Json<Value>, ApiError> {
    let AppStatusInput { app: id, is_active } = call.input;
    Ok(Json(record(&app.platform.authorization.set_app_active(by(&call.who), &id, is_active).await?)?))
}

/// Where an application's image is.
async fn set_logo(State(app): State<App>, call: SessionCall<AppLogoInput>) -> Result<Json<Value>, ApiError> {
    let AppLogoInput { app: id, logo_url } = call.input;
    let change = Change { logo_url: Some(Some(logo_url)), ..Change::default() };
    Ok(Json(record(&app.platform.authorization.change_app(by(&call.who), &id, change).await?)?))
}

/// What the person has allowed applications, last used first.
async fn grants(State(app): State<App>, call: SessionCall<()>) -> Result<Json<Vec<Value>>, ApiError> {
    let grants = app.platform.authorization.grants(call.who.caller.user).await?;
    Ok(Json(grants.iter().map(grant).collect()))
}

fn grant(grant: &Grant) -> Value {
    json!({
        "client_id": grant.app.client_id,
        "name": grant.app.name,
        "description": grant.app.description,
        "logo_url": grant.app.logo_url,
        "is_active": grant.app.is_active,
        "scopes": grant.scopes,
        "created_at": grant.created_at.rfc3339(),
        "last_used_at": grant.last_used_at.rfc3339(),
        "has_access": grant.has_access,
    })
}

/// Takes all back that the person has allowed an application.
async fn end_grant(State(app): State<App>, call: SessionCall<ClientInput>) -> Result<Json<Value>, ApiError> {
    app.platform.authorization.end_grant(call.who.caller.user, &call.input.0).await?;
    Ok(Json(json!({ "status": "ok" })))
}
