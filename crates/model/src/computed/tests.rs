use super::*;
use crate::testing::{blocks, graphs};
use crate::{Graph, computed::credentials};

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const NUMBER: &str = "96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98";
const TOGGLE: &str = "cbf36ab5-df4a-43b6-8a7f-f7ed8652116e";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEXT_GENERATOR: &str = "1f292d4a-41a4-4977-9684-7c8d560b9f91";
const WEB_REQUEST: &str = "fff86bcd-e001-4bad-a7f6-2eae4720c8dc";
const MCP: &str = "a0a4b1c2-d3e4-4f56-a7b8-c9d0e1f2a3b4";
const STAR_TRIGGER: &str = "551e0a35-100b-49b7-89b8-3031322239b6";
const TRIGGER: &str = "8fa8c167-2002-47ce-aba8-97572fc5d387";

fn graph(nodes: &[(&str, Value)], links: Value) -> Graph {
    let nodes: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(at, (block, constants))| json!({"id": at.to_string(), "block_id": block, "input_default": constants}))
        .collect();
    graphs(json!({"name": "x", "nodes": nodes, "links": links})).remove(0)
}

fn inputs(nodes: &[(&str, Value)]) -> Value {
    input_schema(&graph(nodes, json!([])).nodes, blocks())
}

#[test]
fn a_plain_input_shows_its_name_alone() {
    assert_eq!(
        inputs(&[(INPUT, json!({"name": "text"})), (OUTPUT, json!({"name": "o"})), ("nope", json!({"name": "u"}))]),
        json!({
            "type": "object",
            "properties": {"text": {"title": "text", "secret": false, "advanced": false}},
            "required": ["text"],
        })
    );
}

#[test]
fn an_input_shows_what_its_node_says() {
    let constants =
        json!({"name": "n", "value": 0, "title": "T", "description": "D", "advanced": true, "secret": true});
    assert_eq!(
        inputs(&[(NUMBER, constants)])["properties"]["n"],
        json!({
            "anyOf": [{"type": "integer"}, {"type": "null"}],
            "title": "T", "description": "D", "default": 0, "advanced": true, "secret": false,
        })
    );
    let bare =
        inputs(&[(NUMBER, json!({"name": "n", "value": null, "title": "", "description": "", "advanced": true}))]);
    assert_eq!(bare["required"], json!(["n"]));
    assert_eq!(bare["properties"]["n"]["advanced"], false);
    assert_eq!(bare["properties"]["n"]["title"], "n");
    assert_eq!(bare["properties"]["n"].get("description"), None);
}

#[test]
fn a_default_of_the_block_counts_as_the_nodes_value() {
    let schema = inputs(&[(TOGGLE, json!({"name": "t"}))]);
    assert_eq!((&schema["required"], &schema["properties"]["t"]["default"]), (&json!([]), &json!(false)));
}

#[test]
fn of_two_inputs_with_one_name_the_later_is_shown() {
    let schema =
        inputs(&[(INPUT, json!({"name": "a"})), (INPUT, json!({"name": "a", "title": "B"})), (INPUT, json!({}))]);
    assert_eq!(schema["required"], json!(["a", "a"]));
    assert_eq!(schema["properties"]["a"]["title"], "B");
}

#[test]
fn only_dropdowns_have_options_and_only_tables_rows() {
    let dropdown =
        |constants: Value| inputs(&[(block::DROPDOWN_INPUT, constants)])["properties"]["d"].get("enum").cloned();
    assert_eq!(dropdown(json!({"name": "d", "options": ["x"], "placeholder_values": ["y"]})), Some(json!(["x"])));
    assert_eq!(dropdown(json!({"name": "d", "options": [], "placeholder_values": ["y"]})), Some(json!(["y"])));
    assert_eq!(dropdown(json!({"name": "d", "options": []})), None);
    let plain = inputs(&[(INPUT, json!({"name": "d", "placeholder_values": ["y"]}))]);
    assert_eq!(plain["properties"]["d"].get("enum"), None);

    let table = |constants: Value| inputs(&[(block::TABLE_INPUT, constants)])["properties"]["t"].clone();
    let text = json!({"type": "string"});
    let shown = table(json!({"name": "t", "column_headers": ["A", 1]}));
    assert_eq!((&shown["type"], &shown["format"]), (&json!("array"), &json!("table")));
    assert_eq!(shown["items"], json!({"type": "object", "properties": {"A": text, "1": text}}));
    let columns = table(json!({"name": "t"}))["items"]["properties"].clone();
    assert_eq!(columns, json!({"Column 1": text, "Column 2": text, "Column 3": text}));
}

