//! Scopes × routes, generated from the document.

use crate::document;
use crate::testbed::{NOBODY, Testbed, V1};
use heddle_model::Scope;
use serde_json::{Value, json};

/// RFC 9728, 5.1.
const RESOURCE: &str = "resource_metadata=\"http://127.0.0.1:8006/.well-known/oauth-protected-resource/external-api\"";

/// Method, path and needed scopes of every operation.
pub async fn operations(bed: &Testbed) -> Vec<(String, String, Vec<Scope>)> {
    let document = bed.get("/openapi.json").send().await.expect(200);
    let scopes = |operation: &Value| {
        let scopes = operation["x-required-scopes"].as_array().unwrap().iter();
        scopes.map(|scope| Scope::parse(scope.as_str().unwrap()).unwrap()).collect()
    };
    let all = document::operations(&document);
    all.map(|(method, path, operation)| (method.to_uppercase(), path.to_owned(), scopes(operation))).collect()
}

/// A template with every parameter filled, integers where one is wanted.
pub fn filled(path: &str, id: &str) -> String {
    let part = |part: &str| match part {
        "{graph_version}" => "1".to_owned(),
        part if part.starts_with('{') => id.to_owned(),
        part => part.to_owned(),
    };
    format!("{V1}{}", path.split('/').map(part).collect::<Vec<_>>().join("/"))
}

#[tokio::test]
async fn every_route_wants_a_good_credential_with_its_scopes() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let none = bed.key(ada.user, &[]).await;
    for (method, path, needed) in operations(&bed).await {
        let ask = || bed.ask(&method, &filled(&path, NOBODY)).header("content-type", "application/json").raw("{}");
        let names = |scopes: &[Scope]| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>();

        let answer = ask().send().await;
        assert_eq!(
            answer.header("www-authenticate"),
            format!("Bearer realm=\"http://127.0.0.1:8006\", {RESOURCE}"),
            "{path}"
        );
        let body = answer.expect(401);
        assert_eq!(body, json!({ "detail": "Missing authentication. Provide API key or access token." }), "{path}");

        let answer = ask().key("agpt_wrong").send().await;
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{path}");
        assert_eq!(answer.expect(401), json!({ "detail": "Invalid API key" }), "{path}");

        let answer = ask().key(&none).send().await;
        let challenge = format!("error=\"insufficient_scope\", scope=\"{}\", {RESOURCE}", names(&needed).join(" "));
        assert!(answer.header("www-authenticate").ends_with(&challenge), "{path}");
        let missing = format!("Missing required permission(s): {}", names(&needed).join(", "));
        assert_eq!(answer.expect(403), json!({ "detail": missing }), "{path}");

        // Every scope but one of the needed.
        for lacking in &needed {
            let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| scope != lacking).collect();
            let key = bed.key(ada.user, &others).await;
            let missing = format!("Missing required permission(s): {lacking}");
            assert_eq!(ask().key(&key).send().await.expect(403), json!({ "detail": missing }), "{path}");
        }

        let key = bed.key(ada.user, &needed).await;
        for ask in [ask().key(&key), ask().header("authorization", &format!("bEaReR {key}"))] {
            let status = ask.send().await.status.as_u16();
            assert!(![401, 403, 429].contains(&status) && status < 500, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn a_bad_key_is_not_rescued_by_a_good_bearer() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let bearer = format!("Bearer {}", ada.key);
    let both = bed.get("/me").key("agpt_wrong").header("authorization", &bearer).send().await;
    assert_eq!(both.expect(401), json!({ "detail": "Invalid API key" }));
    let empty = bed.get("/me").key("").header("authorization", &bearer).send().await;
    assert_eq!(empty.expect(200)["email"], "ada@example.org");
    for (authorization, detail) in [
        ("Bearer agpt_xt_none", "Invalid token: access token not found"),
        ("Bearer nonsense", "Invalid token: access token not found"),
        ("Bearer ", "Missing authentication. Provide API key or access token."),
        ("Bearer", "Missing authentication. Provide API key or access token."),
        ("Basic eDp5", "Missing authentication. Provide API key or access token."),
    ] {
        let answer = bed.get("/me").header("authorization", authorization).send().await;
        assert_eq!(answer.expect(401), json!({ "detail": detail }), "{authorization}");
    }
}

#[tokio::test]
async fn a_revoked_key_and_a_disabled_account_are_refused() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let me = async |key: &str| bed.get("/me").key(key).send().await.status.as_u16();
    assert_eq!((me(&ada.key).await, me(&bob.key).await), (200, 200));
    let id = bed.platform.keys.list(ada.user).await.unwrap()[0].id;
    bed.platform.keys.revoke(ada.user, &id.to_string()).await.unwrap();
    bed.platform.accounts.disable("bob@example.org").await.unwrap();
    assert_eq!((me(&ada.key).await, me(&bob.key).await), (401, 401));
}
