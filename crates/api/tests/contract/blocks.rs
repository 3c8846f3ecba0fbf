//! Blocks: the list and its tag, and running one outside any graph (`v1.md` 3).

use crate::testbed::{Answer, INPUT, NOBODY, Testbed};
use flate2::bufread::GzDecoder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Read;

/// `FillTextTemplateBlock`.
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";

/// Every `$ref` and other member that begins with `$`, and every choice of one.
fn unresolved(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(unresolved).collect(),
        Value::Object(members) => {
            let odd = |(name, value): (&String, &Value)| {
                let of_one = ["allOf", "anyOf", "oneOf"].contains(&name.as_str())
                    && value.as_array().is_some_and(|list| list.len() == 1);
                let mut found = unresolved(value);
                if name.starts_with('$') || of_one {
                    found.push(name.clone());
                }
                found
            };
            members.iter().flat_map(odd).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn the_list_has_every_block_once_with_its_members_in_camel_case() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let list = bed.get("/blocks").of(&ada).send().await.expect(200);
    let list = list.as_array().unwrap();
    let mut ids = BTreeSet::new();
    for block in list {
        let names: Vec<_> = block.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "id",
            "name",
            "inputSchema",
            "outputSchema",
            "description",
            "categories",
            "contributors",
            "staticOutput",
            "uiType",
        ];
        assert_eq!(names, expected);
        assert!(ids.insert(block["id"].as_str().unwrap()), "{block}");
        assert_eq!(unresolved(block), Vec::<String>::new(), "{}", block["name"]);
        for category in block["categories"].as_array().unwrap() {
            assert!(category["category"].is_string() && category["description"].is_string(), "{block}");
        }
    }
    assert!(ids.contains(INPUT) && ids.contains(TEMPLATE));
    let again = Testbed::new().await;
    let bob = again.person("bob").await;
    assert_eq!(
        *again.get("/blocks").of(&bob).send().await.expect(200).as_array().unwrap(),
        *list,
        "the order is stable"
    );
}

#[tokio::test]
async fn the_list_is_compressed_and_sent_once() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let ask = async |headers: &[(&str, &str)]| -> Answer {
        headers.iter().fold(bed.get("/blocks").of(&ada), |ask, (name, value)| ask.header(name, value)).send().await
    };
    let (plain, packed) = (ask(&[]).await, ask(&[("accept-encoding", "br, gzip")]).await);
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed.bytes).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.bytes);
    assert!(packed.bytes.len() * 4 < plain.bytes.len());
    let tag = plain.header("etag");
    assert!(tag.starts_with("W/\"") && tag == packed.header("etag"), "{tag}");
    for answer in [&plain, &packed] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(answer.header("vary").contains("accept-encoding"));
    }
    for known in [tag, &tag[2..], &format!("\"x\", {tag}"), "*"] {
        for encoding in ["identity", "gzip"] {
            let same = ask(&[("if-none-match", known), ("accept-encoding", encoding)]).await;
            assert_eq!((same.status.as_u16(), same.bytes.len()), (304, 0), "{known}");
            assert_eq!((same.header("etag"), same.header("content-encoding")), (tag, ""));
            assert_eq!(same.header("x-content-type-options"), "nosniff");
            assert_eq!(same.header("cache-control"), "no-store, no-cache, must-revalidate, private");
        }
    }
    assert_eq!(ask(&[("if-none-match", "\"x\"")]).await.status, 200);
    // Who may not see the list is not told whether it is the same.
    let unknown = bed.get("/blocks").header("if-none-match", tag).send().await;
    assert_eq!(unknown.status, 401);
}

#[tokio::test]
async fn a_block_answers_with_every_value_of_every_pin() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let run = async |block: &str, body: Value| {
        bed.post(&format!("/blocks/{block}/execute")).of(&ada).json(&body).send().await
    };
    let template = json!({ "format": "Hello {{name}}", "values": { "name": "Ada" } });
    assert_eq!(run(TEMPLATE, template).await.expect(200), json!({ "output": ["Hello Ada"] }));
    assert_eq!(run(INPUT, json!({ "name": "x" })).await.expect(200), json!({}));
    let missing = run(TEMPLATE, json!({ "values": {} })).await.expect(400);
    assert_eq!(missing["detail"], "Unable to execute block with invalid input data: 'format' is a required property");
    assert_eq!(missing["hint"], "Adjust the request and retry.");
    let dropped = run(TEMPLATE, json!({ "format": null, "values": {} })).await.expect(400);
    assert_eq!(dropped["detail"], missing["detail"], "null counts as absent");
    for unknown in [NOBODY, &TEMPLATE.to_uppercase()] {
        let detail = json!({ "detail": format!("Block #{unknown} not found.") });
        assert_eq!(run(unknown, json!({})).await.expect(404), detail);
    }
}

#[tokio::test]
async fn a_disabled_block_is_not_listed_and_not_run() {
    const PRINT: &str = "f3b1c1b2-4c4f-4f0d-8d2f-4c4f0d8d2f4c";
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let listed = bed.get("/blocks").of(&ada).send().await.expect(200);
    assert!(listed.as_array().unwrap().iter().all(|block| block["id"] != PRINT));
    let answer = bed.post(&format!("/blocks/{PRINT}/execute")).of(&ada).json(&json!({"text": "x"})).send().await;
    assert_eq!(answer.expect(403), json!({ "detail": format!("Block #{PRINT} is disabled.") }));
}

#[tokio::test]
async fn the_library_is_the_callers_own() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let graph = bed.echo(&ada).await;
    let list = "/blocks/082602d3-a74d-4600-9e9c-15b3af7eae98/execute";
    let found = bed.post(list).of(&ada).json(&json!({"search_query": "ECHO"})).send().await.expect(200);
    assert_eq!((&found["total_count"], &found["total_pages"], &found["page"]), (&json!([1]), &json!([1]), &json!([1])));
    assert_eq!((&found["agent"][0]["agent_id"], &found["agents"][0]), (&json!(graph), &found["agent"]));
    let found = bed.post(list).of(&bob).json(&json!({})).send().await.expect(200);
    assert_eq!((&found["agents"], found.get("agent")), (&json!([[]]), None));
}
