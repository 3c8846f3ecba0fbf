use std::net::{IpAddr, Ipv4Addr};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{Client, Error, Options, Policy, Request, Resolve};

struct Loopback;

#[async_trait::async_trait]
impl Resolve for Loopback {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// What a server that proves to be `name` is made of, and the root to trust.
pub(crate) fn identity(name: &str) -> (ServerConfig, CertificateDer<'static>) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a key")).expect("a root");
    let key = KeyPair::generate().expect("a key");
    let leaf =
        CertificateParams::new([name.to_owned()]).expect("a name").signed_by(&key, &root).expect("a certificate");

    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("default versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a pair");
    (config, root.der().clone())
}

/// A server that says `secure` over HTTP/1.1; its port, and the root to trust.
async fn server(name: &str) -> (u16, CertificateDer<'static>) {
    let (config, root) = identity(name);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = [0; 4096];
            let read = stream.read(&mut asked).await.unwrap_or(0);
            let answer: &[u8] = if asked[..read].starts_with(b"GET /") {
                b"HTTP/1.1 200 x\r\ncontent-length: 6\r\n\r\nsecure"
            } else {
                b"220 ready"
            };
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, root)
}

pub(crate) fn client(port: u16, extra: Vec<CertificateDer<'static>>) -> Client {
    let policy = Policy::new(vec![format!("127.0.0.1:{port}").parse().expect("an entry")]);
    Client::trusting(Options { policy, resolver: Arc::new(Loopback), ..Options::default() }, extra)
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_trusted() {
    let (port, root) = server("good.example").await;
    let client = client(port, vec![root]);
    for host in ["good.example", "good.example."] {
        let answer = client.send(&Request::get(format!("https://{host}:{port}/"))).await.expect("an answer");
        assert_eq!(answer.text(), "secure", "{host}");
    }
}

#[tokio::test]
async fn a_server_may_prove_an_address() {
    let (port, root) = server("127.0.0.1").await;
    let answer = client(port, vec![root]).send(&Request::get(format!("https://127.0.0.1:{port}/"))).await;
    assert_eq!(answer.expect("an answer").text(), "secure");
}

#[tokio::test]
async fn an_unknown_root_another_name_and_no_tls_at_all_are_refused() {
    let (port, root) = server("good.example").await;
    let https = |host: &str, port| Request::get(format!("https://{host}:{port}/"));
    let unknown = client(port, Vec::new()).send(&https("good.example", port)).await.expect_err("unknown root");
    assert_eq!(unknown.to_string(), "no secure connection to good.example: invalid peer certificate: UnknownIssuer");
    let other = client(port, vec![root]).send(&https("evil.example", port)).await.expect_err("another name");
    assert!(matches!(&other, Error::Tls { host, .. } if host == "evil.example"), "{other}");

    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = plain.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let error = client(port, Vec::new()).send(&https("good.example", port)).await.expect_err("not TLS");
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_connection_that_begins_in_clear_is_secured_later() {
    let (port, root) = server("mail.example").await;
    let client = client(port, vec![root]);
    let stream = client.dial("mail.example", port).await.expect("a connection");
    let mut stream = client.secure("mail.example", stream).await.expect("a secure one");
    stream.write_all(b"EHLO x\r\n").await.expect("written");
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).await.expect("read");
    assert_eq!(&answer, b"220 ready");

    let stream = client.dial("mail.example", port).await.expect("a connection");
    assert!(matches!(client.secure("evil.example", stream).await, Err(Error::Tls { .. })));
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_given_up() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let policy = Policy::new(vec![format!("127.0.0.1:{port}").parse().expect("an entry")]);
    let connect = std::time::Duration::from_millis(50);
    let client = Client::new(Options { policy, resolver: Arc::new(Loopback), connect, ..Options::default() });
    let error = client.send(&Request::get(format!("https://good.example:{port}/"))).await.expect_err("silence");
    assert_eq!(error.to_string(), "good.example did not accept a connection within 0.05 s");
}

#[tokio::test]
async fn a_server_that_offers_http_2_gets_it() {
    use http_body_util::{BodyExt as _, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let (mut config, root) = identity("good.example");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        // One connection only: the second request has to share it.
        let (stream, _) = listener.accept().await.expect("a connection");
        let stream = TokioIo::new(acceptor.accept(stream).await.expect("a handshake"));
        let answer = hyper::service::service_fn(|request: http::Request<hyper::body::Incoming>| async {
            let (version, host) = (request.version(), request.uri().authority().map(ToString::to_string));
            let body = request.into_body().collect().await?.to_bytes();
            let text = format!("{version:?} {} {}", host.unwrap_or_default(), String::from_utf8_lossy(&body));
            Ok::<_, hyper::Error>(http::Response::new(Full::new(bytes::Bytes::from(text))))
        });
        let _ =
            hyper_util::server::conn::auto::Builder::new(TokioExecutor::new()).serve_connection(stream, answer).await;
    });

    let client = client(port, vec![root]);
    let request = Request::post(format!("https://good.example:{port}/"))
        .header("Connection", "keep-alive")
        .and_then(|request| request.header("Host", "evil.example"))
        .expect("headers")
        .body("body");
    // From another task too, as blocks do: the future can be sent.
    let first = tokio::spawn({
        let (client, request) = (client.clone(), request.clone());
        async move { client.send(&request).await }
    });
    let expected = format!("HTTP/2.0 good.example:{port} body");
    assert_eq!(first.await.expect("no panic").expect("an answer").text(), expected);
    assert_eq!(client.send(&request).await.expect("an answer").text(), expected);
}
