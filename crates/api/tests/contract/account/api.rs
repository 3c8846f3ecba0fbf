//! The JSON account API (`auth.md` 2.4).

use super::browser::{Browser, server};
use crate::testbed::{Answer, NOBODY, without_ids};
use heddle_model::Scope;
use serde_json::{Value, json};

const KEYS: &str = "/api/api-keys";

impl Browser<'_> {
    async fn json(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let ask = self.bed.ask(method, path).header("sec-fetch-site", "same-origin");
        let ask = match body {
            Some(body) => ask.json(&body),
            None => ask,
        };
        self.send(ask).await
    }

    async fn key(&mut self, name: &str, permissions: &[&str]) -> (String, String) {
        let body = json!({ "name": name, "permissions": permissions });
        let made = self.json("POST", KEYS, Some(body)).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["api_key"]["id"]), text(&made["plain_text_key"]))
    }
}

#[tokio::test]
async fn a_key_is_made_shown_once_and_opens_what_it_was_made_for() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let body = json!({ "name": "CI", "permissions": ["IDENTITY", "RUN_AGENT"], "description": null });
    let made = ada.json("POST", KEYS, Some(body)).await.expect(200);
    let (record, key) = (&made["api_key"], made["plain_text_key"].as_str().unwrap());
    let names: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "user_id",
        "scopes",
        "type",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "id",
        "name",
        "head",
        "tail",
        "status",
        "description",
        "organization_id",
        "team_id_restriction",
    ];
    assert_eq!(names, expected);
    assert_eq!(record["scopes"], json!(["IDENTITY", "RUN_AGENT"]));
    assert_eq!((&record["type"], &record["status"]), (&json!("api_key"), &json!("ACTIVE")));
    assert_eq!(json!([record["head"], record["tail"]]), json!([key[..8], key[40..]]));
    assert_eq!(bed.get("/me").key(key).send().await.expect(200)["email"], "ada@example.org");
    assert_eq!(bed.get("/blocks").key(key).send().await.status, 403);

    let listed = ada.json("GET", KEYS, None).await;
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(key));
    assert_eq!(listed.expect(200)[0]["id"], record["id"]);
    let path = format!("{KEYS}/{}", record["id"].as_str().unwrap());
    assert_eq!(ada.json("GET", &path, None).await.expect(200)["name"], "CI");
}

#[tokio::test]
async fn a_key_is_suspended_resumed_given_other_permissions_and_revoked_for_good() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (id, key) = ada.key("CI", &["IDENTITY"]).await;
    let path = format!("{KEYS}/{id}");
    let me = async || bed.get("/me").key(&key).send().await.status.as_u16();
    assert_eq!(me().await, 200);
    for (method, end, body, status, opens) in [
        ("POST", "/suspend", None, "SUSPENDED", 401),
        ("POST", "/suspend", None, "SUSPENDED", 401),
        ("POST", "/resume", None, "ACTIVE", 200),
        ("PUT", "/permissions", Some(json!({ "permissions": ["READ_BLOCK"] })), "ACTIVE", 403),
        ("PUT", "/permissions", Some(json!({ "permissions": ["IDENTITY"] })), "ACTIVE", 200),
        ("DELETE", "", None, "REVOKED", 401),
        ("POST", "/resume", None, "REVOKED", 401),
        ("POST", "/suspend", None, "REVOKED", 401),
    ] {
        let record = ada.json(method, &format!("{path}{end}"), body).await.expect(200);
        assert_eq!((record["status"].as_str(), me().await), (Some(status), opens), "{method} {end}");
        assert_eq!(record["revoked_at"].is_null(), status != "REVOKED", "{method} {end}");
    }
}

#[tokio::test]
async fn somebody_elses_key_looks_missing() {
    let bed = server().await;
    let (mut ada, mut bob) = (Browser::of(&bed, "ada").await, Browser::of(&bed, "bob").await);
    let (id, key) = ada.key("CI", &["IDENTITY"]).await;
    for (method, end, body) in [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/suspend", None),
        ("POST", "/resume", None),
        ("PUT", "/permissions", Some(json!({ "permissions": [] }))),
    ] {
        let mut answers = Vec::new();
        for id in [id.as_str(), NOBODY, "nonsense"] {
            let path = format!("{KEYS}/{id}{end}");
            let answer = bob.json(method, &path, body.clone()).await.expect(404);
            let expected = match method {
                "GET" => json!({ "detail": "API key not found" }),
                _ => json!({
                    "message": format!("Failed to process {method} {path}"),
                    "detail": format!("API key with id {id} not found"),
                    "hint": "Adjust the request and retry.",
                }),
            };
            assert_eq!(answer, expected);
            answers.push(without_ids(&answer.to_string()));
        }
        assert_eq!(answers[0], answers[1]);
    }
    assert_eq!(bob.json("GET", KEYS, None).await.expect(200), json!([]));
    assert_eq!(bed.get("/me").key(&key).send().await.status, 200);
}

