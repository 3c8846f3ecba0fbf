//! What it costs to know who is asking: access tokens and API keys, the first time and from then on.
//!
//! `just bench-bearer`. Prints medians and the 99th of a hundred as one JSON object, and fails when a token adds more than
//! 50 µs to a request, when the first use of a token or key takes more than 1 ms at the median, or when a token that is
//! known is looked up on disk.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made should stop")]

use axum::Router;
use axum::body::Body;
use base64::prelude::{BASE64_STANDARD, Engine};
use heddle_api::ApiSettings;
use heddle_model::{Scope, Time};
use heddle_platform::authorization::rules::Parameters;
use heddle_platform::authorization::rules::client::{Client, GrantType};
use heddle_platform::authorization::rules::consent::Session;
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::{Asking, By, Decision};
use heddle_platform::{NewAccount, NewKey, Options, Platform};
use http::Request;
use serde_json::{Value, json};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use tower::ServiceExt;

/// Tokens and keys that are each used for the first time.
const FRESH: usize = 300;
/// Checks of one that is known, and whole requests.
const CHECKS: usize = 200_000;
const REQUESTS: usize = 20_000;

const CALLBACK: &str = "https://looms.example/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { key_file: Some(folder.path().join("master.key")), ..Options::default() };
    let platform = Platform::open_with(&folder.path().join("heddle.db"), options).await.unwrap();
    let new = NewAccount { email: "ada@example.org".to_owned(), name: None, password: None, is_admin: false };
    let ada = platform.accounts.create(new).await.unwrap().id;
    let draft = Draft {
        name: "Looms".to_owned(),
        description: None,
        logo_url: None,
        redirect_uris: vec![CALLBACK.to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: vec![Scope::Identity],
        is_public: false,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
    };
    let (app, secret) = platform.authorization.create_app(By::Person(ada), None, draft).await.unwrap();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", app.client_id, secret.unwrap().expose())));
    let session = Session { user: ada, auth_time: Time(0) };
    let (mut tokens, mut keys) = (Vec::new(), Vec::new());
    for _ in 0..FRESH {
        tokens.push(token(&platform, &app, &basic, &session).await);
        let new = NewKey { name: "bench".to_owned(), scopes: vec![Scope::Identity], description: None };
        keys.push(platform.keys.create(ada, new).await.unwrap().1);
    }

    let mut first = Vec::new();
    for token in &tokens {
        let begun = Instant::now();
        platform.authorization.bearer(token).await.unwrap().unwrap();
        first.push(begun.elapsed());
    }
    let mut first_of_keys = Vec::new();
    for key in &keys {
        let begun = Instant::now();
        platform.keys.authenticate(key).await.unwrap().unwrap();
        first_of_keys.push(begun.elapsed());
    }

    let before = disk_reads();
    let mut known = Vec::with_capacity(CHECKS);
    for _ in 0..CHECKS {
        let begun = Instant::now();
        black_box(platform.authorization.bearer(&tokens[0]).await.unwrap().unwrap());
        known.push(begun.elapsed());
    }
    let (reads, before) = (disk_reads() - before, disk_reads());
    // What looking at the count itself costs.
    let reads = reads - (disk_reads() - before);

    let router = heddle_api::router(platform.clone(), ApiSettings::default());
    let bearer = format!("Bearer {}", tokens[0]);
    let (mut by_token, mut by_key, mut by_nothing) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REQUESTS {
        by_nothing.push(ask(&router, "/healthz", None).await);
        by_token.push(ask(&router, "/external-api/v1/me", Some(("authorization", &bearer))).await);
        by_key.push(ask(&router, "/external-api/v1/me", Some(("x-api-key", &keys[0]))).await);
    }
    let told = json!({
        "token": {"first_use": spread(&mut first), "known": spread(&mut known), "disk_reads": reads},
        "key": {"first_use": spread(&mut first_of_keys)},
        "request": {"healthz": spread(&mut by_nothing), "me_by_token": spread(&mut by_token), "me_by_key": spread(&mut by_key)},
        "unit": "µs",
    });
    println!("{told:#}");
    let median = |name: &str, what: &str| told[name][what]["p50"].as_f64().unwrap();
    assert!(median("token", "known") <= 50.0, "a known token costs more than 50 µs");
    assert!(median("token", "first_use") <= 1_000.0, "the first use of a token takes more than 1 ms");
    assert!(median("key", "first_use") <= 1_000.0, "the first use of a key takes more than 1 ms");
    // Upkeep may look around meanwhile.
    assert!(reads < 100, "a known token was looked up");
    platform.close().await;
}

/// A token that Ada's application gets.
async fn token(platform: &Platform, app: &Client, basic: &str, session: &Session) -> String {
    let query = format!(
        "response_type=code&client_id={}&redirect_uri={CALLBACK}&scope=IDENTITY&code_challenge={CHALLENGE}",
        app.client_id
    );
    let request = Parameters::parse(query.as_bytes()).unwrap();
    let Decision::Redirect(url) = platform.authorization.decide(&request, session, true).await.unwrap() else {
        panic!("not allowed")
    };
    let query = url.split_once('?').unwrap().1;
    let code = Parameters::parse(query.as_bytes()).unwrap().get("code").unwrap().to_owned();
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
    let asking = Asking {
        content_type: Some("application/x-www-form-urlencoded"),
        authorization: vec![basic.as_bytes()],
        body: form.as_bytes(),
        network: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    platform.authorization.token(&asking).await.body["access_token"].as_str().unwrap().to_owned()
}

async fn ask(router: &Router, path: &str, header: Option<(&str, &str)>) -> Duration {
    let mut request = Request::get(path);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let request = request.body(Body::empty()).unwrap();
    let begun = Instant::now();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    black_box(axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap());
    begun.elapsed()
}

/// How often this process has read something, by the kernel's count.
fn disk_reads() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
}

fn spread(times: &mut [Duration]) -> Value {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() - 1) as f64 * share) as usize;
        (times[index].as_nanos() as f64 / 100.0).round() / 10.0
    };
    json!({"p50": at(0.5), "p99": at(0.99), "times": times.len()})
}
