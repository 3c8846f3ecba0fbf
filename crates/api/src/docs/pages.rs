//! The addresses under which documents and pages are found (`v1.md` 1.1).

use super::assets;
use crate::app::App;
use crate::error::ApiError;
use crate::prepared::{Prepared, Wanted};
use crate::unrouted::Templates;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use heddle_platform::authorization::pages::{CLIENT_ID, REDIRECT};
use heddle_platform::authorization::rules::Issuer;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Everything from this origin; Swagger UI and ReDoc set styles on elements and have their pictures inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The pages of the consent are opened by one of these and come back to it: a browser keeps the two together only when both
/// say this.
const OPENER: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));

/// ReDoc, see `redoc/NOTICE.md`. Unpacked when it is first asked for.
static REDOC: LazyLock<Option<Prepared>> = LazyLock::new(|| {
    let gzip = Bytes::from_static(include_bytes!("redoc/redoc.standalone.js.gz"));
    Prepared::of_gzip(SCRIPT, gzip)
});

/// A router, and where its paths are noted.
struct Pages<'a> {
    router: Router<App>,
    templates: &'a mut Templates,
}

impl Pages<'_> {
    /// Serves the same bytes under a path for as long as the server runs.
    fn fixed(self, path: &str, content_type: HeaderValue, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let answer = move || async move {
            ([(CONTENT_TYPE, content_type), (CONTENT_SECURITY_POLICY, POLICY), OPENER], bytes).into_response()
        };
        self.route(path, get(answer))
    }

    fn redirect(self, path: &str, status: StatusCode, to: String) -> Self {
        let to = HeaderValue::try_from(to).expect("the prefix was part of a URL");
        self.route(path, get(move || async move { (status, [(LOCATION, to)]) }))
    }

    fn route(self, path: &str, methods: MethodRouter<App>) -> Self {
        self.templates.add(path, "GET");
        Self { router: self.router.route(path, methods), ..self }
    }
}

/// All pages and documents. `prefix` is what the server stands under, `issuer` who asks people to sign in.
pub fn pages(prefix: &str, issuer: &Issuer, document: Bytes, templates: &mut Templates) -> Router<App> {
    let root = format!("{prefix}/external-api");
    let versions = versions(&root);
    let mut pages = Pages { router: Router::new(), templates }
        .redirect("/external-api", StatusCode::TEMPORARY_REDIRECT, format!("{root}/docs"))
        .redirect("/external-api/", StatusCode::TEMPORARY_REDIRECT, format!("{root}/docs"))
        .redirect("/external-api/openapi.json", StatusCode::PERMANENT_REDIRECT, format!("{root}/v1/openapi.json"))
        .fixed("/external-api/versions.json", JSON, versions.to_string())
        .fixed("/external-api/docs", HTML, swagger_page(&root, "versions.js"))
        .fixed("/external-api/redoc", HTML, redoc_page(&root))
        .fixed("/external-api/v1/openapi.json", JSON, document)
        .fixed("/external-api/v1/docs", HTML, swagger_page(&root, "v1.js"))
        .fixed("/external-api/v1/redoc", HTML, redoc_page(&root))
        .fixed(REDIRECT, HTML, redirect_page(&root))
        .fixed("/external-api/docs/assets/versions.js", SCRIPT, swagger_script(&root, issuer, true))
        .fixed("/external-api/docs/assets/v1.js", SCRIPT, swagger_script(&root, issuer, false))
        .fixed("/external-api/docs/assets/oauth2-redirect.js", SCRIPT, include_str!("oauth2-redirect.js"))
        .fixed("/external-api/docs/assets/redoc.js", SCRIPT, redoc_script(&root))
        .route("/external-api/docs/assets/redoc.standalone.js", get(redoc));
    for (name, content_type, bytes) in assets::files() {
        pages = pages.fixed(&format!("/external-api/docs/assets/{name}"), content_type, bytes);
    }
    pages.router
}

async fn redoc(headers: HeaderMap) -> Response {
    REDOC.as_ref().map_or_else(|| ApiError::NoRoute.into_response(), |redoc| redoc.answer(&Wanted::of(&headers)))
}

