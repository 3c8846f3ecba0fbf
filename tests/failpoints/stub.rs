//! A server that blocks send requests to: it notes every effect with its key. It is also told of the ends of runs.

use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// Effects by label: the key of each, in order of arrival.
type Effects = HashMap<String, Vec<String>>;

/// The stub; listens for as long as this process lives.
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    effects: Mutex<Effects>,
    /// How often it was told of a run's end.
    told: Mutex<HashMap<String, usize>>,
    /// Whether answers are held back.
    held: Mutex<bool>,
    changed: Condvar,
}

impl Stub {
    /// Listens on a port of its own.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let noting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noting = Arc::clone(&noting);
                // Whoever breaks off in the middle has had no effect.
                std::thread::spawn(move || serve(&stream, &noting));
            }
        });
        Self { address, shared }
    }

    /// `127.0.0.1:PORT`
    pub fn place(&self) -> String {
        self.address.to_string()
    }

    /// Whether answers are held back from now on.
    pub fn hold(&self, held: bool) {
        *self.shared.held.lock().unwrap() = held;
        self.shared.changed.notify_all();
    }

    /// Waits until an effect of this label has arrived.
    pub fn wait_for(&self, label: &str) {
        let mut effects = self.shared.effects.lock().unwrap();
        while !effects.contains_key(label) {
            effects = self.shared.changed.wait(effects).unwrap();
        }
    }

    /// How often an effect has arrived.
    pub fn count(&self, label: &str) -> usize {
        self.shared.effects.lock().unwrap().get(label).map_or(0, Vec::len)
    }

    /// How often it was told of a run's end.
    pub fn told(&self, run: &str) -> usize {
        self.shared.told.lock().unwrap().get(run).copied().unwrap_or_default()
    }

    /// However often an effect arrived, it had one key.
    pub fn check_keys(&self) {
        for (label, keys) in self.shared.effects.lock().unwrap().iter() {
            assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 1, "{label}: {keys:?}");
        }
    }
}

fn serve(mut stream: &TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let headers: HashMap<_, _> = reader
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())))
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    if let Some(run) = headers.get("heddle-delivery") {
        assert_eq!(body["id"], json!(run));
        *shared.told.lock().unwrap().entry(run.clone()).or_default() += 1;
        return stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok();
    }
    let label = body["label"].as_str()?.to_owned();
    let key = headers.get("idempotency-key").cloned().unwrap_or_default();
    let said = json!({"said": format!("{label} heard")}).to_string();
    shared.effects.lock().unwrap().entry(label).or_default().push(key);
    shared.changed.notify_all();
    let mut held = shared.held.lock().unwrap();
    while *held {
        held = shared.changed.wait(held).unwrap();
    }
    drop(held);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
    stream.write_all(format!("{head} {}\r\n\r\n{said}", said.len()).as_bytes()).ok()
}
