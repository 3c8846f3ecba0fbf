//! Credits through the real binary: what an operator types, and what is charged however often the server is killed.

use crate::support::{Client, Heddle, Server, write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
/// Credits for a template, and how many of them an agent has, one after the other.
const PRICE: i64 = 3;
const TEMPLATES: usize = 6;

/// A data folder where templates cost something and nothing is given for nothing.
fn priced() -> Heddle {
    let heddle = Heddle::new();
    let prices = json!({TEMPLATE: [{"cost_amount": PRICE, "cost_type": "run"}]});
    let file = write(&heddle.beside("prices.json"), &prices.to_string());
    heddle
        .with("HEDDLE_CREDITS__ENABLED", "true")
        .with("HEDDLE_CREDITS__MONTHLY_REFILL", "0")
        .with("HEDDLE_CREDITS__PRICES", &file)
}

fn agent() -> Value {
    let mut nodes = vec![json!({"id": "in", "block_id": INPUT, "input_default": {"name": "text"}})];
    let mut links = Vec::new();
    let mut source = ("in".to_owned(), "result");
    for number in 0..TEMPLATES {
        let id = format!("t{number}");
        nodes.push(json!({"id": id, "block_id": TEMPLATE, "input_default": {"format": "{{ text }}.", "values": {}}}));
        let (from, pin) = source;
        links.push(json!({"source_id": from, "source_name": pin, "sink_id": id, "sink_name": "values_#_text"}));
        source = (id, "output");
    }
    nodes.push(json!({"id": "out", "block_id": OUTPUT, "input_default": {"name": "said"}}));
    links.push(json!({"source_id": source.0, "source_name": source.1, "sink_id": "out", "sink_name": "value"}));
    json!({"name": "Templates", "description": "", "nodes": nodes, "links": links})
}

#[test]
fn an_operator_gives_takes_and_looks() {
    let heddle = priced();
    let show = || heddle.json(&["credits", "show"]);
    let shown = show();
    assert_eq!((&shown["enabled"], &shown["balance"], &shown["notices"]), (&json!(true), &json!(0), &json!([])));
    let granted = heddle.json(&["credits", "grant", "500", "--comment", "welcome", "--key", "w"]);
    assert_eq!(
        (&granted["type"], &granted["amount"], &granted["balance"]),
        (&json!("GRANT"), &json!(500), &json!(500))
    );
    let again = heddle.json(&["credits", "grant", "500", "--key", "w"]);
    assert_eq!((&again["description"], &again["balance"]), (&json!("welcome"), &json!(500)), "once for its key");
    heddle.run(&["credits", "grant", "501", "--key", "w"]).refused("this key was used for another change");
    heddle.run(&["credits", "grant", "-501"]).refused("does not have so many credits");
    heddle.run(&["credits", "grant", "0"]).refused("the amount must be");
    // While a server runs, which has the balance in memory.
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let graph = client.save(&agent());
    assert_eq!(client.start_and_wait(&graph, &json!({"text": "tides"})).json()["status"], "COMPLETED");
    assert_eq!(show()["balance"], 500 - PRICE * TEMPLATES as i64);
    let topped = heddle.json(&["credits", "grant", "100", "--kind", "top-up"]);
    assert_eq!((&topped["type"], &topped["balance"]), (&json!("TOP_UP"), &json!(582)));
    assert_eq!(heddle.run(&["credits", "grant", "-82", "--kind", "refund"]).stdout.trim(), "500");
    let kinds = |words: &[&str]| {
        let records = heddle.json(&[&["credits", "transactions"], words].concat());
        let kind = |record: &Value| (record["type"].as_str().unwrap().to_owned(), record["amount"].as_i64().unwrap());
        records.as_array().unwrap().iter().map(kind).collect::<Vec<_>>()
    };
    let all = [("REFUND", -82), ("TOP_UP", 100), ("USAGE", -18), ("GRANT", 500)];
    assert_eq!(kinds(&[]), all.map(|(kind, amount)| (kind.to_owned(), amount)));
    assert_eq!(kinds(&["--type", "usage"]), [("USAGE".to_owned(), -18)]);
    assert_eq!(kinds(&["--limit", "1"]).len(), 1);
    server.stop();
    assert_eq!(show()["balance"], 500);
}

#[test]
fn without_the_setting_spending_is_free() {
    let heddle = Heddle::new();
    let shown = heddle.json(&["credits", "show"]);
    assert_eq!((&shown["enabled"], &shown["balance"]), (&json!(false), &json!(100)));
    heddle.run(&["credits", "grant", "5"]).refused("credits.enabled");
    let bad = write(&heddle.beside("prices.json"), "{\"x\": [{\"cost_amount\": -1, \"cost_type\": \"run\"}]}");
    heddle.run(&["config", "--set", &format!("credits.prices={bad}")]).refused("credits.prices");
}

/// `CREDITS_KILLS` says how often the server is killed. There is not enough for all runs: some end for want of credits.
#[test]
fn nothing_is_charged_twice_however_often_the_server_is_killed() {
    let kills = std::env::var("CREDITS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let heddle = priced();
    let granted = 800 + 200 * kills;
    heddle.json(&["credits", "grant", &granted.to_string()]);
    let mut server = Server::start(&heddle);
    let key = heddle.key();
    let graph = Client::new(&server.address, Some(key.clone())).save(&agent());
    let mut lives = 0;
    loop {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, heard) = channel();
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let client = Client::new(&server.address, Some(key.clone()));
                let (graph, stop, told) = (graph.clone(), Arc::clone(&stop), told.clone());
                std::thread::spawn(move || start_until(&client, &graph, &stop, &told))
            })
            .collect();
        // Killed in the middle of what it was asked to do: after so many answers, at no particular moment.
        for _ in 0..10 + 7 * lives % 23 {
            let _ = heard.recv_timeout(Duration::from_secs(60));
        }
        server.kill();
        stop.store(true, SeqCst);
        starters.into_iter().for_each(|starter| starter.join().unwrap());
        lives += 1;
        server = Server::start(&heddle);
        if lives == kills {
            break;
        }
    }
    let client = Client::new(&server.address, Some(key));
    // Until nothing is left: more runs find the wallet empty.
    let give_up = Instant::now() + Duration::from_secs(120);
    while client.start_and_wait(&graph, &json!({"text": "x"})).json()["status"] != "FAILED" {
        assert!(Instant::now() < give_up, "the wallet is never empty");
    }
    let runs = runs_at_end(&client, &graph);
    let records = heddle.json(&["credits", "transactions", "--type", "usage", "--limit", "1000"]);
    let mut used: BTreeMap<String, i64> = BTreeMap::new();
    for record in records.as_array().unwrap() {
        *used.entry(record["run_id"].as_str().unwrap().to_owned()).or_default() -= record["amount"].as_i64().unwrap();
    }
    let (mut spent, mut executions, mut fees) = (0, 0, 0);
    for run in &runs {
        let (id, stats) = (run["id"].as_str().unwrap(), &run["stats"]);
        let cost = stats["cost"].as_i64().unwrap();
        assert_eq!(used.remove(id).unwrap_or_default(), cost, "{run}: the wallet and the journal differ");
        let paid = PRICE * TEMPLATES as i64;
        if run["status"] == "COMPLETED" {
            assert!((paid..=paid + 2).contains(&cost), "{run}");
            fees += cost - paid;
        } else {
            assert_eq!(run["status"], "FAILED", "{run}");
            fees += cost % PRICE;
        }
        spent += cost;
        executions += stats["node_exec_count"].as_i64().unwrap();
    }
    assert_eq!(used, BTreeMap::new(), "charged for runs that are not there");
    let left = heddle.json(&["credits", "show"])["balance"].as_i64().unwrap();
    assert_eq!(left, granted - spent);
    assert!((0..=PRICE).contains(&left), "{left} are left");
    // Numbers that a kill has lost are counted again from what is on disk: never more than one fee a hundred.
    assert!(fees <= executions / 100 + kills, "{fees} fees for {executions} executions");
    println!("{} runs, {executions} executions, {spent} credits, {kills} kills", runs.len());
}

