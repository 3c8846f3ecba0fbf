//! Which credentials a graph needs, grouped so that one credential is asked for once (`engine.md` 3).

use crate::block::is_credentials_pin;
use crate::{BlockFacts, Catalogue, CredentialsFacts, Graph, Node, NodeId, Object, Value, pins};
use indexmap::IndexMap;
use serde_json::json;

/// The pins of a graph and its sub-graphs that can share one credential.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Group {
    /// Every node and pin that takes the credential.
    pub members: Vec<(NodeId, String)>,
    /// Whether some node cannot do without it.
    pub required: bool,
    providers: Vec<String>,
    types: Vec<String>,
    scopes: Vec<String>,
    discriminator: Option<Value>,
    discriminator_mapping: Option<Value>,
    discriminator_values: Vec<Value>,
    display_name: Option<Value>,
}

/// The groups by field name, e.g. `openai_api_key_credentials`.
pub fn groups(graphs: &[&Graph], catalogue: &dyn Catalogue) -> IndexMap<String, Group> {
    let mut groups: IndexMap<String, Group> = IndexMap::new();
    for graph in graphs {
        for node in &graph.nodes {
            let Some(block) = catalogue.block(&node.block_id) else { continue };
            for (pin, facts) in &block.credentials {
                let Some(schema) = block.input_pins().get(pin).filter(|_| is_credentials_pin(pin)) else { continue };
                let choice = Choice::new(graph, node, schema, facts);
                let group = groups.entry(choice.field_name()).or_default();
                group.members.push((node.id.clone(), pin.clone()));
                group.required |= !node.credentials_optional() && schema.get("default").is_none();
                group.take(choice, schema, facts);
            }
        }
    }
    groups
}

/// The object schema of the credentials a run can be given, by group.
pub fn credentials_input_schema(graphs: &[&Graph], catalogue: &dyn Catalogue) -> Value {
    let groups = groups(graphs, catalogue);
    let required: Vec<_> = groups.iter().filter(|(_, group)| group.required).map(|(name, _)| name.clone()).collect();
    let properties: Object = groups.into_iter().map(|(name, group)| (name, group.schema())).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// Spreads credentials given by group over the pins of the group, as masks (node id → pin → value). A mask that is
/// there wins; a name that is no group's is ignored.
pub fn spread(given: &Object, graphs: &[&Graph], catalogue: &dyn Catalogue, masks: &mut Object) {
    if given.is_empty() {
        return;
    }
    for (name, group) in groups(graphs, catalogue) {
        let Some(reference) = given.get(&name) else { continue };
        for (node, pin) in group.members {
            let mask = masks.entry(node.0).or_insert_with(|| Value::Object(Object::new()));
            if let Some(mask) = mask.as_object_mut() {
                mask.entry(pin).or_insert_with(|| reference.clone());
            }
        }
    }
}

/// Puts credentials that everybody may use into pins that nobody has filled and that cannot do without one. `default`
/// names the one for a provider; a pin that takes several providers gets none.
pub fn fill(graphs: &[&Graph], catalogue: &dyn Catalogue, masks: &mut Object, default: &dyn Fn(&str) -> Option<Value>) {
    for graph in graphs {
        for node in graph.nodes.iter().filter(|node| !node.credentials_optional()) {
            let Some(block) = catalogue.block(&node.block_id) else { continue };
            for (pin, facts) in &block.credentials {
                let Some(schema) = block.input_pins().get(pin).filter(|_| is_credentials_pin(pin)) else { continue };
                let mask = masks.get(node.id.as_str()).and_then(|mask| mask.get(pin));
                let is_filled = mask
                    .or_else(|| node.input_default.get(pin))
                    .is_some_and(|value| !value.is_null() && !value.as_object().is_some_and(Object::is_empty));
                if is_filled || schema.get("default").is_some() {
                    continue;
                }
                let choice = Choice::of(schema, facts, discriminated(graph, node, &block, schema, masks));
                let [provider] = choice.providers.as_slice() else { continue };
                let takes = |value: &Value| choice.types.iter().any(|kind| value["type"] == kind.as_str());
                let Some(reference) = default(provider).filter(takes) else { continue };
                let mask = masks.entry(node.id.0.clone()).or_insert_with(|| Value::Object(Object::new()));
                if let Some(mask) = mask.as_object_mut() {
                    mask.insert(pin.clone(), reference);
                }
            }
        }
    }
}

/// What the discriminator of a pin will be when the node runs, if that can be told now.
fn discriminated<'a>(
    graph: &Graph,
    node: &'a Node,
    block: &'a BlockFacts,
    schema: &Value,
    masks: &'a Object,
) -> Option<&'a str> {
    let discriminator = schema.get("discriminator").and_then(Value::as_str)?;
    let masked = masks.get(node.id.as_str()).and_then(|mask| mask.get(discriminator));
    let is_linked = || graph.links.iter().any(|l| l.sink_id == node.id && pins::base(&l.sink_name) == discriminator);
    let own =
        || node.input_default.get(discriminator).or_else(|| block.input_pins().get(discriminator)?.get("default"));
    match masked {
        Some(value) => value.as_str(),
        None if is_linked() => None,
        None => own().and_then(Value::as_str),
    }
}

