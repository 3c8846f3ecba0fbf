//! What needs a session.

use super::*;
use crate::matrix::{HOUR, Hands};
use heddle_platform::authorization::By;
use heddle_platform::{Clock, Options, Watch};
use heddle_platform::{NewAccount, Visitor};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const PASSWORD: &str = "correct horse battery";
const APPS: &str = "/api/oauth/apps";

/// A browser in which somebody is signed in.
struct Browser<'a> {
    bed: &'a Testbed,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn of(bed: &'a Testbed, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let password = Some(PASSWORD.to_owned());
        let new = NewAccount { email: email.clone(), name: None, password, is_admin: false };
        bed.platform.accounts.create(new).await.unwrap();
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let visitor = Visitor { address, network: address, user_agent: None };
        let begun = bed.platform.sessions.sign_in(&email, PASSWORD.to_owned(), &visitor).await.unwrap();
        Self { bed, cookie: format!("__Host-heddle_session={}", begun.token) }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let ask = self.bed.ask(method, path).header("cookie", &self.cookie).header("sec-fetch-site", "same-origin");
        if body.is_null() { ask.send().await } else { ask.json(&body).send().await }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, Value::Null).await
    }

    async fn upload(&self, path: &str, kind: &str, file: &[u8]) -> Answer {
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"logo\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        let body = [head.as_bytes(), file, b"\r\n--b--\r\n"].concat();
        let ask = self.bed.ask("POST", path).header("cookie", &self.cookie).header("sec-fetch-site", "same-origin");
        ask.header("content-type", "multipart/form-data; boundary=b").raw(body).send().await
    }
}

fn new_app() -> Value {
    json!({"name": "Weaver", "redirect_uris": ["https://weaver.example/cb"], "scopes": ["IDENTITY"]})
}

/// `auth.md` 5.1, 5.3 and 12.8.
#[tokio::test]
async fn a_person_has_applications_of_their_own() {
    let bed = Bed::new().await;
    let (eve, bob) = (Browser::of(&bed.bed, "eve").await, Browser::of(&bed.bed, "bob").await);
    let made = eve.ask("POST", APPS, new_app()).await.expect(201);
    assert!(text(&made, "client_secret").starts_with("agpt_secret_"));
    let one = format!("{APPS}/{}", text(&made, "id"));
    let mine = eve.get("/api/oauth/apps/mine").await.expect(200);
    let names: Vec<_> = mine[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "name",
            "description",
            "logo_url",
            "client_id",
            "redirect_uris",
            "grant_types",
            "scopes",
            "owner_id",
            "is_active",
            "created_at",
            "updated_at",
        ]
    );
    let changed = eve.ask("PATCH", &one, json!({"name": "Weaver 2", "description": "weaves"})).await.expect(200);
    assert_eq!((text(&changed, "name"), text(&changed, "description")), ("Weaver 2", "weaves"));
    assert_eq!(changed["redirect_uris"], made["redirect_uris"]);
    let off = eve.ask("PATCH", &format!("{one}/status"), json!({"is_active": false})).await.expect(200);
    assert_eq!(off["is_active"], false);
    let logo = json!({"logo_url": "https://weaver.example/logo.png"});
    let shown = eve.ask("PATCH", &format!("{one}/logo"), logo.clone()).await.expect(200);
    assert_eq!(shown["logo_url"], logo["logo_url"]);
    let rotated = eve.ask("POST", &format!("{one}/secret"), Value::Null).await.expect(200);
    assert_ne!(rotated["client_secret"], made["client_secret"]);

    let app = json!({"detail": "OAuth App not found"});
    let status = json!({"detail": "Application not found or you don't have permission to update it"});
    let nobodys = format!("{APPS}/{}", crate::testbed::NOBODY);
    for path in [&one, &nobodys] {
        for (method, below, body, expected) in [
            ("PATCH", "", json!({"name": "x"}), &app),
            ("PATCH", "/logo", logo.clone(), &app),
            ("PATCH", "/status", json!({"is_active": true}), &status),
            ("POST", "/secret", Value::Null, &app),
            ("DELETE", "", Value::Null, &app),
        ] {
            assert_eq!(&bob.ask(method, &format!("{path}{below}"), body).await.expect(404), expected, "{path}{below}");
        }
    }
    assert_eq!(bob.get("/api/oauth/apps/mine").await.expect(200), json!([]));
    eve.ask("DELETE", &one, Value::Null).await.expect(200);
    assert_eq!(eve.get("/api/oauth/apps/mine").await.expect(200), json!([]));
}

