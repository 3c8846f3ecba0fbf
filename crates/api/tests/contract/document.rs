//! The served document: whole, in agreement with itself, and the one that is kept in the project.

use crate::testbed::Testbed;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;

pub fn members(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

pub fn names(value: &Value) -> BTreeSet<&str> {
    members(value).keys().map(String::as_str).collect()
}

pub fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Method, path and operation of everything in a document.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let methods = |(path, item)| members(item).iter().map(move |(method, operation)| (&**method, path, operation));
    members(&document["paths"]).iter().map(|(path, item)| (&**path, item)).flat_map(methods)
}

pub async fn served() -> Value {
    Testbed::new().await.get("/openapi.json").send().await.expect(200)
}

/// Whether a text equals the kept one, which `HEDDLE_GOLDEN=write` (`just golden`) replaces by it.
pub fn is_kept(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    if std::env::var_os("HEDDLE_GOLDEN").is_some() {
        return std::fs::write(&path, found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let other = kept.lines().zip(found.lines()).enumerate().find(|(_, (kept, found))| kept != found);
    let (line, (kept_line, found_line)) = other.unwrap_or((kept.lines().count().min(found.lines().count()), ("", "")));
    assert!(
        kept == found,
        "{file} is another from line {}: {kept_line:?}, now {found_line:?}. Is it meant? `just golden`",
        line + 1
    );
}

#[tokio::test]
async fn the_document_is_the_kept_one() {
    let document = served().await;
    is_kept("openapi.json", &format!("{}\n", serde_json::to_string_pretty(&document).unwrap()));
}

#[tokio::test]
async fn the_document_holds_together() {
    let document = served().await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], "1.0.0");
    let text = document.to_string();
    for rest in text.split("\"#/components/schemas/").skip(1) {
        let name = rest.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
        assert!(!name.contains(|letter: char| !letter.is_ascii_alphanumeric() && !"._-".contains(letter)), "{name}");
    }
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str()), "{method} {path}");
        // Readers of the document take a member that is there for one that says something.
        let answers = members(&operation["responses"]).values().flat_map(|answer| members(answer).values());
        assert!(!members(operation).values().chain(answers).any(Value::is_null), "{method} {path}");
        assert!(texts(&operation["tags"]).is_subset(&tags), "{method} {path}");
        let statuses = names(&operation["responses"]);
        assert!(statuses.is_superset(&BTreeSet::from(["401", "403", "429", "500"])), "{method} {path}");
        if operation.get("requestBody").is_some() {
            assert!(statuses.is_superset(&BTreeSet::from(["400", "413", "422"])), "{method} {path}");
        }
        let in_path: Vec<_> = path.split('/').filter(|part| part.starts_with('{')).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let declared = parameters
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()));
        assert_eq!(declared.collect::<Vec<_>>(), in_path, "{method} {path}");
        for answer in members(&operation["responses"]).values() {
            for (name, link) in members(&answer["links"]) {
                let to = operations(&document).find(|(_, _, other)| other["operationId"] == link["operationId"]);
                let (_, path, _) = to.unwrap_or_else(|| panic!("{name} leads nowhere"));
                assert!(names(&link["parameters"]).iter().all(|name| path.contains(&format!("{{{name}}}"))), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn each_operation_can_be_called_with_a_key_a_token_or_by_signing_in() {
    let document = served().await;
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(names(schemes), BTreeSet::from(["APIKeyHeader", "HTTPBearer", "OAuth2"]));
    assert_eq!(
        (&schemes["APIKeyHeader"]["in"], &schemes["APIKeyHeader"]["name"]),
        (&json!("header"), &json!("X-API-Key"))
    );
    let flow = &schemes["OAuth2"]["flows"]["authorizationCode"];
    assert_eq!(flow["authorizationUrl"], "http://127.0.0.1:8006/auth/authorize");
    assert_eq!(flow["tokenUrl"], "http://127.0.0.1:8006/api/oauth/token");
    for (method, path, operation) in operations(&document) {
        let scopes = &operation["x-required-scopes"];
        let expected = json!([{ "APIKeyHeader": [] }, { "HTTPBearer": [] }, { "OAuth2": scopes }]);
        assert_eq!(operation["security"], expected, "{method} {path}");
        for scope in scopes.as_array().unwrap() {
            assert!(flow["scopes"].get(scope.as_str().unwrap()).is_some(), "{scope}");
            assert!(operation["description"].as_str().unwrap().contains(scope.as_str().unwrap()), "{method} {path}");
        }
    }
}

/// Places in the document that say nothing.
fn silent(document: &Value) -> Vec<String> {
    let is_said = |value: &Value| value.as_str().is_some_and(|words| !words.trim().is_empty());
    let mut silent = Vec::new();
    let mut look = |place: String, value: &Value| {
        if !is_said(value) {
            silent.push(place)
        }
    };
    for (method, path, operation) in operations(document) {
        look(format!("{method} {path}: summary"), &operation["summary"]);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            look(format!("{method} {path}: {}", parameter["name"]), &parameter["description"]);
        }
        for (status, answer) in members(&operation["responses"]) {
            look(format!("{method} {path}: {status}"), &answer["description"]);
        }
    }
    for (name, schema) in members(&document["components"]["schemas"]) {
        look(name.clone(), &schema["description"]);
        for (member, schema) in members(&schema["properties"]) {
            // What a name stands for is said at the name.
            if schema.get("$ref").is_none() && schema["oneOf"].as_array().is_none() {
                look(format!("{name}.{member}"), &schema["description"]);
            }
        }
    }
    silent
}

#[tokio::test]
async fn everything_in_the_document_is_described() {
    let silent = silent(&served().await);
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// What is wrong with an example.
fn problems(document: &Value, schema: &Value, example: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(example).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

#[tokio::test]
async fn every_parameter_body_and_answer_has_an_example_that_fits_its_schema() {
    let document = served().await;
    let mut wrong = Vec::new();
    let mut hold = |place: String, content: &Value| match content.get("example") {
        None => wrong.push(format!("{place}: no example")),
        Some(example) => {
            wrong.extend(problems(&document, &content["schema"], example).iter().map(|why| format!("{place}: {why}")));
        }
    };
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            hold(format!("{method} {path}: {}", parameter["name"]), parameter);
        }
        for content in members(&operation["requestBody"]["content"]).values() {
            hold(format!("{method} {path}: body"), content);
        }
        for (status, answer) in members(&operation["responses"]) {
            assert_eq!(members(&answer["content"]).is_empty(), status == "304", "{method} {path}: {status}");
            for content in members(&answer["content"]).values() {
                hold(format!("{method} {path}: {status}"), content);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