/// What one pin of one node accepts, given the constants beside it.
struct Choice {
    providers: Vec<String>,
    types: Vec<String>,
    /// Joins the providers in the field's name: credentials for different hosts are different ones.
    host: Option<String>,
    discriminator_value: Option<Value>,
}

impl Choice {
    fn new(graph: &Graph, node: &Node, schema: &Value, facts: &CredentialsFacts) -> Self {
        let discriminator = schema.get("discriminator").and_then(Value::as_str);
        let value = discriminator.and_then(|discriminator| {
            let is_linked =
                graph.links.iter().any(|l| l.sink_id == node.id && pins::base(&l.sink_name) == discriminator);
            node.input_default.get(discriminator).and_then(Value::as_str).filter(|_| !is_linked)
        });
        Self::of(schema, facts, value)
    }

    fn of(schema: &Value, facts: &CredentialsFacts, value: Option<&str>) -> Self {
        let listed = |key: &str, fallback: &[String]| match schema.get(key).and_then(Value::as_array) {
            Some(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => fallback.to_vec(),
        };
        let mut choice = Self {
            providers: listed("credentials_provider", &facts.providers),
            types: listed("credentials_types", &facts.types),
            host: None,
            discriminator_value: None,
        };
        let Some(value) = value else { return choice };
        match schema.get("discriminator_mapping") {
            Some(mapping) => {
                let Some(provider) = mapping.get(value).and_then(Value::as_str) else { return choice };
                choice.providers = vec![provider.to_owned()];
                if let Some(types) = schema.pointer("/discriminator_type_mapping").and_then(|types| types.get(value)) {
                    choice.types =
                        types.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
                }
            }
            None => choice.host = host(value).map(str::to_lowercase),
        }
        choice.discriminator_value = Some(value.into());
        choice
    }

    fn field_name(&self) -> String {
        let mut providers: Vec<&str> = self.providers.iter().chain(&self.host).map(String::as_str).collect();
        let mut types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        providers.sort_unstable();
        types.sort_unstable();
        format!("{}_{}_credentials", providers.join("-"), types.join("-"))
    }
}

impl Group {
    fn take(&mut self, choice: Choice, schema: &Value, facts: &CredentialsFacts) {
        (self.providers, self.types) = (choice.providers, choice.types);
        for scope in &facts.scopes {
            if !self.scopes.contains(scope) {
                self.scopes.push(scope.clone());
            }
        }
        for (kept, key) in [
            (&mut self.discriminator, "discriminator"),
            (&mut self.discriminator_mapping, "discriminator_mapping"),
            (&mut self.display_name, "display_name"),
        ] {
            if kept.is_none() {
                *kept = schema.get(key).cloned();
            }
        }
        if let Some(value) = choice.discriminator_value.filter(|value| !self.discriminator_values.contains(value)) {
            self.discriminator_values.push(value);
        }
    }

    fn schema(self) -> Value {
        let mut schema = json!({
            "credentials_provider": self.providers,
            "credentials_types": self.types,
            "type": "object",
            "properties": {
                "id": {"title": "Id", "type": "string"},
                "title": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null, "title": "Title"},
                "provider": one_of("Provider", &self.providers),
                "type": one_of("Type", &self.types),
            },
            "required": ["id", "provider", "type"],
        });
        let lists =
            [("credentials_scopes", self.scopes.into()), ("discriminator_values", self.discriminator_values.into())];
        let extras = [
            ("discriminator", self.discriminator),
            ("discriminator_mapping", self.discriminator_mapping),
            ("display_name", self.display_name),
        ];
        let lists = lists.into_iter().filter(|(_, list): &(_, Value)| list.as_array().is_some_and(|l| !l.is_empty()));
        for (key, value) in extras.into_iter().filter_map(|(key, value)| Some((key, value?))).chain(lists) {
            schema[key] = value;
        }
        schema
    }
}

fn one_of(title: &str, names: &[String]) -> Value {
    match names {
        [name] => json!({"title": title, "type": "string", "const": name}),
        names => json!({"title": title, "type": "string", "enum": names}),
    }
}

/// The host of a URL; one without a scheme begins with its host.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.trim();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_of_a_url_is_found() {
        let cases = [
            ("https://api.example.org/x?y=http://b", Some("api.example.org")),
            ("api.example.org/x", Some("api.example.org")),
            ("http://user:pass@host:8080", Some("host")),
            ("http://[::1]:80/", Some("::1")),
            ("https:///x", None),
            ("", None),
        ];
        for (url, want) in cases {
            assert_eq!(host(url), want, "{url}");
        }
    }
}
