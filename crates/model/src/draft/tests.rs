use super::*;
use crate::block::AGENT_EXECUTOR;
use crate::rules::Refusal;
use crate::testing::{OWNER, blocks, draft, ids};
use crate::{Graph, GraphId, Value};
use serde_json::json;
use uuid::Uuid;

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEXT_GENERATOR: &str = "1f292d4a-41a4-4977-9684-7c8d560b9f91";
const MCP: &str = "a0a4b1c2-d3e4-4f56-a7b8-c9d0e1f2a3b4";

fn save(file: Value) -> Result<Vec<Graph>, Refusal> {
    draft(file).save(OWNER, blocks(), &mut ids(), &|id| id == "mine")
}

fn echo() -> Value {
    json!({
        "id": "mine", "name": "Echo", "description": "Says it back", "version": 7, "is_active": false,
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "text"}, "metadata": {"position": {"x": 0}}},
            {"id": "b", "block_id": OUTPUT, "input_default": {"name": "echo"}},
        ],
        "links": [{"id": "l", "source_id": "a", "source_name": "result", "sink_id": "b", "sink_name": "value"}],
    })
}

#[test]
fn saving_renews_every_id_and_keeps_the_rest() {
    let graph = save(echo()).unwrap().remove(0);
    assert_eq!((graph.version, graph.is_active, graph.name.as_str()), (7, false, "Echo"));
    let fresh = |number: u128| Uuid::from_u128(number).to_string();
    assert_eq!(graph.id, GraphId(Uuid::from_u128(1)));
    let node_ids: Vec<_> = graph.nodes.iter().map(|node| node.id.0.clone()).collect();
    assert_eq!(node_ids, [fresh(2), fresh(3)]);
    let link = &graph.links[0];
    assert_eq!((&link.id.0, &link.source_id.0, &link.sink_id.0), (&fresh(4), &fresh(2), &fresh(3)));
    assert!(link.is_static);
    assert_eq!(json!(graph.nodes[0].metadata), json!({"position": {"x": 0}}));
}

#[test]
fn a_further_version_keeps_its_graphs_id() {
    let id = GraphId(Uuid::from_u128(99));
    let graphs = draft(echo()).save_as(id, OWNER, blocks(), &mut ids(), &|_| false).unwrap();
    assert_eq!((graphs[0].id, graphs[0].nodes[0].id.0.clone()), (id, Uuid::from_u128(1).to_string()));
}

#[test]
fn agent_nodes_follow_the_agents_of_the_payload_and_belong_to_the_caller() {
    let agent = |id: &str, graph: &str| {
        let constants =
            json!({"graph_id": graph, "graph_version": 1, "input_schema": {}, "output_schema": {}, "user_id": "x"});
        json!({"id": id, "block_id": AGENT_EXECUTOR, "input_default": constants})
    };
    let mut file = echo();
    file["nodes"] = json!([agent("a", "child"), agent("b", "mine"), agent("c", "elsewhere")]);
    file["links"] = json!([]);
    file["sub_graphs"] = json!([{"id": "child", "name": "Child", "nodes": [], "sub_graphs": [{"name": "ignored"}]}]);
    let graphs = save(file).unwrap();
    assert_eq!((graphs.len(), graphs[1].name.as_str()), (2, "Child"));
    let targets: Vec<_> = graphs[0].nodes.iter().map(|node| node.input_default["graph_id"].clone()).collect();
    assert_eq!(targets, [json!(graphs[1].id), json!(graphs[0].id), json!("elsewhere")]);
    for node in &graphs[0].nodes {
        assert_eq!((&node.input_default["user_id"], &node.input_default["inputs"]), (&json!(OWNER), &json!({})));
    }
}

#[test]
fn sub_graphs_are_checked_like_the_main_graph() {
    let mut file = echo();
    file["sub_graphs"] = json!([{"id": "c", "name": "C", "nodes": [{"id": "i", "block_id": INPUT}]}]);
    assert_eq!(save(file).unwrap_err().to_string(), "This field is required");
}

#[test]
fn links_to_unknown_nodes_are_quoted_as_sent() {
    let mut file = echo();
    file["links"][0]["sink_id"] = json!("zz");
    let source = Uuid::from_u128(2);
    let refusal = save(file).unwrap_err().to_string();
    assert!(
        refusal.starts_with(&format!("Link ('{source}', 'result') <-> ('zz', 'value'), zz is invalid node id")),
        "{refusal}"
    );
}

