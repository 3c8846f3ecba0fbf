//! What the marketplace's routes read.

use super::Paged;
use crate::call::{Input, Reading};
use heddle_platform::marketplace::{AgentOrder, CreatorOrder};
use percent_encoding::percent_decode_str;

/// `GET /store/agents`.
pub struct AgentsInput {
    /// Only chosen ones.
    pub featured: bool,
    /// Username.
    pub creator: Option<String>,
    /// In which order.
    pub order: AgentOrder,
    /// What they are about.
    pub search: Option<String>,
    /// Exactly.
    pub category: Option<String>,
    /// Which page.
    pub page: Paged,
}

const AGENT_ORDERS: &[(&str, AgentOrder)] = &[
    ("rating", AgentOrder::Rating),
    ("runs", AgentOrder::Runs),
    ("name", AgentOrder::Name),
    ("updated_at", AgentOrder::UpdatedAt),
];
const CREATOR_ORDERS: &[(&str, CreatorOrder)] =
    &[("agent_rating", CreatorOrder::Rating), ("agent_runs", CreatorOrder::Runs), ("num_agents", CreatorOrder::Agents)];

impl Input for AgentsInput {
    fn read(request: &mut Reading) -> Option<Self> {
        let featured = request.query_boolean("featured");
        let creator = request.query_text("creator");
        let order = request.query_word("sorted_by", AGENT_ORDERS);
        let search = request.query_text("search_query");
        let category = request.query_text("category");
        let page = Paged::read(request);
        Some(Self {
            featured: featured?.unwrap_or(false),
            creator,
            order: order?.unwrap_or_default(),
            search,
            category,
            page: page?,
        })
    }
}

/// `GET /store/agents/{username}/{agent_name}`.
pub struct AgentName {
    /// The creator's name.
    pub username: String,
    /// The agent's.
    pub slug: String,
}

impl Input for AgentName {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self { username: once_more(&request.path("username")), slug: once_more(&request.path("agent_name")) })
    }
}

/// `GET /store/creators`.
pub struct CreatorsInput {
    /// Only chosen ones.
    pub featured: bool,
    /// Part of what they say about themselves.
    pub search: Option<String>,
    /// In which order.
    pub order: CreatorOrder,
    /// Which page.
    pub page: Paged,
}

impl Input for CreatorsInput {
    fn read(request: &mut Reading) -> Option<Self> {
        let featured = request.query_boolean("featured");
        let search = request.query_text("search_query");
        let order = request.query_word("sorted_by", CREATOR_ORDERS);
        let page = Paged::read(request);
        Some(Self { featured: featured?.unwrap_or(false), search, order: order?.unwrap_or_default(), page: page? })
    }
}

/// `GET /store/creators/{username}`.
pub struct CreatorName(pub String);

impl Input for CreatorName {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self(once_more(&request.path("username"))))
    }
}

/// Clients encode these names twice (`v1.md` 5). What is no text afterwards names nothing.
fn once_more(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}
