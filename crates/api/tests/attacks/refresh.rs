//! Refresh tokens: swapped, reused, grown, late, raced by their owner's own retries.

use crate::bed::{Bed, CALLBACK, Tally, Wire};
use heddle_model::Scope;
use heddle_platform::authorization::{By, Change};
use serde_json::Value;

type Edit = fn(&mut Wire, &Bed);

const CLIENT: &str = "401 invalid_client";
const FOREIGN: &str = "400 invalid_grant: refresh token does not belong to this application";
const REVOKED: &str = "400 invalid_grant: refresh token has been revoked";
const UNKNOWN: &str = "400 invalid_grant: refresh token not found";

/// What is changed about a good refresh; the answer to a form, the answer to JSON. None of these costs the owner anything.
const ROWS: &[(&str, Edit, &str, &str)] = &[
    (
        "by another application",
        |w, b| {
            w.set("client_id", b.nets.id());
            w.set("client_secret", &b.nets.secret);
        },
        FOREIGN,
        FOREIGN,
    ),
    (
        "by a public application",
        |w, b| {
            w.set("client_id", b.phone.id());
            w.cut("client_secret");
        },
        FOREIGN,
        "422 invalid_request",
    ),
    ("without a secret", |w, _| w.cut("client_secret"), CLIENT, "422 invalid_request"),
    ("with a wrong secret", |w, b| w.set("client_secret", &b.nets.secret), CLIENT, CLIENT),
    ("with an unknown name", |w, _| w.set("client_id", "agpt_client_nobody"), CLIENT, CLIENT),
    ("with an empty token", |w, _| w.set("refresh_token", ""), "400 invalid_request", UNKNOWN),
    ("without a token", |w, _| w.cut("refresh_token"), "400 invalid_request", "422 invalid_request"),
    (
        "with the token in capitals",
        |w, _| {
            let upper = w.value("refresh_token").to_uppercase();
            w.set("refresh_token", &upper);
        },
        UNKNOWN,
        UNKNOWN,
    ),
    (
        "with a space behind the token",
        |w, _| {
            let spaced = format!("{} ", w.value("refresh_token"));
            w.set("refresh_token", &spaced);
        },
        UNKNOWN,
        UNKNOWN,
    ),
    (
        "with the token without its beginning",
        |w, _| {
            let bare = w.value("refresh_token").trim_start_matches("agpt_rt_").to_owned();
            w.set("refresh_token", &bare);
        },
        UNKNOWN,
        UNKNOWN,
    ),
    (
        "with a token that nobody has",
        |w, _| w.set("refresh_token", &format!("agpt_rt_{}", "A".repeat(43))),
        UNKNOWN,
        UNKNOWN,
    ),
    (
        "as a code",
        |w, _| {
            let token = w.value("refresh_token").to_owned();
            w.set("grant_type", "authorization_code");
            w.add("code", &token);
            w.add("redirect_uri", CALLBACK);
            w.add("code_verifier", crate::bed::VERIFIER);
        },
        "400 invalid_grant: authorization code not found",
        "400 invalid_grant: authorization code not found",
    ),
    (
        "for a scope that was not granted",
        |w, _| w.add("scope", "IDENTITY RUN_AGENT"),
        "400 invalid_scope",
        "400 invalid_scope",
    ),
    ("for a scope that there is not", |w, _| w.add("scope", "EVERYTHING"), "400 invalid_scope", "400 invalid_scope"),
    ("for a scope in small letters", |w, _| w.add("scope", "identity"), "400 invalid_scope", "400 invalid_scope"),
    (
        "for openid, which was not granted",
        |w, _| w.add("scope", "IDENTITY openid"),
        "400 invalid_scope",
        "400 invalid_scope",
    ),
    ("for a resource elsewhere", |w, _| w.add("resource", "https://evil.example"), "400 invalid_target", "200 tokens"),
];

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("refresh"));
    for (what, change, standard, upstream) in ROWS {
        for is_json in [false, true] {
            let tokens = bed.tokens().await;
            let good = Wire { is_json, ..bed.refresh(text(&tokens, "refresh_token")) };
            let mut wire = good.clone();
            change(&mut wire, &bed);
            let wanted = if is_json { upstream } else { standard };
            tally.row(&format!("{what} (JSON: {is_json})"), &bed.send(&wire).await.said(), wanted);
            if wanted.starts_with('4') {
                assert_eq!(bed.send(&good).await.said(), "200 tokens", "after {what}");
            }
        }
    }
    reuse(&bed, &mut tally).await;
    scopes(&bed, &mut tally).await;
    times(&bed, &mut tally).await;
    ends(&bed, &mut tally).await;
    tally
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// `auth.md` 12.6: within ten seconds a lost answer, later a stolen token.
async fn reuse(bed: &Bed, tally: &mut Tally) {
    let lives = "200";
    let ended = "401 Invalid token: access token has been revoked";
    for (seconds, by_nets, access_after) in
        [(0, false, lives), (10, false, lives), (11, false, ended), (3_000, false, ended), (0, true, ended)]
    {
        let first = bed.tokens().await;
        let wire = bed.refresh(text(&first, "refresh_token"));
        let second = bed.send(&wire).await.tokens();
        bed.pass(seconds);
        let mut again = wire.clone();
        if by_nets {
            again.set("client_id", bed.nets.id());
            again.set("client_secret", &bed.nets.secret);
        }
        let what = format!("reused after {seconds} s (by another: {by_nets})");
        tally.row(&what, &bed.send(&again).await.said(), REVOKED);
        tally.row(&format!("{what}: its access token"), &bed.me(text(&first, "access_token")).await, access_after);
        tally.row(
            &format!("{what}: the next access token"),
            &bed.me(text(&second, "access_token")).await,
            access_after,
        );
        let next = bed.send(&bed.refresh(text(&second, "refresh_token"))).await.said();
        let wanted = if access_after == lives { "200 tokens" } else { REVOKED };
        tally.row(&format!("{what}: the next refresh token"), &next, wanted);
    }
    // The one before the last, long after.
    let mut tokens = bed.tokens().await;
    let first = bed.refresh(text(&tokens, "refresh_token"));
    for _ in 0..3 {
        bed.pass(60);
        tokens = bed.send(&bed.refresh(text(&tokens, "refresh_token"))).await.tokens();
    }
    tally.row("an old one comes again", &bed.send(&first).await.said(), REVOKED);
    tally.row("an old one comes again: access", &bed.me(text(&tokens, "access_token")).await, ended);
    // Another authorization of the same person for the same application is another family.
    let (one, other) = (bed.tokens().await, bed.tokens().await);
    let wire = bed.refresh(text(&one, "refresh_token"));
    bed.send(&wire).await.tokens();
    bed.pass(11);
    tally.row("reuse in one family", &bed.send(&wire).await.said(), REVOKED);
    tally.row("reuse in one family: the other family", &bed.me(text(&other, "access_token")).await, lives);
}

