//! Agents of others in one's own library.

use super::Marketplace;
use crate::{Error, Principal};
use heddle_model::{GraphId, UserId};
use heddle_store::{AgentCard, LibraryEntry};

impl Marketplace {
    /// Puts an agent into the caller's library, in the version that is shown, and says what is there then. One that is there
    /// already stays at its version; its author has his own.
    pub async fn add_to_library(&self, caller: &Principal, agent: &AgentCard) -> Result<LibraryEntry, Error> {
        self.keep(caller, agent, false).await
    }

    /// The same, and moves one that is there to the version that is shown.
    pub async fn update_in_library(&self, caller: &Principal, agent: &AgentCard) -> Result<LibraryEntry, Error> {
        self.keep(caller, agent, agent.owner != caller.user).await
    }

    async fn keep(&self, caller: &Principal, agent: &AgentCard, follow: bool) -> Result<LibraryEntry, Error> {
        let (owner, graph, version) = (caller.user, agent.graph, agent.graph_version);
        let before = self.store.library_entry(owner, graph).await?;
        let at = self.clock.now();
        let entry = self.store.add_to_library(owner, caller.organization, graph, version, follow, at).await?;
        self.forget(owner, graph, before.into_iter().chain([entry]));
        Ok(entry)
    }

    /// What the account's library has of a graph.
    pub async fn in_library(&self, owner: UserId, graph: GraphId) -> Result<Option<LibraryEntry>, Error> {
        Ok(self.store.library_entry(owner, graph).await?)
    }

    /// Takes an agent of somebody else's out of the account's library; runs of it can be looked at as before.
    /// [`Error::NotFound`] when it is not there.
    pub async fn remove_from_library(&self, owner: UserId, graph: GraphId) -> Result<(), Error> {
        let before = self.store.library_entry(owner, graph).await?;
        let at = self.clock.now();
        let was_there = self.store.remove_from_library(owner, graph, at).await?;
        self.forget(owner, graph, before);
        match was_there {
            true => Ok(()),
            false => Err(Error::NotFound("the agent is not in your library".to_owned())),
        }
    }

    /// What was worked out about versions says whether the library has them.
    fn forget(&self, owner: UserId, graph: GraphId, entries: impl IntoIterator<Item = LibraryEntry>) {
        entries.into_iter().for_each(|entry| self.plans.forget(owner, graph, entry.graph_version));
    }
}
