//! A page of the whole document to read, without scripts.

use serde_json::{Map, Value};
use std::fmt::Write;

/// The document as HTML.
pub fn page(document: &Value) -> String {
    let mut html = String::from("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>");
    let title = escape(text(&document["info"]["title"]));
    let _ = write!(
        html,
        "{title}</title>\n<style>body{{font-family:sans-serif;max-width:60rem;margin:auto;padding:1rem}}\
         td,th{{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}}</style></head>\n<body>\n\
         <h1>{title} {}</h1>\n<p>Base path: <code>{}</code></p>\n",
        escape(text(&document["info"]["version"])),
        escape(text(&document["servers"][0]["url"])),
    );
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            write_operation(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>Schemas</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        write_schema(&mut html, name, schema);
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn write_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    let id = escape(text(&operation["operationId"]));
    let _ = writeln!(html, "<h2 id=\"{id}\"><code>{} {}</code></h2>", method.to_uppercase(), escape(path));
    for part in ["summary", "description"] {
        if let Some(words) = operation[part].as_str() {
            let _ = writeln!(html, "<p>{}</p>", escape(words).replace("\n\n", "</p><p>"));
        }
    }
    html.push_str("<table>\n");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (escape(text(&parameter["name"])), escape(text(&parameter["in"])));
        row(html, &name, &format!("{place}: {}", kind(&parameter["schema"])), &parameter["description"]);
    }
    if let Some(content) = operation["requestBody"]["content"].get("application/json") {
        row(html, "body", &kind(&content["schema"]), &operation["requestBody"]["description"]);
    }
    for (status, answer) in members(&operation["responses"]) {
        let schema = kind(&answer["content"]["application/json"]["schema"]);
        row(html, &escape(status), &schema, &answer["description"]);
    }
    html.push_str("</table>\n");
}

fn write_schema(html: &mut String, name: &str, schema: &Value) {
    let name = escape(name);
    let _ = writeln!(html, "<h3 id=\"{name}\">{name}</h3>");
    if let Some(words) = schema["description"].as_str() {
        let _ = writeln!(html, "<p>{}</p>", escape(words));
    }
    html.push_str("<table>\n");
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (member, schema) in members(&schema["properties"]) {
        let mark = if required.contains(&member.as_str()) { " (required)" } else { "" };
        row(html, &format!("{}{mark}", escape(member)), &kind(schema), &schema["description"]);
    }
    html.push_str("</table>\n");
}

fn row(html: &mut String, name: &str, kind: &str, description: &Value) {
    let _ = writeln!(
        html,
        "<tr><td><code>{name}</code></td><td>{kind}</td><td>{}</td></tr>",
        escape(description.as_str().unwrap_or_default())
    );
}

/// A few words for a schema; a link where it has a name.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escape(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            return schemas.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => escape(name),
        Value::Array(names) => escape(&names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")),
        _ => "any".to_owned(),
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
