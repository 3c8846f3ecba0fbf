//! Whether the links of a graph join nodes and pins that exist.

use super::view::View;
use crate::{Link, UiType, pins, python};

enum Side {
    Source,
    Sink,
}

pub(super) fn check(view: &View<'_>) -> Result<(), String> {
    view.graph.links.iter().try_for_each(|link| {
        check_end(view, link, Side::Source)?;
        check_end(view, link, Side::Sink)
    })
}

fn check_end(view: &View<'_>, link: &Link, side: Side) -> Result<(), String> {
    let (id, name) = match side {
        Side::Source => (link.source_id.as_str(), link.source_name.as_str()),
        Side::Sink => (link.sink_id.as_str(), link.sink_name.as_str()),
    };
    let Some(node) = view.node(id) else {
        let known = names(view.nodes.iter().map(|node| node.node.id.as_str()));
        return Err(format!("{}, {id} is invalid node id, available nodes: dict_keys([{known}])", label(link)));
    };
    let Some(block) = &node.block else {
        return Err(format!("{}, {} is invalid block id", label(link), node.node.block_id));
    };
    if pins::is_tool(name) {
        return Ok(());
    }
    let base = pins::base(name);
    let allowed = match (side, block.ui_type) {
        (Side::Source, UiType::Agent) => node.agent_pins("output_schema"),
        (Side::Sink, UiType::Agent) => node.agent_pins("input_schema"),
        (Side::Source, _) => block.output_pins(),
        (Side::Sink, _) => block.input_pins(),
    };
    if allowed.contains_key(base) {
        return Ok(());
    }
    let allowed = match names(allowed.keys().map(String::as_str)) {
        none if none.is_empty() => "set()".to_owned(),
        some => format!("{{{some}}}"),
    };
    Err(format!("{}, `{base}` invalid, Allowed fields: {allowed}", label(link)))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(python::repr_str).collect::<Vec<_>>().join(", ")
}

fn label(link: &Link) -> String {
    let [source, source_name, sink, sink_name] =
        [link.source_id.as_str(), &link.source_name, link.sink_id.as_str(), &link.sink_name].map(python::repr_str);
    format!("Link ({source}, {source_name}) <-> ({sink}, {sink_name})")
}
