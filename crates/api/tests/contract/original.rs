//! Our document against the original's, for the routes that both have: names, parameters, bodies and shapes of success.
//!
//! `data/openapi-v1.json` holds its names and shapes, without its words.

use crate::document::{members, names, operations, served, texts};
use serde_json::Value;
use std::collections::BTreeSet;

const ORIGINAL: &str = include_str!("../data/openapi-v1.json");

/// Where ours differs, and why. Each must be found, so that the list can only shrink.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "get /store/agents/{username}/{agent_name} 200.agentGraphId: only ours",
        "releases before v2 have this name; clients made from them need it",
    ),
    ("get /store/agents/{username}/{agent_name} 200.agentGraphVersions: only ours", "the same"),
    ("OAuthCompleteRequest.iss: only ours", "an addition: which server the answer came from (RFC 9207)"),
    ("post /graphs 201.nodes[].webhook: only ours", "releases before August sent it; null here"),
    (
        "Body_execute_graph_graphs__graph_id__execute__graph_version__post.callback_url: only ours",
        "an addition: who is told of the run's end",
    ),
    (
        "Body_execute_graph_graphs__graph_id__execute__graph_version__post.credentials_inputs: only ours",
        "an addition: credentials by field, which v1 does not take otherwise",
    ),
    (
        r#"get /integrations/credentials 200[].type: {} instead of {"api_key", "device_code", "host_scoped", "oauth2", "user_password"}"#,
        "told in words: device_code is none of ours",
    ),
    (
        r#"post /integrations/{provider}/credentials 201.type: {} instead of {"api_key", "device_code", "host_scoped", "oauth2", "user_password"}"#,
        "told in words: device_code is none of ours",
    ),
    (
        "post /integrations/{provider}/credentials body: no \"object\"",
        "a key may have an address of its own (base_url), so that arm of the union has a member more",
    ),
];

/// A schema's name as ours: a hyphen cannot be in a type's name, and operation ids lost their `v1_`.
fn our_name(theirs: &str) -> String {
    theirs.replace('-', "").replacen("_v1_", "_", 1)
}

fn name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|name| name.rsplit('/').next())
}

/// A document, to look up what its names stand for.
#[derive(Clone, Copy)]
struct Source<'a>(&'a Value);

impl<'a> Source<'a> {
    fn at(self, schema: &'a Value) -> &'a Value {
        name(schema).map_or(schema, |name| &self.0["components"]["schemas"][name])
    }

    /// The alternatives of a schema, names looked up; one that is none is its own.
    fn choices(self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.at(schema);
        for choice in ["anyOf", "oneOf"] {
            if let Some(schemas) = schema[choice].as_array() {
                return schemas.iter().flat_map(|schema| self.choices(schema)).collect();
            }
        }
        vec![schema]
    }

    /// The kinds of value a schema takes: `string`, `null`…
    fn kinds(self, schema: &'a Value) -> BTreeSet<&'a str> {
        let kinds = |schema: &'a Value| match &schema["type"] {
            Value::String(name) => BTreeSet::from([name.as_str()]),
            other => texts(other),
        };
        self.choices(schema).into_iter().flat_map(kinds).collect()
    }
}

/// What differs between two schemas, ours first.
struct Comparison<'a> {
    ours: Source<'a>,
    theirs: Source<'a>,
    found: BTreeSet<String>,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Comparison<'a> {
    fn differ(&mut self, place: &str, what: &str) {
        self.found.insert(format!("{place}: {what}"));
    }

    fn schemas(&mut self, place: &str, ours: &'a Value, theirs: &'a Value) {
        let place = match (name(ours), name(theirs)) {
            (our, Some(their)) => {
                if our != Some(&our_name(their)) && !members(self.theirs.at(theirs)).contains_key("enum") {
                    self.differ(place, &format!("named {} instead of {}", our.unwrap_or("nothing"), our_name(their)));
                }
                if !self.seen.insert((our.unwrap_or_default().to_owned(), their.to_owned())) {
                    return;
                }
                if place.contains("[]") || place.contains(' ') && !place.ends_with("body") {
                    place.to_owned()
                } else {
                    our_name(their)
                }
            }
            _ => place.to_owned(),
        };
        let (our_kinds, their_kinds) = (self.ours.kinds(ours), self.theirs.kinds(theirs));
        if our_kinds != their_kinds && !their_kinds.is_empty() {
            self.differ(&place, &format!("{our_kinds:?} instead of {their_kinds:?}"));
        }
        let (our_choices, their_choices) = (self.ours.choices(ours), self.theirs.choices(theirs));
        let tagged = their_choices.iter().filter(|choice| choice.get("properties").is_some()).count() > 1;
        for their in their_choices {
            let fits = |our: &&&Value| {
                our["type"] == their["type"] || texts(&our["type"]).contains(their["type"].as_str().unwrap_or_default())
            };
            let same_tag = |our: &&&Value| !tagged || names(&our["properties"]) == names(&their["properties"]);
            match our_choices.iter().find(|our| fits(our) && same_tag(our)) {
                Some(our) => self.parts(&place, our, their),
                None if their["type"].is_string() => self.differ(&place, &format!("no {}", their["type"])),
                None => {}
            }
        }
    }

