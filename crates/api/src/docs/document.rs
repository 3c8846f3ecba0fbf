//! The parts of the document that no single route knows.

use super::{examples, links, words};
use crate::wire::{Detail, Failure, HTTPValidationError, StoreAgentsSortOptions, StoreCreatorsSortOptions};
use bytes::Bytes;
use heddle_model::Scope;
use heddle_platform::authorization::rules::{self, Issuer};
use serde_json::{Value, json};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, AuthorizationCode, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder};

const TITLE: &str = "Heddle External API";
const ABOUT: &str = "Saves agents, runs them and tells how they went.\n\n\
    Send an API key as `X-API-Key`, or an OAuth 2 access token as `Authorization: Bearer`. What a key or token may do are its \
    scopes, by exact name; each operation says which it needs. Errors are JSON with the member `detail`. Moments are \
    RFC 3339 in UTC, ids are texts. Members that are not described are ignored.";
const TAGS: [(&str, &str); 7] = [
    ("user", "The account a credential speaks for"),
    ("meta", "About the credential itself"),
    ("blocks", "What agents are made of"),
    ("graphs", "Agents: saving and reading them, running them, and following what they do"),
    ("store", "The marketplace: listed agents and those who made them"),
    ("integrations", "Credentials for other services, and connecting accounts there"),
    ("tools", "Finding and running agents in one call each, with answers made for language models"),
];

/// The document without routes. Its server is a path, so that it fits whatever origin it is read from; applications are
/// sent to the one public origin.
pub fn base(root: &str, issuer: &Issuer) -> OpenApi {
    let components = ComponentsBuilder::new()
        .security_scheme("APIKeyHeader", by_key())
        .security_scheme("HTTPBearer", by_bearer())
        .security_scheme("OAuth2", by_oauth(issuer))
        .schema_from::<Detail>()
        .schema_from::<Failure>()
        .schema_from::<HTTPValidationError>()
        .schema_from::<StoreAgentsSortOptions>()
        .schema_from::<StoreCreatorsSortOptions>()
        .build();
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let tag = |(name, words): (&str, &str)| TagBuilder::new().name(name).description(Some(words)).build();
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title(TITLE).version("1.0.0").description(Some(ABOUT)).license(Some(license)).build())
        .servers(Some([ServerBuilder::new().url(root).build()]))
        .tags(Some(TAGS.map(tag)))
        .components(Some(components))
        .build()
}

fn by_key() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", "An API key, `agpt_…`")))
}

fn by_bearer() -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    SecurityScheme::Http(scheme.description(Some("An access token, `agpt_xt_…`, or an API key")).build())
}

/// Every scope that v1 knows, with the words of the consent page.
fn by_oauth(issuer: &Issuer) -> SecurityScheme {
    let words = |scope: &Scope| (scope.as_str(), rules::Scope::Permission(*scope).consent());
    let (authorize, token) = (issuer.at("/auth/authorize"), issuer.at("/api/oauth/token"));
    let code = AuthorizationCode::with_refresh_url(
        authorize,
        token.clone(),
        Scopes::from_iter(Scope::ALL.iter().map(words)),
        token,
    );
    let about = "The authorization code flow with PKCE (S256). In the browser it works where this page was opened at the \
                 server's public address.";
    SecurityScheme::OAuth2(OAuth2::with_description([Flow::AuthorizationCode(code)], about))
}

/// The document as it is served.
pub fn finish(document: &OpenApi) -> Bytes {
    let mut json = serde_json::to_value(document).expect("a document of strings can always be written");
    describe_headers(&mut json);
    open_streams(&mut json);
    open_objects(&mut json);
    words::add(&mut json);
    links::add(&mut json);
    examples::add(&mut json);
    serde_json::to_vec(&json).expect("JSON can always be written").into()
}

/// Objects without described members take any: said outright, because generators of clients read silence as none.
fn open_objects(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(open_objects),
        Value::Object(members) => {
            let kind = members.get("type");
            let is_object = kind.is_some_and(|kind| {
                kind == "object" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("object")))
            });
            let is_described =
                ["properties", "additionalProperties", "const", "enum"].iter().any(|name| members.contains_key(*name));
            if is_object && !is_described {
                members.insert("additionalProperties".to_owned(), true.into());
            }
            members.values_mut().for_each(open_objects);
        }
        _ => {}
    }
}

/// A stream of events is no single value, and OpenAPI 3.1 has no words for its parts (3.2 has): what it said of the whole,
/// readers take for each event.
fn open_streams(document: &mut Value) {
    for operation in operations(document) {
        let responses = operation["responses"].as_object_mut();
        for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
            if let Some(stream) = response.pointer_mut("/content/text~1event-stream").and_then(Value::as_object_mut) {
                stream.remove("schema");
            }
        }
    }
}

/// Headers that go with a status, whatever the route.
fn describe_headers(document: &mut Value) {
    let header = |words: &str, kind: &str| json!({ "description": words, "schema": { "type": kind } });
    let challenge = header("What is wanted, and what is wrong with what was sent (RFC 6750, 3)", "string");
    let wait = header("Seconds after which trying again makes sense", "integer");
    for operation in operations(document) {
        for (status, name, header) in [
            ("401", "WWW-Authenticate", &challenge),
            ("403", "WWW-Authenticate", &challenge),
            ("429", "Retry-After", &wait),
            ("503", "Retry-After", &wait),
        ] {
            if let Some(answer) = operation["responses"].get_mut(status) {
                answer["headers"][name] = header.clone();
            }
        }
    }
}

/// All operations of a document.
pub fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten().map(|(_, operation)| operation))
}
