//! A graph version, compiled once: dense indexes instead of ids, pins with their types, links by source.
//!
//! A plan never changes and is shared by all runs of its graph version. Whether the graph may be run at all is
//! decided elsewhere (`heddle_model::rules`); what cannot be compiled is left out here, so that any stored graph can
//! still be looked at.

use crate::tool::{self, Tool};
use heddle_model::coerce::Target;
use heddle_model::{
    BlockFacts, Catalogue, Graph, GraphId, Node, NodeId, Object, UiType, Value, block, conversation, pins,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A compiled graph.
#[derive(Debug)]
pub struct Plan {
    /// The graph.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// In the graph's order.
    pub nodes: Vec<PlanNode>,
    /// Nodes that begin by themselves, in the graph's order.
    pub starting: Vec<u32>,
}

/// One node, ready to receive values.
#[derive(Debug)]
pub struct PlanNode {
    /// Id within the graph.
    pub id: NodeId,
    /// The block it runs; `None` when the catalogue no longer has it.
    pub block: Option<Arc<BlockFacts>>,
    /// The block's id as stored.
    pub block_id: heddle_model::BlockId,
    /// Who carries it out.
    pub kind: Kind,
    /// Constants that deliveries are laid over.
    pub defaults: Object,
    /// Distinct sink names of its inbound links, as written.
    pub pins: Vec<Pin>,
    /// Input pins whose values are coerced, with their types.
    pub targets: Vec<(String, Target)>,
    /// Those of them that may have to be coerced when only the pins differ from the defaults.
    pub fed_targets: Vec<(String, Target)>,
    /// Names of defaults and pins that are keyed, which is what merging has to do.
    pub keyed: Vec<String>,
    /// Its outbound links in the graph's order.
    pub out: Vec<OutLink>,
    /// Nodes that it may have run as tools; only a deciding node has any.
    pub tools: Arc<[Tool]>,
}

/// An input pin that is fed by links.
#[derive(Debug)]
pub struct Pin {
    /// The sink name as written.
    pub name: String,
    /// Whether some static link feeds it.
    pub is_static: bool,
    /// An execution may run without a value for it.
    pub is_optional: bool,
}

/// A link seen from its source.
#[derive(Debug)]
pub struct OutLink {
    /// The source name as written.
    pub source: String,
    /// Index of the node it leads to.
    pub sink: u32,
    /// Index of the pin there.
    pub pin: u16,
    /// The value stays after it was read.
    pub is_static: bool,
}

/// Who carries a node out.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A block of the registry.
    Block,
    /// Another agent, as a child run.
    Agent {
        /// The agent's graph.
        graph: Option<GraphId>,
        /// Its version.
        version: i64,
    },
    /// Waits, then emits.
    Timer,
    /// Asks a person.
    Review,
    /// Is never run.
    Note,
}

impl Plan {
    /// Compiles a graph. Links to nodes that do not exist are left out.
    pub fn new(graph: &Graph, catalogue: &dyn Catalogue) -> Self {
        let mut nodes: Vec<PlanNode> = graph.nodes.iter().map(|node| plan_node(node, catalogue)).collect();
        let index: HashMap<&NodeId, u32> = graph.nodes.iter().zip(0u32..).map(|(node, i)| (&node.id, i)).collect();
        for link in &graph.links {
            let (Some(&source), Some(&sink)) = (index.get(&link.source_id), index.get(&link.sink_id)) else { continue };
            let pin = nodes[sink as usize].pin(&link.sink_name, link.is_static);
            let out = OutLink { source: link.source_name.clone(), sink, pin, is_static: link.is_static };
            nodes[source as usize].out.push(out);
        }
        nodes.iter_mut().for_each(PlanNode::find_fed_targets);
        for index in (0..nodes.len()).filter(|index| nodes[*index].decides()).collect::<Vec<_>>() {
            nodes[index].tools = tool::linked(&nodes[index], graph, &nodes).into();
        }
        let starting = (0u32..).zip(&nodes).filter(|(_, node)| node.starts()).map(|(i, _)| i).collect();
        Self { graph: graph.id, version: graph.version, nodes, starting }
    }

    /// The agents that deciding nodes may have run as tools, each once.
    pub fn agent_tools(&self) -> BTreeSet<(GraphId, i64)> {
        let tools = self.nodes.iter().flat_map(|node| node.tools.iter());
        tools.filter_map(|tool| tool.agent.as_ref()?.graph).collect()
    }

