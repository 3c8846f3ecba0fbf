//! The account's library and the marketplace.
//!
//! Ports: whose they are is somebody else's. What is an account's own is asked for with its owner; what the marketplace
//! shows, it shows to everybody.

pub(crate) mod add_from_store;
pub(crate) mod list_library;
pub(crate) mod search_store;
pub(crate) mod store_details;

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

/// The marketplace.
#[async_trait]
pub trait Market: Send + Sync {
    /// Listings that fit a text, best first, or all in an order.
    async fn search(&self, search: Search) -> Result<Vec<Listing>, String>;

    /// What this creator shows under this name; `None` when there is no such thing.
    async fn find(&self, creator: &str, slug: &str) -> Result<Option<Listing>, String>;

    /// Puts the graph of a shown version into the account's library, where it may be already; `None` when no such
    /// version is shown.
    async fn add(&self, user: UserId, version: &str) -> Result<Option<LibraryAgent>, String>;
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// Words.
    pub query: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// In which order.
    pub order: Order,
    /// The most that are wanted.
    pub limit: u32,
}

/// In which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// Best rated first.
    #[default]
    Rating,
    /// Most run first.
    Runs,
    /// By name.
    Name,
    /// Changed last first.
    UpdatedAt,
}

/// A listing of the marketplace. Its names are those of the pin that carries it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Listing {
    /// Its name in addresses.
    pub slug: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its creator's name in addresses.
    pub creator: String,
    /// The mean of all scores; 0 without any.
    pub rating: f64,
    /// How often it was run.
    pub runs: u64,
    /// What it is about.
    pub categories: Vec<String>,
    /// The version that is shown.
    #[serde(skip)]
    pub version: String,
}

/// A thing as the value of a pin.
fn shown(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).unwrap_or_default()
}

/// The failure of a server without a marketplace or a library.
fn without(what: &str) -> Failure {
    refuse(format!("this server has no {what}"))
}
