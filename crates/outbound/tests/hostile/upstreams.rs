//! The list of hostile servers. The blocks' tests use this file too.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use heddle_outbound::{Client, Limits, Options, Policy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server and how a call to it ends.
#[derive(Clone)]
pub struct Upstream {
    pub name: &'static str,
    scheme: &'static str,
    acts: Vec<Act>,
    /// Part of the error's text.
    pub error: &'static str,
}

/// How the clock ends a call: which of its bounds it is depends on the machine's mood.
const SLOW: &str = " within ";

/// What it does once it was spoken to, in order; then it closes the connection.
#[derive(Clone)]
enum Act {
    Send(Vec<u8>),
    /// The same for ever, as fast as it is taken.
    Endless(Vec<u8>),
    /// The same for ever, a little at a time.
    Drip(Vec<u8>),
    Silence,
}
use Act::{Drip, Endless, Send, Silence};

impl Upstream {
    /// Starts it; it ends with the runtime of its test.
    pub async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let acts = self.acts.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(act(stream, acts.clone()));
            }
        });
        address
    }

    /// Whether it is ended by the clock. The others must not be: they get all the time of a busy machine.
    pub fn is_slow(&self) -> bool {
        self.error == SLOW
    }

    /// A client that reaches it, with a mebibyte's patience for its body.
    pub fn client(&self, address: SocketAddr) -> Client {
        let (connect, read, whole) = if self.is_slow() { (500, 300, 1500) } else { (30_000, 60_000, 120_000) };
        let [connect, read, whole] = [connect, read, whole].map(Duration::from_millis);
        let policy = Policy::new(vec![address.to_string().parse().expect("an entry")]);
        let limits = Limits { body: 1 << 20, read, whole };
        Client::new(Options { policy, connect, limits, ..Options::default() })
    }

    pub fn url(&self, address: SocketAddr) -> String {
        format!("{}://{address}/", self.scheme)
    }
}

async fn act(mut stream: TcpStream, acts: Vec<Act>) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    if stream.read(&mut asked).await? == 0 {
        return Ok(());
    }
    for act in acts {
        match act {
            Send(bytes) => stream.write_all(&bytes).await?,
            Endless(bytes) => loop {
                stream.write_all(&bytes).await?;
            },
            Drip(bytes) => loop {
                stream.write_all(&bytes).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            },
            Silence => std::future::pending().await,
        }
    }
    stream.shutdown().await
}

