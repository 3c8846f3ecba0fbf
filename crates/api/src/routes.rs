//! The routes of v1: a handler is a paragraph, rules live in `platform`.
//!
//! [`Table`] learns from each handler's type what it needs and reads, and writes that into the document, so the
//! document cannot forget a scope or an answer.

mod blocks;
mod events;
mod graphs;
mod runs;
mod user;

use crate::app::App;
use crate::call::{BodyRule, Call, Input};
use crate::scopes::Scopes;
use axum::extract::State;
use heddle_model::Scope;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

/// What a handler's type says about its route.
struct Needs {
    scopes: &'static [Scope],
    body: BodyRule,
}

/// Only handlers of this shape can be served, and only a [`Call`] tells them who is asking.
fn needs<S: Scopes, T: Input, F, Answer>(_: &F) -> Needs
where
    F: Fn(State<App>, Call<S, T>) -> Answer,
{
    Needs { scopes: S::NEEDED, body: T::BODY }
}

macro_rules! serve {
    ($table:expr, $($handler:path),+ $(,)?) => { $table$(.with(needs(&$handler), routes!($handler)))+ };
}

/// All routes of v1, below its root, and their document.
pub fn v1(document: OpenApi) -> OpenApiRouter<App> {
    let table = Table(OpenApiRouter::with_openapi(document));
    serve!(
        table,
        user::get_user_info,
        blocks::get_graph_blocks,
        blocks::execute_graph_block,
        graphs::create_graph,
        graphs::list_graphs,
        graphs::get_graph,
        runs::execute_graph,
        runs::list_graph_executions,
        runs::get_graph_execution_results,
        runs::stop_graph_execution,
        events::follow_graph_execution,
    )
    .0
}

struct Table(OpenApiRouter<App>);

impl Table {
    fn with(self, needs: Needs, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Self {
        for (path, item) in &mut paths.paths {
            for (method, operation) in [("get", &mut item.get), ("post", &mut item.post)] {
                if let Some(operation) = operation {
                    complete(operation, &needs, path, method);
                }
            }
        }
        Self(self.0.routes((schemas, paths, methods)))
    }
}

/// Adds what follows from the handler's type: security, scopes, the answers every such route can give.
fn complete(operation: &mut Operation, needs: &Needs, path: &str, method: &str) {
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(operation_id(&name, path, method));
    let none: [&str; 0] = [];
    operation.security =
        Some(["APIKeyHeader", "HTTPBearer"].map(|scheme| SecurityRequirement::new(scheme, none)).to_vec());
    let scopes: Vec<&str> = needs.scopes.iter().map(|scope| scope.as_str()).collect();
    let description = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{description}\n\nNeeds `{}`.", scopes.join("` and `")).trim().to_owned());
    let extension = utoipa::openapi::extensions::ExtensionsBuilder::new().add("x-required-scopes", scopes).build();
    operation.extensions.get_or_insert_default().merge(extension);

    let detail = "Detail";
    answer(operation, "401", "No credential, or one that is not good", detail);
    answer(operation, "403", "The credential lacks a scope", detail);
    answer(operation, "429", "Too many failed authentications from this address", detail);
    answer(operation, "500", "The server failed", "Failure");
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(if needs.body == BodyRule::Required { Required::True } else { Required::False });
    }
    if needs.body != BodyRule::Ignored {
        answer(operation, "400", "The body cannot be read", detail);
        answer(operation, "413", "The body is too big", detail);
        answer(operation, "422", "The request does not match the schema", "HTTPValidationError");
    }
}

fn answer(operation: &mut Operation, status: &str, description: &str, schema: &str) {
    let answer = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
        RefOr::T(ResponseBuilder::new().description(description).content("application/json", content).build())
    };
    operation.responses.responses.entry(status.to_owned()).or_insert_with(answer);
}

/// Handler, path and method with everything that is no word character made `_`: what generated clients name calls by.
fn operation_id(name: &str, path: &str, method: &str) -> String {
    let words = |text: &str| text.replace(|letter: char| !letter.is_alphanumeric() && letter != '_', "_");
    format!("{}_{method}", words(&format!("{name}{path}")))
}

#[cfg(test)]
mod tests {
    use super::operation_id;

    #[test]
    fn operation_ids_are_made_of_handler_path_and_method() {
        assert_eq!(
            operation_id("execute_graph", "/graphs/{graph_id}/execute/{graph_version}", "post"),
            "execute_graph_graphs__graph_id__execute__graph_version__post"
        );
    }
}
