//! The consent page and what else a person decides there: by other sites' forms, with other requests, by the wrong people.

use crate::bed::{Bed, CALLBACK, CHALLENGE, Tally, VERIFIER, Wire, parameter};
use crate::browsers::ORIGINS;
use heddle_platform::authorization::By;
use serde_json::{Value, json};

const AUTHORIZE: &str = "/auth/authorize";
const DOOR: &str = "/api/oauth/authorize";

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("consent"));
    let cookie = bed.sign_in("ada").await;
    forms(&bed, &cookie, &mut tally).await;
    page(&bed, &cookie, &mut tally).await;
    door(&bed, &cookie, &mut tally).await;
    own(&bed, &cookie, &mut tally).await;
    tally
}

/// The page's form as its button sends it, without what proves where it comes from.
fn decision(bed: &Bed, cookie: &str, word: &str) -> Wire {
    let mut wire = Wire::post(AUTHORIZE).header("cookie", cookie);
    wire.add("request", &bed.query(&bed.looms, CALLBACK, "IDENTITY").encoded());
    wire.add("decision", word);
    wire
}

async fn forms(bed: &Bed, cookie: &str, tally: &mut Tally) {
    let (granted, denied) =
        (format!("303 to {CALLBACK}?code=*&state=s&iss="), format!("303 to {CALLBACK}?error=access_denied"));
    for (what, headers, may) in ORIGINS {
        for (word, done) in [("allow", &granted), ("deny", &denied)] {
            let mut wire = decision(bed, cookie, word);
            for (name, value) in *headers {
                wire = wire.header(name, value);
            }
            let found = bed.send(&wire).await.said();
            tally.row(&format!("{word} by {what}"), &found, if *may { done } else { "403 page" });
        }
    }
    let ours = |wire: Wire| wire.header("sec-fetch-site", "same-origin");
    for word in ["", "Allow", "allow ", "yes", "allow,deny"] {
        let found = bed.send(&ours(decision(bed, cookie, word))).await.said();
        tally.row(&format!("decided {word:?}"), &found.contains("code=*").to_string(), "false");
    }
    let mut twice = ours(decision(bed, cookie, "deny"));
    twice.add("decision", "allow");
    tally.row("denied, then allowed", &bed.send(&twice).await.said(), &denied);
    // A link decides nothing.
    let mut link = bed.query(&bed.looms, CALLBACK, "IDENTITY").header("cookie", cookie);
    for (name, value) in [("decision", "allow"), ("approve", "true"), ("authorize", "Authorize"), ("csrf", "x")] {
        link.add(name, value);
    }
    tally.row("allowed by a link", &bed.send(&link).await.shown(), "asks");
    // A form that an application sends asks; it brings no decision along.
    let mut asking = Wire::post(AUTHORIZE).header("cookie", cookie).header("origin", "https://evil.example");
    asking.fields = bed.query(&bed.looms, CALLBACK, "IDENTITY").fields;
    tally.row(
        "asked by a form of another site",
        &bed.send(&asking).await.said(),
        "303 to /auth/authorize?response_type=code&",
    );
    // What the form carries is judged anew.
    for (what, name, value, wanted) in [
        ("another address", "redirect_uri", "https://evil.example/cb", "page: invalid redirect_uri"),
        ("another application's address", "redirect_uri", "https://nets.example/cb", "page: invalid redirect_uri"),
        (
            "an unknown application",
            "client_id",
            "agpt_client_nobody",
            "page: there is no application of this client_id here",
        ),
        ("more than it may", "scope", "IDENTITY WRITE_GRAPH", "to https://looms.example/cb?error=invalid_scope"),
        ("no challenge", "code_challenge", "", "to https://looms.example/cb?error=invalid_request"),
        ("implicit", "response_type", "token", "to https://looms.example/cb?error=unsupported_response_type"),
    ] {
        let mut query = bed.query(&bed.looms, CALLBACK, "IDENTITY");
        query.set(name, value);
        for word in ["allow", "deny"] {
            let mut wire = ours(decision(bed, cookie, word));
            wire.set("request", &query.encoded());
            tally.row(&format!("{word} with {what}"), &bed.send(&wire).await.shown(), wanted);
        }
    }
    let mut empty = ours(decision(bed, cookie, "allow"));
    empty.set("request", "");
    tally.row("allowed nothing", &bed.send(&empty).await.shown(), "page: the request lacks client_id");
    let nobody = ours(decision(bed, "a=b", "allow"));
    tally.row("allowed by nobody", &bed.send(&nobody).await.said(), "303 to /login?next=");
    tally.row("denied by nobody", &bed.send(&ours(decision(bed, "a=b", "deny"))).await.said(), "303 to /login?next=");
    // Whose session it is, is whose account is opened.
    let bobs = bed.sign_in("bob").await;
    let reply = bed.send(&ours(decision(bed, &bobs, "allow"))).await;
    let code = parameter(reply.get("location"), "code");
    let tokens = bed.send(&bed.exchange(&code)).await.tokens();
    let wire = Wire::get("/external-api/v1/me")
        .header("authorization", &format!("Bearer {}", tokens["access_token"].as_str().unwrap()));
    tally.row("another session", bed.send(&wire).await.json()["email"].as_str().unwrap(), "bob@example.org");
}

