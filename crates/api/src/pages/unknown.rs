//! The answer to a browser that asks for a page that is none.

use super::Visit;
use crate::app::App;
use crate::unrouted::below_prefix;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use maud::html;

/// Below these only programs ask, and are answered in their own way (`v1.md` 1, framework errors).
const FOR_PROGRAMS: [&str; 2] = ["/external-api/", "/api/"];

/// Whether this is somebody who followed a link.
pub fn is_asked_for(app: &App, uri: &Uri, parts: &Parts) -> bool {
    let path = below_prefix(app, uri.path());
    let accept = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    // Another origin's script may read what is answered to it, and pages hold what our forms are known by.
    !parts.headers.contains_key(ORIGIN)
        && accept.contains("text/html")
        && matches!(parts.method, Method::GET | Method::HEAD)
        && !FOR_PROGRAMS.iter().any(|start| path.starts_with(start))
}

/// The page, with 404.
pub async fn page(parts: &Parts, app: &App) -> Response {
    let visit = match Visit::of(parts, app).await {
        Ok(visit) => visit,
        Err(error) => return error.into_response(),
    };
    let content = html! {
        p { "There is no page at this address." }
        p { a href=(visit.link("/")) { "To the start" } }
    };
    visit.page("Not found", content).status(StatusCode::NOT_FOUND).into_response()
}
