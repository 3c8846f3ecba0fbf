//! Refusals, trouble that passes, and trouble that does not.

use crate::mock::{Mock, Reply};
use heddle_llm::{Answer, Ask, Error, Server, Tool};
use heddle_outbound::{Client, Options, Policy};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

const KEY: &str = "sk-very-secret";

/// A server of a provider, at a mock's address.
pub fn server_at(mock: &Mock, provider: &str) -> Server<'static> {
    let allowed = format!("{}:{}", mock.address.ip(), mock.address.port()).parse().unwrap();
    let client = Client::new(Options { policy: Policy::new(vec![allowed]), ..Options::default() });
    Server {
        provider: heddle_llm::provider(provider).unwrap(),
        base: Box::leak(Box::new(Url::parse(&mock.url()).unwrap())),
        key: KEY,
        client: Box::leak(Box::new(client)),
    }
}

/// Asks once.
pub async fn ask(mock: &Mock, provider: &str) -> Result<Answer, Error> {
    static HELLO: OnceLock<[Value; 1]> = OnceLock::new();
    let hello = HELLO.get_or_init(|| [json!({"role": "user", "content": "hello"})]);
    server_at(mock, provider).ask(&Ask::new("m", hello)).await
}

#[tokio::test]
async fn each_interface_is_found_and_gets_the_key_where_it_looks_for_it() {
    for (provider, path, header, value) in [
        ("openai", "/v1/responses", "authorization", "Bearer sk-very-secret"),
        ("anthropic", "/v1/messages", "x-api-key", KEY),
        ("groq", "/openai/v1/chat/completions", "authorization", "Bearer sk-very-secret"),
        ("open_router", "/api/v1/chat/completions", "x-title", "Heddle"),
        ("llama_api", "/compat/v1/chat/completions", "authorization", "Bearer sk-very-secret"),
        ("aiml_api", "/v2/chat/completions", "authorization", "Bearer sk-very-secret"),
        ("v0", "/v1/chat/completions", "authorization", "Bearer sk-very-secret"),
        ("ollama", "/api/chat", "authorization", "Bearer sk-very-secret"),
        ("gemini", "/v1beta/models/m:generateContent", "x-goog-api-key", KEY),
    ] {
        let mock = Mock::always(Reply::text("hi")).await;
        assert_eq!(ask(&mock, provider).await.unwrap().text, "hi", "{provider}");
        let seen = &mock.seen()[0];
        assert_eq!((seen.path.as_str(), seen.header(header)), (path, Some(value)), "{provider}");
    }
}

#[tokio::test]
async fn trouble_that_passes_is_waited_for() {
    let busy = Reply::Raw(429, "retry-after-ms: 1\r\n".to_owned(), json!({}));
    let mock = Mock::start(vec![busy, Reply::error(503, "busy"), Reply::text("hi")]).await;
    assert_eq!(ask(&mock, "openai").await.unwrap().text, "hi");
    assert_eq!(mock.seen().len(), 3);
}

#[tokio::test]
async fn a_wait_that_is_longer_than_a_call_may_take_is_not_begun() {
    let mock =
        Mock::always(Reply::Raw(429, "retry-after: 600\r\n".to_owned(), json!({"error": {"message": "later"}}))).await;
    let error = ask(&mock, "anthropic").await.unwrap_err();
    assert_eq!(error, Error::Limited { said: "later".to_owned() });
    assert_eq!((mock.seen().len(), error.is_final()), (1, true));
}

#[tokio::test]
async fn refusals_are_told_in_the_providers_words_without_the_key() {
    for (status, body, want) in [
        (
            401,
            json!({"error": {"message": format!("Incorrect API key provided: {KEY}.")}}),
            "the provider refuses the credential (HTTP 401): Incorrect API key provided: *.",
        ),
        (403, json!({"error": "no"}), "the provider refuses the credential (HTTP 403): no"),
        (404, json!({"detail": "no such model"}), "the provider answered HTTP 404: no such model"),
        (400, json!([{"error": {"message": "bad"}}]), "the provider answered HTTP 400: bad"),
        (302, json!({}), "the provider answered HTTP 302: {}"),
    ] {
        let mock = Mock::always(Reply::Raw(status, "location: http://127.0.0.1:1/\r\n".to_owned(), body)).await;
        let error = ask(&mock, "openai").await.unwrap_err();
        assert_eq!(error.to_string(), want);
        assert_eq!(mock.seen().len(), 1, "{status} is not asked again");
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_said_to_be() {
    let body = json!({"error": {"message": "no room", "code": "context_length_exceeded"}});
    let mock = Mock::always(Reply::Raw(400, String::new(), body)).await;
    let error = ask(&mock, "openai").await.unwrap_err();
    assert!(error.to_string().starts_with("the prompt is too long for the model m; shorten it"), "{error}");
}

#[tokio::test]
async fn answers_without_anything_in_them_are_errors() {
    for (provider, body, why) in [
        ("groq", json!({"choices": []}), ""),
        ("open_router", json!({"error": {"message": "upstream is down"}}), ": upstream is down"),
        ("openai", json!({"output": [], "incomplete_details": {"reason": "content_filter"}}), ": content_filter"),
        ("anthropic", json!({"content": [], "stop_reason": "end_turn"}), " (end_turn)"),
        ("gemini", json!({"promptFeedback": {"blockReason": "SAFETY"}}), " (SAFETY)"),
        ("ollama", json!({}), ""),
    ] {
        let mock = Mock::always(Reply::Raw(200, String::new(), body)).await;
        assert_eq!(ask(&mock, provider).await.unwrap_err(), Error::Empty(why.to_owned()), "{provider}");
    }
}

#[tokio::test]
async fn providers_without_tools_say_so_and_are_not_asked() {
    let tools = [Tool { name: "t".to_owned(), description: String::new(), parameters: json!({}) }];
    for provider in ["groq", "ollama", "aiml_api"] {
        let mock = Mock::always(Reply::text("hi")).await;
        let asked = Ask { tools: &tools, ..Ask::new("m", &[]) };
        let error = server_at(&mock, provider).ask(&asked).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), mock.seen().len()), ("this provider does not support tools", 0));
    }
}

#[tokio::test]
async fn a_model_that_is_silent_for_two_minutes_is_given_up() {
    // The moment the mock has the request the clock runs ahead, as nobody has anything else to do.
    let mock = Arc::new(Mock::always(Reply::text("hi").late(1_000_000)).await);
    let asking = Arc::clone(&mock);
    let asked = tokio::spawn(async move {
        let begun = tokio::time::Instant::now();
        (ask(&asking, "openai").await.unwrap_err(), begun.elapsed())
    });
    while mock.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    let (error, took) = asked.await.unwrap();
    assert_eq!(error, Error::Timeout(Duration::from_secs(120)));
    assert!(took >= Duration::from_secs(119) && took < Duration::from_secs(125), "{took:?}");
}

#[tokio::test]
async fn an_address_that_nobody_allowed_is_not_dialled() {
    let mock = Mock::always(Reply::text("hi")).await;
    let client = Client::new(Options::default());
    let server = Server { client: &client, ..server_at(&mock, "openai_compatible") };
    let error = server.ask(&Ask::new("m", &[])).await.unwrap_err();
    assert!(matches!(&error, Error::Network(text) if text.contains("127.0.0.1")), "{error}");
    assert_eq!(mock.seen().len(), 0);
}
