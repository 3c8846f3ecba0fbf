//! Executions that are paid for, seen through the API.

use crate::testbed::{INPUT, OUTPUT, Person, Testbed};
use heddle_api::ApiSettings;
use heddle_platform::{CreditRules, Grant, GrantKind, Options};
use serde_json::{Value, json};

/// `FillTextTemplateBlock`.
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";

async fn bed(monthly_refill: u32) -> Testbed {
    let prices = json!({TEMPLATE: [
        {"cost_amount": 40, "cost_type": "run", "cost_filter": {"format": "dear"}},
        {"cost_amount": 5, "cost_type": "run"},
    ]});
    let options = Options {
        credits: CreditRules { is_on: true, monthly_refill },
        prices: serde_json::from_value(prices).unwrap(),
        ..Options::default()
    };
    Testbed::opened(ApiSettings::default(), options).await
}

async fn balance(bed: &Testbed, person: &Person) -> i64 {
    bed.platform.credits.balance(person.user).await.unwrap()
}

async fn grant(bed: &Testbed, person: &Person, amount: i64) {
    let grant = Grant { kind: GrantKind::Grant, amount, comment: None, key: None };
    bed.platform.credits.grant(person.user, grant).await.unwrap();
}

fn templates(formats: &[&str]) -> Value {
    let mut nodes = vec![
        json!({"id": "in", "block_id": INPUT, "input_default": {"name": "text"}}),
        json!({"id": "out", "block_id": OUTPUT, "input_default": {"name": "said"}}),
    ];
    let mut links = Vec::new();
    for (index, format) in formats.iter().enumerate() {
        let (id, before) = (format!("t{index}"), format!("t{}", index.saturating_sub(1)));
        nodes.push(json!({"id": id, "block_id": TEMPLATE, "input_default": {"format": format, "values": {}}}));
        let (source, pin) = if index == 0 { ("in", "result") } else { (before.as_str(), "output") };
        links.push(json!({"source_id": source, "source_name": pin, "sink_id": id, "sink_name": "values_#_text"}));
    }
    let last = format!("t{}", formats.len() - 1);
    links.push(json!({"source_id": last, "source_name": "output", "sink_id": "out", "sink_name": "value"}));
    json!({"name": "Templates", "description": "", "nodes": nodes, "links": links})
}

/// Runs a graph to its end and says how it ended.
async fn run(bed: &Testbed, person: &Person, graph: &Value) -> Value {
    let id = bed.save(person, graph).await["id"].as_str().unwrap().to_owned();
    let start = bed.post(&format!("/graphs/{id}/execute/1")).of(person).header("prefer", "wait=60");
    let started = start.json(&json!({"node_input": {"text": "tides"}})).send().await.expect(200);
    let run = started["id"].as_str().unwrap();
    let results = bed.get(&format!("/graphs/{id}/executions/{run}/results")).of(person).send().await.expect(200);
    let listed = bed.get(&format!("/graphs/{id}/executions")).of(person).send().await.expect(200);
    json!({"status": results["status"], "nodes": results["nodes"], "listed": listed["executions"][0]})
}

#[tokio::test]
async fn a_run_pays_for_what_it_runs_and_its_usage_is_one_record() {
    let bed = bed(0).await;
    let ada = bed.person("ada").await;
    grant(&bed, &ada, 100).await;
    let ended = run(&bed, &ada, &templates(&["{{ text }}", "dear", "x"])).await;
    assert_eq!(ended["status"], "COMPLETED", "{ended}");
    assert_eq!(balance(&bed, &ada).await, 50);
    let records = bed.platform.credits.transactions(ada.user, None, None, 9).await.unwrap();
    let told: Vec<_> =
        records.iter().map(|record| (record.kind.as_str(), record.amount, record.run.is_some())).collect();
    assert_eq!(told, [("USAGE", -50, true), ("GRANT", 100, false)]);
}

