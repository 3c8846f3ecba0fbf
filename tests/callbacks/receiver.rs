//! Somebody's server that is told of ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Longer than any callback takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// A header, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// A server; it ends with the process.
pub struct Receiver {
    address: SocketAddr,
    seen: Arc<(Mutex<Vec<Seen>>, Condvar)>,
}

impl Receiver {
    /// Answers with these statuses in this order, the last one stays; `None`: not at all.
    pub fn start(statuses: &[Option<u16>]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (seen, statuses) = (Arc::clone(&receiver.seen), statuses.to_vec());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, statuses) = (Arc::clone(&seen), statuses.clone());
                std::thread::spawn(move || serve(stream, &seen, &statuses));
            }
        });
        receiver
    }

    pub fn place(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All that came so far, once it is at least this much.
    pub fn seen(&self, least: usize) -> Vec<Seen> {
        self.when(|seen| seen.len() >= least)
    }

    /// Waits until a delivery has come this often.
    pub fn count_of(&self, delivery: &str, least: usize) {
        self.when(|seen| seen.iter().filter(|seen| seen.header("heddle-delivery") == delivery).count() >= least);
    }

    fn when(&self, wanted: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let (seen, news) = &*self.seen;
        let (seen, late) = news.wait_timeout_while(seen.lock().unwrap(), PATIENCE, |seen| !wanted(seen)).unwrap();
        assert!(!late.timed_out(), "only this came: {seen:?}");
        seen.clone()
    }
}

/// One connection with one request after another.
fn serve(stream: TcpStream, seen: &(Mutex<Vec<Seen>>, Condvar), statuses: &[Option<u16>]) {
    let mut reader = BufReader::new(&stream);
    while let Some(request) = read(&mut reader) {
        let mut all = seen.0.lock().unwrap();
        let status = statuses[all.len().min(statuses.len() - 1)];
        all.push(request);
        seen.1.notify_all();
        drop(all);
        match status {
            // Whoever asked may have gone.
            Some(status) => {
                drop((&stream).write_all(format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").as_bytes()))
            }
            None => drop(reader.read(&mut [0])),
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { line: first, headers, body: String::from_utf8(body).unwrap() })
}