/// Nothing grows: not by asking, and not by what the application becomes.
async fn scopes(bed: &Bed, tally: &mut Tally) {
    let server = &bed.platform.authorization;
    let tokens = bed.tokens().await;
    let mut fewer = bed.refresh(text(&tokens, "refresh_token"));
    fewer.add("scope", "IDENTITY");
    let narrow = bed.send(&fewer).await.tokens();
    tally.row("fewer scopes", text(&narrow, "scope"), "IDENTITY");
    let wide = bed.send(&bed.refresh(text(&narrow, "refresh_token"))).await.tokens();
    tally.row("all that were granted again", text(&wide, "scope"), "IDENTITY READ_BLOCK");

    let edit = |scopes: Vec<Scope>| Change { scopes: Some(scopes), ..Change::default() };
    let key = bed.looms.key();
    let blocks = |token: &str| Wire::get("/external-api/v1/blocks").header("authorization", &format!("Bearer {token}"));
    let access = text(&wide, "access_token");
    assert_eq!(bed.send(&blocks(access)).await.said(), "200");
    server.change_app(By::Operator, &key, edit(vec![Scope::Identity])).await.unwrap();
    tally.row(
        "the application lost a scope",
        &bed.send(&blocks(access)).await.said(),
        "403 Missing required permission(s): READ_BLOCK",
    );
    let after = bed.send(&bed.refresh(text(&wide, "refresh_token"))).await.tokens();
    let opened = bed.send(&blocks(text(&after, "access_token"))).await.said();
    tally.row("a refresh after that", &opened, "403 Missing required permission(s): READ_BLOCK");
    let all = vec![Scope::Identity, Scope::ReadBlock, Scope::RunAgent, Scope::WriteGraph];
    server.change_app(By::Operator, &key, edit(all)).await.unwrap();
    let mut more = bed.refresh(text(&after, "refresh_token"));
    more.add("scope", "IDENTITY WRITE_GRAPH");
    tally.row("the application got a scope", &bed.send(&more).await.said(), "400 invalid_scope");
    more.cut("scope");
    let same = bed.send(&more).await.tokens();
    tally.row("a refresh after that", text(&same, "scope"), "IDENTITY READ_BLOCK");
}

