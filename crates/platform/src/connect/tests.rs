//! Ways to a provider of the test's own and back, by a clock that the tests set.

use super::*;
use crate::{NewAccount, Options, Platform, Policy};
use heddle_model::Time;
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::mock::{Mock, answer};

/// 2026-02-03, 10:00 UTC.
const TEN: Time = Time(1_770_112_800_000_000);
const CALLBACK: &str = "http://localhost:3000/cb";
const JSON: &str = "content-type: application/json\r\n";

/// A provider of the test's own, with more lines for its section `oauth`.
fn provider(more: &str, origin: &str) -> Terms {
    let more = if more.is_empty() { String::new() } else { format!("  {more}\n") };
    let file = format!(
        "title: Looms\nbase_url: https://api.example\ncredentials:\n  oauth2: {{header: Authorization, prefix: \"Bearer \"}}\n\
         oauth:\n  authorize: https://id.example/authorize\n  token: {origin}/token\n  scopes: [read, write]\n{more}"
    );
    let read = heddle_connectors::Provider::read("looms", &file).unwrap_or_else(|mistake| panic!("{mistake}: {file}"));
    Terms {
        provider: "looms".to_owned(),
        title: read.title,
        oauth: read.oauth.unwrap(),
        client_id: "us".to_owned(),
        client_secret: Some("hush".to_owned().into()),
    }
}

pub(super) fn terms(more: &str) -> Terms {
    provider(more, "https://id.example")
}

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }

    fn random(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// Keeps credentials in memory.
struct Memory {
    terms: Mutex<Terms>,
    kept: Mutex<Vec<(UserId, Held)>>,
    /// How often `renew` fails before it does not.
    failures: AtomicI64,
}

#[async_trait::async_trait]
impl Shelf for Memory {
    fn terms(&self, provider: &str) -> Result<Terms, Unknown> {
        match provider {
            "looms" | "others" => Ok(Terms { provider: provider.to_owned(), ..self.terms.lock().unwrap().clone() }),
            "unset" => Err(Unknown::NotConfigured),
            _ => Err(Unknown::NoOAuth),
        }
    }

    async fn add(&self, owner: UserId, new: NewConnection) -> Result<(String, Option<String>), Error> {
        let mut kept = self.kept.lock().unwrap();
        let NewConnection { provider, username, tokens } = new;
        kept.push((owner, Held { provider, username, tokens, version: vec![1], ended: None }));
        Ok(((kept.len() - 1).to_string(), None))
    }

    async fn held(&self, owner: UserId, id: &str) -> Result<Option<Held>, Error> {
        let kept = self.kept.lock().unwrap();
        let found = kept.get(id.parse::<usize>().unwrap()).filter(|(whose, _)| *whose == owner);
        Ok(found.map(|(_, held)| held.clone()))
    }

    async fn renew(&self, owner: UserId, id: &str, version: &[u8], tokens: &Tokens) -> Result<bool, Error> {
        if self.failures.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Err(Error::Busy("away".to_owned(), 1));
        }
        let mut kept = self.kept.lock().unwrap();
        let Some((_, held)) = kept.get_mut(id.parse::<usize>().unwrap()).filter(|(whose, _)| *whose == owner) else {
            return Ok(false);
        };
        if held.version != version {
            return Ok(false);
        }
        (held.version, held.tokens) = (vec![version[0] + 1], tokens.clone());
        Ok(true)
    }

    async fn end(&self, _: UserId, id: &str, _: &[u8], why: &str) -> Result<(), Error> {
        self.kept.lock().unwrap()[id.parse::<usize>().unwrap()].1.ended = Some(why.to_owned());
        Ok(())
    }

    async fn ended(&self, _: UserId) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }
}

impl Bed {
    /// As whoever removes a credential does it.
    fn revoke(&self, tokens: Tokens) {
        revoke(&self.client, self.shelf.terms.lock().unwrap().clone(), tokens);
    }
}

struct Bed {
    client: Client,
    connect: Connect,
    shelf: Arc<Memory>,
    clock: Arc<HandClock>,
    ada: Traveller,
    bob: Traveller,
    _platform: Platform,
    _folder: tempfile::TempDir,
}

