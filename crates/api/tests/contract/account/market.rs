//! The marketplace's pages: publishing, deciding, looking round, adding, rating.

use super::browser::{Browser, account, server, text};
use crate::testbed::{Answer, Testbed, echo};

/// One red pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\
    \0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

/// Sends a form that can carry files.
async fn upload(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    for (name, file) in files {
        let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n");
        body.extend(head.bytes().chain(file.iter().copied()).chain(*b"\r\n"));
    }
    body.extend(b"--x--\r\n");
    let ask = browser.bed.ask("POST", path).header("content-type", "multipart/form-data; boundary=x");
    browser.send(ask.header("sec-fetch-site", "same-origin").raw(body)).await
}

const PROFILE: [(&str, &str); 4] =
    [("username", "Ada"), ("name", "Ada Byron"), ("description", "Engines."), ("links", "https://ada.example.org")];

async fn save_echo(bed: &Testbed, name: &str) -> String {
    let account = bed.platform.accounts.named(Some(&format!("{name}@example.org"))).await.unwrap();
    let key = bed.key(account.id, heddle_model::Scope::ALL).await;
    let saved = bed.post("/graphs").key(&key).json(&echo()).send().await.expect(201);
    saved["id"].as_str().unwrap().to_owned()
}

/// Hands an agent in and says where it is shown to its creator.
async fn hand_in(ada: &mut Browser<'_>, graph: &str, name: &str, what: &str) -> String {
    let fields = [
        ("graph", graph),
        ("graph_version", "1"),
        ("slug", ""),
        ("name", name),
        ("sub_heading", "Says it back"),
        ("description", "First.\n\nSecond."),
        ("category", "data"),
        ("category", "writing"),
        ("other_categories", "Echoes, "),
        ("video", "https://video.example.org/1"),
        ("do", what),
    ];
    let sent = upload(ada, "/settings/submissions/new", &fields, &[("pictures", PNG)]).await;
    assert_eq!(sent.status, 303, "{}", text(&sent));
    sent.header("location").split('?').next().unwrap().to_owned()
}

async fn operator(bed: &Testbed) -> Browser<'_> {
    account(bed, "root", true).await;
    let mut root = Browser::new(bed);
    root.sign_in("root", "").await;
    root
}

