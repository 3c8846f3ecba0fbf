//! Connecting accounts: each status of `v1.md` 6, the web's own routes, and the way through the pages (`auth.md` 10).

use crate::account::browser::{Browser, ORIGIN, text};
use crate::mock::{Answer as Said, Mock, answer};
use crate::testbed::{Ask, Person, Testbed};
use heddle_api::ApiSettings;
use heddle_model::Scope;
use heddle_platform::integrations::{Overrides, Providers};
use heddle_platform::{Options, Policy};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

const JSON: &str = "content-type: application/json\r\n";
const CALLBACK: &str = "http://localhost:3000/cb";

/// A server that knows the provider `looms`, which gives these answers at its token endpoint.
pub struct Bed {
    pub bed: Testbed,
    mock: Mock,
    pub ada: Person,
    _folder: tempfile::TempDir,
}

pub fn tokens(more: &Value) -> Said {
    let mut body = json!({"access_token": "at-1", "refresh_token": "rt-1", "token_type": "bearer", "expires_in": 3600});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    answer(200, JSON, &body.to_string())
}

impl Bed {
    pub async fn new(answers: Vec<Said>) -> Self {
        let (mock, folder) = (Mock::start(answers).await, tempfile::tempdir().unwrap());
        let file = format!(
            "title: Looms\nbase_url: https://api.looms.example\ncredentials:\n  api_key: {{header: X-Key}}\n  oauth2: \
             {{header: Authorization, prefix: \"Bearer \"}}\noauth:\n  authorize: https://id.looms.example/authorize\n  \
             token: {}\n  scopes: [read]\n  pkce: true\n",
            mock.url("/token")
        );
        std::fs::write(folder.path().join("looms.yaml"), file).unwrap();
        let client = Overrides {
            client_id: Some("us".to_owned()),
            client_secret: Some("hush".to_owned().into()),
            ..Overrides::default()
        };
        let set = BTreeMap::from([("looms".to_owned(), client)]);
        let providers = Some(Arc::new(Providers::new(Some(folder.path()), set).unwrap()));
        let outbound = Policy::new(vec![mock.address.to_string().parse().unwrap()]);
        let settings = ApiSettings { public_url: Some(ORIGIN.to_owned()), ..ApiSettings::default() };
        let bed = Testbed::opened(settings, Options { providers, outbound, ..Options::default() }).await;
        let ada = bed.person("ada").await;
        Self { bed, mock, ada, _folder: folder }
    }

    async fn initiate(&self, provider: &str, body: &Value) -> crate::testbed::Answer {
        self.bed.post(&format!("/integrations/{provider}/oauth/initiate")).of(&self.ada).json(body).send().await
    }

    async fn complete(&self, who: &Person, provider: &str, body: &Value) -> crate::testbed::Answer {
        self.bed.post(&format!("/integrations/{provider}/oauth/complete")).of(who).json(body).send().await
    }

