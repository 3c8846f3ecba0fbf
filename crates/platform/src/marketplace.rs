//! The marketplace: agents that people publish for others on this server.
//!
//! **What is published** is a copy of a graph version and of the agents it calls, without its author's secrets, made when it
//! is handed in. Others run that copy with their own credentials, storage and quota, and their runs are theirs: the author
//! sees how many there were and nothing else.
//!
//! **Versions.** A submission is one version of a listing: a draft, pending, approved or rejected. An approved one never
//! changes. Whoever adds an agent to his library has the version that was shown then, until he takes another; it goes on
//! working when the listing is withdrawn, and so do runs that have begun.

mod blocks;
mod browse;
mod library;
mod pictures;
mod profile;
mod ratings;
mod review;
mod submissions;
mod text;

pub(crate) use blocks::MarketOfBlocks;
pub use browse::{AgentQuery, CreatorQuery};
pub use heddle_store::{
    AgentCard, AgentDetails, AgentOrder, ApprovedVersion, Creator, CreatorOrder, CreatorStats, LibraryEntry, Picture,
    Rating, Ratings, Submission, SubmissionStatus, SubmissionText,
};
pub use pictures::LARGEST as LARGEST_PICTURE;
pub use profile::Profile;
pub use review::Verdict;
pub use submissions::{CATEGORIES, NewSubmission};
pub use text::slug;

use crate::Error;
use crate::accounts::Accounts;
use crate::plans::Plans;
use heddle_blocks::Registry;
use heddle_engine::ports::Clock;
use heddle_model::UserId;
use heddle_store::Store;
use std::sync::Arc;

/// The marketplace of this server.
#[derive(Clone)]
pub struct Marketplace {
    store: Store,
    accounts: Accounts,
    plans: Plans,
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
    /// Pictures are decoded one at a time: each takes some memory.
    decoding: Arc<tokio::sync::Semaphore>,
}

impl Marketplace {
    pub(crate) fn new(
        store: Store,
        accounts: Accounts,
        plans: Plans,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let decoding = Arc::new(tokio::sync::Semaphore::new(1));
        Self { store, accounts, plans, registry, clock, decoding }
    }

    /// Brings the index up to this release, some listings at a time.
    pub(crate) async fn reindex(&self) -> Result<(), Error> {
        while self.store.reindex_some().await? > 0 {}
        Ok(())
    }

    /// Only operators decide about other people's things; to others they are not there.
    async fn operator(&self, account: UserId) -> Result<(), Error> {
        match self.accounts.get(account).await?.is_some_and(|account| account.is_admin) {
            true => Ok(()),
            false => Err(Error::Forbidden("only operators may do that".to_owned())),
        }
    }
}
