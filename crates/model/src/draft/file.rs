//! Reading exported agent files, of today and of older releases.
//!
//! Lenient where files differ (members of other releases, missing ids, versions, metadata), strict about what a graph
//! cannot be without. An id that is missing is made up from the position; saving replaces it anyway.

use super::Draft;
use crate::{BlockId, Link, LinkId, Node, NodeId, Object, Value};
use std::collections::HashSet;

impl Draft {
    /// The agents of a file: one object, or a list of them. The error says what is missing where.
    pub fn from_file(file: Value) -> Result<Vec<Self>, String> {
        match file {
            Value::Array(agents) => agents.into_iter().map(agent).collect(),
            one => Ok(vec![agent(one)?]),
        }
    }
}

fn agent(value: Value) -> Result<Draft, String> {
    let mut members = object(value, "an agent")?;
    let subs = list(&mut members, "sub_graphs", "the agent")?;
    let mut draft = graph(members)?;
    for (at, sub) in subs.into_iter().enumerate() {
        let sub = object(sub, "a sub-graph").and_then(graph).map_err(|why| format!("sub-graph {at}: {why}"))?;
        draft.sub_graphs.push(sub);
    }
    Ok(draft)
}

fn graph(mut members: Object) -> Result<Draft, String> {
    let nodes = list(&mut members, "nodes", "the graph")?;
    let links = list(&mut members, "links", "the graph")?;
    Ok(Draft {
        id: text(&mut members, "id").unwrap_or_default(),
        version: members.get("version").and_then(Value::as_i64).unwrap_or(1),
        is_active: members.get("is_active").and_then(Value::as_bool).unwrap_or(true),
        name: text(&mut members, "name").ok_or("the graph has no name")?,
        description: text(&mut members, "description").unwrap_or_default(),
        instructions: text(&mut members, "instructions"),
        recommended_schedule_cron: text(&mut members, "recommended_schedule_cron"),
        forked_from_id: text(&mut members, "forked_from_id"),
        forked_from_version: members.get("forked_from_version").and_then(Value::as_i64),
        nodes: read_nodes(nodes)?,
        links: links
            .into_iter()
            .enumerate()
            .map(|(at, value)| link(value).map_err(|why| format!("link {at}: {why}")))
            .collect::<Result<_, _>>()?,
        sub_graphs: Vec::new(),
    })
}

fn read_nodes(values: Vec<Value>) -> Result<Vec<Node>, String> {
    let nodes =
        values.into_iter().enumerate().map(|(at, value)| node(value).map_err(|why| format!("node {at}: {why}")));
    let mut nodes: Vec<Node> = nodes.collect::<Result<_, _>>()?;
    let mut taken: HashSet<String> = nodes.iter().map(|node| node.id.0.clone()).collect();
    for (at, node) in nodes.iter_mut().enumerate().filter(|(_, node)| node.id.0.is_empty()) {
        let mut id = format!("node-{at}");
        while !taken.insert(id.clone()) {
            id.push('_');
        }
        node.id = NodeId(id);
    }
    Ok(nodes)
}

fn node(value: Value) -> Result<Node, String> {
    let mut members = object(value, "a node")?;
    // Copies of the graph's links: what cannot be read in them is no loss.
    let mut copies = |key| match members.remove(key) {
        Some(Value::Array(links)) => links.into_iter().filter_map(|value| link(value).ok()).collect(),
        _ => Vec::new(),
    };
    let (input_links, output_links) = (copies("input_links"), copies("output_links"));
    Ok(Node {
        id: NodeId(text(&mut members, "id").unwrap_or_default()),
        block_id: BlockId(text(&mut members, "block_id").ok_or("it has no block_id")?),
        input_default: map(&mut members, "input_default")?,
        metadata: map(&mut members, "metadata")?,
        input_links,
        output_links,
    })
}

fn link(value: Value) -> Result<Link, String> {
    let mut members = object(value, "a link")?;
    let is_static = members.get("is_static").and_then(Value::as_bool).unwrap_or(false);
    let id = LinkId(text(&mut members, "id").unwrap_or_default());
    let mut end = |key: &str| text(&mut members, key).ok_or_else(|| format!("it has no {key}"));
    Ok(Link {
        id,
        source_id: NodeId(end("source_id")?),
        sink_id: NodeId(end("sink_id")?),
        source_name: end("source_name")?,
        sink_name: end("sink_name")?,
        is_static,
    })
}

fn object(value: Value, what: &str) -> Result<Object, String> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(format!("{what} is not a JSON object")),
    }
}

fn text(members: &mut Object, key: &str) -> Option<String> {
    match members.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn list(members: &mut Object, key: &str, of: &str) -> Result<Vec<Value>, String> {
    match members.get_mut(key).map(Value::take) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("{key} of {of} is not a list")),
    }
}

fn map(members: &mut Object, key: &str) -> Result<Object, String> {
    match members.get_mut(key).map(Value::take) {
        None | Some(Value::Null) => Ok(Object::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(format!("{key} is not a JSON object")),
    }
}
