//! The marketplace's four routes of v1.

use crate::market::{creator, operator, published};
use crate::testbed::{Testbed, without_ids};
use heddle_api::ApiSettings;
use heddle_model::Scope;
use heddle_platform::marketplace::Profile;
use serde_json::{Value, json};

fn names(body: &Value) -> Vec<&str> {
    body["agents"].as_array().unwrap().iter().map(|agent| agent["agent_name"].as_str().unwrap()).collect()
}

fn usernames(body: &Value) -> Vec<&str> {
    body["creators"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn answers_have_the_members_of_both_generations() {
    let bed = Testbed::new().await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    let agent = published(&bed, &ada, &op, "Meeting Digest", &["productivity"]).await;
    bed.run(&ada, &agent.card.graph.to_string(), json!({"text": "x"}).as_object().unwrap().clone()).await;
    bed.platform.marketplace.rate(op.user, &agent.card, 4, None).await.unwrap();
    let graph = agent.card.graph.to_string();

    let list = bed.get("/store/agents").of(&ada).send().await.expect(200);
    let expected = json!({
        "agents": [{
            "slug": "meeting-digest", "agent_name": "Meeting Digest", "agent_image": "", "creator": "ada",
            "creator_avatar": "", "sub_heading": "Meeting Digest in a minute", "description": "All that Meeting Digest does.",
            "runs": 1, "rating": 4.0, "agent_graph_id": graph,
        }],
        "pagination": {"total_items": 1, "total_pages": 1, "current_page": 1, "page_size": 20},
    });
    assert_eq!(list, expected);

    let details = bed.get("/store/agents/ada/meeting-digest").of(&ada).send().await.expect(200);
    let version = agent.card.version.to_string();
    let expected = json!({
        "store_listing_version_id": version, "slug": "meeting-digest", "agent_name": "Meeting Digest", "agent_video": "",
        "agent_output_demo": "", "agent_image": [], "creator": "ada", "creator_avatar": "",
        "sub_heading": "Meeting Digest in a minute", "description": "All that Meeting Digest does.", "instructions": null,
        "categories": ["productivity"], "runs": 1, "rating": 4.0, "versions": ["1"], "graph_id": graph,
        "graph_versions": ["1"], "agentGraphId": graph, "agentGraphVersions": ["1"],
        "last_updated": agent.card.updated_at.rfc3339(), "recommended_schedule_cron": null, "owning_org_id": null,
        "active_version_id": version, "has_approved_version": true, "changelog": null,
    });
    assert_eq!(details, expected);

    let ada_shown = json!({
        "username": "ada", "name": "ada Byron", "description": "Engines.", "avatar_url": null,
        "links": ["https://ada.example.org/"], "is_featured": false, "num_agents": 1, "agent_runs": 1,
        "agent_rating": 4.0, "top_categories": ["productivity"],
    });
    assert_eq!(bed.get("/store/creators/ada").of(&ada).send().await.expect(200), ada_shown);
    let creators = bed.get("/store/creators").of(&ada).send().await.expect(200);
    let pagination = json!({"total_items": 1, "total_pages": 1, "current_page": 1, "page_size": 20});
    assert_eq!(creators, json!({"creators": [ada_shown], "pagination": pagination}));
}

#[tokio::test]
async fn names_in_paths_are_decoded_once_more_and_lower_cased() {
    let bed = Testbed::new().await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    published(&bed, &ada, &op, "Meeting Digest", &[]).await;
    for path in ["ADA/Meeting-Digest", "a%64a/meeting%2Ddigest", "a%2564a/meeting%252Ddigest"] {
        let found = bed.get(&format!("/store/agents/{path}")).of(&ada).send().await.expect(200);
        assert_eq!(found["slug"], "meeting-digest", "{path}");
    }
    assert_eq!(bed.get("/store/creators/%2541da").of(&ada).send().await.expect(200)["username"], "ada");

    let missing = bed.get("/store/agents/Ada/None%2520such").of(&ada).send().await.expect(404);
    let expected = json!({
        "message": "Failed to process GET /external-api/v1/store/agents/Ada/None%2520such",
        "detail": "Agent ada/none such not found", "hint": "Adjust the request and retry.",
    });
    assert_eq!(missing, expected);
    let missing = bed.get("/store/creators/Nobody").of(&ada).send().await.expect(404);
    assert_eq!(missing["detail"], "Creator nobody not found");
}

#[tokio::test]
async fn agents_are_narrowed_sorted_and_paged() {
    let bed = Testbed::new().await;
    let (ada, bob) = (creator(&bed, "ada").await, creator(&bed, "bob").await);
    let op = operator(&bed).await;
    let market = &bed.platform.marketplace;
    let zebra = published(&bed, &ada, &op, "Zebra", &["data"]).await;
    let apple = published(&bed, &ada, &op, "apple", &["data", "sales"]).await;
    let mango = published(&bed, &bob, &op, "Mango", &["sales"]).await;
    market.rate(op.user, &apple.card, 5, None).await.unwrap();
    market.rate(op.user, &mango.card, 3, None).await.unwrap();
    for _ in 0..2 {
        bed.run(&ada, &zebra.card.graph.to_string(), json!({"text": "x"}).as_object().unwrap().clone()).await;
    }
    bed.run(&bob, &mango.card.graph.to_string(), json!({"text": "x"}).as_object().unwrap().clone()).await;
    market.feature(op.user, "bob", "mango", true).await.unwrap();

    let all = ["Zebra", "apple", "Mango"];
    for (query, expected) in [
        ("", &all[..]),
        ("?sorted_by=name", &["apple", "Mango", "Zebra"]),
        ("?sorted_by=rating", &["apple", "Mango", "Zebra"]),
        ("?sorted_by=runs", &["Zebra", "Mango", "apple"]),
        ("?sorted_by=updated_at", &["Mango", "apple", "Zebra"]),
        ("?featured=true", &["Mango"]),
        ("?featured=Yes", &["Mango"]),
        ("?featured=false", &all),
        ("?creator=ada", &["Zebra", "apple"]),
        ("?creator=Ada", &[]),
        ("?category=sales", &["apple", "Mango"]),
        ("?category=Sales", &[]),
        ("?category=sales&creator=ada", &["apple"]),
        ("?search_query=", &all),
        ("?search_query=%20", &all),
        ("?search_query=mango&sorted_by=name", &["Mango"]),
        ("?search_query=minute&category=data&sorted_by=rating", &["Zebra", "apple"]),
        ("?search_query=nothing-has-this", &[]),
        ("?page_size=2", &all[..2]),
        ("?page_size=2&page=2", &all[2..]),
        ("?page_size=2&page=9", &[]),
        ("?unknown=1&featured=maybe&featured=0", &all),
    ] {
        let found = bed.get(&format!("/store/agents{query}")).of(&ada).send().await.expect(200);
        assert_eq!(names(&found), expected, "{query}");
    }
    let last = bed.get("/store/agents?page_size=2&page=9").of(&ada).send().await.expect(200);
    assert_eq!(last["pagination"], json!({"total_items": 3, "total_pages": 2, "current_page": 9, "page_size": 2}));
    let large = bed.get("/store/agents?page_size=100000").of(&ada).send().await.expect(200);
    assert_eq!(large["pagination"]["page_size"], 100);
}

#[tokio::test]
async fn orders_that_there_are_not_are_named_with_those_that_there_are() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    for (query, given, words) in [
        ("/store/agents?sorted_by=price", "price", "'rating', 'runs', 'name' or 'updated_at'"),
        ("/store/agents?sorted_by=", "", "'rating', 'runs', 'name' or 'updated_at'"),
        ("/store/creators?sorted_by=runs", "runs", "'agent_rating', 'agent_runs' or 'num_agents'"),
    ] {
        let refused = bed.get(query).of(&ada).send().await.expect(422);
        let expected = json!([{
            "type": "enum", "loc": ["query", "sorted_by"], "msg": format!("Input should be {words}"), "input": given,
            "ctx": {"expected": words},
        }]);
        assert_eq!(refused["detail"], expected, "{query}");
    }
    let refused = bed.get("/store/agents?featured=maybe&page=one").of(&ada).send().await.expect(422);
    let told: Vec<_> = refused["detail"].as_array().unwrap().iter().map(|item| (&item["type"], &item["loc"])).collect();
    let expected =
        [(json!("bool_parsing"), json!(["query", "featured"])), (json!("int_parsing"), json!(["query", "page"]))];
    assert_eq!(told, expected.iter().map(|(kind, at)| (kind, at)).collect::<Vec<_>>());
}

#[tokio::test]
async fn creators_are_searched_sorted_and_paged() {
    let bed = Testbed::new().await;
    let op = operator(&bed).await;
    let market = &bed.platform.marketplace;
    let (ada, bob) = (creator(&bed, "ada").await, creator(&bed, "bob").await);
    // Somebody who has published nothing is nobody's business.
    creator(&bed, "carol").await;
    let first = published(&bed, &bob, &op, "One", &[]).await;
    published(&bed, &bob, &op, "Two", &[]).await;
    let third = published(&bed, &ada, &op, "Three", &[]).await;
    bed.run(&ada, &third.card.graph.to_string(), json!({"text": "x"}).as_object().unwrap().clone()).await;
    market.rate(op.user, &first.card, 5, None).await.unwrap();
    market.rate(op.user, &third.card, 4, None).await.unwrap();
    let odd = Profile { username: "bob".to_owned(), name: "100% Bob_".to_owned(), ..Profile::default() };
    market.save_profile(bob.user, odd).await.unwrap();
    market.feature_creator(op.user, "bob", true).await.unwrap();
    for (query, expected) in [
        ("", &["ada", "bob"][..]),
        ("?sorted_by=num_agents", &["bob", "ada"]),
        ("?sorted_by=agent_runs", &["ada", "bob"]),
        ("?sorted_by=agent_rating", &["bob", "ada"]),
        ("?featured=1", &["bob"]),
        ("?search_query=BYRON", &["ada"]),
        ("?search_query=engine", &["ada"]),
        ("?search_query=%25", &["bob"]),
        ("?search_query=b_", &["bob"]),
        ("?search_query=a_a", &[]),
        ("?search_query=carol", &[]),
        ("?search_query=", &["ada", "bob"]),
        ("?page_size=1&page=2", &["bob"]),
    ] {
        let found = bed.get(&format!("/store/creators{query}")).of(&ada).send().await.expect(200);
        assert_eq!(usernames(&found), expected, "{query}");
    }
    for query in [format!("?search_query={}", "x".repeat(101)), "?search_query=%20%20".to_owned()] {
        let body = bed.get(&format!("/store/creators{query}")).of(&ada).send().await.expect(400);
        assert_eq!(body["detail"], "Invalid search query", "{query}");
    }
    for (query, detail) in
        [("page=0", "Page must be greater than 0"), ("page_size=-1", "Page size must be greater than 0")]
    {
        let body = bed.get(&format!("/store/creators?{query}")).of(&ada).send().await.expect(422);
        assert_eq!(body, json!({ "detail": detail }));
    }
}

#[tokio::test]
async fn an_operator_may_open_the_store_to_every_credential() {
    let bed = Testbed::with(ApiSettings { store_scope_required: false, ..ApiSettings::default() }).await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    published(&bed, &ada, &op, "Digest", &[]).await;
    let none = bed.key(ada.user, &[Scope::Identity]).await;
    for path in ["/store/agents", "/store/agents/ada/digest", "/store/creators", "/store/creators/ada"] {
        bed.get(path).key(&none).send().await.expect(200);
        bed.get(path).send().await.expect(401);
        bed.get(path).key("agpt_wrong").send().await.expect(401);
    }
    bed.get("/graphs").key(&none).send().await.expect(403);
}

#[tokio::test]
async fn pictures_are_served_so_that_they_can_do_nothing() {
    let bed = Testbed::new().await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    let market = &bed.platform.marketplace;
    // One red pixel, by the PNG specification.
    let png = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde"[..],
        b"\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82",
    ];
    let name = market.add_picture(ada.user, png.concat()).await.unwrap();
    assert_eq!(market.add_picture(ada.user, png.concat()).await.unwrap(), name);
    let graph = bed.echo(&ada).await;
    let mut text = crate::market::about("Digest", &[]);
    text.images = vec![name.clone()];
    let submission = crate::market::submit(&bed, &ada, &graph, text.clone()).await;
    crate::market::decide(&bed, &op, &submission, true).await;
    let url = bed.get("/store/agents/ada/digest").of(&ada).send().await.expect(200)["agent_image"][0].clone();
    assert_eq!(url, format!("http://127.0.0.1:8006/media/{name}"));
    let answer = bed.ask("GET", &format!("/media/{name}")).send().await;
    assert_eq!(answer.status, 200);
    for (header, value) in [
        ("content-type", "image/jpeg"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "public, max-age=31536000, immutable"),
    ] {
        assert_eq!(answer.header(header), value);
    }
    assert!(answer.bytes.starts_with(b"\xff\xd8\xff"));
    for missing in [
        name.replace(".jpeg", ".png"),
        name.replace(".jpeg", ".svg"),
        "x".to_owned(),
        format!("{}.png", "0".repeat(64)),
    ] {
        assert_eq!(bed.ask("GET", &format!("/media/{missing}")).send().await.status, 404, "{missing}");
    }
    // Another's picture cannot be used.
    let bob = creator(&bed, "bob").await;
    let caller = crate::market::principal(&bed, &bob).await;
    let stolen = heddle_platform::marketplace::NewSubmission {
        graph: bed.echo(&bob).await,
        graph_version: 1,
        text,
        ..Default::default()
    };
    let refusal = market.submit(&caller, stolen).await.unwrap_err().to_string();
    assert_eq!(without_ids(&refusal), "a picture is not there: add it again");
}
