//! An example of every parameter, body and answer. The tests hold each against its schema.

use serde_json::{Value, json};

/// Parameters by name; bodies and answers by operation.
const EXAMPLES: &str = include_str!("examples.json");

/// Adds the examples of everything that is served.
pub fn add(document: &mut Value) {
    let examples: Value = serde_json::from_str(EXAMPLES).expect("the examples are JSON");
    let root = document["servers"][0]["url"].as_str().unwrap_or_default().to_owned();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let request = format!("{} {root}{path}", method.to_uppercase());
            add_to(operation, &examples, &request);
        }
    }
}

fn add_to(operation: &mut Value, examples: &Value, request: &str) {
    let own = &examples["operations"][operation["operationId"].as_str().unwrap_or_default()];
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        if let Some(example) = own["parameters"].get(name).or(examples["parameters"].get(name)) {
            parameter["example"] = example.clone();
        }
    }
    let scopes = operation["x-required-scopes"].clone();
    if let (Some(example), Some(content)) = (own.get("request"), operation.pointer_mut("/requestBody/content")) {
        content["application/json"]["example"] = example.clone();
    }
    for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        let example = own["answers"].get(status).cloned().or_else(|| common(status, &scopes, request));
        for (_, content) in answer.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
            if let Some(example) = &example {
                content["example"] = example.clone();
            }
        }
    }
}

/// What every route answers in the same words.
fn common(status: &str, scopes: &Value, request: &str) -> Option<Value> {
    let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    Some(match status {
        "400" => json!({ "detail": "There was an error parsing the body" }),
        "401" => json!({ "detail": "Missing authentication. Provide API key or access token." }),
        "403" => json!({ "detail": format!("Missing required permission(s): {scopes}") }),
        "413" => json!({ "detail": "Request body too large" }),
        "422" => json!({
            "message": format!("Invalid data for {request}"),
            "detail": [{ "type": "missing", "loc": ["body"], "msg": "Field required", "input": null }],
            "hint": "Ensure the request matches the API schema.",
        }),
        "429" => json!({ "detail": "Too many failed authentication attempts. Try again shortly." }),
        "500" => json!({
            "message": format!("Failed to process {request}"),
            "detail": "Internal server error",
            "hint": "Check server logs and dependent services.",
            "request_id": "6f0f3b8f5f6c4b7a00000a1c",
        }),
        _ => return None,
    })
}
