//! Applications that register themselves: where nobody may, with what nobody has, for what nobody gets.

use crate::bed::{Bed, Tally, Wire};
use heddle_model::Scope;
use heddle_platform::authorization::Rules;
use heddle_platform::authorization::rules::registration::Policy;
use serde_json::{Value, json};

const REGISTER: &str = "/api/oauth/register";
const METADATA: &str = "400 invalid_client_metadata";
const REDIRECT: &str = "400 invalid_redirect_uri";

fn asking(metadata: &Value) -> Wire {
    let mut wire = Wire::post(REGISTER).in_json();
    wire.raw = Some(metadata.to_string().into_bytes());
    wire
}

fn with(name: &str, value: Value) -> Wire {
    let mut metadata =
        json!({"redirect_uris": ["https://looms.example/cb"], "client_name": "Looms", "scope": "IDENTITY"});
    metadata[name] = value;
    asking(&metadata)
}

pub async fn attacks() -> Tally {
    let mut tally = Tally::new("registration");
    let off = Bed::new().await;
    tally.row("where nobody may", &off.send(&with("x", json!(1))).await.said(), "404");
    let document = off.send(&Wire::get("/.well-known/openid-configuration")).await.json();
    tally.row("and it is not announced", &document["registration_endpoint"].is_null().to_string(), "true");

    let token = Bed::with(Rules { registration: Policy::Token, ..Rules::default() }).await;
    let tokens = token.tokens().await;
    let good = token.platform.authorization.create_registration_token(None).await.unwrap();
    let old = token.platform.authorization.create_registration_token(Some(60)).await.unwrap();
    let gone = token.platform.authorization.create_registration_token(None).await.unwrap();
    token.platform.authorization.revoke_registration_token(&gone).await.unwrap();
    token.pass(61);
    for (what, presented, wanted) in [
        ("no token", None, "401 invalid_token"),
        ("any text", Some("x"), "401 invalid_token"),
        ("an access token", tokens["access_token"].as_str(), "401 invalid_token"),
        ("a client's secret", Some(&*token.looms.secret), "401 invalid_token"),
        ("a token that is over", Some(old.expose()), "401 invalid_token"),
        ("a token that was taken back", Some(gone.expose()), "401 invalid_token"),
        ("a good one", Some(good.expose()), "201"),
    ] {
        let mut wire = with("x", json!(1));
        if let Some(presented) = presented {
            wire = wire.header("authorization", &format!("Bearer {presented}"));
        }
        tally.row(&format!("with {what}"), &token.send(&wire).await.said(), wanted);
    }

    let rules =
        Rules { registration: Policy::Open, ceiling: vec![Scope::Identity, Scope::ReadBlock], ..Rules::default() };
    let open = Bed::with(rules).await;
    let many: Vec<_> = (0..21).map(|n| format!("https://looms.example/{n}")).collect();
    for (what, name, value, wanted) in [
        ("a script for an address", "redirect_uris", json!(["javascript:alert(1)"]), REDIRECT),
        ("data for an address", "redirect_uris", json!(["data:text/html,x"]), REDIRECT),
        ("plain http", "redirect_uris", json!(["http://looms.example/cb"]), REDIRECT),
        ("a wildcard", "redirect_uris", json!(["https://*.looms.example/cb"]), REDIRECT),
        ("a fragment", "redirect_uris", json!(["https://looms.example/cb#x"]), REDIRECT),
        (
            "one bad address among good ones",
            "redirect_uris",
            json!(["https://looms.example/cb", "file:///x"]),
            REDIRECT,
        ),
        ("no address", "redirect_uris", json!([]), REDIRECT),
        ("twenty-one addresses", "redirect_uris", json!(many), REDIRECT),
        ("a text for addresses", "redirect_uris", json!("https://looms.example/cb"), METADATA),
        ("numbers for addresses", "redirect_uris", json!([1]), METADATA),
        ("a name that turns the text around", "client_name", json!("Looms\u{202e}gpj"), METADATA),
        ("a name with a line end", "client_name", json!("Looms\r\nX: y"), METADATA),
        ("a name nobody sees", "client_name", json!("\u{200b}"), METADATA),
        ("a long name", "client_name", json!("x".repeat(5_000)), METADATA),
        ("a number for a name", "client_name", json!(1), METADATA),
        ("a logo over plain http", "logo_uri", json!("http://looms.example/l.png"), METADATA),
        ("a script for a logo", "logo_uri", json!("javascript:alert(1)"), METADATA),
        ("a logo with a quote", "logo_uri", json!("https://looms.example/\"onerror=x"), METADATA),
        ("an implicit client", "response_types", json!(["token"]), METADATA),
        ("keys for proof", "token_endpoint_auth_method", json!("private_key_jwt"), METADATA),
        ("unsigned ID tokens", "id_token_signed_response_alg", json!("none"), METADATA),
        ("ID tokens signed with the secret", "id_token_signed_response_alg", json!("HS256"), METADATA),
        ("another kind of subject", "subject_type", json!("pairwise"), METADATA),
        ("no grant", "grant_types", json!(["client_credentials"]), METADATA),
        ("a scope beyond what is let in", "scope", json!("WRITE_GRAPH"), METADATA),
    ] {
        tally.row(what, &open.send(&with(name, value)).await.said(), wanted);
    }
    // What is asked beyond that is left out, and what only operators say is not read.
    for (name, value) in [
        ("scope", json!("IDENTITY WRITE_GRAPH RUN_AGENT")),
        ("is_trusted", json!(true)),
        ("allows_plain", json!(true)),
        ("is_resource_server", json!(true)),
        ("client_id", json!(open.looms.id())),
        ("client_secret", json!("agpt_secret_mine")),
        ("owner_id", json!(open.ada.to_string())),
        ("id", json!(open.looms.key())),
    ] {
        let reply = open.send(&with(name, value)).await;
        tally.row(&format!("{name} of its own"), &reply.said(), "201");
        let made = reply.json();
        let client = open.platform.authorization.app_named(made["client_id"].as_str().unwrap()).await.unwrap();
        let is_small = client.scopes.iter().all(|scope| [Scope::Identity, Scope::ReadBlock].contains(scope));
        let is_plain =
            !client.is_trusted && !client.allows_plain && !client.is_resource_server && client.owner.is_none();
        let is_new = client.client_id != open.looms.id() && made["client_secret"] != "agpt_secret_mine";
        tally.row(&format!("{name} gives nothing"), &(is_small && is_plain && is_new).to_string(), "true");
    }
    let mut form = Wire::post(REGISTER);
    form.add("redirect_uris", "https://looms.example/cb");
    tally.row("a form", &open.send(&form).await.said(), METADATA);
    tally.row("a list", &open.send(&asking(&json!([]))).await.said(), METADATA);
    let one = with("x", json!(1)).header("x-forwarded-for", "192.0.2.77");
    for _ in 0..20 {
        assert_eq!(open.send(&one).await.status, 201);
    }
    tally.row("the 21st in a minute", &open.send(&one).await.said(), "429");
    for method in ["GET", "PUT", "DELETE"] {
        let wire = Wire { method: method.to_owned(), ..Wire::get(REGISTER) };
        tally.row(&format!("{method} to register"), &open.send(&wire).await.said(), "405");
    }
    tally
}
