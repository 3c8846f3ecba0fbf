//! A public server that sends its clients inside, and a resolver that changes its mind.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use heddle_outbound::{Error, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::recorder::{Names, PUBLIC, Recorder, client};
use crate::spellings;

/// Answers `GET /N` by a redirect to the text number N, with the status given.
async fn sending_to(texts: Arc<Vec<String>>, status: u16) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(redirect(stream, Arc::clone(&texts), status));
        }
    });
    address
}

async fn redirect(mut stream: TcpStream, texts: Arc<Vec<String>>, status: u16) {
    let mut asked = vec![0; 8192];
    while let Ok(read @ 1..) = stream.read(&mut asked).await {
        let head = String::from_utf8_lossy(&asked[..read]).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let number: usize = path.trim_start_matches('/').parse().unwrap_or(usize::MAX);
        let location = texts.get(number).map(String::as_str).unwrap_or_default();
        let answer = format!("HTTP/1.1 {status} x\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Those that a header can carry.
fn texts() -> Vec<String> {
    let is_sendable = |text: &String| !text.contains(['\r', '\n', '\0', '\t']) && !text.trim().is_empty();
    spellings::all().into_iter().filter(is_sendable).collect()
}

#[tokio::test]
async fn a_redirect_to_any_spelling_is_not_followed_inside() {
    let texts = Arc::new(texts());
    for status in [301, 307] {
        let recorder = Recorder::new(Some(sending_to(Arc::clone(&texts), status).await));
        let client = client(&recorder, Names::none());
        for (number, text) in texts.iter().enumerate() {
            // Some lead back to the public server: a text without host is a path there.
            let answer = client.send(&Request::get(format!("http://public.example/{number}")).redirects(3)).await;
            assert!(answer.is_err(), "{text:?}");
            let dialled = recorder.take();
            assert!(dialled.iter().all(|address| address.ip() == PUBLIC), "{text:?} dialled {dialled:?}");
        }
    }
    assert!(texts.len() >= 120);
}

#[tokio::test]
async fn an_answer_of_the_resolver_holds_for_one_connection_and_is_the_one_judged() {
    let inside: IpAddr = "169.254.169.254".parse().expect("an address");
    let public: IpAddr = PUBLIC.into();
    let other: IpAddr = "1.1.1.1".parse().expect("an address");
    for (answers, dialled) in [
        // Judged inside, and asked anew for nothing.
        (vec![vec![inside], vec![public]], vec![]),
        // Judged public: dialled as judged, and the next connection is judged anew.
        (vec![vec![other], vec![inside]], vec![other]),
        // Of several, only the public ones.
        (vec![vec![inside, other]], vec![other, other]),
        (vec![vec![other, inside]], vec![other, other]),
        (vec![vec![inside, "127.0.0.1".parse().expect("an address")]], vec![]),
    ] {
        let recorder = Recorder::new(None);
        let lists: Vec<_> = answers.iter().map(Vec::as_slice).collect();
        let client = client(&recorder, Names::of("rebind.example", &lists));
        for _ in 0..2 {
            assert!(client.send(&Request::get("http://rebind.example/")).await.is_err());
            if answers.len() > 1 && dialled.is_empty() {
                break;
            }
        }
        let seen: Vec<_> = recorder.take().into_iter().map(|address| address.ip()).collect();
        assert_eq!(seen, dialled, "{answers:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_name_that_points_inside_is_not_followed() {
    let texts = Arc::new(vec!["http://inside.example/".to_owned()]);
    let recorder = Recorder::new(Some(sending_to(texts, 302).await));
    for inside in ["127.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "fd00::1", "100.100.100.200"] {
        let client = client(&recorder, Names::of("inside.example", &[&[inside.parse().expect("an address")]]));
        let error = client.send(&Request::get("http://public.example/0")).await.expect_err(inside);
        assert_eq!(error, Error::Blocked { host: "inside.example".to_owned() });
        assert_eq!(recorder.take(), [(PUBLIC, 80).into()], "{inside}");
    }
}
