//! Passkeys at the door: who may ask, from where, and that a browser is signed in by an answer.

use super::browser::{Browser, ORIGIN, PASSWORD, account, server, server_at, text, token};
use crate::testbed::{Answer, Testbed};
use heddle_passkey::testing::Authenticator;
use serde_json::{Value, json};

async fn send(browser: &mut Browser<'_>, method: &str, path: &str, body: &Value) -> Answer {
    let ask = browser.bed.ask(method, path).header("sec-fetch-site", "same-origin").json(body);
    browser.send(ask).await
}

async fn post(browser: &mut Browser<'_>, path: &str, body: &Value) -> Answer {
    send(browser, "POST", path, body).await
}

/// Makes a passkey for whoever is signed in.
async fn add(browser: &mut Browser<'_>, origin: &str, name: &str) -> (Authenticator, Value) {
    let mut authenticator = Authenticator::new(origin);
    let asked = post(browser, "/api/passkeys/options", &json!({})).await.expect(200);
    let body = json!({ "name": name, "credential": authenticator.create(&asked) });
    let record = post(browser, "/api/passkeys", &body).await.expect(201);
    (authenticator, record)
}

/// Signs a browser in with a passkey.
async fn enter(browser: &mut Browser<'_>, authenticator: &mut Authenticator, next: &str) -> Answer {
    let asked = post(browser, "/api/login/passkey/options", &json!({})).await.expect(200);
    let body = json!({ "credential": authenticator.get(&asked), "next": next });
    post(browser, "/api/login/passkey", &body).await
}

#[tokio::test]
async fn a_browser_without_a_session_gets_one_for_a_passkey() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (mut authenticator, record) = add(&mut ada, ORIGIN, "Phone").await;
    assert_eq!((&record["name"], &record["server"]), (&json!("Phone"), &json!("agents.example.org")));
    assert_eq!(record.as_object().unwrap().len(), 6, "{record}");
    let mut other = Browser::new(&bed);
    let entered = enter(&mut other, &mut authenticator, "/settings/security").await.expect(200);
    assert_eq!(entered, json!({ "location": "/settings/security" }));
    assert!(other.is_in().await);
    let listed = send(&mut other, "GET", "/api/passkeys", &json!({})).await.expect(200);
    assert_eq!((&listed[0]["id"], listed[0]["last_used_at"].is_string()), (&record["id"], true));
    let elsewhere = enter(&mut Browser::new(&bed), &mut authenticator, "https://evil.example").await.expect(200);
    assert_eq!(elsewhere, json!({ "location": "/settings/profile" }));
}

#[tokio::test]
async fn an_answer_is_good_in_the_browser_that_was_asked() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (mut authenticator, _) = add(&mut ada, ORIGIN, "Phone").await;
    let (mut victim, mut thief) = (Browser::new(&bed), Browser::new(&bed));
    let asked = post(&mut victim, "/api/login/passkey/options", &json!({})).await.expect(200);
    let body = json!({ "credential": authenticator.get(&asked) });
    post(&mut thief, "/api/login/passkey/options", &json!({})).await.expect(200);
    post(&mut thief, "/api/login/passkey", &body).await.expect(400);
    assert!(!thief.is_in().await);
    post(&mut victim, "/api/login/passkey", &body).await.expect(200);
    assert!(victim.is_in().await);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (mut authenticator, _) = add(&mut ada, ORIGIN, "Phone").await;
    let former = ada.cookies.clone();
    enter(&mut ada, &mut authenticator, "").await.expect(200);
    assert!(ada.is_in().await);
    let mut old = Browser { bed: &bed, cookies: former };
    assert!(!old.is_in().await);
}

