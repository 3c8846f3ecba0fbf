//! The parts of the document that no single route knows.

use crate::wire::{Detail, Failure, HTTPValidationError};
use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder};

const TITLE: &str = "Heddle External API";

/// The document without routes. Its server is a path, so that it fits whatever origin it is read from.
pub fn base(root: &str) -> OpenApi {
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = ComponentsBuilder::new()
        .security_scheme("APIKeyHeader", key)
        .security_scheme("HTTPBearer", bearer)
        .schema_from::<Detail>()
        .schema_from::<Failure>()
        .schema_from::<HTTPValidationError>()
        .build();
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title(TITLE).version("1.0.0").build())
        .servers(Some([ServerBuilder::new().url(root).build()]))
        .components(Some(components))
        .build()
}

/// The document as JSON, and as bytes.
pub fn finish(document: &OpenApi) -> (Value, Bytes) {
    let json = serde_json::to_value(document).expect("a document of strings can always be written");
    let bytes = serde_json::to_vec(&json).expect("JSON can always be written");
    (json, bytes.into())
}
