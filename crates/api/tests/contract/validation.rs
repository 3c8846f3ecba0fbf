//! The 422 bodies of `v1.md` 1.4 that no recording shows.

use crate::testbed::{Testbed, V1, echo};
use serde_json::{Value, json};

const INTEGER: &str = "Input should be a valid integer, unable to parse string as an integer";
const FRACTION: &str = "Input should be a valid integer, got a number with a fractional part";
const TOO_BIG: &str = "Unable to parse input string as an integer, exceeded maximum size";
const DICTIONARY: &str = "Input should be a valid dictionary";
const MODEL: &str = "Input should be a valid dictionary or object to extract fields from";

fn item(kind: &str, loc: Value, msg: &str, input: Value) -> Value {
    json!({ "type": kind, "loc": loc, "msg": msg, "input": input })
}

#[tokio::test]
async fn start_bodies_are_checked_like_the_original_does() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let at = |version: &str| format!("/graphs/{graph}/execute/{version}");
    let missing = item("missing", json!(["body", "node_input"]), "Field required", Value::Null);
    let dict = |input| item("dict_type", json!(["body", "node_input"]), DICTIONARY, input);
    let why = "callback_url should be an https URL, or a place that outbound.allow names";
    let callback = json!({
        "type": "value_error", "loc": ["body", "callback_url"], "input": "http://example.org",
        "msg": format!("Value error, {why}"), "ctx": { "error": why },
    });
    let no_text = item("string_type", json!(["body", "callback_url"]), "Input should be a valid string", json!(5));
    let version = |kind, msg, input: &str| item(kind, json!(["path", "graph_version"]), msg, json!(input));
    for (v, content_type, body, items) in [
        ("1", "application/json", r#"{"node_input":null}"#, vec![dict(Value::Null)]),
        ("1", "application/json", "null", vec![missing.clone()]),
        ("1", "application/json", "3", vec![missing.clone()]),
        ("1", "text/plain", "{}", vec![missing.clone()]),
        ("1", "application/x-www-form-urlencoded", "node_input=1", vec![missing.clone()]),
        ("1", "application/json", r#"{"callback_url":"http://example.org"}"#, vec![callback.clone()]),
        ("1", "application/json", r#"{"callback_url":5}"#, vec![no_text]),
        (
            "abc",
            "application/json",
            r#"{"node_input":[],"callback_url":"http://example.org"}"#,
            vec![version("int_parsing", INTEGER, "abc"), dict(json!([])), callback],
        ),
        ("1.5", "application/json", "{}", vec![version("int_parsing", INTEGER, "1.5")]),
        (
            "99999999999999999999",
            "application/json",
            "",
            vec![version("int_parsing_size", TOO_BIG, "99999999999999999999")],
        ),
    ] {
        let answer = bed.post(&at(v)).of(&ada).header("content-type", content_type).raw(body).send().await;
        let expected = json!({
            "message": format!("Invalid data for POST {V1}{}", at(v)),
            "detail": items,
            "hint": "Ensure the request matches the API schema.",
        });
        assert_eq!(answer.expect(422), expected, "{v} {body}");
    }
    for (v, content_type, body) in [
        ("1", None, ""),
        ("1", Some("application/json"), ""),
        ("1", Some("application/json; charset=utf-8"), "{}"),
        ("1", None, "{\"node_input\":{}}"),
        ("1", None, "\u{feff}{}"),
        ("1", None, r#"{"callback_url":null}"#),
        ("1", None, r#"{"node_input":3,"node_input":{}}"#),
        ("+1", None, "{}"),
        ("%2B1", None, "{}"),
        ("1.0", None, "{}"),
        ("%201", None, "{}"),
    ] {
        let ask = bed.post(&at(v)).of(&ada).raw(body);
        let ask = content_type.into_iter().fold(ask, |ask, content_type| ask.header("content-type", content_type));
        ask.send().await.expect(200);
    }
}

#[tokio::test]
async fn graph_bodies_are_coerced_and_refused_like_the_original_does() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let with = |member: &str, value: Value| {
        let mut graph = echo();
        graph[member] = value;
        graph
    };
    let post = async |graph: &Value| bed.post("/graphs").of(&ada).json(graph).send().await;
    for (member, sent, stored) in [
        ("version", json!("2"), json!(2)),
        ("version", json!(" +3.0 "), json!(3)),
        ("version", json!(4.0), json!(4)),
        ("version", json!(true), json!(1)),
        ("is_active", json!("Yes"), json!(true)),
        ("is_active", json!(0), json!(false)),
        ("is_active", json!(1.0), json!(true)),
        ("instructions", json!(null), json!(null)),
        ("forked_from_version", json!("7"), json!(7)),
    ] {
        assert_eq!(post(&with(member, sent.clone())).await.expect(201)[member], stored, "{member} {sent}");
    }
    let body = |member: &str| json!(["body", member]);
    for (member, sent, expected) in [
        ("version", json!(1.5), item("int_from_float", body("version"), FRACTION, json!(1.5))),
        ("version", json!(null), item("int_type", body("version"), "Input should be a valid integer", json!(null))),
        ("version", json!(1e30), item("int_parsing_size", body("version"), TOO_BIG, json!(1e30))),
        ("is_active", json!([]), item("bool_type", body("is_active"), "Input should be a valid boolean", json!([]))),
        (
            "instructions",
            json!(5),
            item("string_type", body("instructions"), "Input should be a valid string", json!(5)),
        ),
        ("nodes", json!([5]), item("model_attributes_type", json!(["body", "nodes", 0]), MODEL, json!(5))),
        (
            "nodes",
            json!([{ "block_id": "x", "metadata": null }]),
            item("dict_type", json!(["body", "nodes", 0, "metadata"]), DICTIONARY, Value::Null),
        ),
        (
            "nodes",
            json!([{ "block_id": "x", "input_links": [{ "id": 1, "source_id": "", "sink_id": "", "source_name": "", "sink_name": "" }] }]),
            item(
                "string_type",
                json!(["body", "nodes", 0, "input_links", 0, "id"]),
                "Input should be a valid string",
                json!(1),
            ),
        ),
        ("sub_graphs", json!({}), item("list_type", body("sub_graphs"), "Input should be a valid list", json!({}))),
    ] {
        assert_eq!(post(&with(member, sent.clone())).await.expect(422)["detail"], json!([expected]), "{member} {sent}");
    }
    for (sent, expected) in [
        ("[]", item("model_attributes_type", json!(["body"]), MODEL, json!([]))),
        ("null", item("model_attributes_type", json!(["body"]), MODEL, Value::Null)),
        ("", item("missing", json!(["body"]), "Field required", Value::Null)),
    ] {
        assert_eq!(bed.post("/graphs").of(&ada).raw(sent).send().await.expect(422)["detail"], json!([expected]));
    }
    let nothing = bed.post("/blocks/x/execute").of(&ada).raw("null").send().await;
    assert_eq!(nothing.expect(422)["detail"], json!([item("dict_type", json!(["body"]), DICTIONARY, Value::Null)]));
}

#[tokio::test]
async fn page_numbers_below_one_and_other_than_numbers_are_refused() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let query = |name: &str, input: &str| item("int_parsing", json!(["query", name]), INTEGER, json!(input));
    for list in ["/graphs".to_owned(), format!("/graphs/{graph}/executions")] {
        for (asked, detail) in [
            ("page=0", json!("Page must be greater than 0")),
            ("page_size=0&page=0", json!("Page must be greater than 0")),
            ("page_size=-1", json!("Page size must be greater than 0")),
            ("page=x", json!([query("page", "x")])),
            ("page=", json!([query("page", "")])),
            ("page=1&page=y", json!([query("page", "y")])),
            ("page_size=z&page=x", json!([query("page", "x"), query("page_size", "z")])),
        ] {
            let answer = bed.get(&format!("{list}?{asked}")).of(&ada).send().await;
            assert_eq!(answer.expect(422)["detail"], detail, "{list} {asked}");
        }
        for asked in ["page=1.0", "page=%2B1", "page=1&page_size=1000", "other=x"] {
            bed.get(&format!("{list}?{asked}")).of(&ada).send().await.expect(200);
        }
    }
    let version = bed.get(&format!("/graphs/{graph}?version=x")).of(&ada).send().await;
    assert_eq!(version.expect(422)["detail"], json!([query("version", "x")]));
}