#[test]
fn a_link_that_joins_the_same_pins_as_an_earlier_one_is_dropped() {
    let mut file = echo();
    let mut twin = file["links"][0].clone();
    twin["id"] = "another".into();
    twin["is_static"] = true.into();
    let links = file["links"].as_array().unwrap().len();
    file["links"].as_array_mut().unwrap().push(twin);
    assert_eq!(save(file).unwrap()[0].links.len(), links);
}

#[test]
fn two_nodes_cannot_share_an_id() {
    let mut file = echo();
    file["nodes"][1]["id"] = json!("a");
    assert_eq!(save(file), Err(Refusal("Node id 'a' is used by more than one node".to_owned())));
}

#[test]
fn control_characters_and_picked_credentials_are_not_stored() {
    let mut file = echo();
    file["name"] = json!("E\u{0}cho\n");
    file["nodes"][0]["input_default"] =
        json!({"name": "te\u{7}xt", "value": {"_credentials_id": "c", "id": "f"}, "other": {"x": 1}});
    file["nodes"][0]["metadata"] = json!({"customized_name": "\u{1b}[31mred"});
    let graph = save(file).unwrap().remove(0);
    assert_eq!(graph.name, "Echo\n");
    assert_eq!(json!(graph.nodes[0].input_default), json!({"name": "text", "value": null, "other": {"x": 1}}));
    assert_eq!(graph.nodes[0].metadata["customized_name"], "[31mred");
}

#[test]
fn a_credential_that_cannot_be_used_is_refused_or_forgotten() {
    let saved = |block: &str, reference: Value, optional: bool| {
        let constants = json!({"prompt": "p", "server_url": "http://x", "credentials": reference});
        let node = json!({"id": "a", "block_id": block, "input_default": constants, "metadata": {"credentials_optional": optional}});
        let graphs = save(json!({"name": "x", "sub_graphs": [{"name": "y", "nodes": [node]}]}))?;
        Ok::<_, Refusal>(graphs[1].nodes[0].input_default["credentials"].clone())
    };
    let reference = |id: &str| json!({"id": id, "provider": "openai", "type": "api_key", "title": "Mine"});
    let refusal = |which: &str| {
        Err(Refusal(format!(
            "The {which} credential used by the AITextGeneratorBlock node no longer exists. Please pick a different \
             credential and try again."
        )))
    };
    let untitled = json!({"id": "nope", "provider": "openai", "type": "api_key"});
    let cases = [
        (TEXT_GENERATOR, reference("mine"), false, Ok(reference("mine"))),
        (TEXT_GENERATOR, reference("nope"), false, refusal("\"Mine\" openai")),
        (TEXT_GENERATOR, untitled, false, refusal("openai")),
        (TEXT_GENERATOR, reference("nope"), true, Ok(json!({}))),
        (MCP, reference("nope"), false, Ok(json!({}))),
        (TEXT_GENERATOR, Value::Null, false, Ok(Value::Null)),
    ];
    for (block, reference, optional, want) in cases {
        assert_eq!(saved(block, reference.clone(), optional), want, "{reference} in {block}");
    }
}

#[test]
fn files_of_all_releases_are_read() {
    let file = json!([
        {"name": "A", "is_template": false, "nodes": [
            {"block_id": "x", "input_default": null, "webhook": {}},
            {"id": "node-0", "block_id": "y", "input_links": [{"bad": 1}], "output_links": null},
        ], "links": null},
        {"name": "B", "description": null, "version": null, "has_webhook_trigger": false, "instructions": "i"},
    ]);
    let agents = Draft::from_file(file).unwrap();
    let [a, b] = &agents[..] else { panic!("{agents:?}") };
    let ids: Vec<_> = a.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!((ids, a.version, a.is_active, a.id.as_str()), (vec!["node-0_", "node-0"], 1, true, ""));
    assert_eq!((b.name.as_str(), b.description.as_str(), b.instructions.as_deref()), ("B", "", Some("i")));
}

#[test]
fn a_file_that_is_no_agent_is_told_why() {
    let cases = [
        (json!("x"), "an agent is not a JSON object"),
        (json!({"description": "d"}), "the graph has no name"),
        (json!({"name": "x", "nodes": {}}), "nodes of the graph is not a list"),
        (json!({"name": "x", "nodes": [{"id": "a"}]}), "node 0: it has no block_id"),
        (json!({"name": "x", "nodes": [{"block_id": "b", "metadata": []}]}), "node 0: metadata is not a JSON object"),
        (json!({"name": "x", "links": [{"source_id": "a"}]}), "link 0: it has no sink_id"),
        (json!({"name": "x", "sub_graphs": [{}]}), "sub-graph 0: the graph has no name"),
    ];
    for (file, want) in cases {
        assert_eq!(Draft::from_file(file.clone()).unwrap_err(), want, "{file}");
    }
}
