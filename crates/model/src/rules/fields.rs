//! Whether the nodes of a graph have the values they need.

use super::view::{NodeView, View, mask_of};
use crate::block::is_credentials_pin;
use crate::{BlockFacts, NodeId, Object, UiType, Value, block, pins, python};
use indexmap::IndexMap;
use std::cmp::Ordering;

/// Pin → text.
pub(super) type Fields = IndexMap<String, String>;
/// Only nodes with a problem.
pub(super) type Issues = IndexMap<NodeId, Fields>;

pub(super) const REQUIRED: &str = "This field is required";

pub(super) struct Rules<'m> {
    /// Running asks for more than saving.
    pub for_run: bool,
    pub masks: &'m Object,
}

/// The problems by node, in node order. A block that may not be used at all is an error at once.
pub(super) fn check(view: &View<'_>, rules: &Rules<'_>) -> Result<Issues, String> {
    let mut issues = Issues::new();
    for node in &view.nodes {
        let block = usable_block(node, rules.for_run)?;
        let checker = Checker { node, block, mask: mask_of(rules.masks, node.node), for_run: rules.for_run };
        let fields = checker.check();
        if !fields.is_empty() {
            issues.insert(node.node.id.clone(), fields);
        }
    }
    Ok(issues)
}

fn usable_block<'n>(node: &'n NodeView<'_>, for_run: bool) -> Result<&'n BlockFacts, String> {
    let invalid = || format!("Invalid block {} for node #{}", node.node.block_id, node.node.id);
    let block = node.block.as_deref().ok_or_else(invalid)?;
    if block.disabled {
        return Err(format!("Block {} is disabled and cannot be used in graphs", block.id));
    }
    if for_run && !block.served && block.ui_type != UiType::Note {
        return Err(invalid());
    }
    Ok(block)
}

struct Checker<'a> {
    node: &'a NodeView<'a>,
    block: &'a BlockFacts,
    mask: Option<&'a Object>,
    for_run: bool,
}

