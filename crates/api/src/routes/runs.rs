//! Runs: starting one, looking at it, stopping it.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::{Paged, RunOfGraph, StartRun};
use crate::scopes::{ExecuteGraph, ReadGraph};
use crate::wire::{Detail, Executions, GraphExecutionResult, RunStarted, RunStopped, StartBody, Unprocessable};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Starts a run of one version of a graph.
///
/// Once this answers, the run is on disk: a crash right after loses nothing. With `Prefer: wait=N` the answer waits
/// until the run ends or N seconds pass, and says how the run then stands.
#[utoipa::path(
    post,
    path = "/graphs/{graph_id}/execute/{graph_version}",
    tag = "graphs",
    params(
        ("graph_id" = String, Path, description = "Graph id"),
        ("graph_version" = i64, Path, description = "Its version"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end, at most 60"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats within 24 h answer with the same run"),
    ),
    request_body = StartBody,
    responses(
        (status = 200, description = "The accepted run", body = RunStarted),
        (status = 400, description = "The run cannot be prepared, or the body cannot be read", body = Detail),
        (status = 409, description = "The first request with this key is still in flight", body = Detail),
        (status = 422, description = "The request does not match the schema, or the key was used for another", body = Unprocessable),
        (status = 503, description = "Too many runs are waiting", body = Detail),
    )
)]
pub async fn execute_graph(State(app): State<App>, call: Call<ExecuteGraph, StartRun>) -> Result<Response, ApiError> {
    let StartRun { start, wait } = call.input;
    let runs = &app.platform.runs;
    let started = runs.start(&call.caller, start).await.map_err(ApiError::NotStarted)?;
    let Some(wait) = wait else { return Ok(Json(RunStarted::accepted(started.id)).into_response()) };
    let run = runs.wait_for(call.caller.user, started, wait).await?;
    let mut response = Json(RunStarted::waited(&run)).into_response();
    let applied = HeaderValue::try_from(format!("wait={}", wait.as_secs())).expect("digits make a header value");
    response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    Ok(response)
}

/// Runs of a graph, newest first.
#[utoipa::path(
    get,
    path = "/graphs/{graph_id}/executions",
    tag = "graphs",
    params(
        ("graph_id" = String, Path, description = "Graph id"),
        ("page" = Option<i64>, Query, description = "From 1"),
        ("page_size" = Option<i64>, Query, description = "At least 1; more than 100 counts as 100"),
    ),
    responses(
        (status = 200, description = "One page", body = Executions),
        (status = 404, description = "The caller has no such graph", body = Detail),
        (status = 422, description = "The request does not match the schema", body = Unprocessable),
    )
)]
pub async fn list_graph_executions(
    State(app): State<App>,
    call: Call<ReadGraph, Paged>,
) -> Result<Json<Executions>, ApiError> {
    let page = call.input.request()?;
    let runs = app.platform.runs.list(call.caller.user, &call.input.graph, page).await?;
    Ok(Json(runs.into()))
}

/// How a run stands: its status, its node executions and, when it is completed, its outputs.
#[utoipa::path(
    get,
    path = "/graphs/{graph_id}/executions/{graph_exec_id}/results",
    tag = "graphs",
    params(
        ("graph_id" = String, Path, description = "Graph id"),
        ("graph_exec_id" = String, Path, description = "Run id"),
    ),
    responses(
        (status = 200, description = "The run", body = GraphExecutionResult),
        (status = 404, description = "The caller has no such run of this graph", body = Detail),
    )
)]
pub async fn get_graph_execution_results(
    State(app): State<App>,
    call: Call<ReadGraph, RunOfGraph>,
) -> Result<Response, ApiError> {
    let RunOfGraph { graph, run } = &call.input;
    let view = app.platform.runs.results(call.caller.user, graph, run).await?;
    Ok(Json(GraphExecutionResult::of(&view)).into_response())
}

/// Stops a run and the runs it started.
#[utoipa::path(
    post,
    path = "/graphs/{graph_id}/executions/{graph_exec_id}/stop",
    tag = "graphs",
    params(
        ("graph_id" = String, Path, description = "Graph id"),
        ("graph_exec_id" = String, Path, description = "Run id"),
    ),
    responses(
        (status = 200, description = "The run as it ended", body = RunStopped),
        (status = 404, description = "The caller has no such run of this graph", body = Detail),
        (status = 409, description = "The run has ended", body = Detail),
    )
)]
pub async fn stop_graph_execution(
    State(app): State<App>,
    call: Call<ExecuteGraph, RunOfGraph>,
) -> Result<Json<RunStopped>, ApiError> {
    let RunOfGraph { graph, run } = &call.input;
    let stopped = app.platform.runs.stop(call.caller.user, graph, run).await?;
    Ok(Json(stopped.into()))
}
