//! Bodies and methods that no client sends: other types, broken texts, twice the same, too much.

use crate::bed::{Bed, FORM, Tally, Wire};

const JSON: &str = "application/json";
const TYPE: &str = "400 invalid_request: The content type is neither a form nor JSON";
const TWICE: &str = "400 invalid_request: Parameter";

fn raw(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Wire {
    let mut wire = Wire::post(path).header("content-type", content_type);
    wire.raw = Some(body.into());
    wire
}

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("bodies"));
    for path in ["/api/oauth/token", "/api/oauth/introspect", "/api/oauth/revoke"] {
        types(&bed, path, &mut tally).await;
        broken(&bed, path, &mut tally).await;
    }
    repeated(&bed, &mut tally).await;
    methods(&bed, &mut tally).await;
    injected(&bed, &mut tally).await;
    tally
}

/// A whole request that is good for any of the three.
async fn whole(bed: &Bed, path: &str) -> Wire {
    let tokens = bed.tokens().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let mut wire = bed.refresh(refresh);
    wire.set("token", refresh);
    wire.path = path.to_owned();
    wire
}

async fn types(bed: &Bed, path: &str, tally: &mut Tally) {
    for content_type in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/html",
        "application/x-www-form-urlencodedx",
        "application/x-www-form-urlencoded, application/json",
        "application/jsonp",
        "application/octet-stream",
        "?",
    ] {
        let wire = whole(bed, path).await;
        let body = wire.encoded();
        tally.row(&format!("{content_type} at {path}"), &bed.send(&raw(path, content_type, body)).await.said(), TYPE);
    }
    // A form that says it is JSON, and JSON that says it is a form.
    let wire = whole(bed, path).await;
    let found = bed.send(&raw(path, JSON, wire.encoded())).await.said();
    tally.row(&format!("a form as JSON at {path}"), &found, "422 invalid_request");
    let json = Wire { is_json: true, ..wire.clone() };
    let text: serde_json::Map<_, _> =
        json.fields.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let found = bed.send(&raw(path, FORM, serde_json::Value::Object(text).to_string())).await.said();
    tally.row(&format!("JSON as a form at {path}"), &found, "401 invalid_client");
    let mut twice = raw(path, FORM, wire.encoded());
    twice.headers.push(("content-type".to_owned(), JSON.into()));
    let found = bed.send(&twice).await.said();
    let is_one = found.starts_with("200") || found.starts_with("4");
    tally.row(&format!("two content types at {path}"), &is_one.to_string(), "true");
}

