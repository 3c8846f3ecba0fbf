//! The addresses under which documents and pages are found (`v1.md` 1.1).

use super::{assets, reference};
use crate::app::App;
use crate::unrouted::Templates;
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// Everything from this origin; Swagger UI sets styles on elements and has its icons inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

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
            ([(CONTENT_TYPE, content_type), (CONTENT_SECURITY_POLICY, POLICY)], bytes).into_response()
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

/// All pages and documents. `prefix` is what the server stands under.
pub fn pages(prefix: &str, document: &Value, bytes: Bytes, templates: &mut Templates) -> Router<App> {
    let root = format!("{prefix}/external-api");
    let versions = versions(&root);
    let mut pages = Pages { router: Router::new(), templates }
        .fixed("/", HTML, home(prefix, &root))
        .redirect("/external-api", StatusCode::TEMPORARY_REDIRECT, format!("{root}/docs"))
        .redirect("/external-api/", StatusCode::TEMPORARY_REDIRECT, format!("{root}/docs"))
        .redirect("/external-api/openapi.json", StatusCode::PERMANENT_REDIRECT, format!("{root}/v1/openapi.json"))
        .fixed("/external-api/versions.json", JSON, versions.to_string())
        .fixed("/external-api/docs", HTML, swagger_page(&root, "versions.js"))
        .fixed("/external-api/redoc", HTML, reference::page(document))
        .fixed("/external-api/v1/openapi.json", JSON, bytes)
        .fixed("/external-api/v1/docs", HTML, swagger_page(&root, "v1.js"))
        .fixed("/external-api/v1/redoc", HTML, reference::page(document))
        .fixed("/external-api/docs/assets/versions.js", SCRIPT, swagger_script(&root, true))
        .fixed("/external-api/docs/assets/v1.js", SCRIPT, swagger_script(&root, false));
    for (name, content_type, bytes) in assets::files() {
        pages = pages.fixed(&format!("/external-api/docs/assets/{name}"), content_type, bytes);
    }
    pages.router
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

fn home(prefix: &str, root: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Heddle</title></head>\n<body>\n\
         <h1>Heddle</h1>\n<p>This server runs agents.</p>\n<ul>\n\
         <li><a href=\"{prefix}/login\">Sign in: your profile and API keys</a></li>\n\
         <li><a href=\"{root}/docs\">API: try every call</a></li>\n\
         <li><a href=\"{root}/redoc\">API: reference to read</a></li>\n\
         <li><a href=\"{root}/v1/openapi.json\">API: OpenAPI document</a></li>\n\
         </ul>\n</body>\n</html>\n"
    )
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

/// Starts Swagger UI; with a selector over the versions, or on v1 alone. A file of its own, so that the policy need
/// not allow inline scripts.
fn swagger_script(root: &str, selector: bool) -> String {
    let url = format!("{root}/v1/openapi.json");
    let mut config = json!({
        "dom_id": "#swagger-ui",
        "deepLinking": true,
        "persistAuthorization": true,
        "tryItOutEnabled": true,
        "displayRequestDuration": true,
        // Swagger UI would send the document to a validator on the internet.
        "validatorUrl": "none",
        "layout": if selector { "StandaloneLayout" } else { "BaseLayout" },
    });
    if selector {
        config["urls"] = json!([{ "name": "v1", "url": url }]);
        config["urls.primaryName"] = json!("v1");
    } else {
        config["url"] = json!(url);
    }
    format!(
        "window.addEventListener('load', function () {{\n  var config = {config};\n  \
         config.presets = [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset];\n  \
         config.plugins = [SwaggerUIBundle.plugins.DownloadUrl];\n  \
         window.ui = SwaggerUIBundle(config);\n}});\n"
    )
}
