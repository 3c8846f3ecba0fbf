//! Answers that are large enough are compressed for clients that take it. All others never see the machinery.

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, Request};
use std::convert::Infallible;
use std::future::ready;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Answers above this many bytes are compressed.
const ABOVE: u64 = 50_000;

/// What a client takes.
pub struct Taken(Vec<HeaderValue>);

impl Taken {
    /// As its request says.
    pub fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(ACCEPT_ENCODING).iter().cloned().collect())
    }

    /// The answer, compressed where that is worth it and wanted.
    pub async fn by(self, response: Response) -> Response {
        // A compressor would hold live events back.
        let is_worth_it = SizeAbove::new(ABOVE).and(NotForContentType::SSE);
        if response.headers().contains_key(CONTENT_ENCODING) || !is_worth_it.should_compress(&response) {
            return response;
        }
        let mut request = Request::new(());
        for value in self.0 {
            request.headers_mut().append(ACCEPT_ENCODING, value);
        }
        let mut response = Some(response);
        let ready = service_fn(move |_| ready(Ok::<Response, Infallible>(response.take().unwrap_or_default())));
        match CompressionLayer::new().compress_when(is_worth_it).layer(ready).oneshot(request).await {
            Ok(packed) => packed.map(Body::new),
            Err(never) => match never {},
        }
    }
}