#[tokio::test]
async fn an_agent_goes_from_its_maker_by_an_operator_to_everybody() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let mut root = operator(&bed).await;
    let graph = save_echo(&bed, "ada").await;
    assert!(ada.page("/settings/submissions").await.contains("creator profile"));
    let saved = upload(&mut ada, "/settings/creator", &PROFILE, &[("picture", PNG)]).await;
    assert_eq!(saved.header("location"), "/settings/creator?said=saved");
    let profile = ada.page("/settings/creator").await;
    assert!(profile.contains("value=\"ada\"") && profile.contains("/media/"), "{profile}");
    assert!(ada.page(&format!("/settings/submissions/new?graph={graph}")).await.contains("value=\"Echo\""));

    let draft = hand_in(&mut ada, &graph, "Echo Chamber", "draft").await;
    assert!(ada.page(&draft).await.contains("Draft"));
    let file = ada.get(&format!("{draft}/file")).await;
    assert_eq!(file.header("content-type"), "application/json");
    assert_eq!(file.json()["name"], "Echo");
    let id = draft.rsplit('/').next().unwrap();
    assert_eq!(root.get(&format!("/admin/marketplace/{id}")).await.status, 404, "drafts are nobody else's");
    let again =
        [("name", "Echo Chamber"), ("sub_heading", "Says it back"), ("description", "All of it."), ("do", "submit")];
    let sent = upload(&mut ada, &draft, &again, &[]).await;
    assert!(sent.header("location").ends_with("?said=handed-in"), "{}", text(&sent));

    let mut nobody = Browser::new(&bed);
    assert!(nobody.page("/marketplace").await.contains("Nothing is published"));
    assert_eq!(nobody.get("/marketplace/agents/ada/echo-chamber").await.status, 404);
    assert!(root.page("/admin/marketplace").await.contains("Echo Chamber"));
    let review = format!("/admin/marketplace/{id}");
    let without_reason = root.post(&review, &[("verdict", "reject")]).await;
    assert_eq!(without_reason.status, 422);
    assert_eq!(root.get(&format!("{review}/file")).await.json()["name"], "Echo");
    assert!(root.post(&review, &[("verdict", "approve")]).await.header("location").ends_with("said=approved"));
    assert_eq!(root.post(&format!("{review}/feature"), &[("featured", "yes")]).await.status, 303);

    for path in ["/marketplace", "/marketplace?q=says+it", "/marketplace?q=ecko", "/marketplace?sort=name&page=1"] {
        assert!(nobody.page(path).await.contains("Echo Chamber"), "{path}");
    }
    assert!(nobody.page("/marketplace?category=none").await.contains("Nothing fits"));
    assert!(nobody.page("/marketplace/creators").await.contains("Ada Byron"));
    assert!(nobody.page("/marketplace/creators/Ada").await.contains("Echo Chamber"));
    let page = nobody.page("/marketplace/agents/ada/echo-chamber").await;
    for part in ["All of it.", "Featured", "0 runs", "not rated yet", "<code>text</code>", "Sign in"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Who is not signed in is sent to sign in.
    let sent = nobody.post("/marketplace/agents/ada/echo-chamber/add", &[]).await;
    assert!(sent.header("location").contains("/login"), "{}", sent.header("location"));

    assert_eq!(ada.post(&format!("{draft}/withdraw"), &[]).await.status, 303);
    assert!(nobody.page("/marketplace").await.contains("Nothing is published"));
    assert!(ada.page(&draft).await.contains("Withdrawn"));
}

#[tokio::test]
async fn members_add_rate_and_take_back() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let mut bob = Browser::of(&bed, "bob").await;
    let mut root = operator(&bed).await;
    upload(&mut ada, "/settings/creator", &PROFILE, &[]).await;
    let graph = save_echo(&bed, "ada").await;
    let own = hand_in(&mut ada, &graph, "Echo", "submit").await;
    let id = own.rsplit('/').next().unwrap();
    root.post(&format!("/admin/marketplace/{id}"), &[("verdict", "approve")]).await;
    let path = "/marketplace/agents/ada/echo";
    let page = bob.page(path).await;
    assert!(page.contains("Add to library") && page.contains("/media/") && page.contains("Second."), "{page}");
    let added = bob.post(&format!("{path}/add"), &[]).await;
    assert_eq!(added.header("location"), format!("{path}?said=agent-added"));
    assert!(bob.page(path).await.contains("In your library"));
    let rated = bob.post(&format!("{path}/rate"), &[("score", "4"), ("comment", "Loud & clear.")]).await;
    assert_eq!(rated.header("location"), format!("{path}?said=agent-rated"));
    assert!(ada.page(path).await.contains("Loud &amp; clear."));
    assert_eq!(bob.post(&format!("{path}/rate"), &[("score", "9")]).await.status, 422);
    assert_eq!(ada.post(&format!("{path}/rate"), &[("score", "5")]).await.status, 422, "her own");
    bob.post(&format!("{path}/unrate"), &[]).await;
    assert!(!ada.page(path).await.contains("Loud"));
    bob.post(&format!("{path}/remove"), &[]).await;
    assert!(bob.page(path).await.contains("Add to library"));

    // What is another's is not there, and what is for operators neither.
    for page in
        [own.clone(), format!("{own}/file"), "/admin/marketplace".to_owned(), format!("/admin/marketplace/{id}")]
    {
        assert_eq!(bob.get(&page).await.status, 404, "{page}");
    }
    for (what, fields) in [("delete", &[][..]), ("withdraw", &[]), ("", &[("name", "Mine"), ("do", "submit")])] {
        let sent = upload(&mut bob, format!("{own}/{what}").trim_end_matches('/'), fields, &[]).await;
        assert_ne!(sent.status, 303, "{what}");
    }
    assert_eq!(
        bob.post(&format!("/admin/marketplace/{id}"), &[("verdict", "reject"), ("comments", "x")]).await.status,
        404
    );
    assert!(bob.page(path).await.contains("Echo"), "it is still there");
}

