//! Connecting accounts at a real authorization server, npm's `oidc-provider`, and at what becomes of it when something
//! before it answers otherwise (`tests/connect`).

#![cfg(test)]

use heddle_engine::ports::Clock;
use heddle_model::{Object, Time, UserId};
use heddle_platform::connect::{Begun, Connected, NoAccess, Refusal, Return, Start, Traveller, Way};
use heddle_platform::integrations::{Overrides, Providers};
use heddle_platform::{NewAccount, Options, Platform, Policy, Watch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const CALLBACK: &str = "http://localhost:3000/cb";

/// The machine's time and what a test adds to it: the provider's tokens are over by its own clock, not by ours.
struct AheadClock(AtomicI64);

impl Clock for AheadClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Time(i64::try_from(since.as_micros()).unwrap()).plus_seconds(self.0.load(Ordering::SeqCst))
    }

    fn random(&self) -> [u8; 16] {
        uuid::Uuid::new_v4().into_bytes()
    }
}

/// The provider's process, and how to talk to it.
struct Counterpart {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Counterpart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Counterpart {
    /// Starts it in a folder beside what it imports; `None` where that is not installed.
    fn start(folder: &Path) -> Option<(Self, Value)> {
        let modules = root().join("target/oauth-clients/node/node_modules");
        if !modules.join("oidc-provider").exists() {
            println!("skipped: 1 (needs tests/oauth/clients/install)");
            return None;
        }
        for name in ["provider.mjs", "counterpart.mjs"] {
            std::fs::copy(root().join("tests/connect").join(name), folder.join(name)).unwrap();
        }
        std::os::unix::fs::symlink(modules.canonicalize().unwrap(), folder.join("node_modules")).unwrap();
        let mut command = Command::new("node");
        command.arg("counterpart.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut counterpart = Self { child, stdin, stdout };
        let begun = counterpart.hear();
        Some((counterpart, begun))
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "the provider has ended");
            // The library tells its own things on the same stream.
            if let Ok(value) = serde_json::from_str::<Value>(&line) {
                return value;
            }
        }
    }

    fn tell(&mut self, what: &Value) -> Value {
        writeln!(self.stdin, "{what}").unwrap();
        self.hear()
    }

    fn be(&mut self, way: &str) {
        self.tell(&json!({"act": "be", "way": way}));
    }

    /// What reached the provider since the last look: method and path.
    fn seen(&mut self) -> Vec<String> {
        let seen = self.tell(&json!({"act": "seen"}))["seen"].take();
        let line = |one: &Value| format!("{} {}", one["method"].as_str().unwrap(), one["path"].as_str().unwrap());
        seen.as_array().unwrap().iter().map(line).collect()
    }
}

