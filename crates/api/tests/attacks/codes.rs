//! Codes: swapped, replayed, late, with the wrong proof, from the wrong place.

use crate::bed::{Bed, CALLBACK, CHALLENGE, Tally, VERIFIER, Wire, basic};

/// What is changed about a good exchange.
type Change = fn(&mut Wire, &Bed);

/// What is changed; the answer to a form, the answer to JSON; whether the code is still good for its owner afterwards.
type Row = (&'static str, Change, &'static str, &'static str, bool);

const NO_GRANT: &str = "400 invalid_grant: authorization code does not belong to this application";
const REDIRECT: &str = "400 invalid_grant: redirect_uri mismatch";
const PKCE: &str = "400 invalid_grant: PKCE verification failed";
const MISSING: &str = "422 invalid_request";
const UNKNOWN: &str = "400 invalid_grant: authorization code not found";
const CLIENT: &str = "401 invalid_client";

const ROWS: &[Row] = &[
    (
        "by another application",
        |w, b| {
            w.set("client_id", b.nets.id());
            w.set("client_secret", &b.nets.secret);
        },
        NO_GRANT,
        NO_GRANT,
        true,
    ),
    (
        "by another application with its own address",
        |w, b| {
            w.set("client_id", b.nets.id());
            w.set("client_secret", &b.nets.secret);
            w.set("redirect_uri", "https://nets.example/cb");
        },
        NO_GRANT,
        NO_GRANT,
        true,
    ),
    (
        "by a public application",
        |w, b| {
            w.set("client_id", b.phone.id());
            w.cut("client_secret");
        },
        NO_GRANT,
        MISSING,
        true,
    ),
    ("with another application's name", |w, b| w.set("client_id", b.nets.id()), CLIENT, CLIENT, true),
    ("with another application's secret", |w, b| w.set("client_secret", &b.nets.secret), CLIENT, CLIENT, true),
    ("without a secret", |w, _| w.cut("client_secret"), CLIENT, MISSING, true),
    ("with an empty secret", |w, _| w.set("client_secret", ""), CLIENT, CLIENT, true),
    ("with the secret's beginning", |w, b| w.set("client_secret", &b.looms.secret[..30]), CLIENT, CLIENT, true),
    ("with more than the secret", |w, b| w.set("client_secret", &format!("{}x", b.looms.secret)), CLIENT, CLIENT, true),
    (
        "with the secret and a zero byte",
        |w, b| w.set("client_secret", &format!("{}\0", b.looms.secret)),
        CLIENT,
        CLIENT,
        true,
    ),
    (
        "with the secret in capitals",
        |w, b| w.set("client_secret", &b.looms.secret.to_uppercase()),
        CLIENT,
        CLIENT,
        true,
    ),
    (
        "with a space before the secret",
        |w, b| w.set("client_secret", &format!(" {}", b.looms.secret)),
        CLIENT,
        CLIENT,
        true,
    ),
    ("with the name in capitals", |w, b| w.set("client_id", &b.looms.id().to_uppercase()), CLIENT, CLIENT, true),
    (
        "with a zero byte behind the name",
        |w, b| w.set("client_id", &format!("{}\0", b.looms.id())),
        CLIENT,
        CLIENT,
        true,
    ),
    ("with a wildcard for a name", |w, _| w.set("client_id", "%"), CLIENT, CLIENT, true),
    ("with the record's id for a name", |w, b| w.set("client_id", &b.looms.key()), CLIENT, CLIENT, true),
    ("with SQL for a name", |w, _| w.set("client_id", "' OR '1'='1"), CLIENT, CLIENT, true),
    (
        "with the other registered address",
        |w, _| w.set("redirect_uri", "https://looms.example/second"),
        REDIRECT,
        REDIRECT,
        true,
    ),
    ("without the address that was given", |w, _| w.cut("redirect_uri"), REDIRECT, MISSING, true),
    (
        "with a slash behind the address",
        |w, _| w.set("redirect_uri", "https://looms.example/cb/"),
        REDIRECT,
        REDIRECT,
        true,
    ),
    (
        "with the address in capitals",
        |w, _| w.set("redirect_uri", "https://LOOMS.example/cb"),
        REDIRECT,
        REDIRECT,
        true,
    ),
    ("with the default port", |w, _| w.set("redirect_uri", "https://looms.example:443/cb"), REDIRECT, REDIRECT, true),
    ("with the address encoded", |w, _| w.set("redirect_uri", "https://looms.example/%63b"), REDIRECT, REDIRECT, true),
    (
        "with a query behind the address",
        |w, _| w.set("redirect_uri", "https://looms.example/cb?"),
        REDIRECT,
        REDIRECT,
        true,
    ),
    (
        "with a fragment behind the address",
        |w, _| w.set("redirect_uri", "https://looms.example/cb#"),
        REDIRECT,
        REDIRECT,
        true,
    ),
    ("with a foreign address", |w, _| w.set("redirect_uri", "https://evil.example/cb"), REDIRECT, REDIRECT, true),
    ("with no verifier", |w, _| w.cut("code_verifier"), "400 invalid_grant: code_verifier required", MISSING, true),
    (
        "with an empty verifier",
        |w, _| w.set("code_verifier", ""),
        "400 invalid_grant: code_verifier required",
        "400 invalid_grant: code_verifier required",
        true,
    ),
    ("with the challenge for a verifier", |w, _| w.set("code_verifier", CHALLENGE), PKCE, PKCE, true),
    ("with the verifier's beginning", |w, _| w.set("code_verifier", &VERIFIER[..42]), PKCE, PKCE, true),
    ("with more than the verifier", |w, _| w.set("code_verifier", &format!("{VERIFIER}a")), PKCE, PKCE, true),
    ("with the verifier in capitals", |w, _| w.set("code_verifier", &VERIFIER.to_uppercase()), PKCE, PKCE, true),
    ("with a verifier that is too long", |w, _| w.set("code_verifier", &"a".repeat(129)), PKCE, PKCE, true),
    ("with a verifier of other letters", |w, _| w.set("code_verifier", &"ä".repeat(43)), PKCE, PKCE, true),
    ("with a line end behind the verifier", |w, _| w.set("code_verifier", &format!("{VERIFIER}\n")), PKCE, PKCE, true),
    (
        "with a method that says plain",
        |w, _| {
            w.set("code_verifier", CHALLENGE);
            w.add("code_challenge_method", "plain");
        },
        PKCE,
        PKCE,
        true,
    ),
    (
        "with a code of one letter more",
        |w, _| {
            let longer = format!("{}A", w.value("code"));
            w.set("code", &longer);
        },
        UNKNOWN,
        UNKNOWN,
        true,
    ),
    (
        "with a code of one letter less",
        |w, _| {
            let shorter = w.value("code")[..42].to_owned();
            w.set("code", &shorter);
        },
        UNKNOWN,
        UNKNOWN,
        true,
    ),
    (
        "with the code in capitals",
        |w, _| {
            let upper = w.value("code").to_uppercase();
            w.set("code", &upper);
        },
        UNKNOWN,
        UNKNOWN,
        true,
    ),
    (
        "with a space behind the code",
        |w, _| {
            let spaced = format!("{} ", w.value("code"));
            w.set("code", &spaced);
        },
        UNKNOWN,
        UNKNOWN,
        true,
    ),
    ("with an empty code", |w, _| w.set("code", ""), "400 invalid_request", UNKNOWN, true),
    ("with no code", |w, _| w.cut("code"), "400 invalid_request", MISSING, true),
    ("with a wildcard for a code", |w, _| w.set("code", "%"), UNKNOWN, UNKNOWN, true),
    (
        "with the code as a refresh token",
        |w, _| {
            let code = w.value("code").to_owned();
            w.set("grant_type", "refresh_token");
            w.set("refresh_token", &code);
        },
        "400 invalid_grant: refresh token not found",
        "400 invalid_grant: refresh token not found",
        true,
    ),
    (
        "with the grant type in capitals",
        |w, _| w.set("grant_type", "AUTHORIZATION_CODE"),
        "400 unsupported_grant_type",
        "422 unsupported_grant_type",
        true,
    ),
    ("with no grant type", |w, _| w.cut("grant_type"), "400 invalid_request", MISSING, true),
    (
        "by password",
        |w, _| w.set("grant_type", "password"),
        "400 unsupported_grant_type",
        "422 unsupported_grant_type",
        true,
    ),
    (
        "by client credentials",
        |w, _| w.set("grant_type", "client_credentials"),
        "400 unsupported_grant_type",
        "422 unsupported_grant_type",
        true,
    ),
    (
        "for a resource elsewhere",
        |w, _| w.add("resource", "https://evil.example/"),
        "400 invalid_target",
        "200 tokens",
        false,
    ),
    ("with a scope that was not asked for", |w, _| w.add("scope", "RUN_AGENT"), "200 tokens", "200 tokens", false),
    (
        "with the secret in header and body",
        |w, b| w.headers.push(("authorization".into(), b.looms.basic().into_bytes())),
        "400 invalid_request: Client credentials came in more than one place",
        "400 invalid_request: Client credentials came in more than one place",
        true,
    ),
    (
        "with another application's header",
        |w, b| {
            w.cut("client_secret");
            w.headers.push(("authorization".into(), b.nets.basic().into_bytes()));
        },
        "400 invalid_request: Client credentials",
        "400 invalid_request: Client credentials",
        true,
    ),
    (
        "with two headers",
        |w, b| {
            w.cut("client_secret");
            w.cut("client_id");
            for _ in 0..2 {
                w.headers.push(("authorization".into(), b.looms.basic().into_bytes()));
            }
        },
        "400 invalid_request: Client credentials",
        "400 invalid_request: Client credentials",
        true,
    ),
    (
        "with a header without a secret",
        |w, b| {
            w.cut("client_secret");
            w.headers.push(("authorization".into(), basic(b.looms.id(), "").into_bytes()));
        },
        CLIENT,
        CLIENT,
        true,
    ),
];

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("codes"));
    for (what, change, standard, upstream, lives) in ROWS {
        for is_json in [false, true] {
            let good = Wire { is_json, ..bed.exchange(&bed.code().await) };
            let mut wire = good.clone();
            change(&mut wire, &bed);
            let wanted = if is_json { upstream } else { standard };
            let found = bed.send(&wire).await.said();
            // What failed must not have cost the owner the code, and what worked must not work twice.
            let after = bed.send(&good).await.said();
            let lives = *lives || wanted.starts_with('4');
            let ends = if lives { "200 tokens" } else { "400 invalid_grant: authorization code already used at" };
            let then = if after.starts_with(ends) { "" } else { &*format!("; then {after}") };
            let wanted = if then.is_empty() { (*wanted).to_owned() } else { format!("{wanted}; then {ends}") };
            tally.row(&format!("{what} (JSON: {is_json})"), &format!("{found}{then}"), &wanted);
        }
    }
    replays(&bed, &mut tally).await;
    scopes(&bed, &mut tally).await;
    times(&bed, &mut tally).await;
    tally
}

