//! Whether a graph may be run now, with these masks and credentials, and where it starts.

use super::fields::{self, Fields, Issues, Rules};
use super::structure;
use super::view::{NodeView, View, mask_of};
use crate::block::is_credentials_pin;
use crate::{BlockFacts, Catalogue, CredentialsFacts, Graph, NodeId, Object, UiType, Value};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::fmt;

const NO_START: &str = "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links \
                        are present as starting nodes.";
const TRIGGERED: &str = "This agent is triggered by an external event (webhook) and cannot be executed directly. \
                         Please use the appropriate trigger to run this agent.";
const CREDENTIALS_REQUIRED: &str = "These credentials are required";

/// Indexes of the main graph's nodes that complete without running, as their optional credentials are missing.
pub type Skips = Vec<u32>;

/// What a stored credential is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// E.g. `openai`.
    pub provider: String,
    /// E.g. `api_key`.
    pub kind: String,
}

/// Finds the caller's credential of an id: `Ok(None)` when there is none, `Err` when it cannot be told.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<Credential>, String>;

/// Why a graph is not run. Displayed as the text of the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunRefusal {
    /// A plain text.
    Text(String),
    /// Problems of single pins.
    Validation {
        /// How many there are.
        issues: usize,
        /// Node → pin → text.
        nodes: IndexMap<NodeId, IndexMap<String, String>>,
    },
}

impl std::error::Error for RunRefusal {}

impl RunRefusal {
    /// The first line of the text.
    pub fn message(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Validation { issues, nodes } => {
                format!("Graph validation failed: {issues} issues on {} nodes", nodes.len())
            }
        }
    }
}

impl fmt::Display for RunRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        if let Self::Validation { nodes, .. } = self {
            for (node, fields) in nodes {
                write!(f, "\n  {node}:")?;
                for (pin, text) in fields {
                    write!(f, "\n    {pin}: {text}")?;
                }
            }
        }
        Ok(())
    }
}

/// Checks a graph (first) and its sub-graphs for a run with these masks (node id → pin → value), and the credentials
/// of the main graph's nodes.
pub fn run_check(
    graphs: &[&Graph],
    catalogue: &dyn Catalogue,
    masks: &Object,
    lookup: Lookup<'_>,
) -> Result<Skips, RunRefusal> {
    let mut issues = Issues::new();
    let mut skips = Skips::new();
    for (at, graph) in graphs.iter().enumerate() {
        let view = View::new(graph, catalogue);
        structure::check(&view).map_err(RunRefusal::Text)?;
        issues.extend(fields::check(&view, &Rules { for_run: true, masks }).map_err(RunRefusal::Text)?);
        if at == 0 {
            for (index, node) in (0u32..).zip(&view.nodes) {
                let Some(block) = node.block.as_deref().filter(|block| !block.credentials.is_empty()) else { continue };
                if check_credentials(node, block, mask_of(masks, node.node), lookup, &mut issues) {
                    skips.push(index);
                }
            }
        }
    }
    match issues.values().map(Fields::len).sum() {
        0 => Ok(skips),
        count => Err(RunRefusal::Validation { issues: count, nodes: issues }),
    }
}

/// Adds the credentials problems of one node; true when the node is skipped instead.
fn check_credentials(
    node: &NodeView<'_>,
    block: &BlockFacts,
    mask: Option<&Object>,
    lookup: Lookup<'_>,
    issues: &mut Issues,
) -> bool {
    let mut fields = Fields::new();
    let mut missing = Vec::new();
    let optional = node.node.credentials_optional();
    for (pin, facts) in &block.credentials {
        let Some(schema) = block.input_pins().get(pin).filter(|_| is_credentials_pin(pin)) else { continue };
        let own = || node.node.input_default.get(pin).filter(|_| !optional);
        match mask.and_then(|mask| mask.get(pin)).or_else(own).filter(|reference| !is_empty(reference)) {
            Some(reference) => {
                if let Some(text) = unusable(reference, facts, lookup) {
                    fields.insert(pin.clone(), text);
                }
            }
            None if schema.get("default").is_none() => missing.push(pin),
            None => {}
        }
    }
    let failed = !fields.is_empty() || issues.contains_key(&node.node.id);
    if optional && !missing.is_empty() && !failed {
        return true;
    }
    if !optional {
        fields.extend(missing.into_iter().map(|pin| (pin.clone(), CREDENTIALS_REQUIRED.to_owned())));
    }
    if !fields.is_empty() {
        let known = issues.entry(node.node.id.clone()).or_default();
        for (pin, text) in fields {
            known.entry(pin).or_insert(text);
        }
    }
    false
}

fn is_empty(reference: &Value) -> bool {
    reference.is_null() || reference.as_object().is_some_and(Object::is_empty)
}

fn unusable(reference: &Value, facts: &CredentialsFacts, lookup: Lookup<'_>) -> Option<String> {
    let text = |key: &str| reference.get(key).and_then(Value::as_str);
    let (Some(id), Some(provider), Some(kind)) = (text("id"), text("provider"), text("type")) else {
        return Some("Invalid credentials: an object with id, provider and type is expected".to_owned());
    };
    if !facts.providers.iter().chain(&facts.also).any(|known| known == provider)
        || !facts.types.iter().any(|known| known == kind)
    {
        return Some(format!("Invalid credentials: {provider} {kind} credentials do not fit here"));
    }
    match lookup(id) {
        Err(why) => Some(format!("Credentials not available: {why}")),
        Ok(None) => Some(format!("Unknown credentials #{id}")),
        Ok(Some(found)) if found.provider != provider || found.kind != kind => {
            Some("Invalid credentials: type/provider mismatch".to_owned())
        }
        Ok(Some(_)) => None,
    }
}

/// Indexes of the nodes a run begins with, in order: those without inbound links and all inputs, but no notes. A
/// trigger among them needs its `payload` from a mask.
pub fn starting_nodes(graph: &Graph, catalogue: &dyn Catalogue, masks: &Object) -> Result<Vec<u32>, RunRefusal> {
    let fed: HashSet<_> = graph.links.iter().map(|link| link.sink_id.as_str()).collect();
    let mut starting = Vec::new();
    for (index, node) in (0u32..).zip(&graph.nodes) {
        let ui_type = catalogue.block(&node.block_id).map(|block| block.ui_type);
        let starts = !fed.contains(node.id.as_str()) || ui_type == Some(UiType::Input);
        if !starts || ui_type == Some(UiType::Note) {
            continue;
        }
        let has_payload = || mask_of(masks, node).is_some_and(|mask| mask.contains_key("payload"));
        if ui_type.is_some_and(UiType::is_trigger) && !has_payload() {
            return Err(RunRefusal::Text(TRIGGERED.to_owned()));
        }
        starting.push(index);
    }
    if starting.is_empty() { Err(RunRefusal::Text(NO_START.to_owned())) } else { Ok(starting) }
}
