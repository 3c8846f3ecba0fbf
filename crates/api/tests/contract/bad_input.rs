//! Whatever is sent, the answer is the contract's and never a failure of the server.

use crate::access::{filled, operations};
use crate::testbed::{NOBODY, OUTPUT, Testbed, V1, echo};
use serde_json::{Value, json};

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_before_the_credential_is_looked_at() {
    let bed = Testbed::new().await;
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat().into_bytes();
    let unreadable = json!({ "detail": "There was an error parsing the body" });
    for (method, path, _) in operations(&bed).await {
        if method != "POST" || path.ends_with("/stop") {
            continue;
        }
        let post = async |body: Vec<u8>| bed.ask("POST", &filled(&path, NOBODY)).raw(body).send().await;
        for (body, at, text) in [
            (&b"{"[..], 1, "Expecting property name enclosed in double quotes"),
            (b"{\"a\":1,}", 7, "Expecting property name enclosed in double quotes"),
            (b"[1 2]", 3, "Expecting ',' delimiter"),
            (b"{} x", 3, "Extra data"),
            (b"NaN", 0, "Expecting value"),
            (b"{\"a\": -Infinity}", 6, "Expecting value"),
            (b"\"\\ud800\"", 1, "Unpaired surrogate escape"),
            (b"1e999", 0, "Number out of range"),
            (b" ", 1, "Expecting value"),
        ] {
            let item = json!({ "type": "json_invalid", "loc": ["body", at], "msg": "JSON decode error", "input": {},
                               "ctx": { "error": text } });
            assert_eq!(post(body.to_vec()).await.expect(422)["detail"], json!([item]), "{path}");
        }
        for body in [b"{\"a\":\"\xff\"}".to_vec(), nested(129), nested(5_000), b"[".repeat(100_000)] {
            assert_eq!(post(body).await.expect(400), unreadable, "{path}");
        }
        assert_eq!(post(nested(128)).await.status, 401, "{path}");
        let big = post(vec![b' '; 10 << 20]).await;
        assert_eq!(big.expect(413), json!({ "detail": "Request body too large" }), "{path}");
        for wait in [&[][..], &[("expect", "100-continue")]] {
            let ask = bed.ask("POST", &filled(&path, NOBODY)).header("content-length", "99999999").raw("{}");
            let ask = wait.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
            ask.send().await.expect(413);
        }
    }
}

