//! A client of the JSON dialect, as the guide of the original platform has it: bodies of JSON with the credentials in them,
//! and answers that are the same to the member.

use super::browser::parameters;
use super::stage::{ADA, App, CALLBACK, Stage};
use crate::support::{Answer, Client};
use serde_json::{Value, json};
use std::collections::BTreeSet;

// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The page that a browser is sent to.
fn page(stage: &Stage, app: &App, redirect_uri: &str, scope: &str) -> String {
    let redirect_uri = super::browser::encode(redirect_uri);
    format!(
        "{}/auth/authorize?client_id={}&redirect_uri={redirect_uri}&scope={scope}&state=af0ifjsldkj\
         &code_challenge={CHALLENGE}&code_challenge_method=S256&response_type=code",
        stage.origin, app.id
    )
}

/// A code that Ada allows.
fn code(stage: &mut Stage, app: &App) -> String {
    code_for(stage, app, "IDENTITY+READ_BLOCK")
}

fn code_for(stage: &mut Stage, app: &App, scope: &str) -> String {
    let url = page(stage, app, CALLBACK, scope);
    stage.decide(&url, "Authorize").parameter("code").expect("a code")
}

fn by_code(app: &App, code: &str) -> Value {
    json!({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": app.id,
        "client_secret": app.secret, "code_verifier": VERIFIER})
}

fn by_refresh(app: &App, token: &Value) -> Value {
    json!({"grant_type": "refresh_token", "refresh_token": token, "client_id": app.id, "client_secret": app.secret})
}

fn about(app: &App, token: &Value) -> Value {
    json!({"token": token, "client_id": app.id, "client_secret": app.secret})
}

fn ask(stage: &Stage, endpoint: &str, body: &Value) -> Answer {
    stage.client.post(&format!("/api/oauth/{endpoint}"), &[], body)
}

