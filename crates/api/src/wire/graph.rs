//! Graphs as they are sent and as they are handed back.

use heddle_model::{BlockId, UserId};
use heddle_model::{Graph, GraphId, Link, LinkId, Node, NodeId, Object, Value};
use heddle_platform::graphs::Computed;
use heddle_platform::{Graphs, SavedGraph};
use serde::Serialize;
use utoipa::ToSchema;

/// A connection from an output pin to an input pin.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub struct LinkBody<'a> {
    #[schema(value_type = String, required = false)]
    id: &'a LinkId,
    #[schema(value_type = String)]
    source_id: &'a NodeId,
    #[schema(value_type = String)]
    sink_id: &'a NodeId,
    source_name: &'a str,
    sink_name: &'a str,
    /// The value stays after it was read.
    #[schema(required = false, default = false)]
    is_static: bool,
}

impl<'a> From<&'a Link> for LinkBody<'a> {
    fn from(link: &'a Link) -> Self {
        Self {
            id: &link.id,
            source_id: &link.source_id,
            sink_id: &link.sink_id,
            source_name: &link.source_name,
            sink_name: &link.sink_name,
            is_static: link.is_static,
        }
    }
}

/// A block placed in a graph.
#[derive(Serialize, ToSchema)]
#[schema(as = Node)]
pub struct NodeBody<'a> {
    #[schema(value_type = String, required = false)]
    id: &'a NodeId,
    #[schema(value_type = String)]
    block_id: &'a BlockId,
    /// Pin → constant.
    #[schema(value_type = Object, required = false)]
    input_default: &'a Object,
    /// Whatever an editor keeps here.
    #[schema(value_type = Object, required = false)]
    metadata: &'a Object,
    #[schema(required = false)]
    input_links: Vec<LinkBody<'a>>,
    #[schema(required = false)]
    output_links: Vec<LinkBody<'a>>,
}

impl<'a> From<&'a Node> for NodeBody<'a> {
    fn from(node: &'a Node) -> Self {
        Self {
            id: &node.id,
            block_id: &node.block_id,
            input_default: &node.input_default,
            metadata: &node.metadata,
            input_links: node.input_links.iter().map(Into::into).collect(),
            output_links: node.output_links.iter().map(Into::into).collect(),
        }
    }
}

/// A node of a saved graph.
#[derive(Serialize, ToSchema)]
struct NodeModel<'a> {
    #[schema(value_type = String, required = false)]
    id: &'a NodeId,
    #[schema(value_type = String)]
    block_id: &'a BlockId,
    #[schema(value_type = Object, required = false)]
    input_default: &'a Object,
    #[schema(value_type = Object, required = false)]
    metadata: &'a Object,
    #[schema(required = false)]
    input_links: Vec<LinkBody<'a>>,
    #[schema(required = false)]
    output_links: Vec<LinkBody<'a>>,
    #[schema(value_type = String)]
    graph_id: GraphId,
    graph_version: i64,
    webhook_id: Option<String>,
    #[schema(value_type = Option<Object>)]
    webhook: Option<Object>,
}

impl<'a> NodeModel<'a> {
    fn of(node: &'a Node, graph: &Graph) -> Self {
        let NodeBody { id, block_id, input_default, metadata, input_links, output_links } = node.into();
        Self {
            id,
            block_id,
            input_default,
            metadata,
            input_links,
            output_links,
            graph_id: graph.id,
            graph_version: graph.version,
            webhook_id: None,
            webhook: None,
        }
    }
}

/// A sub-graph as submitted.
#[derive(ToSchema)]
#[schema(as = BaseGraphInput)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct SubGraphBody<'a> {
    #[schema(required = false)]
    id: String,
    #[schema(required = false, default = 1)]
    version: i64,
    #[schema(required = false, default = true)]
    is_active: bool,
    name: String,
    description: String,
    instructions: Option<String>,
    recommended_schedule_cron: Option<String>,
    forked_from_id: Option<String>,
    forked_from_version: Option<i64>,
    #[schema(required = false)]
    nodes: Vec<NodeBody<'a>>,
    #[schema(required = false)]
    links: Vec<LinkBody<'a>>,
}

/// A graph as submitted: an agent file, whose further members are ignored.
#[derive(ToSchema)]
#[schema(as = Graph)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct GraphBody<'a> {
    /// Replaced when it is saved; agent nodes of the same payload may refer to it.
    #[schema(required = false)]
    id: String,
    #[schema(required = false, default = 1)]
    version: i64,
    #[schema(required = false, default = true)]
    is_active: bool,
    name: String,
    description: String,
    instructions: Option<String>,
    recommended_schedule_cron: Option<String>,
    forked_from_id: Option<String>,
    forked_from_version: Option<i64>,
    #[schema(required = false)]
    nodes: Vec<NodeBody<'a>>,
    #[schema(required = false)]
    links: Vec<LinkBody<'a>>,
    /// The agents that agent nodes call.
    #[schema(required = false)]
    sub_graphs: Vec<SubGraphBody<'a>>,
}

/// Inputs of a run.
#[derive(ToSchema)]
#[schema(as = Body_execute_graph_graphs__graph_id__execute__graph_version__post)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct StartBody {
    /// Graph input name → value.
    #[schema(value_type = Object, required = false)]
    node_input: Object,
    /// Field of the graph's `credentials_input_schema` → `id`, `provider` and `type` of a credential. A field may also stand
    /// in `node_input`.
    #[schema(value_type = Option<Object>)]
    credentials_inputs: Option<Object>,
    /// Told of the run's end by one signed POST of the waiting answer's body, repeated for 24 h until it is heard. https,
    /// or a place that the operator allowed.
    #[schema(format = "uri")]
    callback_url: Option<String>,
}