/// `engine.md` 16: the execution that is too dear fails, and so does the run.
#[tokio::test]
async fn a_run_fails_at_the_execution_that_it_cannot_pay_for() {
    let bed = bed(0).await;
    let ada = bed.person("ada").await;
    grant(&bed, &ada, 42).await;
    let ended = run(&bed, &ada, &templates(&["{{ text }}", "dear"])).await;
    let text = "Insufficient balance of $0.37, where this will cost $0.40";
    assert_eq!(ended["status"], "FAILED", "{ended}");
    let failed = ended["nodes"].as_array().unwrap().iter().filter(|node| node["output"]["error"] == json!([text]));
    assert_eq!(failed.count(), 1, "{ended}");
    assert_eq!(balance(&bed, &ada).await, 37);
    let notices = bed.platform.credits.notices(ada.user).await.unwrap();
    assert_eq!(
        notices.iter().map(|notice| (notice.what.as_str(), notice.balance)).collect::<Vec<_>>(),
        [("INSUFFICIENT_FUNDS", 37)]
    );
}

#[tokio::test]
async fn a_run_does_not_begin_without_a_credit() {
    let bed = bed(0).await;
    let ada = bed.person("ada").await;
    let ended = run(&bed, &ada, &templates(&["{{ text }}"])).await;
    assert_eq!(ended["status"], "FAILED", "{ended}");
    assert_eq!(balance(&bed, &ada).await, 0);
    let graph =
        bed.platform.graphs.list(ada.user, heddle_platform::PageRequest { page: 1, page_size: 1 }).await.unwrap();
    assert_eq!(graph.items.len(), 1);
}

/// `v1.md` 3.
#[tokio::test]
async fn a_block_by_itself_answers_402_when_it_is_too_dear() {
    let bed = bed(7).await;
    let ada = bed.person("ada").await;
    let execute = async |format: &str| {
        let body = json!({"format": format, "values": {}});
        bed.post(&format!("/blocks/{TEMPLATE}/execute")).of(&ada).json(&body).send().await
    };
    assert_eq!(execute("tides").await.expect(200), json!({"output": ["tides"]}));
    assert_eq!(balance(&bed, &ada).await, 2);
    let refused = execute("dear").await.expect(402);
    assert_eq!(refused["detail"], "Insufficient balance of $0.02, where this will cost $0.40");
    assert_eq!(refused["message"], format!("Failed to process POST /external-api/v1/blocks/{TEMPLATE}/execute"));
    assert_eq!(balance(&bed, &ada).await, 2, "what did not run costs nothing");
    let used = bed.platform.credits.transactions(ada.user, Some("USAGE"), None, 9).await.unwrap();
    assert_eq!(used.len(), 1);
    assert_eq!((used[0].amount, used[0].description.as_deref()), (-5, Some("FillTextTemplateBlock")));
    let unknown = bed.post("/blocks/nothing/execute").of(&ada).json(&json!({})).send().await;
    assert_eq!(unknown.status, 404, "that comes first");
}

#[tokio::test]
async fn spending_is_free_unless_it_is_switched_on() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    assert_eq!(balance(&bed, &ada).await, 100);
    let grant = Grant { kind: GrantKind::Grant, amount: 5, comment: None, key: None };
    assert!(bed.platform.credits.grant(ada.user, grant).await.is_err());
    assert_eq!(run(&bed, &ada, &templates(&["{{ text }}"])).await["status"], "COMPLETED");
}

#[tokio::test]
async fn runs_of_one_account_at_once_spend_no_credit_twice() {
    let bed = bed(0).await;
    let ada = bed.person("ada").await;
    grant(&bed, &ada, 61).await;
    let graph = bed.save(&ada, &templates(&["{{ text }}"])).await["id"].as_str().unwrap().to_owned();
    let path = format!("/graphs/{graph}/execute/1");
    let body = json!({"node_input": {"text": "tides"}});
    let starts = (0..30).map(|_| bed.post(&path).of(&ada).header("prefer", "wait=60").json(&body).send());
    let ended = futures::future::join_all(starts).await;
    let paid = ended.into_iter().filter(|answer| answer.json()["status"] == "COMPLETED").count();
    assert_eq!((paid, balance(&bed, &ada).await), (12, 1));
}
