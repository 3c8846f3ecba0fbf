//! The block that asks a web server, against servers of our own.

use crate::common::{in_a_run, outside_a_run, run};
use crate::mock::{Answer, Mock, answer};
use crate::upstreams;
use async_trait::async_trait;
use heddle_blocks::{Ports, Registry};
use heddle_engine::ports::{Context, Failure};
use heddle_model::Value;
use heddle_outbound::{Client, Limits, Options, Policy, Resolve};
use serde_json::json;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const SEND: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";
const JSON: &str = "content-type: application/json\r\n";

type Ended = Result<(String, Value), Failure>;

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolve for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

fn registry(allowed: &[&Mock], limits: Limits) -> Arc<Registry> {
    let allow = allowed.iter().map(|mock| mock.address.to_string().parse().expect("an entry")).collect();
    // A silent server is waited for that much longer.
    let connect = Duration::from_secs(1);
    let policy = Policy::new(allow);
    let options = Options { policy, resolver: Arc::new(Here), connect, limits, ..Options::default() };
    Registry::new(Ports { outbound: Some(Client::new(options)), ..Ports::default() })
}

async fn send_with(registry: &Arc<Registry>, input: Value, cx: Context) -> Ended {
    let Value::Object(input) = input else { panic!("an input is an object") };
    let (mut outputs, ended) = run(registry, SEND, input, cx).await;
    ended.map(|()| {
        assert_eq!(outputs.len(), 1);
        outputs.remove(0)
    })
}

/// Sends to a server that may be reached, within a run.
async fn send(mock: &Mock, mut input: Value) -> Ended {
    input.as_object_mut().expect("an object").entry("url").or_insert(mock.url("/").into());
    send_with(&registry(&[mock], Limits::default()), input, in_a_run()).await
}

async fn mock(answers: &[Answer]) -> Mock {
    Mock::start(answers.to_vec()).await
}

fn text_of(ended: Ended) -> String {
    match ended {
        Err(Failure::Execution(text)) => text,
        other => panic!("the block did not refuse: {other:?}"),
    }
}

