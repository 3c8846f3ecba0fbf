//! A server on the loopback that answers as told, and what stands around it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heddle_outbound::{Allow, Client, Limits, Options, Policy, Request, Resolve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server; it ends with the runtime of its test.
pub struct Server {
    pub address: SocketAddr,
    /// Every request it read, head and body.
    pub seen: Arc<Mutex<Vec<String>>>,
    /// How many connections it took.
    pub connections: Arc<AtomicUsize>,
}

/// What the server writes, in order. It closes the connection afterwards unless the answer says how long it is.
#[derive(Clone)]
pub enum Say {
    Bytes(Vec<u8>),
    /// Writes nothing more, and keeps the connection open.
    Silence,
}

impl Server {
    /// Answers the request number `n` with `answer(n, request)`.
    pub async fn start(answer: impl Fn(usize, &str) -> Vec<Say> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (log, count, answer) = (Arc::clone(&seen), Arc::clone(&connections), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, Arc::clone(&log), Arc::clone(&answer)));
            }
        });
        Self { address, seen, connections }
    }

    /// Answers every request with `text`.
    pub async fn saying(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::start(move |_, _| vec![Say::Bytes(text.clone().into_bytes())]).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("no panic while logging").clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn converse(
    mut stream: TcpStream,
    log: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(usize, &str) -> Vec<Say> + Send + Sync + 'static>,
) -> io::Result<()> {
    while let Some(request) = read_request(&mut stream).await? {
        let number = {
            let mut log = log.lock().expect("no panic while logging");
            log.push(request.clone());
            log.len() - 1
        };
        let mut measured = false;
        for say in answer(number, &request) {
            match say {
                Say::Bytes(bytes) => {
                    measured |= String::from_utf8_lossy(&bytes).to_lowercase().contains("content-length");
                    stream.write_all(&bytes).await?;
                }
                Say::Silence => std::future::pending().await,
            }
        }
        if !measured {
            break;
        }
    }
    stream.shutdown().await
}

async fn read_request(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Ok(Some(text.into_owned()));
            }
        }
        match stream.read(&mut piece).await? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

/// A header of a request as the server saw it.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let mut lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// An answer with a measured body.
pub fn reply(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

pub fn redirect(status: u16, location: &str) -> String {
    reply(status, &format!("location: {location}\r\n"), "")
}

/// Knows what it was told, and counts how often it was asked.
#[derive(Default)]
pub struct Names {
    /// Name, and its addresses at the first, second … asking (the last ones stay).
    pub known: Vec<(&'static str, Vec<Vec<IpAddr>>)>,
    pub asked: AtomicUsize,
}

impl Names {
    pub fn of(name: &'static str, answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().expect("an address")).collect();
        Arc::new(Self { known: vec![(name, answers.iter().map(parse).collect())], asked: AtomicUsize::new(0) })
    }
}

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let (_, answers) = self.known.iter().find(|(name, _)| *name == host).ok_or(io::ErrorKind::NotFound)?;
        Ok(answers[asked.min(answers.len() - 1)].clone())
    }
}

/// A client that may reach what the entries say.
pub fn client(allow: &[String], resolver: Arc<dyn Resolve>) -> Client {
    let allow = allow.iter().map(|entry| entry.parse::<Allow>().expect("an entry")).collect();
    Client::new(Options { policy: Policy::new(allow), resolver, ..Options::default() })
}

/// A client that may reach this server and nothing else inside.
pub fn client_of(server: &Server) -> Client {
    client(&[server.address.to_string()], Arc::new(Names::default()))
}

/// Bounds that end soon: what is waited for in these tests never comes.
pub fn short(body: u64) -> Limits {
    Limits { body, read: Duration::from_millis(50), whole: Duration::from_secs(20) }
}

pub fn get(server: &Server) -> Request {
    Request::get(server.url("/"))
}
