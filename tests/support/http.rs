//! A small HTTP/1.1 client: one connection a request, whole answers.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
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
        self.try_send(method, path, headers, body, || ()).unwrap()
    }

    /// As [`send`](Self::send), of a server that may go at any moment: an answer that breaks off is an error. Tells
    /// when the first byte of the answer has come.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
        first_byte: impl FnOnce(),
    ) -> io::Result<Answer> {
        let mut reader = self.open(method, path, headers, body)?;
        reader.fill_buf()?;
        first_byte();
        let (status, headers) = head(&mut reader)?;
        let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let mut bytes = Vec::new();
        if header("transfer-encoding") == Some("chunked") {
            while chunk(&mut reader, &mut bytes)? {}
        } else if let Some(length) = header("content-length") {
            bytes.resize(length.parse().map_err(io::Error::other)?, 0);
            reader.read_exact(&mut bytes)?;
        } else {
            reader.read_to_end(&mut bytes)?;
        }
        Ok(Answer { status, headers, body: String::from_utf8(bytes).map_err(io::Error::other)? })
    }

    /// Follows a stream of events until it ends or breaks off, or until `take` has had enough: it is given each event's
    /// lines. The status code, when there was one.
    pub fn follow(&self, path: &str, headers: &[(&str, &str)], mut take: impl FnMut(&str) -> bool) -> io::Result<u16> {
        let mut reader = self.open("GET", path, headers, None)?;
        let (status, _) = head(&mut reader)?;
        let mut bytes = Vec::new();
        while status == 200 && chunk(&mut reader, &mut bytes)? {
            while let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") {
                let event = String::from_utf8(bytes.drain(..end + 2).collect()).map_err(io::Error::other)?;
                if !take(event.trim_end()) {
                    return Ok(status);
                }
            }
        }
        Ok(status)
    }

    /// Sends a request and leaves the answer to be read.
    fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.host)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        if let Some(key) = &self.key {
            request += &format!("X-API-Key: {key}\r\n");
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &body {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request += "Content-Type: application/json\r\n";
            }
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body.as_deref().unwrap_or_default();
        (&stream).write_all(request.as_bytes())?;
        Ok(BufReader::new(stream))
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

/// Where runs of a graph are started.
pub fn execute(graph: &Value) -> String {
    format!("/external-api/v1/graphs/{}/execute/{}", text(&graph["id"]), graph["version"])
}

/// Where a run is.
pub fn execution(graph: &Value, run: &str) -> String {
    format!("/external-api/v1/graphs/{}/executions/{run}", text(&graph["id"]))
}

fn head(reader: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let line = line(reader)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("not an answer: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        match self::line(reader)?.split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok((status, headers)),
        }
    }
}

/// A line without its end, which must be there.
fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    line.strip_suffix('\n').map(|line| line.trim_end().to_owned()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Appends the next chunk of a body; false at its end.
fn chunk(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let size = usize::from_str_radix(&line(reader)?, 16).map_err(io::Error::other)?;
    let before = bytes.len();
    bytes.resize(before + size, 0);
    reader.read_exact(&mut bytes[before..])?;
    line(reader)?;
    Ok(size > 0)
}
