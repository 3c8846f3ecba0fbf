//! What goes out and comes in, dialect by dialect.

use crate::asking::{ask, server_at};
use crate::mock::{Mock, Reply};
use heddle_llm::{Answer, Ask, Form, Tool, ToolCall, answer_to};
use heddle_model::{Usage, Value};
use serde_json::json;

fn tools() -> Vec<Tool> {
    let parameters = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false});
    vec![Tool { name: "add".to_owned(), description: "adds".to_owned(), parameters }]
}

/// One request that uses everything, and what the server saw of it.
async fn spoken(provider: &str, model: &str, messages: &[Value]) -> Value {
    let mock = Mock::always(Reply::text("hi")).await;
    let tools = tools();
    let with_tools = heddle_llm::provider(provider).unwrap().tools;
    let ask = Ask {
        tools: if with_tools { &tools } else { &[] },
        max_tokens: Some(50),
        json: true,
        parallel: Some(false),
        ..Ask::new(model, messages)
    };
    let answer = server_at(&mock, provider).ask(&ask).await.unwrap();
    assert_eq!(answer.text, "hi", "{provider}");
    assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), (11, 7), "{provider}");
    mock.asked().remove(0)
}

fn plain() -> [Value; 2] {
    [json!({"role": "system", "content": "be brief"}), json!({"role": "user", "content": "hello"})]
}

