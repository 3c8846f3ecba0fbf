//! A graph with its blocks looked up and its links sorted to their sinks, once for all checks.

use crate::{BlockFacts, Catalogue, Graph, Node, Object, Value, pins};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) struct View<'g> {
    pub graph: &'g Graph,
    pub nodes: Vec<NodeView<'g>>,
    index: HashMap<&'g str, usize>,
}

pub(super) struct NodeView<'g> {
    pub node: &'g Node,
    pub block: Option<Arc<BlockFacts>>,
    /// Input pins that some link feeds, without their paths.
    pub linked: Vec<&'g str>,
}

impl<'g> View<'g> {
    pub fn new(graph: &'g Graph, catalogue: &dyn Catalogue) -> Self {
        let nodes = graph.nodes.iter();
        let mut nodes: Vec<_> =
            nodes.map(|node| NodeView { node, block: catalogue.block(&node.block_id), linked: Vec::new() }).collect();
        let index: HashMap<_, _> = graph.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
        for link in &graph.links {
            if let Some(&sink) = index.get(link.sink_id.as_str()) {
                nodes[sink].linked.push(pins::base(&link.sink_name));
            }
        }
        Self { graph, nodes, index }
    }

    pub fn node(&self, id: &str) -> Option<&NodeView<'g>> {
        self.index.get(id).map(|&at| &self.nodes[at])
    }
}

impl NodeView<'_> {
    pub fn is_linked(&self, pin: &str) -> bool {
        self.linked.contains(&pin)
    }

    /// The properties of one of the schemas that an agent node carries.
    pub fn agent_pins(&self, schema: &str) -> &Object {
        crate::block::properties(self.node.input_default.get(schema).unwrap_or(&Value::Null))
    }
}

/// What a mask sets on one node.
pub(super) fn mask_of<'m>(masks: &'m Object, node: &Node) -> Option<&'m Object> {
    masks.get(node.id.as_str()).and_then(Value::as_object)
}
