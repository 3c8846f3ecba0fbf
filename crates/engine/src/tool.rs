//! Nodes that a deciding node may have run as tools (`engine.md` 13).

use crate::plan::{Kind, PlanNode};
use heddle_model::{BlockFacts, Graph, GraphId, NodeId, Object, Value, pins};
use std::sync::Arc;

/// A node that is linked from a deciding node's `tools` pin.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its index in the plan.
    pub node: u32,
    /// Its id in the graph.
    pub id: NodeId,
    /// What its user calls it.
    pub name: Option<String>,
    /// Its block; `None` when the catalogue no longer has it.
    pub block: Option<Arc<BlockFacts>>,
    /// Set when it runs another agent.
    pub agent: Option<Agent>,
    /// The sink names that the links feed, in their order.
    pub pins: Vec<String>,
    /// Its constants.
    pub preset: Object,
}

/// What is known of the agent that an agent node runs: what its graph says, else what the node does.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// Its graph and version.
    pub graph: Option<(GraphId, i64)>,
    /// The agent's name.
    pub name: String,
    /// What it is for, in its author's words.
    pub description: String,
    /// JSON Schema of its inputs.
    pub input_schema: Value,
}

/// The tools of a node in the order of its links.
pub(crate) fn linked(source: &PlanNode, graph: &Graph, nodes: &[PlanNode]) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    for link in source.out.iter().filter(|link| pins::is_tool(&link.source)) {
        let pin = nodes[link.sink as usize].pins[usize::from(link.pin)].name.clone();
        match tools.iter_mut().find(|tool| tool.node == link.sink) {
            Some(tool) if tool.pins.contains(&pin) => {}
            Some(tool) => tool.pins.push(pin),
            None => tools.push(Tool { pins: vec![pin], ..tool(link.sink, graph, nodes) }),
        }
    }
    tools
}

fn tool(index: u32, graph: &Graph, nodes: &[PlanNode]) -> Tool {
    let (node, planned) = (&graph.nodes[index as usize], &nodes[index as usize]);
    let text = |object: &Object, key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let agent = |graph: Option<GraphId>, version| Agent {
        graph: graph.map(|graph| (graph, version)),
        name: text(&node.input_default, "agent_name").unwrap_or_default(),
        description: text(&node.input_default, "description").unwrap_or_default(),
        input_schema: node.input_default.get("input_schema").cloned().unwrap_or_default(),
    };
    Tool {
        node: index,
        id: node.id.clone(),
        name: text(&node.metadata, "customized_name").filter(|name| !name.trim().is_empty()),
        block: planned.block.clone(),
        agent: match planned.kind {
            Kind::Agent { graph, version } => Some(agent(graph, version)),
            _ => None,
        },
        pins: Vec::new(),
        preset: planned.defaults.clone(),
    }
}
