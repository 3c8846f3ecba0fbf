use super::*;
use crate::Value;
use crate::block::{AGENT_EXECUTOR, TABLE_INPUT};
use crate::testing::{blocks, graphs, unserved_blocks};
use serde_json::json;

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const CALCULATOR: &str = "b1ab9b19-67a6-406d-abf5-2dba76d00c79";
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
const TEXT_GENERATOR: &str = "1f292d4a-41a4-4977-9684-7c8d560b9f91";
const WEB_REQUEST: &str = "fff86bcd-e001-4bad-a7f6-2eae4720c8dc";
const STAR_TRIGGER: &str = "551e0a35-100b-49b7-89b8-3031322239b6";
const TRIGGER: &str = "8fa8c167-2002-47ce-aba8-97572fc5d387";
const NOTE: &str = "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc";
const STORE: &str = "1ff065e9-88e8-4358-9d82-8dc91f622ba9";
const PRINT: &str = "f3b1c1b2-4c4f-4f0d-8d2f-4c4f0d8d2f4c";
const TIMER: &str = crate::block::COUNTDOWN_TIMER;

fn graph(nodes: Value, links: &[[&str; 4]]) -> Graph {
    let links: Vec<_> = links
        .iter()
        .map(|[source, from, sink, to]| json!({"source_id": source, "source_name": from, "sink_id": sink, "sink_name": to}))
        .collect();
    graphs(json!({"name": "x", "nodes": nodes, "links": links})).remove(0)
}

fn node(id: &str, block: &str, constants: Value) -> Value {
    json!({"id": id, "block_id": block, "input_default": constants})
}

fn save_error(graph: &Graph) -> String {
    check_saved(graph, blocks()).unwrap_err().to_string()
}

fn no_credentials(_: &str) -> Result<Option<Credential>, String> {
    Ok(None)
}

fn run(graph: &Graph, masks: Value) -> Result<Skips, String> {
    run_check(&[graph], blocks(), masks.as_object().unwrap(), &no_credentials).map_err(|refusal| refusal.to_string())
}

#[test]
fn links_join_nodes_blocks_and_pins_that_exist() {
    let input = node("i", INPUT, json!({"name": "a"}));
    let output = node("o", OUTPUT, json!({"name": "b"}));
    let unknown = node("u", "nope", json!({}));
    let agent = node(
        "s",
        AGENT_EXECUTOR,
        json!({"user_id": "", "graph_id": "g", "graph_version": 1, "inputs": {},
            "input_schema": {"properties": {"x": {}}}, "output_schema": {"properties": {}}}),
    );
    let nodes = json!([input, output, unknown, agent]);
    let cases = [
        (
            ["i", "result", "zz", "value"],
            "Link ('i', 'result') <-> ('zz', 'value'), zz is invalid node id, available nodes: dict_keys(['i', 'o', 'u', 's'])",
        ),
        (["u", "x", "o", "value"], "Link ('u', 'x') <-> ('o', 'value'), nope is invalid block id"),
        (
            ["i", "nope_#_k", "o", "value"],
            "Link ('i', 'nope_#_k') <-> ('o', 'value'), `nope` invalid, Allowed fields: {'result'}",
        ),
        (["i", "result", "s", "y_$_0"], "Link ('i', 'result') <-> ('s', 'y_$_0'), `y` invalid, Allowed fields: {'x'}"),
        (["s", "y", "o", "value"], "Link ('s', 'y') <-> ('o', 'value'), `y` invalid, Allowed fields: set()"),
    ];
    for (link, want) in cases {
        assert_eq!(save_error(&graph(nodes.clone(), &[link])), want);
    }
    let nodes = json!([nodes[0], nodes[1], nodes[3]]);
    let fine =
        [["i", "result_#_k_$_0", "o", "value_#_k"], ["i", "tools_^_s_~_x", "s", "x"], ["o", "output", "o", "value"]];
    assert_eq!(check_saved(&graph(nodes, &fine), blocks()), Ok(()));
}

#[test]
fn saving_asks_inputs_outputs_and_agents_for_their_pins() {
    let required = "This field is required";
    let cases = [
        (node("n", INPUT, json!({})), required),
        (node("n", OUTPUT, json!({"name": null})), required),
        (node("n", AGENT_EXECUTOR, json!({"graph_id": "g"})), required),
        (
            node("n", TABLE_INPUT, json!({"name": "credentials"})),
            "'credentials' is a reserved input name: 'credentials' and `*_credentials` are reserved",
        ),
        (node("n", "nope", json!({})), "Invalid block nope for node #n"),
        (
            node("n", PRINT, json!({"text": "x"})),
            "Block f3b1c1b2-4c4f-4f0d-8d2f-4c4f0d8d2f4c is disabled and cannot be used in graphs",
        ),
        (node("n", WEB_REQUEST, json!({"url": " "})), "Requires url to be set"),
    ];
    for (node, want) in cases {
        assert_eq!(save_error(&graph(json!([node]), &[])), want, "{node}");
    }
    let fine = [
        node("n", OUTPUT, json!({"name": "credentials"})),
        node("n", CALCULATOR, json!({})),
        node("n", TEXT_GENERATOR, json!({"model": "a model that left"})),
        node("n", NOTE, json!({})),
        node("n", WEB_REQUEST, json!({"url": "http://x"})),
    ];
    for node in fine {
        assert_eq!(check_saved(&graph(json!([node]), &[]), blocks()), Ok(()), "{node}");
    }
}

