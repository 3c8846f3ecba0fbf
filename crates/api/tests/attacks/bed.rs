//! A server with two people, three applications and a clock; requests to it, and what their answers come to.

use axum::Router;
use axum::body::Body;
use base64::prelude::{BASE64_STANDARD, Engine};
use heddle_api::ApiSettings;
use heddle_cluster::Cluster;
use heddle_model::{Scope, Time, UserId};
use heddle_platform::authorization::rules::client::{Client, GrantType};
use heddle_platform::authorization::rules::consent::Session;
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::rules::{Issuer, Parameters};
use heddle_platform::authorization::{By, Decision, Rules};
use heddle_platform::{Address, Clock, Database, NewAccount, Options, Platform, SignIn, Watch};
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use tokio::sync::OnceCell;
use tower::ServiceExt;

pub const ISSUER: &str = "https://heddle.example";
pub const CALLBACK: &str = "https://looms.example/cb";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const FORM: &str = "application/x-www-form-urlencoded";
pub const TOKEN: &str = "/api/oauth/token";
pub const PASSWORD: &str = "correct horse battery";
/// 2026-02-03, 10:00 UTC.
const TEN: Time = Time(1_770_112_800_000_000);

/// How many attacks a group has, and which got another answer than their row says.
pub struct Tally {
    pub name: &'static str,
    pub wrong: Vec<String>,
    count: usize,
}

impl Tally {
    pub fn new(name: &'static str) -> Self {
        Self { name, wrong: Vec::new(), count: 0 }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// One attack. What was found must begin with what is wanted.
    pub fn row(&mut self, what: &str, found: &str, wanted: &str) {
        self.count += 1;
        if !found.starts_with(wanted) {
            self.wrong.push(format!("{}: {what}\n  wanted {wanted}\n  found  {found}", self.name));
        }
    }
}

/// A clock that stands until it is set.
pub struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

pub struct App {
    pub client: Client,
    pub secret: String,
}

impl App {
    pub fn id(&self) -> &str {
        &self.client.client_id
    }

    pub fn key(&self) -> String {
        self.client.id.to_string()
    }

    pub fn basic(&self) -> String {
        basic(self.id(), &self.secret)
    }
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

pub struct Bed {
    pub platform: Platform,
    pub clock: Arc<HandClock>,
    pub ada: UserId,
    pub bob: UserId,
    /// Confidential.
    pub looms: App,
    /// Another one, of somebody else.
    pub nets: App,
    /// Public: a program on a phone or a desk.
    pub phone: App,
    router: Router,
    addresses: AtomicU32,
    cookies: [OnceCell<String>; 2],
    _folder: tempfile::TempDir,
}

pub fn draft(name: &str, redirect_uris: &[&str], scopes: &[Scope]) -> Draft {
    Draft {
        name: name.to_owned(),
        description: None,
        logo_url: None,
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        grant_types: GrantType::ALL.to_vec(),
        scopes: scopes.to_vec(),
        is_public: false,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
    }
}

impl Bed {
    pub async fn new() -> Self {
        Self::with(Rules::default()).await
    }

    pub async fn with(rules: Rules) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let clock = Arc::new(HandClock(AtomicI64::new(TEN.0)));
        let platform = Platform::open_with(
            database,
            Options {
                key_file: Some(folder.path().join("master.key")),
                throwaway: true,
                authorization: Rules { issuer: Issuer::new(ISSUER), ..rules },
                sign_in: SignIn { is_open: true, ..SignIn::default() },
                watch: Watch(clock.clone()),
                ..Options::default()
            },
        )
        .await
        .unwrap();
        // Each request comes from an address of its own, so that no limit stands in for the answer that is meant.
        let settings = ApiSettings {
            public_url: Some(ISSUER.to_owned()),
            trusted_proxy_count: 1,
            cors_origins: vec!["https://friend.example".to_owned()],
            ..ApiSettings::default()
        };
        let router = heddle_api::router(platform.clone(), settings);
        let mut people = Vec::new();
        for name in ["ada", "bob"] {
            let email = format!("{name}@example.org");
            let new = NewAccount { email, name: None, password: Some(PASSWORD.to_owned()), is_admin: false };
            people.push(platform.accounts.create(new).await.unwrap().id);
        }
        let all = [Scope::Identity, Scope::ReadBlock, Scope::RunAgent];
        let mut apps = Vec::new();
        for (owner, draft) in [
            (people[0], draft("Looms", &[CALLBACK, "https://looms.example/second"], &all)),
            (people[1], draft("Nets", &["https://nets.example/cb"], &all)),
            (
                people[1],
                Draft {
                    is_public: true,
                    ..draft("Phone", &["http://127.0.0.1/cb", "com.example.phone:/cb", CALLBACK], &all)
                },
            ),
        ] {
            let (client, secret) = platform.authorization.create_app(By::Person(owner), None, draft).await.unwrap();
            apps.push(App { client, secret: secret.map(|secret| secret.expose().to_owned()).unwrap_or_default() });
        }
        let [looms, nets, phone] = <[App; 3]>::try_from(apps).ok().unwrap();
        let (ada, bob, addresses, cookies) = (people[0], people[1], AtomicU32::new(0), Default::default());
        Self { platform, clock, ada, bob, looms, nets, phone, router, addresses, cookies, _folder: folder }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub fn session(&self, user: UserId) -> Session {
        Session { user, auth_time: self.clock.now() }
    }

