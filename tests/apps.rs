//! `heddle app`, and what applications made by it get of the server.

use crate::support::{Heddle, Server, write};
use serde_json::{Value, json};

const CALLBACK: &str = "https://looms.example/cb";

fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let words = ["app", "create", "--name", "Looms", "--redirect-uri", CALLBACK, "--scopes", "IDENTITY,RUN_AGENT"];
    [&words, more].concat()
}

/// Runs a check on a folder without a server, and on one with.
fn both_ways(check: impl Fn(&Heddle)) {
    check(&Heddle::new());
    let heddle = Heddle::new();
    let _server = Server::start(&heddle);
    check(&heddle);
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

#[test]
fn an_application_is_made_changed_switched_off_and_removed() {
    both_ways(|heddle| {
        let made = heddle.run(&create(&["--description", "weaves"])).json();
        assert!(text(&made, "client_id").starts_with("agpt_client_"), "{made}");
        assert!(text(&made, "client_secret").starts_with("agpt_secret_"), "{made}");
        let id = text(&made, "client_id");
        let shown = heddle.json(&["app", "show", id]);
        assert!(shown.get("client_secret").is_none(), "{shown}");
        assert_eq!(heddle.json(&["app", "show", text(&made, "id")]), shown);
        assert_eq!((text(&shown, "description"), text(&shown, "type")), ("weaves", "confidential"));

        let edit =
            ["app", "edit", id, "--name", "Looms 2", "--scopes", "IDENTITY", "--trusted", "true", "--description", ""];
        let edited = heddle.json(&edit);
        assert_eq!((text(&edited, "name"), &edited["scopes"]), ("Looms 2", &json!(["IDENTITY"])));
        assert_eq!((&edited["is_trusted"], &edited["description"]), (&json!(true), &Value::Null));
        assert_eq!(heddle.json(&["app", "disable", id])["is_active"], false);
        assert_eq!(heddle.json(&["app", "list"])[0]["is_active"], false);
        assert_eq!(heddle.run(&["app", "enable", id]).stdout, format!("{id}\n"));
        let secret = heddle.run(&["app", "rotate-secret", id]).stdout;
        assert!(secret.starts_with("agpt_secret_") && secret.trim() != text(&made, "client_secret"));

        let public = heddle.run(&create(&["--public"])).json();
        assert_eq!(public["client_secret"], Value::Null);
        heddle.run(&["app", "rotate-secret", text(&public, "client_id")]).refused("has no secret");
        assert_eq!(heddle.json(&["app", "list"]).as_array().unwrap().len(), 2);
        heddle.json(&["app", "delete", id]);
        heddle.run(&["app", "show", id]).refused("there is no application");
    });
}

#[test]
fn what_no_application_may_be_is_refused() {
    let heddle = Heddle::new();
    let words = ["app", "create", "--name", "x", "--scopes", "all", "--redirect-uri"];
    heddle.run(&[&words[..], &["javascript:alert(1)"]].concat()).refused("redirect URI");
    heddle.run(&[&words[..], &["http://a.example/cb"]].concat()).refused("redirect URI");
    heddle.run(&create(&["--user", "nobody@example.org"])).refused("nobody@example.org");
    for words in [&["app", "create", "--name", "x"][..], &["app"], &["app", "edit"]] {
        assert_eq!(heddle.run(words).code, 2, "{words:?}");
    }
}

/// Hash made with Python's `hashlib.scrypt(b"agpt_secret_test", salt=bytes(range(32)), n=16384, r=8, p=1, dklen=32)`.
#[test]
fn an_application_of_an_upstream_database_goes_on_with_its_ids_and_secret() {
    let heddle = Heddle::new();
    let row = json!({
        "id": "5a7d0c0e-6f0e-4c26-a7ce-5ea4ef4a5a11", "name": "Old", "description": null, "clientId": "agpt_client_old",
        "clientSecret": "c82701254879f99fb222f1fb073d2e0d4e2674ff6736e48ba08e01cf46a4936b",
        "clientSecretSalt": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "redirectUris": [CALLBACK], "grantTypes": ["authorization_code", "refresh_token"],
        "scopes": ["IDENTITY"], "isActive": true,
    });
    let mut wrong = row.clone();
    wrong["clientSecret"] = json!("xyz");
    let file = write(&heddle.beside("apps.json"), &json!([row, wrong, row]).to_string());
    let outcome = heddle.run(&["app", "import", &file]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let rows = outcome.json();
    assert_eq!((text(&rows[0], "id"), text(&rows[0], "origin")), (row["id"].as_str().unwrap(), "import"));
    assert_eq!(rows[0]["allows_plain_challenges"], true);
    assert!(text(&rows[1], "error").contains("hexadecimal"), "{rows}");
    assert!(text(&rows[2], "error").contains("already"), "{rows}");

    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let asked = |secret: &str| {
        let body = json!({
            "grant_type": "refresh_token", "refresh_token": "agpt_rt_x", "client_id": "agpt_client_old",
            "client_secret": secret,
        });
        let answer = client.post("/api/oauth/token", &[], &body);
        (answer.status, text(&answer.json(), "detail").to_owned())
    };
    assert_eq!(asked("agpt_secret_no"), (401, "Invalid client_secret".to_owned()));
    for _ in 0..2 {
        assert_eq!(asked("agpt_secret_test"), (400, "Invalid grant: refresh token not found".to_owned()));
    }
}

#[test]
fn applications_register_themselves_with_a_token_of_an_operators() {
    let heddle = Heddle::new();
    let server = Server::start_with(&heddle, &["--set", "oauth.registration=token"]);
    let client = server.client(&heddle);
    let token = heddle.run(&["app", "registration-token", "--days", "2"]).stdout;
    let (token, header) = (token.trim(), format!("Bearer {}", token.trim()));
    let metadata = json!({"client_name": "Tool", "redirect_uris": ["http://127.0.0.1/cb"]});
    let register = |headers: &[(&str, &str)]| client.post("/api/oauth/register", headers, &metadata);
    assert_eq!(register(&[]).status, 401);
    let made = register(&[("authorization", &header)]);
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(heddle.json(&["app", "list"])[0]["origin"], "dynamic");
    assert_eq!(heddle.run_with_stdin(&["app", "revoke-registration-token"], token).code, 0);
    assert_eq!(register(&[("authorization", &header)]).status, 401);
}

#[test]
fn the_server_says_who_it_is_by_its_own_address_unless_it_is_told() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let document = server.client(&heddle).get("/.well-known/openid-configuration").json();
    assert_eq!(text(&document, "issuer"), server.address);
    drop(server);
    let server = Server::start_with(&heddle, &["--set", "server.public_url=https://agents.example.org/x"]);
    let document = server.client(&heddle).get("/.well-known/openid-configuration/x").json();
    assert_eq!(text(&document, "jwks_uri"), "https://agents.example.org/x/api/oauth/jwks");
}
