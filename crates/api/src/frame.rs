//! Around every request: its id, its one log line, the headers every answer carries, and the bodies of errors.
//!
//! Knows nothing of routes. A panic below becomes a 500 here.

use crate::app::App;
use crate::error::{ApiError, Shape, names};
use crate::metrics::Traffic;
use crate::oauth::documents;
use crate::packing::Taken;
use crate::unrouted::below_prefix;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use heddle_platform::limiter::Standing;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, PRAGMA, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde::Serialize;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a handler's extractor says how the caller stands within a limit.
#[derive(Clone, Debug, Default)]
pub struct Told(pub Arc<OnceLock<Standing>>);

const ALWAYS: [(HeaderName, HeaderValue); 7] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache, must-revalidate, private")),
    (PRAGMA, HeaderValue::from_static("no-cache")),
    (EXPIRES, HeaderValue::from_static("0")),
];

/// The middleware.
pub async fn frame(State((app, traffic)): State<(App, Arc<Traffic>)>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let taken = Taken::of(request.headers());
    let id = request_id(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = app.settings.adopt.map_or_else(Span::none, |adopt| {
        let span = span(&method, route.as_ref(), &id);
        adopt(&span, request.headers());
        span
    });
    let told = app.platform.limiter.limits_requests().then(Told::default);
    if let Some(told) = &told {
        request.extensions_mut().insert(told.clone());
    }
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = handled.unwrap_or_else(|_| ApiError::Panicked.into_response());
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        write_error(&app, &error, &method, &uri, &id, &mut response);
    }
    let headers = response.headers_mut();
    // Once, for these and for what the server itself says of each answer.
    headers.reserve(ALWAYS.len() + 3);
    if let Some(standing) = told.as_ref().and_then(|told| told.0.get()) {
        limits(headers, standing);
    }
    // What says itself how it may be kept, or what its links tell, has a reason.
    let is_kept = headers.contains_key(CACHE_CONTROL);
    for (name, value) in &ALWAYS {
        if !(is_kept && [CACHE_CONTROL, PRAGMA, EXPIRES].contains(name)) {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
    let (status, took) = (response.status(), begun.elapsed());
    traffic.note(&method, route.as_ref().map(MatchedPath::as_str), status, took);
    log(&method, route.as_ref().map_or("-", MatchedPath::as_str), status, &id, took);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    taken.by(response).await
}

/// How the caller stands within a limit (`v1.md` 1.7).
fn limits(headers: &mut HeaderMap, standing: &Standing) {
    headers.insert("x-ratelimit-limit", standing.limit.into());
    headers.insert("x-ratelimit-remaining", standing.remaining.into());
    headers.insert("x-ratelimit-reset", standing.reset.into());
}

/// What traces tell of a request: its route, never its path.
fn span(method: &Method, route: Option<&MatchedPath>, id: &HeaderValue) -> Span {
    let route = route.map(MatchedPath::as_str);
    info_span!(
        "request",
        otel.name = route.map_or_else(|| method.to_string(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        request.id = id.to_str().unwrap_or_default(),
    )
}

fn log(method: &Method, route: &str, status: StatusCode, id: &HeaderValue, took: Duration) {
    let (id, status, ms) = (id.to_str().unwrap_or_default(), status.as_u16(), took.as_millis() as u64);
    if status >= 500 {
        tracing::error!(request.id = id, %method, route, status, ms, "{method} {route} {status}");
    } else {
        tracing::info!(request.id = id, %method, route, status, ms, "{method} {route} {status}");
    }
}

/// The client's id when it is a short plain word, else one of ours.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let given = headers.get(&REQUEST_ID).filter(|id| {
        let id = id.as_bytes();
        (1..=128).contains(&id.len()) && id.iter().copied().all(plain)
    });
    given.cloned().unwrap_or_else(new_id)
}

/// Unique without a system call for each: a random number of this process and a counter.
fn new_id() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| uuid::Uuid::new_v4().as_u64_pair().0);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let text = format!("{:016x}{:08x}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(text).expect("hexadecimal digits make a header value")
}

