//! What an assistant is offered as tools: finding an agent in the marketplace, and running it (`v1.md` 7).
//!
//! Nothing is remembered between two calls. What a tool cannot do is an answer, too: only what keeps this server from doing
//! anything at all is an [`Error`].

mod needs;
mod run;

use crate::marketplace::{AgentCard, AgentQuery};
use crate::{Credits, Error, Graphs, Integrations, Marketplace, PageRequest, Runs, Schedules};
use std::sync::Arc;

pub use needs::{Missing, MissingCredential, Needs, Wanted};
pub use run::{Agent, Ran, RunAgent};

/// Agents in one answer at most.
const FOUND: u64 = 5;

/// The tools of this server.
#[derive(Clone)]
pub struct Tools {
    pub(crate) market: Arc<Marketplace>,
    pub(crate) graphs: Graphs,
    pub(crate) integrations: Integrations,
    pub(crate) runs: Runs,
    pub(crate) schedules: Schedules,
    pub(crate) credits: Credits,
}

/// What came of looking for agents.
#[derive(Clone, Debug)]
pub enum Found {
    /// These, best first.
    Agents(Vec<AgentCard>),
    /// None.
    Nothing,
    /// It was not said what is wanted.
    Blank,
}

impl Tools {
    /// Agents that fit a text; `creator/slug` names one.
    pub async fn find(&self, query: &str) -> Result<Found, Error> {
        let query = query.trim();
        if query.is_empty() {
            return Ok(Found::Blank);
        }
        if let Some((creator, slug)) = named(query) {
            match self.market.agent(creator, slug).await {
                Ok(agent) => return Ok(Found::Agents(vec![agent.card])),
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let search = AgentQuery { search: Some(query.to_owned()), ..AgentQuery::default() };
        let found = self.market.agents(search, PageRequest { page: 1, page_size: FOUND }).await?.items;
        Ok(if found.is_empty() { Found::Nothing } else { Found::Agents(found) })
    }
}

/// Creator and slug of a text that may name an agent.
fn named(text: &str) -> Option<(&str, &str)> {
    let (creator, slug) = text.split_once('/')?;
    let is_name = |part: &str| !part.is_empty() && !part.contains(['/', ' ']);
    (is_name(creator) && is_name(slug)).then_some((creator, slug))
}
