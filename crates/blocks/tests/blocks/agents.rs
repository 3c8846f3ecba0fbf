//! The block that looks into the library, over a port that tests can see through.

use crate::common::{in_a_run, run};
use async_trait::async_trait;
use heddle_blocks::{Library, LibraryAgent, LibraryPage, Ports, Registry};
use heddle_engine::ports::Failure;
use heddle_model::{Object, UserId, Value};
use serde_json::json;
use std::sync::{Arc, Mutex};

const LIST: &str = "082602d3-a74d-4600-9e9c-15b3af7eae98";

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

async fn ask(id: &str, input: Value) -> (Value, Result<(), Failure>, Vec<String>) {
    let known = Arc::new(Known::default());
    let ports = Ports { library: Some(known.clone()), ..Ports::default() };
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
async fn a_server_without_a_library_says_so() {
    let (outputs, ended) = run(&Registry::standard(), LIST, Object::new(), in_a_run()).await;
    assert!(outputs.is_empty());
    assert_eq!(ended, Err(Failure::Execution("this server has no library".to_owned())));
}
