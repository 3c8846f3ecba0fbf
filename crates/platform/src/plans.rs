//! Graphs made ready to run, kept in memory: a saved version never changes, so neither does its plan.

use crate::Integrations;
use crate::patience::tirelessly;
use async_trait::async_trait;
use heddle_blocks::Registry;
use heddle_connectors::Reference;
use heddle_engine::Plan;
use heddle_engine::journal::Settings;
use heddle_engine::ports;
use heddle_model::computed::credentials;
use heddle_model::{Graph, GraphId, Object, UserId, Value, block, rules};
use heddle_store::{Store, StoredGraph};
use moka::sync::Cache;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Graph versions kept in memory.
const CACHED: u64 = 1_000;

/// Finds and compiles graphs of their owners.
#[derive(Clone)]
pub(crate) struct Plans {
    store: Store,
    registry: Arc<Registry>,
    integrations: Integrations,
    known: Cache<(UserId, GraphId, i64), Arc<Known>>,
}

/// A stored version and what was worked out about it.
pub(crate) struct Known {
    pub(crate) stored: StoredGraph,
    pub(crate) plan: Arc<Plan>,
    /// Whether some node of it or of an agent that it calls takes a credential.
    takes_credentials: OnceCell<bool>,
    /// Nodes to skip, or why it cannot be run; of a graph that takes no credentials, so that it is always the same.
    runnable: OnceCell<Result<Vec<u32>, String>>,
    /// What the owner has set for runs of it. Whoever changes that must drop this entry.
    settings: OnceCell<Settings>,
}

impl Plans {
    pub(crate) fn new(store: Store, registry: Arc<Registry>, integrations: Integrations) -> Self {
        Self { store, registry, integrations, known: Cache::new(CACHED) }
    }

    /// The blocks that plans are made of.
    pub(crate) fn blocks(&self) -> Arc<dyn ports::Blocks> {
        Arc::clone(&self.registry) as Arc<dyn ports::Blocks>
    }

    /// A version of the owner's, or in his library, or one of somebody else's that was approved for the marketplace;
    /// `None` when there is none. The last is not in his library, and may be off the marketplace by now: runs that pinned
    /// it are still read by it.
    pub(crate) async fn find(
        &self,
        owner: UserId,
        graph: GraphId,
        version: i64,
    ) -> Result<Option<Arc<Known>>, heddle_store::Error> {
        let key = (owner, graph, version);
        if let Some(known) = self.known.get(&key) {
            return Ok(Some(known));
        }
        let Some(stored) = self.stored(owner, graph, version).await? else { return Ok(None) };
        let mut plan = Plan::new(&stored.graph, &*self.registry);
        for (graph, version) in plan.agent_tools() {
            if let Some(agent) = self.stored(owner, graph, version).await? {
                plan.introduce(&agent.graph);
            }
        }
        let known = Arc::new(Known {
            stored,
            plan: Arc::new(plan),
            takes_credentials: OnceCell::new(),
            runnable: OnceCell::new(),
            settings: OnceCell::new(),
        });
        self.known.insert(key, Arc::clone(&known));
        Ok(Some(known))
    }

    async fn stored(
        &self,
        owner: UserId,
        graph: GraphId,
        version: i64,
    ) -> Result<Option<StoredGraph>, heddle_store::Error> {
        match self.store.graph(owner, graph, Some(version)).await? {
            None => self.store.published_graph(graph, version).await,
            known => Ok(known),
        }
    }

    /// Forgets what was worked out about a version, because the owner's library has changed.
    pub(crate) fn forget(&self, owner: UserId, graph: GraphId, version: i64) {
        self.known.invalidate(&(owner, graph, version));
    }

    /// What is said when a version that was found is not in the caller's library: that, of his own and of what the
    /// marketplace offers; of all else that it is not there.
    pub(crate) async fn why_not(&self, owner: UserId, known: &Known) -> Result<String, heddle_store::Error> {
        let graph = known.stored.graph.id;
        let is_offered = known.stored.author == owner || self.store.shown_agent_of(graph).await?.is_some();
        Ok(if is_offered { not_in_library(graph) } else { not_found(&graph.to_string()) })
    }

    /// What the owner has set for runs of a graph (`engine.md` 1, "Per-user graph settings"); the time zone is the
    /// account's.
    pub(crate) async fn settings(&self, owner: UserId, known: &Known) -> Result<Settings, heddle_store::Error> {
        let read = || async {
            let set = self.store.library_settings(owner, known.stored.graph.id).await?.unwrap_or_default();
            let flag = |name: &str| set.get(name).and_then(Value::as_bool);
            Ok(Settings {
                time_zone: None,
                human_in_the_loop_safe_mode: flag("human_in_the_loop_safe_mode").unwrap_or(true),
                sensitive_action_safe_mode: flag("sensitive_action_safe_mode").unwrap_or(false),
            })
        };
        known.settings.get_or_try_init(read).await.cloned()
    }

    /// The agents that a graph calls, directly or not, each once, nearest first (`engine.md` 1, "Sub-graph fetch").
    pub(crate) async fn sub_graphs(&self, owner: UserId, main: &Graph) -> Result<Vec<Graph>, heddle_store::Error> {
        let mut seen = HashSet::from([main.id]);
        let mut found: Vec<Graph> = Vec::new();
        let mut wanted = called(main);
        while !wanted.is_empty() {
            let mut next = Vec::new();
            for (id, version) in wanted {
                if !seen.insert(id) {
                    continue;
                }
                if let Some(known) = self.find(owner, id, version).await? {
                    next.extend(called(&known.stored.graph));
                    found.push(known.stored.graph.clone());
                }
            }
            wanted = next;
        }
        Ok(found)
    }

