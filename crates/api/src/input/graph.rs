//! A graph to be saved, and the version of one to be read.

use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Items, Members, boolean, dictionary, integer, list, nullable, text};
use heddle_model::{BlockId, Draft, Link, LinkId, Node, NodeId, Object};
use serde_json::Value;
use uuid::Uuid;

/// The body of `POST /graphs`.
pub struct NewGraph(pub Draft);

impl Input for NewGraph {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let draft = draft(&body, &at, items);
        let members = Members::of(&body, &at, &mut Items::default())?;
        let sub_graphs = members.or("sub_graphs", Vec::new, items, list(draft_of_sub_graph));
        Some(Self(Draft { sub_graphs: sub_graphs?, ..draft? }))
    }
}

fn draft_of_sub_graph(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Draft> {
    draft(value, at, items)
}

/// A graph without its sub-graphs. Every member is read before the first missing one ends it.
fn draft(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Draft> {
    let members = Members::of(value, at, items)?;
    let id = members.or("id", new_id, items, text);
    let version = members.or("version", || 1, items, integer);
    let is_active = members.or("is_active", || true, items, boolean);
    let name = members.required("name", items, text);
    let description = members.required("description", items, text);
    let instructions = members.or("instructions", || None, items, nullable(text));
    let cron = members.or("recommended_schedule_cron", || None, items, nullable(text));
    let forked_from_id = members.or("forked_from_id", || None, items, nullable(text));
    let forked_from_version = members.or("forked_from_version", || None, items, nullable(integer));
    let nodes = members.or("nodes", Vec::new, items, list(node));
    let links = members.or("links", Vec::new, items, list(link));
    Some(Draft {
        id: id?,
        version: version?,
        is_active: is_active?,
        name: name?,
        description: description?,
        instructions: instructions?,
        recommended_schedule_cron: cron?,
        forked_from_id: forked_from_id?,
        forked_from_version: forked_from_version?,
        nodes: nodes?,
        links: links?,
        sub_graphs: Vec::new(),
    })
}

fn node(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Node> {
    let members = Members::of(value, at, items)?;
    let id = members.or("id", new_id, items, text);
    let block_id = members.required("block_id", items, text);
    let input_default = members.or("input_default", Object::new, items, dictionary);
    let metadata = members.or("metadata", Object::new, items, dictionary);
    let input_links = members.or("input_links", Vec::new, items, list(link));
    let output_links = members.or("output_links", Vec::new, items, list(link));
    Some(Node {
        id: NodeId(filled(id?)),
        block_id: BlockId(block_id?),
        input_default: input_default?,
        metadata: metadata?,
        input_links: input_links?,
        output_links: output_links?,
    })
}

fn link(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Link> {
    let members = Members::of(value, at, items)?;
    let id = members.or("id", new_id, items, text);
    let source_id = members.required("source_id", items, text);
    let sink_id = members.required("sink_id", items, text);
    let source_name = members.required("source_name", items, text);
    let sink_name = members.required("sink_name", items, text);
    let is_static = members.or("is_static", || false, items, boolean);
    Some(Link {
        id: LinkId(filled(id?)),
        source_id: NodeId(source_id?),
        sink_id: NodeId(sink_id?),
        source_name: source_name?,
        sink_name: sink_name?,
        is_static: is_static?,
    })
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn filled(id: String) -> String {
    if id.is_empty() { new_id() } else { id }
}

/// A graph, and its version where one is asked for.
pub struct GraphVersion {
    /// Graph id as it came in.
    pub graph: String,
    /// Its version.
    pub version: Option<i64>,
}

impl Input for GraphVersion {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self { version: request.query_integer("version")?, graph: request.path("graph_id") })
    }
}