async fn broken(bed: &Bed, path: &str, tally: &mut Tally) {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_member = format!("{{\"token\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let wide = format!("{{{}}}", (0..2_000).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(","));
    let long = format!("token={}", "a".repeat(40_000));
    let many = (0..200).map(|n| format!("m{n}=1")).collect::<Vec<_>>().join("&");
    for (what, content_type, body, wanted) in [
        ("nothing", FORM, b"".to_vec(), "401 invalid_client"),
        ("nothing as JSON", JSON, b"".to_vec(), "422 invalid_request"),
        ("bytes that are no text", FORM, b"token=%ff%fe\xff".to_vec(), "401 invalid_client"),
        ("bytes that are no text as JSON", JSON, b"{\"token\":\"\xff\"}".to_vec(), "422 invalid_request"),
        ("half a surrogate", JSON, br#"{"token":"\ud800"}"#.to_vec(), "422 invalid_request"),
        ("a byte order mark", JSON, b"\xef\xbb\xbf{}".to_vec(), "422 invalid_request"),
        ("UTF-16", JSON, b"{\0}\0".to_vec(), "422 invalid_request"),
        ("a list", JSON, b"[]".to_vec(), "422 invalid_request"),
        ("a text", JSON, b"\"x\"".to_vec(), "422 invalid_request"),
        ("a number", JSON, b"1".to_vec(), "422 invalid_request"),
        ("null", JSON, b"null".to_vec(), "422 invalid_request"),
        ("half an object", JSON, b"{\"token\":".to_vec(), "422 invalid_request"),
        ("two objects", JSON, b"{}{}".to_vec(), "422 invalid_request"),
        ("not a number", JSON, b"{\"token\":NaN}".to_vec(), "422 invalid_request"),
        ("comments", JSON, b"{/**/}".to_vec(), "422 invalid_request"),
        (
            "numbers for texts",
            JSON,
            br#"{"grant_type":1,"token":1,"client_id":1,"client_secret":1}"#.to_vec(),
            "422 invalid_request",
        ),
        (
            "lists for texts",
            JSON,
            br#"{"token":["a"],"client_id":["a"],"client_secret":["a"]}"#.to_vec(),
            "422 invalid_request",
        ),
        (
            "a member twice",
            JSON,
            br#"{"client_id":"a","client_id":"b"}"#.to_vec(),
            "400 invalid_request: Parameter client_id",
        ),
        (
            "a member twice, once escaped",
            JSON,
            br#"{"client_id":"a","client\u005fid":"b"}"#.to_vec(),
            "400 invalid_request: Parameter client_id",
        ),
        ("lists a hundred thousand deep", JSON, deep.into_bytes(), "4"),
        ("a member ten thousand deep", JSON, deep_member.into_bytes(), "4"),
        ("two thousand members", JSON, wide.into_bytes(), "4"),
        ("forty thousand letters", FORM, long.into_bytes(), "400 invalid_request: The request is too long"),
        ("two hundred fields", FORM, many.into_bytes(), "400 invalid_request: The request is too long"),
        ("nine million bytes", FORM, vec![b'a'; 9 << 20], "4"),
        ("nothing but ampersands", FORM, vec![b'&'; 10_000], "401 invalid_client"),
        ("semicolons for ampersands", FORM, b"client_id=a;client_secret=b".to_vec(), "400 invalid_request"),
    ] {
        tally.row(&format!("{what} at {path}"), &bed.send(&raw(path, content_type, body)).await.said(), wanted);
    }
}

async fn repeated(bed: &Bed, tally: &mut Tally) {
    for name in ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"] {
        for (what, value) in [("the same", None), ("another", Some("x")), ("nothing", Some(""))] {
            let good = bed.exchange(&bed.code().await);
            let mut wire = good.clone();
            let value = value.map_or_else(|| good.value(name).to_owned(), str::to_owned);
            wire.add(name, &value);
            tally.row(&format!("{name} again with {what}"), &bed.send(&wire).await.said(), TWICE);
            let mut wire = good.clone();
            wire.fields.insert(0, (name.to_owned(), value));
            tally.row(&format!("{name} before with {what}"), &bed.send(&wire).await.said(), TWICE);
        }
    }
    // What a query says is no part of the request, and parameters there are no way around anything.
    let good = bed.exchange(&bed.code().await);
    let mut wire = good.clone();
    wire.cut("client_secret");
    wire.path = format!("/api/oauth/token?client_secret={}", bed.looms.secret);
    tally.row("the secret in the query", &bed.send(&wire).await.said(), "401 invalid_client");
    let mut wire = Wire::post(&format!("/api/oauth/token?{}", good.encoded()));
    wire.raw = Some(Vec::new());
    tally.row("everything in the query", &bed.send(&wire).await.said(), "401 invalid_client");
}

async fn methods(bed: &Bed, tally: &mut Tally) {
    let token = bed.tokens().await["access_token"].as_str().unwrap().to_owned();
    for path in ["/api/oauth/token", "/api/oauth/introspect", "/api/oauth/revoke", "/api/oauth/par"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
            let mut wire = whole(bed, path).await;
            wire.method = method.to_owned();
            tally.row(&format!("{method} {path}"), &bed.send(&wire).await.said(), "405");
            assert_eq!(bed.me(&token).await, "200");
        }
        // Nobody's word on the method counts but the method's.
        let mut wire = whole(bed, path).await;
        wire.method = "GET".to_owned();
        let wire = wire.header("x-http-method-override", "POST");
        tally.row(&format!("GET that says POST {path}"), &bed.send(&wire).await.said(), "405");
    }
}

/// Line ends, quotes and tags in what comes back.
async fn injected(bed: &Bed, tally: &mut Tally) {
    for (what, name, value) in [
        ("a line end in a grant type", "grant_type", "x\r\nSet-Cookie: a=b"),
        ("a tag in a grant type", "grant_type", "<script>alert(1)</script>"),
        ("a quote in a name", "client_id", "\"><script>"),
        ("a line end in a name", "client_id", "a\r\n\r\n<html>"),
        ("a tag in a scope", "scope", "<img src=x onerror=alert(1)>"),
        ("a quote in a resource", "resource", "https://heddle.example/\"\r\nx: y"),
    ] {
        for is_json in [false, true] {
            let mut wire = Wire { is_json, ..whole(bed, "/api/oauth/token").await };
            wire.set(name, value);
            let reply = bed.send(&wire).await;
            let is_json_answer = reply.get("content-type").starts_with("application/json");
            let is_clean =
                !reply.headers.contains_key("set-cookie") && !reply.headers.contains_key("x") && is_json_answer;
            tally.row(&format!("{what} (JSON: {is_json})"), &is_clean.to_string(), "true");
        }
    }
    let wire = whole(bed, "/api/oauth/token").await.header("x-request-id", "a\tb\"<x>");
    let reply = bed.send(&wire).await;
    tally.row("a request id with a tag", &reply.get("x-request-id").contains('<').to_string(), "false");
    let wire = whole(bed, "/api/oauth/token")
        .await
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    tally.row("another host", &bed.send(&wire).await.text().contains("evil").to_string(), "false");
    let wire = Wire::get("/.well-known/openid-configuration").header("x-forwarded-host", "evil.example");
    tally.row("another host for the document", &bed.send(&wire).await.text().contains("evil").to_string(), "false");
    let document = bed.send(&Wire::get("/.well-known/oauth-authorization-server")).await.json();
    tally.row("the issuer", document["issuer"].as_str().unwrap(), crate::bed::ISSUER);
}
