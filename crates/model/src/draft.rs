//! An agent file or a `POST /graphs` body, before it is saved: ids are whatever text the client chose.
//!
//! Saving turns it into graphs with ids of ours and refuses what does not hold together. It stores nothing; new ids
//! and the knowledge of which credentials may be used come from the caller.

mod file;
mod save;

use crate::{Link, Node};
use serde::{Deserialize, Serialize};

/// A graph as submitted. `sub_graphs` is one flat list; theirs are empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The client's id; agent nodes of the same payload refer to it.
    pub id: String,
    /// Kept as given.
    pub version: i64,
    /// Kept as given.
    pub is_active: bool,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// How to use it.
    pub instructions: Option<String>,
    /// Suggested schedule.
    pub recommended_schedule_cron: Option<String>,
    /// The graph this one was copied from.
    pub forked_from_id: Option<String>,
    /// Its version.
    pub forked_from_version: Option<i64>,
    /// Nodes in order.
    pub nodes: Vec<Node>,
    /// Links in order.
    pub links: Vec<Link>,
    /// The agents that agent nodes of this payload call.
    pub sub_graphs: Vec<Draft>,
}

#[cfg(test)]
mod tests;
