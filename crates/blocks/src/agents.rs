//! The account's library.
//!
//! A port: the database behind it is somebody else's, and every call names the owner.

pub(crate) mod list_library;

use crate::block::refuse;
use async_trait::async_trait;
use heddle_engine::ports::Failure;
use heddle_model::{UserId, Value};
use serde::Serialize;

/// An account's library.
#[async_trait]
pub trait Library: Send + Sync {
    /// The account's agents whose name or description holds a text, in whatever case; all of them without one. The page
    /// is counted from 1.
    async fn agents(&self, user: UserId, query: &str, page: u32, limit: u32) -> Result<LibraryPage, String>;
}

/// One page of a library.
#[derive(Clone, Debug, Default)]
pub struct LibraryPage {
    /// What was changed last comes first.
    pub agents: Vec<LibraryAgent>,
    /// Agents on all pages together.
    pub total: u64,
}

/// An agent in a library. Its names are those of the pin that carries it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LibraryAgent {
    /// Its id in the library.
    pub library_agent_id: String,
    /// Its graph.
    pub agent_id: String,
    /// Which version of it.
    pub agent_version: i64,
    /// For people.
    pub agent_name: String,
    /// For people.
    pub description: String,
    /// Who made it, for people.
    pub creator: String,
    /// Put aside.
    pub is_archived: bool,
    /// What it is about.
    pub categories: Vec<String>,
}

/// A thing as the value of a pin.
fn shown(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).unwrap_or_default()
}

/// The failure of a build without one.
fn without() -> Failure {
    refuse("this server has no library")
}
