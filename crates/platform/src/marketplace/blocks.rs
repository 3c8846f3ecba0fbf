//! The marketplace as blocks see it.
//!
//! Blocks are there first: the marketplace needs them to judge graphs. So it is made known to them later, once, and
//! only for as long as the platform holds it.

use crate::marketplace::{AgentCard, AgentOrder, AgentQuery, Marketplace};
use crate::{Accounts, Error, PageRequest, Principal};
use async_trait::async_trait;
use heddle_blocks::{LibraryAgent, Listing, Market, Order, Search};
use heddle_model::{ListingVersionId, UserId};
use std::sync::{Arc, OnceLock, Weak};

/// Where blocks find the marketplace.
pub(crate) struct MarketOfBlocks {
    accounts: Accounts,
    market: OnceLock<Weak<Marketplace>>,
}

impl MarketOfBlocks {
    /// Without a marketplace yet.
    pub fn new(accounts: Accounts) -> Arc<Self> {
        Arc::new(Self { accounts, market: OnceLock::new() })
    }

    /// Makes it known.
    pub fn open(&self, market: &Arc<Marketplace>) {
        // Only the first one counts, and there is no second.
        let _ = self.market.set(Arc::downgrade(market));
    }

    fn market(&self) -> Result<Arc<Marketplace>, String> {
        self.market.get().and_then(Weak::upgrade).ok_or_else(|| "the marketplace is closed".to_owned())
    }
}

#[async_trait]
impl Market for MarketOfBlocks {
    async fn search(&self, search: Search) -> Result<Vec<Listing>, String> {
        let order = match search.order {
            Order::Rating => AgentOrder::Rating,
            Order::Runs => AgentOrder::Runs,
            Order::Name => AgentOrder::Name,
            Order::UpdatedAt => AgentOrder::UpdatedAt,
        };
        let page = PageRequest { page: 1, page_size: search.limit.into() };
        let query = AgentQuery { category: search.category, search: search.query, order, ..AgentQuery::default() };
        let found = self.market()?.agents(query, page).await.map_err(text)?;
        Ok(found.items.into_iter().map(listing).collect())
    }

    async fn find(&self, creator: &str, slug: &str) -> Result<Option<Listing>, String> {
        match self.market()?.agent(creator, slug).await {
            Ok(agent) => Ok(Some(listing(agent.card))),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(text(error)),
        }
    }

    async fn add(&self, user: UserId, version: &str) -> Result<Option<LibraryAgent>, String> {
        let market = self.market()?;
        let Some(version) = ListingVersionId::parse(version) else { return Ok(None) };
        let Some(agent) = market.agent_by_version(version).await.map_err(text)? else { return Ok(None) };
        let account = self.accounts.get(user).await.map_err(text)?.ok_or("the account is gone")?;
        let caller = Principal { user, organization: account.organization, key: None, scopes: Vec::new() };
        let entry = market.add_to_library(&caller, &agent.card).await.map_err(text)?;
        Ok(Some(LibraryAgent {
            library_agent_id: entry.id.to_string(),
            agent_id: entry.graph.to_string(),
            agent_version: entry.graph_version,
            agent_name: agent.card.name,
            description: agent.card.description,
            creator: agent.card.creator_name,
            is_archived: false,
            categories: agent.card.categories,
        }))
    }
}

fn listing(card: AgentCard) -> Listing {
    Listing {
        slug: card.slug,
        name: card.name,
        description: card.description,
        creator: card.creator,
        rating: card.ratings.mean(),
        runs: card.runs,
        categories: card.categories,
        version: card.version.to_string(),
    }
}

fn text(error: Error) -> String {
    error.to_string()
}