impl Bed {
    /// Whose provider answers in this order; the last answer stays.
    async fn with(mock: &Mock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key_file = Some(folder.path().join("master.key"));
        let options = Options { key_file: key_file.clone(), throwaway: true, ..Options::default() };
        let platform = Platform::open_with(&folder.path().join("heddle.db"), options).await.unwrap();
        let secrets = Secrets::open(platform.store.clone(), key_file).await.unwrap();
        let policy = Policy::new(vec![mock.address.to_string().parse().unwrap()]);
        let client = Client::new(heddle_outbound::Options { policy, ..Default::default() });
        let terms = provider("pkce: true\n  client: basic", &mock.url(""));
        let (kept, failures) = (Mutex::default(), AtomicI64::new(0));
        let shelf = Arc::new(Memory { terms: Mutex::new(terms), kept, failures });
        let clock = Arc::new(HandClock(AtomicI64::new(TEN.0)));
        let origins = vec!["http://localhost:3000".to_owned()];
        let store = platform.store.clone();
        let connect = Connect::new(store, secrets, client.clone(), shelf.clone(), clock.clone(), origins);
        let person = async |name: &str| {
            let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
            let user = platform.accounts.create(new).await.unwrap().id;
            Traveller { user, session: None, key_id: None }
        };
        let (ada, bob) = (person("ada").await, person("bob").await);
        Self { client, connect, shelf, clock, ada, bob, _platform: platform, _folder: folder }
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Has the provider's file say more.
    fn says(&self, more: &str, mock: &Mock) {
        *self.shelf.terms.lock().unwrap() = provider(&format!("client: basic\n  {more}"), &mock.url(""));
    }

    async fn begin(&self, who: Traveller, provider: &str, way: Way) -> Result<Begun, Refusal> {
        let Value::Object(metadata) = json!({"job": "42"}) else { unreachable!() };
        let (callback_url, provider) = (CALLBACK.to_owned(), provider.to_owned());
        let back = (way == Way::Page).then(|| "/settings/integrations".to_owned());
        self.connect.initiate(who, Start { provider, way, callback_url, scopes: Vec::new(), metadata, back }).await
    }

    /// Connects ada's account; its credential's id.
    async fn connected(&self) -> String {
        let begun = self.begin(self.ada, "looms", Way::External).await.unwrap();
        self.connect.complete(self.ada, back("looms", &begun)).await.unwrap().id
    }
}

fn back(provider: &str, begun: &Begun) -> Return {
    let code = "the-code".to_owned().into();
    Return { provider: Some(provider.to_owned()), code, state: begun.state.clone(), issuer: None }
}

fn given(more: &Value) -> String {
    let mut body = json!({"access_token": "at-1", "refresh_token": "rt-1", "token_type": "bearer", "expires_in": 3600});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    answer(200, JSON, &body.to_string())
}

fn session(number: u8) -> Option<SessionId> {
    Some(SessionId::from_random([number; 16]))
}

#[tokio::test]
async fn a_code_becomes_a_credential_by_a_proof_that_stayed_here() {
    let mock = Mock::start(vec![given(&json!({"scope": "read"}))]).await;
    let bed = Bed::with(&mock).await;
    let begun = bed.begin(bed.ada, "looms", Way::External).await.unwrap();
    assert_eq!((begun.state.expose().len(), begun.expires_at), (43, TEN.plus_seconds(600)));
    let connected = bed.connect.complete(bed.ada, back("looms", &begun)).await.unwrap();
    assert_eq!((connected.provider.as_str(), &connected.scopes), ("looms", &vec!["read".to_owned()]));
    assert_eq!(Value::from(connected.metadata), json!({"job": "42"}));

    let seen = mock.seen(1).await.remove(0);
    // `us:hush`
    assert_eq!((seen.line(), seen.header("authorization")), ("POST /token", Some("Basic dXM6aHVzaA==")));
    let form: Vec<(String, String)> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!((field("grant_type"), field("code")), (Some("authorization_code"), Some("the-code")));
    assert_eq!(field("redirect_uri"), Some(CALLBACK));
    let challenge = login::challenge(field("code_verifier").unwrap());
    assert!(begun.login_url.contains(&format!("code_challenge={challenge}&")), "{}", begun.login_url);
    let kept = bed.shelf.kept.lock().unwrap()[0].clone();
    assert_eq!((kept.0, kept.1.tokens.access_ends_at), (bed.ada.user, Some(TEN.plus_seconds(3600))));
}

#[tokio::test]
async fn what_cannot_be_begun_is_refused_in_the_contracts_order() {
    let mock = Mock::start(vec![given(&json!({}))]).await;
    let bed = Bed::with(&mock).await;
    let begin = async |provider: &str, callback_url: &str| {
        let (provider, callback_url) = (provider.to_owned(), callback_url.to_owned());
        let (scopes, metadata, back) = (Vec::new(), Object::default(), None);
        let start = Start { provider, way: Way::External, callback_url, scopes, metadata, back };
        bed.connect.initiate(bed.ada, start).await.map(|_| ()).unwrap_err().to_string()
    };
    let origin = "Callback URL origin is not allowed. Allowed origins: ['http://localhost:3000']";
    assert_eq!(begin("nope", "https://evil.example/cb").await, origin);
    for url in ["http://localhost:3001/", "http://localhost/", "https://localhost:3000/", "http://localhost:3000.evil/"]
    {
        assert_eq!(begin("looms", url).await, origin, "{url}");
    }
    assert_eq!(begin("nope", CALLBACK).await, "Provider 'nope' does not support OAuth");
    assert_eq!(begin("LOOMS", CALLBACK).await, "Provider 'LOOMS' does not support OAuth");
    assert_eq!(begin("unset", CALLBACK).await, "Integration with provider 'unset' is not configured.");
}

#[tokio::test]
async fn a_state_is_good_once_for_its_person_and_provider_and_ten_minutes() {
    let mock = Mock::start(vec![given(&json!({}))]).await;
    let bed = Bed::with(&mock).await;
    let begun = bed.begin(bed.ada, "looms", Way::External).await.unwrap();
    // Somebody else, another provider, another text: none of them uses it up.
    let state = Err(Refusal::State);
    assert_eq!(bed.connect.complete(bed.bob, back("looms", &begun)).await, state);
    assert_eq!(bed.connect.complete(bed.ada, back("others", &begun)).await, state);
    let other = Return { state: "x".to_owned().into(), ..back("looms", &begun) };
    assert_eq!(bed.connect.complete(bed.ada, other).await, state);
    bed.pass(599);
    assert!(bed.connect.complete(bed.ada, back("looms", &begun)).await.is_ok());
    assert_eq!(bed.connect.complete(bed.ada, back("looms", &begun)).await, state);

    let begun = bed.begin(bed.ada, "looms", Way::External).await.unwrap();
    bed.pass(600);
    assert_eq!(bed.connect.complete(bed.ada, back("looms", &begun)).await, state);
    assert_eq!(mock.seen(1).await.len(), 1);
}

#[tokio::test]
async fn of_two_who_complete_one_way_at_once_one_does() {
    let mock = Mock::start(vec![given(&json!({}))]).await;
    let bed = Bed::with(&mock).await;
    let begun = bed.begin(bed.ada, "looms", Way::External).await.unwrap();
    let (one, two) = tokio::join!(
        bed.connect.complete(bed.ada, back("looms", &begun)),
        bed.connect.complete(bed.ada, back("looms", &begun))
    );
    assert_eq!([one, two].iter().filter(|connected| connected.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_page_and_an_application_do_not_complete_each_others_ways() {
    let mock = Mock::start(vec![given(&json!({}))]).await;
    let bed = Bed::with(&mock).await;
    let (here, elsewhere) =
        (Traveller { session: session(1), ..bed.ada }, Traveller { session: session(2), ..bed.ada });
    for way in [Way::Window, Way::Page] {
        let begun = bed.begin(here, "looms", way).await.unwrap();
        assert_eq!(bed.connect.complete(bed.ada, back("looms", &begun)).await, Err(Refusal::NotExternal));
        // Used up by that.
        assert_eq!(bed.connect.complete_here(here, back("looms", &begun)).await, Err(Refusal::State));

        let begun = bed.begin(here, "looms", way).await.unwrap();
        assert_eq!(bed.connect.underway(elsewhere, begun.state.expose()).await, Ok(None));
        let known = bed.connect.underway(here, begun.state.expose()).await.unwrap().unwrap();
        assert_eq!((known.provider.as_str(), known.way), ("looms", way));
        assert_eq!(bed.connect.complete_here(elsewhere, back("looms", &begun)).await, Err(Refusal::State));

        let begun = bed.begin(here, "looms", way).await.unwrap();
        let unsaid = Return { provider: None, ..back("looms", &begun) };
        assert!(bed.connect.complete_here(here, unsaid).await.is_ok());
    }
    let begun = bed.begin(here, "looms", Way::External).await.unwrap();
    assert_eq!(bed.connect.complete_here(here, back("looms", &begun)).await, Err(Refusal::State));
}

#[tokio::test]
async fn answers_that_are_meant_for_another_are_refused() {
    let mock = Mock::start(vec![answer(400, JSON, r#"{"error":"invalid_grant"}"#)]).await;
    let bed = Bed::with(&mock).await;
    bed.says("issuer: https://id.example", &mock);
    let begun = bed.begin(bed.ada, "looms", Way::External).await.unwrap();
    let mixed = Return { issuer: Some("https://evil.example".to_owned()), ..back("looms", &begun) };
    assert_eq!(bed.connect.complete(bed.ada, mixed).await, Err(Refusal::Exchange));
    // The code was shown to nobody.
    assert_eq!(mock.seen(0).await.len(), 0);
    // And the state is used.
    assert_eq!(bed.connect.complete(bed.ada, back("looms", &begun)).await, Err(Refusal::State));

    let begun = bed.begin(bed.ada, "looms", Way::External).await.unwrap();
    let right = Return { issuer: Some("https://id.example".to_owned()), ..back("looms", &begun) };
    assert_eq!(bed.connect.complete(bed.ada, right).await, Err(Refusal::Exchange));
    assert_eq!(mock.seen(1).await.len(), 1);
    assert!(bed.shelf.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn many_who_need_one_token_have_it_renewed_once() {
    let renewed = given(&json!({"access_token": "at-2", "refresh_token": "rt-2"}));
    let mock = Mock::start(vec![given(&json!({})), renewed]).await;
    let bed = Bed::with(&mock).await;
    let id = bed.connected().await;
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap().token.expose(), "at-1");
    assert!(matches!(bed.connect.access(bed.bob.user, &id).await, Err(NoAccess::Missing)));

    bed.pass(3300);
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (connect, id, owner) = (bed.connect.clone(), id.clone(), bed.ada.user);
        runs.spawn(async move { connect.access(owner, &id).await.unwrap().token.expose().clone() });
    }
    assert!(runs.join_all().await.iter().all(|token| token == "at-2"));
    let seen = mock.seen(2).await;
    assert_eq!((seen.len(), seen[1].body.as_str()), (2, "grant_type=refresh_token&refresh_token=rt-1"));
    assert_eq!(bed.shelf.kept.lock().unwrap()[0].1.tokens.refresh_token.as_ref().unwrap().expose(), "rt-2");
}

#[tokio::test]
async fn a_run_that_is_stopped_does_not_take_the_new_tokens_with_it() {
    let mock = Mock::start(vec![given(&json!({})), given(&json!({"access_token": "at-2"}))]).await;
    let bed = Bed::with(&mock).await;
    let id = bed.connected().await;
    bed.pass(3600);
    let stopped = tokio::spawn({
        let (connect, id, owner) = (bed.connect.clone(), id.clone(), bed.ada.user);
        async move { connect.access(owner, &id).await.is_ok() }
    });
    mock.seen(2).await;
    stopped.abort();
    let _ = stopped.await;
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap().token.expose(), "at-2");
    assert_eq!(mock.seen(2).await.len(), 2);
}

#[tokio::test]
async fn new_tokens_wait_for_a_disk_that_is_away() {
    let mock = Mock::start(vec![given(&json!({})), given(&json!({"access_token": "at-2"}))]).await;
    let bed = Bed::with(&mock).await;
    let id = bed.connected().await;
    bed.pass(3600);
    bed.shelf.failures.store(1, Ordering::SeqCst);
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap().token.expose(), "at-2");
    assert_eq!(mock.seen(2).await.len(), 2);
}

#[tokio::test]
async fn a_refresh_that_is_refused_for_good_ends_the_credential_with_words() {
    let mock = Mock::start(vec![given(&json!({})), answer(400, JSON, r#"{"error":"invalid_grant"}"#)]).await;
    let bed = Bed::with(&mock).await;
    let id = bed.connected().await;
    bed.pass(3600);
    let words = "the connection to looms has ended, the provider refused (invalid_grant): connect it again under \
                 Integrations";
    for _ in 0..2 {
        assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap_err(), NoAccess::Ended(words.to_owned()));
    }
    assert_eq!(mock.seen(2).await.len(), 2);
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_end() {
    let mock = Mock::start(vec![
        given(&json!({})),
        answer(503, "", ""),
        answer(503, "", ""),
        answer(401, JSON, r#"{"error":"invalid_client"}"#),
        given(&json!({"access_token": "at-2"})),
    ])
    .await;
    let bed = Bed::with(&mock).await;
    let id = bed.connected().await;
    // About to end, but it still works.
    bed.pass(3400);
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap().token.expose(), "at-1");
    bed.pass(200);
    for said in ["it answered 503", "refuses this server's own registration"] {
        match bed.connect.access(bed.ada.user, &id).await {
            Err(NoAccess::Away(text)) => assert!(text.contains(said), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap().token.expose(), "at-2");
}

#[tokio::test]
async fn what_cannot_be_renewed_is_used_to_its_end() {
    let once = answer(200, JSON, r#"{"access_token":"at-1","expires_in":3600}"#);
    let mock = Mock::start(vec![once]).await;
    let bed = Bed::with(&mock).await;
    let id = bed.connected().await;
    bed.pass(3599);
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap().token.expose(), "at-1");
    bed.pass(1);
    let words = "the connection to looms is over: connect it again under Integrations".to_owned();
    assert_eq!(bed.connect.access(bed.ada.user, &id).await.unwrap_err(), NoAccess::Ended(words));
}

#[tokio::test]
async fn tokens_are_revoked_as_the_provider_wants_it_and_nobody_waits() {
    let mock = Mock::start(vec![answer(200, "", ""), answer(204, "", ""), answer(500, "", "")]).await;
    let bed = Bed::with(&mock).await;
    let tokens = || Tokens {
        access_token: "at".to_owned().into(),
        refresh_token: Some("rt".to_owned().into()),
        given_at: TEN,
        access_ends_at: None,
        refresh_ends_at: None,
        scopes: Vec::new(),
    };
    // Where it is not offered, nothing is asked.
    bed.revoke(tokens());
    bed.says(&format!("revoke: {{url: \"{}\"}}", mock.url("/revoke")), &mock);
    bed.revoke(tokens());
    let seen = mock.seen(1).await.remove(0);
    assert_eq!((seen.line(), seen.body.as_str()), ("POST /revoke", "token=rt&token_type_hint=refresh_token"));

    let grant = mock.url("/applications/{client_id}/token");
    bed.says(&format!("revoke: {{url: \"{grant}\", method: DELETE, body: json, parameter: access_token}}"), &mock);
    bed.revoke(tokens());
    let seen = mock.seen(2).await.remove(1);
    assert_eq!((seen.line(), seen.body.as_str()), ("DELETE /applications/us/token", r#"{"access_token":"at"}"#));
    assert_eq!(seen.header("authorization"), Some("Basic dXM6aHVzaA=="));
}