/// What was issued for a code ends when the code comes again.
async fn replays(bed: &Bed, tally: &mut Tally) {
    let used = "400 invalid_grant: authorization code already used at 2026-02-";
    for (what, seconds) in [("at once", 0), ("a minute later", 60), ("after the code's end", 601)] {
        let wire = bed.exchange(&bed.code().await);
        let tokens = bed.send(&wire).await.tokens();
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(bed.me(access).await, "200");
        bed.pass(seconds);
        tally.row(&format!("replayed {what}"), &bed.send(&wire).await.said(), used);
        tally.row(
            &format!("replayed {what}: access"),
            &bed.me(access).await,
            "401 Invalid token: access token has been revoked",
        );
        let refresh = bed.refresh(tokens["refresh_token"].as_str().unwrap());
        let found = bed.send(&refresh).await.said();
        tally.row(&format!("replayed {what}: refresh"), &found, "400 invalid_grant: refresh token has been revoked");
    }
    // Somebody else's replay must not log the person out.
    let wire = bed.exchange(&bed.code().await);
    let tokens = bed.send(&wire).await.tokens();
    let mut theirs = wire.clone();
    theirs.set("client_id", bed.nets.id());
    theirs.set("client_secret", &bed.nets.secret);
    tally.row("replayed by another application", &bed.send(&theirs).await.said(), NO_GRANT);
    tally.row("after that", &bed.me(tokens["access_token"].as_str().unwrap()).await, "200");
    let mut theirs = wire.clone();
    theirs.set("client_secret", "agpt_secret_wrong");
    tally.row("replayed with a wrong secret", &bed.send(&theirs).await.said(), CLIENT);
    tally.row("after that", &bed.me(tokens["access_token"].as_str().unwrap()).await, "200");
}