/// `auth.md` 5.3: a logo sent as a file.
#[tokio::test]
async fn a_logo_can_be_uploaded() {
    let bed = Bed::new().await;
    let (eve, bob) = (Browser::of(&bed.bed, "eve").await, Browser::of(&bed.bed, "bob").await);
    let made = eve.ask("POST", APPS, new_app()).await.expect(201);
    let one = format!("{APPS}/{}", text(&made, "id"));
    let path = format!("{one}/logo/upload");
    let square = drawn(512, 512);
    let shown = eve.upload(&path, "image/png", &square).await.expect(200);
    let url = text(&shown, "logo_url").to_owned();
    let name = url.strip_prefix(&format!("{}/media/", bed.bed.platform.authorization.issuer())).unwrap();
    let picture = bed.bed.ask("GET", &format!("/media/{name}")).send().await;
    assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/jpeg"));
    // It stays when something else is changed, and may be taken away.
    assert_eq!(eve.ask("PATCH", &one, json!({"name": "Weaver 3"})).await.expect(200)["logo_url"], url.as_str());
    assert_eq!(bob.upload(&path, "image/png", &square).await.expect(404), json!({"detail": "OAuth App not found"}));
    let large = vec![0; (3 << 20) + 1];
    for (kind, file, expected) in [
        ("image/gif", &square, "Invalid file type. Allowed: JPEG, PNG, WebP. Got: image/gif"),
        ("image/png", &large, "File too large. Maximum size is 3MB"),
        ("image/png", &drawn(512, 600), "Logo must be square. Got 512x600"),
        ("image/webp", &drawn(100, 100), "Logo too small. Minimum 512x512. Got 100x100"),
        ("image/jpeg", &drawn(2_100, 2_100), "Logo too large. Maximum 2048x2048. Got 2100x2100"),
        ("image/png", &b"<svg/>".to_vec(), "Invalid image file"),
    ] {
        assert_eq!(eve.upload(&path, kind, file).await.expect(400)["detail"], expected);
    }
    let items = eve.ask("POST", &path, json!({})).await.expect(422)["detail"].clone();
    assert_eq!((&items[0]["type"], &items[0]["loc"]), (&json!("missing"), &json!(["body", "file"])));
    assert_eq!(eve.ask("PATCH", &one, json!({"logo_url": null})).await.expect(200)["logo_url"], Value::Null);
}

#[tokio::test]
async fn logos_in_use_outlast_other_pictures() {
    let hands = Arc::new(Hands(AtomicI64::new(1_770_112_800_000_000)));
    let options = Options { watch: Watch(Arc::clone(&hands) as Arc<dyn Clock>), ..Options::default() };
    let bed = Bed::opened(ApiSettings::default(), options, Scope::ALL).await;
    let (server, market) = (&bed.bed.platform.authorization, &bed.bed.platform.marketplace);
    let (id, person) = (bed.app.id.to_string(), bed.ada.user);
    let logo = market.add_logo(person, "image/png", drawn(512, 512)).await.unwrap();
    server.set_app_logo(By::Operator, &id, &logo).await.unwrap();
    let idle = market.add_picture(person, drawn(8, 8)).await.unwrap();
    hands.0.fetch_add(25 * HOUR, Ordering::Relaxed);
    market.add_picture(person, drawn(9, 9)).await.unwrap();
    assert!(market.picture(&logo).await.unwrap().is_some());
    assert!(market.picture(&idle).await.unwrap().is_none());
}

