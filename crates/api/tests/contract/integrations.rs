//! Providers and credentials (`v1.md` 6).

use crate::testbed::{NOBODY, Testbed};
use heddle_api::ApiSettings;
use heddle_platform::Options;
use heddle_platform::integrations::{Overrides, Providers, Secret};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const OLLAMA: &str = "744fdc56-071a-4761-b5a5-0af0ce10a2b5";

fn bodies() -> [Value; 3] {
    [
        json!({"type": "api_key", "api_key": "sk-hunter2", "title": "Team key", "expires_at": null, "more": 1}),
        json!({"type": "user_password", "username": "ada-hunter2", "password": "hunter2", "title": "Mail"}),
        json!({"type": "host_scoped", "host": "*.example.com", "headers": {"X-Key": "hunter2"}, "title": "Ours"}),
    ]
}

#[tokio::test]
async fn providers_are_listed_by_name_with_what_they_take() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let listed = bed.get("/integrations/providers").of(&ada).send().await.expect(200);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.len() > 60);
    let fixed = "aiml_api anthropic apollo compass d_id discord e2b enrichlayer fal github google google_maps groq http \
                 hubspot ideogram jina llama_api medium mem0 notion nvidia ollama open_router openai openweathermap \
                 pinecone reddit replicate revid screenshotone slant3d smartlead smtp todoist twitter unreal_speech v0 \
                 webshare_proxy zerobounce";
    for name in fixed.split_whitespace() {
        let one = &listed[names.iter().position(|known| *known == name).expect(name)];
        assert_eq!(one["supports_api_key"], true, "{name}");
        assert_eq!(one["supports_user_password"], name == "smtp", "{name}");
        assert_eq!(one["supports_host_scoped"], name == "http", "{name}");
        let connects = ["discord", "github", "google", "notion", "reddit", "todoist", "twitter"].contains(&name);
        assert_eq!(one["supports_oauth"], connects, "{name}");
    }
    let one = |name: &str| &listed[names.iter().position(|known| *known == name).unwrap()];
    assert_eq!(
        *one("github"),
        json!({"name": "github", "supports_oauth": true, "supports_api_key": true, "supports_user_password": false,
            "supports_host_scoped": false, "default_scopes": []})
    );
    assert_eq!(one("discord")["default_scopes"], json!(["identify"]));
    assert_eq!(one("twitter")["default_scopes"].as_array().unwrap().len(), 18);
    assert_eq!(
        (&one("wordpress")["supports_oauth"], &one("wordpress")["supports_api_key"]),
        (&json!(true), &json!(false))
    );
    assert!(!names.contains(&"codex"));
}

#[tokio::test]
async fn credentials_of_each_type_are_kept_listed_and_removed() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let mut expected = Vec::new();
    for (body, provider) in bodies().into_iter().zip(["openai", "smtp", "http"]) {
        let path = format!("/integrations/{provider}/credentials");
        let made = bed.post(&path).of(&ada).json(&body).send().await.expect(201);
        let id = made["id"].as_str().unwrap().to_owned();
        assert_eq!(made, json!({"id": id, "provider": provider, "type": body["type"], "title": body["title"]}));
        let host = body.get("host").cloned().unwrap_or(Value::Null);
        expected.push(json!({"id": id, "provider": provider, "type": body["type"], "title": body["title"],
            "scopes": null, "username": null, "host": host, "is_managed": false}));
        let of_provider = bed.get(&path).of(&ada).send().await.expect(200);
        assert_eq!(of_provider, json!([expected.last()]));
    }
    let ollama = json!({"id": OLLAMA, "provider": "ollama", "type": "api_key", "title": "Use Credits for Ollama",
        "scopes": null, "username": null, "host": null, "is_managed": false});
    expected.push(ollama.clone());
    let all = bed.get("/integrations/credentials").of(&ada).send().await.expect(200);
    assert_eq!(all, json!(expected));
    assert!(!all.to_string().contains("hunter2"));
    assert_eq!(bed.get("/integrations/ollama/credentials").of(&ada).send().await.expect(200), json!([ollama]));
    assert_eq!(bed.get("/integrations/nope/credentials").of(&ada).send().await.expect(200), json!([]));

    let id = expected[0]["id"].as_str().unwrap();
    let delete = async |provider: &str, id: &str| {
        let path = format!("/external-api/v1/integrations/{provider}/credentials/{id}");
        bed.ask("DELETE", &path).of(&ada).send().await
    };
    let missing = json!({"detail": "Credentials not found"});
    assert_eq!(delete("anthropic", id).await.expect(404), missing, "the provider is another");
    assert_eq!(delete("openai", &id.to_uppercase()).await.expect(404), missing);
    assert_eq!(delete("openai", id).await.expect(200), json!({"deleted": true, "credentials_id": id}));
    assert_eq!(delete("openai", id).await.expect(404), missing);
    let refused = delete("ollama", OLLAMA).await.expect(403);
    assert_eq!(refused, json!({"detail": "System-managed credentials cannot be deleted"}));
    assert_eq!(delete("openai", OLLAMA).await.expect(404), missing);
    let left = bed.get("/integrations/credentials").of(&ada).send().await.expect(200);
    assert_eq!(left, json!(expected[1..]));
}

