//! Graphs made ready to run, kept in memory: a saved version never changes, so neither does its plan.

use crate::patience::tirelessly;
use async_trait::async_trait;
use heddle_blocks::Registry;
use heddle_engine::Plan;
use heddle_engine::journal::Settings;
use heddle_engine::ports;
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
    known: Cache<(UserId, GraphId, i64), Arc<Known>>,
}

/// A stored version and what was worked out about it.
pub(crate) struct Known {
    pub(crate) stored: StoredGraph,
    pub(crate) plan: Arc<Plan>,
    /// Nodes to skip, or why it cannot be run.
    runnable: OnceCell<Result<Vec<u32>, String>>,
    /// What the owner has set for runs of it. Whoever changes that must drop this entry.
    settings: OnceCell<Settings>,
}

impl Plans {
    pub(crate) fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry, known: Cache::new(CACHED) }
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
        let stored = match self.store.graph(owner, graph, Some(version)).await? {
            None => self.store.published_graph(graph, version).await?,
            known => known,
        };
        let Some(stored) = stored else { return Ok(None) };
        let plan = Arc::new(Plan::new(&stored.graph, &*self.registry));
        let known = Arc::new(Known { stored, plan, runnable: OnceCell::new(), settings: OnceCell::new() });
        self.known.insert(key, Arc::clone(&known));
        Ok(Some(known))
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

    /// The nodes to skip when this version is run, or why it may not be. The text is for the caller.
    pub(crate) async fn check(
        &self,
        owner: UserId,
        known: &Known,
    ) -> Result<Result<Vec<u32>, String>, heddle_store::Error> {
        let check = || async {
            let main = &known.stored.graph;
            let subs = self.sub_graphs(owner, main).await?;
            let graphs: Vec<&Graph> = std::iter::once(main).chain(&subs).collect();
            let (masks, catalogue) = (Object::new(), &*self.registry);
            // There is no vault in this release, so no credential is known.
            let skips = rules::run_check(&graphs, catalogue, &masks, &|_| Ok(None));
            let starts = |skips| rules::starting_nodes(main, catalogue, &masks).map(|_| skips);
            Ok::<_, heddle_store::Error>(skips.and_then(starts).map_err(|refusal| refusal.to_string()))
        };
        known.runnable.get_or_try_init(check).await.cloned()
    }
}

#[async_trait]
impl ports::Plans for Plans {
    async fn runnable(&self, owner: UserId, graph: GraphId, version: i64) -> Result<(Arc<Plan>, Vec<u32>), String> {
        let found = tirelessly(|| self.find(owner, graph, version)).await.map_err(|error| error.to_string())?;
        let known = found.ok_or_else(|| not_found(&graph.to_string()))?;
        let skip = tirelessly(|| self.check(owner, &known)).await.map_err(|error| error.to_string())??;
        Ok((Arc::clone(&known.plan), skip))
    }

    async fn plan(&self, owner: UserId, graph: GraphId, version: i64) -> Result<Option<Arc<Plan>>, String> {
        let found = self.find(owner, graph, version).await.map_err(|error| error.to_string())?;
        Ok(found.map(|known| Arc::clone(&known.plan)))
    }
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