    fn parts(&mut self, place: &str, ours: &'a Value, theirs: &'a Value) {
        if texts(&ours["enum"]) != texts(&theirs["enum"]) && theirs.get("enum").is_some() {
            self.differ(place, &format!("{:?} instead of {:?}", texts(&ours["enum"]), texts(&theirs["enum"])));
        }
        if let (Some(ours), Some(theirs)) = (ours.get("items"), theirs.get("items")) {
            self.schemas(&format!("{place}[]"), ours, theirs);
        }
        let (our_members, their_members) = (names(&ours["properties"]), names(&theirs["properties"]));
        if their_members.is_empty() {
            return;
        }
        for member in our_members.symmetric_difference(&their_members) {
            let whose = if our_members.contains(member) { "only ours" } else { "missing" };
            self.differ(&format!("{place}.{member}"), whose);
        }
        let expected: BTreeSet<_> = texts(&theirs["required"]);
        for member in their_members.intersection(&our_members) {
            if texts(&ours["required"]).contains(member) != expected.contains(member) {
                self.differ(
                    &format!("{place}.{member}"),
                    if expected.contains(member) { "not required" } else { "required" },
                );
            }
            let (our, their) = (&ours["properties"][*member], &theirs["properties"][*member]);
            if our["default"].is_null() != their["default"].is_null() {
                self.differ(
                    &format!("{place}.{member}"),
                    &format!("default {} instead of {}", our["default"], their["default"]),
                );
            }
            self.schemas(&format!("{place}.{member}"), our, their);
        }
    }

    fn operations(&mut self, place: &str, ours: &'a Value, theirs: &'a Value) {
        let id = theirs["operationId"].as_str().unwrap().replacen("_v1_", "_", 1);
        if ours["operationId"] != id {
            self.differ(place, &format!("called {} instead of {id}", ours["operationId"]));
        }
        if ours["tags"] != theirs["tags"] {
            self.differ(place, "other tags");
        }
        for scheme in theirs["security"].as_array().unwrap() {
            if !ours["security"].as_array().unwrap().contains(scheme) {
                self.differ(place, "other security");
            }
        }
        let list = |operation: &'a Value| operation["parameters"].as_array().into_iter().flatten();
        for parameter in list(theirs) {
            let place = format!("{place} {}", parameter["name"].as_str().unwrap());
            let same = |our: &&Value| our["name"] == parameter["name"] && our["in"] == parameter["in"];
            match list(ours).find(same) {
                Some(our) if our["required"].as_bool().unwrap_or_default() != parameter["required"] => {
                    self.differ(&place, "required or not")
                }
                Some(our) => {
                    if our["schema"]["default"] != parameter["schema"]["default"] {
                        self.differ(
                            &place,
                            &format!(
                                "default {} instead of {}",
                                our["schema"]["default"], parameter["schema"]["default"]
                            ),
                        );
                    }
                    self.schemas(&place, &our["schema"], &parameter["schema"]);
                }
                None => self.differ(&place, "no such parameter"),
            }
        }
        for our in list(ours).filter(|our| our["in"] != "header") {
            if !list(theirs).any(|their| their["name"] == our["name"]) {
                self.differ(&format!("{place} {}", our["name"].as_str().unwrap()), "only ours");
            }
        }
        let json = "/content/application~1json/schema";
        if let Some(their) = theirs.get("requestBody") {
            let our = &ours["requestBody"];
            let place = format!("{place} body");
            if our["required"].as_bool().unwrap_or_default() != their["required"].as_bool().unwrap_or_default() {
                self.differ(&place, "required or not");
            }
            match our.pointer(json) {
                Some(our) => self.schemas(&place, our, their.pointer(json).unwrap()),
                None => self.differ(&place, "missing"),
            }
        }
        for (status, their) in members(&theirs["responses"]).iter().filter(|(status, _)| status.starts_with('2')) {
            match (ours["responses"][status].pointer(json), their.pointer(json)) {
                (Some(our), Some(their)) => self.schemas(&format!("{place} {status}"), our, their),
                (None, Some(_)) => self.differ(&format!("{place} {status}"), "missing"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn names_parameters_and_shapes_of_success_are_the_originals() {
    let ours = served().await;
    let theirs: Value = serde_json::from_str(ORIGINAL).unwrap();
    let mut comparison =
        Comparison { ours: Source(&ours), theirs: Source(&theirs), found: BTreeSet::new(), seen: BTreeSet::new() };
    let mut both = 0;
    for (method, path, their) in operations(&theirs) {
        if let Some(our) = ours["paths"][path].get(method) {
            comparison.operations(&format!("{method} {path}"), our, their);
            both += 1;
        }
    }
    assert!(both >= 6, "{both}");
    let expected: BTreeSet<String> = DIFFERENCES.iter().map(|(place, _)| (*place).to_owned()).collect();
    let unexpected: Vec<_> = comparison.found.difference(&expected).cloned().collect();
    let gone: Vec<_> = expected.difference(&comparison.found).cloned().collect();
    assert!(
        unexpected.is_empty() && gone.is_empty(),
        "not expected:\n{}\nno longer:\n{}",
        unexpected.join("\n"),
        gone.join("\n")
    );
}

#[tokio::test]
async fn refusals_of_a_request_have_the_originals_members() {
    let ours = served().await;
    let theirs: Value = serde_json::from_str(ORIGINAL).unwrap();
    for name in ["HTTPValidationError", "ValidationError"] {
        let members = |document: &Value| -> BTreeSet<String> {
            names(&document["components"]["schemas"][name]["properties"]).into_iter().map(str::to_owned).collect()
        };
        assert!(members(&ours).is_superset(&members(&theirs)), "{name}");
    }
}
