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
        let mut agents = Vec::with_capacity(found.items.len());
        for entry in found.items {
            agents.push(LibraryAgent {
                library_agent_id: entry.id.to_string(),
                agent_id: entry.graph.to_string(),
                agent_version: entry.version,
                agent_name: entry.name,
                description: entry.description,
                creator: self.name(entry.author).await?,
                is_archived: entry.is_archived,
                categories: Vec::new(),
            });
        }
        Ok(LibraryPage { agents, total: found.total })
    }
}

impl StoreLibrary {
    /// What an account is called; accounts are at hand, so that asking for each agent is cheap.
    async fn name(&self, account: UserId) -> Result<String, String> {
        let account = self.accounts.get(account).await.map_err(|error| error.to_string())?;
        Ok(account.and_then(|account| account.name.clone()).unwrap_or_default())
    }
}
