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
}

#[tokio::test]
async fn the_index_of_versions_leads_to_each_document_and_its_pages() {
    let bed = Testbed::new().await;
    let versions = bed.ask("GET", "/external-api/versions.json").send().await.expect(200);
    assert_eq!(versions["openapi"], "3.1.0");
    for version in versions["x-versions"].as_array().unwrap() {
        let document = bed.ask("GET", version["openapi"].as_str().unwrap()).send().await.expect(200);
        assert!(document["paths"].as_object().is_some_and(|paths| !paths.is_empty()));
        assert_eq!(bed.ask("GET", version["docs"].as_str().unwrap()).send().await.status, 200);
    }
    // What it documents is there.
    let root = versions["servers"][0]["url"].as_str().unwrap();
    for path in versions["paths"].as_object().unwrap().keys() {
        assert_eq!(bed.ask("GET", &format!("{root}{path}")).send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn documents_have_no_slash_at_their_end() {
    let bed = Testbed::new().await;
    for path in ["/docs", "/redoc", "/versions.json", "/v1/docs", "/v1/redoc", "/v1/openapi.json", "/openapi.json"] {
        let answer = bed.ask("GET", &format!("/external-api{path}/")).send().await;
        let expected = format!("http://HOST/external-api{path}");
        assert_eq!((answer.status.as_u16(), answer.header("location")), (307, &*expected));
    }
}

#[tokio::test]
async fn signing_in_from_the_pages_is_set_up() {
    let bed = Testbed::new().await;
    let page = bed.ask("GET", "/external-api/docs").send().await;
    // Without this the browser would part the page from the consent page that it opens.
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    let script = bed.ask("GET", "/external-api/docs/assets/v1.js").send().await;
    let script = String::from_utf8(script.bytes).unwrap();
    let back = "http://127.0.0.1:8006/external-api/docs/oauth2-redirect";
    assert!(script.contains(&format!("\"oauth2RedirectUrl\":\"{back}\"")), "{script}");
    assert!(script.contains("\"usePkceWithAuthorizationCodeGrant\":true"), "{script}");
    let client = script.split("\"clientId\":\"").nth(1).unwrap().split('"').next().unwrap();
    // The application is there as soon as somebody asks for it, and sends people nowhere else.
    for (redirect_uri, status) in [(back, 303), ("https://evil.example/", 400)] {
        let query = format!(
            "client_id={client}&redirect_uri={redirect_uri}&response_type=code&scope=IDENTITY&state=s&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let answer = bed.ask("GET", &format!("/auth/authorize?{query}")).send().await;
        assert_eq!(answer.status.as_u16(), status, "{redirect_uri}");
    }
    let app = bed.platform.authorization.app_named(client).await.unwrap();
    assert!(!app.is_confidential() && app.owner.is_none());
}

#[tokio::test]
async fn redoc_comes_compressed_and_as_it_is() {
    let bed = Testbed::new().await;
    let path = "/external-api/docs/assets/redoc.standalone.js";
    let packed = bed.ask("GET", path).header("accept-encoding", "gzip").send().await;
    assert_eq!(
        (packed.header("content-encoding"), packed.header("content-type")),
        ("gzip", "text/javascript; charset=utf-8")
    );
    assert!(packed.bytes.len() < 350_000, "{}", packed.bytes.len());
    let plain = bed.ask("GET", path).send().await;
    assert!(String::from_utf8(plain.bytes).unwrap().contains("Redoc"));
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