#[tokio::test]
async fn credentials_of_somebody_else_look_missing_everywhere() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let made = bed.post("/integrations/openai/credentials").of(&ada).json(&bodies()[0]).send().await.expect(201);
    let id = made["id"].as_str().unwrap();
    for path in ["/integrations/credentials", "/integrations/openai/credentials"] {
        let listed = bed.get(path).of(&bob).send().await.expect(200).to_string();
        assert!(!listed.contains(id), "{listed}");
    }
    let delete = async |id: &str| {
        let path = format!("/external-api/v1/integrations/openai/credentials/{id}");
        bed.ask("DELETE", &path).of(&bob).send().await.expect(404)
    };
    assert_eq!(delete(id).await, delete(NOBODY).await);
    let block = async |id: &str| {
        let credentials = json!({"id": id, "provider": "http", "type": "host_scoped"});
        let body = json!({"url": "https://a.example/", "credentials": credentials});
        let path = "/blocks/fff86bcd-e001-4bad-a7f6-2eae4720c8dc/execute";
        bed.post(path).of(&bob).json(&body).send().await.expect(400)["detail"].clone()
    };
    assert_eq!(block(id).await, format!("Unknown credentials #{id}"));
    assert_eq!(block(NOBODY).await, format!("Unknown credentials #{NOBODY}"));
    let still = bed.get("/integrations/openai/credentials").of(&ada).send().await.expect(200);
    assert_eq!(still.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_is_told_what_is_wrong_with_its_arm_of_the_union() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    for (body, wrong) in [
        (
            json!({"type": "user_password"}),
            json!([
                ["missing", ["body", "user_password", "username"]],
                ["missing", ["body", "user_password", "password"]],
                ["missing", ["body", "user_password", "title"]]
            ]),
        ),
        (
            json!({"type": "api_key", "api_key": null, "title": 1, "expires_at": "x"}),
            json!([
                ["string_type", ["body", "api_key", "api_key"]],
                ["string_type", ["body", "api_key", "title"]],
                ["int_parsing", ["body", "api_key", "expires_at"]]
            ]),
        ),
        (
            json!({"type": "host_scoped", "host": "a", "headers": [], "title": "t"}),
            json!([["dict_type", ["body", "host_scoped", "headers"]]]),
        ),
        (json!({"type": "API_KEY"}), json!([["union_tag_invalid", ["body"]]])),
        (json!({"type": null}), json!([["union_tag_invalid", ["body"]]])),
    ] {
        let answer = bed.post("/integrations/openai/credentials").of(&ada).json(&body).send().await.expect(422);
        let found: Value =
            answer["detail"].as_array().unwrap().iter().map(|item| json!([item["type"], item["loc"]])).collect();
        assert_eq!(found, wrong, "{body}");
    }
    let codex = bed.post("/integrations/codex/credentials").of(&ada).json(&bodies()[0]).send().await.expect(400);
    assert_eq!(codex["detail"], "Codex credentials must be created through ChatGPT sign-in");
    let host = json!({"type": "host_scoped", "host": "https://a.example/x", "headers": {"a": "b"}, "title": "t"});
    let refused = bed.post("/integrations/http/credentials").of(&ada).json(&host).send().await.expect(400);
    assert_eq!(refused["detail"], "\"https://a.example/x\" is not a host");
}

#[tokio::test]
async fn keys_that_the_operator_set_are_everybodys_and_nobodys_to_remove() {
    let set = Overrides { api_key: Some(Secret::new("sk-hunter2".to_owned())), ..Overrides::default() };
    let providers = Providers::new(None, BTreeMap::from([("openai".to_owned(), set)])).unwrap();
    let options = Options { providers: Some(Arc::new(providers)), ..Options::default() };
    let bed = Testbed::opened(ApiSettings::default(), options).await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let of = async |person| bed.get("/integrations/openai/credentials").of(person).send().await.expect(200);
    let listed = of(&ada).await;
    assert_eq!((&listed, listed[0]["title"].as_str()), (&of(&bob).await, Some("Use Credits for OpenAI")));
    assert!(!listed.to_string().contains("hunter2"));
    let id = listed[0]["id"].as_str().unwrap();
    let path = format!("/external-api/v1/integrations/openai/credentials/{id}");
    let refused = bed.ask("DELETE", &path).of(&ada).send().await.expect(403);
    assert_eq!(refused, json!({"detail": "System-managed credentials cannot be deleted"}));
}

#[tokio::test]
async fn the_start_of_a_run_takes_credentials_by_field() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let field = "a.example-http_host_scoped_credentials";
    let graph = json!({
        "name": "Asks", "description": "",
        "nodes": [{"id": "a", "block_id": "fff86bcd-e001-4bad-a7f6-2eae4720c8dc",
            "input_default": {"url": "https://a.example:1/"}}],
        "links": [],
    });
    let saved = bed.save(&ada, &graph).await;
    assert_eq!(saved["credentials_input_schema"]["required"], json!([field]));
    let path = format!("/graphs/{}/execute/1", saved["id"].as_str().unwrap());
    let start = async |body: Value| bed.post(&path).of(&ada).json(&body).send().await;
    let node = saved["nodes"][0]["id"].as_str().unwrap();
    let refusal = |text: &str| json!({"detail": format!("Graph validation failed: 1 issues on 1 nodes\n  {node}:\n    credentials: {text}")});
    assert_eq!(start(json!({})).await.expect(400), refusal("These credentials are required"));
    let unknown = json!({"id": NOBODY, "provider": "http", "type": "host_scoped"});
    let text = format!("Unknown credentials #{NOBODY}");
    for body in [json!({"node_input": {field: unknown}}), json!({"credentials_inputs": {field: unknown}})] {
        assert_eq!(start(body).await.expect(400), refusal(&text));
    }
    let made = bed.post("/integrations/http/credentials").of(&ada).json(&bodies()[2]).send().await.expect(201);
    let given = json!({"id": made["id"], "provider": "http", "type": "host_scoped", "title": "Ours"});
    start(json!({"node_input": {field: given}})).await.expect(200);
    let wrong = start(json!({"credentials_inputs": 1})).await.expect(422);
    assert_eq!(wrong["detail"][0]["loc"], json!(["body", "credentials_inputs"]));
}