#[tokio::test]
async fn ids_of_every_wrong_kind_name_nothing() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let upper = graph.to_uppercase();
    let long = "x".repeat(5_000);
    // A provider is a name, not an id: of one that nobody knows there are no credentials, which is no mistake.
    let names_ids = |path: &str| path.contains('{') && (!path.contains("{provider}") || path.contains("{cred_id}"));
    for (method, path, _) in operations(&bed).await.into_iter().filter(|(_, path, _)| names_ids(path)) {
        for id in [
            "x",
            "%00",
            "a%00b",
            "%F0%9F%A6%80",
            "%C3%A9",
            "%20",
            "..%2F..%2Fetc",
            "%27%20OR%201=1--",
            "%25",
            "null",
            "0",
            "-1",
            "{}",
            &upper,
            &long,
        ] {
            let answer = bed.ask(&method, &filled(&path, id)).of(&ada).json(&json!({})).send().await;
            assert!([400, 404].contains(&answer.status.as_u16()), "{method} {path} {id}: {}", answer.json());
            assert!(answer.json()["detail"].as_str().unwrap().contains("not found"), "{method} {path} {id}");
        }
        // Not text at all, nothing, and dots that a client should have removed.
        for id in ["%FF", "", ".", ".."] {
            let answer = bed.ask(&method, &filled(&path, id)).of(&ada).json(&json!({})).send().await;
            // An empty last part is a slash too many.
            assert!([307, 400, 404].contains(&answer.status.as_u16()), "{method} {path} {id}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn graphs_that_do_not_hold_together_are_refused() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut graph = echo();
        change(&mut graph);
        graph
    };
    for (graph, part) in [
        (with(&|graph| graph["links"][0]["sink_id"] = json!("zz")), "zz is invalid node id"),
        (with(&|graph| graph["links"][0]["source_id"] = json!("")), " is invalid node id"),
        (with(&|graph| graph["links"][0]["source_name"] = json!("nope")), "`nope` invalid, Allowed fields: {'result'}"),
        (with(&|graph| graph["nodes"][0]["block_id"] = json!("nope")), "nope is invalid block id"),
        (with(&|graph| graph["nodes"][0]["block_id"] = json!("\u{0}")), " is invalid block id"),
        (
            with(&|graph| {
                graph["links"] = json!([]);
                graph["nodes"][0]["block_id"] = json!("nope");
            }),
            "Invalid block nope for node #",
        ),
        (with(&|graph| graph["nodes"][1]["input_default"] = json!({})), "This field is required"),
        (with(&|graph| graph["nodes"][0]["input_default"] = json!({})), "This field is required"),
        (with(&|graph| graph["nodes"][0]["input_default"]["name"] = json!("credentials")), "reserved input name"),
    ] {
        let body = bed.post("/graphs").of(&ada).json(&graph).send().await.expect(400);
        assert!(body["detail"].as_str().unwrap().contains(part), "{part}: {body}");
        assert_eq!(body["message"], json!(format!("Failed to process POST {V1}/graphs")));
        assert_eq!(body["hint"], json!("Adjust the request and retry."));
    }
    assert_eq!(bed.get("/graphs").of(&ada).send().await.expect(200)["graphs"], json!([]), "nothing was stored");
}

#[tokio::test]
async fn odd_graphs_never_fail_the_server() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let many: Vec<Value> =
        (0..3_000).map(|_| json!({ "block_id": OUTPUT, "input_default": { "name": "n" } })).collect();
    let bad: Vec<Value> = (0..100_000).map(Value::from).collect();
    let same = |id: &str| json!({ "id": id, "block_id": OUTPUT, "input_default": { "name": "n" } });
    for graph in [
        json!({ "name": "", "description": "", "nodes": many }),
        json!({ "name": "x", "description": "y", "nodes": bad }),
        json!({ "name": "x", "description": "y", "nodes": [same("a"), same("a"), same("")] }),
        json!({ "name": "x\u{0}\u{7f}\u{202e}", "description": "\u{1F980}".repeat(10_000) }),
        json!({ "name": "x", "description": "y", "version": i64::MAX }),
        json!({ "name": "x", "description": "y", "version": i64::MIN }),
        json!({ "name": "x", "description": "y", "forked_from_id": "x".repeat(100_000), "forked_from_version": -1 }),
        json!({ "name": "x", "description": "y", "sub_graphs": [echo(), echo()] }),
        json!({ "name": "x", "description": "y", "nodes": [{ "block_id": OUTPUT, "input_default": { "name": [1] } }] }),
        json!({ "name": "x", "description": "y", "nodes": [{ "block_id": OUTPUT, "input_default": { "name": null } }] }),
    ] {
        let answer = bed.post("/graphs").of(&ada).json(&graph).send().await;
        assert!(answer.status.as_u16() < 500, "{}", answer.json());
        assert!(answer.bytes.len() < 10 << 20, "{} bytes", answer.bytes.len());
        if answer.status == 201 {
            let saved = answer.json();
            let path = format!("/graphs/{}/execute/{}", saved["id"].as_str().unwrap(), saved["version"]);
            let run = bed.post(&path).of(&ada).header("prefer", "wait=60").send().await;
            assert!(run.status.as_u16() < 500, "{}", run.json());
        }
    }
}

#[tokio::test]
async fn wrong_versions_are_unknown_graphs() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    for version in ["0", "-1", "2", "9223372036854775807", "-9223372036854775808"] {
        let answer = bed.post(&format!("/graphs/{graph}/execute/{version}")).of(&ada).send().await;
        assert_eq!(answer.expect(400), json!({ "detail": format!("Graph #{graph} not found.") }), "{version}");
        let answer = bed.get(&format!("/graphs/{graph}?version={version}")).of(&ada).send().await;
        assert_eq!(answer.expect(404), json!({ "detail": format!("Graph #{graph} not found.") }), "{version}");
    }
}
