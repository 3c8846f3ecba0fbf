//! A platform of its own for each test, people with keys, and requests without a socket.

use axum::Router;
use axum::body::Body;
use heddle_api::ApiSettings;
use heddle_cluster::Cluster;
use heddle_model::{Object, Scope, UserId};
use heddle_platform::{Address, Database, NewAccount, NewKey, Options, Platform};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Below this everything of v1 is.
pub const V1: &str = "/external-api/v1";
/// `AgentInputBlock`.
pub const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
/// `AgentOutputBlock`.
pub const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
/// An id that nothing has.
pub const NOBODY: &str = "11111111-1111-4111-8111-111111111111";

pub struct Testbed {
    pub platform: Platform,
    pub router: Router,
    _folder: tempfile::TempDir,
}

/// Somebody with a key for everything.
pub struct Person {
    pub user: UserId,
    pub key: String,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&self.bytes)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON, when the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json());
        self.json()
    }
}

/// A request under construction.
pub struct Ask<'a> {
    bed: &'a Testbed,
    request: http::request::Builder,
    body: Body,
}

impl Ask<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub fn of(self, person: &Person) -> Self {
        self.key(&person.key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    pub fn raw(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub async fn send(self) -> Answer {
        let response = self.bed.router.clone().oneshot(self.request.body(self.body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

impl Testbed {
    pub async fn new() -> Self {
        Self::with(ApiSettings::default()).await
    }

    pub async fn with(settings: ApiSettings) -> Self {
        Self::opened(settings, Options::default()).await
    }

    /// With more to say about the use cases; the folder and the master key are the bed's own.
    pub async fn opened(settings: ApiSettings, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let key_file = Some(folder.path().join("master.key"));
        let options = Options { key_file, throwaway: true, ..options };
        let platform = Platform::open_with(database, options).await.unwrap();
        let router = heddle_api::router(platform.clone(), settings);
        Self { platform, router, _folder: folder }
    }

    pub async fn person(&self, name: &str) -> Person {
        let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
        let user = self.platform.accounts.create(new).await.unwrap().id;
        Person { user, key: self.key(user, Scope::ALL).await }
    }

    pub async fn key(&self, user: UserId, scopes: &[Scope]) -> String {
        let new = NewKey { name: "test".to_owned(), scopes: scopes.to_vec(), description: None };
        self.platform.keys.create(user, new).await.unwrap().1
    }

    /// A request to any path.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        let request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path).header("host", "HOST");
        Ask { bed: self, request, body: Body::empty() }
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask("GET", &format!("{V1}{path}"))
    }

    pub fn post(&self, path: &str) -> Ask<'_> {
        self.ask("POST", &format!("{V1}{path}"))
    }

    /// Saves a graph and returns what was stored.
    pub async fn save(&self, person: &Person, graph: &Value) -> Value {
        self.post("/graphs").of(person).json(graph).send().await.expect(201)
    }

    /// Saves the echo graph and returns its id.
    pub async fn echo(&self, person: &Person) -> String {
        self.save(person, &echo()).await["id"].as_str().unwrap().to_owned()
    }

    /// Runs a graph to its end and returns the run's id.
    pub async fn run(&self, person: &Person, graph: &str, inputs: Object) -> String {
        let path = format!("/graphs/{graph}/execute/1");
        let start = self.post(&path).of(person).header("prefer", "wait=60").json(&json!({ "node_input": inputs }));
        let run = start.send().await.expect(200);
        assert_eq!(run["status"], "COMPLETED", "{run}");
        run["id"].as_str().unwrap().to_owned()
    }
}

/// Says its input back.
pub fn echo() -> Value {
    json!({
        "name": "Echo", "description": "Says it back",
        "nodes": [
            { "id": "a", "block_id": INPUT, "input_default": { "name": "text" } },
            { "id": "b", "block_id": OUTPUT, "input_default": { "name": "echo" } },
        ],
        "links": [{ "source_id": "a", "sink_id": "b", "source_name": "result", "sink_name": "value" }],
    })
}

/// Every canonical UUID in a text replaced by one word.
pub fn without_ids(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let id = rest.get(..36).filter(|id| {
            id.char_indices().all(|(at, letter)| match at {
                8 | 13 | 18 | 23 => letter == '-',
                _ => letter.is_ascii_hexdigit(),
            })
        });
        match id {
            Some(id) => {
                masked.push_str("ID");
                rest = &rest[id.len()..];
            }
            None => {
                masked.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    masked
}
