//! Agents that others have published, of the classes that models and plain web servers are enough for.

use super::{Reply, Stage, run};
use crate::support::{Server, json_of, same, shared};
use serde_json::{Value, json};
use std::path::Path;

const REVIEWER: &str = "website-page-reviewer-2d194640.json";

/// What a scripted model or web server answers; the last of its kind stays when it is to be repeated.
fn replies(case: &Value, kind: &str) -> Vec<Reply> {
    let mocks = case["mocks"][kind].as_array().cloned().unwrap_or_default();
    let mut replies: Vec<Reply> = mocks.iter().map(reply).collect();
    if mocks.last().is_some_and(|last| last["repeat"] == true) {
        let last = replies.last().cloned().unwrap();
        replies.extend(std::iter::repeat_n(last, 50));
    }
    replies
}

fn reply(mock: &Value) -> Reply {
    let status = mock["status"].as_u64().unwrap_or(200) as u16;
    match (&mock["reply"], &mock["body"]) {
        (Value::String(text), _) => Reply::text(text),
        (_, Value::String(text)) => {
            Reply::Web(status, mock["content_type"].as_str().unwrap_or("text/plain").to_owned(), text.clone())
        }
        (_, body) => Reply::Raw(status, String::new(), body.clone()),
    }
}

/// The agent with every literal host turned to the mock.
fn patched(agent: &Path, url: &str) -> Value {
    let text = json_of(agent).to_string().replace("https://www.citedy.com", url);
    serde_json::from_str(&text).unwrap()
}

/// What a request has to be, as far as a case says so.
fn check(name: &str, wanted: &Value, seen: &super::Seen) {
    let messages = seen.body.get("input").or(seen.body.get("messages")).cloned().unwrap_or_default();
    for (key, wanted) in wanted.as_object().into_iter().flatten() {
        match key.as_str() {
            "model" => assert_eq!(&seen.body["model"], wanted, "{name}"),
            "messages" => assert_eq!(&messages, wanted, "{name}"),
            "last_message_content" => {
                assert_eq!(&messages.as_array().unwrap().last().unwrap()["content"], wanted, "{name}");
            }
            "method" => assert!(seen.head.starts_with(wanted.as_str().unwrap()), "{name}: {}", seen.head),
            "url" => assert!(wanted.as_str().unwrap().ends_with(&seen.path), "{name}: {}", seen.path),
            "json_body" => assert!(same(&seen.body, wanted), "{name}: {}", seen.body),
            "headers_include" => {
                for (header, value) in wanted.as_object().unwrap() {
                    let found = seen.header(header).unwrap_or_default();
                    assert!(found.starts_with(value.as_str().unwrap()), "{name}: {header}: {found}");
                }
            }
            other => panic!("{name}: what is {other}?"),
        }
    }
}

#[test]
fn agents_with_expected_results_give_them() {
    let Some(shared) = shared(1) else { return };
    let mut ran = 0;
    for agent in ["ai-function-622849a7", "citedy-topic-to-publish-b2cd3320"] {
        let expected = json_of(&shared.join(format!("agents/{agent}.expected.json")));
        for case in expected["cases"].as_array().unwrap() {
            // Keys for all accounts stand in for those that nobody has given.
            if case["without_credentials"] == true {
                continue;
            }
            let name = format!("{agent}: {}", case["name"].as_str().unwrap());
            let kind = if case["mocks"].get("llm").is_some() { "llm" } else { "http" };
            let stage = Stage::replies(replies(case, kind));
            let heddle = stage.heddle();
            let server = Server::start(&heddle);
            let client = server.client(&heddle);
            let agent = patched(&shared.join(format!("agents/{agent}.json")), &stage.mock.url());
            let (status, outputs, errors) = run(&client, &agent, &case["inputs"]);
            let expect = &case["expect"];
            assert_eq!(status, expect["status"], "{name}: {errors:?}");
            assert!(same(&outputs, &expect["outputs"]), "{name}: {outputs} {errors:?}");
            assert_eq!(errors.len() as u64, expect["node_error_count"].as_u64().unwrap(), "{name}: {errors:?}");
            let seen = stage.mock.seen();
            for (mock, seen) in case["mocks"][kind].as_array().unwrap().iter().zip(&seen) {
                check(&name, &mock["expect_request"], seen);
            }
            ran += 1;
        }
    }
    assert_eq!(ran, 8);
}

/// They have no expected results: what the model says is what comes out.
#[test]
fn agents_without_expected_results_run_to_their_end() {
    let Some(shared) = shared(1) else { return };
    let page = "<html><body>a page</body></html>";
    let stage = Stage::new(move |_, seen| match seen.path.as_str() {
        "/page" => Reply::Web(200, "text/html".to_owned(), page.to_owned()),
        _ if seen.body.to_string().contains("a page") => Reply::text("So: <analysis>tidy</analysis>"),
        _ => Reply::text("written"),
    });
    let heddle = stage.heddle();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let agent = |file: &str| json_of(&shared.join("agents").join(file));

    let inputs = json!({"Function Definition": "def f():", "Arguments": "1", "Description": "d"});
    let (status, outputs, errors) = run(&client, &agent("ai-function-e8afda40.json"), &inputs);
    assert_eq!((status, outputs, errors), (json!("COMPLETED"), json!({"return": ["written"]}), vec![]));

    let inputs =
        json!({"Product": "tea", "Audience": "all", "Sequence Type": "welcome", "Voice and Constraints": "kind"});
    let (status, outputs, errors) = run(&client, &agent("lifecycle-email-sequence-builder-2ec2f82c.json"), &inputs);
    assert_eq!((status, outputs, errors), (json!("COMPLETED"), json!({"Email Sequence": ["written"]}), vec![]));

    // Its model has left the catalogue and has no successor: that is an error of the node, and with another one it works.
    let inputs = json!({"Website URL": format!("{}/page", stage.mock.url())});
    let mut old = agent(REVIEWER);
    let asks = |node: &&mut Value| node["block_id"] == super::TEXT;
    let node = old["nodes"].as_array_mut().unwrap().iter_mut().find(asks).unwrap();
    node["input_default"]["credentials"] = super::credential(&client, &stage, "anthropic", "");
    let (status, outputs, errors) = run(&client, &old, &inputs);
    assert_eq!((status, outputs), (json!("COMPLETED"), json!({})));
    assert!(
        errors.len() == 1 && errors[0].starts_with("Model 'claude-3-5-sonnet-latest' is not supported."),
        "{errors:?}"
    );
    let text = agent(REVIEWER).to_string().replace("claude-3-5-sonnet-latest", "claude-sonnet-4-6");
    let (status, outputs, errors) = run(&client, &serde_json::from_str(&text).unwrap(), &inputs);
    assert_eq!((status, outputs, errors), (json!("COMPLETED"), json!({"Webpage Review": ["tidy"]}), vec![]));
}
