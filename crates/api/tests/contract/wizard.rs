//! The Integration Setup Wizard: an application sends somebody to connect accounts, and gets him back (`auth.md` 10).

use crate::account::browser::{Browser, text};
use crate::connect::{Bed, tokens};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heddle_model::Scope;
use heddle_platform::authorization::By;
use heddle_platform::authorization::rules::client::GrantType;
use heddle_platform::authorization::rules::draft::Draft;
use serde_json::json;
use url::form_urlencoded::Serializer;

const PATH: &str = "/auth/integrations/setup-wizard";
const HOME: &str = "https://app.example/done?x=y";

/// An application that has registered [`HOME`]; its client id.
async fn application(t: &Bed) -> String {
    let draft = Draft {
        name: "Night Weaver".to_owned(),
        description: None,
        logo_url: None,
        redirect_uris: vec![HOME.to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: vec![Scope::Identity],
        is_public: true,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
    };
    let made = t.bed.platform.authorization.create_app(By::Person(t.ada.user), None, draft).await.unwrap();
    made.0.client_id
}

fn providers(json: &str) -> String {
    STANDARD.encode(json)
}

fn query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn address(pairs: &[(&str, &str)]) -> String {
    format!("{PATH}?{}", query(pairs))
}

/// What a form of a page holds in a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap()
}

fn unescaped(text: &str) -> String {
    text.replace("&amp;", "&").replace("&quot;", "\"")
}