#[test]
fn flags_and_trigger_follow_from_the_blocks() {
    let plain = graph(&[(INPUT, json!({"name": "a"}))], json!([]));
    assert_eq!(flags(&plain.nodes, blocks()), Flags::default());
    assert_eq!(trigger_setup_info(&plain.nodes, blocks()), Value::Null);

    let both = graph(&[(HUMAN_IN_THE_LOOP, json!({})), (STAR_TRIGGER, json!({})), (TRIGGER, json!({}))], json!([]));
    let shown = flags(&both.nodes, blocks());
    assert!(shown.has_external_trigger && shown.has_human_in_the_loop && !shown.has_sensitive_action);
    let info = trigger_setup_info(&both.nodes, blocks());
    assert_eq!((&info["provider"], &info["credentials_input_name"]), (&json!("github"), &json!("credentials")));
    assert_eq!(info["config_schema"]["required"], json!(["repo", "events"]));
    assert_eq!(info["config_schema"]["properties"].get("credentials"), None);

    let manual = trigger_setup_info(&graph(&[(TRIGGER, json!({}))], json!([])).nodes, blocks());
    assert_eq!((&manual["provider"], &manual["credentials_input_name"]), (&json!("generic_webhook"), &Value::Null));
}

#[test]
fn nodes_that_can_share_a_credential_share_a_field() {
    let main = graph(
        &[
            (TEXT_GENERATOR, json!({"model": "gpt-4o-mini"})),
            (STAR_TRIGGER, json!({})),
            (TEXT_GENERATOR, json!({"model": "claude-sonnet-4-6"})),
        ],
        json!([]),
    );
    let sub = graph(&[(TEXT_GENERATOR, json!({"model": "gpt-4o-mini"}))], json!([]));
    let schema = credentials_input_schema(&[&main, &sub], blocks());
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    let want = ["openai_api_key_credentials", "github_api_key-oauth2_credentials", "anthropic_api_key_credentials"];
    assert_eq!(names, want);
    assert_eq!(schema["required"], json!(want));
    assert_eq!(
        schema["properties"]["openai_api_key_credentials"],
        json!({
            "credentials_provider": ["openai"],
            "credentials_types": ["api_key"],
            "type": "object",
            "properties": {
                "id": {"title": "Id", "type": "string"},
                "title": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null, "title": "Title"},
                "provider": {"title": "Provider", "type": "string", "const": "openai"},
                "type": {"title": "Type", "type": "string", "const": "api_key"},
            },
            "required": ["id", "provider", "type"],
            "discriminator": "model",
            "discriminator_mapping": {"claude-sonnet-4-6": "anthropic", "gpt-4o-mini": "openai"},
            "discriminator_values": ["gpt-4o-mini"],
        })
    );
    let github = &schema["properties"]["github_api_key-oauth2_credentials"];
    assert_eq!(github["properties"]["type"]["enum"], json!(["api_key", "oauth2"]));
    assert_eq!((github["credentials_scopes"].clone(), github.get("discriminator")), (json!(["repo"]), None));
}

#[test]
fn a_model_that_is_linked_or_unknown_narrows_nothing() {
    let every = "aiml_api-anthropic-groq-llama_api-ollama-open_router-openai-v0_api_key_credentials";
    let link = json!([{"source_id": "1", "source_name": "result", "sink_id": "0", "sink_name": "model"}]);
    let nodes = |model: &str| [(TEXT_GENERATOR, json!({"model": model})), (INPUT, json!({"name": "m"}))];
    for graph in [
        graph(&nodes("gpt-4o-mini"), link),
        graph(&nodes("gone"), json!([])),
        graph(&[(TEXT_GENERATOR, json!({}))], json!([])),
    ] {
        let schema = credentials_input_schema(&[&graph], blocks());
        assert_eq!(schema["required"], json!([every]));
        assert_eq!(schema["properties"][every].get("discriminator_values"), None);
    }
}

