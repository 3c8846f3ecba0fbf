//! Graphs: saving one, reading one, listing them.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::{GraphVersion, NewGraph, Paged};
use crate::scopes::{CreateGraph, ReadGraph};
use crate::wire::{Detail, Failure, GraphBody, GraphList, GraphModel, HTTPValidationError, Unprocessable};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Saves a graph under new ids and adds it to the caller's library.
///
/// An exported agent file can be sent as it is.
#[utoipa::path(
    post,
    path = "/graphs",
    tag = "graphs",
    request_body = GraphBody,
    responses(
        (status = 201, description = "The graph as stored", body = GraphModel),
        (status = 400, description = "The graph is not valid", body = Failure),
    )
)]
pub async fn create_graph(State(app): State<App>, call: Call<CreateGraph, NewGraph>) -> Result<Response, ApiError> {
    let NewGraph(draft) = call.input;
    let graphs = &app.platform.graphs;
    let saved = graphs.create(call.caller.user, call.caller.organization, draft).await?;
    Ok((StatusCode::CREATED, Json(GraphModel::of(&saved, graphs))).into_response())
}

/// The caller's graphs, newest first.
#[utoipa::path(
    get,
    path = "/graphs",
    tag = "graphs",
    params(
        ("page" = Option<i64>, Query, description = "From 1"),
        ("page_size" = Option<i64>, Query, description = "At least 1; more than 100 counts as 100"),
    ),
    responses(
        (status = 200, description = "One page", body = GraphList),
        (status = 422, description = "The request does not match the schema", body = Unprocessable),
    )
)]
pub async fn list_graphs(State(app): State<App>, call: Call<ReadGraph, Paged>) -> Result<Json<GraphList>, ApiError> {
    let page = app.platform.graphs.list(call.caller.user, call.input.request()?).await?;
    Ok(Json(page.into()))
}

/// One version of a graph, the highest without a version.
#[utoipa::path(
    get,
    path = "/graphs/{graph_id}",
    tag = "graphs",
    params(
        ("graph_id" = String, Path, description = "Graph id"),
        ("version" = Option<i64>, Query, description = "Version"),
    ),
    responses(
        (status = 200, description = "The graph as stored", body = GraphModel),
        (status = 404, description = "The caller has no such graph", body = Detail),
        (status = 422, description = "The request does not match the schema", body = HTTPValidationError),
    )
)]
pub async fn get_graph(State(app): State<App>, call: Call<ReadGraph, GraphVersion>) -> Result<Response, ApiError> {
    let GraphVersion { graph, version } = call.input;
    let graphs = &app.platform.graphs;
    let saved = graphs.get(call.caller.user, &graph, version).await?;
    Ok(Json(GraphModel::of(&saved, graphs)).into_response())
}