impl Checker<'_> {
    fn check(&self) -> Fields {
        let mut fields = Fields::new();
        self.required(&mut fields);
        self.reserved_name(&mut fields);
        self.dependencies(&mut fields);
        if self.for_run {
            self.bounds(&mut fields);
        }
        fields
    }

    fn required(&self, fields: &mut Fields) {
        let io = matches!(self.block.ui_type, UiType::Input | UiType::Output);
        if !self.for_run && !io && self.block.ui_type != UiType::Agent {
            return;
        }
        let missing = |pin: &&str| !is_credentials_pin(pin) && !self.is_given(pin);
        let mut missing: Vec<_> = self.block.required().filter(missing).collect();
        // A name that only arrives during a run would be missing from the graph's schemas.
        if io && self.constant("name").is_none_or(Value::is_null) && !missing.contains(&"name") {
            missing.push("name");
        }
        if self.for_run && self.block.ui_type == UiType::Agent {
            let defaults = self.node.node.input_default.get("inputs").and_then(Value::as_object);
            let schema = self.node.node.input_default.get("input_schema").unwrap_or(&Value::Null);
            let has_default = |pin: &str| defaults.is_some_and(|defaults| defaults.contains_key(pin));
            missing.extend(
                block::required(schema)
                    .filter(|pin| !self.node.is_linked(pin) && !has_default(pin) && !self.is_masked(pin)),
            );
        }
        missing.sort_unstable();
        fields.extend(missing.into_iter().map(|pin| (pin.to_owned(), REQUIRED.to_owned())));
    }

    fn is_given(&self, pin: &str) -> bool {
        let constants = &self.node.node.input_default;
        constants.contains_key(pin)
            || self.node.is_linked(pin)
            || self.is_masked(pin)
            || constants.keys().any(|name| pins::base(name) == pin)
    }

    fn is_masked(&self, pin: &str) -> bool {
        self.mask.is_some_and(|mask| mask.contains_key(pin) || mask.keys().any(|name| pins::base(name) == pin))
    }

    fn constant(&self, pin: &str) -> Option<&Value> {
        self.mask.and_then(|mask| mask.get(pin)).or_else(|| self.node.node.input_default.get(pin))
    }

    fn reserved_name(&self, fields: &mut Fields) {
        let name = self.constant("name").and_then(Value::as_str);
        if let Some(name) = name.filter(|name| self.block.ui_type == UiType::Input && is_credentials_pin(name)) {
            let text = format!(
                "{} is a reserved input name: 'credentials' and `*_credentials` are reserved",
                python::repr_str(name)
            );
            fields.entry("name".to_owned()).or_insert(text);
        }
    }

    /// A pin whose meaning depends on another one needs that one to be set.
    fn dependencies(&self, fields: &mut Fields) {
        for (pin, schema) in self.block.input_pins() {
            let discriminator = schema.get("discriminator").and_then(Value::as_str);
            let depends_on = schema.get("depends_on").and_then(Value::as_array).filter(|_| self.for_run);
            if discriminator.is_none() && depends_on.is_none() {
                continue;
            }
            let required = self.is_required(pin);
            if !required && !self.has_value(pin) {
                continue;
            }
            let discriminator = discriminator.filter(|other| required || self.is_required(other));
            let others = depends_on.into_iter().flatten().filter_map(Value::as_str);
            let missing: Vec<_> =
                discriminator.into_iter().chain(others).filter(|other| !self.has_value(other)).collect();
            if !missing.is_empty() {
                let text = format!("Requires {} to be set", missing.join(", "));
                fields.entry(pin.clone()).or_insert(text);
            }
        }
    }

    fn is_required(&self, pin: &str) -> bool {
        self.block.required().any(|name| name == pin)
    }

    fn has_value(&self, pin: &str) -> bool {
        let default = || self.block.input_pins().get(pin).and_then(|schema| schema.get("default"));
        let blank = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        self.constant(pin).is_some_and(|value| !blank(value)) || default().is_some_and(|value| !value.is_null())
    }

    fn bounds(&self, fields: &mut Fields) {
        for (pin, schema) in self.block.input_pins() {
            let Some(value) = self.constant(pin).filter(|_| !self.node.is_linked(pin)) else { continue };
            if let Some(text) = out_of_bounds(schema, value) {
                fields.entry(pin.clone()).or_insert(text);
            }
        }
    }
}

/// What the validator says when a value leaves the bounds of a schema, or of the only member of a union with null.
fn out_of_bounds(schema: &Value, value: &Value) -> Option<String> {
    let members = schema.get("anyOf").and_then(Value::as_array);
    let mut members = members.into_iter().flatten().filter(|member| member["type"] != "null");
    let schema = match (members.next(), members.next()) {
        (Some(member), None) => member,
        _ => schema,
    };
    let shown = || python::repr(value);
    match value {
        Value::Number(_) => {
            let beyond =
                |key, side| schema.get(key).filter(|&limit| python::compare_numbers(value, limit) == Some(side));
            if let Some(limit) = beyond("minimum", Ordering::Less) {
                return Some(format!("{} is less than the minimum of {}", shown(), python::repr(limit)));
            }
            let limit = beyond("maximum", Ordering::Greater)?;
            Some(format!("{} is greater than the maximum of {}", shown(), python::repr(limit)))
        }
        Value::String(text) => size(schema, ["minLength", "maxLength"], text.chars().count()).map(|how| shown() + how),
        Value::Array(items) => size(schema, ["minItems", "maxItems"], items.len()).map(|how| shown() + how),
        _ => None,
    }
}

fn size(schema: &Value, [least, most]: [&str; 2], size: usize) -> Option<&'static str> {
    let limit = |key| schema.get(key).and_then(Value::as_u64);
    match (limit(least), limit(most)) {
        (Some(least), _) if (size as u64) < least => {
            Some(if least == 1 { " should be non-empty" } else { " is too short" })
        }
        (_, Some(most)) if size as u64 > most => {
            Some(if most == 0 { " is expected to be empty" } else { " is too long" })
        }
        _ => None,
    }
}
