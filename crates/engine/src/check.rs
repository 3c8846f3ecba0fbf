//! Whether a node execution has all it needs (`engine.md` 6, "Check").

use crate::plan::{Kind, PlanNode};
use heddle_model::{Object, coerce, conversation, pins};

/// The answer for one execution.
#[derive(Debug)]
pub enum Check {
    /// It may run with this data.
    Ready(Object),
    /// Something is missing or does not fit; the text says what.
    NotReady(String),
    /// What has arrived can never be used; the execution fails with this text.
    Broken(String),
}

/// Lays `data` over the node's defaults and the mask over both, merges keyed pins, coerces, and checks the schema.
pub fn check(node: &PlanNode, data: Object, mask: Option<&Object>) -> Check {
    said(node, laid_over(node, data, mask).and_then(|data| checked(node, data, Given::Anything)))
}

/// As [`check`], for a tool: a model need not fill every linked pin.
pub fn check_call(node: &PlanNode, arguments: Object, mask: Option<&Object>) -> Check {
    let mut data = node.defaults.clone();
    data.extend(arguments);
    data.extend(mask.into_iter().flatten().map(|(pin, value)| (pin.clone(), value.clone())));
    said(node, checked(node, data, Given::Anything))
}

/// As [`check`], of data that has a value for every pin and was laid over the defaults already.
pub fn check_complete(node: &PlanNode, data: Object) -> Check {
    said(node, checked(node, data, Given::Pins))
}

fn said(node: &PlanNode, result: Result<Object, Problem>) -> Check {
    let named = |text| format!("Input data missing or mismatch for `{}`: {text}", node.block_name());
    match result {
        Ok(data) => Check::Ready(data),
        Err(Problem::NotReady(text)) => Check::NotReady(named(text)),
        Err(Problem::Broken(text)) => Check::Broken(named(text)),
    }
}

/// What may differ from the node's defaults.
#[derive(PartialEq)]
enum Given {
    /// The pins that links feed.
    Pins,
    /// Anything.
    Anything,
}

enum Problem {
    NotReady(String),
    Broken(String),
}

fn laid_over(node: &PlanNode, mut given: Object, mask: Option<&Object>) -> Result<Object, Problem> {
    if let Some(mask) = mask {
        given.extend(mask.iter().map(|(pin, value)| (pin.clone(), value.clone())));
    }
    let needed = node.pins.iter().filter(|pin| !pin.is_optional).map(|pin| pin.name.as_str());
    refuse_if_any("unpopulated links", needed.filter(|name| !given.contains_key(*name)))?;
    let mut data = node.defaults.clone();
    data.extend(given);
    Ok(data)
}

fn checked(node: &PlanNode, mut data: Object, given: Given) -> Result<Object, Problem> {
    if node.decides() {
        may_decide(node, &data).map_err(|text| Problem::NotReady(text.to_owned()))?;
    }
    if !node.keyed.is_empty() {
        let merged =
            if given == Given::Pins { pins::merge_named(&mut data, &node.keyed) } else { pins::merge(&mut data) };
        merged.map_err(Problem::Broken)?;
    }
    for (pin, target) in if given == Given::Pins { &node.fed_targets } else { &node.targets } {
        let Some(value) = data.get_mut(pin) else { continue };
        if !value.is_null() && !target.accepts(value) {
            *value = coerce::convert(value.take(), target).map_err(Problem::Broken)?;
        }
    }
    let Some(block) = node.block.as_deref().filter(|_| matches!(node.kind, Kind::Block | Kind::Timer | Kind::Review))
    else {
        return Ok(data);
    };
    // Null entries count as absent for the schema, but stay in the data. What is missing altogether is said first.
    if let Err(text) = block.compiled_input().check_present(&data) {
        refuse_if_any("missing input", block.required().filter(|name| !data.contains_key(*name)))?;
        return Err(Problem::NotReady(text));
    }
    Ok(data)
}

/// Section 6, "SmartDecisionMaker": a conversation goes on when what it waits for is there.
fn may_decide(node: &PlanNode, data: &Object) -> Result<(), &'static str> {
    let linked = |name: &str| node.pins.iter().find(|pin| pin.name == name);
    let (history, output) = (linked(conversation::HISTORY), linked(conversation::TOOL_OUTPUT));
    if history.is_some() != output.is_some() {
        return Err("Last Tool Output is needed when Conversation History is used, and vice versa: link both or none");
    }
    if output.is_some_and(|pin| pin.is_static) {
        return Err("Last Tool Output must not come from a static output");
    }
    let given = |name: &str| data.get(name).filter(|value| !value.is_null());
    let is_asked = given(conversation::HISTORY).is_some_and(|history| !conversation::pending(history).is_empty());
    match (is_asked, given(conversation::TOOL_OUTPUT).is_some()) {
        (true, false) => Err("the conversation waits for a tool's output"),
        (false, true) => Err("a tool's output waits for the conversation that asked for it"),
        _ => Ok(()),
    }
}

fn refuse_if_any<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if names.is_empty() { Ok(()) } else { Err(Problem::NotReady(format!("{what} {{{}}}", names.join(", ")))) }
}