#[test]
fn a_name_that_only_a_link_brings_is_no_name() {
    let nodes = json!([node("a", INPUT, json!({"name": "a"})), node("b", OUTPUT, json!({}))]);
    assert_eq!(save_error(&graph(nodes, &[["a", "result", "b", "name"]])), "This field is required");
}

#[test]
fn links_from_blocks_with_static_output_become_static() {
    let nodes = json!([node("s", STORE, json!({})), node("c", CALCULATOR, json!({}))]);
    let mut graph = graph(nodes, &[["s", "output", "c", "a"], ["c", "result", "s", "input"]]);
    force_static(&mut graph, blocks());
    assert_eq!(graph.links.iter().map(|link| link.is_static).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn running_asks_every_node_for_its_required_pins() {
    let nodes = json!([
        node("i", INPUT, json!({"name": "i"})),
        node("c", CALCULATOR, json!({"a": 1})),
        node("t", TEMPLATE, json!({"values_#_a": 1})),
    ]);
    let graph = graph(nodes, &[["i", "result", "t", "format_#_x"]]);
    let want = "Graph validation failed: 2 issues on 1 nodes\n  c:\n    b: This field is required\n    operation: This \
                field is required";
    assert_eq!(run(&graph, json!({})), Err(want.to_owned()));
    assert_eq!(run(&graph, json!({"c": {"b": 1, "operation": "Add"}})), Ok(vec![]));
}

#[test]
fn running_asks_agent_nodes_for_what_their_agent_requires() {
    let constants = |inputs: Value| {
        json!({"user_id": "", "graph_id": "g", "graph_version": 1, "inputs": inputs, "output_schema": {},
            "input_schema": {"properties": {"x": {}, "y": {}, "z": {}}, "required": ["x", "y", "z"]}})
    };
    let nodes = json!([node("i", INPUT, json!({"name": "i"})), node("s", AGENT_EXECUTOR, constants(json!({"x": 1})))]);
    let graph = graph(nodes, &[["i", "result", "s", "y"]]);
    let want = "Graph validation failed: 1 issues on 1 nodes\n  s:\n    z: This field is required";
    assert_eq!(run(&graph, json!({})), Err(want.to_owned()));
    assert_eq!(run(&graph, json!({"s": {"z": 0}})), Ok(vec![]));
}

#[test]
fn running_checks_the_bounds_of_constants_only() {
    let input = node("i", INPUT, json!({"name": "i"}));
    let graph_of =
        |repeat: Value, links: &[[&str; 4]]| graph(json!([input, node("t", TIMER, json!({"repeat": repeat}))]), links);
    let fails = |text: &str| Err(format!("Graph validation failed: 1 issues on 1 nodes\n  t:\n    repeat: {text}"));
    assert_eq!(run(&graph_of(json!(0), &[]), json!({})), fails("0 is less than the minimum of 1"));
    assert_eq!(
        run(&graph_of(json!(1), &[]), json!({"t": {"repeat": 1001.5}})),
        fails("1001.5 is greater than the maximum of 1000")
    );
    assert_eq!(run(&graph_of(json!(1000), &[]), json!({})), Ok(vec![]));
    assert_eq!(run(&graph_of(json!("0"), &[]), json!({})), Ok(vec![]));
    assert_eq!(run(&graph_of(json!(0), &[["i", "result", "t", "repeat"]]), json!({})), Ok(vec![]));
}

#[test]
fn a_block_that_this_build_does_not_run_is_refused_by_a_run_only() {
    let graph = graph(json!([node("n", CALCULATOR, json!({"a": 1, "b": 1, "operation": "Add"}))]), &[]);
    let unserved = unserved_blocks();
    assert_eq!(check_saved(&graph, &unserved), Ok(()));
    let refusal = run_check(&[&graph], &unserved, &Object::new(), &no_credentials).unwrap_err();
    assert_eq!(refusal, RunRefusal::Text(format!("Invalid block {CALCULATOR} for node #n")));
}

#[test]
fn credentials_are_looked_up_and_must_fit() {
    let lookup = |id: &str| match id {
        "mine" => Ok(Some(Credential { provider: "openai".to_owned(), kind: "api_key".to_owned() })),
        "boom" => Err("store is away".to_owned()),
        _ => Ok(None),
    };
    let reference = |id: &str, provider: &str| json!({"id": id, "provider": provider, "type": "api_key"});
    let cases = [
        (json!({}), "These credentials are required"),
        (Value::Null, "These credentials are required"),
        (json!("mine"), "Invalid credentials: an object with id, provider and type is expected"),
        (reference("mine", "github"), "Invalid credentials: github api_key credentials do not fit here"),
        (reference("boom", "openai"), "Credentials not available: store is away"),
        (reference("theirs", "openai"), "Unknown credentials #theirs"),
        (reference("mine", "anthropic"), "Invalid credentials: type/provider mismatch"),
        (reference("mine", "openai"), ""),
    ];
    for (given, want) in cases {
        let in_node = graph(json!([node("n", TEXT_GENERATOR, json!({"prompt": "p", "credentials": given}))]), &[]);
        let in_mask =
            graph(json!([node("n", TEXT_GENERATOR, json!({"prompt": "p", "credentials": reference("x", "y")}))]), &[]);
        let masks = Object::from_iter([("n".to_owned(), json!({"credentials": given}))]);
        for (graph, masks) in [(in_node, Object::new()), (in_mask, masks)] {
            let got = run_check(&[&graph], blocks(), &masks, &lookup).map_err(|refusal| refusal.to_string());
            let text = format!("Graph validation failed: 1 issues on 1 nodes\n  n:\n    credentials: {want}");
            assert_eq!(got, if want.is_empty() { Ok(vec![]) } else { Err(text) }, "{given}");
        }
    }
}

#[test]
fn a_node_with_optional_credentials_is_skipped_when_nothing_else_is_wrong() {
    let optional = |constants: Value| {
        let mut node = node("n", TEXT_GENERATOR, constants);
        node["metadata"] = json!({"credentials_optional": true});
        graph(json!([self::node("i", INPUT, json!({"name": "i"})), node]), &[])
    };
    // Its own constant does not count.
    let own = json!({"id": "x", "provider": "openai", "type": "api_key"});
    assert_eq!(run(&optional(json!({"prompt": "p", "credentials": own})), json!({})), Ok(vec![1]));
    let refusal = run(&optional(json!({})), json!({})).unwrap_err();
    assert!(refusal.ends_with("\n  n:\n    prompt: This field is required"), "{refusal}");
    let masked = run(&optional(json!({"prompt": "p"})), json!({"n": {"credentials": own}})).unwrap_err();
    assert!(masked.ends_with("\n  n:\n    credentials: Unknown credentials #x"), "{masked}");
}

#[test]
fn sub_graphs_are_checked_but_for_their_credentials() {
    let main = graph(json!([node("i", INPUT, json!({"name": "i"}))]), &[]);
    let sub = graph(json!([node("t", TEXT_GENERATOR, json!({})), node("c", CALCULATOR, json!({"a": 1, "b": 2}))]), &[]);
    let refusal = run_check(&[&main, &sub], blocks(), &Object::new(), &no_credentials).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Graph validation failed: 2 issues on 2 nodes\n  t:\n    prompt: This field is required\n  c:\n    operation: \
         This field is required"
    );
    assert_eq!(refusal.message(), "Graph validation failed: 2 issues on 2 nodes");
}

#[test]
fn a_run_begins_at_unfed_nodes_and_inputs_but_never_at_notes() {
    let nodes = json!([
        node("note", NOTE, json!({"text": "t"})),
        node("i", INPUT, json!({"name": "i"})),
        node("c", CALCULATOR, json!({})),
        node("s", STORE, json!({"input": 1})),
        node("j", INPUT, json!({"name": "j"})),
    ]);
    let graph_ = graph(nodes, &[["i", "result", "c", "a"], ["i", "result", "j", "value"]]);
    assert_eq!(starting_nodes(&graph_, blocks(), &Object::new()), Ok(vec![1, 3, 4]));
    let only_note = graph(json!([node("note", NOTE, json!({"text": "t"}))]), &[]);
    let refusal = starting_nodes(&only_note, blocks(), &Object::new()).unwrap_err().to_string();
    assert!(refusal.starts_with("No starting nodes found for the graph, make sure an AgentInput or blocks with no"));
}

#[test]
fn a_trigger_needs_its_payload() {
    for (block, constants) in [(TRIGGER, json!({})), (STAR_TRIGGER, json!({"repo": "a/b", "events": {}}))] {
        let graph = graph(json!([node("t", block, constants)]), &[]);
        let refusal = starting_nodes(&graph, blocks(), &Object::new()).unwrap_err().to_string();
        assert!(refusal.starts_with("This agent is triggered by an external event (webhook) and cannot be executed"));
        let masks = Object::from_iter([("t".to_owned(), json!({"payload": {}}))]);
        assert_eq!(starting_nodes(&graph, blocks(), &masks), Ok(vec![0]));
    }
}