/// What a trigger needs to be set up.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct GraphTriggerInfo {
    provider: String,
    #[schema(value_type = Object)]
    config_schema: Object,
    #[schema(required = true)]
    credentials_input_name: Option<String>,
}

/// A stored sub-graph.
#[derive(Serialize, ToSchema)]
#[schema(as = BaseGraphOutput)]
pub struct SubGraph<'a> {
    #[schema(value_type = String, required = false)]
    id: GraphId,
    #[schema(required = false, default = 1)]
    version: i64,
    #[schema(required = false, default = true)]
    is_active: bool,
    name: &'a str,
    description: &'a str,
    instructions: Option<&'a str>,
    recommended_schedule_cron: Option<&'a str>,
    forked_from_id: Option<&'a str>,
    forked_from_version: Option<i64>,
    #[schema(required = false)]
    nodes: Vec<NodeBody<'a>>,
    #[schema(required = false)]
    links: Vec<LinkBody<'a>>,
    #[schema(value_type = Object, read_only)]
    input_schema: Value,
    #[schema(value_type = Object, read_only)]
    output_schema: Value,
    #[schema(read_only)]
    has_external_trigger: bool,
    #[schema(read_only)]
    has_human_in_the_loop: bool,
    #[schema(read_only)]
    has_sensitive_action: bool,
    #[schema(value_type = Option<GraphTriggerInfo>, required = true)]
    trigger_setup_info: Value,
}

impl<'a> SubGraph<'a> {
    fn of(graph: &'a Graph, graphs: &Graphs) -> Self {
        let Computed {
            input_schema,
            output_schema,
            has_external_trigger,
            has_human_in_the_loop,
            has_sensitive_action,
            trigger_setup_info,
        } = graphs.computed(graph);
        Self {
            id: graph.id,
            version: graph.version,
            is_active: graph.is_active,
            name: &graph.name,
            description: &graph.description,
            instructions: graph.instructions.as_deref(),
            recommended_schedule_cron: graph.recommended_schedule_cron.as_deref(),
            forked_from_id: graph.forked_from_id.as_deref(),
            forked_from_version: graph.forked_from_version,
            nodes: graph.nodes.iter().map(Into::into).collect(),
            links: graph.links.iter().map(Into::into).collect(),
            input_schema,
            output_schema,
            has_external_trigger,
            has_human_in_the_loop,
            has_sensitive_action,
            trigger_setup_info,
        }
    }
}

/// A stored graph with what is computed from it.
#[derive(Serialize, ToSchema)]
pub struct GraphModel<'a> {
    #[schema(value_type = String, required = false)]
    id: GraphId,
    #[schema(required = false, default = 1)]
    version: i64,
    #[schema(required = false, default = true)]
    is_active: bool,
    name: &'a str,
    description: &'a str,
    instructions: Option<&'a str>,
    recommended_schedule_cron: Option<&'a str>,
    forked_from_id: Option<&'a str>,
    forked_from_version: Option<i64>,
    #[schema(value_type = String)]
    user_id: UserId,
    #[schema(format = DateTime)]
    created_at: String,
    organization_id: Option<String>,
    team_id: Option<String>,
    #[schema(required = false)]
    nodes: Vec<NodeModel<'a>>,
    #[schema(required = false)]
    links: Vec<LinkBody<'a>>,
    #[schema(required = false)]
    sub_graphs: Vec<SubGraph<'a>>,
    #[schema(value_type = Object, read_only)]
    input_schema: Value,
    #[schema(value_type = Object, read_only)]
    output_schema: Value,
    #[schema(read_only)]
    has_external_trigger: bool,
    #[schema(read_only)]
    has_human_in_the_loop: bool,
    #[schema(read_only)]
    has_sensitive_action: bool,
    #[schema(value_type = Option<GraphTriggerInfo>, required = true)]
    trigger_setup_info: Value,
    #[schema(value_type = Object, read_only)]
    credentials_input_schema: Value,
}

impl<'a> GraphModel<'a> {
    /// A graph as saved.
    ///
    /// Graphs belong to an account here, not to an organization of its choosing, so `organization_id` is null like
    /// `team_id`.
    pub fn of(saved: &'a SavedGraph, graphs: &Graphs) -> Self {
        let graph = &saved.graph;
        let as_sub_graph = SubGraph::of(graph, graphs);
        Self {
            id: graph.id,
            version: graph.version,
            is_active: graph.is_active,
            name: &graph.name,
            description: &graph.description,
            instructions: as_sub_graph.instructions,
            recommended_schedule_cron: as_sub_graph.recommended_schedule_cron,
            forked_from_id: as_sub_graph.forked_from_id,
            forked_from_version: as_sub_graph.forked_from_version,
            user_id: saved.owner,
            created_at: saved.created_at.rfc3339(),
            organization_id: None,
            team_id: None,
            nodes: graph.nodes.iter().map(|node| NodeModel::of(node, graph)).collect(),
            links: as_sub_graph.links,
            sub_graphs: saved.sub_graphs.iter().map(|graph| SubGraph::of(graph, graphs)).collect(),
            input_schema: as_sub_graph.input_schema,
            output_schema: as_sub_graph.output_schema,
            has_external_trigger: as_sub_graph.has_external_trigger,
            has_human_in_the_loop: as_sub_graph.has_human_in_the_loop,
            has_sensitive_action: as_sub_graph.has_sensitive_action,
            trigger_setup_info: as_sub_graph.trigger_setup_info,
            credentials_input_schema: graphs.credentials_input_schema(saved),
        }
    }
}