    /// Takes over from an agent's graph what it is called and what it is for. Before the plan is shared.
    pub fn introduce(&mut self, agent: &Graph) {
        let tools = self.nodes.iter_mut().filter_map(|node| Arc::get_mut(&mut node.tools)).flatten();
        let same = tools.filter_map(|tool| tool.agent.as_mut());
        for known in same.filter(|known| known.graph == Some((agent.id, agent.version))) {
            known.name.clone_from(&agent.name);
            known.description.clone_from(&agent.description);
        }
    }

    /// The node of an index.
    pub fn node(&self, index: u32) -> &PlanNode {
        &self.nodes[index as usize]
    }
}

impl PlanNode {
    /// Whether values that reach it are outputs of the run.
    pub fn is_output(&self) -> bool {
        self.block.as_ref().is_some_and(|block| block.ui_type == UiType::Output)
    }

    /// Whether it takes a run input by its name.
    pub fn is_input(&self) -> bool {
        self.block.as_ref().is_some_and(|block| block.is_input())
    }

    /// The block's name, for texts.
    pub fn block_name(&self) -> &str {
        self.block.as_ref().map_or("unknown block", |block| &block.name)
    }

    /// Whether it lets a model choose among tools.
    pub fn decides(&self) -> bool {
        self.block_id.as_str() == block::SMART_DECISION_MAKER
    }

    /// Section 5.5: nodes without inbound links, and all inputs; notes never.
    fn starts(&self) -> bool {
        (self.pins.is_empty() || self.is_input()) && self.kind != Kind::Note
    }

    /// A default that fits and that nothing is merged into need not be looked at again.
    fn find_fed_targets(&mut self) {
        let names = || self.defaults.keys().chain(self.pins.iter().map(|pin| &pin.name));
        let is_fed = |pin: &str| {
            self.pins.iter().any(|fed| fed.name == pin) || names().any(|name| name != pin && pins::base(name) == pin)
        };
        let may_change = |(pin, target): &&(String, Target)| {
            let fits = self.defaults.get(pin).is_none_or(|value| value.is_null() || target.accepts(value));
            !fits || is_fed(pin)
        };
        self.fed_targets = self.targets.iter().filter(may_change).cloned().collect();
    }

    fn pin(&mut self, name: &str, is_static: bool) -> u16 {
        if let Some(found) = self.pins.iter().position(|pin| pin.name == name) {
            self.pins[found].is_static |= is_static;
            return found as u16;
        }
        if pins::is_keyed(name) && !self.keyed.iter().any(|keyed| keyed == name) {
            self.keyed.push(name.to_owned());
        }
        let is_optional = self.decides() && conversation::PINS.contains(&name);
        self.pins.push(Pin { name: name.to_owned(), is_static, is_optional });
        (self.pins.len() - 1) as u16
    }
}

fn plan_node(node: &Node, catalogue: &dyn Catalogue) -> PlanNode {
    let block = catalogue.block(&node.block_id);
    let kind = kind_of(node, block.as_deref());
    let defaults = match &kind {
        Kind::Agent { .. } => node.input_default.get("inputs").and_then(Value::as_object).cloned().unwrap_or_default(),
        _ => node.input_default.clone(),
    };
    let targets = match (&kind, &block) {
        (Kind::Agent { .. }, _) | (_, None) => Vec::new(),
        (_, Some(block)) => targets(block),
    };
    let keyed = defaults.keys().filter(|name| pins::is_keyed(name)).cloned().collect();
    PlanNode {
        id: node.id.clone(),
        block,
        block_id: node.block_id.clone(),
        kind,
        defaults,
        pins: Vec::new(),
        targets,
        fed_targets: Vec::new(),
        keyed,
        out: Vec::new(),
        tools: Arc::default(),
    }
}

fn kind_of(node: &Node, block: Option<&BlockFacts>) -> Kind {
    match node.block_id.as_str() {
        block::AGENT_EXECUTOR => Kind::Agent {
            graph: node.input_default.get("graph_id").and_then(Value::as_str).and_then(GraphId::parse),
            version: node.input_default.get("graph_version").and_then(Value::as_i64).unwrap_or(1),
        },
        block::COUNTDOWN_TIMER => Kind::Timer,
        block::HUMAN_IN_THE_LOOP => Kind::Review,
        _ if block.is_some_and(|block| block.ui_type == UiType::Note) => Kind::Note,
        _ => Kind::Block,
    }
}

fn targets(block: &BlockFacts) -> Vec<(String, Target)> {
    let schema = block.checked_input();
    let typed = block::properties(&schema).iter().map(|(name, schema)| (name.clone(), Target::of_schema(schema)));
    typed.filter(|(_, target)| !matches!(target, Target::Any)).collect()
}