#[tokio::test]
async fn responses() {
    assert_eq!(
        spoken("openai", "gpt-4o", &plain()).await,
        json!({
            "model": "gpt-4o", "input": plain(), "store": false, "include": ["reasoning.encrypted_content"],
            "max_output_tokens": 50, "text": {"format": {"type": "json_object"}}, "parallel_tool_calls": false,
            "tools": [{"type": "function", "name": "add", "description": "adds", "strict": false,
                "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}}],
        })
    );
    let serial = spoken("openai", "o3-mini", &plain()).await;
    assert_eq!(serial.get("parallel_tool_calls"), None);
}

#[tokio::test]
async fn chat_completions() {
    let function = json!({"name": "add", "description": "adds", "parameters":
        {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}});
    assert_eq!(
        spoken("open_router", "google/gemini-2.5-pro", &plain()).await,
        json!({
            "model": "google/gemini-2.5-pro", "messages": plain(), "max_tokens": 50,
            "response_format": {"type": "json_object"}, "parallel_tool_calls": false, "usage": {"include": true},
            "tools": [{"type": "function", "function": function}],
        })
    );
    let bare = json!({"model": "m", "messages": plain(), "max_tokens": 50});
    assert_eq!(spoken("aiml_api", "m", &plain()).await, bare);
    let mut groq = bare.clone();
    groq["response_format"] = json!({"type": "json_object"});
    assert_eq!(spoken("groq", "m", &plain()).await, groq);
    let llama = spoken("llama_api", "m", &plain()).await;
    assert_eq!((llama.get("response_format"), llama["tools"][0]["type"].as_str()), (None, Some("function")));
}

#[tokio::test]
async fn messages() {
    let parts = |text: &str| json!([{"type": "text", "text": text}]);
    let conversation = [
        json!({"role": "system", "content": "be brief"}),
        json!({"role": "user", "content": "a"}),
        json!({"role": "user", "content": "b"}),
        json!({"role": "developer", "content": "not for here"}),
        json!({"role": "system", "content": "be kind"}),
        json!({"role": "assistant", "content": parts("c")}),
        json!({"role": "user", "content": "d"}),
    ];
    let cached = json!({"type": "ephemeral"});
    assert_eq!(
        spoken("anthropic", "claude-sonnet-5", &conversation).await,
        json!({
            "model": "claude-sonnet-5", "max_tokens": 50,
            "messages": [{"role": "user", "content": "ab"}, {"role": "assistant", "content": parts("c")},
                {"role": "user", "content": "d"}],
            "system": [{"type": "text", "text": "be brief be kind", "cache_control": cached}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
            "tools": [{"name": "add", "description": "adds", "cache_control": cached, "input_schema":
                {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}}],
        })
    );
}

#[tokio::test]
async fn google() {
    assert_eq!(
        spoken("gemini", "google/gemini-2.5-pro", &plain()).await,
        json!({
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
            "systemInstruction": {"parts": [{"text": "be brief"}]},
            "generationConfig": {"maxOutputTokens": 50, "responseMimeType": "application/json"},
            "tools": [{"functionDeclarations": [{"name": "add", "description": "adds", "parameters":
                {"type": "object", "properties": {"a": {"type": "integer"}}}}]}],
        })
    );
}

#[tokio::test]
async fn ollama() {
    assert_eq!(
        spoken("ollama", "llama3.2", &plain()).await,
        json!({"model": "llama3.2", "messages": plain(), "stream": false, "format": "json", "options": {"num_predict": 50}})
    );
}

/// A call, its answer, and the next request: what one provider has begun another goes on with.
#[tokio::test]
async fn conversations_with_tools_go_from_any_provider_to_any_other() {
    let providers = ["openai", "open_router", "anthropic", "gemini"];
    for begins in providers {
        let mock = Mock::always(Reply::call("add", json!({"a": 1}))).await;
        let mut conversation = plain().to_vec();
        let tools = tools();
        let asked = Ask { tools: &tools, ..Ask::new("m", &conversation) };
        let Answer { calls, messages, usage, .. } = server_at(&mock, begins).ask(&asked).await.unwrap();
        let [ToolCall { id, name, arguments }] = &calls[..] else { panic!("{begins}: {calls:?}") };
        assert_eq!((name.as_str(), arguments.as_str()), ("add", r#"{"a":1}"#), "{begins}");
        let usd = (begins == "open_router").then_some(0.002);
        assert_eq!(usage, Usage { input_tokens: 11, output_tokens: 7, usd, ..Usage::default() });
        conversation.extend(messages);
        let form = if begins == "anthropic" { Form::Messages } else { Form::Chat };
        conversation.push(answer_to(form, id, "2", false));
        for goes_on in providers {
            let body = spoken(goes_on, "m", &conversation).await;
            let (turns, call, answer) = match goes_on {
                "openai" => (&body["input"], "/2/arguments", "/3/output"),
                "open_router" => (&body["messages"], "/2/tool_calls/0/function/arguments", "/3/content"),
                "anthropic" => (&body["messages"], "/1/content/0/input", "/2/content/0/content"),
                _ => (&body["contents"], "/1/parts/0/functionCall/args", "/2/parts/0/functionResponse/response/result"),
            };
            let arguments = match turns.pointer(call) {
                Some(Value::String(text)) => serde_json::from_str(text).unwrap(),
                other => other.cloned().unwrap_or_default(),
            };
            assert_eq!(arguments, json!({"a": 1}), "{begins} then {goes_on}: {body}");
            assert_eq!(turns.pointer(answer), Some(&json!("2")), "{begins} then {goes_on}: {body}");
        }
    }
}

#[tokio::test]
async fn what_models_think_and_what_was_cached_is_told_apart() {
    let raw = |body| Reply::Raw(200, String::new(), body);
    for (provider, body, thought, usage) in [
        (
            "openai",
            json!({"output": [
                {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
                {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}],
                "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 3}}),
            "hm",
            Usage { input_tokens: 6, cache_read_tokens: 4, output_tokens: 3, ..Usage::default() },
        ),
        (
            "anthropic",
            json!({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}], "usage":
                {"input_tokens": 6, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2, "output_tokens": 3}}),
            "hm",
            Usage {
                input_tokens: 6,
                cache_read_tokens: 4,
                cache_creation_tokens: 2,
                output_tokens: 3,
                ..Usage::default()
            },
        ),
        (
            "open_router",
            json!({"choices": [{"message": {"content": "hi", "reasoning": "hm"}}], "usage":
                {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 3, "cost": 0.5}}),
            "hm",
            Usage { input_tokens: 6, cache_read_tokens: 4, output_tokens: 3, usd: Some(0.5), ..Usage::default() },
        ),
        (
            "gemini",
            json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "hi"}]}}],
                "usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 1}}),
            "hm",
            Usage { input_tokens: 6, cache_read_tokens: 4, output_tokens: 3, ..Usage::default() },
        ),
    ] {
        let answer = ask(&Mock::always(raw(body)).await, provider).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.reasoning.as_deref()), ("hi", Some(thought)), "{provider}");
        assert_eq!(answer.usage, usage, "{provider}");
    }
}
