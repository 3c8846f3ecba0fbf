//! A peer cannot take up more bytes or time than it was given.

use std::io::Write as _;
use std::time::Duration;

use crate::common::{Say, Server, client_of, get, reply, short};
use flate2::Compression;
use flate2::write::GzEncoder;
use heddle_outbound::{Error, Limits, Method, Phase, Request};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn packed(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 x\r\ncontent-encoding: GZip\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn chunked(piece: &[u8], times: usize) -> Vec<u8> {
    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    [&b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n"[..], &chunk.repeat(times), b"0\r\n\r\n"].concat()
}

fn limit(body: u64) -> Limits {
    Limits { body, ..Limits::default() }
}

fn too_large(limit: u64) -> Error {
    Error::TooLarge { host: "127.0.0.1".to_owned(), limit }
}

fn late(phase: Phase, after: Duration) -> Error {
    Error::Timeout { host: "127.0.0.1".to_owned(), phase, after }
}

async fn serve(bytes: Vec<u8>) -> Server {
    Server::start(move |_, _| vec![Say::Bytes(bytes.clone())]).await
}

#[tokio::test]
async fn a_body_is_taken_up_to_its_bound() {
    let until_close = [&b"HTTP/1.1 200 x\r\n\r\n"[..], &[b'x'; 1000]].concat();
    for bytes in [reply(200, "", &"x".repeat(1000)).into_bytes(), chunked(&[b'x'; 100], 10), until_close] {
        let server = serve(bytes).await;
        let client = client_of(&server);
        let answer = client.send(&get(&server).limits(limit(1000))).await.expect("just fits");
        assert_eq!(answer.body.len(), 1000);
        let error = client.send(&get(&server).limits(limit(999))).await.expect_err("one byte too many");
        assert_eq!(error, too_large(999));
    }
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_read() {
    let head = "HTTP/1.1 200 x\r\ncontent-length: 1000000000000\r\n\r\n";
    let server = Server::start(|_, _| vec![Say::Bytes(head.as_bytes().to_vec()), Say::Silence]).await;
    assert_eq!(client_of(&server).send(&get(&server)).await.expect_err("refused"), too_large(10 * 1024 * 1024));
}

#[tokio::test]
async fn a_compressed_body_is_unpacked_and_its_headers_follow() {
    let text = "to and fro ".repeat(5000);
    let (one, two) = text.split_at(20_000);
    for body in [gzip(text.as_bytes()), [gzip(one.as_bytes()), gzip(two.as_bytes())].concat()] {
        let server = serve(packed(&body)).await;
        let answer = client_of(&server).send(&get(&server)).await.expect("unpacked");
        assert_eq!(answer.text(), text);
        assert!(!answer.headers.contains_key("content-encoding") && !answer.headers.contains_key("content-length"));
    }
}

#[tokio::test]
async fn every_coding_is_undone_and_handed_over_as_it_comes() {
    use base64::Engine as _;
    let text = "to and fro ".repeat(5000);
    let brotli = "G9fW+I2UqtujDjNzo9Mgb2Ry48AIoENngEPjAw==";
    for (named, body) in [
        ("x-gzip", gzip(text.as_bytes())),
        ("BR", base64::engine::general_purpose::STANDARD.decode(brotli).expect("base64")),
        ("zstd", zstd::bulk::compress(text.as_bytes(), 3).expect("memory")),
        ("deflate", {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).expect("memory");
            encoder.finish().expect("memory")
        }),
    ] {
        let head = format!("HTTP/1.1 200 x\r\ncontent-encoding: {named}\r\ncontent-length: {}\r\n\r\n", body.len());
        let server = serve([head.as_bytes(), &body].concat()).await;
        let answer = client_of(&server).send(&get(&server)).await.expect(named);
        assert_eq!(answer.text(), text, "{named}");
        assert!(!answer.headers.contains_key("content-encoding"), "{named}");

        let small = client_of(&server).send(&get(&server).limits(limit(54_999))).await;
        assert_eq!(small.expect_err("one byte too many"), too_large(54_999), "{named}");
    }
}

#[tokio::test]
async fn a_compressed_stream_is_handed_over_as_it_comes() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"data: 1\n\n").expect("memory");
    encoder.flush().expect("memory");
    let piece = encoder.get_ref().clone();
    let head = "HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";
    let event = [head.as_bytes(), format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
    let server = Server::start(move |_, _| vec![Say::Bytes(event.clone()), Say::Silence]).await;
    let mut answer = client_of(&server).open(&get(&server)).await.expect("a head");
    // The server says nothing more, so what the decoder held back would never come.
    assert_eq!(answer.body.chunk().await.expect("a piece").as_deref(), Some(&b"data: 1\n\n"[..]));
}

#[tokio::test]
async fn a_compressed_body_is_left_alone_when_the_caller_asked_for_it_or_nobody_did() {
    let body = gzip(b"text");
    let server = serve(packed(&body)).await;
    let request = get(&server).header("Accept-Encoding", "gzip").expect("a header");
    let answer = client_of(&server).send(&request).await.expect("as sent");
    assert_eq!((answer.body.to_vec(), &answer.headers["content-encoding"]), (body, &"GZip".parse().expect("a value")));

    for named in ["compress", "gzip, br", "identity"] {
        let server = Server::saying(reply(200, &format!("content-encoding: {named}\r\n"), "?")).await;
        let answer = client_of(&server).send(&get(&server)).await.expect("as sent");
        let encoding = &answer.headers["content-encoding"];
        assert_eq!((answer.text().as_ref(), encoding), ("?", &named.parse().expect("a value")));
    }
}

#[tokio::test]
async fn a_bomb_is_noticed_at_the_bound() {
    let zeros = vec![0; 32 * 1024 * 1024];
    let bomb = gzip(&zeros);
    assert!(bomb.len() < 64 * 1024);
    let server = serve(packed(&bomb)).await;
    let client = client_of(&server);
    assert_eq!(client.send(&get(&server).limits(limit(100_000))).await.expect_err("a bomb"), too_large(100_000));

    let mut answer = client.open(&get(&server).limits(limit(100_000))).await.expect("a head");
    let mut unpacked = 0;
    let error = loop {
        match answer.body.chunk().await {
            Ok(piece) => unpacked += piece.expect("no end before the bound").len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, too_large(100_000));
    assert!(unpacked <= 100_000);
    // Many empty members unpack to nothing but still count as sent.
    let server = serve(packed(&gzip(b"").repeat(1000))).await;
    assert_eq!(client_of(&server).send(&get(&server).limits(limit(5000))).await.expect_err("long"), too_large(5000));
}

#[tokio::test]
async fn a_damaged_compressed_body_is_an_error() {
    let good = gzip(&b"text".repeat(100));
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let mut wrong_sum = good.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    for body in [&b"not gzip"[..], &good[..good.len() - 9], &good[..5], &flipped, &wrong_sum] {
        let server = serve(packed(body)).await;
        let error = client_of(&server).send(&get(&server)).await.expect_err("damaged");
        assert_eq!(error.to_string(), "the answer of 127.0.0.1 cannot be decompressed");
    }
}

#[tokio::test]
async fn an_answer_without_body_may_be_labelled_as_compressed() {
    let server = Server::saying("HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: 70\r\n\r\n").await;
    let answer = client_of(&server).send(&Request::new(Method::HEAD, server.url("/"))).await.expect("a head");
    assert!(answer.body.is_empty());
    let server = serve(packed(b"")).await;
    assert!(client_of(&server).send(&get(&server)).await.expect("empty").body.is_empty());
}

#[tokio::test]
async fn a_silent_peer_is_given_up() {
    let part = "HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\nabc";
    let server = Server::start(|_, _| vec![Say::Bytes(part.as_bytes().to_vec()), Say::Silence]).await;
    let error = client_of(&server).send(&get(&server).limits(short(100))).await.expect_err("silent in its body");
    assert_eq!(error, late(Phase::Read, Duration::from_millis(50)));
    assert_eq!(error.to_string(), "127.0.0.1 sent nothing within 0.05 s");
}

#[tokio::test]
async fn a_peer_that_is_busy_for_ever_is_given_up() {
    // Bytes keep coming, so no silence is long enough; the whole is.
    let server = Server::start(|_, _| {
        let endless = std::iter::repeat_n(Say::Bytes(vec![b'x'; 1024]), 1_000_000);
        let head = b"HTTP/1.1 200 x\r\ncontent-length: 10000000000\r\n\r\n".to_vec();
        std::iter::once(Say::Bytes(head)).chain(endless).collect()
    })
    .await;
    let whole = Duration::from_millis(200);
    let limits = Limits { body: u64::MAX, whole, ..Limits::default() };
    let error = client_of(&server).send(&get(&server).limits(limits)).await.expect_err("endless");
    assert_eq!(error, late(Phase::Whole, whole));

    // Silence before the head counts too.
    let server = Server::start(|_, _| vec![Say::Silence]).await;
    let limits = Limits { whole: Duration::from_millis(50), ..Limits::default() };
    let error = client_of(&server).send(&get(&server).limits(limits)).await.expect_err("no head");
    assert_eq!(error, late(Phase::Whole, Duration::from_millis(50)));
}

#[tokio::test]
async fn endless_heads_and_other_protocols_are_refused() {
    let long = format!("HTTP/1.1 200 x\r\nx: {}\r\n\r\n", "y".repeat(1024 * 1024));
    let many = format!("HTTP/1.1 200 x\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    for text in [long, many, "SSH-2.0-OpenSSH_9.9\r\n".to_owned(), "220 mail.example ESMTP\r\n".to_owned()] {
        let server = Server::saying(text.clone()).await;
        let error = client_of(&server).send(&get(&server)).await.expect_err("refused");
        assert!(matches!(error, Error::Broken { .. }), "{error} for {}", &text[..20]);
    }
}

#[tokio::test]
async fn a_body_cut_short_is_an_error() {
    let server = Server::start(|_, _| {
        vec![Say::Bytes(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc".to_vec())]
    })
    .await;
    let error = client_of(&server).send(&get(&server)).await.expect_err("cut");
    assert!(matches!(error, Error::Broken { .. }), "{error}");
}

#[tokio::test]
async fn a_stream_is_handed_over_piece_by_piece() {
    let server = Server::start(|_, _| {
        let head = b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n6\r\nevent1\r\n".to_vec();
        vec![Say::Bytes(head), Say::Silence]
    })
    .await;
    let mut answer = client_of(&server).open(&get(&server)).await.expect("a head");
    // The peer stays silent after this, so a client that waited for more would not hand it over.
    assert_eq!(answer.body.chunk().await.expect("a piece").as_deref(), Some(&b"event1"[..]));
}
