//! Linked nodes as functions that a model may call.

use heddle_engine::tool::{Agent, Tool};
use heddle_model::{BlockFacts, Object, Value, pins, python};
use indexmap::IndexMap;
use serde_json::json;

/// Characters of a function's name.
const LONGEST_NAME: usize = 64;

/// Characters of a preset value that is shown to tell two tools apart.
const LONGEST_PRESET: usize = 100;

/// Presets that are never shown.
const SECRETS: [&str; 9] =
    ["credentials", "api_key", "password", "secret", "token", "auth", "authorization", "access_token", "refresh_token"];

/// One node as a function.
pub(super) struct Definition {
    /// Its index in the plan.
    pub node: u32,
    /// Its id in the graph.
    pub sink: String,
    /// The function's name.
    pub name: String,
    description: String,
    parameters: Value,
    /// Parameter → pin.
    pub fields: IndexMap<String, String>,
    /// Parameters that must be filled.
    pub required: Vec<String>,
}

impl Definition {
    /// As a provider is told.
    pub fn offered(&self) -> heddle_llm::Tool {
        let (name, description) = (self.name.clone(), self.description.clone());
        heddle_llm::Tool { name, description, parameters: self.parameters.clone() }
    }

    /// As it goes out on a pin, with what leads back to the node.
    pub fn listed(&self) -> Value {
        let mapping: Object = self.fields.iter().map(|(field, pin)| (field.clone(), pin.clone().into())).collect();
        json!({"type": "function", "function": {
            "name": self.name, "description": self.description, "parameters": self.parameters,
            "_field_mapping": mapping, "_sink_node_id": self.sink,
        }})
    }
}

/// The functions of these nodes, with names of their own.
pub(super) fn definitions(tools: &[Tool]) -> Vec<Definition> {
    let mut definitions: Vec<Definition> = tools.iter().map(definition).collect();
    let names: Vec<String> = definitions.iter().map(|tool| tool.name.clone()).collect();
    for (at, tool) in definitions.iter_mut().enumerate() {
        let same = |upto: usize| names[..upto].iter().filter(|name| **name == tool.name).count();
        if same(names.len()) < 2 {
            continue;
        }
        let suffix = format!("_{}", same(at) + 1);
        let presets = presets(&tools[at]);
        tool.name = format!("{}{suffix}", shortened(&names[at], LONGEST_NAME - suffix.len()));
        if !presets.is_empty() {
            tool.description = format!("{} [{presets}]", tool.description).trim().to_owned();
        }
    }
    // A suffix may have made a name that somebody else has.
    for at in 1..definitions.len() {
        while definitions[..at].iter().any(|other| other.name == definitions[at].name) {
            let name = format!("{}_{at}", shortened(&definitions[at].name, LONGEST_NAME - 4));
            definitions[at].name = name;
        }
    }
    definitions
}

fn definition(tool: &Tool) -> Definition {
    let own = tool.agent.as_ref().map(|agent| agent.name.as_str()).filter(|name| !name.is_empty());
    let block = tool.block.as_deref();
    let name = tool.name.as_deref().or(own).or(block.map(|block| block.name.as_str())).unwrap_or("tool");
    let mut fields: IndexMap<String, String> = IndexMap::new();
    for pin in &tool.pins {
        fields.entry(cleaned(pin)).or_insert_with(|| pin.clone());
    }
    let (description, properties, required) = match (&tool.agent, block) {
        (Some(agent), _) => (agent.description.clone(), of_agent(agent, &fields), Vec::new()),
        (None, Some(block)) => (block.description.clone(), of_block(block, &fields), required(block, &fields)),
        (None, None) => (String::new(), Object::new(), Vec::new()),
    };
    let mut parameters = json!({"type": "object", "properties": properties, "additionalProperties": false});
    match tool.agent {
        Some(_) => parameters["strict"] = true.into(),
        None => parameters["required"] = required.clone().into(),
    }
    let (node, sink) = (tool.node, tool.id.to_string());
    Definition {
        node,
        sink,
        name: shortened(&cleaned(name), LONGEST_NAME).to_owned(),
        description,
        parameters,
        fields,
        required,
    }
}

fn cleaned(name: &str) -> String {
    let clean =
        |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(clean).collect()
}

/// Only ASCII is left in names.
fn shortened(name: &str, most: usize) -> &str {
    &name[..name.len().min(most)]
}

fn of_block(block: &BlockFacts, fields: &IndexMap<String, String>) -> Object {
    let schema = |pin: &str| match block.input_pins().get(pin) {
        Some(schema) => schema.clone(),
        None => json!({"type": "string", "description": keyed(pin)}),
    };
    fields.iter().map(|(field, pin)| (field.clone(), schema(pin))).collect()
}

/// What a part of a pin is for.
fn keyed(pin: &str) -> String {
    let base = pins::base(pin);
    match pins::Path::parse(pin).and_then(|path| path.steps.last().copied()) {
        Some(pins::Step::Entry(key)) => format!("The entry '{key}' of {base}"),
        Some(pins::Step::Item(index)) => format!("Item {index} of {base}"),
        None => format!("A value for {pin}"),
    }
}

fn required(block: &BlockFacts, fields: &IndexMap<String, String>) -> Vec<String> {
    let is_required = |pin: &str| block.required().any(|name| name == pins::base(pin));
    fields.iter().filter(|(_, pin)| is_required(pin)).map(|(field, _)| field.clone()).collect()
}

