//! Server-sent events of a run.

use axum::response::sse::Event;
use heddle_model::Object;
use heddle_platform::runs::events::{Happening, LiveEvent};
use heddle_platform::{ExecStats, RunStats};
use serde_json::{Value, json};

/// One event as it goes out: its position is the id, its data one JSON object.
pub fn event(live: LiveEvent) -> Event {
    let (name, data) = match live.what {
        Happening::Run { id, status, error, started_at, ended_at, stats } => (
            "run",
            json!({
                "id": id,
                "status": status,
                "stats": stats.map(|stats| run_stats(&stats, error.as_deref())),
                "error": error,
                "started_at": started_at.map(|time| time.rfc3339()),
                "ended_at": ended_at.map(|time| time.rfc3339()),
            }),
        ),
        Happening::Node { exec, node, block, status, input, output, error, stats } => (
            "node",
            json!({
                "node_exec_id": exec,
                "node_id": node,
                "block_id": block,
                "status": status,
                "input": input,
                "output": output.map(|pins| pins.into_iter().map(|(pin, values)| (pin, values.into())).collect::<Object>()),
                "stats": stats.map(|stats| node_stats(&stats, error.as_deref())),
                "error": error,
            }),
        ),
        Happening::Output { name, value } => ("output", json!({"name": name, "value": value})),
    };
    Event::default().event(name).id(live.position.to_string()).data(Value::to_string(&data))
}

/// By the names of `engine.md` 14; times in seconds. What nobody measures is null.
fn run_stats(stats: &RunStats, error: Option<&str>) -> Value {
    json!({
        "cost": stats.cost,
        "duration": stats.walltime.as_secs_f64(),
        "duration_cpu_only": stats.cputime.as_secs_f64(),
        "node_exec_time": stats.nodes_walltime.as_secs_f64(),
        "node_exec_time_cpu_only": stats.nodes_cputime.as_secs_f64(),
        "node_exec_count": stats.node_count,
        "node_error_count": stats.node_error_count,
        "error": error,
        "activity_status": null,
        "correctness_score": null,
    })
}

fn node_stats(stats: &ExecStats, error: Option<&str>) -> Value {
    let usage = &stats.usage;
    json!({
        "cost": stats.cost,
        "walltime": stats.walltime.as_secs_f64(),
        "cputime": stats.cputime.as_secs_f64(),
        "input_size": stats.input_size,
        "output_size": stats.output_size,
        "input_token_count": usage.input_tokens + usage.cache_read_tokens + usage.cache_creation_tokens,
        "output_token_count": usage.output_tokens,
        "cache_read_token_count": usage.cache_read_tokens,
        "cache_creation_token_count": usage.cache_creation_tokens,
        "llm_call_count": usage.calls,
        "llm_retry_count": usage.retries,
        "provider_cost": usage.usd,
        "error": error,
    })
}
