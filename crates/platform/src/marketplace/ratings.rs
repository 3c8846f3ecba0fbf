//! What people think of agents.

use super::{Marketplace, text};
use crate::{Error, Page, PageRequest};
use heddle_model::{ListingId, UserId};
use heddle_store::{AgentCard, Rating};

/// Letters of what is said.
const COMMENT: usize = 2_000;

impl Marketplace {
    /// Keeps what an account thinks of an agent, instead of what it thought before. Nobody rates his own.
    pub async fn rate(
        &self,
        account: UserId,
        agent: &AgentCard,
        score: i64,
        comment: Option<&str>,
    ) -> Result<(), Error> {
        if !(1..=5).contains(&score) {
            return Err(Error::Refused("a rating is a number from 1 to 5".to_owned()));
        }
        if agent.owner == account {
            return Err(Error::Refused("you cannot rate your own agent".to_owned()));
        }
        let comment = text::optional("the review", comment, COMMENT)?;
        match self.store.rate(account, agent.listing, score, comment, self.clock.now()).await? {
            true => Ok(()),
            false => Err(Error::NotFound(format!("Agent {}/{} not found", agent.creator, agent.slug))),
        }
    }

    /// Takes that back.
    pub async fn unrate(&self, account: UserId, agent: &AgentCard) -> Result<(), Error> {
        match self.store.unrate(account, agent.listing).await? {
            true => Ok(()),
            false => Err(Error::NotFound("you have not rated this agent".to_owned())),
        }
    }

    /// What the account thinks of an agent.
    pub async fn own_rating(&self, account: UserId, listing: ListingId) -> Result<Option<Rating>, Error> {
        Ok(self.store.own_rating(account, listing).await?)
    }

    /// What people say of an agent that is shown, last said first.
    pub async fn ratings(&self, listing: ListingId, page: PageRequest) -> Result<Page<Rating>, Error> {
        Ok(page.of(self.store.ratings(listing, page.paging()).await?, |rating| rating))
    }
}
