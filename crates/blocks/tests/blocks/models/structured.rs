//! Answers of a given shape, and what is done when they do not have it.

use super::{Bed, STRUCTURED, TEXT, Trial};
use crate::models_mock::{Mock, Reply, Seen};
use heddle_model::Usage;
use serde_json::{Value, json};

fn wanted() -> Value {
    json!({"prompt": "go", "expected_format": {"a": "first", "b": "second"}, "force_json_output": true})
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again_with_a_complaint() {
    let bed = Bed::new(vec![Reply::text("no"), Reply::text(r#"{"a": 1}"#), Reply::text(r#"{"a": 1, "b": 2}"#)]).await;
    let trial = bed.run(STRUCTURED, wanted()).await;
    assert_eq!(trial.out("response"), &json!({"a": 1, "b": 2}));
    assert_eq!(trial.usage, Usage { calls: 3, retries: 2, input_tokens: 33, output_tokens: 21, ..Usage::default() });
    let last = &bed.asked()[2];
    assert_eq!(last["text"], json!({"format": {"type": "json_object"}}));
    let said: Vec<_> = last["input"].as_array().expect("messages").iter().map(|said| said["role"].as_str()).collect();
    let (user, assistant) = (Some("user"), Some("assistant"));
    assert_eq!(said, [Some("system"), user, assistant, user, assistant, user]);
    assert_eq!(last["input"][2]["content"], "no");
    assert!(last["input"][5]["content"].as_str().is_some_and(|text| text.contains("Missing keys: b")));
    assert_eq!(trial.out("prompt"), &last["input"]);
}

#[tokio::test]
async fn after_the_last_attempt_its_complaint_is_the_error() {
    let mut input = wanted();
    input["retry"] = json!(2);
    let bed = Bed::at(Mock::always(Reply::text("7")).await);
    let trial = bed.run(STRUCTURED, input).await;
    assert_eq!(trial.failure.as_deref(), Some("Expected an object, but got a number"));
    assert_eq!((bed.asked().len(), trial.usage.calls), (2, 2));
}

#[tokio::test]
async fn the_parts_of_the_prompt_stand_in_their_order() {
    let bed = Bed::at(Mock::always(Reply::text("x")).await);
    let input = json!({"prompt": "p {{v}}", "sys_prompt": "s {{v}}", "prompt_values": {"v": "1"}, "expected_format": {},
        "conversation_history": [{"role": "user", "content": "h"}, {}]});
    let trial = bed.run(STRUCTURED, input).await;
    assert_eq!(trial.out("response"), &json!({"response": "x"}), "no format, no object of its own");
    assert_eq!(
        trial.out("prompt"),
        &json!([{"role": "user", "content": "h"}, {"role": "system", "content": "s 1"}, {"role": "user", "content": "p 1"}])
    );
}

#[tokio::test]
async fn what_asking_again_cannot_help_ends_at_once() {
    for status in [401, 403] {
        let bed = Bed::at(Mock::always(Reply::error(status, "no")).await);
        let failure = bed.run(TEXT, json!({"prompt": "hi"})).await.failure;
        assert!(failure.is_some_and(|text| text.contains(&status.to_string())));
        assert_eq!(bed.asked().len(), 1);
    }
    let later = Reply::Raw(429, "retry-after: 999\r\n".to_owned(), json!({}));
    let bed = Bed::at(Mock::always(later).await);
    let trial = bed.run(TEXT, json!({"prompt": "hi"})).await;
    assert!(trial.failure.is_some_and(|text| text.contains("rate limit")));
    assert_eq!(bed.asked().len(), 1);
}

#[tokio::test]
async fn other_trouble_is_met_with_the_same_prompt_and_a_shorter_answer_where_that_may_help() {
    let script = |number: usize, _: &Seen| match number {
        0 => Reply::error(404, "odd"),
        1 => Reply::error(400, "context length exceeded: token limit"),
        _ => Reply::text("there"),
    };
    let bed = Bed::at(Mock::with(script).await);
    let trial = bed.run(TEXT, json!({"prompt": "hi", "max_tokens": 100})).await;
    assert_eq!(trial.out("response"), "there");
    let asked = bed.asked();
    let most: Vec<_> = asked.iter().map(|asked| asked["max_output_tokens"].as_u64()).collect();
    assert_eq!(most, [Some(100), Some(100), Some(85)]);
    assert_eq!(asked[0]["input"], asked[2]["input"]);
    assert_eq!((trial.usage.calls, trial.usage.retries), (3, 2));
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_shortened_unless_that_is_forbidden() {
    let long = "hello ".repeat(12_000);
    for compress in [true, false] {
        let bed = Bed::at(Mock::always(Reply::text("x")).await);
        let input = json!({"prompt": "p", "expected_format": {}, "model": "llama3.2", "compress_prompt_to_fit": compress,
            "conversation_history": [{"role": "user", "content": "a"}, {"role": "user", "content": long}]});
        let trial = bed.run_as("ollama", STRUCTURED, input).await;
        assert_eq!(trial.failure, None);
        let sent = bed.asked()[0].to_string().len();
        assert_eq!(sent < 40_000, compress, "{sent}");
    }
}

#[tokio::test]
async fn what_was_answered_before_a_crash_is_not_asked_again() {
    let bed = Bed::new(vec![Reply::text("no"), Reply::text(r#"{"a": 1, "b": 2}"#)]).await;
    let first = bed.run(STRUCTURED, wanted()).await;
    assert_eq!(first.notes.len(), 1, "the answer that was of no use");
    let again = Bed::new(vec![Reply::text(r#"{"a": 1, "b": 2}"#)]).await;
    let trial = again.carry(Trial::default().again(first.notes), "openai", STRUCTURED, wanted()).await;
    assert_eq!(trial.out("response"), &json!({"a": 1, "b": 2}));
    assert_eq!(again.asked(), bed.asked()[1..], "the second question, word for word");
    assert_eq!(trial.usage.calls, 1, "the first call is counted already");
}
