//! Server-sent events of a run.

use axum::response::sse::Event;
use heddle_model::Object;
use heddle_platform::runs::events::{Happening, LiveEvent};
use serde_json::{Value, json};

/// One event as it goes out: its position is the id, its data one JSON object.
pub fn event(live: LiveEvent) -> Event {
    let (name, data) = match live.what {
        Happening::Run { id, status, error, started_at, ended_at } => (
            "run",
            json!({
                "id": id,
                "status": status,
                "error": error,
                "started_at": started_at.map(|time| time.rfc3339()),
                "ended_at": ended_at.map(|time| time.rfc3339()),
            }),
        ),
        Happening::Node { exec, node, block, status, input, output, error } => (
            "node",
            json!({
                "node_exec_id": exec,
                "node_id": node,
                "block_id": block,
                "status": status,
                "input": input,
                "output": output.map(|pins| pins.into_iter().map(|(pin, values)| (pin, values.into())).collect::<Object>()),
                "error": error,
            }),
        ),
        Happening::Output { name, value } => ("output", json!({"name": name, "value": value})),
    };
    Event::default().event(name).id(live.position.to_string()).data(Value::to_string(&data))
}
