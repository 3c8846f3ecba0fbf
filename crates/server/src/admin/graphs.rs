//! Agent files and runs, for commands.

use heddle_model::{Object, RunId};
use heddle_platform::{Account, Error, Platform, RunOutcome, Start};
use serde_json::{Value, json};
use std::time::Duration;

/// The member that names the blocks which this build does not run.
pub const NOT_RUN: &str = "not_run";

/// Saves each agent of a file; one that is refused does not keep the others from being saved.
pub async fn import(platform: &Platform, user: Option<&str>, content: Value) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let agents = match content {
        Value::Array(agents) => agents,
        one => vec![one],
    };
    let mut results = Vec::with_capacity(agents.len());
    for agent in agents {
        match save(platform, &owner, agent).await {
            Ok(saved) => results.extend(saved),
            Err(error @ Error::Internal(_)) => return Err(error),
            Err(error) => results.push(json!({"error": error.to_string()})),
        }
    }
    Ok(results.into())
}

async fn save(platform: &Platform, owner: &Account, agent: Value) -> Result<Vec<Value>, Error> {
    // As a list of its own: a list where an agent belongs is then refused, not read as a file within the file.
    let mut rows = Vec::with_capacity(1);
    for draft in platform.graphs.read_file(Value::Array(vec![agent]))? {
        let saved = platform.graphs.create(owner.id, owner.organization, draft).await?;
        rows.push(json!({
            "id": saved.graph.id, "version": saved.graph.version, "name": saved.graph.name,
            NOT_RUN: platform.graphs.not_run(&saved),
        }));
    }
    Ok(rows)
}

pub async fn start(
    platform: &Platform,
    user: Option<&str>,
    graph: String,
    version: i64,
    inputs: Object,
) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let start = Start { graph, version, inputs, ..Start::default() };
    let started = platform.runs.start(&super::principal(&owner), start).await?;
    Ok(json!({"id": started.id}))
}

pub async fn wait(platform: &Platform, user: Option<&str>, run: &str, seconds: u64) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let missing = || Error::NotFound(format!("Graph execution #{run} not found."));
    let id = RunId::parse(run).ok_or_else(missing)?;
    let limit = Duration::from_secs(seconds.min(60));
    let (run, reviews) = platform.runs.wait_or_asked(owner.id, id, limit).await?;
    let mut shown = shown(&run);
    shown["reviews"] = json!(reviews);
    Ok(shown)
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
