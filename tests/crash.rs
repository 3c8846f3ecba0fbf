//! What was answered is never lost: kill -9 at bad moments, then the next start.

use crate::support::{Heddle, Server, json_of, root};
use serde_json::{Value, json};

fn results_after_restart(heddle: &Heddle, graph: &Value, run: &str) -> Value {
    let server = Server::start(heddle);
    server.client(heddle).results_at_end(graph, run)
}

#[test]
fn a_run_that_was_accepted_is_finished_by_the_next_start() {
    let heddle = Heddle::new();
    let agent = json_of(&root().join("examples/shopping-list.json"));
    for round in 0..4 {
        let server = Server::start(&heddle);
        let client = server.client(&heddle);
        let graph = client.save(&agent);
        let items: Vec<_> = (0..50).map(|n| format!("item {round}.{n}")).collect();
        let run = client.start(&graph, &json!({"items": items, "shop": "here"}));
        server.kill();
        let results = results_after_restart(&heddle, &graph, &run);
        assert_eq!(results["status"], "COMPLETED", "round {round}");
        let wanted: Vec<_> =
            items.iter().enumerate().map(|(n, item)| json!({"line": format!("{}. {item} from here", n + 1)})).collect();
        assert_eq!(results["output"], json!(wanted), "round {round}");
    }
}

#[test]
fn a_run_that_broke_off_in_the_middle_gives_what_it_would_have_given() {
    let heddle = Heddle::new();
    let agent = json_of(&root().join("examples/quote-for-a-group.json"));
    let ages: Vec<_> = (0..300).map(|n| n % 24).collect();
    let prices: Vec<_> = ages.iter().map(|age| if *age < 12 { 6 } else { 12 }).collect();
    for nodes in [1, 100, 500] {
        let server = Server::start(&heddle);
        let client = server.client(&heddle);
        let graph = client.save(&agent);
        let run = client.start(&graph, &json!({"ages": ages}));
        client.results_when(&graph, &run, |results| results["nodes"].as_array().unwrap().len() >= nodes);
        server.kill();
        let results = results_after_restart(&heddle, &graph, &run);
        assert_eq!(results["status"], "COMPLETED", "after {nodes} nodes");
        let output = results["output"].as_array().unwrap();
        let found: Vec<_> =
            output.iter().filter_map(|entry| entry.get("price")).map(|price| price.as_f64().unwrap() as i32).collect();
        assert_eq!(found, prices, "after {nodes} nodes");
    }
}
