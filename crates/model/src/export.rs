//! A graph as an agent file: everything another server needs, nothing that is the owner's secret.

use crate::block::{AGENT_EXECUTOR, is_credentials_pin};
use crate::{Catalogue, Graph, Link, Node, Object, Value, computed, pins};
use serde_json::json;

/// Words that mark a pin as secret when there is no schema to ask.
const SECRET_WORDS: [&str; 5] = ["credentials", "api_key", "password", "token", "secret"];

/// What headers are called that carry one.
const HEADER_WORDS: [&str; 4] = ["authorization", "api-key", "apikey", "cookie"];

/// The agent file of a graph and its sub-graphs (`engine.md` 1, "Export").
pub fn export(main: &Graph, subs: &[Graph], catalogue: &dyn Catalogue) -> Value {
    let mut file = graph(main, catalogue, true);
    let subs_out: Vec<Value> = subs
        .iter()
        .map(|sub| {
            let mut members = graph(sub, catalogue, false);
            members.extend(computed::members(&sub.nodes, catalogue));
            Value::Object(members)
        })
        .collect();
    file.insert("sub_graphs".to_owned(), subs_out.into());
    file.insert("user_id".to_owned(), "".into());
    file.insert("organization_id".to_owned(), Value::Null);
    file.insert("team_id".to_owned(), Value::Null);
    file.extend(computed::members(&main.nodes, catalogue));
    let all: Vec<&Graph> = std::iter::once(main).chain(subs).collect();
    file.insert("credentials_input_schema".to_owned(), computed::credentials_input_schema(&all, catalogue));
    Value::Object(file)
}

/// The copy of a graph that others may run: what an agent file of it has, and of nested values also nothing that is named
/// like a secret, because whoever runs it is not who wrote it down there.
pub fn published(graph: &Graph, catalogue: &dyn Catalogue) -> Graph {
    let node = |node: &Node| {
        let mut constants = public_constants(node, catalogue);
        if constants.get("secret").is_some_and(|flag| flag == true) {
            // An input that is marked as secret has a default that is.
            constants.remove("value");
        }
        constants.values_mut().for_each(drop_secrets);
        Node { input_default: constants, input_links: Vec::new(), output_links: Vec::new(), ..node.clone() }
    };
    Graph { nodes: graph.nodes.iter().map(node).collect(), ..graph.clone() }
}

/// Drops members with texts whose names say that they are secret, however deep.
fn drop_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| {
                let name = name.to_lowercase();
                let is_named = SECRET_WORDS.iter().chain(&HEADER_WORDS).any(|word| name.contains(word));
                !(is_named && (value.is_string() || name.contains("credentials")))
            });
            members.values_mut().for_each(drop_secrets);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_secrets),
        _ => {}
    }
}

fn graph(graph: &Graph, catalogue: &dyn Catalogue, is_main: bool) -> Object {
    let nodes = graph.nodes.iter().map(|one| {
        let mut members = node(one, &graph.links, catalogue);
        if is_main {
            members.insert("graph_id".to_owned(), graph.id.to_string().into());
            members.insert("graph_version".to_owned(), graph.version.into());
            members.insert("webhook_id".to_owned(), Value::Null);
            members.insert("webhook".to_owned(), Value::Null);
        }
        Value::Object(members)
    });
    Object::from_iter([
        ("id".to_owned(), graph.id.to_string().into()),
        ("version".to_owned(), graph.version.into()),
        ("is_active".to_owned(), graph.is_active.into()),
        ("name".to_owned(), graph.name.as_str().into()),
        ("description".to_owned(), graph.description.as_str().into()),
        ("instructions".to_owned(), json!(graph.instructions)),
        ("recommended_schedule_cron".to_owned(), json!(graph.recommended_schedule_cron)),
        ("nodes".to_owned(), nodes.collect::<Vec<_>>().into()),
        ("links".to_owned(), graph.links.iter().map(link).collect::<Vec<_>>().into()),
        ("forked_from_id".to_owned(), json!(graph.forked_from_id)),
        ("forked_from_version".to_owned(), json!(graph.forked_from_version)),
    ])
}

fn node(node: &Node, links: &[Link], catalogue: &dyn Catalogue) -> Object {
    let touching = |end: fn(&Link) -> &crate::NodeId| {
        links.iter().filter(|link| *end(link) == node.id).map(self::link).collect::<Vec<_>>()
    };
    Object::from_iter([
        ("id".to_owned(), node.id.as_str().into()),
        ("block_id".to_owned(), node.block_id.as_str().into()),
        ("input_default".to_owned(), public_constants(node, catalogue).into()),
        ("metadata".to_owned(), node.metadata.clone().into()),
        ("input_links".to_owned(), touching(|link| &link.sink_id).into()),
        ("output_links".to_owned(), touching(|link| &link.source_id).into()),
    ])
}

fn link(link: &Link) -> Value {
    json!({
        "id": link.id,
        "source_id": link.source_id,
        "sink_id": link.sink_id,
        "source_name": link.source_name,
        "sink_name": link.sink_name,
        "is_static": link.is_static,
    })
}

fn public_constants(node: &Node, catalogue: &dyn Catalogue) -> Object {
    let block = catalogue.block(&node.block_id);
    let is_secret = |name: &str, value: &Value| match &block {
        Some(block) => block.input_pins().get(name).is_some_and(|schema| schema["secret"] == true),
        None => !value.is_boolean() && SECRET_WORDS.iter().any(|word| name.to_lowercase().contains(word)),
    };
    let is_agent = node.block_id.as_str() == AGENT_EXECUTOR;
    let constants = node.input_default.iter();
    constants
        .filter(|(name, value)| {
            let name = pins::base(name);
            !is_credentials_pin(name) && !is_secret(name, value)
        })
        .map(|(name, value)| match name.as_str() {
            "user_id" if is_agent => (name.clone(), "".into()),
            _ => (name.clone(), value.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests;
