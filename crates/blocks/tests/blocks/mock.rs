//! A web server on the loopback that answers as told and remembers what it was asked.
//!
//! The platform's tests use this file too.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A server; it ends with the runtime of its test.
pub struct Mock {
    pub address: SocketAddr,
    seen: watch::Receiver<Vec<Seen>>,
}

/// What a request will be answered with, byte by byte. Empty: nothing at all.
pub type Answer = String;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub head: String,
    pub body: String,
}

impl Seen {
    /// Method and path.
    pub fn line(&self) -> &str {
        self.head.split(" HTTP/").next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// An answer with a body.
pub fn answer(status: u16, headers: &str, body: &str) -> Answer {
    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

impl Mock {
    /// Answers in this order; the last one stays.
    pub async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (log, seen) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let (log, answers) = (Arc::new(log), Arc::new(answers));
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&answers)));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far, once there are at least this many.
    pub async fn seen(&self, least: usize) -> Vec<Seen> {
        let mut seen = self.seen.clone();
        seen.wait_for(|seen| seen.len() >= least).await.expect("the server runs").clone()
    }
}

async fn serve(mut stream: TcpStream, log: Arc<watch::Sender<Vec<Seen>>>, answers: Arc<Vec<Answer>>) {
    let Some(request) = read(&mut stream).await else { return };
    let mut number = 0;
    log.send_modify(|seen| {
        number = seen.len();
        seen.push(request);
    });
    let answer = &answers[number.min(answers.len() - 1)];
    if answer.is_empty() {
        std::future::pending::<()>().await;
    }
    // The client may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let seen = Seen { head: head.to_owned(), body: body.to_owned() };
            let length = seen.header("content-length").map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                return Some(seen);
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
