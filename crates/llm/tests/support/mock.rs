//! A server of language models on the loopback: speaks every dialect by the path it is asked at, answers as told, and
//! remembers what it was asked. The tests of the crates above use this file too.
#![allow(dead_code, reason = "each of those who share it uses a part")]

use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A text.
    Text(String),
    /// Calls of functions: name and arguments.
    Calls(Vec<(String, Value)>),
    /// A status, header lines and a body, whatever the dialect.
    Raw(u16, String, Value),
    /// A status, a media type and a text: what any web server may say.
    Web(u16, String, String),
    /// Something, but late.
    Late(Duration, Box<Reply>),
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn call(name: &str, arguments: Value) -> Self {
        Self::Calls(vec![(name.to_owned(), arguments)])
    }

    pub fn error(status: u16, said: &str) -> Self {
        Self::Raw(status, String::new(), json!({"error": {"message": said}}))
    }

    pub fn late(self, millis: u64) -> Self {
        Self::Late(Duration::from_millis(millis), Box::new(self))
    }
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub head: String,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// What is answered to the request of this number.
type Script = dyn Fn(usize, &Seen) -> Reply + Send + Sync;

/// The server; it ends with the runtime it was started in.
pub struct Mock {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Mock {
    /// Answers in this order; then there is nothing more to say.
    pub async fn start(replies: Vec<Reply>) -> Self {
        Self::with(move |number, _| {
            replies.get(number).cloned().unwrap_or_else(|| Reply::error(418, "the script is at its end"))
        })
        .await
    }

    /// Always answers the same.
    pub async fn always(reply: Reply) -> Self {
        Self::with(move |_, _| reply.clone()).await
    }

    /// Answers as asked.
    pub async fn with(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, script): (_, Arc<Script>) = (Arc::clone(&seen), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&script)));
            }
        });
        Self { address, seen }
    }

    /// Its address as a base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panics with it").clone()
    }

    /// The bodies of all requests so far.
    pub fn asked(&self) -> Vec<Value> {
        self.seen().into_iter().map(|seen| seen.body).collect()
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<Seen>>>, script: Arc<Script>) {
    let mut rest = Vec::new();
    while let Some(seen) = read(&mut stream, &mut rest).await {
        let number = {
            let mut log = log.lock().expect("nobody panics with it");
            log.push(seen.clone());
            log.len() - 1
        };
        let mut reply = script(number, &seen);
        while let Reply::Late(wait, then) = reply {
            tokio::time::sleep(wait).await;
            reply = *then;
        }
        let json = || "application/json".to_owned();
        let (status, kind, headers, body) = match reply {
            Reply::Web(status, kind, body) => (status, kind, String::new(), body),
            Reply::Raw(status, headers, body) => (status, json(), headers, body.to_string()),
            reply => (200, json(), String::new(), written(&seen, &reply).to_string()),
        };
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Seen> {
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let mut seen = Seen { path, head, body: Value::Null };
            let length: usize = seen.header("content-length").map_or(0, |length| length.parse().expect("a length"));
            if rest.len() >= end + 4 + length {
                seen.body = serde_json::from_slice(&rest[end + 4..end + 4 + length]).unwrap_or_default();
                rest.drain(..end + 4 + length);
                return Some(seen);
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => rest.extend_from_slice(&piece[..read]),
        }
    }
}

/// 11 tokens go in and 7 come out, whatever is said.
fn written(seen: &Seen, reply: &Reply) -> Value {
    let (text, calls) = match reply {
        Reply::Text(text) => (text.as_str(), &[][..]),
        Reply::Calls(calls) => ("", calls.as_slice()),
        Reply::Raw(..) | Reply::Web(..) | Reply::Late(..) => unreachable!("these were dealt with"),
    };
    let numbered = || calls.iter().enumerate();
    if seen.path.ends_with("/chat/completions") {
        let calls: Vec<_> = numbered()
            .map(|(n, (name, arguments))| {
                let function = json!({"name": name, "arguments": arguments.to_string()});
                json!({"id": format!("call_{n}"), "type": "function", "function": function})
            })
            .collect();
        let mut message =
            json!({"role": "assistant", "content": if calls.is_empty() { json!(text) } else { Value::Null }});
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        let mut usage = json!({"prompt_tokens": 11, "completion_tokens": 7});
        if seen.body["usage"]["include"] == true {
            usage["cost"] = json!(0.002);
        }
        return json!({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage});
    }
    if seen.path.ends_with("/responses") {
        let said = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}]});
        let calls = numbered().map(|(n, (name, arguments))| {
            json!({"type": "function_call", "id": format!("fc_{n}"), "call_id": format!("call_{n}"), "name": name,
                "arguments": arguments.to_string(), "status": "completed"})
        });
        let output: Vec<_> = if calls.len() == 0 { vec![said] } else { calls.collect() };
        return json!({"id": "resp_1", "output": output, "usage": {"input_tokens": 11, "output_tokens": 7}});
    }
    if seen.path.ends_with("/messages") {
        let calls = numbered().map(|(n, (name, arguments))| {
            json!({"type": "tool_use", "id": format!("toolu_{n}"), "name": name, "input": arguments})
        });
        let content: Vec<_> =
            if calls.len() == 0 { vec![json!({"type": "text", "text": text})] } else { calls.collect() };
        return json!({"role": "assistant", "content": content, "usage": {"input_tokens": 11, "output_tokens": 7}});
    }
    if seen.path.ends_with(":generateContent") {
        let calls = numbered().map(|(_, (name, arguments))| json!({"functionCall": {"name": name, "args": arguments}}));
        let parts: Vec<_> = if calls.len() == 0 { vec![json!({"text": text})] } else { calls.collect() };
        let usage = json!({"promptTokenCount": 11, "candidatesTokenCount": 7});
        return json!({"candidates": [{"content": {"role": "model", "parts": parts}}], "usageMetadata": usage});
    }
    if seen.path.ends_with("/api/chat") {
        let message = json!({"role": "assistant", "content": text});
        return json!({"message": message, "done": true, "prompt_eval_count": 11, "eval_count": 7});
    }
    json!({"error": {"message": format!("nothing is served at {}", seen.path)}})
}
