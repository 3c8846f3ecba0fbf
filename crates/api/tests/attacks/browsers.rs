//! What other sites can do with a browser that is signed in: nothing.

use crate::bed::{Bed, FORM, Tally, Wire};

type Headers = &'static [(&'static str, &'static str)];

/// What a browser or a tool says of where a request comes from, and whether it may change something.
pub const ORIGINS: &[(&str, Headers, bool)] = &[
    ("nothing said", &[], false),
    ("another site", &[("sec-fetch-site", "cross-site")], false),
    ("a neighbour", &[("sec-fetch-site", "same-site")], false),
    (
        "another site that says it is ours",
        &[("sec-fetch-site", "cross-site"), ("origin", "https://heddle.example")],
        false,
    ),
    ("a word nobody knows", &[("sec-fetch-site", "friendly")], false),
    ("the address bar", &[("sec-fetch-site", "none")], false),
    ("another origin", &[("origin", "https://evil.example")], false),
    ("an origin that begins alike", &[("origin", "https://heddle.example.evil.example")], false),
    ("an origin that ends alike", &[("origin", "https://evil-heddle.example")], false),
    ("another port", &[("origin", "https://heddle.example:8443")], false),
    ("another scheme", &[("origin", "http://heddle.example")], false),
    ("a friend of the API", &[("origin", "https://friend.example")], false),
    ("no origin", &[("origin", "null")], false),
    ("our address as a referrer", &[("referer", "https://heddle.example/settings/profile")], false),
    ("a token of somebody else", &[("x-csrf-token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")], false),
    ("an empty token", &[("x-csrf-token", "")], false),
    ("a page of ours", &[("sec-fetch-site", "same-origin")], true),
    ("our origin", &[("origin", "https://heddle.example")], true),
];

/// Where `next` may not lead.
const ELSEWHERE: &[&str] = &[
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "http:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "/\r\nSet-Cookie: a=b",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "/%0d%0a/evil\u{202e}",
    "https://heddle.example@evil.example",
    "https://heddle.example.evil.example",
    "?next=//evil.example",
    "/\u{2028}/evil.example",
    "//heddle.example@evil.example/",
    "/ /evil.example",
];

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("browsers"));
    forms(&bed, &mut tally).await;
    sign_in(&bed, &mut tally).await;
    frames(&bed, &mut tally).await;
    sharing(&bed, &mut tally).await;
    sessions(&bed, &mut tally).await;
    tally
}

