//! Running an agent of the marketplace, now or by a clock: what is asked first, and what is done then.

use super::needs::{Held, Missing, Needs};
use super::{Tools, named};
use crate::marketplace::{AgentCard, LibraryEntry};
use crate::{Error, Idempotency, NewSchedule, Principal, Start};
use heddle_model::{GraphId, Object, Value};

/// What is asked of the tool.
#[derive(Clone, Debug)]
pub struct RunAgent {
    /// `creator/slug`
    pub agent: String,
    /// Input name → value.
    pub inputs: Object,
    /// To run it although inputs were not given.
    pub use_defaults: bool,
    /// With `cron`: to have it run by the clock, under this name.
    pub schedule_name: Option<String>,
    /// Five fields.
    pub cron: Option<String>,
    /// By whose clock; IANA name.
    pub time_zone: String,
    /// For a start: the caller's key, so that repeats start nothing more.
    pub idempotency: Option<Idempotency>,
}

/// An agent as the answers name it.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its graph.
    pub graph: GraphId,
    /// The version that is meant.
    pub version: i64,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it wants.
    pub needs: Needs,
    /// Only an outside event starts it; then how that is set up, as `trigger_setup_info` has it.
    pub trigger: Option<Value>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Ran {
    /// It cannot be done, in these words; and in one word where a program may want to know.
    Refused(String, Option<&'static str>),
    /// The caller is to look at it first: these required inputs are missing, if some are.
    Details(Box<Agent>, Vec<String>),
    /// It has no inputs of these names.
    Unknown(Box<Agent>, Vec<String>),
    /// Credentials are missing.
    Setup(Box<Agent>, Missing),
    /// It runs.
    Started {
        /// The run, or the schedule.
        id: String,
        /// The agent's graph.
        graph: GraphId,
        /// What the agent is called.
        name: String,
        /// Where the caller's library has it.
        entry: Option<LibraryEntry>,
        /// It runs by the clock.
        is_scheduled: bool,
    },
}

impl Ran {
    fn started(id: String, agent: Agent, entry: LibraryEntry, is_scheduled: bool) -> Self {
        Self::Started { id, graph: agent.graph, name: agent.name, entry: Some(entry), is_scheduled }
    }
}

impl Tools {
    /// Runs an agent of the marketplace for the caller, or has it run by the clock; the first reason not to do so is the
    /// answer. It is in the caller's library afterwards.
    pub async fn run(&self, caller: &Principal, ask: RunAgent) -> Result<Ran, Error> {
        let refused = |text: String| Ok(Ran::Refused(text, None));
        let by_clock = (given(ask.schedule_name), given(ask.cron));
        if let Some(key) = &ask.idempotency {
            if by_clock != (None, None) {
                let why = "an idempotency key is for starting a run, not for a schedule";
                return Err(Error::Mismatch(why.to_owned()));
            }
            if let Some(before) = self.started_before(caller, key).await? {
                return Ok(before);
            }
        }
        let slug = ask.agent.trim();
        let Some((creator, name)) = named(slug) else {
            return refused("The agent has to be named as creator/slug.".to_owned());
        };
        let card = match self.market.agent(creator, name).await {
            Ok(found) => found.card,
            Err(Error::NotFound(_)) => return refused(format!("Agent '{slug}' not found")),
            Err(error) => return Err(error),
        };
        let agent = Box::new(self.agent(&card).await?);
        if agent.trigger.is_some() {
            return Ok(Ran::Details(agent, Vec::new()));
        }
        let unknown = agent.needs.unknown(&ask.inputs);
        if !unknown.is_empty() {
            let unknown = unknown.into_iter().map(str::to_owned).collect();
            return Ok(Ran::Unknown(agent, unknown));
        }
        let chosen = match agent.needs.choose(&self.held(caller).await?) {
            Ok(chosen) => chosen,
            Err(missing) => return Ok(Ran::Setup(agent, missing)),
        };
        if !ask.use_defaults {
            let absent = agent.needs.absent(&ask.inputs);
            if !absent.is_empty() || (ask.inputs.is_empty() && !agent.needs.inputs.is_empty()) {
                return Ok(Ran::Details(agent, absent));
            }
        }
        match by_clock {
            (Some(name), Some(cron)) => {
                let new = NewSchedule {
                    graph: agent.graph.to_string(),
                    version: None,
                    name,
                    cron,
                    time_zone: Some(ask.time_zone.trim().to_owned()),
                    inputs: ask.inputs,
                    credentials: chosen,
                };
                self.schedule(caller, &card, agent, new).await
            }
            (None, Some(_)) => refused("schedule_name is required for scheduled execution".to_owned()),
            (Some(_), None) => refused("cron expression is required for scheduled execution".to_owned()),
            (None, None) => {
                let start =
                    Start { inputs: ask.inputs, credentials: chosen, idempotency: ask.idempotency, ..Start::default() };
                self.start(caller, &card, agent, start).await
            }
        }
    }

    /// The caller's credentials, in their order.
    async fn held(&self, caller: &Principal) -> Result<Vec<Held>, Error> {
        let listed = self.integrations.list(caller.user).await?;
        let held = listed.into_iter().map(|meta| Held {
            id: meta.id,
            provider: meta.provider,
            kind: meta.kind.as_str().to_owned(),
            title: meta.title,
        });
        Ok(held.collect())
    }

    async fn agent(&self, card: &AgentCard) -> Result<Agent, Error> {
        let saved = self.market.graph(card).await?;
        let facts = self.graphs.computed(&saved.graph);
        let credentials = self.graphs.credentials_input_schema(&saved);
        Ok(Agent {
            graph: card.graph,
            version: card.graph_version,
            name: card.name.clone(),
            description: card.description.clone(),
            needs: Needs::of(facts.input_schema, &credentials),
            trigger: facts.has_external_trigger.then_some(facts.trigger_setup_info),
        })
    }

    /// What a request with this key has started, whatever has become of the agent since.
    async fn started_before(&self, caller: &Principal, key: &Idempotency) -> Result<Option<Ran>, Error> {
        let Some(run) = self.runs.started_with(caller, key).await? else { return Ok(None) };
        let graph = run.graph_id;
        let named = match self.market.agent_of(graph).await? {
            Some(agent) => Some(agent.card.name),
            None => match self.graphs.get(caller.user, &graph.to_string(), Some(run.graph_version)).await {
                Ok(saved) => Some(saved.graph.name),
                Err(Error::NotFound(_)) => None,
                Err(error) => return Err(error),
            },
        };
        Ok(Some(Ran::Started {
            id: run.id.to_string(),
            graph,
            name: named.unwrap_or_else(|| graph.to_string()),
            entry: self.market.in_library(caller.user, graph).await?,
            is_scheduled: false,
        }))
    }

    async fn start(&self, caller: &Principal, card: &AgentCard, agent: Box<Agent>, start: Start) -> Result<Ran, Error> {
        self.credits.check_start(caller.user).await?;
        let entry = self.market.add_to_library(caller, card).await?;
        let graph = agent.graph.to_string();
        let start = Start { graph, version: entry.graph_version, ..start };
        match self.runs.start(caller, start).await {
            Ok(started) => Ok(Ran::started(started.id.to_string(), *agent, entry, false)),
            Err(Error::Refused(text)) => Ok(Ran::Refused(text, Some("graph_validation_failed"))),
            Err(error) => Err(error),
        }
    }

    async fn schedule(
        &self,
        caller: &Principal,
        card: &AgentCard,
        agent: Box<Agent>,
        new: NewSchedule,
    ) -> Result<Ran, Error> {
        let entry = self.market.add_to_library(caller, card).await?;
        let new = NewSchedule { version: Some(entry.graph_version), ..new };
        match self.schedules.create(caller, new).await {
            Ok(schedule) => Ok(Ran::started(schedule.id.to_string(), *agent, entry, true)),
            Err(Error::Refused(text) | Error::NotFound(text)) => Ok(Ran::Refused(text, None)),
            Err(error) => Err(error),
        }
    }
}

/// Nothing but spaces says nothing.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
