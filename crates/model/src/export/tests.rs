use super::*;
use crate::testing::{OWNER, blocks, draft, ids};

const TRIGGER: &str = "8fa8c167-2002-47ce-aba8-97572fc5d387";
const TEXT_GENERATOR: &str = "1f292d4a-41a4-4977-9684-7c8d560b9f91";
const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";

fn exported(file: Value) -> Value {
    let graphs = draft(file).save(OWNER, blocks(), &mut ids(), &|_| true).unwrap();
    export(&graphs[0], &graphs[1..], blocks())
}

#[test]
fn secrets_stay_at_home() {
    let reference = json!({"id": "mine", "provider": "openai", "type": "api_key"});
    let agent =
        json!({"graph_id": "s", "graph_version": 1, "input_schema": {}, "output_schema": {}, "inputs": {"x": 1}});
    let file = exported(json!({
        "id": "m", "name": "x",
        "nodes": [
            {"id": "a", "block_id": TRIGGER, "input_default": {"constants": {"k": 1}, "secret_token": "t", "secret_token_#_x": 1}},
            {"id": "b", "block_id": AGENT_EXECUTOR, "input_default": agent},
        ],
        "sub_graphs": [{"id": "s", "name": "s", "nodes": [
            {"id": "c", "block_id": TEXT_GENERATOR, "input_default": {"prompt": "p", "credentials": reference}},
        ]}],
    }));
    let text = file.to_string();
    assert!(!text.contains(&OWNER.to_string()) && !text.contains("\"mine\""), "{text}");
    assert_eq!(file["nodes"][0]["input_default"], json!({"constants": {"k": 1}}));
    assert_eq!(file["nodes"][1]["input_default"]["user_id"], "");
    assert_eq!(file["nodes"][1]["input_default"]["graph_id"], file["sub_graphs"][0]["id"]);
    assert_eq!(file["sub_graphs"][0]["nodes"][0]["input_default"], json!({"prompt": "p"}));
}

#[test]
fn without_a_schema_a_secret_is_told_by_its_name() {
    let mut graphs =
        draft(json!({"name": "x", "nodes": [{"id": "a", "block_id": INPUT, "input_default": {"name": "a"}}]}))
            .save(OWNER, blocks(), &mut ids(), &|_| true)
            .unwrap();
    let node = &mut graphs[0].nodes[0];
    node.block_id = "gone".into();
    node.input_default = json!({"API_KEY": "k", "use_token": true, "name": "a"}).as_object().unwrap().clone();
    let file = export(&graphs[0], &[], blocks());
    assert_eq!(file["nodes"][0]["input_default"], json!({"use_token": true, "name": "a"}));
}

#[test]
fn a_file_carries_what_the_wire_computes() {
    let file = exported(json!({
        "name": "Echo", "description": "d", "version": 3,
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "text"}},
            {"id": "b", "block_id": OUTPUT, "input_default": {"name": "echo"}},
        ],
        "links": [{"source_id": "a", "source_name": "result", "sink_id": "b", "sink_name": "value"}],
        "sub_graphs": [{"name": "Child"}],
    }));
    let keys: Vec<_> = file.as_object().unwrap().keys().map(String::as_str).collect();
    let want = "id version is_active name description instructions recommended_schedule_cron nodes links forked_from_id \
                forked_from_version sub_graphs user_id organization_id team_id input_schema output_schema \
                has_external_trigger has_human_in_the_loop has_sensitive_action trigger_setup_info \
                credentials_input_schema";
    assert_eq!(keys, want.split(' ').filter(|key| !key.is_empty()).collect::<Vec<_>>());
    assert_eq!(file["nodes"][0]["output_links"], file["links"]);
    assert_eq!(file["nodes"][1]["input_links"], file["links"]);
    assert_eq!((&file["nodes"][0]["graph_id"], &file["nodes"][0]["graph_version"]), (&file["id"], &json!(3)));
    assert_eq!(file["input_schema"]["required"], json!(["text"]));
    let child = file["sub_graphs"][0].as_object().unwrap();
    assert!(child.contains_key("output_schema") && !child.contains_key("credentials_input_schema"));
}