/// An OpenAPI document about the documents.
fn versions(root: &str) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Heddle External API versions", "version": "1.0.0" },
        "servers": [{ "url": root }],
        "paths": { "/v1/openapi.json": { "get": {
            "operationId": "get_v1_openapi_json",
            "summary": "The document of v1",
            "responses": { "200": { "description": "An OpenAPI document",
                                    "content": { "application/json": { "schema": { "type": "object" } } } } },
        } } },
        "x-versions": [{ "name": "v1", "openapi": format!("{root}/v1/openapi.json"), "docs": format!("{root}/v1/docs") }],
    })
}

fn swagger_page(root: &str, script: &str) -> String {
    let assets = format!("{root}/docs/assets");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Heddle External API</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"stylesheet\" href=\"{assets}/swagger-ui.css\">\n\
         <link rel=\"stylesheet\" href=\"{assets}/index.css\">\n\
         <link rel=\"icon\" type=\"image/png\" href=\"{assets}/favicon-32x32.png\"></head>\n\
         <body><div id=\"swagger-ui\"></div>\n\
         <script src=\"{assets}/swagger-ui-bundle.js\"></script>\n\
         <script src=\"{assets}/swagger-ui-standalone-preset.js\"></script>\n\
         <script src=\"{assets}/{script}\"></script></body>\n</html>\n"
    )
}

fn redoc_page(root: &str) -> String {
    let assets = format!("{root}/docs/assets");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Heddle External API</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"icon\" type=\"image/png\" href=\"{assets}/favicon-32x32.png\"></head>\n\
         <body><div id=\"redoc\"></div>\n\
         <noscript><p>This page is a script. <a href=\"{root}/v1/openapi.json\">The document itself</a> is none.</p></noscript>\n\
         <script src=\"{assets}/redoc.standalone.js\"></script>\n\
         <script src=\"{assets}/redoc.js\"></script></body>\n</html>\n"
    )
}

/// Starts ReDoc. Its search would start a worker out of a text, which the policy forbids.
fn redoc_script(root: &str) -> String {
    let url = json!(format!("{root}/v1/openapi.json"));
    format!(
        "Redoc.init({url}, {{ disableSearch: true, expandResponses: '200,201' }}, document.getElementById('redoc'));\n"
    )
}

/// Where Swagger UI has people sent back to who signed in.
fn redirect_page(root: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Signed in</title></head>\n\
         <body><p id=\"said\">Going back …</p>\n\
         <script src=\"{root}/docs/assets/oauth2-redirect.js\"></script></body>\n</html>\n"
    )
}

/// Starts Swagger UI; with a selector over the versions, or on v1 alone. A file of its own, so that the policy need
/// not allow inline scripts.
fn swagger_script(root: &str, issuer: &Issuer, selector: bool) -> String {
    let url = format!("{root}/v1/openapi.json");
    let mut config = json!({
        "dom_id": "#swagger-ui",
        "deepLinking": true,
        "persistAuthorization": true,
        "tryItOutEnabled": true,
        "displayRequestDuration": true,
        // Swagger UI would send the document to a validator on the internet.
        "validatorUrl": "none",
        "oauth2RedirectUrl": issuer.at(REDIRECT),
        "layout": if selector { "StandaloneLayout" } else { "BaseLayout" },
    });
    if selector {
        config["urls"] = json!([{ "name": "v1", "url": url }]);
        config["urls.primaryName"] = json!("v1");
    } else {
        config["url"] = json!(url);
    }
    let client = json!({ "clientId": CLIENT_ID, "usePkceWithAuthorizationCodeGrant": true });
    format!(
        "window.addEventListener('load', function () {{\n  var config = {config};\n  \
         config.presets = [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset];\n  \
         config.plugins = [SwaggerUIBundle.plugins.DownloadUrl];\n  \
         window.ui = SwaggerUIBundle(config);\n  window.ui.initOAuth({client});\n}});\n"
    )
}
