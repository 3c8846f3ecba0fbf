//! What members are called in many shapes and mean the same in all of them. What stands at a field in the code comes first.

use serde_json::Value;

/// Words by `Schema.member`, or by member alone.
const MEMBERS: &str = include_str!("members.json");

/// Describes every member that says nothing about itself.
pub fn add(document: &mut Value) {
    let words: Value = serde_json::from_str(MEMBERS).expect("the words are JSON");
    for (schema_name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        describe(schema, schema_name, &words);
        for choice in ["oneOf", "anyOf", "allOf"] {
            let schemas = schema.get_mut(choice).and_then(Value::as_array_mut);
            schemas.into_iter().flatten().for_each(|schema| describe(schema, schema_name, &words));
        }
    }
}

fn describe(schema: &mut Value, schema_name: &str, words: &Value) {
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, member) in members {
        let found = words.get(format!("{schema_name}.{name}")).or_else(|| words.get(name));
        if let (Some(words), Some(member)) = (found, member.as_object_mut())
            && !member.contains_key("$ref")
        {
            member.entry("description").or_insert_with(|| words.clone());
        }
    }
}
