//! What an agent wants from whoever runs it: inputs, and credentials.

use heddle_model::{Object, Value, block};

/// A credential of the caller's, as far as choosing one needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// Whose servers it opens.
    pub provider: String,
    /// `api_key`, `oauth2`, …
    pub kind: String,
    /// Its owner's name for it.
    pub title: Option<String>,
}

/// An input of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The name under which a value enters.
    pub name: String,
    /// For people.
    pub title: String,
    /// JSON type; `string` where the schema says none.
    pub r#type: String,
    /// For people.
    pub description: String,
    /// The agent does not work without it.
    pub is_required: bool,
    /// What it is when it is not given.
    pub default: Option<Value>,
}

/// A credential that an agent needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCredential {
    /// Key in `credentials_input_schema`.
    pub id: String,
    /// The first provider that would do.
    pub provider: String,
    /// Kinds that would do, sorted.
    pub types: Vec<String>,
    /// OAuth scopes that it has to have, sorted.
    pub scopes: Vec<String>,
}

/// What is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// By key; only those that are required and that no credential of the caller's fits.
    pub credentials: Vec<MissingCredential>,
}

/// What an agent wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    /// As on the wire.
    pub input_schema: Value,
    /// In the schema's order.
    pub inputs: Vec<Wanted>,
    /// All groups of credentials.
    pub credentials: Vec<MissingCredential>,
    /// Keys of those that are required.
    required: Vec<String>,
    providers: Vec<(String, Vec<String>)>,
}

impl Needs {
    /// As a graph's two schemas say it.
    pub(super) fn of(input_schema: Value, credentials_schema: &Value) -> Self {
        let required: Vec<&str> = block::required(&input_schema).collect();
        let inputs = block::properties(&input_schema).iter().map(|(name, property)| {
            let text = |key: &str| property.get(key).and_then(Value::as_str).map(str::to_owned);
            Wanted {
                name: name.clone(),
                title: text("title").unwrap_or_else(|| name.clone()),
                r#type: text("type").unwrap_or_else(|| "string".to_owned()),
                description: text("description").unwrap_or_default(),
                is_required: required.contains(&name.as_str()),
                default: property.get("default").cloned(),
            }
        });
        let inputs = inputs.collect();
        let groups = block::properties(credentials_schema);
        Self {
            inputs,
            credentials: groups.iter().map(|(id, group)| credential(id, group)).collect(),
            required: block::required(credentials_schema).map(str::to_owned).collect(),
            providers: groups.iter().map(|(id, group)| (id.clone(), texts(group, "credentials_provider"))).collect(),
            input_schema,
        }
    }

    /// Names that the agent has no input for, sorted.
    pub(super) fn unknown<'a>(&self, inputs: &'a Object) -> Vec<&'a str> {
        let is_known = |name: &str| self.inputs.iter().any(|wanted| wanted.name == name);
        let mut unknown: Vec<&str> = inputs.keys().map(String::as_str).filter(|name| !is_known(name)).collect();
        unknown.sort_unstable();
        unknown
    }

    /// Required inputs that are not given.
    pub(super) fn absent(&self, inputs: &Object) -> Vec<String> {
        let absent = self.inputs.iter().filter(|wanted| wanted.is_required && !inputs.contains_key(&wanted.name));
        absent.map(|wanted| wanted.name.clone()).collect()
    }

    /// For each group the caller's first credential that fits, as references by key; or what is missing.
    pub(super) fn choose(&self, held: &[Held]) -> Result<Object, Missing> {
        let (mut chosen, mut missing) = (Object::new(), Vec::new());
        for wanted in &self.credentials {
            let providers = self.providers.iter().find(|(id, _)| *id == wanted.id).map_or(&[][..], |(_, names)| names);
            let fits = |held: &&Held| providers.contains(&held.provider) && wanted.types.contains(&held.kind);
            match held.iter().find(fits) {
                Some(Held { id, provider, kind, title }) => {
                    let reference = serde_json::json!({"id": id, "provider": provider, "type": kind, "title": title});
                    chosen.insert(wanted.id.clone(), reference);
                }
                None if self.required.contains(&wanted.id) => missing.push(wanted.clone()),
                None => {}
            }
        }
        if missing.is_empty() { Ok(chosen) } else { Err(Missing { credentials: missing }) }
    }
}

fn credential(id: &str, group: &Value) -> MissingCredential {
    let sorted = |key: &str| {
        let mut names = texts(group, key);
        names.sort_unstable();
        names
    };
    MissingCredential {
        id: id.to_owned(),
        provider: texts(group, "credentials_provider").into_iter().next().unwrap_or_default(),
        types: sorted("credentials_types"),
        scopes: sorted("credentials_scopes"),
    }
}

fn texts(object: &Value, key: &str) -> Vec<String> {
    let list = object.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn needs() -> Needs {
        let inputs = json!({
            "type": "object",
            "properties": {
                "topic": {"title": "Topic", "type": "string", "description": "What about"},
                "length": {"title": "length", "type": "integer", "default": 3},
                "any": {"title": "any"},
            },
            "required": ["topic", "any"],
        });
        let credentials = json!({
            "properties": {
                "openai_api_key_credentials": {"credentials_provider": ["openai"], "credentials_types": ["api_key"]},
                "github_api_key-oauth2_credentials": {
                    "credentials_provider": ["github"],
                    "credentials_types": ["oauth2", "api_key"],
                    "credentials_scopes": ["repo", "gist"],
                },
            },
            "required": ["openai_api_key_credentials"],
        });
        Needs::of(inputs, &credentials)
    }

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    fn held(id: &str, provider: &str, kind: &str) -> Held {
        Held { id: id.to_owned(), provider: provider.to_owned(), kind: kind.to_owned(), title: None }
    }

    #[test]
    fn inputs_are_those_of_the_schema() {
        let needs = needs();
        let told: Vec<_> =
            needs.inputs.iter().map(|wanted| (&*wanted.name, &*wanted.r#type, wanted.is_required)).collect();
        assert_eq!(told, [("topic", "string", true), ("length", "integer", false), ("any", "string", true)]);
        assert_eq!(needs.inputs[1].default, Some(json!(3)));
        assert_eq!(needs.unknown(&object(json!({"z": 1, "topic": 1, "a": 1}))), ["a", "z"]);
        assert_eq!(needs.absent(&object(json!({"topic": null}))), ["any"]);
    }

    #[test]
    fn the_first_credential_that_fits_is_chosen_for_each_group() {
        let needs = needs();
        let github = &needs.credentials[1];
        assert_eq!(
            (github.types.clone(), github.scopes.clone()),
            (vec!["api_key".into(), "oauth2".into()], vec!["gist".into(), "repo".into()])
        );
        let missing = needs.choose(&[held("1", "github", "oauth2"), held("2", "openai", "oauth2")]).unwrap_err();
        assert_eq!(missing.credentials, [needs.credentials[0].clone()], "the other one is not required");
        let chosen = needs.choose(&[held("3", "openai", "api_key"), held("4", "openai", "api_key")]).unwrap();
        assert_eq!(chosen.keys().collect::<Vec<_>>(), ["openai_api_key_credentials"]);
        assert_eq!(chosen["openai_api_key_credentials"]["id"], "3");
    }
}
