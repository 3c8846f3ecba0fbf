//! The blocks that look into the library and the marketplace, over ports that tests can see through.

use crate::common::{in_a_run, run};
use async_trait::async_trait;
use heddle_blocks::{Library, LibraryAgent, LibraryPage, Listing, Market, Order, Ports, Registry, Search};
use heddle_engine::ports::Failure;
use heddle_model::{UserId, Value};
use serde_json::json;
use std::sync::{Arc, Mutex};

const LIST: &str = "082602d3-a74d-4600-9e9c-15b3af7eae98";
const SEARCH: &str = "39524701-026c-4328-87cc-1b88c8e2cb4c";
const DETAILS: &str = "b604f0ec-6e0d-40a7-bf55-9fd09997cced";
const ADD: &str = "2602a7b1-3f4d-4e5f-9c8b-1a2b3c4d5e6f";

/// Has one agent, and remembers what it was asked.
#[derive(Default)]
struct Known(Mutex<Vec<String>>);

impl Known {
    fn note(&self, asked: String) {
        self.0.lock().expect("no test panics while it holds this").push(asked);
    }
}

fn agent() -> LibraryAgent {
    LibraryAgent {
        library_agent_id: "l".to_owned(),
        agent_id: "g".to_owned(),
        agent_version: 3,
        agent_name: "Tides".to_owned(),
        description: "Of the sea".to_owned(),
        creator: "Ada".to_owned(),
        ..LibraryAgent::default()
    }
}

#[async_trait]
impl Library for Known {
    async fn agents(&self, user: UserId, query: &str, page: u32, limit: u32) -> Result<LibraryPage, String> {
        self.note(format!("{} {query:?} {page} {limit}", user == in_a_run().user));
        Ok(LibraryPage { agents: vec![agent()], total: 101 })
    }
}

#[async_trait]
impl Market for Known {
    async fn search(&self, search: Search) -> Result<Vec<Listing>, String> {
        let Search { query, category, order, limit } = search;
        self.note(format!("{query:?} {category:?} {order:?} {limit}"));
        let rated = Listing { slug: "a".to_owned(), rating: 4.5, runs: 7, ..Listing::default() };
        Ok(if order == Order::Name { Vec::new() } else { vec![rated, Listing::default()] })
    }

    async fn find(&self, creator: &str, slug: &str) -> Result<Option<Listing>, String> {
        let categories = vec!["sea".to_owned()];
        let creator = Some(creator.to_owned()).filter(|creator| creator == "ada");
        Ok(creator.map(|creator| Listing {
            name: "Tides".to_owned(),
            version: "v".to_owned(),
            slug: slug.to_owned(),
            creator,
            categories,
            ..Listing::default()
        }))
    }

    async fn add(&self, user: UserId, version: &str) -> Result<Option<LibraryAgent>, String> {
        match version {
            "v" => Ok(Some(agent()).filter(|_| user == in_a_run().user)),
            "broken" => Err("the database is away".to_owned()),
            _ => Ok(None),
        }
    }
}

async fn ask(id: &str, input: Value) -> (Value, Result<(), Failure>, Vec<String>) {
    let known = Arc::new(Known::default());
    let ports = Ports { library: Some(known.clone()), market: Some(known.clone()), ..Ports::default() };
    let input = input.as_object().expect("an object").clone();
    let (outputs, ended) = run(&Registry::new(ports), id, input, in_a_run()).await;
    let asked = known.0.lock().expect("no test panics while it holds this").clone();
    (outputs.into_iter().map(|(pin, value)| json!([pin, value])).collect(), ended, asked)
}