/// Starts runs until the server is gone, and tells of every answer.
fn start_until(client: &Client, graph: &Value, stop: &AtomicBool, told: &Sender<()>) {
    let path = format!(
        "/external-api/v1/graphs/{}/execute/{}",
        graph["id"].as_str().unwrap(),
        graph["version"].as_i64().unwrap()
    );
    let body = json!({"node_input": {"text": "tides"}}).to_string();
    while !stop.load(SeqCst) {
        let headers = [("Content-Type", "application/json")];
        if client.try_send("POST", &path, &headers, Some(body.clone()), || ()).is_err() {
            return;
        }
        if told.send(()).is_err() {
            return;
        }
    }
}

/// All runs of a graph, once each of them has ended.
fn runs_at_end(client: &Client, graph: &Value) -> Vec<Value> {
    let give_up = Instant::now() + Duration::from_secs(120);
    loop {
        let mut runs = Vec::new();
        for page in 1.. {
            let id = graph["id"].as_str().unwrap();
            let answer =
                client.get(&format!("/external-api/v1/graphs/{id}/executions?page={page}&page_size=100")).json();
            let listed = answer["executions"].as_array().unwrap();
            runs.extend(listed.iter().cloned());
            if listed.len() < 100 {
                break;
            }
        }
        if runs.iter().all(|run| !run["ended_at"].is_null()) {
            return runs;
        }
        assert!(Instant::now() < give_up, "some runs never end");
    }
}
