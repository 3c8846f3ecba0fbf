//! The start page, the library's pages, and what browsers see where nothing is.

use super::browser::{Browser, account, server, server_at, text};
use crate::market;
use crate::testbed::{Person, Testbed, echo};
use heddle_model::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody at the API and at the pages.
async fn both<'a>(bed: &'a Testbed, name: &str) -> (Person, Browser<'a>) {
    account(bed, name, false).await;
    let user = bed.platform.accounts.named(Some(&format!("{name}@example.org"))).await.unwrap().id;
    let person = Person { user, key: bed.key(user, Scope::ALL).await };
    let mut browser = Browser::new(bed);
    browser.sign_in(name, "").await;
    (person, browser)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split(after).next().unwrap()
}

#[tokio::test]
async fn the_start_page_knows_who_looks() {
    let bed = server().await;
    let nobody = Browser::new(&bed).page("/").await;
    assert!(nobody.contains("href=\"/login\"") && !nobody.contains("href=\"/library\""), "{nobody}");
    let somebody = Browser::of(&bed, "ada").await.page("/").await;
    assert!(somebody.contains("href=\"/library\"") && !somebody.contains("href=\"/login\""), "{somebody}");
}

#[tokio::test]
async fn an_agent_is_listed_and_its_page_says_the_call_that_runs_it() {
    let bed = server().await;
    let (ada, mut browser) = both(&bed, "ada").await;
    assert!(browser.page("/library").await.contains("There is none yet"));
    let mut graph = echo();
    graph["name"] = json!("Echo & <b>co</b>");
    let id = bed.save(&ada, &graph).await["id"].as_str().unwrap().to_owned();
    let list = browser.page("/library").await;
    assert!(list.contains("Echo &amp; &lt;b&gt;co&lt;/b&gt;"), "{list}");
    let path = format!("/library/agents/{}", between(&list, "href=\"/library/agents/", "\""));
    let before = browser.page(&path).await;
    assert!(before.contains("It has not been run yet"), "{before}");

    // The printed call is the one that works.
    let call = between(&before, "<pre><code>", "</code>").replace("&quot;", "\"");
    let url = between(&call, "curl '", "'");
    let body: Value = serde_json::from_str(between(&call, "-d '", "'")).unwrap();
    assert!(!body["node_input"].as_object().unwrap().is_empty(), "{call}");
    let address = &url[url.find("/external-api").unwrap()..];
    let run = bed.ask("POST", address).key(&ada.key).header("prefer", "wait=30").json(&body).send().await.expect(200);
    assert_eq!(run["status"], "COMPLETED", "{run}");
    assert_eq!(bed.get(&format!("/graphs/{id}")).key(&ada.key).send().await.status, 200);
    let after = browser.page(&path).await;
    assert!(after.contains(run["id"].as_str().unwrap()) && after.contains("Completed"), "{after}");
}

#[tokio::test]
async fn a_library_is_its_owners() {
    let bed = server().await;
    let (ada, mut hers) = both(&bed, "ada").await;
    bed.save(&ada, &echo()).await;
    let path = format!("/library/agents/{}", between(&hers.page("/library").await, "href=\"/library/agents/", "\""));
    let (_, mut his) = both(&bed, "bob").await;
    assert!(his.page("/library").await.contains("There is none yet"));
    let none = format!("/library/agents/{}", Uuid::from_u128(7));
    for missing in [path.as_str(), &none, "/library/agents/x"] {
        let (looked, removed) = (his.get(missing).await, his.post(&format!("{missing}/remove"), &[]).await);
        assert_eq!((looked.status.as_u16(), removed.status.as_u16()), (404, 404), "{missing}");
    }
    let strangers = Browser::new(&bed).get(&path).await;
    assert!(strangers.header("location").starts_with("/login?next=%2Flibrary%2Fagents%2F"), "{path}");
    // One's own stays.
    assert_eq!(hers.post(&format!("{path}/remove"), &[]).await.status, 422);
    assert_eq!(hers.get(&path).await.status, 200);
}

#[tokio::test]
async fn what_came_from_the_marketplace_can_leave() {
    let bed = server().await;
    let (ada, op) = (market::creator(&bed, "weaver").await, market::operator(&bed).await);
    let agent = market::published(&bed, &ada, &op, "Digest", &[]).await;
    let (bob, mut browser) = both(&bed, "bob").await;
    let caller = market::principal(&bed, &bob).await;
    let entry = bed.platform.marketplace.add_to_library(&caller, &agent.card).await.unwrap();
    let path = format!("/library/agents/{}", entry.id);
    assert!(browser.page("/library").await.contains("From the marketplace"));
    let page = browser.page(&path).await;
    assert!(page.contains("href=\"/marketplace/agents/weaver/digest\""), "{page}");
    assert!(browser.page("/marketplace/agents/weaver/digest").await.contains(&format!("href=\"{path}\"")));
    let removed = browser.post(&format!("{path}/remove"), &[]).await;
    assert_eq!(removed.header("location"), "/library?said=agent-removed");
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test]
async fn below_a_prefix_the_start_is_where_links_lead() {
    let bed = server_at("https://example.org/heddle").await;
    for path in ["/heddle", "/heddle/"] {
        let page = Browser::new(&bed).page(path).await;
        assert!(page.contains("href=\"/heddle/login\""), "{path}: {page}");
    }
    let unknown = bed.ask("GET", "/heddle/nothing").header("accept", "text/html").send().await;
    assert_eq!(unknown.status, 404);
    let start = between(&text(&unknown), "<p><a href=\"", "\"").to_owned();
    assert_eq!(bed.ask("GET", &start).send().await.status, 200, "{start}");
}

#[tokio::test]
async fn browsers_are_told_in_a_page_that_there_is_none() {
    let bed = server().await;
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = bed.ask("GET", "/nothing").header("accept", html).send().await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(text(&page).contains("There is no page at this address"));
    let json = |answer: crate::testbed::Answer| assert_eq!(answer.expect(404), json!({"detail": "Not Found"}));
    json(bed.ask("GET", "/nothing").send().await);
    json(bed.ask("POST", "/nothing").header("accept", html).send().await);
    for path in ["/external-api/nothing", "/external-api/v1/nothing", "/api/nothing"] {
        json(bed.ask("GET", path).header("accept", html).send().await);
    }
    // Scripts of other origins are shown no page.
    json(bed.ask("GET", "/nothing").header("accept", html).header("origin", "https://app.example").send().await);
    assert_eq!(bed.ask("GET", "/favicon.ico").send().await.header("location").split('-').next(), Some("/pages/heddle"));
}
