//! From a draft to graphs that can be stored (`engine.md` 1, "Save").

use super::Draft;
use crate::block::{AGENT_EXECUTOR, is_credentials_pin};
use crate::rules::{self, Refusal};
use crate::{Catalogue, Graph, GraphId, Link, LinkId, Node, NodeId, Object, UserId, Value, python};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

impl Draft {
    /// The graphs to store, main first, then its sub-graphs. `usable` says whether the owner has a credential of this
    /// id.
    pub fn save(
        self,
        owner: UserId,
        catalogue: &dyn Catalogue,
        new_id: &mut dyn FnMut() -> Uuid,
        usable: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Graph>, Refusal> {
        let id = GraphId(new_id());
        self.save_as(id, owner, catalogue, new_id, usable)
    }

    /// [`Draft::save`] as a further version of a graph that exists: it keeps its id, all other ids are new.
    pub fn save_as(
        mut self,
        id: GraphId,
        owner: UserId,
        catalogue: &dyn Catalogue,
        new_id: &mut dyn FnMut() -> Uuid,
        usable: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Graph>, Refusal> {
        let subs = std::mem::take(&mut self.sub_graphs);
        let mut drafts = vec![(id, self)];
        drafts.extend(subs.into_iter().map(|sub| (GraphId(new_id()), sub)));
        // Of two graphs with one id the first is meant; an empty id names none.
        let mut ids: HashMap<String, GraphId> = HashMap::new();
        for (id, draft) in drafts.iter().filter(|(_, draft)| !draft.id.is_empty()) {
            ids.entry(draft.id.clone()).or_insert(*id);
        }
        let mut graphs = Vec::with_capacity(drafts.len());
        for (id, draft) in drafts {
            let mut graph = renewed(draft, id, new_id)?;
            for node in &mut graph.nodes {
                clean_constants(&mut node.input_default);
                if node.block_id.as_str() == AGENT_EXECUTOR {
                    point_agent(&mut node.input_default, owner, &ids);
                }
            }
            rules::force_static(&mut graph, catalogue);
            graphs.push(graph);
        }
        graphs.iter().try_for_each(|graph| rules::check_saved(graph, catalogue))?;
        for node in graphs.iter_mut().flat_map(|graph| &mut graph.nodes) {
            settle_credentials(node, catalogue, usable)?;
        }
        Ok(graphs)
    }
}

/// The graph of a draft, with new node and link ids. Links to ids that the draft does not have keep them, so that the
/// refusal can quote them.
fn renewed(draft: Draft, id: GraphId, new_id: &mut dyn FnMut() -> Uuid) -> Result<Graph, Refusal> {
    let mut ids: HashMap<NodeId, NodeId> = HashMap::with_capacity(draft.nodes.len());
    let mut nodes = draft.nodes;
    for node in &mut nodes {
        let renewed = NodeId(new_id().to_string());
        if ids.insert(node.id.clone(), renewed.clone()).is_some() {
            return Err(Refusal(format!("Node id {} is used by more than one node", python::repr_str(&node.id.0))));
        }
        node.id = renewed;
        python::clean_object(&mut node.metadata);
    }
    let renewed = |id: NodeId| ids.get(&id).cloned().unwrap_or(id);
    let links = draft.links.into_iter().map(|link| Link {
        id: LinkId(new_id().to_string()),
        source_id: renewed(link.source_id),
        sink_id: renewed(link.sink_id),
        source_name: cleaned(link.source_name),
        sink_name: cleaned(link.sink_name),
        is_static: link.is_static,
    });
    Ok(Graph {
        id,
        version: draft.version,
        is_active: draft.is_active,
        name: cleaned(draft.name),
        description: cleaned(draft.description),
        instructions: draft.instructions.map(cleaned),
        recommended_schedule_cron: draft.recommended_schedule_cron.map(cleaned),
        forked_from_id: draft.forked_from_id.map(cleaned),
        forked_from_version: draft.forked_from_version,
        links: distinct(links),
        nodes,
    })
}

/// The links without those that join the same pins as an earlier one (`engine.md` 1, "Link"): they would deliver twice.
fn distinct(links: impl Iterator<Item = Link>) -> Vec<Link> {
    let mut seen = HashSet::new();
    let ends =
        |link: &Link| (link.source_id.clone(), link.source_name.clone(), link.sink_id.clone(), link.sink_name.clone());
    links.filter(|link| seen.insert(ends(link))).collect()
}

fn cleaned(mut text: String) -> String {
    python::clean_text(&mut text);
    text
}

/// A value that a picker filled in carries somebody's credential; it must be picked anew.
fn clean_constants(constants: &mut Object) {
    python::clean_object(constants);
    for value in constants.values_mut() {
        if value.get("_credentials_id").is_some() {
            *value = Value::Null;
        }
    }
}

fn point_agent(constants: &mut Object, owner: UserId, ids: &HashMap<String, GraphId>) {
    constants.insert("user_id".to_owned(), owner.to_string().into());
    constants.entry("inputs").or_insert_with(|| Value::Object(Object::new()));
    if let Some(id) = constants.get("graph_id").and_then(Value::as_str).and_then(|id| ids.get(id)) {
        constants.insert("graph_id".to_owned(), id.to_string().into());
    }
}

/// A credential that cannot be used is forgotten where it is optional and a refusal elsewhere.
fn settle_credentials(
    node: &mut Node,
    catalogue: &dyn Catalogue,
    usable: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let node_optional = node.credentials_optional();
    for (pin, value) in node.input_default.iter_mut().filter(|(pin, _)| is_credentials_pin(pin)) {
        let Some(id) = value.get("id").and_then(Value::as_str) else { continue };
        if usable(id) {
            continue;
        }
        let Some(block) = catalogue.block(&node.block_id) else { continue };
        let has_default = || block.input_pins().get(pin).is_some_and(|schema| schema.get("default").is_some());
        if node_optional || has_default() {
            *value = Value::Object(Object::new());
            continue;
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let title = text("title").map(|title| format!("\"{title}\" ")).unwrap_or_default();
        return Err(Refusal(format!(
            "The {title}{} credential used by the {} node no longer exists. Please pick a different credential and try \
             again.",
            text("provider").unwrap_or("unknown"),
            block.name
        )));
    }
    Ok(())
}
