//! Following a run live.

use crate::testbed::{INPUT, OUTPUT, Testbed, echo};
use serde_json::{Value, json};

/// (id, name, data) of each event.
fn parse(text: &str) -> Vec<(String, String, Value)> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty() && !block.starts_with(':'));
    let field = |block: &str, name: &str| {
        let line =
            block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {block}"));
        line.trim().to_owned()
    };
    blocks
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data:")).unwrap();
            (field(block, "id:"), field(block, "event:"), data)
        })
        .collect()
}

#[tokio::test]
async fn events_tell_the_whole_run_and_end_with_it() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let Value::Object(inputs) = json!({"text": [1, 2.5]}) else { unreachable!() };
    let run = bed.run(&ada, &graph, inputs).await;

    let answer = bed
        .get(&format!("/graphs/{graph}/executions/{run}/events"))
        .of(&ada)
        .header("accept-encoding", "gzip")
        .send()
        .await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("content-encoding"), "", "a compressor would hold events back");
    let events = parse(std::str::from_utf8(&answer.bytes).unwrap());
    let names: Vec<&str> = events.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names, ["run", "run", "node", "output", "node", "node", "node", "run"]);
    let statuses: Vec<&Value> =
        events.iter().filter(|(_, name, _)| name == "run").map(|event| &event.2["status"]).collect();
    assert_eq!(statuses, [&json!("QUEUED"), &json!("RUNNING"), &json!("COMPLETED")]);
    assert_eq!(events[3].2, json!({"name": "echo", "value": [1, 2.5]}));
    assert_eq!(events[2].2["input"], json!({"name": "text", "value": [1, 2.5]}));
    assert_eq!(events[4].2["output"], json!({"result": [[1, 2.5]]}));
    assert!(events[7].2["ended_at"].is_string());
}

#[tokio::test]
async fn events_carry_the_statistics_of_what_has_ended() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let Value::Object(inputs) = json!({"text": [1, 2.5]}) else { unreachable!() };
    let run = bed.run(&ada, &graph, inputs).await;
    let answer = bed.get(&format!("/graphs/{graph}/executions/{run}/events")).of(&ada).send().await;
    let events = parse(std::str::from_utf8(&answer.bytes).unwrap());
    for (_, name, data) in &events {
        let is_over = name != "output" && data["status"] == "COMPLETED";
        assert_eq!(data["stats"].is_object(), is_over, "{name} {data}");
    }
    let names = |stats: &Value| stats.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let node = &events[4].2["stats"];
    let counted = [
        "input_token_count",
        "output_token_count",
        "cache_read_token_count",
        "cache_creation_token_count",
        "llm_call_count",
        "llm_retry_count",
        "provider_cost",
    ];
    let sizes = ["cost", "walltime", "cputime", "input_size", "output_size"];
    assert_eq!(names(node), [&sizes[..], &counted[..], &["error"]].concat());
    let (input, output) = (r#"{"name": "text", "value": [1, 2.5]}"#, "[1, 2.5]");
    assert_eq!((&node["input_size"], &node["output_size"]), (&json!(input.len()), &json!(output.len())));
    assert!(node["walltime"].is_f64() && node["error"].is_null(), "{node}");
    let stats = &events[7].2["stats"];
    assert_eq!(
        names(stats),
        [
            "cost",
            "duration",
            "duration_cpu_only",
            "node_exec_time",
            "node_exec_time_cpu_only",
            "node_exec_count",
            "node_error_count",
            "error",
            "activity_status",
            "correctness_score",
        ]
    );
    assert_eq!(
        (&stats["cost"], &stats["node_exec_count"], &stats["node_error_count"]),
        (&json!(0), &json!(2), &json!(0))
    );
    assert!(stats["duration"].as_f64() >= stats["node_exec_time"].as_f64(), "{stats}");

    let list = bed.get(&format!("/graphs/{graph}/executions")).of(&ada).send().await.expect(200);
    assert_eq!(list["executions"][0]["stats"], json!({"cost": 0, "node_exec_count": 2, "node_error_count": 0}));
}

#[tokio::test]
async fn a_follower_goes_on_after_any_event_without_gap_or_repeat() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let graph = bed.echo(&ada).await;
    let Value::Object(inputs) = json!({"text": "x"}) else { unreachable!() };
    let run = bed.run(&ada, &graph, inputs).await;
    let path = format!("/graphs/{graph}/executions/{run}/events");

    let all = parse(std::str::from_utf8(&bed.get(&path).of(&ada).send().await.bytes).unwrap());
    for seen in 0..all.len() {
        let answer = bed.get(&path).of(&ada).header("last-event-id", &all[seen].0).send().await;
        assert_eq!(parse(std::str::from_utf8(&answer.bytes).unwrap()), all[seen + 1..], "after {}", all[seen].0);
    }
    let unreadable = bed.get(&path).of(&ada).header("last-event-id", "nonsense").send().await;
    assert_eq!(parse(std::str::from_utf8(&unreadable.bytes).unwrap()), all);
}

#[tokio::test]
async fn a_run_is_followed_while_it_waits_and_until_it_is_stopped() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let slow = json!({
        "name": "Slow", "description": "",
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "text", "value": "x"}},
            {"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "input_default": {"hours": 1}},
            {"id": "o", "block_id": OUTPUT, "input_default": {"name": "late"}},
        ],
        "links": [
            {"source_id": "a", "sink_id": "t", "source_name": "result", "sink_name": "input_message"},
            {"source_id": "t", "sink_id": "o", "source_name": "output_message", "sink_name": "value"},
        ],
    });
    let graph = bed.save(&ada, &slow).await["id"].as_str().unwrap().to_owned();
    let run = bed.post(&format!("/graphs/{graph}/execute/1")).of(&ada).send().await.expect(200);
    let run = run["id"].as_str().unwrap();
    let path = format!("/graphs/{graph}/executions/{run}");

    let events = format!("{path}/events");
    let stop = format!("{path}/stop");
    let (followed, stopped) = tokio::join!(bed.get(&events).of(&ada).send(), bed.post(&stop).of(&ada).send());
    assert_eq!(stopped.expect(200)["status"], "TERMINATED");
    let followed = parse(std::str::from_utf8(&followed.bytes).unwrap());
    assert_eq!(followed.last().unwrap().2["status"], "TERMINATED");
}

#[tokio::test]
async fn nobody_follows_another_users_run() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let graph = bed.save(&ada, &echo()).await["id"].as_str().unwrap().to_owned();
    let run = bed.run(&ada, &graph, serde_json::Map::new()).await;
    let answer = bed.get(&format!("/graphs/{graph}/executions/{run}/events")).of(&bob).send().await;
    assert_eq!(answer.expect(404), json!({"detail": format!("Graph execution #{run} not found.")}));
}