async fn page(bed: &Bed, cookie: &str, tally: &mut Tally) {
    let reply = bed.send(&bed.query(&bed.looms, CALLBACK, "IDENTITY").header("cookie", cookie)).await;
    let policy = reply.get("content-security-policy");
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https://looms.example;"]
    {
        tally.row(&format!("policy: {part}"), &policy.contains(part).to_string(), "true");
    }
    tally.row("policy: nothing inline", &policy.contains("unsafe").to_string(), "false");
    for (name, value) in
        [("x-frame-options", "DENY"), ("cross-origin-opener-policy", "same-origin"), ("referrer-policy", "same-origin")]
    {
        tally.row(name, reply.get(name), value);
    }
    tally.row("the host is shown", &reply.text().contains("<strong>looms.example</strong>").to_string(), "true");
    // What an application says of itself and of the request is text, whatever it looks like.
    for payload in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
        "</title><script>",
        "{{7*7}}",
        "<!--",
        "&lt;b&gt;",
    ] {
        for name in ["state", "nonce", "login_hint", "scope", "x", "client_id", "redirect_uri", "prompt", "ui_locales"]
        {
            let mut wire = bed.query(&bed.looms, CALLBACK, "IDENTITY").header("cookie", cookie);
            wire.set(name, payload);
            let reply = bed.send(&wire).await;
            let is_raw = payload.contains('<') && reply.text().contains(payload)
                || reply.text().contains("<img src=x")
                || reply.text().contains("<script>alert");
            let found = if reply.said().contains("code=*") { "allowed".to_owned() } else { is_raw.to_string() };
            tally.row(&format!("{payload} as {name}"), &found, "false");
        }
    }
}

