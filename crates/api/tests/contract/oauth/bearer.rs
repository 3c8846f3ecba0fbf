use super::*;
use crate::access::{filled, operations};
use crate::testbed::NOBODY;

/// RFC 9728, 5.1.
const RESOURCE: &str =
    "resource_metadata=\"https://agents.example.org/.well-known/oauth-protected-resource/external-api\"";

/// `auth.md` 3 and 12.10, 10.
#[tokio::test]
async fn credentials_are_tried_in_their_order() {
    let bed = Bed::new().await;
    let tokens = bed.tokens("IDENTITY").await;
    let token = text(&tokens, "access_token");
    let me = bed.call("/me", token).await.expect(200);
    assert_eq!(me["email"], "ada@example.org");
    let scheme = bed.bed.get("/me").header("authorization", &format!("bEARER   {token} ")).send().await;
    scheme.expect(200);
    bed.call("/me", &bed.ada.key).await.expect(200);
    let bearer = format!("Bearer {token}");
    let beside = |key: &str| bed.bed.get("/me").key(key).header("authorization", &bearer).send();
    assert_eq!(beside("agpt_wrong").await.expect(401), json!({"detail": "Invalid API key"}));
    beside("").await.expect(200);
    beside(&bed.ada.key).await.expect(200);
    let as_key = bed.bed.get("/me").key(token).send().await;
    assert_eq!(as_key.expect(401), json!({"detail": "Invalid API key"}));
    let second = bed.bed.get("/me").header("authorization", "Bearer agpt_xt_no").header("authorization", &bearer);
    assert_eq!(second.send().await.expect(401)["detail"], "Invalid token: access token not found");
    for token in ["agpt_xt_unknown", "agpt_unknown", text(&tokens, "refresh_token"), "x"] {
        let answer = bed.call("/me", token).await;
        let challenge = format!(
            "Bearer realm=\"{ISSUER}\", error=\"invalid_token\", \
             error_description=\"Invalid token: access token not found\", {RESOURCE}"
        );
        assert_eq!(answer.header("www-authenticate"), challenge);
        assert_eq!(answer.expect(401), json!({"detail": "Invalid token: access token not found"}));
    }
    for path in ["/me?access_token=", "/me?token="] {
        let answer = bed.bed.get(&format!("{path}{token}")).send().await;
        assert_eq!(answer.header("www-authenticate"), format!("Bearer realm=\"{ISSUER}\", {RESOURCE}"));
        answer.expect(401);
    }
}

/// Every route of v1 by what the application was allowed.
#[tokio::test]
async fn every_route_wants_its_scopes_of_a_token() {
    let bed = Bed::new().await;
    let tokens = bed.tokens("openid").await;
    let authorization = format!("Bearer {}", text(&tokens, "access_token"));
    for (method, path, needed) in operations(&bed.bed).await {
        let ask = bed.bed.ask(&method, &filled(&path, NOBODY)).header("content-type", "application/json").raw("{}");
        let answer = ask.header("authorization", &authorization).send().await;
        let names: Vec<_> = needed.iter().map(|scope| scope.as_str()).collect();
        let challenge = format!(
            "Bearer realm=\"{ISSUER}\", error=\"insufficient_scope\", scope=\"{}\", {RESOURCE}",
            names.join(" ")
        );
        assert_eq!(answer.header("www-authenticate"), challenge, "{path}");
        let detail = format!("Missing required permission(s): {}", names.join(", "));
        assert_eq!(answer.expect(403), json!({ "detail": detail }), "{path}");
    }
    let allowed = bed.tokens("READ_BLOCK").await;
    bed.call("/blocks", text(&allowed, "access_token")).await.expect(200);
    bed.call("/me", text(&allowed, "access_token")).await.expect(403);
}

/// `auth.md` 5.3 and 7.5.
#[tokio::test]
async fn disabled_applications_and_accounts_are_refused_at_once() {
    let bed = Bed::new().await;
    let tokens = bed.tokens("IDENTITY").await;
    let server = &bed.bed.platform.authorization;
    let me = async || bed.call("/me", text(&tokens, "access_token")).await;
    me().await.expect(200);
    let (by, id) = (By::Person(bed.ada.user), bed.app.id.to_string());
    server.set_app_active(by, &id, false).await.unwrap();
    assert_eq!(me().await.expect(401), json!({"detail": "Client application is disabled"}));
    server.set_app_active(by, &id, true).await.unwrap();
    me().await.expect(200);
    bed.bed.platform.accounts.disable("ada@example.org").await.unwrap();
    assert_eq!(me().await.expect(401), json!({"detail": "Invalid token: access token has been revoked"}));
}

/// RFC 8707, 2.
#[tokio::test]
async fn a_token_for_something_else_opens_nothing_here() {
    let bed = Bed::new().await;
    for (resource, status) in [("/mcp", 401), ("/external-api", 200), ("/external-api/v1", 200), ("", 200)] {
        let tokens = bed.tokens(&format!("IDENTITY&resource={ISSUER}{resource}")).await;
        let answer = bed.call("/me", text(&tokens, "access_token")).await;
        assert_eq!(answer.status.as_u16(), status, "{resource}: {}", answer.json());
    }
}

#[tokio::test]
async fn an_operators_token_does_not_watch_over_the_server() {
    let bed = Bed::new().await;
    let tokens = bed.tokens("IDENTITY").await;
    let ask =
        bed.bed.ask("GET", "/metrics").header("authorization", &format!("Bearer {}", text(&tokens, "access_token")));
    assert_ne!(ask.send().await.status.as_u16(), 200);
}

/// `auth.md` 12.7.
#[tokio::test]
async fn userinfo_tells_who_the_person_is() {
    let bed = Bed::new().await;
    let path = "/api/oauth/userinfo";
    let tokens = bed.tokens("openid+email").await;
    let authorization = format!("Bearer {}", text(&tokens, "access_token"));
    for method in ["GET", "POST"] {
        let body = bed.bed.ask(method, path).header("authorization", &authorization).send().await.expect(200);
        assert_eq!(body, json!({"sub": bed.ada.user, "email": "ada@example.org", "email_verified": false}));
    }
    let none = bed.bed.ask("GET", path).send().await;
    assert_eq!(none.header("www-authenticate"), format!("Bearer realm=\"{ISSUER}\""));
    none.expect(401);
    let bad = bed.bed.ask("GET", path).header("authorization", "Bearer x").send().await;
    assert!(bad.header("www-authenticate").contains("error=\"invalid_token\""));
    assert_eq!(text(&bad.expect(401), "error"), "invalid_token");
    let other = bed.tokens("READ_BLOCK").await;
    let authorization = format!("Bearer {}", text(&other, "access_token"));
    let poor = bed.bed.ask("GET", path).header("authorization", &authorization).send().await;
    assert!(poor.header("www-authenticate").contains("error=\"insufficient_scope\", scope=\"openid\""));
    poor.expect(403);
}