/// What must be answered with 200.
fn good(stage: &Stage, endpoint: &str, body: &Value) -> Value {
    let answer = ask(stage, endpoint, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Tokens that Ada allows, for these scopes with `+` between them.
pub fn tokens_for(stage: &mut Stage, app: &App, scope: &str) -> Value {
    let code = code_for(stage, app, scope);
    good(stage, "token", &by_code(app, &code))
}

/// Ends a token.
pub fn revoke(stage: &Stage, app: &App, token: &Value) {
    good(stage, "revoke", &about(app, token));
}

/// Tokens that Ada allows.
pub fn tokens(stage: &mut Stage, app: &App) -> Value {
    let code = code(stage, app);
    good(stage, "token", &by_code(app, &code))
}

fn api(stage: &Stage, path: &str, headers: &[(&str, &str)]) -> Answer {
    stage.client.send("GET", &format!("/external-api/v1{path}"), headers, None)
}

fn with(stage: &Stage, token: &Value) -> Answer {
    api(stage, "/me", &[("Authorization", &format!("Bearer {}", token.as_str().unwrap()))])
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_guides_client_gets_the_answers_that_it_was_written_for() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let url = page(&stage, &app, CALLBACK, "IDENTITY+READ_BLOCK");
    let back = stage.decide(&url, "Authorize");
    let names: Vec<_> = parameters(&back.url).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["code", "state", "iss"], "{}", back.url);
    assert_eq!(back.parameter("state").unwrap(), "af0ifjsldkj");
    assert_eq!(back.answer.status, 303);

    let code = back.parameter("code").unwrap();
    assert_eq!(code.len(), 43);
    let answer = ask(&stage, "token", &by_code(&app, &code));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("cache-control").contains("no-store"), "{answer:?}");
    assert_eq!(answer.header("pragma"), "no-cache");
    let first = answer.json();
    let promised = [
        "access_token",
        "access_token_expires_at",
        "expires_in",
        "refresh_token",
        "refresh_token_expires_at",
        "scope",
        "scopes",
        "token_type",
    ];
    assert_eq!(members(&first), BTreeSet::from(promised));
    assert_eq!(first["scopes"], json!(["IDENTITY", "READ_BLOCK"]));
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let token = |name: &str| first[name].as_str().unwrap();
    assert!(token("access_token").starts_with("agpt_xt_") && token("refresh_token").starts_with("agpt_rt_"), "{first}");
    assert!(token("access_token_expires_at").ends_with('Z'), "{first}");

    let me = with(&stage, &first["access_token"]);
    assert_eq!((me.status, &me.json()["email"]), (200, &json!(ADA)), "{me:?}");
    assert_eq!(me.json()["id"], stage.subject());

    let known = good(&stage, "introspect", &about(&app, &first["access_token"]));
    let exp = known["exp"].as_i64().expect("seconds");
    let expected = json!({"active": true, "scopes": ["IDENTITY", "READ_BLOCK"], "client_id": app.id,
        "user_id": stage.subject(), "exp": exp, "token_type": "access_token"});
    for name in members(&expected) {
        assert_eq!(known[name], expected[name], "{name} of {known}");
    }
    let known = good(&stage, "introspect", &about(&app, &first["refresh_token"]));
    assert_eq!(known["token_type"], "refresh_token");
    let nothing = json!({"active": false, "scopes": null, "client_id": null, "user_id": null, "exp": null,
        "token_type": null});
    assert_eq!(good(&stage, "introspect", &about(&app, &json!("agpt_xt_none"))), nothing);

    let second = good(&stage, "token", &by_refresh(&app, &first["refresh_token"]));
    assert_eq!(members(&second), members(&first));
    assert_eq!(second["scopes"], first["scopes"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    // Older access tokens go on.
    assert_eq!(with(&stage, &first["access_token"]).status, 200);

    for token in [&second["access_token"], &second["access_token"], &json!("agpt_xt_none")] {
        assert_eq!(good(&stage, "revoke", &about(&app, token)), json!({"status": "ok"}));
    }
    let refused = with(&stage, &second["access_token"]);
    assert_eq!(refused.json(), json!({"detail": "Invalid token: access token has been revoked"}));
    assert_eq!(good(&stage, "introspect", &about(&app, &second["access_token"])), nothing);
    assert_eq!(good(&stage, "introspect", &about(&app, &second["refresh_token"]))["active"], true);
}

#[test]
fn json_without_a_content_type_is_json() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let code = code(&mut stage, &app);
    let body = by_code(&app, &code).to_string();
    // An empty value is what some clients send for none.
    let answer = stage.client.send("POST", "/api/oauth/token", &[("Content-Type", "")], Some(body));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn refusals_say_what_they_always_said_beside_what_the_standard_wants() {
    let mut stage = Stage::new();
    let (app, other) = (stage.app(CALLBACK), stage.app(CALLBACK));
    let code = code(&mut stage, &app);
    let good_request = by_code(&app, &code);
    let changed = |name: &str, value: Value| {
        let mut body = good_request.clone();
        body[name] = value;
        body
    };
    let mut foreign = by_code(&other, &code);
    foreign["code"] = json!(code);
    let cases = [
        (changed("client_id", json!("agpt_client_none")), 401, "invalid_client", "Invalid client_id"),
        (changed("client_secret", json!("agpt_secret_no")), 401, "invalid_client", "Invalid client_secret"),
        (changed("code", json!("none")), 400, "invalid_grant", "Invalid grant: authorization code not found"),
        (foreign, 400, "invalid_grant", "Invalid grant: authorization code does not belong to this application"),
        (
            changed("redirect_uri", json!("https://app.example.org/other")),
            400,
            "invalid_grant",
            "Invalid grant: redirect_uri mismatch",
        ),
        (
            changed("code_verifier", json!("x".repeat(43))),
            400,
            "invalid_grant",
            "Invalid grant: PKCE verification failed",
        ),
        (by_refresh(&app, &json!("agpt_rt_none")), 400, "invalid_grant", "Invalid grant: refresh token not found"),
    ];
    for (body, status, error, detail) in cases {
        let answer = ask(&stage, "token", &body);
        let said = answer.json();
        assert_eq!((answer.status, &said["error"], &said["detail"]), (status, &json!(error), &json!(detail)), "{body}");
        assert!(said["error_description"].is_string(), "{said}");
        assert_eq!(answer.header("www-authenticate"), "", "{body}");
    }
    for body in [changed("grant_type", json!("password")), changed("code", Value::Null)] {
        let answer = ask(&stage, "token", &body);
        assert_eq!(answer.status, 422, "{answer:?}");
        assert!(answer.json()["detail"].is_array() && answer.json()["error"].is_string(), "{answer:?}");
    }
    // None of it used the code up; the second time says when it was.
    assert_eq!(ask(&stage, "token", &good_request).status, 200);
    let again = ask(&stage, "token", &good_request);
    let detail = again.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(again.status, 400);
    assert!(detail.starts_with("Invalid grant: authorization code already used at 2"), "{detail}");
    assert!(detail.ends_with("+00:00"), "{detail}");
}

#[test]
fn of_two_exchanges_at_once_one_gets_tokens() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    for round in 0..8 {
        let code = code(&mut stage, &app);
        assert_eq!(winners(&stage.client, &by_code(&app, &code)), 1, "code, round {round}");
        let tokens = tokens(&mut stage, &app);
        let refresh = by_refresh(&app, &tokens["refresh_token"]);
        assert_eq!(winners(&stage.client, &refresh), 1, "refresh token, round {round}");
    }
}

/// How many of several requests that are made at once get tokens; the others must hear of an invalid grant.
fn winners(client: &Client, body: &Value) -> usize {
    let together = std::sync::Barrier::new(4);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let ask = || {
            together.wait();
            client.post("/api/oauth/token", &[], body)
        };
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_grant")), "{answer:?}");
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[test]
fn a_retry_after_a_lost_answer_does_not_sign_anybody_out() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let first = tokens(&mut stage, &app);
    let second = good(&stage, "token", &by_refresh(&app, &first["refresh_token"]));
    let retry = ask(&stage, "token", &by_refresh(&app, &first["refresh_token"]));
    assert_eq!(retry.status, 400);
    assert_eq!(retry.json()["detail"], "Invalid grant: refresh token has been revoked");
    assert_eq!(with(&stage, &second["access_token"]).status, 200);
    assert_eq!(ask(&stage, "token", &by_refresh(&app, &second["refresh_token"])).status, 200);
}

#[test]
fn a_redirect_address_keeps_its_query() {
    let mut stage = Stage::new();
    let address = "https://app.example.org/cb?tenant=a%20b&x";
    let app = stage.app(address);
    let url = page(&stage, &app, address, "IDENTITY");
    for (button, names) in
        [("Deny", ["error", "error_description", "state", "iss"].as_slice()), ("Authorize", &["code", "state", "iss"])]
    {
        let back = stage.decide(&url, button);
        assert!(back.url.starts_with(&format!("{address}&")), "{}", back.url);
        let added: Vec<_> = parameters(&back.url).into_iter().skip(2).map(|(name, _)| name).collect();
        assert_eq!(added, names, "{}", back.url);
    }
}

#[test]
fn a_page_that_cannot_trust_where_to_go_stays() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let evil = "https://evil.example.org/callback";
    let near = format!("{CALLBACK}/");
    let unknown = App { id: "agpt_client_none".to_owned(), secret: String::new() };
    for (app, address) in [(&app, evil), (&unknown, CALLBACK), (&app, &near), (&app, "javascript:alert(1)")] {
        let url = page(&stage, app, address, "IDENTITY");
        for url in [url.clone(), url.replace("response_type=code", "response_type=token")] {
            let page = stage.ada.open(&url);
            assert_eq!((page.answer.status, page.answer.header("location")), (400, ""), "{page:?}");
            assert!(page.url.starts_with(&stage.origin), "{page:?}");
        }
    }
}