#[tokio::test]
async fn the_library_is_listed_page_by_page() {
    let one = json!({"library_agent_id": "l", "agent_id": "g", "agent_version": 3, "agent_name": "Tides",
        "description": "Of the sea", "creator": "Ada", "is_archived": false, "categories": []});
    let (outputs, ended, asked) = ask(LIST, json!({"search_query": " tide ", "limit": 20, "page": 2})).await;
    let expected = json!([["agents", [one]], ["total_count", 101], ["page", 2], ["total_pages", 6], ["agent", one],]);
    assert_eq!((outputs, ended), (expected, Ok(())));
    assert_eq!(asked, ["true \"tide\" 2 20"]);
    assert_eq!(ask(LIST, json!({})).await.2, ["true \"\" 1 50"]);
    assert!(matches!(ask(LIST, json!({"limit": 101})).await.1, Err(Failure::Input(_))));
}

#[tokio::test]
async fn the_marketplace_is_searched_in_an_order() {
    let (outputs, ended, asked) = ask(SEARCH, json!({"query": "sea", "category": "", "sort_by": "runs"})).await;
    let rated = json!({"slug": "a", "name": "", "description": "", "creator": "", "rating": 4.5, "runs": 7,
        "categories": []});
    let plain = json!({"slug": "", "name": "", "description": "", "creator": "", "rating": 0.0, "runs": 0,
        "categories": []});
    let expected = json!([["agents", [rated, plain]], ["total_count", 2], ["agent", rated], ["agent", plain]]);
    assert_eq!((outputs, ended), (expected, Ok(())));
    assert_eq!(asked, ["Some(\"sea\") None Runs 10"]);
    let (outputs, _, _) = ask(SEARCH, json!({"sort_by": "name"})).await;
    assert_eq!(outputs, json!([["agents", []], ["total_count", 0]]));
    assert_eq!(ask(SEARCH, json!({"sort_by": "updated_at", "limit": 3})).await.2, ["None None UpdatedAt 3"]);
}

#[tokio::test]
async fn one_agent_of_the_marketplace_is_told_of() {
    let (outputs, ended, _) = ask(DETAILS, json!({"creator": "ada", "slug": "tides"})).await;
    let expected = json!([
        ["found", true],
        ["store_listing_version_id", "v"],
        ["agent_name", "Tides"],
        ["description", ""],
        ["creator", "ada"],
        ["categories", ["sea"]],
        ["runs", 0],
        ["rating", 0.0]
    ]);
    assert_eq!((outputs, ended), (expected, Ok(())));
    let (outputs, ended, _) = ask(DETAILS, json!({"creator": "bob", "slug": "tides"})).await;
    assert_eq!(outputs, json!([]));
    assert!(matches!(ended, Err(Failure::Execution(text)) if text.contains("bob/tides")));
}

#[tokio::test]
async fn an_agent_is_added_for_the_one_who_asks() {
    let (outputs, ended, _) = ask(ADD, json!({"store_listing_version_id": "v"})).await;
    let expected = json!([
        ["success", true],
        ["library_agent_id", "l"],
        ["agent_id", "g"],
        ["agent_version", 3],
        ["agent_name", "Tides"],
        ["message", "Tides is in your library"]
    ]);
    assert_eq!((outputs, ended), (expected, Ok(())));
    let (outputs, ..) = ask(ADD, json!({"store_listing_version_id": "v", "agent_name": "Mine"})).await;
    assert_eq!(outputs[4], json!(["agent_name", "Mine"]));
    assert!(matches!(ask(ADD, json!({"store_listing_version_id": "x"})).await.1, Err(Failure::Execution(_))));
    assert!(matches!(ask(ADD, json!({"store_listing_version_id": "broken"})).await.1, Err(Failure::Unknown(_))));
}

#[tokio::test]
async fn a_server_without_them_says_so() {
    let input = json!({"creator": "a", "slug": "b", "store_listing_version_id": "v"});
    for id in [LIST, SEARCH, DETAILS, ADD] {
        let input = input.as_object().expect("an object").clone();
        let (outputs, ended) = run(&Registry::standard(), id, input, in_a_run()).await;
        assert!(outputs.is_empty());
        assert!(matches!(ended, Err(Failure::Execution(text)) if text.starts_with("this server has no ")), "{id}");
    }
}