#[tokio::test]
async fn bad_bodies_are_refused_in_the_words_of_the_contract() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let names: Vec<_> = Scope::ALL.iter().map(|scope| format!("'{scope}'")).collect();
    let expected = format!("{} or {}", names[..names.len() - 1].join(", "), names[names.len() - 1]);
    let body = json!({ "name": "CI", "permissions": ["IDENTITY", "identity"] });
    let refused = ada.json("POST", KEYS, Some(body)).await.expect(422);
    let item = json!({
        "type": "enum", "loc": ["body", "permissions", 1], "msg": format!("Input should be {expected}"),
        "input": "identity", "ctx": { "expected": expected },
    });
    assert_eq!(refused["detail"], json!([item]));
    for (body, kind, place) in [
        (json!({}), "missing", json!(["body", "name"])),
        (json!({ "name": 1, "permissions": [] }), "string_type", json!(["body", "name"])),
        (json!({ "name": "x" }), "missing", json!(["body", "permissions"])),
        (json!({ "name": "x", "permissions": "IDENTITY" }), "list_type", json!(["body", "permissions"])),
        (json!({ "name": "x", "permissions": [], "description": 1 }), "string_type", json!(["body", "description"])),
        (json!([]), "model_attributes_type", json!(["body"])),
    ] {
        let refused = ada.json("POST", KEYS, Some(body.clone())).await.expect(422);
        assert_eq!((&refused["detail"][0]["type"], &refused["detail"][0]["loc"]), (&json!(kind), &place), "{body}");
    }
}

#[tokio::test]
async fn only_a_session_opens_it_and_only_for_pages_of_this_server() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (_, key) = ada.key("CI", &["IDENTITY"]).await;
    let missing = json!({ "detail": "Authorization header is missing" });
    assert_eq!(bed.ask("GET", KEYS).send().await.expect(401), missing);
    assert_eq!(bed.ask("GET", KEYS).key(&key).send().await.expect(401), missing);
    let over = bed.ask("GET", KEYS).header("cookie", "__Host-heddle_session=made-up").send().await;
    assert_eq!(over.expect(401), json!({ "detail": "Token has expired" }));
    let plain = ada.cookies["__Host-heddle_session"].clone();
    let tossed = bed.ask("GET", KEYS).header("cookie", &format!("heddle_session={plain}")).send().await;
    assert_eq!(tossed.expect(401), missing);

    let page = ada.page("/settings/api-keys").await;
    let token = super::browser::token(&page).to_owned();
    let body = json!({ "name": "CI", "permissions": [] });
    for (headers, status) in [
        (&[("sec-fetch-site", "same-origin")][..], 200),
        (&[("origin", "https://agents.example.org")], 200),
        (&[("x-csrf-token", &*token)], 200),
        (&[("origin", "null"), ("x-csrf-token", &*token)], 200),
        (&[("sec-fetch-site", "none"), ("x-csrf-token", &*token)], 200),
        (&[("origin", "null"), ("sec-fetch-site", "same-origin")], 200),
        (&[], 403),
        (&[("origin", "null")], 403),
        (&[("sec-fetch-site", "none")], 403),
        (&[("x-csrf-token", "made-up")], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "https://evil.example"), ("x-csrf-token", &*token)], 403),
        (&[("origin", "https://agents.example.org.evil.example")], 403),
        (&[("origin", "http://agents.example.org")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://agents.example.org")], 403),
    ] {
        let ask = headers.iter().fold(bed.ask("POST", KEYS).json(&body), |ask, (name, value)| ask.header(name, value));
        let answer = ada.send(ask).await;
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 403 {
            let detail = "This request was not made by a page of this server.";
            assert_eq!(answer.json(), json!({ "detail": detail }));
        }
    }
    let another = Browser::of(&bed, "bob").await;
    let mut bob = another;
    let foreign = bed.ask("POST", KEYS).json(&body).header("x-csrf-token", &token);
    assert_eq!(bob.send(foreign).await.status, 403, "a token of somebody else's session");
}
