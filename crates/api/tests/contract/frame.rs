//! What every answer carries, whatever it answers.

use crate::testbed::{Testbed, V1};
use heddle_api::ApiSettings;
use serde_json::json;

const ALWAYS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cache-control", "no-store, no-cache, must-revalidate, private"),
    ("pragma", "no-cache"),
    ("expires", "0"),
];

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_a_request_id() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    for (method, path, status) in [
        ("GET", "/external-api/v1/me", 200),
        ("HEAD", "/external-api/v1/me", 200),
        ("GET", "/external-api/v1/nothing", 404),
        ("DELETE", "/external-api/v1/me", 405),
        ("GET", "/external-api/v1/me/", 307),
        ("POST", "/external-api/v1/graphs", 422),
        ("GET", "/external-api/docs", 200),
        ("GET", "/external-api/", 307),
        ("GET", "/external-api/docs/assets/swagger-ui.css", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("OPTIONS", "/external-api/v1/me", 405),
    ] {
        let answer = bed.ask(method, path).of(&ada).send().await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), value, "{method} {path}");
        }
        assert!(answer.header("x-request-id").len() >= 16, "{method} {path}");
    }
}

#[tokio::test]
async fn a_request_id_of_the_client_comes_back() {
    let bed = Testbed::new().await;
    let kept = bed.get("/me").header("x-request-id", "abc-1").send().await;
    assert_eq!(kept.header("x-request-id"), "abc-1");
    let odd = bed.get("/me").header("x-request-id", "a b").send().await;
    assert_ne!(odd.header("x-request-id"), "a b");
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_ones() {
    let bed = Testbed::new().await;
    for (method, path, allow) in [
        ("DELETE", "/me", "GET"),
        ("PUT", "/graphs", "GET, POST"),
        ("GET", "/graphs/x/execute/1", "POST"),
        ("POST", "/graphs/x/executions/y/results", "GET"),
    ] {
        let answer = bed.ask(method, &format!("{V1}{path}")).send().await;
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        assert_eq!(answer.expect(405), json!({ "detail": "Method Not Allowed" }));
    }
}

#[tokio::test]
async fn slashes_too_many_are_pointed_out_only_where_something_is() {
    let bed = Testbed::new().await;
    for (path, location) in [
        ("/external-api/v1/me/", "http://HOST/external-api/v1/me"),
        ("/external-api/v1/graphs/?page=2", "http://HOST/external-api/v1/graphs?page=2"),
        ("/external-api/v1/graphs/x/execute/1/", "http://HOST/external-api/v1/graphs/x/execute/1"),
        ("/external-api/docs/", "http://HOST/external-api/docs"),
    ] {
        let answer = bed.ask("GET", path).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (307, location), "{path}");
        assert!(answer.bytes.is_empty());
    }
    for path in ["/external-api/v1/nothing/", "/external-api/v1/", "//", "//evil.example/me/", "/external-api/v1//"] {
        assert_eq!(bed.ask("GET", path).send().await.expect(404), json!({ "detail": "Not Found" }), "{path}");
    }
    let odd = bed.router.clone();
    let request =
        http::Request::builder().uri("/external-api/v1/me/").header("host", "evil\"/x").body(axum::body::Body::empty());
    let response = tower::ServiceExt::oneshot(odd, request.unwrap()).await.unwrap();
    assert_eq!(response.headers()["location"], "/external-api/v1/me", "a host that cannot be one is not repeated");
}