    /// What this version is run with, or why it may not be run. The text is for the caller. `given` are credentials by
    /// field name, `masks` lie over the nodes' constants.
    pub(crate) async fn check(
        &self,
        owner: UserId,
        known: &Known,
        given: &Object,
        mut masks: Object,
    ) -> Result<Result<Checked, String>, heddle_store::Error> {
        let is_plain = given.is_empty() && masks.is_empty() && !self.takes_credentials(owner, known).await?;
        if is_plain {
            let check = || async {
                let main = &known.stored.graph;
                let subs = self.sub_graphs(owner, main).await?;
                Ok::<_, heddle_store::Error>(self.run_rules(main, &subs, &Object::new(), &|_| Ok(None)))
            };
            let skip = known.runnable.get_or_try_init(check).await?.clone();
            return Ok(skip.map(|skip| Checked { skip, masks }));
        }
        let main = &known.stored.graph;
        let subs = self.sub_graphs(owner, main).await?;
        let graphs: Vec<&Graph> = std::iter::once(main).chain(&subs).collect();
        let usable = self.integrations.usable(owner).await?;
        credentials::spread(given, &graphs, &*self.registry, &mut masks);
        credentials::fill(&graphs, &*self.registry, &mut masks, &|provider| usable.default_for(provider));
        let skip = self.run_rules(main, &subs, &masks, &|id| usable.find(id));
        Ok(skip.map(|skip| Checked { skip, masks }))
    }

    fn run_rules(
        &self,
        main: &Graph,
        subs: &[Graph],
        masks: &Object,
        lookup: rules::Lookup<'_>,
    ) -> Result<Vec<u32>, String> {
        let graphs: Vec<&Graph> = std::iter::once(main).chain(subs).collect();
        let catalogue = &*self.registry;
        let skips = rules::run_check(&graphs, catalogue, masks, lookup);
        let starts = |skips| rules::starting_nodes(main, catalogue, masks).map(|_| skips);
        skips.and_then(starts).map_err(|refusal| refusal.to_string())
    }

    async fn takes_credentials(&self, owner: UserId, known: &Known) -> Result<bool, heddle_store::Error> {
        let look = || async {
            let subs = self.sub_graphs(owner, &known.stored.graph).await?;
            let nodes = std::iter::once(&known.stored.graph).chain(&subs).flat_map(|graph| &graph.nodes);
            let mut blocks = nodes.filter_map(|node| self.registry.facts(node.block_id.as_str()));
            Ok::<_, heddle_store::Error>(blocks.any(|block| !block.credentials.is_empty()))
        };
        known.takes_credentials.get_or_try_init(look).await.copied()
    }

    /// Takes what is meant for a field of credentials out of a run's inputs, and adds it to what was given outright,
    /// which wins.
    pub(crate) async fn take_credentials(
        &self,
        owner: UserId,
        known: &Known,
        inputs: &mut Object,
        given: &mut Object,
    ) -> Result<(), heddle_store::Error> {
        if !self.takes_credentials(owner, known).await? {
            given.clear();
            return Ok(());
        }
        let subs = self.sub_graphs(owner, &known.stored.graph).await?;
        let graphs: Vec<&Graph> = std::iter::once(&known.stored.graph).chain(&subs).collect();
        let fields = credentials::groups(&graphs, &*self.registry);
        for field in fields.keys() {
            if inputs.get(field).is_some_and(|value| Reference::read(value).is_some())
                && let Some(reference) = inputs.shift_remove(field)
            {
                given.entry(field).or_insert(reference);
            }
        }
        given.retain(|field, _| fields.contains_key(field));
        Ok(())
    }
}

#[async_trait]
impl ports::Plans for Plans {
    async fn runnable(
        &self,
        owner: UserId,
        graph: GraphId,
        version: i64,
        masks: &Object,
    ) -> Result<(Arc<Plan>, Vec<u32>), String> {
        let found = tirelessly(|| self.find(owner, graph, version)).await.map_err(|error| error.to_string())?;
        let known = found.ok_or_else(|| not_found(&graph.to_string()))?;
        let none = Object::new();
        let check = || self.check(owner, &known, &none, masks.clone());
        let checked = tirelessly(check).await.map_err(|error| error.to_string())??;
        Ok((Arc::clone(&known.plan), checked.skip))
    }

    async fn plan(&self, owner: UserId, graph: GraphId, version: i64) -> Result<Option<Arc<Plan>>, String> {
        let found = self.find(owner, graph, version).await.map_err(|error| error.to_string())?;
        Ok(found.map(|known| Arc::clone(&known.plan)))
    }
}

/// What a run may begin with.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// Indexes of the main graph's nodes that are skipped.
    pub(crate) skip: Vec<u32>,
    /// Node id → pin → value.
    pub(crate) masks: Object,
}

/// What is said of graphs that do not exist and of other people's alike.
pub(crate) fn not_found(graph: &str) -> String {
    format!("Graph #{graph} not found.")
}

/// What is said of the owner's graphs that the library does not list.
pub(crate) fn not_in_library(graph: GraphId) -> String {
    format!("Graph #{graph} is not in your library")
}

/// Graph and version of every agent node.
fn called(graph: &Graph) -> Vec<(GraphId, i64)> {
    let agents = graph.nodes.iter().filter(|node| node.block_id.as_str() == block::AGENT_EXECUTOR);
    agents
        .filter_map(|node| {
            let id = node.input_default.get("graph_id").and_then(Value::as_str).and_then(GraphId::parse)?;
            Some((id, node.input_default.get("graph_version").and_then(Value::as_i64)?))
        })
        .collect()
}
