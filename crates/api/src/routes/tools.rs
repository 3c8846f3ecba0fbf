//! What an assistant is offered as tools. Each answer says by its `type` what it is.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::{FindAgentInput, RunAgentInput};
use crate::scopes::UseTools;
use crate::wire::{Detail, FindAgentRequest, RunAgentRequest, Unprocessable, tools};
use axum::Json;
use axum::extract::State;
use serde_json::Value;

/// Looks for agents in the marketplace, at most five.
///
/// `creator/slug` names one. The answer is `agents_found`, `no_results` or `error`.
#[utoipa::path(
    post,
    path = "/tools/find-agent",
    tag = "tools",
    request_body = FindAgentRequest,
    responses((status = 200, description = "What was found", body = Object))
)]
pub async fn find_agent(State(app): State<App>, call: Call<UseTools, FindAgentInput>) -> Result<Json<Value>, ApiError> {
    let FindAgentInput(query) = call.input;
    let found = app.platform.tools.find(&query).await?;
    Ok(Json(tools::found(&query, &found)))
}

/// Runs an agent of the marketplace, or has it run by the clock; it is in the caller's library afterwards.
///
/// What is missing is asked for first: the answer is `agent_details`, `input_validation_error`, `setup_requirements`,
/// `execution_started` or `error`.
#[utoipa::path(
    post,
    path = "/tools/run-agent",
    tag = "tools",
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats of a start within 24 h answer with the same run; a schedule takes none")),
    request_body = RunAgentRequest,
    responses(
        (status = 200, description = "What was done, or what is missing", body = Object),
        (status = 402, description = "The caller has no credits", body = Detail),
        (status = 409, description = "The first request with this key is still in flight", body = Detail),
        (status = 422, description = "The request does not match the schema, or the key was used for another", body = Unprocessable),
        (status = 503, description = "Too many runs are waiting", body = Detail),
    )
)]
pub async fn run_agent(State(app): State<App>, call: Call<UseTools, RunAgentInput>) -> Result<Json<Value>, ApiError> {
    let RunAgentInput(ask) = call.input;
    let ran = app.platform.tools.run(&call.caller, ask).await.map_err(ApiError::NotRun)?;
    Ok(Json(tools::ran(&ran)))
}