/// A code is for the person and the scopes that were allowed.
async fn scopes(bed: &Bed, tally: &mut Tally) {
    let code = bed.code_of(bed.bob, &bed.looms, CALLBACK, "IDENTITY").await;
    let mut wire = bed.exchange(&code);
    wire.add("scope", "IDENTITY RUN_AGENT");
    wire.add("username", "ada@example.org");
    let tokens = bed.send(&wire).await.tokens();
    tally.row("more scopes at the exchange", tokens["scope"].as_str().unwrap(), "IDENTITY");
    let me = bed.send(&Wire::get("/external-api/v1/me").header("authorization", &bearer(&tokens))).await;
    tally.row("another person at the exchange", me.json()["email"].as_str().unwrap(), "bob@example.org");
    let blocks = Wire::get("/external-api/v1/blocks").header("authorization", &bearer(&tokens));
    tally.row(
        "a scope that was not allowed",
        &bed.send(&blocks).await.said(),
        "403 Missing required permission(s): READ_BLOCK",
    );
}

fn bearer(tokens: &serde_json::Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

/// The clock goes on, and back.
async fn times(bed: &Bed, tally: &mut Tally) {
    let good = "200 tokens";
    for (what, seconds, wanted) in [
        ("just in time", 599, good),
        ("at its end", 600, "400 invalid_grant: authorization code expired"),
        ("a year later", 31_536_000, "400 invalid_grant: authorization code expired"),
        ("before it was issued", -3_600, good),
    ] {
        let wire = bed.exchange(&bed.code().await);
        bed.pass(seconds);
        tally.row(&format!("redeemed {what}"), &bed.send(&wire).await.said(), wanted);
    }
    let wire = bed.exchange(&bed.code().await);
    bed.send(&wire).await.tokens();
    bed.pass(-86_400);
    tally.row(
        "replayed before it was used",
        &bed.send(&wire).await.said(),
        "400 invalid_grant: authorization code already used",
    );
    bed.pass(86_400);
}
