//! Whether a node execution has all it needs (`engine.md` 6, "Check").

use crate::plan::{Kind, PlanNode};
use heddle_model::{Object, coerce, pins};

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
    let unpopulated = node.pins.iter().map(|pin| pin.name.as_str()).filter(|name| !given.contains_key(*name));
    refuse_if_any("unpopulated links", unpopulated)?;
    let mut data = node.defaults.clone();
    data.extend(given);
    Ok(data)
}

fn checked(node: &PlanNode, mut data: Object, given: Given) -> Result<Object, Problem> {
    if node.keyed {
        pins::merge(&mut data).map_err(Problem::Broken)?;
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

fn refuse_if_any<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if names.is_empty() { Ok(()) } else { Err(Problem::NotReady(format!("{what} {{{}}}", names.join(", ")))) }
}
