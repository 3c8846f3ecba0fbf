//! The HTTP door: routes, extractors, wire shapes, the error table, the OpenAPI document and its pages.
//!
//! Knows HTTP and JSON; holds no rules. Every route calls one use case of `platform`.

mod account;
mod app;
mod auth;
mod body;
mod call;
mod connect;
mod docs;
mod ending;
mod error;
mod frame;
mod health;
mod input;
mod json;
mod media;
pub mod metrics;
mod multipart;
mod oauth;
mod packing;
mod pages;
mod prepared;
mod routes;
mod scopes;
mod session;
mod settings;
mod unrouted;
mod validate;
mod wire;

pub use metrics::Metrics;
pub use pages::RESET_PATH;
pub use session::cookie::is_safe as is_private;
pub use settings::{Adopt, ApiSettings, Setting};
pub use wire::callback_body;

use app::App;
use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use heddle_platform::Platform;
use http::header::{HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use metrics::Traffic;
use std::sync::Arc;
use tower_http::cors::{AllowHeaders, AllowMethods, CorsLayer};
use unrouted::Templates;

const V1: &str = "/external-api/v1";

/// Everything this server answers over HTTP, under the public URL's prefix and, for proxies that take the prefix off,
/// without it.
///
/// Failed authentications are counted by peer address: serve it with `into_make_service_with_connect_info`.
pub fn router(platform: Platform, settings: ApiSettings) -> Router {
    measured(platform, settings).0
}

/// As [`router`], with everything that `/metrics` shows.
pub fn measured(platform: Platform, settings: ApiSettings) -> (Router, Metrics) {
    let prefix = settings.prefix().to_owned();
    let origins: Vec<HeaderValue> = settings.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let app = App::new(platform.clone(), settings);

    let base = docs::base(&format!("{prefix}{V1}"), platform.authorization.issuer());
    let (v1, document) = routes::v1(base).split_for_parts();
    let mut templates = Templates::default();
    for (path, item) in &document.paths.paths {
        templates.add(format!("{V1}{path}"), &docs::methods(item));
    }
    let pages = docs::pages(&prefix, platform.authorization.issuer(), docs::finish(&document), &mut templates);
    let health = health::routes(&mut templates).merge(media::routes(&mut templates));
    // A session is for the pages of this origin: no other may call with it, whatever it may else.
    let own = account::routes(&mut templates).merge(oauth::own_routes(&mut templates));
    let own = own.merge(connect::routes(&mut templates));
    let own = own.merge(pages::routes(&prefix, &mut templates));
    let open = oauth::routes(&platform.authorization, &mut templates);
    let open_at_root = oauth::root_routes(&platform.authorization, &mut templates);
    let traffic = Arc::new(Traffic::new(&templates, &prefix));
    let metrics = Metrics::new(platform, Arc::clone(&traffic));
    let templates = Arc::new(templates);

    let served = Router::new()
        .nest(V1, ending::told(v1, &app.settings))
        .merge(pages)
        .merge(health)
        .merge(metrics::routes(metrics.clone()));
    let under_prefix = |served: Router<App>| match prefix.as_str() {
        "" => served,
        prefix => Router::new().nest(prefix, served.clone()).merge(served),
    };
    let known = Arc::clone(&templates);
    let wrong_method =
        move |State(app): State<App>, OriginalUri(uri): OriginalUri| async move { known.wrong_method(&app, &uri) };
    let no_route = move |State(app): State<App>, OriginalUri(uri): OriginalUri, request: Request| async move {
        let (parts, _) = request.into_parts();
        match templates.no_route(&app, &uri, &parts.headers) {
            answer if answer.status() == StatusCode::NOT_FOUND && pages::is_asked_for(&app, &uri, &parts) => {
                pages::unknown(&parts, &app).await
            }
            answer => answer,
        }
    };
    let mut served = under_prefix(served).fallback(no_route).method_not_allowed_fallback(wrong_method.clone());
    if !origins.is_empty() {
        served = served.layer(cors(origins));
    }
    let own = match prefix.as_str() {
        "" => own,
        // A nest does not take its own name with a slash behind it.
        prefix => under_prefix(own).route(&format!("{prefix}/"), get(pages::home)),
    };
    let served = served.merge(own.method_not_allowed_fallback(wrong_method.clone()));
    let open = under_prefix(open).merge(open_at_root).method_not_allowed_fallback(wrong_method);
    let served = served.merge(open.layer(oauth::cors()));
    let served = served.layer(from_fn_with_state((app.clone(), traffic), frame::frame)).with_state(app);
    (served, metrics)
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    let exposed =
        ["x-request-id", "preference-applied", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
            .map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.into_iter().chain([LOCATION, RETRY_AFTER]).collect::<Vec<_>>())
}