/// What an operator has to do before people can connect accounts (`v1.md` 6).
const SET_CLIENT: &str = "Set client ID and secret in the application's deployment environment";

#[derive(Serialize)]
struct Body<'a, D: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    detail: D,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

fn write_error(app: &App, error: &ApiError, method: &Method, uri: &Uri, id: &HeaderValue, response: &mut Response) {
    let row = error.row();
    let failed = row.status.is_server_error();
    let message = |what: &str| Some(format!("{what} {method} {}", uri.path()));
    let (message, hint) = match row.shape {
        Shape::Plain | Shape::Listed | Shape::Advised => (None, None),
        Shape::Mapped if failed => (message("Failed to process"), Some("Check server logs and dependent services.")),
        Shape::Mapped => (message("Failed to process"), Some("Adjust the request and retry.")),
        Shape::Items => (message("Invalid data for"), Some("Ensure the request matches the API schema.")),
    };
    let request_id = (failed && row.shape == Shape::Mapped).then(|| id.to_str().unwrap_or_default());
    let bytes = match (error, row.shape) {
        (ApiError::Invalid(items), _) => serde_json::to_vec(&Body { message, detail: &**items, hint, request_id }),
        (_, Shape::Listed) => serde_json::to_vec(&Body { message, detail: [row.detail.as_ref()], hint, request_id }),
        (_, Shape::Advised) => {
            let detail = serde_json::json!({ "message": row.detail, "hint": SET_CLIENT });
            serde_json::to_vec(&Body { message, detail, hint, request_id })
        }
        _ => serde_json::to_vec(&Body { message, detail: row.detail.as_ref(), hint, request_id }),
    };
    *response.body_mut() = bytes.expect("texts and JSON values can always be written").into();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = row.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if let Some(challenge) = challenge(app, error, uri) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
}

/// RFC 6750, 3: no error code where nothing was presented.
fn challenge(app: &App, error: &ApiError, uri: &Uri) -> Option<HeaderValue> {
    let why = match error {
        ApiError::NoCredential => String::new(),
        ApiError::BadCredential(text) => format!("error=\"invalid_token\", error_description=\"{text}\""),
        ApiError::MissingScopes(scopes) => format!("error=\"insufficient_scope\", scope=\"{}\"", names(scopes, " ")),
        _ => return None,
    };
    let is_api = below_prefix(app, uri.path()).starts_with(documents::API);
    let more = [why.as_str(), if is_api { &app.resource } else { "" }];
    let parts = [app.challenge.to_str().ok()?].into_iter().chain(more.into_iter().filter(|part| !part.is_empty()));
    HeaderValue::try_from(parts.collect::<Vec<_>>().join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_tells_nothing_but_the_request_id() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("heddle.db");
        let platform = heddle_platform::Platform::open_throwaway(&database, Default::default()).await.unwrap();
        let app = App::new(platform, crate::ApiSettings::default());
        let traffic = Arc::new(Traffic::new(&Default::default(), ""));
        async fn fail() -> StatusCode {
            panic!("a secret")
        }
        let router: Router = Router::new().route("/x", get(fail)).layer(from_fn_with_state((app, traffic), frame));
        let request = Request::builder().uri("/x?q").header("x-request-id", "r-1").body(axum::body::Body::empty());
        let response = router.oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 500);
        let bytes = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let expected = serde_json::json!({
            "message": "Failed to process GET /x", "detail": "Internal server error",
            "hint": "Check server logs and dependent services.", "request_id": "r-1",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn only_plain_short_request_ids_are_taken_over() {
        let kept = |id: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id).unwrap());
            request_id(&headers).as_bytes() == id
        };
        assert!(kept(b"abc-1_2.3:4"));
        assert!(!kept(b""));
        assert!(!kept(b"a b"));
        assert!(!kept(b"a\"b"));
        assert!(!kept(b"\xff"));
        assert!(!kept(&[b'a'; 129]));
        assert_ne!(new_id(), new_id());
    }
}