/// Forms and calls that another site makes.
async fn forms(bed: &Bed, tally: &mut Tally) {
    let cookie = bed.sign_in("ada").await;
    for (what, headers, may) in ORIGINS {
        for path in ["/settings/profile", "/settings/api-keys", "/settings/security/sessions/end-others"] {
            let mut wire = Wire::post(path).header("cookie", &cookie);
            for (name, value) in *headers {
                wire = wire.header(name, value);
            }
            wire.add("name", "Eve");
            let reply = bed.send(&wire).await;
            tally.row(&format!("{what} at {path}"), &(reply.status != 403).to_string(), &may.to_string());
        }
        let mut wire = Wire::post("/api/api-keys").header("cookie", &cookie).in_json();
        wire.raw = Some(br#"{"name":"x","permissions":[]}"#.to_vec());
        for (name, value) in *headers {
            wire = wire.header(name, value);
        }
        let reply = bed.send(&wire).await;
        tally.row(&format!("{what} at /api/api-keys"), &reply.status.to_string(), if *may { "200" } else { "403" });
    }
    // A token in the query is nobody's proof; the one in the page is.
    let page = bed.send(&Wire::get("/settings/profile").header("cookie", &cookie)).await.text();
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let send = async |path: String, field: Option<&str>, cookie: &str| {
        let mut wire = Wire::post(&path).header("cookie", cookie);
        wire.add("name", "Ada");
        wire.add("time_zone", "UTC");
        if let Some(field) = field {
            wire.add("csrf", field);
        }
        (bed.send(&wire).await.status != 403).to_string()
    };
    let path = "/settings/profile".to_owned();
    tally.row("the page's token", &send(path.clone(), Some(&token), &cookie).await, "true");
    tally.row("the page's token in the query", &send(format!("{path}?csrf={token}"), None, &cookie).await, "false");
    let other = bed.sign_in("bob").await;
    tally.row("another person's token", &send(path.clone(), Some(&token), &other).await, "false");
    let again = bed.sign_in("ada").await;
    tally.row("another session's token", &send(path.clone(), Some(&token), &again).await, "false");
    tally.row("the token's beginning", &send(path.clone(), Some(&token[..20]), &cookie).await, "false");
    tally.row("the token does not tell the session", &cookie.contains(&token).to_string(), "false");
    // A form can be sent as text, so that it looks like JSON.
    for content_type in ["text/plain", FORM, "multipart/form-data; boundary=x"] {
        let mut wire = Wire::post("/api/api-keys").header("cookie", &cookie).header("content-type", content_type);
        wire.raw = Some(br#"{"name":"x","permissions":[]}"#.to_vec());
        tally.row(&format!("JSON as {content_type} from anywhere"), &bed.send(&wire).await.status.to_string(), "403");
    }
    for method in ["GET", "HEAD"] {
        let wire = Wire { method: method.to_owned(), ..Wire::get("/logout") }.header("cookie", &cookie);
        tally.row(&format!("{method} /logout"), &bed.send(&wire).await.status.to_string(), "405");
    }
}

async fn sign_in(bed: &Bed, tally: &mut Tally) {
    let cookie = bed.sign_in("ada").await;
    for next in ELSEWHERE {
        let mut wire = Wire::get("/login").header("cookie", &cookie);
        wire.add("next", next);
        tally.row(&format!("on from sign-in to {next:?}"), &bed.send(&wire).await.said(), "303 to /settings/profile");
        let mut wire = Wire::post("/login").header("sec-fetch-site", "same-origin");
        for (name, value) in [("email", "ada@example.org"), ("password", crate::bed::PASSWORD), ("next", next)] {
            wire.add(name, value);
        }
        tally.row(&format!("signing in on to {next:?}"), &bed.send(&wire).await.said(), "303 to /settings/profile");
    }
    // Somebody else's session planted by another site.
    for (what, headers, _) in ORIGINS.iter().filter(|(.., may)| !may) {
        let mut wire = Wire::post("/login");
        for (name, value) in *headers {
            wire = wire.header(name, value);
        }
        wire.add("email", "bob@example.org");
        wire.add("password", crate::bed::PASSWORD);
        let reply = bed.send(&wire).await;
        let set = reply.get("set-cookie").contains("heddle_session=");
        tally.row(&format!("{what} signs somebody in"), &format!("{} {set}", reply.status), "403 false");
    }
    let mut wire = Wire::post("/login").header("sec-fetch-site", "same-origin");
    wire.add("email", "ada@example.org");
    wire.add("password", crate::bed::PASSWORD);
    let reply = bed.send(&wire).await;
    let set = reply.get("set-cookie");
    for part in ["__Host-heddle_session=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        tally.row(&format!("the cookie has {part}"), &set.contains(part).to_string(), "true");
    }
    tally.row("the cookie names no host", &set.contains("Domain").to_string(), "false");
}

/// No page can be put into another.
async fn frames(bed: &Bed, tally: &mut Tally) {
    let cookie = bed.sign_in("ada").await;
    for path in [
        "/login",
        "/signup",
        "/reset-password",
        "/settings/profile",
        "/settings/api-keys",
        "/settings/security",
        "/settings/applications",
        "/settings/oauth-apps",
    ] {
        let wire = match path.starts_with("/settings") {
            true => Wire::get(path).header("cookie", &cookie),
            false => Wire::get(path),
        };
        let reply = bed.send(&wire).await;
        let policy = reply.get("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            tally.row(&format!("{path}: {part}"), &policy.contains(part).to_string(), "true");
        }
        tally.row(&format!("{path}: nothing inline"), &policy.contains("unsafe").to_string(), "false");
        tally.row(&format!("{path}: x-frame-options"), reply.get("x-frame-options"), "DENY");
        tally.row(&format!("{path}: opener"), reply.get("cross-origin-opener-policy"), "same-origin");
        tally.row(&format!("{path}: not kept"), &reply.get("cache-control").contains("no-store").to_string(), "true");
    }
}

/// Other sites read nothing that a session opens.
async fn sharing(bed: &Bed, tally: &mut Tally) {
    let cookie = bed.sign_in("ada").await;
    for origin in ["https://evil.example", "https://friend.example", "null"] {
        for path in [
            "/api/api-keys",
            "/api/oauth/grants",
            "/api/oauth/apps/mine",
            "/auth/authorize",
            "/settings/profile",
            "/login",
        ] {
            let wire = Wire::get(path).header("cookie", &cookie).header("origin", origin);
            let reply = bed.send(&wire).await;
            tally.row(
                &format!("{path}: nothing for {origin}"),
                &reply.headers.contains_key("access-control-allow-origin").to_string(),
                "false",
            );
            let mut wire = Wire { method: "OPTIONS".to_owned(), ..Wire::get(path) };
            wire = wire.header("origin", origin).header("access-control-request-method", "POST");
            let reply = bed.send(&wire).await;
            let is_allowed = reply.headers.contains_key("access-control-allow-origin");
            tally.row(&format!("{path} asked beforehand by {origin}"), &is_allowed.to_string(), "false");
        }
        for path in ["/api/oauth/token", "/api/oauth/userinfo", "/api/oauth/jwks"] {
            let wire = Wire { method: "OPTIONS".to_owned(), ..Wire::get(path) };
            let wire = wire.header("origin", origin).header("access-control-request-method", "POST");
            let reply = bed.send(&wire).await;
            tally.row(&format!("{path} for {origin}"), reply.get("access-control-allow-origin"), "*");
            let credentials = reply.headers.contains_key("access-control-allow-credentials");
            tally.row(&format!("{path} without cookies for {origin}"), &credentials.to_string(), "false");
        }
    }
}

/// A session that is over opens nothing.
async fn sessions(bed: &Bed, tally: &mut Tally) {
    let to_login = "303 to /login?next=";
    let look = async |cookie: &str| bed.send(&Wire::get("/settings/profile").header("cookie", cookie)).await.said();
    let cookie = bed.sign_in("ada").await;
    tally.row("a session", &look(&cookie).await, "200");
    tally.row("its plain name", &look(&cookie.replace("__Host-", "")).await, to_login);
    tally.row("its beginning", &look(&cookie[..40]).await, to_login);
    tally.row("more than it", &look(&format!("{cookie}x")).await, to_login);
    tally.row("an empty one", &look("__Host-heddle_session=").await, to_login);
    let out = Wire::post("/logout").header("cookie", &cookie).header("sec-fetch-site", "same-origin");
    bed.send(&out).await;
    tally.row("after signing out", &look(&cookie).await, to_login);
    let cookie = bed.sign_in("ada").await;
    bed.pass(14 * 86_400);
    tally.row("after two weeks", &look(&cookie).await, to_login);
    let (one, other) = (bed.sign_in("ada").await, bed.sign_in("ada").await);
    let end = Wire::post("/settings/security/sessions/end-others")
        .header("cookie", &one)
        .header("sec-fetch-site", "same-origin");
    bed.send(&end).await;
    tally.row("ended from elsewhere", &look(&other).await, to_login);
    let (mine, theirs) = (bed.sign_in("ada").await, bed.sign_in("bob").await);
    let id = bed.platform.sessions.list(bed.ada).await.unwrap()[0].id;
    let end = Wire::post(&format!("/settings/security/sessions/{id}/end")).header("cookie", &theirs);
    tally.row("another person ends it", &bed.send(&end.header("sec-fetch-site", "same-origin")).await.said(), "404");
    tally.row("it goes on", &look(&mine).await, "200");
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    tally.row("a disabled person's", &look(&mine).await, to_login);
    let mut wire = Wire::post("/login").header("sec-fetch-site", "same-origin");
    wire.add("email", "ada@example.org");
    wire.add("password", crate::bed::PASSWORD);
    let reply = bed.send(&wire).await;
    let begun = reply.get("set-cookie").contains("heddle_session=");
    tally.row("a disabled person signs in", &begun.to_string(), "false");
}