#[tokio::test]
async fn other_sites_and_strangers_are_refused() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (_, record) = add(&mut ada, ORIGIN, "Phone").await;
    let one = format!("/api/passkeys/{}", record["id"].as_str().unwrap());
    let mut nobody = Browser::new(&bed);
    for (method, path) in [
        ("POST", "/api/passkeys/options"),
        ("POST", "/api/passkeys"),
        ("GET", "/api/passkeys"),
        ("PATCH", one.as_str()),
        ("DELETE", one.as_str()),
    ] {
        let body = json!({ "name": "x", "credential": {} });
        let answer = send(&mut nobody, method, path, &body).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        if method != "GET" {
            let foreign = bed.ask(method, path).header("sec-fetch-site", "cross-site").json(&body);
            assert_eq!(ada.send(foreign).await.status, 403, "{method} {path}");
        }
    }
    for path in ["/api/login/passkey/options", "/api/login/passkey"] {
        for site in ["cross-site", "same-site"] {
            let foreign = bed.ask("POST", path).header("sec-fetch-site", site).json(&json!({ "credential": {} }));
            assert_eq!(nobody.send(foreign).await.status, 403, "{path}");
        }
    }
    let mut bob = Browser::of(&bed, "bob").await;
    let foreign = send(&mut bob, "DELETE", &one, &json!({})).await;
    let missing = send(&mut bob, "DELETE", "/api/passkeys/x", &json!({})).await;
    assert_eq!((foreign.status, foreign.json()), (missing.status, missing.json()));
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn what_is_no_answer_is_named() {
    let bed = server().await;
    let mut nobody = Browser::new(&bed);
    let answer = post(&mut nobody, "/api/login/passkey", &json!({})).await.expect(422);
    assert_eq!(answer["detail"][0]["loc"], json!(["body", "credential"]));
    let answer = post(&mut nobody, "/api/login/passkey", &json!({ "credential": { "id": "x" } })).await.expect(400);
    assert!(answer["detail"].as_str().unwrap().contains("cannot be read"), "{answer}");
}

#[tokio::test]
async fn passkeys_are_renamed_and_removed_without_a_script() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let (mut authenticator, record) = add(&mut ada, ORIGIN, "<b>Phone").await;
    let page = ada.page("/settings/security").await;
    assert!(page.contains("&lt;b&gt;Phone") && page.contains("data-passkey=\"create\""), "{page}");
    let path = format!("/settings/security/passkeys/{}", record["id"].as_str().unwrap());
    let csrf = token(&page).to_owned();
    let renamed = ada.post(&format!("{path}/rename"), &[("csrf", &csrf), ("name", "Tablet")]).await;
    assert_eq!(renamed.header("location"), "/settings/security?said=saved");
    assert!(ada.page("/settings/security").await.contains("Tablet"));
    let removed = ada.post(&format!("{path}/remove"), &[("csrf", &csrf)]).await;
    assert_eq!(removed.header("location"), "/settings/security?said=passkey-removed");
    let refused = enter(&mut Browser::new(&bed), &mut authenticator, "").await;
    assert_eq!(refused.status, 403, "{}", text(&refused));
}

#[tokio::test]
async fn who_comes_by_the_machines_number_is_told_its_name() {
    let bed = Testbed::new().await;
    account(&bed, "ada", false).await;
    let mut ada = Browser::new(&bed);
    let here = "http://127.0.0.1:8006";
    let fields = [("email", "ada@example.org"), ("password", PASSWORD)];
    assert_eq!(ada.post(&format!("{here}/login"), &fields).await.status, 303);
    let page = ada.page(&format!("{here}/settings/security")).await;
    assert!(page.contains("href=\"http://localhost:8006/settings/security\""), "{page}");
}

#[tokio::test]
async fn passkeys_are_offered_where_browsers_have_them() {
    for (url, is_offered) in [
        (ORIGIN, true),
        ("http://localhost:8006", true),
        ("http://192.168.1.5:8006", false),
        ("http://127.0.0.1:8006", false),
        ("http://agents.example.org", false),
    ] {
        let bed = server_at(url).await;
        let mut ada = Browser::of(&bed, "ada").await;
        assert_eq!(Browser::new(&bed).page("/login").await.contains("data-passkey"), is_offered, "{url}");
        assert_eq!(ada.page("/settings/security").await.contains("data-passkey"), is_offered, "{url}");
        let status = post(&mut ada, "/api/passkeys/options", &json!({})).await.status;
        assert_eq!(status == 200, is_offered, "{url}: {status}");
        let status = post(&mut Browser::new(&bed), "/api/login/passkey/options", &json!({})).await.status;
        assert_eq!(status == 200, is_offered, "{url}: {status}");
    }
}
