//! Our document against the original's, for the routes that both have.

use crate::testbed::Testbed;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const ORIGINAL: &str = include_str!("../data/openapi-v1.json");
/// Schemas of ours that go by another name: a hyphen cannot be in a type's name, and operation ids lost their `v1_`.
const NAMES: [(&str, &str); 3] = [
    ("BaseGraph-Input", "BaseGraphInput"),
    ("BaseGraph-Output", "BaseGraphOutput"),
    (
        "Body_execute_graph_v1_graphs__graph_id__execute__graph_version__post",
        "Body_execute_graph_graphs__graph_id__execute__graph_version__post",
    ),
];
/// Members that we document beyond the original's.
const MORE: [(&str, &[&str]); 3] = [
    ("Body_execute_graph_v1_graphs__graph_id__execute__graph_version__post", &["callback_url"]),
    ("HTTPValidationError", &["message", "hint"]),
    ("NodeModel", &["webhook"]),
];

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

/// The kinds of value a schema takes: `string`, `null`, a schema's name…
fn kinds(schema: &Value) -> BTreeSet<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        let ours = NAMES.iter().find(|(theirs, _)| *theirs == name);
        return BTreeSet::from([ours.map_or(name, |(_, ours)| ours).to_owned()]);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            return schemas.iter().flat_map(kinds).collect();
        }
    }
    match &schema["type"] {
        Value::String(name) => BTreeSet::from([name.clone()]),
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        _ => BTreeSet::new(),
    }
}

#[tokio::test]
async fn served_operations_have_the_originals_parameters_bodies_and_answers() {
    let ours = Testbed::new().await.get("/openapi.json").send().await.expect(200);
    let original: Value = serde_json::from_str(ORIGINAL).unwrap();
    for (path, methods) in members(&original["paths"]) {
        for (method, theirs) in members(methods) {
            let our = &ours["paths"][path][method];
            assert!(our.is_object(), "{method} {path}");
            let id = theirs["operationId"].as_str().unwrap().replacen("v1_", "", 1);
            assert_eq!(our["operationId"], id);
            assert_eq!(our["tags"], theirs["tags"], "{path}");
            assert_eq!(our["security"], theirs["security"], "{path}");
            for parameter in theirs["parameters"].as_array().into_iter().flatten() {
                let same = |our: &&Value| our["name"] == parameter["name"] && our["in"] == parameter["in"];
                let found = our["parameters"].as_array().unwrap().iter().find(same).unwrap();
                assert_eq!(found["required"], parameter["required"], "{path}");
                assert_eq!(kinds(&found["schema"]), kinds(&parameter["schema"]), "{path}");
            }
            let body = |operation: &Value| {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                (
                    operation["requestBody"]["required"] == true,
                    kinds(schema).into_iter().filter(|kind| kind != "null").collect::<Vec<_>>(),
                )
            };
            assert_eq!(body(our), body(theirs), "{path}");
            for (status, answer) in members(&theirs["responses"]).iter().filter(|(status, _)| *status != "422") {
                let schema = |answer: &Value| kinds(&answer["content"]["application/json"]["schema"]);
                let found = schema(&our["responses"][status]);
                assert!(!found.is_empty(), "{path} {status}");
                if answer["content"]["application/json"]["schema"]["$ref"].is_string() {
                    assert_eq!(found, schema(answer), "{path} {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn schemas_have_the_originals_members_and_required_ones() {
    let ours = Testbed::new().await.get("/openapi.json").send().await.expect(200);
    let original: Value = serde_json::from_str(ORIGINAL).unwrap();
    for (name, theirs) in members(&original["components"]["schemas"]) {
        let our_name = NAMES.iter().find(|(theirs, _)| theirs == name).map_or(name.as_str(), |(_, ours)| ours);
        let our = &ours["components"]["schemas"][our_name];
        let more = MORE.iter().find(|(theirs, _)| theirs == name).map_or(&[][..], |(_, more)| more);
        let expected: BTreeSet<&str> = names(&theirs["properties"]).into_iter().chain(more.iter().copied()).collect();
        assert_eq!(names(&our["properties"]), expected, "{name}");
        assert_eq!(texts(&our["required"]), texts(&theirs["required"]), "{name}");
        for (member, theirs) in members(&theirs["properties"]) {
            let our = &our["properties"][member];
            assert_eq!(kinds(our), kinds(theirs), "{name}.{member}");
            assert_eq!(our["default"].is_null(), theirs["default"].is_null(), "{name}.{member}");
        }
    }
}

#[tokio::test]
async fn the_document_holds_together() {
    let document = Testbed::new().await.get("/openapi.json").send().await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], "1.0.0");
    assert_eq!(names(&document["components"]["securitySchemes"]), BTreeSet::from(["APIKeyHeader", "HTTPBearer"]));
    let text = document.to_string();
    for rest in text.split("\"#/components/schemas/").skip(1) {
        let name = rest.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            let statuses = names(&operation["responses"]);
            assert!(statuses.is_superset(&BTreeSet::from(["401", "403", "429", "500"])), "{method} {path}");
            for (status, answer) in members(&operation["responses"]) {
                assert!(answer["description"].is_string(), "{method} {path} {status}");
            }
            if operation.get("requestBody").is_some() {
                assert!(statuses.is_superset(&BTreeSet::from(["400", "413", "422"])), "{method} {path}");
            }
            let in_path: Vec<_> = path.split('/').filter(|part| part.starts_with('{')).collect();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let declared = parameters
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()));
            assert_eq!(declared.collect::<Vec<_>>(), in_path, "{method} {path}");
        }
    }
}
