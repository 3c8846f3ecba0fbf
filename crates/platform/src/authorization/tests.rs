//! The authorization server by a clock that the tests set.

mod applications;
mod codes;
mod people;
mod tokens;

use super::*;
use crate::authorization::rules::client::GrantType;
use crate::authorization::rules::consent::Session;
use crate::authorization::rules::draft::Draft;
use crate::authorization::rules::{Parameters, Plain};
use crate::{Address, Database, NewAccount, Options, Platform};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use heddle_cluster::{Cluster, again};
use heddle_model::UserId;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-02-03, 10:00 UTC.
const TEN: Time = Time(1_770_112_800_000_000);
const CALLBACK: &str = "https://looms.example/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SOMEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const FORM: &str = "application/x-www-form-urlencoded";

/// A clock that stands until it is set.
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

struct Bed {
    platform: Platform,
    server: Authorization,
    clock: Arc<HandClock>,
    ada: UserId,
    _folder: tempfile::TempDir,
}

/// An application and what it says to prove it.
struct App {
    client: Client,
    secret: Option<Plain>,
}

impl App {
    fn basic(&self) -> String {
        let secret = self.secret.as_ref().map(Plain::expose).unwrap_or_default();
        format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.client.client_id)))
    }
}

fn draft(scopes: &[Permission]) -> Draft {
    Draft {
        name: "Looms".to_owned(),
        description: None,
        logo_url: None,
        redirect_uris: vec![CALLBACK.to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: scopes.to_vec(),
        is_public: false,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
    }
}

impl Bed {
    async fn new() -> Self {
        Self::with(Rules::default()).await
    }

    async fn with(rules: Rules) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let key_file = Some(folder.path().join("master.key"));
        let options = Options { key_file: key_file.clone(), throwaway: true, ..Options::default() };
        let platform = Platform::open_with(database, options).await.unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(TEN.0)));
        let secrets = Secrets::open(platform.store.clone(), key_file).await.unwrap();
        let (store, accounts) = (platform.store.clone(), platform.accounts.clone());
        let server = Authorization::new(store, accounts, secrets, rules, clock.clone());
        let new = NewAccount {
            email: "ada@example.org".to_owned(),
            name: Some("Ada".to_owned()),
            password: None,
            is_admin: false,
        };
        let ada = platform.accounts.create(new).await.unwrap().id;
        Self { platform, server, clock, ada, _folder: folder }
    }

    fn set(&self, time: Time) {
        self.clock.0.store(time.0, Ordering::SeqCst);
    }

    fn pass(&self, seconds: i64) {
        self.set(self.clock.now().plus_seconds(seconds));
    }

    async fn person(&self, name: &str) -> UserId {
        let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
        self.platform.accounts.create(new).await.unwrap().id
    }

    async fn app(&self) -> App {
        self.app_with(draft(&[Permission::Identity, Permission::RunAgent])).await
    }

    async fn app_with(&self, draft: Draft) -> App {
        let (client, secret) = self.server.create_app(By::Person(self.ada), None, draft).await.unwrap();
        App { client, secret }
    }

    fn session(&self) -> Session {
        Session { user: self.ada, auth_time: self.clock.now() }
    }

    fn request(&self, app: &App, more: &str) -> Parameters {
        let query = format!(
            "response_type=code&client_id={}&redirect_uri={CALLBACK}&state=s&code_challenge={CHALLENGE}&{more}",
            app.client.client_id
        );
        Parameters::parse(query.as_bytes()).unwrap()
    }

    /// A code for these scopes, which Ada allows.
    async fn code(&self, app: &App, scope: &str) -> String {
        let request = self.request(app, &format!("scope={scope}"));
        match self.server.decide(&request, &self.session(), true).await.unwrap() {
            Decision::Redirect(url) => parameter(&url, "code"),
            other => panic!("{other:?}"),
        }
    }

    /// A POST by an application that proves who it is in the header.
    async fn post(&self, app: &App, path: &str, form: &str) -> Answer {
        let basic = app.basic();
        self.ask(path, FORM, Some(&basic), form).await
    }

    async fn json(&self, path: &str, body: &Value) -> Answer {
        self.ask(path, "application/json", None, &body.to_string()).await
    }

    async fn ask(&self, path: &str, content_type: &str, authorization: Option<&str>, body: &str) -> Answer {
        let asking = Asking {
            content_type: Some(content_type),
            authorization: authorization.map(str::as_bytes).into_iter().collect(),
            body: body.as_bytes(),
            network: SOMEWHERE,
        };
        match path {
            "token" => self.server.token(&asking).await,
            "introspect" => self.server.introspect(&asking).await,
            "revoke" => self.server.revoke(&asking).await,
            "par" => self.server.push(&asking).await,
            "register" => self.server.register(&asking).await,
            other => panic!("{other}"),
        }
    }

    async fn redeem(&self, app: &App, code: &str) -> Answer {
        let form =
            format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
        self.post(app, "token", &form).await
    }

    async fn refresh(&self, app: &App, token: &str) -> Answer {
        self.post(app, "token", &format!("grant_type=refresh_token&refresh_token={token}")).await
    }

    /// A pair for these scopes.
    async fn tokens(&self, app: &App, scope: &str) -> Value {
        let code = self.code(app, scope).await;
        good(self.redeem(app, &code).await)
    }

    /// What an access token is told, if it opens nothing.
    async fn problem(&self, tokens: &Value) -> Option<String> {
        self.server.bearer(text(tokens, "access_token")).await.unwrap().err().map(|invalid| invalid.to_string())
    }
}

#[track_caller]
fn good(answer: Answer) -> Value {
    assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.body);
    answer.body
}

#[track_caller]
fn bad(answer: Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.body);
    text(&answer.body, "detail").to_owned()
}

#[track_caller]
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    Parameters::parse(query.as_bytes()).unwrap().get(name).unwrap_or_default().to_owned()
}

/// A part of a JWS.
fn part(token: &str, number: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&["authorization::tests::codes::", "authorization::tests::tokens::", "authorization::tests::people::"]);
}
