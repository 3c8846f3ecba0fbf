//! The routes of v1: a handler is a paragraph, rules live in `platform`.
//!
//! [`Table`] learns from each handler's type what it needs and reads, and writes that into the document, so the
//! document cannot forget a scope or an answer.

mod blocks;
mod connect;
mod events;
mod graphs;
mod integrations;
mod runs;
mod store;
mod tools;
mod user;

use crate::app::App;
use crate::call::{Call, Input};
use crate::docs::{self, Needs};
use crate::scopes::Scopes;
use axum::extract::State;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

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
        integrations::list_providers,
        integrations::list_credentials,
        integrations::list_credentials_by_provider,
        integrations::create_credential,
        integrations::delete_credential,
        tools::find_agent,
        tools::run_agent,
        store::get_store_agents,
        store::get_store_agent,
        store::get_store_creators,
        store::get_store_creator,
        connect::initiate_oauth,
        connect::complete_oauth,
    )
    .0
}

struct Table(OpenApiRouter<App>);

impl Table {
    fn with(self, needs: Needs, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Self {
        for (path, item) in &mut paths.paths {
            for (method, operation) in docs::operations(item) {
                docs::complete(operation, &needs, path, method);
            }
        }
        Self(self.0.routes((schemas, paths, methods)))
    }
}
