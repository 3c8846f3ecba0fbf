//! The library as blocks see it, on the store.

use crate::Accounts;
use crate::patience::patiently;
use async_trait::async_trait;
use heddle_blocks::{Library, LibraryAgent, LibraryPage};
use heddle_model::UserId;
use heddle_store::{Paging, Store};

pub(crate) struct StoreLibrary {
    pub(crate) store: Store,
    pub(crate) accounts: Accounts,
}

#[async_trait]
impl Library for StoreLibrary {
    async fn agents(&self, user: UserId, query: &str, page: u32, limit: u32) -> Result<LibraryPage, String> {
        let paging = Paging { page, page_size: limit };
        let found = patiently(|| self.store.library(user, query, paging)).await.map_err(|error| error.to_string())?;
        let account = self.accounts.get(user).await.map_err(|error| error.to_string())?;
        let creator = account.and_then(|account| account.name.clone()).unwrap_or_default();
        let agents = found.items.into_iter().map(|entry| LibraryAgent {
            library_agent_id: entry.id.to_string(),
            agent_id: entry.graph.to_string(),
            agent_version: entry.version,
            agent_name: entry.name,
            description: entry.description,
            creator: creator.clone(),
            is_archived: entry.is_archived,
            categories: Vec::new(),
        });
        Ok(LibraryPage { agents: agents.collect(), total: found.total })
    }
}
