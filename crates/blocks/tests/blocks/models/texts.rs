//! Texts, lists, summaries, verdicts.

use super::{Bed, TEXT};
use crate::models_mock::{Mock, Reply, Seen};
use heddle_model::Usage;
use serde_json::{Value, json};

const CONVERSATION: &str = "32a87eab-381e-4dd4-bdb8-4c47151be35a";
const LIST: &str = "9c0b0450-d199-458b-a731-072189dd6593";
const SUMMARIZER: &str = "a0a69be1-4528-491c-a85a-a4ab6873e3f0";
const CONDITION: &str = "553ec5b8-6c45-4299-8d75-b394d05f72ff";
const PERPLEXITY: &str = "c8a5f2e9-8b3d-4a7e-9f6c-1d5e3c9b7a4f";
const CODE: &str = "86a2a099-30df-47b4-b7e4-34ae5f83e0d5";

#[tokio::test]
async fn a_text_comes_with_the_messages_that_were_sent_and_what_it_took() {
    let bed = Bed::new(vec![Reply::text("hello")]).await;
    let input = json!({"prompt": "Greet {{name}}", "sys_prompt": "Be {{mood}}", "prompt_values": {"name": "Ada & co", "mood": "kind"}});
    let trial = bed.run(TEXT, input).await;
    assert_eq!(trial.pins(), ["response", "prompt"]);
    assert_eq!(trial.out("response"), "hello");
    let sent = json!([{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Greet Ada & co"}]);
    assert_eq!(trial.out("prompt"), &sent);
    assert_eq!(trial.usage, Usage { calls: 1, input_tokens: 11, output_tokens: 7, ..Usage::default() });
    assert_eq!(trial.notes, [json!(null); 0], "nothing follows that would need a note");
    let asked = &bed.asked()[0];
    assert_eq!(
        (&asked["model"], &asked["input"], &asked["max_output_tokens"]),
        (&json!("gpt-5.6-terra"), &sent, &json!(128_000))
    );
}

#[tokio::test]
async fn without_values_braces_are_braces() {
    let bed = Bed::new(vec![Reply::text("x")]).await;
    let trial = bed.run(TEXT, json!({"prompt": "{{name}} {% if %}"})).await;
    assert_eq!(trial.out("prompt"), &json!([{"role": "user", "content": "{{name}} {% if %}"}]));
}

#[tokio::test]
async fn models_are_found_by_any_of_their_names_and_belong_to_their_provider() {
    for (provider, model, sent) in [
        ("openai", "openai/gpt-5.4", "gpt-5.4-2026-03-05"),
        ("anthropic", "claude-opus-4-20250514", "claude-opus-4-7"),
        ("open_router", "google/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openai_compatible", "my-own-model:7b", "my-own-model:7b"),
        ("ollama", "llama3.2", "llama3.2"),
    ] {
        let bed = Bed::new(vec![Reply::text("x")]).await;
        let trial = bed.run_as(provider, TEXT, json!({"prompt": "hi", "model": model})).await;
        assert_eq!(trial.failure, None, "{model}");
        assert_eq!(bed.asked()[0]["model"], sent);
    }
    for (provider, model, why) in [
        ("openai", "claude-3-5-sonnet-latest", "Model 'claude-3-5-sonnet-latest' is not supported."),
        ("groq", "gpt-4o", "Invalid credentials: gpt-4o is a model of openai, not of groq"),
        ("github", "gpt-4o", "github serves no language models"),
    ] {
        let bed = Bed::new(vec![]).await;
        let failure = bed.run_as(provider, TEXT, json!({"prompt": "hi", "model": model})).await.failure;
        assert!(failure.as_ref().is_some_and(|text| text.starts_with(why)), "{failure:?}");
    }
}

#[tokio::test]
async fn a_server_of_ones_own_is_told_no_more_than_it_can_know() {
    let bed = Bed::new(vec![Reply::text("x")]).await;
    bed.run_as("openai_compatible", TEXT, json!({"prompt": "hi", "model": "m"})).await;
    assert_eq!(bed.asked()[0], json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
}

#[tokio::test]
async fn a_node_may_say_where_ollama_is() {
    let bed = Bed::new(vec![Reply::text("x"), Reply::text("y")]).await;
    for host in ["localhost:11434".to_owned(), bed.mock.address.to_string()] {
        let input = json!({"prompt": "hi", "model": "llama3.2", "ollama_host": host});
        let trial = bed.run_as("ollama", TEXT, input).await;
        assert_eq!(trial.failure, None, "the usual host means the configured one");
    }
    let input = json!({"prompt": "hi", "model": "llama3.2", "ollama_host": "10.0.0.7:11434"});
    let failure = bed.run_as("ollama", TEXT, input).await.failure;
    assert!(failure.is_some_and(|text| text.contains("10.0.0.7")), "another one has to be allowed");
    assert_eq!(bed.asked().len(), 2);
}

#[tokio::test]
async fn a_conversation_goes_on() {
    let bed = Bed::new(vec![Reply::text("fine")]).await;
    let messages = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]);
    let trial = bed.run(CONVERSATION, json!({"messages": messages, "prompt": "{{how}} are you?"})).await;
    let mut sent = messages.as_array().cloned().expect("a list");
    sent.push(json!({"role": "user", "content": "{{how}} are you?"}));
    assert_eq!((trial.out("response"), trial.out("prompt")), (&json!("fine"), &Value::from(sent)));
    for nothing in [json!([]), json!([{"role": "user", "content": " "}])] {
        let failure = bed.run(CONVERSATION, json!({"messages": nothing})).await.failure;
        assert!(failure.is_some_and(|text| text.contains("is needed")));
    }
}

fn tag_of(asked: &Value) -> String {
    let text = asked["input"].to_string();
    let (_, rest) = text.split_once("json_output id=\\\"").unwrap_or_else(|| panic!("no tag in {text}"));
    rest[..16].to_owned()
}

/// Answers JSON between the tags that the question names.
fn tagged(seen: &Seen, inner: &Value) -> Reply {
    Reply::text(&format!("<json_output id=\"{}\">{inner}</json_output>", tag_of(&seen.body)))
}

#[tokio::test]
async fn a_list_comes_whole_and_element_by_element() {
    let bed = Bed::at(Mock::with(|_, seen| tagged(seen, &json!({"list": ["a", 2]}))).await);
    let trial = bed.run(LIST, json!({"focus": "letters", "source_data": "a, 2"})).await;
    assert_eq!(trial.pins(), ["generated_list", "prompt", "list_item", "list_item"]);
    assert_eq!(trial.out("generated_list"), &json!(["a", "2"]));
    let asked = bed.asked()[0]["input"].to_string();
    assert!(asked.contains("letters") && asked.contains("<source>"), "{asked}");
    let bed = Bed::at(Mock::with(|_, seen| tagged(seen, &json!({"list": "a"}))).await);
    let failure = bed.run(LIST, json!({})).await.failure;
    assert_eq!(failure.as_deref(), Some("the model's answer holds no list"));
}

#[tokio::test]
async fn a_long_text_is_summarised_piece_by_piece() {
    let script = |number: usize, seen: &Seen| match number {
        0..3 => tagged(seen, &json!({"summary": format!("part {number}")})),
        _ => tagged(seen, &json!({"final_summary": "all"})),
    };
    let bed = Bed::at(Mock::with(script).await);
    let input = json!({"text": "a b c d e f g h i", "max_tokens": 6, "chunk_overlap": 2, "style": "detailed", "focus": "order"});
    let trial = bed.run(SUMMARIZER, input).await;
    assert_eq!((trial.failure.as_deref(), trial.out("summary")), (None, &json!("all")));
    let asked = bed.asked();
    assert_eq!(asked.len(), 4);
    let said = |at: usize| asked[at]["input"].to_string();
    assert!(
        said(0).contains("a b c d e f") && said(1).contains("e f g h i") && said(2).contains(">\\ni\\n<"),
        "{}",
        said(2)
    );
    assert!(said(0).contains("detailed") && said(0).contains("order"));
    assert!(said(3).contains("part 0\\n\\npart 1\\n\\npart 2"), "{}", said(3));
    assert_eq!((trial.usage.calls, trial.notes.len()), (4, 3), "all but the last answer are noted");
}

#[tokio::test]
async fn summaries_that_are_long_themselves_are_summarised_again() {
    let script = |number: usize, seen: &Seen| match number {
        0 | 1 => tagged(seen, &json!({"summary": "x y z"})),
        2 | 3 => tagged(seen, &json!({"summary": "x"})),
        _ => tagged(seen, &json!({"final_summary": "all"})),
    };
    let bed = Bed::at(Mock::with(script).await);
    let trial =
        bed.run(SUMMARIZER, json!({"text": "a b c d e", "max_tokens": 3, "chunk_overlap": 0, "focus": "f"})).await;
    assert_eq!(trial.out("summary"), "all");
    let again = bed.asked()[2]["input"].to_string();
    assert!(again.contains("x y z") && again.contains("general information") && again.contains("concise"), "{again}");
}

#[tokio::test]
async fn a_verdict_chooses_the_way() {
    for (answer, outputs) in [
        ("true", json!([["result", true], ["yes_output", "y"]])),
        ("No.", json!([["result", false], ["no_output", {"a": 1}]])),
    ] {
        let bed = Bed::new(vec![Reply::text(answer)]).await;
        let trial = bed.run(CONDITION, json!({"input_value": {"a": 1}, "condition": "is odd", "yes_value": "y"})).await;
        let got: Value = trial.outputs.iter().map(|(pin, value)| json!([pin, value])).collect();
        assert_eq!(got, outputs);
        let asked = &bed.asked()[0];
        assert_eq!(asked["max_output_tokens"], 16);
        assert!(
            asked["input"][1]["content"]
                .as_str()
                .is_some_and(|text| text.contains("{'a': 1}") && text.contains("is odd"))
        );
    }
    let bed = Bed::new(vec![Reply::text("maybe")]).await;
    let trial = bed.run(CONDITION, json!({"input_value": 1, "condition": "is odd"})).await;
    assert_eq!(trial.failure.as_deref(), Some("the model's answer is neither true nor false: \"maybe\""));
    assert_eq!(trial.usage.calls, 1, "what it took is counted all the same");
}

#[tokio::test]
async fn a_search_tells_where_it_found_the_answer() {
    let message = json!({"role": "assistant", "content": "42", "annotations": [{"type": "url_citation", "url": "x"}]});
    let body =
        json!({"choices": [{"message": message}], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.25}});
    let bed = Bed::new(vec![Reply::Raw(200, String::new(), body), Reply::text("x")]).await;
    let trial = bed
        .run_as("open_router", PERPLEXITY, json!({"prompt": "why?", "system_prompt": "brief", "max_tokens": 9}))
        .await;
    assert_eq!(trial.out("response"), "42");
    assert_eq!(trial.out("annotations"), &json!([{"type": "url_citation", "url": "x"}]));
    assert_eq!(trial.usage.usd, Some(0.25));
    let asked = &bed.asked()[0];
    assert_eq!((&asked["model"], &asked["max_tokens"]), (&json!("perplexity/sonar"), &json!(9)));
    let trial = bed.run_as("open_router", PERPLEXITY, json!({"prompt": "why?"})).await;
    assert_eq!(trial.out("annotations"), &json!([]));
}

#[tokio::test]
async fn code_comes_with_its_cost() {
    let body = json!({"id": "resp_9", "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "fn main() {}"}]}],
        "usage": {"input_tokens": 1_000_000, "output_tokens": 100_000}});
    let bed = Bed::new(vec![Reply::Raw(200, String::new(), body)]).await;
    let trial = bed.run(CODE, json!({"prompt": "a program", "system_prompt": "rust"})).await;
    let got: Value = trial.outputs.iter().map(|(pin, value)| json!([pin, value])).collect();
    assert_eq!(got, json!([["response", "fn main() {}"], ["reasoning", "hm"], ["response_id", "resp_9"]]));
    assert_eq!(trial.usage.usd, Some(3.15));
    assert_eq!(
        bed.asked()[0],
        json!({"model": "gpt-5.3-codex", "input": "a program", "instructions": "rust", "max_output_tokens": 2048,
            "reasoning": {"effort": "medium"}})
    );
    for (pin, value) in [("transport", "codex_app_server"), ("reasoning_effort", "ultra")] {
        let failure = bed.run(CODE, json!({"prompt": "x", pin: value})).await.failure;
        assert!(failure.is_some_and(|text| text.contains(value)));
    }
}