/// All of them. A body counts as too large from a mebibyte on at the latest, silence as too long within a second.
pub fn all() -> Vec<Upstream> {
    let http = |name, acts, error| Upstream { name, scheme: "http", acts, error };
    let https = |name, acts, error| Upstream { name, scheme: "https", acts, error };
    let send = |text: &str| Send(text.as_bytes().to_vec());
    let head = |headers: &str| Send(format!("HTTP/1.1 200 x\r\n{headers}\r\n").into_bytes());
    let chunked = || head("transfer-encoding: chunked\r\n");
    let packed = |coding: &str| head(&format!("content-encoding: {coding}\r\ntransfer-encoding: chunked\r\n"));
    let slow = SLOW;
    let too_large = "is larger than";
    let damaged = "cannot be decompressed";
    let broken = "the connection to 127.0.0.1 failed";
    let zeros = vec![0; 1024 * 1024];
    vec![
        // Slow.
        http("accepts and says nothing", vec![Silence], slow),
        http("drips its head", vec![send("HTTP/1.1 200 x\r\nx: "), Drip(b"a".to_vec())], slow),
        http("says wait for ever", vec![Drip(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())], slow),
        http("stops in its head", vec![send("HTTP/1.1 200 x\r\nx: "), Silence], slow),
        http("stops in its body", vec![head("content-length: 9\r\n"), send("abc"), Silence], slow),
        http("drips its body", vec![head("content-length: 999999\r\n"), Drip(b"a".to_vec())], slow),
        http("drips its chunks", vec![chunked(), Drip(b"1\r\na\r\n".to_vec())], slow),
        http("stops in a chunk", vec![chunked(), send("ff\r\nabc"), Silence], slow),
        http(
            "drips compressed nothing",
            vec![packed("gzip"), send("14\r\n"), Send(gzip(b"")), send("\r\n"), Drip(b"1\r\n\x1f\r\n".to_vec())],
            slow,
        ),
        // Endless and huge.
        http("never ends its body", vec![head(""), Endless(zeros.clone())], too_large),
        http("never ends its chunks", vec![chunked(), Endless(chunk(&zeros))], too_large),
        http("announces a terabyte", vec![head("content-length: 1000000000000\r\n"), Silence], too_large),
        http("announces more than a number holds", vec![head("content-length: 99999999999999999999\r\n")], broken),
        http("never ends its first line", vec![send("HTTP/1.1 200 "), Endless(vec![b'x'; 65536])], broken),
        http("never ends a header", vec![send("HTTP/1.1 200 x\r\nx: "), Endless(vec![b'x'; 65536])], broken),
        http("never ends its headers", vec![send("HTTP/1.1 200 x\r\n"), Endless(b"x: y\r\n".repeat(9999))], broken),
        http("sends ten thousand headers", vec![head(&"x: y\r\n".repeat(10_000))], broken),
        http("sends a header of a mebibyte", vec![head(&format!("x: {}\r\n", "y".repeat(1 << 20)))], broken),
        http("says go on for ever", vec![Endless(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000))], slow),
        http("never ends a chunk's size", vec![chunked(), Endless(vec![b'0'; 65536])], slow),
        http("never ends a chunk's extension", vec![chunked(), send("1;"), Endless(vec![b'x'; 65536])], broken),
        http("never ends its trailers", vec![chunked(), send("0\r\n"), Endless(b"x: y\r\n".repeat(9999))], broken),
        http("has one trailer without end", vec![chunked(), send("0\r\nx: "), Endless(vec![b'y'; 65536])], broken),
        // Bombs, each of a gibibyte or without end.
        http("packs a bomb by gzip", vec![packed("gzip"), Endless(chunk(&gzip(&zeros)))], too_large),
        http("packs a bomb by deflate", vec![packed("deflate"), Send(chunk(&zlib(&zeros.repeat(8))))], too_large),
        http("packs a bomb by brotli", vec![packed("br"), Send(chunk(&brotli()))], too_large),
        http("packs a bomb by zstd", vec![packed("zstd"), Endless(chunk(&zstd(&zeros)))], too_large),
        http("packs nothing again and again", vec![packed("gzip"), Endless(chunk(&gzip(b"").repeat(1000)))], too_large),
        http("packs nothing by zstd", vec![packed("zstd"), Endless(chunk(&zstd(b"").repeat(1000)))], too_large),
        http("wants a window of 128 MiB", vec![packed("zstd"), Send(chunk(&WINDOW)), send("0\r\n\r\n")], damaged),
        http("says gzip and is not", vec![packed("gzip"), Send(chunk(b"plain text")), send("0\r\n\r\n")], damaged),
        http("says brotli and is not", vec![packed("br"), Send(chunk(&[0xff; 99])), send("0\r\n\r\n")], damaged),
        http("cuts gzip short", vec![packed("gzip"), Send(chunk(&gzip(&zeros)[..99])), send("0\r\n\r\n")], damaged),
        http("lies about its sum", vec![packed("gzip"), Send(chunk(&flipped())), send("0\r\n\r\n")], damaged),
        // Lengths that are not true.
        http("says less than it announced", vec![head("content-length: 10\r\n"), send("abc")], broken),
        http("announces two lengths", vec![head("content-length: 3\r\ncontent-length: 4\r\n"), send("abcd")], broken),
        http("announces a negative length", vec![head("content-length: -1\r\n"), send("abc")], broken),
        http("announces a length in words", vec![head("content-length: three\r\n"), send("abc")], broken),
        http("cuts its chunks short", vec![chunked(), send("5\r\nab")], broken),
        http("leaves the last chunk out", vec![chunked(), send("2\r\nab\r\n")], broken),
        http("has chunks of no size", vec![chunked(), send("zz\r\nab\r\n0\r\n\r\n")], broken),
        http("has a chunk larger than a number", vec![chunked(), send("fffffffffffffffff\r\n")], broken),
        http("has chunks without a border", vec![chunked(), send("2\r\nabXX0\r\n\r\n")], broken),
        // Circles.
        http("sends back to itself", vec![redirect("/")], "more than 10 redirects"),
        http("sends on without end", vec![redirect("?")], "more than 10 redirects"),
        http("sends to nowhere", vec![redirect("http://")], "redirected to an address that is not valid"),
        http("sends to another protocol", vec![redirect("gopher://127.0.0.1/")], "only http and https are"),
        http("sends inside", vec![redirect("http://169.254.169.254/")], "its address is private or reserved"),
        http(
            "sends to a host of a hundred thousand letters",
            vec![redirect(&format!("http://{}/", "a".repeat(100_000)))],
            "redirected to an address that is not valid",
        ),
        // Not HTTP, or not TLS.
        http("closes", vec![], broken),
        http("speaks SSH", vec![send("SSH-2.0-OpenSSH_9.9\r\n")], broken),
        http("speaks SMTP", vec![send("220 mail.example ESMTP\r\n")], broken),
        http("speaks the web's first dialect", vec![send("<html>hello</html>")], broken),
        http("speaks noise", vec![Endless((0..=255).collect())], broken),
        http("has a status of five digits", vec![send("HTTP/1.1 20000 x\r\n\r\n")], broken),
        http("has a header without name", vec![head(": x\r\n")], broken),
        http("has a header with a zero byte", vec![head("x: a\0b\r\n")], broken),
        https("speaks HTTP where TLS is due", vec![head("content-length: 0\r\n")], "no secure connection to 127.0.0.1"),
        https("speaks noise where TLS is due", vec![Endless(vec![0x16; 4096])], "no secure connection to 127.0.0.1"),
        https("closes during the handshake", vec![], "no secure connection to 127.0.0.1"),
        https(
            "ends the handshake with an alert",
            vec![Send(vec![0x15, 3, 3, 0, 2, 2, 40])],
            "no secure connection to 127.0.0.1",
        ),
        https("announces a record that never comes", vec![Send(vec![0x16, 3, 3, 0x3f, 0xff]), Silence], slow),
        https("is silent in the handshake", vec![Silence], slow),
        // A record of the largest size is announced, and comes a byte at a time.
        https("drips its handshake", vec![Send(vec![0x16, 3, 3, 0x40, 0]), Drip(vec![0])], slow),
    ]
}

/// The head of a frame that wants a window of 128 MiB.
const WINDOW: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];

fn redirect(location: &str) -> Act {
    Send(format!("HTTP/1.1 302 x\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes())
}

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn flipped() -> Vec<u8> {
    let mut data = gzip(b"text");
    let sum = data.len() - 8;
    data[sum] ^= 1;
    data
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ::zstd::bulk::compress(data, 1).expect("memory")
}

/// 32 MiB of zeros: nothing here can write brotli.
fn brotli() -> Vec<u8> {
    let text = "y///P/gnAOKxQCD3/o///3/wTwDEYRGA7v0f////4J8AiMMCAN37v/z//8M/ARCHBQC6938=";
    STANDARD.decode(text).expect("base64")
}