#[test]
fn an_application_that_is_switched_off_can_do_nothing_until_it_is_on_again() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let tokens = tokens(&mut stage, &app);
    // Such a token is known by now.
    assert_eq!(with(&stage, &tokens["access_token"]).status, 200);
    let switch = |word: &str| {
        let outcome = stage.heddle.run(&["app", word, &app.id]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
    };
    switch("disable");
    let refused = with(&stage, &tokens["access_token"]);
    assert_eq!((refused.status, refused.json()), (401, json!({"detail": "Client application is disabled"})));
    for (endpoint, body) in [
        ("token", by_refresh(&app, &tokens["refresh_token"])),
        ("introspect", about(&app, &tokens["access_token"])),
        ("revoke", about(&app, &tokens["access_token"])),
    ] {
        let answer = ask(&stage, endpoint, &body);
        let detail = &answer.json()["detail"];
        assert_eq!((answer.status, detail), (401, &json!("Application is not active")), "{endpoint}");
    }
    switch("enable");
    assert_eq!(with(&stage, &tokens["access_token"]).status, 200);
    assert_eq!(good(&stage, "introspect", &about(&app, &tokens["access_token"]))["active"], true);
}

#[test]
fn of_two_credentials_the_key_decides_and_keys_may_be_bearers() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let token = tokens(&mut stage, &app)["access_token"].as_str().unwrap().to_owned();
    let (bearer, key) = (format!("Bearer {token}"), stage.heddle.key());
    let as_bearer = format!("bearer {key}");
    let missing = "Missing authentication. Provide API key or access token.";
    let unknown = "Invalid token: access token not found";
    for (headers, expected) in [
        (vec![("Authorization", &*bearer)], Ok(())),
        (vec![("X-API-Key", ""), ("Authorization", &bearer)], Ok(())),
        (vec![("Authorization", &as_bearer)], Ok(())),
        (vec![("X-API-Key", "agpt_wrong"), ("Authorization", &bearer)], Err("Invalid API key")),
        (vec![("X-API-Key", &token)], Err("Invalid API key")),
        (vec![("Authorization", "Basic YTpi")], Err(missing)),
        (vec![("Authorization", "Bearer ")], Err(missing)),
        (vec![("Authorization", "Bearer agpt_xt_none")], Err(unknown)),
        (vec![("Authorization", "Bearer agpt_none")], Err(unknown)),
        (vec![], Err(missing)),
    ] {
        let answer = api(&stage, "/me", &headers);
        match expected {
            Ok(()) => assert_eq!(answer.status, 200, "{headers:?}: {answer:?}"),
            Err(detail) => {
                assert_eq!((answer.status, answer.json()), (401, json!({"detail": detail})), "{headers:?}");
                let realm = format!("Bearer realm=\"{}\"", stage.origin);
                assert!(answer.header("www-authenticate").starts_with(&realm), "{headers:?}: {answer:?}");
            }
        }
    }
    let graphs = api(&stage, "/graphs", &[("Authorization", &bearer)]);
    assert_eq!((graphs.status, graphs.json()), (403, json!({"detail": "Missing required permission(s): READ_GRAPH"})));
    assert!(graphs.header("www-authenticate").contains("error=\"insufficient_scope\""), "{graphs:?}");
}

