//! What every other crate agrees on: ids, graphs, blocks' facts, values, schemas, scopes.
//!
//! Nothing here reads a clock, opens a file or awaits: every function is a pure rule over data, so it can be
//! tested by a table and reused at every door.

pub mod block;
pub mod coerce;
pub mod computed;
pub mod conversation;
pub mod cost;
pub mod cron;
pub mod draft;
pub mod export;
pub mod graph;
pub mod ids;
pub mod pins;
pub mod python;
pub mod rules;
pub mod schema;
pub mod scope;
pub mod status;
pub mod time;
mod usage;

#[cfg(test)]
mod testing;

pub use block::{BlockFacts, Catalogue, CredentialsFacts, UiType};
pub use cost::Cost;
pub use draft::Draft;
pub use graph::{Graph, Link, Node};
pub use ids::*;
pub use scope::Scope;
pub use serde_json::Value;
pub use status::Status;
pub use time::Time;
pub use usage::Usage;

/// A JSON object; members keep the order in which they came.
pub type Object = serde_json::Map<String, Value>;