    pub fn query(&self, app: &App, redirect_uri: &str, scope: &str) -> Wire {
        let mut wire = Wire::get("/auth/authorize");
        wire.fields = fields(&[
            ("response_type", "code"),
            ("client_id", app.id()),
            ("redirect_uri", redirect_uri),
            ("scope", scope),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
        ]);
        wire
    }

    /// A code that a person allowed.
    pub async fn code_of(&self, user: UserId, app: &App, redirect_uri: &str, scope: &str) -> String {
        let wire = self.query(app, redirect_uri, scope);
        match self.platform.authorization.decide(&wire.parameters(), &self.session(user), true).await.unwrap() {
            Decision::Redirect(url) => parameter(&url, "code"),
            other => panic!("{other:?}"),
        }
    }

    /// Ada's for Looms.
    pub async fn code(&self) -> String {
        self.code_of(self.ada, &self.looms, CALLBACK, "IDENTITY READ_BLOCK").await
    }

    /// How Looms redeems a code.
    pub fn exchange(&self, code: &str) -> Wire {
        let mut wire = Wire::post(TOKEN);
        wire.fields = fields(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", self.looms.id()),
            ("client_secret", &self.looms.secret),
        ]);
        wire
    }

    pub fn refresh(&self, token: &str) -> Wire {
        let mut wire = Wire::post(TOKEN);
        wire.fields = fields(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", self.looms.id()),
            ("client_secret", &self.looms.secret),
        ]);
        wire
    }

    /// Ada's for Looms.
    pub async fn tokens(&self) -> Value {
        let code = self.code().await;
        self.send(&self.exchange(&code)).await.tokens()
    }

    /// What a call of v1 with this token comes to.
    pub async fn me(&self, token: &str) -> String {
        self.send(&Wire::get("/external-api/v1/me").header("authorization", &format!("Bearer {token}"))).await.said()
    }

    /// A browser's session: the value of its cookie.
    pub async fn sign_in(&self, name: &str) -> String {
        let mut wire = Wire::post("/login").header("sec-fetch-site", "same-origin");
        wire.fields = fields(&[("email", &format!("{name}@example.org")), ("password", PASSWORD)]);
        let reply = self.send(&wire).await;
        let cookie = reply.headers.get("set-cookie").unwrap_or_else(|| panic!("{}", reply.said())).to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// What the authorization endpoint does with a request of somebody who is signed in.
    pub async fn authorize(&self, wire: &Wire, user: UserId) -> String {
        let (kept, name) = if user == self.ada { (&self.cookies[0], "ada") } else { (&self.cookies[1], "bob") };
        let cookie = kept.get_or_init(|| self.sign_in(name)).await;
        self.send(&wire.clone().header("cookie", cookie)).await.shown()
    }

    /// Sends a request, and checks what holds for every answer.
    pub async fn send(&self, wire: &Wire) -> Reply {
        let next = self.addresses.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let mut request =
            Request::builder().method(wire.method.as_str()).uri(wire.uri()).header("host", "heddle.example");
        if !wire.headers.iter().any(|(name, _)| name == "x-forwarded-for") {
            request = request.header("x-forwarded-for", format!("10.{}.{}.{}", next[1], next[2], next[3]));
        }
        if let Some(content_type) = wire.content_type() {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &wire.headers {
            request = request.header(name.as_str(), value.as_slice());
        }
        let response = self.router.clone().oneshot(request.body(Body::from(wire.body())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let mut reply = Reply { status: parts.status.as_u16(), headers: parts.headers, bytes, broken: None };
        reply.broken = reply.broken(wire);
        reply
    }
}

pub fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    Parameters::parse(query.as_bytes()).unwrap().get(name).unwrap_or_default().to_owned()
}

pub fn without_code(url: &str) -> String {
    match url.split_once("code=") {
        Some((before, after)) if before.ends_with(['?', '&']) => {
            format!(
                "{before}code=*{}",
                after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c))
            )
        }
        _ => url.to_owned(),
    }
}

/// A request under construction.
#[derive(Clone, Default)]
pub struct Wire {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub fields: Vec<(String, String)>,
    pub raw: Option<Vec<u8>>,
    pub is_json: bool,
}

impl Wire {
    pub fn get(path: &str) -> Self {
        Self { method: "GET".to_owned(), path: path.to_owned(), ..Self::default() }
    }