fn asked(bed: &Bed) -> Value {
    json!({
        "client_id": bed.looms.id(), "redirect_uri": CALLBACK, "scopes": ["IDENTITY"], "state": "s",
        "response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

fn json_post(path: &str, cookie: &str, body: &Value) -> Wire {
    let mut wire = Wire::post(path).header("cookie", cookie).in_json();
    wire.raw = Some(body.to_string().into_bytes());
    wire
}

/// `auth.md` 6.2.
async fn door(bed: &Bed, cookie: &str, tally: &mut Tally) {
    let granted = format!("{CALLBACK}?code=*&state=s");
    let said = async |wire: Wire| {
        let reply = bed.send(&wire).await;
        match reply.json()["redirect_url"].as_str() {
            Some(url) => crate::bed::without_code(url),
            None => reply.said(),
        }
    };
    for (what, headers, may) in ORIGINS {
        let mut wire = json_post(DOOR, cookie, &asked(bed));
        for (name, value) in *headers {
            wire = wire.header(name, value);
        }
        tally.row(&format!("a code for {what}"), &said(wire).await, if *may { &granted } else { "403" });
    }
    let ours = |body: &Value| json_post(DOOR, cookie, body).header("sec-fetch-site", "same-origin");
    let error = |name: &str| format!("{CALLBACK}?error={name}&state=s&error_description=");
    for (what, name, value, wanted) in [
        ("an unknown application", "client_id", json!("agpt_client_nobody"), "400 Unknown client_id".to_owned()),
        (
            "another application",
            "client_id",
            json!(bed.nets.id()),
            "400 Invalid redirect_uri. Must be one of: https://nets.example/cb".to_owned(),
        ),
        ("a foreign address", "redirect_uri", json!("https://evil.example/cb"), "400 Invalid redirect_uri.".to_owned()),
        (
            "an address with a slash",
            "redirect_uri",
            json!("https://looms.example/cb/"),
            "400 Invalid redirect_uri.".to_owned(),
        ),
        ("a script", "redirect_uri", json!("javascript:alert(1)"), "400 Invalid redirect_uri.".to_owned()),
        ("no address", "redirect_uri", json!(""), "400 Invalid redirect_uri.".to_owned()),
        ("null for an address", "redirect_uri", json!(null), "422".to_owned()),
        ("a list for an address", "redirect_uri", json!([CALLBACK]), "422".to_owned()),
        ("implicit", "response_type", json!("token"), error("unsupported_response_type")),
        ("an unknown scope", "scopes", json!(["ADMIN"]), error("invalid_scope")),
        ("no scope", "scopes", json!([]), error("invalid_scope")),
        ("a scope it may not have", "scopes", json!(["IDENTITY", "WRITE_GRAPH"]), error("invalid_scope")),
        ("two scopes in one", "scopes", json!(["IDENTITY RUN_AGENT"]), error("invalid_scope")),
        ("a text for scopes", "scopes", json!("IDENTITY"), "422".to_owned()),
        ("plain", "code_challenge_method", json!("plain"), error("invalid_request")),
        ("another method", "code_challenge_method", json!("none"), "422".to_owned()),
        ("no challenge", "code_challenge", json!(""), error("invalid_request")),
        ("the verifier for a challenge", "code_challenge", json!(&VERIFIER[..42]), error("invalid_request")),
        (
            "a state that adds parameters",
            "state",
            json!("s&code=stolen#"),
            format!("{CALLBACK}?code=*&state=s%26code%3Dstolen%23"),
        ),
        ("a state with a line end", "state", json!("s\r\nX: y"), format!("{CALLBACK}?code=*&state=s%0D%0AX%3A+y")),
    ] {
        let mut body = asked(bed);
        body[name] = value;
        tally.row(&format!("{what} in JSON"), &said(ours(&body)).await, &wanted);
    }
    for name in ["client_id", "redirect_uri", "scopes", "state", "code_challenge"] {
        let mut body = asked(bed);
        body.as_object_mut().unwrap().remove(name);
        tally.row(&format!("{name} is missing in JSON"), &said(ours(&body)).await, "422");
    }
    bed.platform.authorization.set_app_active(By::Operator, &bed.looms.key(), false).await.unwrap();
    tally.row("one that is off, in JSON", &said(ours(&asked(bed))).await, "400 Application is not active");
    bed.platform.authorization.set_app_active(By::Operator, &bed.looms.key(), true).await.unwrap();
    let tokens = bed.tokens().await;
    let token = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let wire =
        json_post(DOOR, "a=b", &asked(bed)).header("authorization", &token).header("sec-fetch-site", "same-origin");
    tally.row("a token for a session", &said(wire).await, "401 Authorization header is missing");
    tally.row("nobody", &said(json_post(DOOR, "a=b", &asked(bed))).await, "401 Authorization header is missing");
}

/// Applications and grants: other sites change nothing, and other people's look missing.
async fn own(bed: &Bed, cookie: &str, tally: &mut Tally) {
    let looms = bed.looms.key();
    let tokens = bed.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let new = json!({"name": "New", "redirect_uris": ["https://looms.example/cb"], "scopes": ["IDENTITY"]});
    for (what, headers, may) in ORIGINS.iter().filter(|(.., may)| !may) {
        for (method, path, body) in [
            ("POST", "/api/oauth/apps".to_owned(), new.clone()),
            ("PATCH", format!("/api/oauth/apps/{looms}"), json!({"redirect_uris": ["https://evil.example/cb"]})),
            ("PATCH", format!("/api/oauth/apps/{looms}/status"), json!({"is_active": false})),
            ("POST", format!("/api/oauth/apps/{looms}/secret"), json!({})),
            ("DELETE", format!("/api/oauth/apps/{looms}"), json!({})),
            ("DELETE", format!("/api/oauth/grants/{}", bed.looms.id()), json!({})),
        ] {
            let mut wire = Wire { method: method.to_owned(), ..json_post(&path, cookie, &body) };
            for (name, value) in *headers {
                wire = wire.header(name, value);
            }
            let shown = path.replace(&looms, "ID").replace(bed.looms.id(), "NAME");
            tally.row(&format!("{what} at {method} {shown}"), &bed.send(&wire).await.status.to_string(), "403");
        }
        for path in ["/settings/applications/revoke".to_owned(), format!("/settings/oauth-apps/{looms}/delete")] {
            let mut wire = Wire::post(&path).header("cookie", cookie);
            wire.add("client_id", bed.looms.id());
            for (name, value) in *headers {
                wire = wire.header(name, value);
            }
            let shown = path.replace(&looms, "ID");
            tally.row(&format!("{what} at {shown}"), &bed.send(&wire).await.said(), "403 page");
        }
        assert!(!may);
    }
    tally.row("all of that ended nothing", &bed.me(access).await, "200");

    let bobs = bed.sign_in("bob").await;
    for (method, path, body) in [
        ("PATCH", format!("/api/oauth/apps/{looms}"), json!({"name": "Mine"})),
        ("PATCH", format!("/api/oauth/apps/{looms}/status"), json!({"is_active": false})),
        ("PATCH", format!("/api/oauth/apps/{looms}/logo"), json!({"logo_url": "https://evil.example/l.png"})),
        ("POST", format!("/api/oauth/apps/{looms}/secret"), json!({})),
        ("DELETE", format!("/api/oauth/apps/{looms}"), json!({})),
    ] {
        let send = async |path: &str| {
            let wire = Wire { method: method.to_owned(), ..json_post(path, &bobs, &body) };
            bed.send(&wire.header("sec-fetch-site", "same-origin")).await
        };
        let theirs = send(&path).await;
        let nobodys = send(&path.replace(&looms, "11111111-1111-4111-8111-111111111111")).await;
        tally.row(&format!("{method} of another person's"), &theirs.status.to_string(), "404");
        tally.row(&format!("{method} looks missing"), &(theirs.json() == nobodys.json()).to_string(), "true");
    }
    for path in ["", "/secret", "/disable", "/enable", "/delete"] {
        let wire = Wire::post(&format!("/settings/oauth-apps/{looms}{path}")).header("cookie", &bobs);
        let found = bed.send(&wire.header("sec-fetch-site", "same-origin")).await.status;
        tally.row(&format!("another person's page{path}"), &found.to_string(), "404");
    }
    for path in ["/admin/accounts", "/admin/server", "/admin/oauth-apps", "/admin/applications"] {
        let found = bed.send(&Wire::get(path).header("cookie", cookie)).await.status;
        tally.row(&format!("{path} for somebody who is no operator"), &found.to_string(), "404");
    }
    for path in ["/admin/accounts", "/admin/accounts/disable", "/admin/accounts/enable", "/admin/accounts/reset"] {
        let mut wire = Wire::post(path).header("cookie", cookie).header("sec-fetch-site", "same-origin");
        wire.add("email", "bob@example.org");
        let found = bed.send(&wire).await.status;
        tally.row(&format!("POST {path} by somebody who is no operator"), &found.to_string(), "404");
    }
    tally.row(
        "bob's session after that",
        &bed.send(&Wire::get("/settings/profile").header("cookie", &bobs)).await.said(),
        "200",
    );
    // An owner may not say of an application what is an operator's to say.
    for name in ["is_trusted", "is_resource_server", "allows_plain"] {
        let mut body = json!({"name": "Looms"});
        body[name] = json!(true);
        let wire = Wire { method: "PATCH".to_owned(), ..json_post(&format!("/api/oauth/apps/{looms}"), cookie, &body) };
        bed.send(&wire.header("sec-fetch-site", "same-origin")).await;
        let client = bed.platform.authorization.app_named(&looms).await.unwrap();
        let is_any = client.is_trusted || client.is_resource_server || client.allows_plain;
        tally.row(&format!("{name} by its owner"), &is_any.to_string(), "false");
    }
    for (what, uri) in [
        ("a script", "javascript:alert(1)"),
        ("plain http", "http://looms.example/cb"),
        ("a fragment", "https://a.example/#x"),
    ] {
        for body in [json!({"redirect_uris": [uri]}), json!({"redirect_uris": ["https://looms.example/cb", uri]})] {
            let path = format!("/api/oauth/apps/{looms}");
            let wire = Wire { method: "PATCH".to_owned(), ..json_post(&path, cookie, &body) };
            let status = bed.send(&wire.header("sec-fetch-site", "same-origin")).await.status;
            tally.row(
                &format!("{what} for an address by its owner"),
                &(400..500).contains(&status).to_string(),
                "true",
            );
        }
    }
}
