//! Two people × routes, generated from the document: what belongs to one looks missing to the other.

use crate::access::operations;
use crate::testbed::{NOBODY, Testbed, V1, without_ids};
use serde_json::{Value, json};

#[tokio::test]
async fn everything_of_somebody_else_looks_missing() {
    let bed = Testbed::new().await;
    let (ada, bob) = (bed.person("ada").await, bed.person("bob").await);
    let graph = bed.echo(&ada).await;
    let run = bed.run(&ada, &graph, json!({ "text": "secret" }).as_object().unwrap().clone()).await;
    let bobs = bed.echo(&bob).await;
    for (method, path, _) in operations(&bed).await.into_iter().filter(|(_, path, _)| path.contains("{graph_id}")) {
        let at = |graph: &str, run: &str| {
            let path = path.replace("{graph_id}", graph).replace("{graph_exec_id}", run);
            format!("{V1}{}", path.replace("{graph_version}", "1"))
        };
        let answer = async |path: String| {
            let answer = bed.ask(&method, &path).of(&bob).json(&json!({})).send().await;
            (answer.status.as_u16(), without_ids(&answer.json().to_string()))
        };
        let missing = answer(at(NOBODY, NOBODY)).await;
        assert!([400, 404].contains(&missing.0), "{path}: {missing:?}");
        assert_eq!(answer(at(&graph, &run)).await, missing, "{method} {path}: both foreign");
        if path.contains("{graph_exec_id}") {
            let missing = answer(at(&bobs, NOBODY)).await;
            assert_eq!(missing.0, 404);
            assert_eq!(answer(at(&bobs, &run)).await, missing, "{method} {path}: foreign run below an own graph");
        }
    }
    for list in [format!("{V1}/graphs"), format!("{V1}/graphs/{bobs}/executions")] {
        let seen = bed.ask("GET", &list).of(&bob).send().await.expect(200).to_string();
        assert!(!seen.contains(&graph) && !seen.contains(&run), "{list}: {seen}");
    }
    let mine: Value = bed.get(&format!("/graphs/{graph}/executions/{run}/results")).of(&ada).send().await.expect(200);
    assert_eq!(mine["output"], json!([{ "echo": "secret" }]));
}

#[tokio::test]
async fn a_run_is_found_only_below_its_own_graph() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let (graph, other) = (bed.echo(&ada).await, bed.echo(&ada).await);
    let run = bed.run(&ada, &graph, serde_json::Map::new()).await;
    for (method, last) in [("GET", "results"), ("POST", "stop")] {
        let path = format!("{V1}/graphs/{other}/executions/{run}/{last}");
        let body = bed.ask(method, &path).of(&ada).send().await.expect(404);
        assert_eq!(body, json!({ "detail": format!("Graph execution #{run} not found.") }));
    }
}