#[tokio::test]
async fn somebody_connects_what_an_application_wants_and_goes_back_to_it() {
    let t = Bed::new(vec![tokens(&json!({ "scope": "read write" }))]).await;
    let client_id = application(&t).await;
    let wanted = providers(r#"[{"provider":"looms","scopes":["read","write"]},{"provider":"openai"}]"#);
    let pairs = [("client_id", client_id.as_str()), ("providers", &wanted), ("redirect_uri", HOME), ("state", "s&1")];

    // Nobody is signed in.
    let mut eva = Browser::new(&t.bed);
    let sent = eva.get(&address(&pairs)).await;
    assert!(sent.status == 303 && sent.header("location").starts_with("/login?next="), "{}", sent.header("location"));
    let mut eva = Browser::of(&t.bed, "eva").await;
    let answer = eva.get(&address(&pairs)).await;
    let page = text(&answer);
    for part in ["Night Weaver", "Connect with Looms", ">Connect 2 more<", "OpenAI", "disabled"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");

    // To the provider and back, without a script.
    let back = unescaped(hidden(&page, "back"));
    let sent = eva.post("/settings/integrations/looms/connect", &[("scopes", "read write"), ("back", &back)]).await;
    let state = sent.header("refresh").split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let returned = eva.get(&format!("/auth/integrations/oauth_callback?code=c&state={state}")).await;
    assert_eq!(returned.status, 303);
    let page = eva.page(returned.header("location")).await;
    assert!(page.contains("Connected") && page.contains(">Connect 1 more<"), "{page}");

    // A form, in the wizard.
    let back = unescaped(hidden(&page, "back"));
    let fields = [("type", "api_key"), ("title", "Team key"), ("api_key", "sk-1"), ("back", back.as_str())];
    let kept = eva.post("/settings/integrations/openai/keep", &fields).await;
    let page = eva.page(kept.header("location")).await;
    assert!(page.contains(">Continue<") && !page.contains("disabled"), "{page}");

    let setup = unescaped(hidden(&page, "setup"));
    let done = eva.post(PATH, &[("setup", &setup), ("decision", "continue")]).await;
    assert_eq!(
        (done.status.as_u16(), done.header("location")),
        (303, "https://app.example/done?x=y&success=true&state=s%261")
    );
    let gone = eva.post(PATH, &[("setup", &setup), ("decision", "cancel")]).await;
    let told = "https://app.example/done?x=y&error=user_cancelled&error_description=User+cancelled+the+integration+setup\
                &state=s%261&success=false";
    assert_eq!(gone.header("location"), told);

    // Next time there is something to pick.
    let page = eva.page(&address(&pairs)).await;
    assert!(page.contains("Use this") && page.contains(">Connect 2 more<"), "{page}");
    let pick = page.split("href=\"").find(|rest| rest.contains("chosen=openai")).unwrap().split('"').next().unwrap();
    assert!(eva.page(&unescaped(pick)).await.contains(">Connect 1 more<"));
}

#[tokio::test]
async fn nobody_continues_without_all_that_is_wanted_or_with_what_is_somebody_elses() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let client_id = application(&t).await;
    let wanted = providers(r#"[{"provider":"looms"}]"#);
    let (mut eva, mut bob) = (Browser::of(&t.bed, "eva").await, Browser::of(&t.bed, "bob").await);
    let fields = [("type", "api_key"), ("title", "Bob's"), ("api_key", "k")];
    bob.post("/settings/integrations/looms/keep", &fields).await;
    let account = t.bed.platform.accounts.named(Some("bob@example.org")).await.unwrap();
    let bobs = t.bed.platform.integrations.list_of(account.id, "looms").await.unwrap()[0].id.clone();
    for chosen in [String::new(), format!("looms:{bobs}"), "looms:".to_owned(), "other:x".to_owned()] {
        let pairs =
            [("client_id", client_id.as_str()), ("providers", &wanted), ("redirect_uri", HOME), ("chosen", &chosen)];
        let page = eva.page(&address(&pairs)).await;
        assert!(page.contains(">Connect 1 more<") && !page.contains("Bob"), "{chosen}: {page}");
        let refused = eva.post(PATH, &[("setup", &query(&pairs)), ("decision", "continue")]).await;
        assert!(refused.header("location").starts_with(PATH), "{chosen}: {}", refused.header("location"));
    }
}

#[tokio::test]
async fn a_browser_is_sent_only_where_it_may_go() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let client_id = application(&t).await;
    let wanted = providers(r#"[{"provider":"looms"}]"#);
    let mut eva = Browser::of(&t.bed, "eva").await;
    // An application has its own addresses, and none that is like them.
    for uri in [
        "https://evil.example/",
        "https://app.example/done",
        "https://app.example/done?x=y&z",
        "https://app.example/done?x=y#f",
        "https://app.example.evil.example/done?x=y",
        "http://app.example/done?x=y",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/settings/profile",
        "https://app.example@evil.example/done?x=y",
    ] {
        let pairs = [("client_id", client_id.as_str()), ("providers", &wanted), ("redirect_uri", uri)];
        let page = eva.page(&address(&pairs)).await;
        assert!(page.contains("Invalid redirect_uri"), "{uri}");
        for decision in ["cancel", "continue"] {
            let fields = [("setup", query(&pairs)), ("decision", decision.to_owned()), ("confirmed", "yes".to_owned())];
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let stays = eva.post(PATH, &fields).await;
            assert!(stays.status == 400 && stays.header("location").is_empty(), "{uri} {decision}");
        }
    }
    // Without one, the person sees the host and is asked.
    for client in ["", "agpt_client_unknown"] {
        let pairs = [
            ("client_id", client),
            ("providers", &wanted),
            ("redirect_uri", "https://other.example/x"),
            ("state", "s"),
        ];
        let asked = eva.post(PATH, &[("setup", &query(&pairs)), ("decision", "cancel")]).await;
        let page = text(&asked);
        assert!(asked.status == 200 && page.contains("https://other.example") && page.contains("Go there"), "{page}");
        let fields = [("setup", query(&pairs)), ("decision", "cancel".to_owned()), ("confirmed", "yes".to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let gone = eva.post(PATH, &fields).await;
        assert!(gone.header("location").starts_with("https://other.example/x?error=user_cancelled"), "{client}");
    }
    for uri in ["javascript:alert(1)", "myapp://cb", "https:/\\evil.example"] {
        let pairs = [("providers", wanted.as_str()), ("redirect_uri", uri)];
        assert!(eva.page(&address(&pairs)).await.contains("Invalid redirect_uri"), "{uri}");
    }
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let t = Bed::new(vec![tokens(&json!({}))]).await;
    let mut eva = Browser::of(&t.bed, "eva").await;
    let wanted = providers(r#"[{"provider":"looms"}]"#);
    for (pairs, parts, has_cancel) in [
        (&[][..], &["Missing parameters", "providers", "redirect_uri"][..], false),
        (&[("providers", wanted.as_str())], &["Missing parameters", "<code>redirect_uri</code>"], false),
        (&[("redirect_uri", HOME)], &["Missing parameters", "<code>providers</code>"], false),
        (&[("redirect_uri", HOME), ("providers", "%%%")], &["No providers specified"], true),
        (&[("redirect_uri", HOME), ("providers", "e30=")], &["No providers specified"], true),
        (&[("redirect_uri", HOME), ("providers", "W10=")], &["No providers specified"], true),
    ] {
        let answer = eva.get(&address(pairs)).await;
        let page = text(&answer);
        assert_eq!(answer.status, 400);
        assert!(parts.iter().all(|part| page.contains(part)), "{pairs:?}: {page}");
        assert_eq!(page.contains(">Cancel<"), has_cancel, "{pairs:?}");
    }
    // A service that nobody knows is shown by its name, and cannot be had.
    let unknown = providers(r#"[{"provider":"night_looms-two"}]"#);
    let page = eva.page(&address(&[("providers", unknown.as_str()), ("redirect_uri", HOME)])).await;
    assert!(page.contains("Night Looms Two") && page.contains(">Connect 1 more<"), "{page}");
}
