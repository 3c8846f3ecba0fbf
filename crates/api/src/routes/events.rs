//! Following a run live.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::FollowRun;
use crate::scopes::ReadGraph;
use crate::wire;
use axum::extract::State;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use std::convert::Infallible;
use std::time::Duration;

/// A comment is sent after so much silence, so that nobody takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Follows a run as it is journaled, from its start or from after `Last-Event-ID`, until its end.
///
/// Server-sent events: `run` at each change of status, `node` at a node execution's start and end, `output` for each
/// value of the run's outputs. An event's id is its position in the journal; nothing is missed or repeated.
#[utoipa::path(
    get,
    path = "/graphs/{graph_id}/executions/{graph_exec_id}/events",
    tag = "graphs",
    params(
        ("graph_id" = String, Path, description = "Graph id"),
        ("graph_exec_id" = String, Path, description = "Run id"),
        ("Last-Event-ID" = Option<String>, Header, description = "Go on after this event"),
    ),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 404, description = "The caller has no such run of this graph", body = crate::wire::Detail),
    )
)]
pub async fn follow_graph_execution(
    State(app): State<App>,
    call: Call<ReadGraph, FollowRun>,
) -> Result<Response, ApiError> {
    let FollowRun { graph, run, after } = &call.input;
    let events = app.platform.runs.events(call.caller.user, graph, run, *after).await?;
    let stream = events.map(|live| Ok::<_, Infallible>(wire::event(live)));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}