#[tokio::test]
async fn every_class_of_status_has_its_pin_and_json_is_read() {
    let plain = "content-type: text/plain\r\n";
    for (status, headers, body, pin, value) in [
        (200, JSON, r#"{"a": [1, 2.0]}"#, "response", json!({"a": [1, 2.0]})),
        (200, "content-type: Application/JSON; charset=utf-8\r\n", "7", "response", json!(7)),
        (201, plain, "made", "response", json!("made")),
        (202, "", "no type", "response", json!("no type")),
        (200, plain, r#"{"a": 1}"#, "response", json!(r#"{"a": 1}"#)),
        (200, "content-type: application/problem+json\r\n", "{}", "response", json!("{}")),
        (204, JSON, "", "response", json!(null)),
        (204, "", "", "response", json!("")),
        (299, JSON, "null", "response", json!(null)),
        (400, JSON, r#"{"detail": "no"}"#, "client_error", json!({"detail": "no"})),
        (404, plain, "missing", "client_error", json!("missing")),
        (429, JSON, "[]", "client_error", json!([])),
        (499, plain, "", "client_error", json!("")),
        (500, JSON, r#""oh""#, "server_error", json!("oh")),
        (503, plain, "down", "server_error", json!("down")),
        (599, plain, "?", "server_error", json!("?")),
        (300, plain, "many", "server_error", json!("many")),
        (302, plain, "where?", "server_error", json!("where?")),
        (304, "", "", "server_error", json!("")),
    ] {
        let mock = mock(&[answer(status, headers, body)]).await;
        assert_eq!(send(&mock, json!({})).await, Ok((pin.to_owned(), value)), "{status} {headers}{body}");
        assert_eq!(mock.seen(1).await.len(), 1, "{status}: one attempt");
    }
}

#[tokio::test]
async fn what_is_labelled_json_and_is_not_ends_in_an_error() {
    for body in ["", "{", "nope"] {
        let mock = mock(&[answer(200, JSON, body)]).await;
        assert_eq!(text_of(send(&mock, json!({})).await), format!("the answer of {} is not valid JSON", mock.address));
    }
}

#[tokio::test]
async fn a_body_goes_out_as_json() {
    for (body, sent, kind) in [
        (json!({"b": "ü", "a": [1, 2.0, null]}), r#"{"b":"ü","a":[1,2.0,null]}"#, Some("application/json")),
        (json!({}), "{}", Some("application/json")),
        (json!(null), "", None),
    ] {
        let mock = mock(&[answer(200, "", "")]).await;
        send(&mock, json!({"body": body, "url": mock.url("/a/b?c=d")})).await.expect("an answer");
        let seen = mock.seen(1).await.remove(0);
        assert_eq!((seen.line(), seen.body.as_str()), ("POST /a/b?c=d", sent));
        assert_eq!(seen.header("content-type"), kind);
    }
}

#[tokio::test]
async fn methods_and_headers_are_the_callers() {
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
        let mock = mock(&[answer(200, JSON, if method == "HEAD" { "" } else { "1" })]).await;
        let headers = json!({"X-One": "1", "content-TYPE": "application/vnd.own+json", "Host": "other.example"});
        let (_, value) = send(&mock, json!({"method": method, "headers": headers, "body": {}})).await.expect(method);
        assert_eq!(value, if method == "HEAD" { json!(null) } else { json!(1) }, "{method}");
        let seen = mock.seen(1).await.remove(0);
        assert_eq!(seen.line(), format!("{method} /"));
        assert_eq!((seen.header("x-one"), seen.header("content-type")), (Some("1"), Some("application/vnd.own+json")));
        assert_eq!(seen.header("host"), Some(mock.address.to_string().as_str()));
    }
}

#[tokio::test]
async fn headers_that_would_end_the_line_are_refused() {
    let mock = mock(&[answer(200, "", "")]).await;
    for headers in [json!({"a": "x\r\nb: y"}), json!({"a\nb": "x"}), json!({"": "x"})] {
        assert!(text_of(send(&mock, json!({"headers": headers})).await).ends_with("is not valid"), "{headers}");
    }
}

#[tokio::test]
async fn without_json_the_body_goes_out_as_the_fields_of_a_form() {
    let body = json!({"a b": "x&y=z", "n": 7.0, "yes": true, "no": null, "many": ["1", 2, null], "deep": {"k": "v"}});
    let sent = "a+b=x%26y%3Dz&n=7.0&yes=true&many=1&many=2&deep=%7B%22k%22%3A+%22v%22%7D";
    let form = Some("application/x-www-form-urlencoded");
    for (body, headers, sent, kind) in [
        (body.clone(), json!({}), sent, form),
        (body, json!({"Content-Type": "text/plain"}), sent, Some("text/plain")),
        (json!({}), json!({}), "", form),
        (json!(null), json!({}), "", None),
    ] {
        let mock = mock(&[answer(200, "", "")]).await;
        send(&mock, json!({"json_format": false, "body": body, "headers": headers})).await.expect("an answer");
        let seen = mock.seen(1).await.remove(0);
        assert_eq!((seen.body.as_str(), seen.header("content-type")), (sent, kind));
    }
}

#[tokio::test]
async fn files_go_out_as_parts_of_a_form() {
    let mock = mock(&[answer(200, "", "")]).await;
    let files = ["data:text/plain;charset=utf-8;base64,aGVsbG8=", "data:application/pdf;base64,JVBERg=="];
    let input = json!({"json_format": false, "body": {"k\"\r\n": "v", "n": 1}, "files": files, "files_name": "docs",
        "headers": {"Content-Type": "text/plain"}});
    send(&mock, input).await.expect("an answer");
    let seen = mock.seen(1).await.remove(0);
    let kind = seen.header("content-type").expect("a type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").expect("a multipart form");
    let part =
        |head: &str, body: &str| format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let expected = part("name=\"k%22%0D%0A\"", "v")
        + &part("name=\"n\"", "1")
        + &part("name=\"docs\"; filename=\"file-1.txt\"\r\nContent-Type: text/plain", "hello")
        + &part("name=\"docs\"; filename=\"file-2.pdf\"\r\nContent-Type: application/pdf", "%PDF")
        + &format!("--{boundary}--\r\n");
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn files_are_refused_that_cannot_be_sent() {
    let mock = mock(&[answer(200, "", "")]).await;
    let file = "data:text/plain;base64,aGk=";
    for (json_format, file, part) in [
        (true, file, "turn json_format off"),
        (false, "https://example.org/a.png", "web address"),
        (false, "a.png", "relative"),
        (false, "data:text/plain;base64,a", "not valid base64"),
        (false, "data:text/x\r\ny: z;base64,aGk=", "not a mime type"),
    ] {
        let text = text_of(send(&mock, json!({"json_format": json_format, "files": [file]})).await);
        assert!(text.contains(part), "{text}");
    }
    let huge = format!("data:a/b;base64,{}", "A".repeat(70 << 20));
    let text = text_of(send(&mock, json!({"json_format": false, "files": [huge, huge]})).await);
    assert_eq!(text, "the files are larger than 100 MB together");

    let direct = json!({"url": mock.url("/"), "json_format": false, "files": [file]});
    let text = text_of(send_with(&registry(&[&mock], Limits::default()), direct, outside_a_run()).await);
    assert_eq!(text, "sending files needs a graph run");
}

#[tokio::test]
async fn within_a_run_the_execution_names_the_request_unless_the_caller_does() {
    let exec = in_a_run().place.expect("a place").exec_id().to_string();
    for (headers, cx, key) in [
        (json!({}), in_a_run(), Some(exec.as_str())),
        (json!({"IDEMPOTENCY-key": "mine"}), in_a_run(), Some("mine")),
        (json!({}), outside_a_run(), None),
        (json!({"Idempotency-Key": "mine"}), outside_a_run(), Some("mine")),
    ] {
        let mock = mock(&[answer(200, "", "")]).await;
        let input = json!({"url": mock.url("/"), "headers": headers});
        send_with(&registry(&[&mock], Limits::default()), input, cx).await.expect("an answer");
        assert_eq!(mock.seen(1).await[0].header("idempotency-key"), key);
    }
}

#[tokio::test]
async fn redirects_are_followed_and_credentials_stay_behind() {
    let target = mock(&[answer(200, JSON, "1")]).await;
    let first = mock(&[
        answer(307, "location: /second\r\n", ""),
        answer(302, &format!("location: {}\r\n", target.url("/third")), ""),
    ])
    .await;
    let input =
        json!({"url": first.url("/first"), "body": {"a": 1}, "headers": {"Authorization": "Bearer x", "X-A": "1"}});
    let registry = registry(&[&first, &target], Limits::default());
    assert_eq!(send_with(&registry, input, in_a_run()).await, Ok(("response".to_owned(), json!(1))));
    let seen = first.seen(2).await;
    assert_eq!((seen[1].line(), seen[1].body.as_str()), ("POST /second", r#"{"a":1}"#));
    assert_eq!(seen[1].header("authorization"), Some("Bearer x"));
    let last = target.seen(1).await.remove(0);
    assert_eq!((last.line(), last.body.as_str()), ("GET /third", ""));
    assert_eq!((last.header("authorization"), last.header("x-a")), (None, Some("1")));
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let mock = mock(&[answer(302, "location: /again\r\n", "")]).await;
    let text = text_of(send(&mock, json!({})).await);
    assert_eq!(text, "more than 10 redirects, the last one from 127.0.0.1");
    assert_eq!(mock.seen(11).await.len(), 11);
}

#[tokio::test]
async fn what_is_inside_is_out_of_reach_by_default() {
    let inside = mock(&[answer(200, "", "secret")]).await;
    let port = inside.address.port();
    let registry = registry(&[], Limits::default());
    for host in ["name.example", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let input = json!({"url": format!("http://{host}:{port}/")});
        let text = text_of(send_with(&registry, input, in_a_run()).await);
        assert!(text.ends_with("is not allowed: its address is private or reserved"), "{text}");
        assert!(host != "name.example" || !text.contains("127."), "{text}");
    }
    let public = mock(&[answer(302, &format!("location: {}\r\n", inside.url("/")), "")]).await;
    let text = text_of(send(&public, json!({})).await);
    assert_eq!(text, "host 127.0.0.1 is not allowed: its address is private or reserved");
    assert_eq!(inside.seen(0).await.len(), 0);
}

#[tokio::test]
async fn texts_that_are_no_addresses_are_refused() {
    let registry = registry(&[], Limits::default());
    for (url, part) in
        [("", "the url is not valid"), ("file:///etc/passwd", "only http and https"), ("http://a b", "not valid")]
    {
        let text = text_of(send_with(&registry, json!({"url": url}), outside_a_run()).await);
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn servers_that_say_too_little_or_too_much_end_in_an_error() {
    let limits = Limits { body: 8, read: Duration::from_millis(50), whole: Duration::from_secs(20) };
    let half = "HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\nab".to_owned();
    for (said, expected) in [
        (String::new(), "127.0.0.1 sent nothing within 0.05 s"),
        (answer(200, "", "too long!"), "the answer of 127.0.0.1 is larger than 8 bytes"),
        (half, "the connection to 127.0.0.1 failed"),
        ("no HTTP at all\r\n\r\n".to_owned(), "the connection to 127.0.0.1 failed"),
    ] {
        let mock = mock(&[said]).await;
        let text = text_of(send_with(&registry(&[&mock], limits), json!({"url": mock.url("/")}), in_a_run()).await);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_ends_in_an_error() {
    // Taken and given back: nobody listens there.
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let policy = Policy::new(vec![format!("name.example:{port}").parse().expect("an entry")]);
    let options = Options { policy, resolver: Arc::new(Here), ..Options::default() };
    let registry = Registry::new(Ports { outbound: Some(Client::new(options)), ..Ports::default() });
    let text = text_of(send_with(&registry, json!({"url": format!("name.example:{port}")}), in_a_run()).await);
    assert_eq!(text, "cannot connect to name.example: connection refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_server_ends_the_node_with_words_that_say_what_it_did() {
    let mut calls = tokio::task::JoinSet::new();
    for upstream in upstreams::all() {
        calls.spawn(async move {
            let address = upstream.start().await;
            let registry = Registry::new(Ports { outbound: Some(upstream.client(address)), ..Ports::default() });
            let text = text_of(send_with(&registry, json!({"url": upstream.url(address)}), in_a_run()).await);
            assert!(text.contains(upstream.error), "{}: {text}", upstream.name);
        });
    }
    assert!(calls.join_all().await.len() > 50);
}