    async fn begun(&self) -> String {
        let begun = self.initiate("looms", &json!({ "callback_url": CALLBACK })).await.expect(200);
        begun["state_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_sign_in_begins_with_an_address_a_state_and_an_end() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let body = json!({ "callback_url": CALLBACK, "scopes": ["read", "write"], "state_metadata": { "job": "42" } });
    let begun = t.initiate("looms", &body).await.expect(200);
    assert_eq!(begun.as_object().unwrap().keys().collect::<Vec<_>>(), ["login_url", "state_token", "expires_at"]);
    let state = begun["state_token"].as_str().unwrap();
    assert!(state.len() == 43 && state.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    let url = Url::parse(begun["login_url"].as_str().unwrap()).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", CALLBACK),
        ("scope", "read write"),
        ("state", state),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    assert!(begun["expires_at"].is_i64());

    let done = t.complete(&t.ada, "looms", &json!({ "code": "c", "state_token": state })).await.expect(200);
    let expected = json!({
        "credentials_id": done["credentials_id"], "provider": "looms", "type": "oauth2", "title": null,
        "scopes": ["read", "write"], "username": null, "state_metadata": { "job": "42" },
    });
    assert_eq!(done, expected);
    let listed = t.bed.get("/integrations/looms/credentials").of(&t.ada).send().await.expect(200);
    assert_eq!(listed[0]["id"], done["credentials_id"]);
    assert_eq!((&listed[0]["type"], &listed[0]["scopes"]), (&json!("oauth2"), &json!(["read", "write"])));
    for secret in ["at-1", "rt-1", "hush"] {
        assert!(!listed.to_string().contains(secret) && !done.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn refusals_to_begin_have_the_contracts_words() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let origin =
        json!({ "detail": ["Callback URL origin is not allowed. Allowed origins: ['http://localhost:3000']"] });
    for (provider, callback, status, body) in [
        ("github", "https://evil.example/cb", 400, origin.clone()),
        ("nope", "https://evil.example/cb", 400, origin.clone()),
        ("looms", "http://localhost:3001/cb", 400, origin),
        ("nope", CALLBACK, 404, json!({ "detail": "Provider 'nope' does not support OAuth" })),
        ("openai", CALLBACK, 404, json!({ "detail": "Provider 'openai' does not support OAuth" })),
        ("Looms", CALLBACK, 404, json!({ "detail": "Provider 'Looms' does not support OAuth" })),
        (
            "notion",
            CALLBACK,
            501,
            json!({ "detail": {
                "message": "Integration with provider 'notion' is not configured.",
                "hint": "Set client ID and secret in the application's deployment environment",
            }}),
        ),
    ] {
        assert_eq!(t.initiate(provider, &json!({ "callback_url": callback })).await.expect(status), body, "{provider}");
    }
    for (body, at, kind) in [
        (json!({}), json!(["body", "callback_url"]), "missing"),
        (json!({ "callback_url": 7 }), json!(["body", "callback_url"]), "string_type"),
        (json!({ "callback_url": CALLBACK, "scopes": "x" }), json!(["body", "scopes"]), "list_type"),
        (json!({ "callback_url": CALLBACK, "scopes": [7] }), json!(["body", "scopes", 0]), "string_type"),
        (json!({ "callback_url": CALLBACK, "state_metadata": [] }), json!(["body", "state_metadata"]), "dict_type"),
    ] {
        let refused = t.initiate("looms", &body).await.expect(422);
        assert_eq!((&refused["detail"][0]["loc"], &refused["detail"][0]["type"]), (&at, &json!(kind)), "{body}");
    }
}

#[tokio::test]
async fn refusals_to_complete_have_the_contracts_words() {
    let t = Bed::new(vec![answer(400, JSON, r#"{"error":"invalid_grant"}"#)]).await;
    let bob = t.bed.person("bob").await;
    let state = t.begun().await;
    let body = json!({ "code": "c", "state_token": state });
    let invalid = json!({ "detail": "Invalid or expired state token" });
    assert_eq!(t.complete(&t.ada, "looms", &json!({ "code": "c", "state_token": "s" })).await.expect(400), invalid);
    assert_eq!(t.complete(&bob, "looms", &body).await.expect(400), invalid);
    assert_eq!(t.complete(&t.ada, "github", &body).await.expect(400), invalid);
    let failed = json!({ "detail": "OAuth2 callback failed to exchange code for tokens" });
    assert_eq!(t.complete(&t.ada, "looms", &body).await.expect(400), failed);
    // Used by that.
    assert_eq!(t.complete(&t.ada, "looms", &body).await.expect(400), invalid);
    for (body, member) in [(json!({ "code": "c" }), "state_token"), (json!({ "state_token": "s" }), "code")] {
        let refused = t.complete(&t.ada, "looms", &body).await.expect(422);
        assert_eq!(refused["detail"][0]["loc"], json!(["body", member]));
    }

    // An issuer that was not asked; the code is shown to nobody.
    let seen = t.mock.seen(1).await.len();
    let body = json!({ "code": "c", "state_token": t.begun().await, "iss": "https://evil.example" });
    assert_eq!(t.complete(&t.ada, "looms", &body).await.expect(400), failed);
    assert_eq!(t.mock.seen(1).await.len(), seen);
}

#[tokio::test]
async fn both_routes_need_their_scope() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let key = t.bed.key(t.ada.user, &[Scope::ReadIntegrations, Scope::DeleteIntegrations]).await;
    for route in ["initiate", "complete"] {
        let path = format!("/integrations/looms/oauth/{route}");
        t.bed.post(&path).json(&json!({})).send().await.expect(401);
        let refused = t.bed.post(&path).key(&key).json(&json!({})).send().await.expect(403);
        assert_eq!(refused["detail"], "Missing required permission(s): MANAGE_INTEGRATIONS");
    }
}

/// A request of a page's script.
fn scripted<'a>(bed: &'a Testbed, path: &str, body: &Value) -> Ask<'a> {
    bed.ask("POST", path).header("sec-fetch-site", "same-origin").json(body)
}

#[tokio::test]
async fn a_pages_script_connects_with_its_session_and_nothing_else_does() {
    let t = Bed::new(vec![tokens(&json!({ "scope": "read" }))]).await;
    let mut eva = Browser::of(&t.bed, "eva").await;
    assert_eq!(t.bed.ask("GET", "/api/integrations/looms/login").send().await.status, 401);
    assert_eq!(eva.get("/api/integrations/notion/login").await.status, 501);
    let begun = eva.get("/api/integrations/looms/login?scopes=read,write").await.expect(200);
    let url = Url::parse(begun["login_url"].as_str().unwrap()).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(query["scope"], "read write");
    assert_eq!(query["redirect_uri"], format!("{ORIGIN}/auth/integrations/oauth_callback"));
    let state = begun["state_token"].as_str().unwrap();
    let body = json!({ "code": "c", "state_token": state });

    // Another browser of the same person is somebody else.
    let page = format!("/auth/integrations/oauth_callback?code=c&state={state}");
    let mut other = Browser::new(&t.bed);
    other.sign_in("eva", "").await;
    assert_eq!(other.get(&page).await.status, 422);
    // The window shows what it was sent to the page that opened it, and does not complete it.
    let window = eva.get(&page).await;
    assert_eq!((window.status.as_u16(), window.header("cross-origin-opener-policy")), (200, "unsafe-none"));
    assert!(text(&window).contains(r#"data-code="c""#));
    let refused = eva.get(&format!("/auth/integrations/oauth_callback?error=access_denied&state={state}")).await;
    assert!(!text(&refused).contains("data-code") && text(&refused).contains("data-message="));

    let path = "/api/integrations/looms/callback";
    let foreign = t.bed.ask("POST", path).header("sec-fetch-site", "cross-site").json(&body);
    assert_eq!(eva.send(foreign).await.status, 403);
    let made = eva.send(scripted(&t.bed, path, &body)).await.expect(201);
    assert_eq!((&made["id"], &made["scopes"]), (&made["credentials_id"], &json!(["read"])));
    let again = eva.send(scripted(&t.bed, path, &body)).await.expect(400);
    assert_eq!(again["detail"], "Invalid or expired state token");

    let new = json!({ "type": "api_key", "api_key": "k-1", "title": "Team" });
    let kept = eva.send(scripted(&t.bed, "/api/integrations/looms/credentials", &new)).await.expect(201);
    assert_eq!((&kept["title"], &kept["type"]), (&json!("Team"), &json!("api_key")));
}

#[tokio::test]
async fn a_way_of_a_page_is_not_an_applications() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let mut eva = Browser::of(&t.bed, "eva").await;
    let begun = eva.get("/api/integrations/looms/login").await.expect(200);
    let account = t.bed.platform.accounts.named(Some("eva@example.org")).await.unwrap();
    let key = t.bed.key(account.id, Scope::ALL).await;
    let body = json!({ "code": "c", "state_token": begun["state_token"] });
    let refused = t.complete(&Person { user: account.id, key }, "looms", &body).await.expect(400);
    assert_eq!(refused["detail"], "State token was not created for external OAuth flow");
}

#[tokio::test]
async fn a_page_sends_its_person_to_the_provider_and_takes_him_back() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let mut eva = Browser::of(&t.bed, "eva").await;
    let page = eva.page("/settings/integrations").await;
    assert!(page.contains("You have not added anything.") && page.contains(">Looms</option>"), "{page}");
    let add = eva.get("/settings/integrations/add?provider=looms").await;
    let policy = add.header("content-security-policy");
    assert!(policy.contains("form-action 'self';") && policy.ends_with("connect-src 'self'"), "{policy}");
    assert_eq!(add.header("cross-origin-opener-policy"), "same-origin-allow-popups");
    assert_eq!(eva.get("/settings/integrations/add?provider=nope").await.status, 404);

    let away = async |eva: &mut Browser<'_>, back: &str| {
        let sent = eva.post("/settings/integrations/looms/connect", &[("back", back)]).await;
        assert_eq!(sent.status, 200);
        // No answer of a form: the service may send the browser on to wherever it likes.
        let url = Url::parse(sent.header("refresh").strip_prefix("0; url=").unwrap()).unwrap();
        assert_eq!(url.host_str(), Some("id.looms.example"));
        url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    };
    let state = away(&mut eva, "https://evil.example/").await;
    let back = eva.get(&format!("/auth/integrations/oauth_callback?code=c&state={state}")).await;
    assert_eq!((back.status.as_u16(), back.header("location")), (303, "/settings/integrations?said=connected"));
    let again = eva.get(&format!("/auth/integrations/oauth_callback?code=c&state={state}")).await;
    assert_eq!(again.status, 422);
    let listed = eva.page("/settings/integrations").await;
    assert!(listed.contains("Connected account") && listed.contains("never used"), "{listed}");

    // He says no there.
    let state = away(&mut eva, "").await;
    let back = eva.get(&format!("/auth/integrations/oauth_callback?error=access_denied&state={state}")).await;
    assert_eq!(back.header("location"), "/settings/integrations?said=not-connected");
    assert_eq!(eva.get(&format!("/auth/integrations/oauth_callback?code=c&state={state}")).await.status, 422);
}

#[tokio::test]
async fn secrets_of_three_kinds_are_kept_by_forms_and_removed() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let mut eva = Browser::of(&t.bed, "eva").await;
    for (provider, fields, shown) in [
        ("looms", &[("type", "api_key"), ("title", "Team key"), ("api_key", "hunter2-key")][..], "Team key"),
        (
            "smtp",
            &[
                ("type", "user_password"),
                ("title", "Letterbox"),
                ("username", "hunter2-name"),
                ("password", "hunter2-word"),
            ],
            "Letterbox",
        ),
        (
            "http",
            &[
                ("type", "host_scoped"),
                ("title", "Ours"),
                ("host", "*.example.org"),
                ("name-1", "X-Key"),
                ("value-1", "hunter2"),
            ],
            "Ours",
        ),
    ] {
        let kept = eva.post(&format!("/settings/integrations/{provider}/keep"), fields).await;
        assert_eq!(kept.header("location"), "/settings/integrations?said=kept", "{}", text(&kept));
        let page = eva.page("/settings/integrations").await;
        assert!(page.contains(shown) && !page.contains("hunter2"), "{page}");
    }
    for fields in [
        &[("type", "api_key"), ("title", "x")][..],
        &[("type", "api_key"), ("api_key", "hunter2")],
        &[("type", "api_key"), ("title", "x"), ("api_key", "hunter2"), ("base_url", "ftp://gate.example")],
        &[("type", "oauth2"), ("title", "x")],
        &[("type", "host_scoped"), ("title", "x"), ("host", "a b")],
    ] {
        let refused = eva.post("/settings/integrations/looms/keep", fields).await;
        assert!(refused.status == 422 && !text(&refused).contains("hunter2"), "{fields:?}");
    }
    let account = t.bed.platform.accounts.named(Some("eva@example.org")).await.unwrap();
    let gate = [("type", "api_key"), ("title", "Gate"), ("api_key", "k"), ("base_url", " http://127.0.0.1:9/v1 ")];
    assert_eq!(eva.post("/settings/integrations/looms/keep", &gate).await.status, 303);
    let looms = t.bed.platform.integrations.list_of(account.id, "looms").await.unwrap();
    let urls: Vec<_> = looms.iter().map(|one| one.base_url.as_deref()).collect();
    assert!(urls.contains(&Some("http://127.0.0.1:9/v1")) && urls.contains(&None), "{urls:?}");
    let own = t.bed.platform.integrations.list_of(account.id, "smtp").await.unwrap();
    let mut bob = Browser::of(&t.bed, "bob").await;
    let fields = [("provider", "smtp"), ("id", own[0].id.as_str())];
    assert_eq!(bob.post("/settings/integrations/remove", &fields).await.status, 404);
    let removed = eva.post("/settings/integrations/remove", &fields).await;
    assert_eq!(removed.header("location"), "/settings/integrations?said=removed");
    assert!(!eva.page("/settings/integrations").await.contains("Letterbox"));
}