    pub fn post(path: &str) -> Self {
        Self { method: "POST".to_owned(), path: path.to_owned(), ..Self::default() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// The field has this value, and no other.
    pub fn set(&mut self, name: &str, value: &str) {
        self.cut(name);
        self.add(name, value);
    }

    pub fn add(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    pub fn cut(&mut self, name: &str) {
        self.fields.retain(|(known, _)| known != name);
    }

    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn in_json(mut self) -> Self {
        self.is_json = true;
        self
    }

    pub fn encoded(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish()
    }

    pub fn parameters(&self) -> Parameters {
        Parameters::parse(self.encoded().as_bytes()).unwrap()
    }

    fn uri(&self) -> String {
        match self.method.as_str() {
            "GET" if !self.fields.is_empty() => format!("{}?{}", self.path, self.encoded()),
            _ => self.path.clone(),
        }
    }

    fn content_type(&self) -> Option<&str> {
        let says = self.headers.iter().any(|(name, _)| name == "content-type");
        (self.method != "GET" && !says).then_some(if self.is_json { "application/json" } else { FORM })
    }

    fn body(&self) -> Vec<u8> {
        match &self.raw {
            Some(raw) => raw.clone(),
            None if self.method == "GET" => Vec::new(),
            None if self.is_json => {
                let members = self.fields.iter().map(|(name, value)| (name.clone(), json!(value)));
                Value::Object(members.collect()).to_string().into_bytes()
            }
            None => self.encoded().into_bytes(),
        }
    }
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    broken: Option<String>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn get(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn tokens(&self) -> Value {
        assert_eq!(self.said(), "200 tokens");
        self.json()
    }

    /// In short: what was broken by it, or else where it leads or what it says.
    pub fn said(&self) -> String {
        if let Some(broken) = &self.broken {
            return broken.clone();
        }
        let (status, body) = (self.status, self.json());
        let text = |name: &str| body[name].as_str();
        if let Some(location) = self.headers.get("location") {
            return format!("{status} to {}", without_code(location.to_str().unwrap()));
        }
        if let Some(error) = text("error") {
            return format!("{status} {error}: {}", text("error_description").unwrap_or_default());
        }
        if body["access_token"].is_string() {
            return format!("{status} tokens");
        }
        match (body["active"].as_bool(), text("detail"), text("status")) {
            (Some(true), ..) => format!("{status} active"),
            (Some(false), ..) => format!("{status} inactive"),
            (_, Some(detail), _) => format!("{status} {detail}"),
            (_, _, Some(word)) => format!("{status} {word}"),
            _ if self.get("content-type").starts_with("text/html") => {
                let page = self.text();
                let title = page.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
                format!("{status} page: {}", title.trim_end_matches(" – Heddle"))
            }
            _ if body["detail"].is_array() => format!("{status} items"),
            _ => format!("{status}"),
        }
    }

    /// The same of the authorization endpoint: the reason that its page gives, or where it leads.
    pub fn shown(&self) -> String {
        let text = self.text();
        let after = |mark: &str| text.split(mark).nth(1).unwrap_or_default().split('<').next().unwrap_or_default();
        match (self.status, after("</h1><p>")) {
            _ if self.broken.is_some() => self.said(),
            (400, reason) if !reason.is_empty() => {
                let (first, rest) = reason.split_at(1);
                format!("page: {}{rest}", first.to_lowercase())
            }
            (200, _) if text.contains(">Authorize</button>") => "asks".to_owned(),
            _ => self.said().trim_start_matches("303 ").to_owned(),
        }
    }

    /// What holds for every answer, whatever was asked; the first thing that does not.
    fn broken(&self, wire: &Wire) -> Option<String> {
        let is_html = self.get("content-type").starts_with("text/html");
        let is_public = self.get("cache-control").starts_with("public");
        let is_for_apps = wire.path.starts_with("/api/oauth") && self.status != 404;
        let explains = self.status < 400 || wire.method == "HEAD" || self.json()["detail"] != Value::Null;
        let location = self.headers.get("location").map_or("/", |location| location.to_str().unwrap());
        let known = [CALLBACK, "https://looms.example/second", "https://nets.example/cb", ISSUER];
        let is_known = known.iter().any(|known| location.starts_with(known));
        let mut holds = vec![
            ("it failed", self.status < 500),
            ("it is kept", is_public || self.get("cache-control").contains("no-store")),
            ("its type is guessed", self.get("x-content-type-options") == "nosniff"),
            ("it is framed", self.get("x-frame-options") == "DENY"),
            (
                "it is framed by policy",
                !is_html || self.get("content-security-policy").contains("frame-ancestors 'none'"),
            ),
            ("it sets a cookie", !is_for_apps || !self.headers.contains_key("set-cookie")),
            ("it is for cookies", !is_for_apps || !self.headers.contains_key("access-control-allow-credentials")),
            ("it does not say why", !is_for_apps || explains),
            ("it leads elsewhere", is_known || location.starts_with('/') && !location.starts_with("//")),
        ];
        // Nothing that was presented as a secret comes back, but the request that a consent page carries along.
        let text = if wire.path == "/auth/authorize" { String::new() } else { self.text() };
        for name in ["client_secret", "code_verifier", "refresh_token", "token", "code", "password"] {
            let value = wire.value(name);
            holds.push(("a secret comes back", value.len() < 20 || !text.contains(value)));
        }
        let (what, _) = holds.into_iter().find(|(_, holds)| !holds)?;
        Some(format!("{what}: {} {} {} {text}", wire.method, wire.path, self.status))
    }
}