#[tokio::test]
async fn what_is_wrong_is_said_and_nothing_typed_is_lost() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    upload(&mut ada, "/settings/creator", &PROFILE, &[]).await;
    let refused = upload(&mut ada, "/settings/creator", &[("username", "!"), ("name", "Ada <b>")], &[]).await;
    assert_eq!(refused.status, 422);
    assert!(text(&refused).contains("Ada &lt;b&gt;"), "{}", text(&refused));
    let graph = save_echo(&bed, "ada").await;
    let fields = [
        ("graph", graph.as_str()),
        ("graph_version", "1"),
        ("name", "Echo"),
        ("sub_heading", ""),
        ("description", "kept <i>"),
    ];
    let refused = upload(&mut ada, "/settings/submissions/new", &fields, &[]).await;
    assert_eq!(refused.status, 422);
    assert!(text(&refused).contains("kept &lt;i&gt;") && text(&refused).contains("is missing"), "{}", text(&refused));
    let svg: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let refused = upload(&mut ada, "/settings/submissions/new", &fields, &[("pictures", svg)]).await;
    assert_eq!(refused.status, 422);
    assert!(text(&refused).contains("is not a picture"), "{}", text(&refused));
    // A form of another site's is refused, whatever it carries.
    let foreign = bed.ask("POST", "/settings/creator").header("content-type", "multipart/form-data; boundary=x");
    let foreign = foreign
        .header("sec-fetch-site", "cross-site")
        .raw("--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\neve\r\n--x--\r\n");
    assert_eq!(ada.send(foreign).await.status, 403);
    assert!(ada.page("/settings/creator").await.contains("value=\"ada\""));
}

#[tokio::test]
async fn no_text_of_the_marketplace_becomes_markup() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let mut root = operator(&bed).await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let profile = [("username", "ada"), ("name", evil), ("description", evil)];
    upload(&mut ada, "/settings/creator", &profile, &[]).await;
    let graph = save_echo(&bed, "ada").await;
    let fields = [
        ("graph", graph.as_str()),
        ("graph_version", "1"),
        ("slug", "echo"),
        ("name", evil),
        ("sub_heading", evil),
        ("description", evil),
        ("instructions", evil),
        ("other_categories", "<script>alert"),
        ("changes", evil),
        ("do", "submit"),
    ];
    let sent = upload(&mut ada, "/settings/submissions/new", &fields, &[]).await;
    let own = sent.header("location").split('?').next().unwrap().to_owned();
    let id = own.rsplit('/').next().unwrap();
    let mut pages = vec![ada.page(&own).await, root.page("/admin/marketplace").await];
    let review = format!("/admin/marketplace/{id}");
    pages.push(root.page(&review).await);
    root.post(&review, &[("verdict", "approve"), ("comments", evil), ("notes", evil)]).await;
    root.post("/marketplace/agents/ada/echo/rate", &[("score", "1"), ("comment", evil)]).await;
    for path in [
        "/marketplace",
        "/marketplace/creators",
        "/marketplace/creators/ada",
        "/marketplace/agents/ada/echo",
        &own,
        "/settings/submissions",
    ] {
        pages.push(ada.page(path).await);
    }
    let encoded: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
    pages.push(ada.page(&format!("/marketplace?q={encoded}&category={encoded}&sort={encoded}&page={encoded}")).await);
    for page in pages {
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    }
}
