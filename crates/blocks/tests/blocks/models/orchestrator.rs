//! The block that lets a model choose among tools.

use super::{Bed, ORCHESTRATOR, Trial};
use crate::models_mock::{Mock, Reply, Seen};
use heddle_blocks::Registry;
use heddle_engine::ports::{Call, Called};
use heddle_engine::tool::Tool;
use heddle_model::{Catalogue, Object, Value};
use serde_json::json;

const CALCULATOR: &str = "b1ab9b19-67a6-406d-abf5-2dba76d00c79";

/// A calculator as node 3.
fn calculator() -> Tool {
    Tool {
        node: 3,
        id: "sum".into(),
        name: Some("Add Up".to_owned()),
        block: Registry::standard().block(&CALCULATOR.into()),
        agent: None,
        pins: vec!["a".to_owned(), "b".to_owned()],
        preset: Object::new(),
    }
}

fn other() -> Tool {
    Tool { node: 4, id: "other".into(), name: Some("other".to_owned()), pins: vec!["a".to_owned()], ..calculator() }
}

fn done(value: Value) -> Called {
    Called::Done(vec![("result".to_owned(), value)])
}

async fn carry(bed: &Bed, trial: Trial, input: Value) -> Trial {
    bed.carry(trial, "openai", ORCHESTRATOR, input).await
}

#[tokio::test]
async fn one_answer_goes_out_pin_by_pin() {
    let bed = Bed::new(vec![Reply::call("add_up", json!({"a": 1, "b": 2}))]).await;
    let trial = carry(&bed, Trial::with(vec![calculator()], vec![]), json!({"prompt": "1 + 2"})).await;
    assert_eq!(trial.failure, None);
    assert_eq!(trial.pins(), ["tool_functions", "tools_^_sum_~_a", "tools_^_sum_~_b", "conversations"]);
    assert_eq!(trial.out("tools_^_sum_~_b"), 2);
    let listed: Value = serde_json::from_str(trial.out("tool_functions").as_str().expect("a text")).expect("JSON");
    assert_eq!(listed[0]["function"]["name"], "add_up");
    let conversation = trial.out("conversations").as_array().expect("a list").clone();
    assert_eq!(conversation[0], json!({"role": "user", "content": "[Main Objective Prompt]: 1 + 2"}));
    assert_eq!((&conversation[1]["type"], &conversation[1]["call_id"]), (&json!("function_call"), &json!("call_0")));
    let asked = &bed.asked()[0];
    assert_eq!((&asked["tools"][0]["name"], &asked["parallel_tool_calls"]), (&json!("add_up"), &json!(false)));
    assert_eq!(asked["tools"][0].get("_sink_node_id"), None);
}

#[tokio::test]
async fn a_conversation_goes_on_with_the_tools_output() {
    for (provider, model) in
        [("openai", "gpt-4o"), ("anthropic", "claude-sonnet-5"), ("open_router", "openai/gpt-oss-120b")]
    {
        let bed = Bed::new(vec![Reply::call("add_up", json!({"a": 1, "b": 2})), Reply::text("3")]).await;
        let input = |more: Value| {
            let mut input = json!({"prompt": "1 + 2", "model": model});
            input.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
            input
        };
        let trial = || Trial::with(vec![calculator()], vec![]);
        let first = bed.carry(trial(), provider, ORCHESTRATOR, input(json!({}))).await;
        assert_eq!(first.failure, None, "{provider}");
        let history = first.out("conversations").clone();
        let more = json!({"conversation_history": history, "last_tool_output": 3});
        let second = bed.carry(trial(), provider, ORCHESTRATOR, input(more)).await;
        assert_eq!(second.failure, None, "{provider}");
        assert_eq!(second.pins(), ["tool_functions", "finished"], "{provider}");
        assert_eq!(second.out("finished"), "3");
        let sent = bed.asked()[1].to_string();
        assert_eq!(sent.matches("[Main Objective Prompt]").count(), 1, "{provider}: the objective is said once");
        assert!(sent.contains("call_0") || sent.contains("toolu_0"), "{provider}: {sent}");
    }
}

#[tokio::test]
async fn calls_that_cannot_be_carried_out_are_asked_for_again() {
    let bed = Bed::new(vec![
        Reply::call("nothing", json!({})),
        Reply::call("other", json!({"x": 1})),
        Reply::call("add_up", json!({"a": 1, "b": 2})),
    ])
    .await;
    let trial = carry(&bed, Trial::with(vec![calculator(), other()], vec![]), json!({"prompt": "go"})).await;
    assert_eq!(trial.failure, None);
    let asked = bed.asked();
    let last = |at: usize| asked[at]["input"].as_array().and_then(|said| said.last()).expect("messages").to_string();
    assert!(last(1).contains("There is no tool nothing"), "{}", last(1));
    assert!(last(2).contains("other has no parameter x"), "{}", last(2));
    let conversation = trial.out("conversations").as_array().expect("a list");
    assert_eq!(conversation.len(), 2, "corrections are not kept: {conversation:?}");
    assert_eq!((trial.usage.calls, trial.usage.retries), (3, 2));

    let bed = Bed::at(Mock::always(Reply::call("add_up", json!({"a": 1}))).await);
    let trial = carry(&bed, Trial::with(vec![calculator()], vec![]), json!({"prompt": "go", "retry": 2})).await;
    assert_eq!(trial.failure.as_deref(), Some("add_up lacks the parameter b"));
    assert_eq!(bed.asked().len(), 2);
}

