//! What anybody may read about this server, and keep for a while.

use super::response;
use crate::app::App;
use crate::error::ApiError;
use axum::extract::State;
use axum::response::Response;
use heddle_platform::authorization::Answer;
use heddle_platform::authorization::rules::metadata;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use serde_json::Value;

/// `auth.md` 12.2.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The authorization server's document (RFC 8414; OpenID Connect Discovery).
pub async fn server(State(app): State<App>) -> Response {
    kept(app.platform.authorization.metadata())
}

/// What takes the tokens.
pub const API: &str = "/external-api";

/// The API's own document (RFC 9728): who gives tokens for it.
pub async fn resource(State(app): State<App>) -> Response {
    kept(metadata::resource(app.platform.authorization.issuer(), API, "Heddle"))
}

/// The keys that sign ID tokens (RFC 7517).
pub async fn jwks(State(app): State<App>) -> Result<Response, ApiError> {
    Ok(kept(app.platform.authorization.jwks().await?))
}

fn kept(document: Value) -> Response {
    let mut response = response(Answer::ok(document));
    response.headers_mut().insert(CACHE_CONTROL, KEPT);
    response
}
