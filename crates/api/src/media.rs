//! Pictures of the marketplace, under names that change with what is in them.

use crate::app::App;
use crate::error::ApiError;
use crate::unrouted::Templates;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// A picture never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Whatever a browser might make of it, it may do nothing.
const NOTHING: &str = "default-src 'none'; sandbox";
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `GET /media/{name}`.
pub fn routes(templates: &mut Templates) -> Router<App> {
    templates.add("/media/{name}", "GET");
    Router::new().route("/media/{name}", get(picture))
}

async fn picture(State(app): State<App>, Path(name): Path<String>) -> Result<Response, ApiError> {
    let picture = app.platform.marketplace.picture(&name).await?.ok_or(ApiError::NoRoute)?;
    let kind = if picture.kind == "png" { "image/png" } else { "image/jpeg" };
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, FOREVER),
        (CONTENT_SECURITY_POLICY, NOTHING),
        // Clients of the API show them on pages of their own.
        (RESOURCE, "cross-origin"),
    ];
    Ok((headers, picture.body).into_response())
}
