//! What everybody sees.

use super::Marketplace;
use crate::{Error, Page, PageRequest, SavedGraph};
use heddle_model::{GraphId, ListingVersionId};
use heddle_store::{AgentCard, AgentDetails, AgentFilter, AgentOrder, CreatorFilter, CreatorOrder, CreatorStats};

/// Letters of a search for creators.
const CREATOR_SEARCH: usize = 100;

/// Which agents.
#[derive(Clone, Debug, Default)]
pub struct AgentQuery {
    /// Only those chosen by an operator.
    pub featured: bool,
    /// Only this creator's.
    pub creator: Option<String>,
    /// Only those in this category.
    pub category: Option<String>,
    /// What they are about; then the best fit comes first, whatever the order. Nothing but spaces is no search.
    pub search: Option<String>,
    /// In which order.
    pub order: AgentOrder,
}

/// Which creators.
#[derive(Clone, Debug, Default)]
pub struct CreatorQuery {
    /// Only those chosen by an operator.
    pub featured: bool,
    /// In username, name or description.
    pub search: Option<String>,
    /// In which order.
    pub order: CreatorOrder,
}

impl Marketplace {
    /// Agents that are shown.
    pub async fn agents(&self, query: AgentQuery, page: PageRequest) -> Result<Page<AgentCard>, Error> {
        let AgentQuery { featured, creator, category, search, order } = query;
        let filter = AgentFilter { featured, creator, category, order };
        let found = match search.filter(|text| !text.trim().is_empty()) {
            Some(text) => self.store.find_agents(&text, filter, page.paging()).await?,
            None => self.store.shown_agents(filter, page.paging()).await?,
        };
        Ok(page.of(found, |card| card))
    }

    /// The agent of these names, in any case. [`Error::NotFound`]: `Agent <username>/<slug> not found`
    pub async fn agent(&self, username: &str, slug: &str) -> Result<AgentDetails, Error> {
        let (username, slug) = (username.to_lowercase(), slug.to_lowercase());
        let found = self.store.shown_agent(&username, &slug).await?;
        found.ok_or_else(|| Error::NotFound(format!("Agent {username}/{slug} not found")))
    }

    /// The agent whose listing shows this version.
    pub async fn agent_by_version(&self, version: ListingVersionId) -> Result<Option<AgentDetails>, Error> {
        Ok(self.store.shown_agent_by_version(version).await?)
    }

    /// The agent that a graph is listed as.
    pub async fn agent_of(&self, graph: GraphId) -> Result<Option<AgentDetails>, Error> {
        Ok(self.store.shown_agent_of(graph).await?)
    }

    /// The graph that an agent runs, as others get it, and the agents that it calls.
    pub async fn graph(&self, agent: &AgentCard) -> Result<SavedGraph, Error> {
        let missing = || Error::NotFound(format!("Agent {}/{} not found", agent.creator, agent.slug));
        let stored = self.store.published_graph(agent.graph, agent.graph_version).await?.ok_or_else(missing)?;
        // As anybody but its author sees it: no account has this id.
        let sub_graphs = self.plans.sub_graphs(heddle_model::UserId(uuid::Uuid::nil()), &stored.graph).await?;
        Ok(SavedGraph {
            graph: stored.graph,
            sub_graphs,
            owner: stored.author,
            organization: stored.organization,
            created_at: stored.created_at,
        })
    }

    /// The categories that agents are in, the fullest first.
    pub async fn categories(&self) -> Result<Vec<(String, u64)>, Error> {
        Ok(self.store.shown_categories().await?)
    }

    /// Creators of whom an agent is shown. [`Error::Refused`]: `Invalid search query`
    pub async fn creators(&self, query: CreatorQuery, page: PageRequest) -> Result<Page<CreatorStats>, Error> {
        let text = match query.search {
            Some(text) if text.is_empty() => None,
            Some(text) if text.trim().is_empty() || text.chars().count() > CREATOR_SEARCH => {
                return Err(Error::Refused("Invalid search query".to_owned()));
            }
            other => other.map(|text| text.to_lowercase()),
        };
        let filter = CreatorFilter { featured: query.featured, text, order: query.order };
        Ok(page.of(self.store.shown_creators(filter, page.paging()).await?, |creator| creator))
    }

    /// The creator of this name, in any case. [`Error::NotFound`]: `Creator <username> not found`
    pub async fn creator(&self, username: &str) -> Result<CreatorStats, Error> {
        let username = username.to_lowercase();
        let found = self.store.shown_creator(&username).await?;
        found.ok_or_else(|| Error::NotFound(format!("Creator {username} not found")))
    }
}