fn of_agent(agent: &Agent, fields: &IndexMap<String, String>) -> Object {
    let property = |pin: &str| {
        let known = agent.input_schema.get("properties").and_then(|pins| pins.get(pin));
        let of = |key: &str| known.and_then(|schema| schema.get(key)).filter(|value| !value.is_null());
        let text =
            of("description").and_then(Value::as_str).map_or_else(|| format!("The agent's input {pin}"), str::to_owned);
        let mut property = json!({"type": "string", "description": text});
        if let Some(default) = of("default") {
            property["default"] = python::json(default).into();
        }
        property
    };
    fields.iter().map(|(field, pin)| (field.clone(), property(pin))).collect()
}

/// Whether something of this name is nothing that a model should read.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRETS.contains(&name.as_str()) || heddle_model::block::is_credentials_pin(&name)
}

/// The value without members that are called like secrets, at any depth.
fn bare(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !is_secret(name));
            kept.map(|(name, value)| (name.clone(), bare(value))).collect()
        }
        other => other.clone(),
    }
}

/// A node's constants, to tell it from another one of the same name.
fn presets(tool: &Tool) -> String {
    let shown =
        tool.preset.iter().filter(|(pin, value)| !value.is_null() && !is_secret(pin) && !tool.pins.contains(pin));
    let short = |text: String| match text.char_indices().nth(LONGEST_PRESET) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    shown.map(|(pin, value)| format!("{pin}={}", short(python::json(&bare(value))))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use heddle_model::Catalogue;

    fn tool(block: &str, pins: &[&str], preset: Value) -> Tool {
        Tool {
            node: 1,
            id: "n1".into(),
            name: None,
            block: Registry::standard().block(&block.into()),
            agent: None,
            pins: pins.iter().map(|pin| (*pin).to_owned()).collect(),
            preset: preset.as_object().cloned().unwrap(),
        }
    }

    const ADD_TO_DICTIONARY: &str = "31d1064e-7446-4693-a7d4-65e5ca1180d1";
    const CALCULATOR: &str = "b1ab9b19-67a6-406d-abf5-2dba76d00c79";

    #[test]
    fn linked_pins_are_parameters() {
        let calculator = tool(CALCULATOR, &["a", "b"], json!({"operation": "Add"}));
        let [only] = &definitions(&[calculator])[..] else { panic!("one tool") };
        assert_eq!(
            (only.name.as_str(), &only.required[..]),
            ("calculatorblock", &["a".to_owned(), "b".to_owned()][..])
        );
        let listed = only.listed();
        let function = &listed["function"];
        assert_eq!(function["parameters"]["properties"]["a"]["type"], "number");
        assert_eq!(
            (&function["_sink_node_id"], &function["_field_mapping"]),
            (&json!("n1"), &json!({"a": "a", "b": "b"}))
        );
        assert_eq!(function["parameters"]["additionalProperties"], false);
    }

    #[test]
    fn keyed_pins_are_texts_and_are_found_again() {
        let keyed = tool(ADD_TO_DICTIONARY, &["entries_#_My Key", "key"], json!({}));
        let [only] = &definitions(&[keyed])[..] else { panic!("one tool") };
        assert_eq!(only.fields["entries___my_key"], "entries_#_My Key");
        let property = &only.listed()["function"]["parameters"]["properties"]["entries___my_key"];
        assert_eq!(property, &json!({"type": "string", "description": "The entry 'My Key' of entries"}));
    }

    #[test]
    fn tools_of_one_name_are_told_apart_without_secrets() {
        let add = |preset: Value| tool(CALCULATOR, &["a"], preset);
        let named = Tool { name: Some("Größe & Co".to_owned()), ..add(json!({})) };
        let all = definitions(&[
            add(json!({"operation": "Add", "b": 1, "credentials": {"id": "x"}, "API_KEY": "k",
                "headers": {"Authorization": "s", "Accept": "*/*"}})),
            named,
            add(json!({"operation": "x".repeat(200)})),
        ]);
        let names: Vec<_> = all.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["calculatorblock_1", "gr__e___co", "calculatorblock_2"]);
        assert!(
            all[0].description.ends_with("[operation=\"Add\", b=1, headers={\"Accept\": \"*/*\"}]"),
            "{}",
            all[0].description
        );
        assert!(all[2].description.ends_with("x…]") && all[2].description.len() < 250);
    }

    #[test]
    fn agents_take_texts() {
        let agent = Agent {
            graph: None,
            name: "My Agent".to_owned(),
            description: "does things".to_owned(),
            input_schema: json!({"properties": {"n": {"type": "number", "description": "how many", "default": 3}}}),
        };
        let agent =
            Tool { agent: Some(agent), ..tool(heddle_model::block::AGENT_EXECUTOR, &["n", "other"], json!({})) };
        let [only] = &definitions(&[agent])[..] else { panic!("one tool") };
        assert_eq!((only.name.as_str(), only.description.as_str()), ("my_agent", "does things"));
        let parameters = &only.listed()["function"]["parameters"];
        assert_eq!(parameters["properties"]["n"], json!({"type": "string", "description": "how many", "default": "3"}));
        assert_eq!((parameters.get("required"), &parameters["strict"]), (None, &json!(true)));
    }
}
