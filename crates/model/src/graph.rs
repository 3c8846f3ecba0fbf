//! An agent as it is stored: one immutable version of a graph.

use crate::{BlockId, GraphId, LinkId, NodeId, Object};
use serde::{Deserialize, Serialize};

/// One block placed in a graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique within the graph.
    pub id: NodeId,
    /// Which block it runs.
    pub block_id: BlockId,
    /// Pin → constant.
    #[serde(default)]
    pub input_default: Object,
    /// Position, `customized_name`, `credentials_optional` and whatever an editor keeps here.
    #[serde(default)]
    pub metadata: Object,
    /// A copy of links as the client sent it; not read by us, handed back as it came.
    #[serde(default)]
    pub input_links: Vec<Link>,
    /// As `input_links`.
    #[serde(default)]
    pub output_links: Vec<Link>,
}

impl Node {
    /// Whether the node is skipped, instead of refused, when its credentials are missing.
    pub fn credentials_optional(&self) -> bool {
        self.metadata.get("credentials_optional").and_then(serde_json::Value::as_bool).unwrap_or(false)
    }
}

/// A connection from an output pin to an input pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Unique within the graph.
    pub id: LinkId,
    /// Node that emits.
    pub source_id: NodeId,
    /// Node that receives.
    pub sink_id: NodeId,
    /// Output pin, with a path into the value if one is wanted.
    pub source_name: String,
    /// Input pin, with a key or index if one is wanted.
    pub sink_name: String,
    /// The value stays after it was read.
    #[serde(default)]
    pub is_static: bool,
}

/// One version of a graph. Its key is `(id, version)`; a saved version never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Shared by all versions.
    pub id: GraphId,
    /// From 1.
    pub version: i64,
    /// Whether this is the version that triggers and schedules use.
    pub is_active: bool,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// How to use it.
    pub instructions: Option<String>,
    /// Suggested schedule, five-field cron.
    pub recommended_schedule_cron: Option<String>,
    /// The graph this one was copied from.
    pub forked_from_id: Option<String>,
    /// Its version.
    pub forked_from_version: Option<i64>,
    /// In the order they were sent.
    pub nodes: Vec<Node>,
    /// In the order they were sent.
    pub links: Vec<Link>,
}