async fn times(bed: &Bed, tally: &mut Tally) {
    const DAY: i64 = 86_400;
    for (what, seconds, wanted) in [
        ("after 29 days", 29 * DAY, "200 tokens"),
        ("after 30 days", 30 * DAY, "400 invalid_grant: refresh token expired"),
        ("after ten years", 3_650 * DAY, "400 invalid_grant: refresh token expired"),
        ("before it was issued", -DAY, "200 tokens"),
    ] {
        let tokens = bed.tokens().await;
        bed.pass(seconds);
        tally.row(what, &bed.send(&bed.refresh(text(&tokens, "refresh_token"))).await.said(), wanted);
        bed.pass(-seconds);
    }
    // A clock set back by an hour opens no grace for a token that was replaced.
    let tokens = bed.tokens().await;
    let wire = bed.refresh(text(&tokens, "refresh_token"));
    let next = bed.send(&wire).await.tokens();
    bed.pass(-3_600);
    tally.row("reused an hour before", &bed.send(&wire).await.said(), REVOKED);
    tally.row(
        "reused an hour before: access",
        &bed.me(text(&next, "access_token")).await,
        "401 Invalid token: access token has been revoked",
    );
    bed.pass(3_600);
}

/// Whatever ends an authorization ends its refresh tokens.
async fn ends(bed: &Bed, tally: &mut Tally) {
    let server = &bed.platform.authorization;
    let disabled = "401 invalid_client: Client authentication failed";
    let tokens = bed.tokens().await;
    let refresh = bed.refresh(text(&tokens, "refresh_token"));
    let code = bed.code().await;
    server.set_app_active(By::Operator, &bed.looms.key(), false).await.unwrap();
    tally.row("a refresh of a disabled application", &bed.send(&refresh).await.said(), disabled);
    tally.row("a code of a disabled application", &bed.send(&bed.exchange(&code)).await.said(), disabled);
    tally.row(
        "a token of a disabled application",
        &bed.me(text(&tokens, "access_token")).await,
        "401 Client application is disabled",
    );
    for path in ["/api/oauth/introspect", "/api/oauth/revoke"] {
        let mut wire = bed.refresh("");
        wire.path = path.to_owned();
        wire.set("token", text(&tokens, "access_token"));
        tally.row(&format!("{path} by a disabled application"), &bed.send(&wire).await.said(), disabled);
    }
    server.set_app_active(By::Operator, &bed.looms.key(), true).await.unwrap();
    tally.row("a token of an application that is on again", &bed.me(text(&tokens, "access_token")).await, "200");

    server.end_grant(bed.ada, bed.looms.id()).await.unwrap();
    tally.row("a refresh of a grant that was ended", &bed.send(&refresh).await.said(), REVOKED);
    tally.row(
        "a token of it",
        &bed.me(text(&tokens, "access_token")).await,
        "401 Invalid token: access token has been revoked",
    );
    tally.row(
        "a code of it",
        &bed.send(&bed.exchange(&code)).await.said(),
        "400 invalid_grant: authorization code not found",
    );

    let tokens = bed.tokens().await;
    let code = bed.code().await;
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    let refresh = bed.refresh(text(&tokens, "refresh_token"));
    tally.row("a refresh of a disabled person", &bed.send(&refresh).await.said(), REVOKED);
    tally.row(
        "a code of a disabled person",
        &bed.send(&bed.exchange(&code)).await.said(),
        "400 invalid_grant: authorization code not found",
    );
    tally.row(
        "a token of a disabled person",
        &bed.me(text(&tokens, "access_token")).await,
        "401 Invalid token: access token has been revoked",
    );

    let code = bed.code_of(bed.bob, &bed.looms, CALLBACK, "IDENTITY").await;
    let tokens = bed.send(&bed.exchange(&code)).await.tokens();
    server.delete_app(By::Operator, &bed.looms.key()).await.unwrap();
    let gone = bed.me(text(&tokens, "access_token")).await;
    tally.row("a token of an application that is gone", &gone, "401 Invalid token: access token not found");
    let refresh = bed.refresh(text(&tokens, "refresh_token"));
    tally.row("a refresh of an application that is gone", &bed.send(&refresh).await.said(), CLIENT);
}
