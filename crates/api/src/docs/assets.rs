//! Swagger UI's files, out of the crate that embeds them.

use bytes::Bytes;
use http::HeaderValue;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// The files the pages ask for, each with its content type. Others of the distribution are not served.
const SERVED: [(&str, &str); 5] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("index.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// Name, content type and bytes of each file.
pub fn files() -> impl Iterator<Item = (&'static str, HeaderValue, Bytes)> {
    let config: Arc<Config<'static>> = Arc::new(Config::default());
    SERVED.into_iter().filter_map(move |(name, content_type)| {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok().flatten()?;
        let bytes = match file.bytes {
            Cow::Borrowed(embedded) => Bytes::from_static(embedded),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some((name, HeaderValue::from_static(content_type), bytes))
    })
}
