//! The authorization server's addresses (`auth.md` 5 to 7 and 12): for applications, for whoever reads about this server,
//! and, with a session, for the people whose applications and grants they are.

pub mod documents;
mod endpoints;
mod logo;
mod own;

use crate::app::App;
use crate::error::ApiError;
use crate::unrouted::Templates;
pub use logo::keep as keep_logo;
pub use own::routes as own_routes;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use heddle_platform::Authorization;
use heddle_platform::authorization::Answer;
use heddle_platform::authorization::rules::metadata;
use heddle_platform::authorization::rules::registration::Policy;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

/// What applications ask and anybody may read, without a session. Only what is switched on has an address.
pub fn routes(server: &Authorization, templates: &mut Templates) -> Router<App> {
    let rules = server.rules();
    let mut router = Router::new();
    for (path, methods, handlers, is_on) in [
        ("/api/oauth/token", "POST", post(endpoints::token), true),
        ("/api/oauth/introspect", "POST", post(endpoints::introspect), true),
        ("/api/oauth/revoke", "POST", post(endpoints::revoke), true),
        ("/api/oauth/par", "POST", post(endpoints::push), rules.pushed),
        ("/api/oauth/register", "POST", post(endpoints::register), rules.registration != Policy::Off),
        ("/api/oauth/userinfo", "GET, POST", get(endpoints::userinfo).post(endpoints::userinfo), true),
        ("/api/oauth/jwks", "GET", get(documents::jwks), true),
        ("/.well-known/oauth-authorization-server", "GET", get(documents::server), true),
        ("/.well-known/openid-configuration", "GET", get(documents::server), true),
        ("/.well-known/oauth-protected-resource/external-api", "GET", get(documents::resource), true),
    ] {
        if is_on {
            templates.add(path, methods);
            router = router.route(path, handlers);
        }
    }
    router
}

/// The same documents where a standard puts the public URL's path behind the well-known one: only at the root of the host.
pub fn root_routes(server: &Authorization, templates: &mut Templates) -> Router<App> {
    let (mut router, known) =
        (Router::new(), ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]);
    for path in metadata::server_paths(server.issuer()) {
        let is_behind = known.iter().any(|name| path.len() > name.len() && path.starts_with(name));
        if is_behind {
            templates.add(path.clone(), "GET");
            router = router.route(&path, get(documents::server));
        }
    }
    let resource = metadata::resource_path(server.issuer(), documents::API);
    if !server.issuer().path().is_empty() {
        templates.add(resource.clone(), "GET");
        router = router.route(&resource, get(documents::resource));
    }
    router
}

/// Any page may ask, and none with cookies: what is answered follows from what the request says.
pub fn cors() -> CorsLayer {
    let exposed = ["x-request-id"].map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.into_iter().chain([RETRY_AFTER, WWW_AUTHENTICATE]).collect::<Vec<_>>())
        .max_age(Duration::from_secs(3_600))
}

/// An answer of the authorization server, as it is.
fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json");
    let mut response = (status, [(CONTENT_TYPE, json)], answer.body.to_string()).into_response();
    if let Some(challenge) = answer.challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// What is refused before the rules are asked, in a body that applications understand.
fn refused(error: &ApiError) -> Response {
    let row = error.row();
    let name = if row.status.is_server_error() { "server_error" } else { "invalid_request" };
    let body = serde_json::json!({ "error": name, "error_description": row.detail, "detail": row.detail });
    response(Answer { status: row.status.as_u16(), challenge: None, retry_after: row.retry_after, body })
}