#[tokio::test]
async fn everything_works_under_a_prefix_and_behind_a_proxy_that_takes_it_off() {
    let public_url = Some("https://agents.example.org/_agpt".to_owned());
    let bed = Testbed::with(ApiSettings { public_url, ..ApiSettings::default() }).await;
    let ada = bed.person("ada").await;
    for prefix in ["/_agpt", ""] {
        let ask = |path: &str| bed.ask("GET", &format!("{prefix}{path}")).of(&ada);
        assert_eq!(ask("/external-api/v1/me").send().await.expect(200)["email"], "ada@example.org");
        for (path, status, location) in [
            ("/external-api/v1/me/", 307, "https://agents.example.org/_agpt/external-api/v1/me"),
            ("/external-api/", 307, "/_agpt/external-api/docs"),
            ("/external-api/openapi.json", 308, "/_agpt/external-api/v1/openapi.json"),
        ] {
            let answer = ask(path).send().await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location), "{prefix}{path}");
        }
        let document = ask("/external-api/v1/openapi.json").send().await.expect(200);
        assert_eq!(document["servers"], json!([{ "url": "/_agpt/external-api/v1" }]));
        assert_eq!(ask("/healthz").send().await.status, 200);
        let refused = bed.ask("DELETE", &format!("{prefix}/external-api/v1/me")).send().await;
        assert_eq!(refused.header("allow"), "GET");
        let page = ask("/external-api/docs").send().await;
        assert!(String::from_utf8(page.bytes).unwrap().contains("\"/_agpt/external-api/docs/assets/versions.js\""));
    }
    assert_eq!(bed.ask("GET", "/_agpt").send().await.status, 200);
    let challenge = bed.get("/me").send().await;
    let document = "https://agents.example.org/.well-known/oauth-protected-resource/_agpt/external-api";
    let wanted = format!("Bearer realm=\"https://agents.example.org/_agpt\", resource_metadata=\"{document}\"");
    assert_eq!(challenge.header("www-authenticate"), wanted);
}

#[tokio::test]
async fn big_answers_are_compressed_for_those_who_take_it() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let blocks = |encoding: &str| bed.get("/blocks").of(&ada).header("accept-encoding", encoding);
    let packed = blocks("gzip").send().await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.bytes[..2], [0x1f, 0x8b]);
    let plain = blocks("identity").send().await;
    assert!(!plain.headers.contains_key("content-encoding") && plain.bytes.len() > 50_000);
    let small = bed.get("/me").of(&ada).header("accept-encoding", "gzip").send().await;
    assert!(!small.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn only_configured_origins_may_call_from_pages() {
    let cors_origins = vec!["https://app.example.org".to_owned()];
    let bed = Testbed::with(ApiSettings { cors_origins, ..ApiSettings::default() }).await;
    let preflight = async |origin: &str| {
        let ask = bed.ask("OPTIONS", &format!("{V1}/graphs")).header("origin", origin);
        ask.header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-api-key")
            .send()
            .await
    };
    let allowed = preflight("https://app.example.org").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example.org");
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    assert_eq!(allowed.header("access-control-allow-headers"), "x-api-key");
    assert!(!preflight("https://evil.example").await.headers.contains_key("access-control-allow-origin"));
    let answer = bed.get("/me").header("origin", "https://app.example.org").send().await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("access-control-allow-origin")),
        (401, "https://app.example.org")
    );
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_without_the_body() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let head = bed.ask("HEAD", &format!("{V1}/me")).of(&ada).send().await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    assert_eq!(bed.ask("HEAD", &format!("{V1}/me")).send().await.status, 401);
}

/// `v1.md` 1.1: only where an operator has set a day.
#[tokio::test]
async fn the_end_of_v1_is_told_when_it_is_set() {
    let bed = Testbed::new().await;
    let silent = bed.get("/blocks").send().await;
    assert_eq!((silent.header("deprecation"), silent.header("sunset")), ("", ""));
    let day = heddle_model::Time::of_day;
    let settings =
        ApiSettings { v1_deprecated: day("2026-07-01"), v1_sunset: day("2026-12-31"), ..ApiSettings::default() };
    let bed = Testbed::with(settings).await;
    let ada = bed.person("ada").await;
    for (answer, status) in [(bed.get("/graphs").of(&ada).send().await, 200), (bed.get("/graphs").send().await, 401)] {
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("deprecation"), "@1782864000");
        assert_eq!(answer.header("sunset"), "Thu, 31 Dec 2026 00:00:00 GMT");
    }
    assert_eq!(bed.ask("GET", "/healthz").send().await.header("sunset"), "");
}
