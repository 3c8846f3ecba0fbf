//! What is sent and how redirects and retries are followed.

use std::time::Duration;

use crate::common::{Names, Say, Server, client, client_of, get, header, redirect, reply};
use heddle_outbound::{Error, Method, Phase, Request, Retry};
use serde_json::json;

#[tokio::test]
async fn a_request_is_sent_as_written() {
    let server =
        Server::saying(reply(201, "content-type: Application/JSON; charset=utf-8\r\nx-a: b\r\n", r#"{"a":[1]}"#)).await;
    let request = Request::post(server.url("/a/b?c=d%20e#f"))
        .header("X-Text", "grüße")
        .and_then(|request| request.idempotency_key("run-7"))
        .expect("headers")
        .json(&json!({"k": "v"}));
    let answer = client_of(&server).send(&request).await.expect("an answer");
    assert_eq!((answer.status.as_u16(), answer.content_type().as_str()), (201, "application/json"));
    assert_eq!(answer.headers["x-a"], "b");
    assert_eq!(answer.json::<serde_json::Value>().expect("json"), json!({"a": [1]}));
    assert_eq!(answer.url, server.url("/a/b?c=d%20e"));

    let seen = server.requests().remove(0);
    assert!(seen.starts_with("POST /a/b?c=d%20e HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{\"k\":\"v\"}"), "{seen}");
    for (name, value) in [
        ("host", server.address.to_string().as_str()),
        ("content-type", "application/json"),
        ("content-length", "9"),
        ("x-text", "grüße"),
        ("idempotency-key", "run-7"),
        ("user-agent", concat!("heddle/", env!("CARGO_PKG_VERSION"))),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, br, zstd"),
    ] {
        assert_eq!(header(&seen, name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn headers_cannot_split_a_request_or_name_another_host() {
    let server = Server::saying(reply(200, "", "")).await;
    let mut request = Request::post(server.url("/")).body("body");
    for (name, value) in
        [("Host", "inside.example"), ("Content-Length", "1"), ("Transfer-Encoding", "chunked"), ("Connection", "x")]
    {
        request = request.header(name, value).expect(name);
    }
    client_of(&server).send(&request).await.expect("an answer");
    let seen = server.requests().remove(0);
    assert_eq!(header(&seen, "host"), Some(server.address.to_string().as_str()));
    assert_eq!(header(&seen, "content-length"), Some("4"));
    assert_eq!((header(&seen, "transfer-encoding"), header(&seen, "connection")), (None, None));
}

#[tokio::test]
async fn user_info_is_sent_as_a_header_and_not_in_the_url() {
    let server = Server::saying(reply(200, "", "")).await;
    let url = format!("http://ada:s%3Acret@{}/", server.address);
    let answer = client_of(&server).send(&Request::get(url)).await.expect("an answer");
    assert_eq!(answer.url, server.url("/"));
    let seen = server.requests().remove(0);
    assert_eq!(header(&seen, "authorization"), Some("Basic YWRhOnM6Y3JldA=="));
    assert!(!seen.contains("cret@"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::saying(reply(200, "", "x")).await;
    let client = client_of(&server);
    for _ in 0..3 {
        client.send(&get(&server)).await.expect("an answer");
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn any_status_is_an_answer() {
    for status in [200, 204, 304, 400, 401, 404, 418, 500, 503] {
        let server = Server::saying(reply(status, "", "")).await;
        let answer = client_of(&server).send(&get(&server)).await.expect("an answer");
        assert_eq!(answer.status.as_u16(), status);
    }
}

#[tokio::test]
async fn a_redirect_drops_credentials_when_the_origin_changes() {
    let second = Server::saying(reply(200, "", "done")).await;
    let location = second.url("/there");
    let first = Server::start(move |number, _| {
        let text = if number == 0 { redirect(307, "/again") } else { redirect(307, &location) };
        vec![Say::Bytes(text.into_bytes())]
    })
    .await;
    let client =
        client(&[first.address.to_string(), second.address.to_string()], std::sync::Arc::new(Names::default()));
    let request = Request::post(first.url("/here"))
        .header("Authorization", "Bearer s")
        .and_then(|request| request.header("Cookie", "s=1"))
        .and_then(|request| request.header("Proxy-Authorization", "Basic s"))
        .and_then(|request| request.secret_header("X-Api-Key", "s"))
        .and_then(|request| request.header("X-Plain", "p"))
        .expect("headers")
        .body("body");
    let answer = client.send(&request).await.expect("an answer");
    assert_eq!((answer.text().as_ref(), &answer.url), ("done", &second.url("/there")));

    let (first, second) = (first.requests(), second.requests());
    for name in ["authorization", "cookie", "proxy-authorization", "x-api-key"] {
        assert!(first.iter().all(|request| header(request, name).is_some()), "{name} was lost");
        assert_eq!(header(&second[0], name), None);
    }
    assert_eq!(header(&second[0], "x-plain"), Some("p"));
    assert!(second[0].starts_with("POST /there") && second[0].ends_with("\r\n\r\nbody"));
}

#[tokio::test]
async fn ten_redirects_are_followed_and_the_eleventh_is_an_error() {
    for (count, good) in [(1, true), (10, true), (11, false), (usize::MAX, false)] {
        let server = Server::start(move |number, _| {
            let text = if number < count { redirect(302, &format!("/{number}")) } else { reply(200, "", "end") };
            vec![Say::Bytes(text.into_bytes())]
        })
        .await;
        let answer = client_of(&server).send(&get(&server)).await;
        assert_eq!(answer.is_ok(), good, "{count}");
        assert!(good || answer.expect_err("too many") == Error::Redirects { host: "127.0.0.1".to_owned(), limit: 10 });
        assert_eq!(server.requests().len(), count.min(10) + 1);
    }
}

#[tokio::test]
async fn a_redirect_is_the_answer_when_none_is_to_be_followed_or_none_is_named() {
    let server = Server::saying(redirect(302, "http://127.0.0.1:1/")).await;
    let answer = client_of(&server).send(&get(&server).redirects(0)).await.expect("an answer");
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["location"]),
        (302, &"http://127.0.0.1:1/".parse().expect("a value"))
    );

    let server = Server::saying(reply(302, "", "nowhere")).await;
    assert_eq!(client_of(&server).send(&get(&server)).await.expect("an answer").text(), "nowhere");
}

#[tokio::test]
async fn post_becomes_get_after_303() {
    let server = Server::start(|number, _| {
        vec![Say::Bytes(if number == 0 { redirect(303, "/b") } else { reply(200, "", "") }.into_bytes())]
    })
    .await;
    client_of(&server).send(&Request::post(server.url("/a")).json(&json!({}))).await.expect("an answer");
    let seen = server.requests().remove(1);
    assert!(seen.starts_with("GET /b HTTP/1.1\r\n") && seen.ends_with("\r\n\r\n"), "{seen}");
    assert_eq!((header(&seen, "content-type"), header(&seen, "content-length")), (None, None));
}

#[tokio::test]
async fn passing_failures_are_tried_again_with_the_same_key() {
    let server = Server::start(|number, _| {
        vec![Say::Bytes(reply([503, 429, 200][number], "", ["", "", "done"][number]).into_bytes())]
    })
    .await;
    let retry = Retry { first: Duration::ZERO, jitter: Duration::ZERO, ..Retry::up_to(5) };
    let request = Request::new(Method::PUT, server.url("/")).body("body").retry(retry);
    let request = request.idempotency_key("key-1").expect("a key");
    assert_eq!(client_of(&server).send(&request).await.expect("an answer").text(), "done");
    let seen = server.requests();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|one| header(one, "idempotency-key") == Some("key-1") && one.ends_with("\r\n\r\nbody")));
}

#[tokio::test]
async fn nothing_is_tried_again_unless_asked() {
    let server = Server::saying(reply(503, "", "busy")).await;
    assert_eq!(client_of(&server).send(&get(&server)).await.expect("an answer").text(), "busy");
    assert_eq!(server.requests().len(), 1);

    let retry = Retry { first: Duration::ZERO, jitter: Duration::ZERO, ..Retry::up_to(3) };
    assert_eq!(client_of(&server).send(&get(&server).retry(retry)).await.expect("an answer").status, 503);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn all_attempts_together_end_in_their_time() {
    // It answers at once and asks for more time than there is: the answer stands.
    let server = Server::saying(reply(503, "retry-after: 60\r\n", "busy")).await;
    let request = get(&server).retry(Retry::up_to(u32::MAX)).within(Duration::from_secs(5));
    assert_eq!(client_of(&server).send(&request).await.expect("an answer").text(), "busy");
    assert_eq!(server.requests().len(), 1);

    // It is silent: the first attempt gets what there is, although it could have had minutes.
    let server = Server::start(|_, _| vec![Say::Silence]).await;
    let within = Duration::from_millis(100);
    let error = client_of(&server).send(&get(&server).within(within)).await.expect_err("silence");
    assert!(matches!(error, Error::Timeout { phase: Phase::Whole, after, .. } if after <= within), "{error}");
}

#[tokio::test]
async fn many_slow_calls_to_one_host_go_on_at_once() {
    const CALLS: usize = 300;
    let here = std::sync::Arc::new(tokio::sync::Barrier::new(CALLS));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn({
        let here = std::sync::Arc::clone(&here);
        async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let here = std::sync::Arc::clone(&here);
                tokio::spawn(async move {
                    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                    let mut asked = [0; 4096];
                    let _ = stream.read(&mut asked).await;
                    // None is answered before all were asked.
                    here.wait().await;
                    let _ = stream.write_all(reply(200, "", "done").as_bytes()).await;
                });
            }
        }
    });
    let client = client(&[address.to_string()], std::sync::Arc::new(Names::default()));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let (client, url) = (client.clone(), format!("http://{address}/"));
        calls.spawn(
            async move { client.send(&Request::post(url).body("x")).await.map(|answer| answer.status.as_u16()) },
        );
    }
    assert!(calls.join_all().await.into_iter().all(|status| status == Ok(200)));
}
