//! Agent files and runs, for commands.

use heddle_model::{Object, RunId};
use heddle_platform::{Error, Platform, RunOutcome, Start};
use serde_json::{Value, json};
use std::time::Duration;

/// Saves each agent of a file; one that is refused does not keep the others from being saved.
pub async fn import(platform: &Platform, user: Option<&str>, content: Value) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let mut results = Vec::new();
    for draft in platform.graphs.read_file(content)? {
        results.push(match platform.graphs.create(owner.id, owner.organization, draft).await {
            Ok(saved) => json!({"id": saved.graph.id, "version": saved.graph.version, "name": saved.graph.name}),
            Err(error @ Error::Internal(_)) => return Err(error),
            Err(error) => json!({"error": error.to_string()}),
        });
    }
    Ok(results.into())
}

pub async fn start(
    platform: &Platform,
    user: Option<&str>,
    graph: String,
    version: i64,
    inputs: Object,
) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let start = Start { graph, version, inputs, idempotency: None };
    let started = platform.runs.start(&super::principal(&owner), start).await?;
    Ok(json!({"id": started.id}))
}

pub async fn wait(platform: &Platform, user: Option<&str>, run: &str, seconds: u64) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let missing = || Error::NotFound(format!("Graph execution #{run} not found."));
    let id = RunId::parse(run).ok_or_else(missing)?;
    Ok(shown(&platform.runs.wait(owner.id, id, Duration::from_secs(seconds.min(60))).await?))
}

/// A run as `heddle run --json` prints it, and how far it is.
fn shown(view: &RunOutcome) -> Value {
    let outputs: Object = view.outputs.iter().map(|(name, values)| (name.clone(), values.clone().into())).collect();
    json!({
        "id": view.summary.id,
        "status": view.summary.status,
        "outputs": outputs,
        "error": view.error,
        "node_exec_count": view.node_exec_count,
        "node_error_count": view.node_error_count,
    })
}