#[test]
fn a_person_takes_back_what_was_allowed() {
    let mut stage = Stage::new();
    let app = stage.app(CALLBACK);
    let tokens = tokens(&mut stage, &app);
    let grants = format!("{}/api/oauth/grants", stage.origin);
    let listed = stage.ada.ask("GET", &grants, None);
    assert_eq!(listed.status, 200, "{listed:?}");
    assert!(listed.body.contains(&app.id), "{listed:?}");
    let ended = stage.ada.ask("DELETE", &format!("{grants}/{}", app.id), None);
    assert!((200..300).contains(&ended.status), "{ended:?}");
    assert_eq!(with(&stage, &tokens["access_token"]).status, 401);
    assert_eq!(ask(&stage, "token", &by_refresh(&app, &tokens["refresh_token"])).status, 400);
    assert!(!stage.ada.ask("GET", &grants, None).body.contains(&app.id));
}

#[test]
fn a_page_of_ones_own_allows_by_json() {
    let stage = Stage::new();
    let app = stage.app(CALLBACK);
    let url = format!("{}/api/oauth/authorize", stage.origin);
    let body = json!({"client_id": app.id, "redirect_uri": CALLBACK, "scopes": ["IDENTITY"], "state": "af0ifjsldkj",
        "response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256"});
    let answer = stage.ada.ask("POST", &url, Some(body.to_string()));
    assert_eq!(answer.status, 200, "{answer:?}");
    let back = answer.json()["redirect_url"].as_str().unwrap().to_owned();
    assert!(back.starts_with(&format!("{CALLBACK}?code=")), "{back}");
    let code = parameters(&back)[0].1.clone();
    assert_eq!(good(&stage, "token", &by_code(&app, &code))["scopes"], json!(["IDENTITY"]));

    let mut none = body.clone();
    none["scopes"] = json!([]);
    let answer = stage.ada.ask("POST", &url, Some(none.to_string()));
    let expected =
        format!("{CALLBACK}?error=invalid_scope&state=af0ifjsldkj&error_description=At+least+one+scope+is+required");
    let back = answer.json()["redirect_url"].as_str().unwrap().to_owned();
    assert!(back.starts_with(&expected), "{back}");
}