#[tokio::test]
async fn a_single_tool_is_meant_whatever_it_is_called_and_what_is_not_filled_is_null() {
    let bed = Bed::new(vec![Reply::call("whatever", json!({}))]).await;
    let lone = Tool { pins: vec!["round_result".to_owned()], ..calculator() };
    let trial = carry(&bed, Trial::with(vec![lone], vec![]), json!({"prompt": "go"})).await;
    assert_eq!(trial.out("tools_^_sum_~_round_result"), &Value::Null);
}

#[tokio::test]
async fn tools_run_until_the_model_is_done() {
    let bed = Bed::new(vec![
        Reply::Calls(vec![("add_up".to_owned(), json!({"a": 1, "b": 2})), ("other".to_owned(), json!({"a": 5}))]),
        Reply::call("add_up", json!({"a": 3, "b": 4})),
        Reply::text("7"),
    ])
    .await;
    let ends = vec![done(json!(3)), Called::Failed("no luck".to_owned()), Called::Done(vec![])];
    let other = Tool { pins: vec!["a".to_owned()], ..other() };
    let input = json!({"prompt": "go", "agent_mode_max_iterations": -1, "multiple_tool_calls": true});
    let trial = carry(&bed, Trial::with(vec![calculator(), other], ends), input).await;
    assert_eq!(trial.failure, None);
    assert_eq!(
        trial.pins(),
        [
            "tool_functions",
            "conversations",
            "tool_calls",
            "tool_calls",
            "conversations",
            "tool_calls",
            "finished",
            "conversations"
        ]
    );
    assert_eq!(trial.out("finished"), "7");
    let call = |node, arguments: Value| Call { node, arguments: arguments.as_object().cloned().expect("an object") };
    assert_eq!(
        trial.calls,
        [call(3, json!({"a": 1, "b": 2})), call(4, json!({"a": 5})), call(3, json!({"a": 3, "b": 4}))]
    );
    let said = bed.asked()[2].to_string();
    assert!(said.contains(r#"{\"result\": [3]}"#) && said.contains("The tool has failed: no luck"), "{said}");
    assert!(said.contains("nothing to say"), "{said}");
    assert_eq!((trial.notes.len(), trial.usage.calls), (2, 3));
}

#[tokio::test]
async fn the_last_step_offers_no_tools() {
    let bed = Bed::new(vec![Reply::call("add_up", json!({"a": 1, "b": 2})), Reply::text("")]).await;
    let input = json!({"prompt": "go", "agent_mode_max_iterations": 2});
    let trial = carry(&bed, Trial::with(vec![calculator()], vec![done(json!(3))]), input).await;
    let asked = &bed.asked()[1];
    assert_eq!(asked.get("tools"), None);
    assert!(asked["input"].to_string().contains("This is the last step"));
    assert!(trial.out("finished").as_str().is_some_and(|text| text.contains("limit of steps")));
}

#[tokio::test]
async fn an_agent_after_a_crash_goes_on_with_what_it_was_told() {
    let script = |number: usize, _: &Seen| match number {
        0 => Reply::call("add_up", json!({"a": 1, "b": 2})),
        _ => Reply::text("3"),
    };
    let input = || json!({"prompt": "go", "agent_mode_max_iterations": 5});
    let trial = || Trial::with(vec![calculator()], vec![done(json!(3))]);
    let bed = Bed::at(Mock::with(script).await);
    let first = carry(&bed, trial(), input()).await;
    let again = Bed::new(vec![Reply::text("3")]).await;
    let second = carry(&again, trial().again(first.notes.clone()), input()).await;
    assert_eq!((second.failure.as_deref(), &second.outputs, &second.calls), (None, &first.outputs, &first.calls));
    assert_eq!(again.asked(), bed.asked()[1..], "only what was not answered is asked");
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let bed = Bed::at(Mock::always(Reply::call("add_up", json!({"a": 1}))).await);
    let tools = || Trial::with(vec![calculator()], vec![]);
    for (trial, input, why) in [
        (Trial::default(), json!({"prompt": "go"}), "no tools"),
        (tools(), json!({"prompt": "go", "execution_mode": "extended_thinking"}), "extended_thinking is not available"),
        (tools(), json!({"prompt": "go", "agent_mode_max_iterations": 3}), "add_up lacks the parameter b"),
        (
            tools(),
            json!({"prompt": "go", "conversation_history": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}),
            "waits for a tool's output",
        ),
    ] {
        let failure = carry(&bed, trial, input).await.failure;
        assert!(failure.as_ref().is_some_and(|text| text.contains(why)), "{why}: {failure:?}");
    }
    let trial =
        bed.carry(tools(), "groq", ORCHESTRATOR, json!({"prompt": "go", "model": "llama-3.1-8b-instant"})).await;
    assert_eq!(trial.failure.as_deref(), Some("this provider does not support tools"));
}
