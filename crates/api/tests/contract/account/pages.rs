//! What people put into their things is shown as they wrote it, and never run.

use super::browser::{Browser, PASSWORD, server};

const PAYLOADS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><svg/onload=alert(1)>",
    "{{7*7}}${7*7}",
    "javascript:alert(1)//",
];

#[tokio::test]
async fn no_text_becomes_markup() {
    let bed = server().await;
    for (number, payload) in PAYLOADS.into_iter().enumerate() {
        let mut browser = Browser::new(&bed);
        let email = format!("p{number}@example.org");
        let fields = [("email", email.as_str()), ("password", PASSWORD), ("name", payload)];
        assert_eq!(browser.post("/signup", &fields).await.status, 303, "{payload}");
        let key = [("name", payload), ("description", payload), ("permissions", "IDENTITY")];
        let made = browser.post("/settings/api-keys", &key).await;
        let mut pages = vec![String::from_utf8(made.bytes).unwrap()];
        let ask = bed.ask("POST", "/login").header("user-agent", payload).header("sec-fetch-site", "same-origin");
        let ask = super::browser::form(ask, &[("email", &email), ("password", PASSWORD)]);
        assert_eq!(browser.send(ask).await.status, 303);
        for path in ["/settings/profile", "/settings/api-keys", "/settings/security"] {
            pages.push(browser.page(path).await);
        }
        let refused = browser.post("/settings/profile", &[("name", payload), ("time_zone", payload)]).await;
        pages.push(String::from_utf8(refused.bytes).unwrap());
        let mut stranger = Browser::new(&bed);
        let encoded: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        for path in ["/login?next=", "/login?email=", "/login?said=", "/signup?next=", "/signup?said="] {
            pages.push(stranger.page(&format!("{path}{encoded}")).await);
        }
        let refused = stranger.post("/login", &[("email", payload), ("password", payload), ("next", payload)]).await;
        pages.push(String::from_utf8(refused.bytes).unwrap());
        for page in pages {
            for bad in ["<script>alert", "<img", "<svg/onload", "href=\"javascript"] {
                assert!(!page.contains(bad), "{payload}: {page}");
            }
            assert!(!page.contains("\"><img"), "{payload}: {page}");
        }
    }
}
