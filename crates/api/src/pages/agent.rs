//! What pages tell of an agent, wherever it is looked at: what it asks for, what it gives, and the call that runs it.

use super::Visit;
use heddle_model::block::{properties, required};
use heddle_model::{Object, Value};
use heddle_platform::SavedGraph;
use heddle_platform::graphs::Computed;
use maud::{Markup, html};
use serde_json::json;

/// What it asks for and gives, and whose credentials it needs. `computed` is its graph's.
pub fn needs(visit: &Visit, graph: &SavedGraph, computed: &Computed) -> Markup {
    let providers = providers(&visit.app.platform.graphs.credentials_input_schema(graph));
    html! {
        h2 { "What it needs" }
        dl {
            dt { "Inputs" }
            dd { (pins(&computed.input_schema, true)) }
            dt { "Outputs" }
            dd { (pins(&computed.output_schema, false)) }
            dt { "Credentials" }
            dd { @if providers.is_empty() { "None" } @else { "Yours for " (providers.join(", ")) } }
            @if computed.has_human_in_the_loop { dt { "Reviews" } dd { "It may ask you before it goes on." } }
        }
    }
}

/// The properties of a schema, each with what it is for.
fn pins(schema: &Value, are_asked: bool) -> Markup {
    let mut pins =
        properties(schema).iter().map(|(name, pin)| (name, pin["description"].as_str().unwrap_or_default())).peekable();
    html! {
        @if pins.peek().is_none() { "None" }
        @else { ul.plain { @for (name, description) in pins {
            li {
                code { (name) }
                @if are_asked && !is_required(schema, name) { " (optional)" }
                @if !description.is_empty() { " – " (description) }
            }
        } } }
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    required(schema).any(|one| one == name)
}

fn providers(credentials: &Value) -> Vec<String> {
    properties(credentials)
        .values()
        .map(|group| {
            let names = group["credentials_provider"].as_array().into_iter().flatten().filter_map(Value::as_str);
            names.collect::<Vec<_>>().join(" or ")
        })
        .collect()
}

/// How it is run from a program.
pub fn call(visit: &Visit, graph: &SavedGraph, computed: &Computed) -> Markup {
    let url = visit.url(&format!("/external-api/v1/graphs/{}/execute/{}", graph.graph.id, graph.graph.version));
    let body = body(computed).replace('\'', r"'\''");
    html! {
        p { "With an " a href=(visit.link("/settings/api-keys")) { "API key of yours" } ", from anywhere:" }
        pre { code {
            "curl '" (url) "' -H 'X-API-Key: agpt_…' -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '" (body) "'"
        } }
    }
}

/// The call's body with all that must be said, each as something of its kind to put one's own in place of.
fn body(computed: &Computed) -> String {
    let schema = &computed.input_schema;
    let asked = properties(schema).iter().filter(|(name, _)| is_required(schema, name));
    let inputs: Object = asked.map(|(name, pin)| (name.clone(), placeholder(pin))).collect();
    json!({ "node_input": inputs }).to_string()
}

fn placeholder(pin: &Value) -> Value {
    let first = |member: &str| pin[member].as_array().and_then(|values| values.first()).cloned();
    if let Some(choice) = first("enum") {
        return choice;
    }
    match pin["type"].as_str() {
        Some("number" | "integer") => json!(0),
        Some("boolean") => json!(false),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!("…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_what_must_be_said_and_nothing_else() {
        let schema = json!({
            "properties": {
                "topic": {"type": "string"}, "count": {"type": "integer"}, "deep": {"type": "boolean"},
                "kind": {"enum": ["short", "long"]}, "any": {}, "rest": {"default": 3},
            },
            "required": ["topic", "count", "deep", "kind", "any"],
        });
        let computed = Computed {
            input_schema: schema,
            output_schema: json!({}),
            has_external_trigger: false,
            has_human_in_the_loop: false,
            has_sensitive_action: false,
            trigger_setup_info: Value::Null,
        };
        let said: Value = serde_json::from_str(&body(&computed)).unwrap();
        let expected = json!({"topic": "…", "count": 0, "deep": false, "kind": "short", "any": "…"});
        assert_eq!(said, json!({ "node_input": expected }));
    }
}
