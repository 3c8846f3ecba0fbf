//! Introspection and revocation: nobody learns of or ends what is another application's.

use crate::bed::{App, Bed, Tally, VERIFIER, Wire};
use heddle_model::Scope;
use heddle_platform::NewKey;
use heddle_platform::authorization::{By, Change};
use serde_json::Value;

fn about(path: &str, app: &App, token: &str) -> Wire {
    let mut wire = Wire::post(path);
    wire.add("token", token);
    wire.add("client_id", app.id());
    if !app.secret.is_empty() {
        wire.add("client_secret", &app.secret);
    }
    wire
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

const INTROSPECT: &str = "/api/oauth/introspect";
const REVOKE: &str = "/api/oauth/revoke";

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("tokens"));
    introspection(&bed, &mut tally).await;
    revocation(&bed, &mut tally).await;
    userinfo(&bed, &mut tally).await;
    tally
}

async fn introspection(bed: &Bed, tally: &mut Tally) {
    let tokens = bed.tokens().await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let code = bed.code().await;
    let new = NewKey { name: "test".to_owned(), scopes: Scope::ALL.to_vec(), description: None };
    let key = bed.platform.keys.create(bed.ada, new).await.unwrap().1;
    let cookie = bed.sign_in("ada").await;
    for is_json in [false, true] {
        for (what, app, token, wanted) in [
            ("its own access token", &bed.looms, access, "200 active"),
            ("its own refresh token", &bed.looms, refresh, "200 active"),
            ("another's access token", &bed.nets, access, "200 inactive"),
            ("another's refresh token", &bed.nets, refresh, "200 inactive"),
            ("a code", &bed.looms, &*code, "200 inactive"),
            ("a person's API key", &bed.looms, &*key, "200 inactive"),
            ("its own secret", &bed.nets, &*bed.nets.secret, "200 inactive"),
            ("its own name", &bed.looms, bed.looms.id(), "200 inactive"),
            ("a session", &bed.looms, &*cookie, "200 inactive"),
            ("a token nobody has", &bed.looms, "agpt_xt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "200 inactive"),
            ("a wildcard", &bed.looms, "agpt_xt_%", "200 inactive"),
            ("a long text", &bed.looms, &*format!("agpt_xt_{}", "a".repeat(5_000)), "200 inactive"),
            ("a text of other letters", &bed.looms, "agpt_xt_é\u{0}", "200 inactive"),
        ] {
            let wire = Wire { is_json, ..about(INTROSPECT, app, token) };
            let reply = bed.send(&wire).await;
            tally.row(&format!("{what} (JSON: {is_json})"), &reply.said(), wanted);
            if wanted == "200 inactive" {
                let said = reply.json();
                let told = said.as_object().unwrap().iter().any(|(name, value)| name != "active" && !value.is_null());
                tally.row(&format!("{what} tells nothing (JSON: {is_json})"), &told.to_string(), "false");
            }
        }
    }
    let public = Wire { is_json: false, ..about(INTROSPECT, &bed.phone, access) };
    tally.row("a public application asks", &bed.send(&public).await.said(), "401 invalid_client");
    // A hint is no way to have one kind taken for another.
    for (hint, token) in [("refresh_token", access), ("access_token", refresh), ("id_token", access)] {
        let mut wire = about(INTROSPECT, &bed.nets, token);
        wire.add("token_type_hint", hint);
        tally.row(&format!("another's token as {hint}"), &bed.send(&wire).await.said(), "200 inactive");
    }
    let mut hinted = about(INTROSPECT, &bed.looms, access).in_json();
    hinted.add("token_type_hint", "password");
    tally.row("a hint that there is not", &bed.send(&hinted).await.said(), "422 invalid_request");

    let server = &bed.platform.authorization;
    let nets = bed.nets.key();
    let own = server
        .change_app(By::Person(bed.bob), &nets, Change { is_resource_server: Some(true), ..Change::default() })
        .await;
    tally.row("an owner makes a resource server of its application", &own.is_err().to_string(), "true");
    server
        .change_app(By::Operator, &nets, Change { is_resource_server: Some(true), ..Change::default() })
        .await
        .unwrap();
    tally.row("a resource server asks", &bed.send(&about(INTROSPECT, &bed.nets, access)).await.said(), "200 active");
    let found = bed.send(&about(INTROSPECT, &bed.nets, refresh)).await.said();
    tally.row("a resource server asks for a refresh token", &found, "200 inactive");
    server
        .change_app(By::Operator, &nets, Change { is_resource_server: Some(false), ..Change::default() })
        .await
        .unwrap();
    server.set_app_active(By::Operator, &bed.looms.key(), false).await.unwrap();
    server.set_app_active(By::Operator, &bed.looms.key(), true).await.unwrap();
    bed.pass(3_600);
    tally.row("an hour later", &bed.send(&about(INTROSPECT, &bed.looms, access)).await.said(), "200 inactive");
    tally.row("an hour later at v1", &bed.me(access).await, "401 Invalid token: access token expired");
    bed.pass(-3_600);
}

async fn revocation(bed: &Bed, tally: &mut Tally) {
    let revoked = "401 Invalid token: access token has been revoked";
    for is_json in [false, true] {
        let tokens = bed.tokens().await;
        let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        for (what, app, token) in [
            ("another's access token", &bed.nets, access),
            ("another's refresh token", &bed.nets, refresh),
            ("nothing anybody knows", &bed.looms, "agpt_xt_nothing"),
            ("a wildcard", &bed.looms, "%"),
            ("the token's beginning", &bed.looms, &access[..20]),
        ] {
            let wire = Wire { is_json, ..about(REVOKE, app, token) };
            let found = bed.send(&wire).await.said();
            tally.row(&format!("{what} (JSON: {is_json})"), &found, "200 ok");
            tally.row(&format!("{what} ends nothing (JSON: {is_json})"), &bed.me(access).await, "200");
        }
        let wire = Wire { is_json, ..about(REVOKE, &bed.looms, access) };
        tally.row("its own access token", &bed.send(&wire).await.said(), "200 ok");
        tally.row("its own access token is over", &bed.me(access).await, revoked);
        let next = bed.send(&bed.refresh(refresh)).await.tokens();
        let wire = Wire { is_json, ..about(REVOKE, &bed.looms, text(&next, "refresh_token")) };
        tally.row("its own refresh token", &bed.send(&wire).await.said(), "200 ok");
        tally.row("its family is over", &bed.me(text(&next, "access_token")).await, revoked);
        tally.row("its own refresh token again", &bed.send(&wire).await.said(), "200 ok");
    }
    // A public application ends its own, and no other's.
    let tokens = bed.tokens().await;
    let theirs = about(REVOKE, &bed.phone, text(&tokens, "refresh_token"));
    tally.row("a public application ends another's", &bed.send(&theirs).await.said(), "200 ok");
    tally.row("it ended nothing", &bed.me(text(&tokens, "access_token")).await, "200");
    // What was replaced still names its family.
    let old = text(&tokens, "refresh_token");
    let next = bed.send(&bed.refresh(old)).await.tokens();
    bed.send(&about(REVOKE, &bed.looms, old)).await;
    tally.row("a replaced refresh token is revoked", &bed.me(text(&next, "access_token")).await, revoked);
}

async fn userinfo(bed: &Bed, tally: &mut Tally) {
    const PATH: &str = "/api/oauth/userinfo";
    let with = |method: &str, token: &str| {
        let wire = Wire { method: method.to_owned(), ..Wire::get(PATH) };
        wire.header("authorization", &format!("Bearer {token}"))
    };
    let code = bed.code_of(bed.ada, &bed.phone, "http://127.0.0.1:5000/cb", "RUN_AGENT").await;
    let mut exchange = Wire::post("/api/oauth/token");
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "http://127.0.0.1:5000/cb"),
        ("code_verifier", VERIFIER),
        ("client_id", bed.phone.id()),
    ] {
        exchange.add(name, value);
    }
    let without = bed.send(&exchange).await.tokens();
    let tokens = bed.tokens().await;
    let new = NewKey { name: "test".to_owned(), scopes: Scope::ALL.to_vec(), description: None };
    let key = bed.platform.keys.create(bed.ada, new).await.unwrap().1;
    for method in ["GET", "POST"] {
        for (what, token, wanted) in [
            ("a token without openid and IDENTITY", text(&without, "access_token"), "403 insufficient_scope"),
            ("a refresh token", text(&tokens, "refresh_token"), "401 invalid_token"),
            ("an API key", &*key, "401 invalid_token"),
            ("a secret", &*bed.looms.secret, "401 invalid_token"),
            ("nothing", "", "401 invalid_request"),
        ] {
            tally.row(&format!("{method} with {what}"), &bed.send(&with(method, token)).await.said(), wanted);
        }
    }
    let access = text(&tokens, "access_token");
    let query = format!("{PATH}?access_token={access}");
    tally.row("a token in the query", &bed.send(&Wire::get(&query)).await.said(), "401 invalid_request");
    let mut body = Wire::post(PATH);
    body.add("access_token", access);
    tally.row("a token in the body", &bed.send(&body).await.said(), "401 invalid_request");
    let cookie = bed.sign_in("ada").await;
    tally.row("a session", &bed.send(&Wire::get(PATH).header("cookie", &cookie)).await.said(), "401 invalid_request");
    let told = bed.send(&with("GET", access)).await.json();
    tally.row("who it is", told["sub"].as_str().unwrap(), &bed.ada.to_string());
}
