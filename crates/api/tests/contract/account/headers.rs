//! What every page says to browsers besides its text.

use super::browser::{Browser, account, server, server_at};
use crate::testbed::Testbed;
use heddle_api::ApiSettings;
use heddle_platform::Options;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

const PAGES: [&str; 13] = [
    "/",
    "/library",
    "/login",
    "/signup",
    "/reset-password",
    "/reset-password/set?token=x",
    "/settings/profile",
    "/settings/api-keys",
    "/settings/security",
    "/settings/creator",
    "/settings/submissions",
    "/marketplace",
    "/marketplace/creators",
];

#[tokio::test]
async fn every_page_carries_the_same_strict_headers() {
    let bed = server().await;
    let (mut ada, mut nobody) = (Browser::of(&bed, "ada").await, Browser::new(&bed));
    for path in PAGES {
        let browser = if path.starts_with("/settings") || path == "/library" { &mut ada } else { &mut nobody };
        let answer = browser.get(path).await;
        let asks = ["/login", "/settings/security"].contains(&path);
        let policy = format!("{POLICY}{}", if asks { "; connect-src 'self'" } else { "" });
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy.as_str()),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store, no-cache, must-revalidate, private"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        let html = String::from_utf8(answer.bytes).unwrap();
        assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains(" onclick="), "{path}");
        assert!(!html.replace("https://agents.example.org", "").contains("https://"), "{path}");
        for label in html.split("<input ").skip(1).filter(|input| !input.contains("type=\"hidden\"")) {
            let id = label.split("id=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
            let is_labelled = id.is_some_and(|id| html.contains(&format!("<label for=\"{id}\"")));
            assert!(is_labelled || label.starts_with("type=\"checkbox\""), "{path}: {label}");
        }
    }
}

#[tokio::test]
async fn transport_security_is_promised_over_https_alone() {
    for url in ["http://127.0.0.1:8006", "http://192.168.1.5:8006"] {
        let bed = server_at(url).await;
        let answer = Browser::new(&bed).get("/login").await;
        assert_eq!(answer.header("strict-transport-security"), "", "{url}");
        // Browsers complain of it where they cannot heed it.
        let is_here = url.contains("127.0.0.1");
        assert_eq!(!answer.header("cross-origin-opener-policy").is_empty(), is_here, "{url}");
    }
}

#[tokio::test]
async fn behind_a_prefix_every_link_carries_it() {
    let bed = server_at("https://example.org/heddle").await;
    account(&bed, "ada", false).await;
    // Also for a proxy that takes the prefix off.
    for before in ["/heddle", ""] {
        let mut ada = Browser::new(&bed);
        let sent = ada.get(&format!("{before}/settings/security")).await;
        assert_eq!(sent.header("location"), "/heddle/login?next=%2Fheddle%2Fsettings%2Fsecurity");
        let fields = [("email", "ada@example.org"), ("password", super::browser::PASSWORD)];
        let signed_in = ada.post(&format!("{before}/login"), &fields).await;
        assert_eq!(signed_in.header("location"), "/heddle/settings/profile");
        assert_eq!(ada.get(&format!("{before}/settings")).await.header("location"), "/heddle/settings/profile");
        for page in ["/settings/profile", "/settings/api-keys", "/settings/security"] {
            let html = ada.page(&format!("{before}{page}")).await;
            assert!(html.contains("aria-current=\"page\""), "{page}");
            for attribute in ["href=\"", "src=\"", "action=\""] {
                for rest in html.split(attribute).skip(1) {
                    let link = rest.split('"').next().unwrap();
                    assert!(link.starts_with("/heddle/") || link == "#main", "{page}: {link}");
                }
            }
        }
    }
}

#[tokio::test]
async fn files_of_pages_are_there_and_kept_for_ever() {
    let bed = server().await;
    let html = Browser::new(&bed).page("/login").await;
    for (end, content_type) in
        [(".css", "text/css; charset=utf-8"), (".js", "text/javascript; charset=utf-8"), (".svg", "image/svg+xml")]
    {
        let path = html.split('"').find(|part| part.starts_with("/pages/") && part.ends_with(end)).unwrap();
        let answer = bed.ask("GET", path).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content_type));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("pragma"), "");
    }
}

#[tokio::test]
async fn no_other_origin_may_call_with_a_session_whatever_else_it_may() {
    let settings = ApiSettings { cors_origins: vec!["https://app.example.org".to_owned()], ..ApiSettings::default() };
    let bed = Testbed::opened(settings, Options::default()).await;
    let origin = async |path: &str| {
        let ask = bed.ask("GET", path).header("origin", "https://app.example.org").send().await;
        ask.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(origin("/external-api/v1/me").await, "https://app.example.org");
    for path in ["/api/api-keys", "/login", "/settings/profile"] {
        assert_eq!(origin(path).await, "", "{path}");
        let preflight = bed.ask("OPTIONS", path).header("origin", "https://app.example.org");
        let preflight = preflight.header("access-control-request-method", "POST").send().await;
        assert_eq!((preflight.status.as_u16(), preflight.header("access-control-allow-origin")), (405, ""), "{path}");
    }
}
