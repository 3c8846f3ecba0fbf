//! Signing in, out and up, and what ends a session.

use super::browser::{Browser, ORIGIN, PASSWORD, account, form, server, server_at, text, token};
use crate::testbed::Testbed;
use heddle_api::ApiSettings;

#[tokio::test]
async fn somebody_signs_in_where_he_was_going_and_out_again() {
    let bed = server().await;
    account(&bed, "ada", false).await;
    let mut browser = Browser::new(&bed);
    let sent = browser.get("/settings/api-keys?said=saved&x=a%20b").await;
    assert_eq!(sent.status, 303);
    assert_eq!(sent.header("location"), "/login?next=%2Fsettings%2Fapi-keys%3Fsaid%3Dsaved%26x%3Da%2Bb");
    assert_eq!(browser.sign_in("ada", "/settings/api-keys?x=a+b").await, "/settings/api-keys?x=a+b");
    assert!(browser.is_in().await);
    assert_eq!(browser.get("/login?next=/settings/security").await.header("location"), "/settings/security");

    let old = browser.cookies.clone();
    let out = browser.post("/logout", &[]).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/login?said=signed-out"));
    assert!(!browser.is_in().await);
    browser.cookies = old;
    assert!(!browser.is_in().await, "it is over on the server too");
    assert!(browser.page("/login?said=signed-out").await.contains("You are signed out."));
}

#[tokio::test]
async fn signing_in_again_ends_the_session_that_was_there() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let old = ada.cookies.clone();
    ada.sign_in("ada", "").await;
    let new = std::mem::replace(&mut ada.cookies, old);
    assert!(!ada.is_in().await);
    ada.cookies = new;
    assert!(ada.is_in().await);
}

#[tokio::test]
async fn next_never_leads_elsewhere() {
    let bed = server().await;
    account(&bed, "ada", false).await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "",
    ] {
        let mut browser = Browser::new(&bed);
        assert_eq!(browser.sign_in("ada", next).await, "/settings/profile", "{next:?}");
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let shown = Browser::new(&bed).page(&format!("/login?next={encoded}")).await;
        assert!(!shown.contains("evil"), "{next:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let bed = server().await;
    account(&bed, "ada", false).await;
    let mut browser = Browser::new(&bed);
    browser.page("/login").await;
    let mut answers = Vec::new();
    for email in ["ada@example.org", "eve@example.org"] {
        let answer = browser.post("/login", &[("email", email), ("password", "wrong password")]).await;
        assert_eq!(answer.status, 422);
        assert!(answer.headers.get("set-cookie").is_none());
        answers.push(text(&answer).replace(email, "EMAIL"));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("The e-mail address or the password is wrong."), "{}", answers[0]);
}

#[tokio::test]
async fn guessing_ends_with_an_answer_that_says_when_to_come_back() {
    let settings =
        ApiSettings { public_url: Some(ORIGIN.to_owned()), trusted_proxy_count: 1, ..ApiSettings::default() };
    let bed = Testbed::with(settings).await;
    account(&bed, "ada", false).await;
    let ask = async |address: &str, password: &str| {
        let ask = form(bed.ask("POST", "/login"), &[("email", "ada@example.org"), ("password", password)]);
        ask.header("origin", ORIGIN).header("x-forwarded-for", address).send().await
    };
    for _ in 0..10 {
        assert_eq!(ask("1.1.1.1", "wrong password").await.status, 422);
    }
    let refused = ask("1.1.1.1", PASSWORD).await;
    assert_eq!(refused.status, 429);
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((890..=901).contains(&wait), "{wait}");
    assert!(text(&refused).contains("Too many attempts. Try again later. That will be in about 15 minutes."));
    assert_eq!(ask("2.2.2.2", PASSWORD).await.status, 303, "the owner, from elsewhere");
}

#[tokio::test]
async fn anybody_makes_an_account_where_that_is_open_and_nobody_elsewhere() {
    let bed = server().await;
    let mut browser = Browser::new(&bed);
    assert!(browser.page("/login").await.contains("Create one"));
    let form = |email| [("name", "Ada <b>"), ("email", email), ("password", PASSWORD), ("next", "/settings/security")];
    let made = browser.post("/signup", &form("ada@example.org")).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (303, "/settings/security"));
    assert!(browser.page("/settings/profile").await.contains("Ada &lt;b&gt;"));
    let taken = Browser::new(&bed).post("/signup", &form("ADA@example.org")).await;
    assert_eq!(taken.status, 422);
    assert!(text(&taken).contains("exists already."), "{}", text(&taken));

    let bed = Testbed::new().await;
    let mut browser = Browser::new(&bed);
    assert!(!browser.page("/login").await.contains("Create one"));
    assert_eq!(browser.get("/signup").await.status, 403);
    assert_eq!(browser.post("/signup", &form("ada@example.org")).await.status, 403);
    assert_eq!(bed.platform.accounts.list().await.unwrap().len(), 0);
}

#[tokio::test]
async fn cookies_are_named_and_kept_as_the_way_allows() {
    for (public_url, name, secure) in [
        ("https://agents.example.org", "__Host-heddle_session", true),
        ("http://127.0.0.1:8006", "__Host-heddle_session", true),
        ("http://localhost:8006/heddle", "__Host-heddle_session", true),
        ("http://192.168.1.5:8006", "heddle_session", false),
    ] {
        let bed = server_at(public_url).await;
        account(&bed, "ada", true).await;
        let mut browser = Browser::new(&bed);
        let fields = [("email", "ada@example.org"), ("password", PASSWORD)];
        let answer = browser.post("/login", &fields).await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with(&format!("{name}=")), "{public_url}: {cookie}");
        for part in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Max-Age=7776000"] {
            assert!(cookie.contains(part), "{public_url}: {cookie}");
        }
        assert_eq!(cookie.ends_with("; Secure"), secure, "{public_url}: {cookie}");
        let page = browser.page("/settings/profile").await;
        assert_eq!(page.contains("Sign-in is not private here."), !secure, "{public_url}");
    }
}

#[tokio::test]
async fn without_fetch_metadata_a_forms_token_decides_also_before_anybody_is_signed_in() {
    let bed = server_at("http://192.168.1.5:8006").await;
    account(&bed, "ada", false).await;
    let fields = [("email", "ada@example.org"), ("password", PASSWORD)];
    let mut browser = Browser::new(&bed);
    let bare = form(bed.ask("POST", "/login"), &fields).header("origin", "null");
    assert_eq!(browser.send(bare).await.status, 403);

    let page = browser.page("/login").await;
    let with_token = [&fields[..], &[("csrf", token(&page))]].concat();
    let stranger = form(bed.ask("POST", "/login"), &with_token).header("origin", "null");
    assert_eq!(Browser::new(&bed).send(stranger).await.status, 403, "another browser's token");
    let own = form(bed.ask("POST", "/login"), &with_token).header("origin", "null");
    assert_eq!(browser.send(own).await.status, 303);

    let page = browser.page("/settings/profile").await;
    assert_ne!(token(&page), with_token[2].1, "a session has its own");
    let save = form(bed.ask("POST", "/settings/profile"), &[("name", "Ada"), ("csrf", token(&page))]);
    assert_eq!(browser.send(save).await.status, 303);
    let stale = form(bed.ask("POST", "/settings/profile"), &[("name", "Eve"), ("csrf", with_token[2].1)]);
    assert_eq!(browser.send(stale).await.status, 403);
    assert!(browser.page("/settings/profile").await.contains("value=\"Ada\""));
}