/// A PNG of one colour.
fn drawn(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(width, height).write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[tokio::test]
async fn what_does_not_fit_is_said_in_the_words_of_the_contract() {
    let bed = Bed::new().await;
    let eve = Browser::of(&bed.bed, "eve").await;
    let body = json!({"redirect_uris": "x", "scopes": ["FLY"], "type": "odd"});
    let items = eve.ask("POST", APPS, body).await.expect(422)["detail"].clone();
    let kinds: Vec<_> = items.as_array().unwrap().iter().map(|item| (&item["type"], &item["loc"])).collect();
    assert_eq!(
        kinds,
        [
            (&json!("missing"), &json!(["body", "name"])),
            (&json!("list_type"), &json!(["body", "redirect_uris"])),
            (&json!("enum"), &json!(["body", "scopes", 0])),
            (&json!("literal_error"), &json!(["body", "type"])),
        ]
    );
    let mut unsafe_app = new_app();
    unsafe_app["redirect_uris"] = json!(["javascript:alert(1)"]);
    let refused = eve.ask("POST", APPS, unsafe_app).await.expect(400);
    assert!(text(&refused, "detail").contains("redirect URI"), "{refused}");
}

/// `auth.md` 5.4.
#[tokio::test]
async fn whoever_is_signed_in_may_look_at_an_active_application() {
    let bed = Bed::new().await;
    let eve = Browser::of(&bed.bed, "eve").await;
    let path = format!("/api/oauth/app/{}", bed.app.client_id);
    assert_eq!(
        eve.get(&path).await.expect(200),
        json!({
            "name": "Looms", "description": null, "logo_url": null, "scopes": ["IDENTITY", "READ_BLOCK", "RUN_AGENT"],
            "redirect_uris": [CALLBACK],
        })
    );
    bed.bed.platform.authorization.set_app_active(By::Operator, &bed.app.id.to_string(), false).await.unwrap();
    let missing = json!({"detail": "Application not found"});
    assert_eq!(eve.get(&path).await.expect(404), missing);
    assert_eq!(eve.get("/api/oauth/app/nothing").await.expect(404), missing);
}

/// `auth.md` 6.2: the order of the checks and the texts.
#[tokio::test]
async fn a_consent_page_gets_a_code_or_the_reason() {
    let bed = Bed::new().await;
    let eve = Browser::of(&bed.bed, "eve").await;
    let good = json!({
        "client_id": bed.app.client_id, "redirect_uri": CALLBACK, "scopes": ["IDENTITY"], "state": "af0",
        "response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let ask = async |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        eve.ask("POST", "/api/oauth/authorize", body).await
    };
    let url = ask("state", json!("af0")).await.expect(200);
    let url = text(&url, "redirect_url");
    assert!(url.starts_with(&format!("{CALLBACK}?code=")) && url.contains("&state=af0&iss="), "{url}");
    let tokens = bed.redeem(&parameter(url, "code")).await.expect(200);
    assert_eq!(bed.call("/me", text(&tokens, "access_token")).await.expect(200)["email"], "eve@example.com");

    for (name, value, detail) in [
        ("client_id", "x", "Unknown client_id".to_owned()),
        ("redirect_uri", "https://evil.example", format!("Invalid redirect_uri. Must be one of: {CALLBACK}")),
    ] {
        assert_eq!(ask(name, json!(value)).await.expect(400), json!({ "detail": detail }));
    }
    for (name, value, error, description) in [
        ("response_type", json!("token"), "unsupported_response_type", "Only 'code' response type is supported"),
        ("scopes", json!(["FLY"]), "invalid_scope", "Invalid scope: FLY"),
        ("scopes", json!([]), "invalid_scope", "At least one scope is required"),
        (
            "scopes",
            json!(["WRITE_FILES"]),
            "invalid_scope",
            "Application is not authorized for all requested scopes. Allowed: IDENTITY, READ_BLOCK, RUN_AGENT",
        ),
    ] {
        let url = ask(name, value).await.expect(200);
        let url = text(&url, "redirect_url");
        assert!(url.starts_with(&format!("{CALLBACK}?error={error}&state=af0&error_description=")), "{url}");
        assert_eq!(parameter(url, "error_description"), description);
    }
    let method = ask("code_challenge_method", json!("S512")).await.expect(422);
    assert_eq!(text(&method["detail"][0], "msg"), "Input should be 'S256' or 'plain'");
    assert_eq!(method["hint"], "Ensure the request matches the API schema.");
}

/// `auth.md` 12.6.
#[tokio::test]
async fn a_person_sees_and_ends_what_was_allowed() {
    let bed = Bed::new().await;
    let eve = Browser::of(&bed.bed, "eve").await;
    let allow = json!({
        "client_id": bed.app.client_id, "redirect_uri": CALLBACK, "scopes": ["IDENTITY"], "state": "s",
        "code_challenge": CHALLENGE,
    });
    let url = eve.ask("POST", "/api/oauth/authorize", allow).await.expect(200);
    let tokens = bed.redeem(&parameter(text(&url, "redirect_url"), "code")).await.expect(200);
    let me = async || bed.call("/me", text(&tokens, "access_token")).await;
    me().await.expect(200);
    let grants = eve.get("/api/oauth/grants").await.expect(200);
    assert_eq!(grants.as_array().unwrap().len(), 1);
    assert_eq!((&grants[0]["client_id"], &grants[0]["scopes"]), (&json!(bed.app.client_id), &json!(["IDENTITY"])));
    let path = format!("/api/oauth/grants/{}", bed.app.client_id);
    assert_eq!(eve.ask("DELETE", &path, Value::Null).await.expect(200), json!({"status": "ok"}));
    assert_eq!(me().await.expect(401), json!({"detail": "Invalid token: access token has been revoked"}));
    assert_eq!(eve.get("/api/oauth/grants").await.expect(200), json!([]));
    assert_eq!(eve.ask("DELETE", &path, Value::Null).await.expect(404), json!({"detail": "Grant not found"}));
}

/// Neither keys and tokens nor pages of other sites open any of it.
#[tokio::test]
async fn only_a_page_of_ours_with_a_session_may_ask() {
    let bed = Bed::new().await;
    let eve = Browser::of(&bed.bed, "eve").await;
    let tokens = bed.tokens("IDENTITY").await;
    let (app, id) = (&bed.app.client_id, bed.app.id);
    for (method, path) in [
        ("POST", "/api/oauth/authorize".to_owned()),
        ("GET", format!("/api/oauth/app/{app}")),
        ("POST", APPS.to_owned()),
        ("GET", format!("{APPS}/mine")),
        ("PATCH", format!("{APPS}/{id}")),
        ("DELETE", format!("{APPS}/{id}")),
        ("POST", format!("{APPS}/{id}/secret")),
        ("PATCH", format!("{APPS}/{id}/status")),
        ("PATCH", format!("{APPS}/{id}/logo")),
        ("POST", format!("{APPS}/{id}/logo/upload")),
        ("GET", "/api/oauth/grants".to_owned()),
        ("DELETE", format!("/api/oauth/grants/{app}")),
    ] {
        let bearer = format!("Bearer {}", text(&tokens, "access_token"));
        for (name, value) in [("x-api-key", bed.ada.key.as_str()), ("authorization", &bearer), ("accept", "*/*")] {
            let ask = bed.bed.ask(method, &path).header(name, value).json(&json!({})).send().await;
            assert_eq!(ask.expect(401), json!({"detail": "Authorization header is missing"}), "{method} {path}");
        }
        if method != "GET" {
            let ask = bed.bed.ask(method, &path).header("cookie", &eve.cookie).header("sec-fetch-site", "cross-site");
            ask.json(&json!({})).send().await.expect(403);
        }
        let preflight = bed.bed.ask("OPTIONS", &path).header("origin", "https://other.example");
        let answer = preflight.header("access-control-request-method", method).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}
