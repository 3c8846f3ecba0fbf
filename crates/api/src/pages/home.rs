//! Where a browser begins that knows only the server's name.

use super::{Visit, library, market};
use axum::response::{IntoResponse, Response};
use maud::html;

/// `GET /`.
pub async fn page(visit: Visit) -> Response {
    let reference = "/external-api";
    let content = html! {
        p.lead { "This server runs agents." }
        dl.ways {
            @if visit.who.is_some() {
                dt { a href=(visit.link(library::PATH)) { "Library" } } dd { "your agents, and how to run them" }
                dt { a href=(visit.link("/settings/api-keys")) { "API keys" } } dd { "for your own programs" }
                dt { a href=(visit.link("/settings/profile")) { "Settings" } } dd { "profile, integrations, security" }
            } @else {
                dt { a href=(visit.link("/login")) { "Sign in" } } dd { "to your agents and API keys" }
            }
            dt { a href=(visit.link(market::PATH)) { "Marketplace" } } dd { "agents that people of this server share" }
            dt { a href=(visit.link(&format!("{reference}/docs"))) { "Try the API" } } dd { "every call, from the browser" }
            dt { a href=(visit.link(&format!("{reference}/redoc"))) { "Read the API" } } dd { "the reference" }
            dt { a href=(visit.link(&format!("{reference}/v1/openapi.json"))) { "OpenAPI" } } dd { "the document, for tools" }
        }
    };
    visit.page("Welcome", content).wide().into_response()
}