struct Bed {
    platform: Platform,
    counterpart: Counterpart,
    clock: Arc<AheadClock>,
    ada: Traveller,
    _folder: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (counterpart, begun) = Counterpart::start(folder.path())?;
        let connectors = folder.path().join("connectors");
        std::fs::create_dir(&connectors).unwrap();
        std::fs::write(connectors.join("looms.yaml"), begun["file"].as_str().unwrap()).unwrap();
        let set = Overrides {
            client_id: Some("heddle".to_owned()),
            client_secret: Some("a-secret-of-the-operator".to_owned().into()),
            ..Overrides::default()
        };
        let providers = Providers::new(Some(&connectors), BTreeMap::from([("looms".to_owned(), set)])).unwrap();
        let host = begun["issuer"].as_str().unwrap().strip_prefix("http://").unwrap();
        let clock = Arc::new(AheadClock(AtomicI64::new(0)));
        let options = Options {
            key_file: Some(folder.path().join("master.key")),
            providers: Some(Arc::new(providers)),
            outbound: Policy::new(vec![host.parse().unwrap()]),
            watch: Watch(clock.clone()),
            ..Options::default()
        };
        let platform = Platform::open_with(&folder.path().join("heddle.db"), options).await.unwrap();
        let new = NewAccount { email: "ada@example.org".into(), name: None, password: None, is_admin: false };
        let user = platform.accounts.create(new).await.unwrap().id;
        let ada = Traveller { user, session: None, key_id: None };
        Some(Self { platform, counterpart, clock, ada, _folder: folder })
    }

    async fn begin(&self) -> Begun {
        let (scopes, metadata, back) = (Vec::new(), Object::default(), None);
        let (provider, callback_url) = ("looms".to_owned(), CALLBACK.to_owned());
        let start = Start { provider, way: Way::External, callback_url, scopes, metadata, back };
        self.platform.connect.initiate(self.ada, start).await.unwrap()
    }

    /// A browser goes there and comes back.
    fn travel(&mut self, begun: &Begun) -> Return {
        let told = self.counterpart.tell(&json!({"act": "follow", "url": begun.login_url, "to": CALLBACK}));
        let query = |name: &str| told["query"][name].as_str().map(str::to_owned);
        assert!(query("code").is_some(), "{told}");
        Return {
            provider: Some("looms".to_owned()),
            code: query("code").unwrap().into(),
            state: query("state").unwrap().into(),
            issuer: query("iss"),
        }
    }

    async fn complete(&self, back: Return) -> Result<Connected, Refusal> {
        self.platform.connect.complete(self.ada, back).await
    }

    async fn connected(&mut self) -> Connected {
        let begun = self.begin().await;
        let back = self.travel(&begun);
        self.complete(back).await.unwrap()
    }

    async fn is_kept(&self, user: UserId) -> bool {
        self.platform.integrations.list(user).await.unwrap().iter().any(|kept| kept.provider == "looms")
    }

    async fn token(&self, id: &str) -> Result<String, NoAccess> {
        self.platform.connect.access(self.ada.user, id).await.map(|access| access.token.expose().clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_kept_fresh_and_ended() {
    let Some(mut bed) = Bed::new().await else { return };
    let connected = bed.connected().await;
    assert_eq!(connected.username.as_deref(), Some("ada@looms.example"));
    assert_eq!(connected.scopes, ["openid", "email", "offline_access", "looms:read"]);
    bed.counterpart.seen();

    // Two rounds: the second works only with the refresh token that the first one brought.
    let mut tokens = vec![bed.token(&connected.id).await.unwrap()];
    for round in 1..=2 {
        bed.clock.0.fetch_add(3_590, Ordering::SeqCst);
        let mut runs = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (connect, id, owner) = (bed.platform.connect.clone(), connected.id.clone(), bed.ada.user);
            runs.spawn(async move { connect.access(owner, &id).await.unwrap().token.expose().clone() });
        }
        let got = runs.join_all().await;
        assert!(got.iter().all(|token| *token == got[0] && !tokens.contains(token)), "round {round}");
        tokens.push(got[0].clone());
        assert_eq!(bed.counterpart.seen(), ["POST /token"], "round {round}");
    }

    // A provider that is away is waited for; the token that is not over goes on.
    bed.counterpart.be("is down");
    bed.clock.0.fetch_add(3_590, Ordering::SeqCst);
    assert_eq!(bed.token(&connected.id).await.as_ref(), Ok(&tokens[2]));
    bed.clock.0.fetch_add(60, Ordering::SeqCst);
    assert!(matches!(bed.token(&connected.id).await, Err(NoAccess::Away(_))));
    bed.counterpart.be("itself");
    assert!(bed.token(&connected.id).await.is_ok());
    bed.counterpart.seen();

    // Removed here, ended there.
    bed.platform.integrations.remove(bed.ada.user, "looms", &connected.id).await.unwrap();
    let give_up = std::time::Instant::now() + Duration::from_secs(30);
    while bed.counterpart.seen() != ["POST /token/revocation"] {
        assert!(std::time::Instant::now() < give_up, "nothing was revoked");
        tokio::task::yield_now().await;
    }
    assert!(!bed.is_kept(bed.ada.user).await);
    assert_eq!(bed.token(&connected.id).await, Err(NoAccess::Missing));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ended_at_the_provider_says_so_here() {
    let Some(mut bed) = Bed::new().await else { return };
    let connected = bed.connected().await;
    // An old refresh token that comes again ends all that came of the grant; a gate that swallows the new one has us do it.
    bed.counterpart.be("gives no access token");
    bed.clock.0.fetch_add(3_590, Ordering::SeqCst);
    assert!(bed.token(&connected.id).await.is_ok());
    bed.counterpart.be("itself");
    bed.clock.0.fetch_add(60, Ordering::SeqCst);
    match bed.token(&connected.id).await {
        Err(NoAccess::Ended(why)) => {
            assert!(why.contains("looms as ada@looms.example has ended") && why.contains("connect it again"), "{why}");
            let ended = bed.platform.connect.ended(bed.ada.user).await.unwrap();
            assert_eq!(ended, [(connected.id.clone(), why)]);
        }
        other => panic!("{other:?}"),
    }
    bed.counterpart.seen();
    // Nobody is asked again.
    assert!(matches!(bed.token(&connected.id).await, Err(NoAccess::Ended(_))));
    assert_eq!(bed.counterpart.seen(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_a_malicious_server_are_refused() {
    let Some(mut bed) = Bed::new().await else { return };
    // Somebody else's whole answer, from a way of his own.
    bed.counterpart.tell(&json!({"act": "person", "name": "mallory"}));
    bed.counterpart.be("keeps its answer");
    let mallory = bed.connected().await;
    bed.platform.integrations.remove(bed.ada.user, "looms", &mallory.id).await.unwrap();
    bed.counterpart.tell(&json!({"act": "person", "name": "ada"}));
    let mut tried = 0;
    for way in [
        "gives the answer it kept",
        "gives the access token it kept",
        "gives the ID token it kept",
        "names another issuer in the ID token",
        "names another client in the ID token",
        "names no nonce in the ID token",
        "gives an ID token that is over",
        "gives tokens of another type",
        "gives no access token",
        "sends the code elsewhere",
        "is down",
    ] {
        bed.counterpart.be("itself");
        let begun = bed.begin().await;
        let back = bed.travel(&begun);
        bed.counterpart.be(way);
        bed.counterpart.seen();
        assert_eq!(bed.complete(back.clone()).await, Err(Refusal::Exchange), "{way}");
        assert!(!bed.is_kept(bed.ada.user).await, "{way}");
        let seen = bed.counterpart.seen();
        assert!(!seen.iter().any(|line| line.contains("/thief")), "{way}: {seen:?}");
        // The state is used, whatever came of it.
        bed.counterpart.be("itself");
        assert_eq!(bed.complete(back).await, Err(Refusal::State), "{way}");
        tried += 1;
    }
    println!("{tried} answers refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn states_issuers_and_codes_of_other_ways_are_refused() {
    let Some(mut bed) = Bed::new().await else { return };
    let (one, two) = (bed.begin().await, bed.begin().await);
    let (first, second) = (bed.travel(&one), bed.travel(&two));
    bed.counterpart.seen();

    // Another issuer, or none where one is always named by a page's way: the code is shown to nobody.
    let issuer = Some("https://evil.example".to_owned());
    let mixed = Return { issuer, ..first.clone() };
    assert_eq!(bed.complete(mixed).await, Err(Refusal::Exchange));
    assert_eq!(bed.counterpart.seen(), [""; 0]);

    // A code of another way, which the provider gave for another proof.
    let swapped = Return { code: first.code.clone(), ..second.clone() };
    assert_eq!(bed.complete(swapped).await, Err(Refusal::Exchange));
    assert_eq!(bed.counterpart.seen(), ["POST /token"]);

    // A state of somebody else, of another provider, changed, and used.
    let three = bed.begin().await;
    let third = bed.travel(&three);
    let new = NewAccount { email: "bob@example.org".into(), name: None, password: None, is_admin: false };
    let bob = Traveller { user: bed.platform.accounts.create(new).await.unwrap().id, ..bed.ada };
    assert_eq!(bed.platform.connect.complete(bob, third.clone()).await, Err(Refusal::State));
    for provider in ["github", "LOOMS", ""] {
        let other = Return { provider: Some(provider.to_owned()), ..third.clone() };
        assert_eq!(bed.complete(other).await, Err(Refusal::State), "{provider}");
    }
    let changed = Return { state: format!("{}x", third.state.expose()).into(), ..third.clone() };
    assert_eq!(bed.complete(changed).await, Err(Refusal::State));
    assert!(bed.complete(third.clone()).await.is_ok());
    assert_eq!(bed.complete(third).await, Err(Refusal::State));
    assert!(bed.is_kept(bed.ada.user).await && !bed.is_kept(bob.user).await);
}
