//! Graphs: saved once, never changed, owned by one account.

use crate::clock::SystemClock;
use crate::plans::{Plans, not_found};
use crate::{Error, Integrations, Page, PageRequest};
use heddle_blocks::Registry;
use heddle_engine::ports::Clock;
use heddle_model::{Draft, Graph, GraphId, OrgId, Time, UserId, Value, computed, export};
use heddle_store::Store;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

pub use heddle_store::{GraphSummary, LibraryItem};

/// A stored graph with what is computed from it.
#[derive(Clone, Debug)]
pub struct SavedGraph {
    /// The graph.
    pub graph: Graph,
    /// The agents it calls, directly or not, each once.
    pub sub_graphs: Vec<Graph>,
    /// Whose it is.
    pub owner: UserId,
    /// In which organization.
    pub organization: OrgId,
    /// When this version was saved.
    pub created_at: Time,
}

/// What is computed from a graph's nodes (`engine.md` 2 and 3).
#[derive(Clone, Debug)]
pub struct Computed {
    /// JSON Schema of the inputs.
    pub input_schema: Value,
    /// JSON Schema of the outputs.
    pub output_schema: Value,
    /// Has a webhook node.
    pub has_external_trigger: bool,
    /// Has a node that asks a person.
    pub has_human_in_the_loop: bool,
    /// Has a block that is flagged sensitive.
    pub has_sensitive_action: bool,
    /// Object or null.
    pub trigger_setup_info: Value,
}

/// The graphs of this server.
#[derive(Clone)]
pub struct Graphs {
    store: Store,
    registry: Arc<Registry>,
    plans: Plans,
    integrations: Integrations,
    clock: SystemClock,
}

impl Graphs {
    pub(crate) fn new(store: Store, registry: Arc<Registry>, plans: Plans, integrations: Integrations) -> Self {
        Self { store, registry, plans, integrations, clock: SystemClock }
    }

    /// Saves a graph and its sub-graphs under new ids and puts it into the owner's library.
    /// [`Error::Refused`] with the contract's text when it cannot be saved.
    pub async fn create(&self, owner: UserId, organization: OrgId, draft: Draft) -> Result<SavedGraph, Error> {
        let mut new_id = || uuid::Builder::from_random_bytes(self.clock.random()).into_uuid();
        let usable = self.integrations.usable(owner).await?;
        let usable = |id: &str| usable.has(id);
        let mut graphs = draft
            .save(owner, &*self.registry, &mut new_id, &usable)
            .map_err(|refusal| Error::Refused(refusal.to_string()))?;
        let created_at = self.clock.now();
        self.store.save_graphs(owner, organization, &graphs, created_at).await?;
        let graph = graphs.remove(0);
        Ok(SavedGraph { graph, sub_graphs: graphs, owner, organization, created_at })
    }

    /// One version, or the highest without a version. [`Error::NotFound`]: `Graph #<id> not found.`
    pub async fn get(&self, owner: UserId, id: &str, version: Option<i64>) -> Result<SavedGraph, Error> {
        let missing = || Error::NotFound(not_found(id));
        let graph = GraphId::parse(id).ok_or_else(missing)?;
        let stored = self.store.graph(owner, graph, version).await?.ok_or_else(missing)?;
        let sub_graphs = self.plans.sub_graphs(owner, &stored.graph).await?;
        Ok(SavedGraph {
            graph: stored.graph,
            sub_graphs,
            owner,
            organization: stored.organization,
            created_at: stored.created_at,
        })
    }

    /// The owner's library, newest first.
    pub async fn list(&self, owner: UserId, page: PageRequest) -> Result<Page<GraphSummary>, Error> {
        Ok(page.of(self.store.graphs(owner, page.paging()).await?, |summary| summary))
    }

    /// The agents of the owner's library, his own and those he added; changed last first.
    pub async fn library(&self, owner: UserId, page: PageRequest) -> Result<Page<LibraryItem>, Error> {
        Ok(page.of(self.store.library(owner, "", page.paging()).await?, |item| item))
    }

    /// One of them. [`Error::NotFound`] without one.
    pub async fn library_item(&self, owner: UserId, id: &str) -> Result<LibraryItem, Error> {
        let missing = || Error::NotFound(format!("there is no agent {id} in your library"));
        let known = Uuid::try_parse(id).map_err(|_| missing())?;
        self.store.library_item(owner, known).await?.ok_or_else(missing)
    }

    /// The same with its graph.
    pub async fn library_agent(&self, owner: UserId, id: &str) -> Result<(LibraryItem, SavedGraph), Error> {
        let item = self.library_item(owner, id).await?;
        let graph = self.get(owner, &item.graph.to_string(), Some(item.version)).await?;
        Ok((item, graph))
    }

    /// The agent file of a graph (`engine.md` 1, export).
    pub async fn export(&self, owner: UserId, id: &str, version: Option<i64>) -> Result<Value, Error> {
        let saved = self.get(owner, id, version).await?;
        Ok(export::export(&saved.graph, &saved.sub_graphs, &*self.registry))
    }

    /// Reads an agent file's JSON into drafts; the text says what is wrong with it.
    pub fn read_file(&self, file: Value) -> Result<Vec<Draft>, Error> {
        Draft::from_file(file).map_err(Error::Refused)
    }

    /// Names of blocks of a graph and the agents it calls that this build does not run, each once.
    pub fn not_run(&self, saved: &SavedGraph) -> Vec<String> {
        let nodes = std::iter::once(&saved.graph).chain(&saved.sub_graphs).flat_map(|graph| &graph.nodes);
        let blocks = nodes.filter_map(|node| self.registry.facts(node.block_id.as_str())).filter(|block| !block.served);
        let names: BTreeSet<_> = blocks.map(|block| block.name.to_string()).collect();
        names.into_iter().collect()
    }

    /// The computed members of one graph.
    pub fn computed(&self, graph: &Graph) -> Computed {
        let (nodes, catalogue) = (&graph.nodes, &*self.registry);
        let flags = computed::flags(nodes, catalogue);
        Computed {
            input_schema: computed::input_schema(nodes, catalogue),
            output_schema: computed::output_schema(nodes, catalogue),
            has_external_trigger: flags.has_external_trigger,
            has_human_in_the_loop: flags.has_human_in_the_loop,
            has_sensitive_action: flags.has_sensitive_action,
            trigger_setup_info: computed::trigger_setup_info(nodes, catalogue),
        }
    }

    /// `credentials_input_schema` over a graph and its sub-graphs.
    pub fn credentials_input_schema(&self, saved: &SavedGraph) -> Value {
        let graphs: Vec<&Graph> = std::iter::once(&saved.graph).chain(&saved.sub_graphs).collect();
        computed::credentials_input_schema(&graphs, &*self.registry)
    }
}
