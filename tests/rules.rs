//! The engine's rules, one small graph each (`tests/fixtures/`): agents and cases in one file, with the rule in words.

use crate::support::{Case, Heddle, Server, check, json_of, root};
use serde_json::{Value, json};

fn fixtures() -> Vec<(String, Value)> {
    let mut paths: Vec<_> =
        std::fs::read_dir(root().join("tests/fixtures")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), json_of(path))).collect()
}

#[test]
fn every_fixture_behaves_as_its_rule_says() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let fixtures = fixtures();
    assert!(fixtures.len() >= 8);
    for (name, fixture) in fixtures {
        for case in fixture["cases"].as_array().unwrap() {
            let case = Case {
                name: format!("{name}: {}", case["name"].as_str().unwrap()),
                agent: fixture["agent"].clone(),
                inputs: case["inputs"].clone(),
                expect: case["expect"].clone(),
            };
            check(&heddle, &client, &case);
        }
    }
}

#[test]
fn a_graph_that_cannot_be_saved_is_refused_with_a_reason() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let input =
        json!({"id": "a", "block_id": "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "input_default": {"name": "text"}});
    let output =
        json!({"id": "b", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "echo"}});
    let link =
        |source: &str, sink: &str| json!({"source_id": "a", "source_name": source, "sink_id": "b", "sink_name": sink});
    let unnamed = json!({"id": "a", "block_id": input["block_id"], "input_default": {}});
    let reserved = json!({"id": "a", "block_id": input["block_id"], "input_default": {"name": "x_credentials"}});
    let unknown = json!({"id": "a", "block_id": "00000000-0000-4000-8000-000000000000"});
    let cases = [
        (vec![input.clone(), output.clone()], vec![link("nothing", "value")], "`nothing` invalid, Allowed fields: "),
        (vec![input.clone(), output.clone()], vec![link("result", "nowhere")], "`nowhere` invalid, Allowed fields: "),
        (vec![unnamed, output.clone()], vec![], "This field is required"),
        (vec![reserved, output.clone()], vec![], "is a reserved input name"),
        (vec![unknown, output], vec![], "Invalid block 00000000-0000-4000-8000-000000000000 for node #"),
    ];
    for (nodes, links, reason) in cases {
        let agent = json!({"name": "Wrong", "description": "Cannot be saved.", "nodes": nodes, "links": links});
        let answer = client.post("/external-api/v1/graphs", &[], &agent);
        assert_eq!(answer.status, 400, "{reason}: {answer:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(reason), "expected {reason:?} in {detail:?}");
    }
}