#[test]
fn a_host_makes_a_field_of_its_own_and_defaults_make_it_optional() {
    let graph = graph(
        &[
            (WEB_REQUEST, json!({"url": "https://api.example.org/a"})),
            (WEB_REQUEST, json!({"url": "https://api.example.org/b"})),
            (MCP, json!({"server_url": "https://mcp.example.org"})),
        ],
        json!([]),
    );
    let schema = credentials_input_schema(&[&graph], blocks());
    assert_eq!(schema["required"], json!(["api.example.org-http_host_scoped_credentials"]));
    let field = &schema["properties"]["api.example.org-http_host_scoped_credentials"];
    assert_eq!(field["credentials_provider"], json!(["http"]));
    assert_eq!(field["discriminator_values"], json!(["https://api.example.org/a", "https://api.example.org/b"]));
    assert!(schema["properties"].get("mcp-mcp.example.org_oauth2_credentials").is_some());
}

#[test]
fn given_credentials_reach_every_pin_of_their_group_unless_masked() {
    let graph = graph(
        &[(TEXT_GENERATOR, json!({"model": "gpt-4o-mini"})), (TEXT_GENERATOR, json!({"model": "gpt-4o-mini"}))],
        json!([]),
    );
    let given = json!({"openai_api_key_credentials": {"id": "a"}, "unknown": 1}).as_object().unwrap().clone();
    let mut masks = json!({"1": {"credentials": "kept", "prompt": "p"}}).as_object().unwrap().clone();
    credentials::spread(&given, &[&graph], blocks(), &mut masks);
    let want = json!({"0": {"credentials": {"id": "a"}}, "1": {"credentials": "kept", "prompt": "p"}});
    assert_eq!(Value::Object(masks), want);
}

#[test]
fn a_credential_of_everybodys_fills_pins_that_nobody_has_filled_and_that_need_one() {
    let default = |provider: &str| match provider {
        "openai" | "http" => Some(json!({"id": "wide", "provider": provider, "type": "api_key"})),
        _ => None,
    };
    let filled = |constants: Value, links: Value, metadata: Value, masks: Value| {
        let mut graph = graph(&[(TEXT_GENERATOR, constants), (INPUT, json!({"name": "x"}))], links);
        graph.nodes[0].metadata = metadata.as_object().unwrap().clone();
        let mut masks = masks.as_object().unwrap().clone();
        credentials::fill(&[&graph], blocks(), &mut masks, &default);
        masks.get("0").and_then(|mask| mask.get("credentials")).map_or(Value::Null, |found| found["id"].clone())
    };
    let none = || json!({});
    let mapping = blocks().block(&TEXT_GENERATOR.into()).unwrap();
    let mapping = mapping.input_pins()["credentials"]["discriminator_mapping"].as_object().unwrap().clone();
    let of = |provider: &str| mapping.iter().find(|(_, known)| *known == provider).unwrap().0.clone();
    let linked = json!([{"source_id": "1", "source_name": "result", "sink_id": "0", "sink_name": "model"}]);
    let own = json!({"id": "own", "provider": "openai", "type": "api_key"});
    let openai = json!({"model": of("openai")});
    assert_eq!(filled(openai.clone(), json!([]), none(), none()), "wide");
    assert_eq!(filled(openai.clone(), json!([]), none(), json!({"0": {"model": of("anthropic")}})), Value::Null);
    assert_eq!(filled(json!({"model": of("anthropic")}), json!([]), none(), json!({"0": openai.clone()})), "wide");
    assert_eq!(filled(json!({"model": of("anthropic")}), json!([]), none(), none()), Value::Null);
    assert_eq!(filled(openai.clone(), linked, none(), none()), Value::Null, "any provider may come");
    assert_eq!(filled(openai.clone(), json!([]), json!({"credentials_optional": true}), none()), Value::Null);
    let with_own = json!({"model": of("openai"), "credentials": own.clone()});
    assert_eq!(filled(with_own, json!([]), none(), none()), Value::Null, "the node's own stands");
    assert_eq!(filled(openai, json!([]), none(), json!({"0": {"credentials": own}})), "own");
    // A key does not fit where headers are wanted.
    let mut masks = Object::new();
    let web = graph(&[(WEB_REQUEST, json!({"url": "https://a.example"}))], json!([]));
    credentials::fill(&[&web], blocks(), &mut masks, &default);
    assert!(masks.is_empty());
}
