//! The document's pages: found where the contract says, whole without the internet, and able to call the API.

use crate::testbed::Testbed;
use serde_json::json;

#[tokio::test]
async fn pages_and_documents_stand_at_their_addresses() {
    let bed = Testbed::new().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/external-api/docs", "text/html; charset=utf-8"),
        ("/external-api/redoc", "text/html; charset=utf-8"),
        ("/external-api/v1/docs", "text/html; charset=utf-8"),
        ("/external-api/v1/redoc", "text/html; charset=utf-8"),
        ("/external-api/versions.json", "application/json"),
        ("/external-api/v1/openapi.json", "application/json"),
    ] {
        let answer = bed.ask("GET", path).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content_type), "{path}");
        assert!(answer.header("content-security-policy").contains("script-src 'self'"), "{path}");
    }
    for (path, status, location) in [
        ("/external-api", 307, "/external-api/docs"),
        ("/external-api/", 307, "/external-api/docs"),
        ("/external-api/openapi.json", 308, "/external-api/v1/openapi.json"),
    ] {
        let answer = bed.ask("GET", path).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location), "{path}");
    }
    for path in [
        "/external-api/v1/store/agents",
        "/external-api/v1/integrations/providers",
        "/external-api/v1/tools/find-agent",
    ] {
        assert_eq!(bed.ask("GET", path).send().await.expect(404), json!({ "detail": "Not Found" }), "{path}");
    }
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_everything_they_load_is_there() {
    let bed = Testbed::new().await;
    for page in ["/", "/external-api/docs", "/external-api/v1/docs", "/external-api/redoc", "/external-api/v1/redoc"] {
        let html = String::from_utf8(bed.ask("GET", page).send().await.bytes).unwrap();
        assert!(!html.contains("http://") && !html.contains("https://"), "{page}");
        for attribute in ["src=\"", "href=\""] {
            for rest in html.split(attribute).skip(1) {
                let path = rest.split('"').next().unwrap();
                if let Some(anchor) = path.strip_prefix('#') {
                    assert!(html.contains(&format!("id=\"{anchor}\"")), "{page}: {path}");
                } else {
                    assert_eq!(bed.ask("GET", path).send().await.status, 200, "{page}: {path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn swagger_ui_starts_on_the_documents_and_keeps_them_to_itself() {
    let bed = Testbed::new().await;
    for (script, part) in [
        ("versions.js", "\"urls\":[{\"name\":\"v1\",\"url\":\"/external-api/v1/openapi.json\"}]"),
        ("v1.js", "\"url\":\"/external-api/v1/openapi.json\""),
    ] {
        let answer = bed.ask("GET", &format!("/external-api/docs/assets/{script}")).send().await;
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        let script = String::from_utf8(answer.bytes).unwrap();
        assert!(script.contains(part) && script.contains("\"validatorUrl\":\"none\""), "{script}");
    }
}

#[tokio::test]
async fn health_needs_no_credential() {
    let bed = Testbed::new().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(bed.ask("GET", path).send().await.expect(200), json!({ "status": "ok" }));
    }
    bed.platform.close().await;
    let unready = bed.ask("GET", "/readyz").send().await.expect(503);
    assert!(!unready["reasons"].as_array().unwrap().is_empty(), "{unready}");
    assert_eq!(bed.ask("GET", "/healthz").send().await.status, 200);
}
