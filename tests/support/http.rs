//! A small HTTP/1.1 client: one connection a request, whole answers.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Requests to one server with one key.
#[derive(Clone)]
pub struct Client {
    host: String,
    key: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

impl Client {
    /// A client of `http://HOST:PORT`.
    pub fn new(address: &str, key: Option<String>) -> Self {
        Self { host: address.strip_prefix("http://").unwrap().to_owned(), key }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// A POST of JSON with more headers.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", path, headers, Some(body.to_string()))
    }

    /// Any request on a connection of its own; reads the answer to its end.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let mut reader = self.open(method, path, headers, body);
        let mut rest = Vec::new();
        let (status, headers) = head(&mut reader);
        reader.read_to_end(&mut rest).unwrap();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let bytes = if chunked { dechunk(&rest) } else { rest };
        Answer { status, headers, body: String::from_utf8(bytes).unwrap() }
    }

    /// Sends a request and leaves the answer to be read.
    fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        if let Some(key) = &self.key {
            request += &format!("X-API-Key: {key}\r\n");
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &body {
            request += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body.as_deref().unwrap_or_default();
        (&stream).write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    }

    /// Saves an agent; the answer must be 201.
    pub fn save(&self, agent: &Value) -> Value {
        let answer = self.post("/external-api/v1/graphs", &[], agent);
        assert_eq!(answer.status, 201, "{}: {answer:?}", agent["name"]);
        answer.json()
    }

    /// Starts a run; its id.
    pub fn start(&self, graph: &Value, inputs: &Value) -> String {
        let answer = self.post(&execute(graph), &[], &json!({"node_input": inputs}));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Starts a run and waits for its end; the answer may be a refusal.
    pub fn start_and_wait(&self, graph: &Value, inputs: &Value) -> Answer {
        self.post(&execute(graph), &[("Prefer", "wait=60")], &json!({"node_input": inputs}))
    }

    /// Stops a run.
    pub fn stop(&self, graph: &Value, run: &str) -> Answer {
        self.send("POST", &format!("{}/stop", execution(graph, run)), &[], None)
    }

    /// A run as it stands.
    pub fn results(&self, graph: &Value, run: &str) -> Value {
        let answer = self.get(&format!("{}/results", execution(graph, run)));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Looks at a run again and again until it is as wanted; gives up after minutes.
    pub fn results_when(&self, graph: &Value, run: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let give_up = Instant::now() + Duration::from_secs(120);
        loop {
            let results = self.results(graph, run);
            if wanted(&results) {
                return results;
            }
            assert!(Instant::now() < give_up, "the run stays as it is: {results}");
        }
    }

    /// A run at its end.
    pub fn results_at_end(&self, graph: &Value, run: &str) -> Value {
        let ended =
            |results: &Value| ["COMPLETED", "FAILED", "TERMINATED"].map(Value::from).contains(&results["status"]);
        self.results_when(graph, run, ended)
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("an id")
}

fn execute(graph: &Value) -> String {
    format!("/external-api/v1/graphs/{}/execute/{}", text(&graph["id"]), graph["version"])
}

fn execution(graph: &Value, run: &str) -> String {
    format!("/external-api/v1/graphs/{}/executions/{run}", text(&graph["id"]))
}

fn head(reader: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("not an answer: {line:?}"));
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return (status, headers),
        }
    }
}

fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap().trim(), 16).unwrap();
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}
