//! Whether the process is up and can accept runs; for machines, so without a credential.

use crate::app::App;
use crate::unrouted::Templates;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::json;

/// `/healthz` and `/readyz`.
pub fn routes(templates: &mut Templates) -> Router<App> {
    templates.add("/healthz", "GET");
    templates.add("/readyz", "GET");
    Router::new().route("/healthz", get(up)).route("/readyz", get(ready))
}

async fn up() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    let reasons = app.platform.unready().await;
    if reasons.is_empty() {
        return Json(json!({ "status": "ok" })).into_response();
    }
    let body = json!({ "status": "unready", "detail": "Runs cannot be accepted right now", "reasons": reasons });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
