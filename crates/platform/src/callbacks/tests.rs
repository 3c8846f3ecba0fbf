//! The service on a clock that a test holds, against servers of its own. Nothing waits for the clock.

use super::service::Rounds;
use super::*;
use crate::{Limits, NewAccount, NewKey, Options, Platform, Principal, Start};
use async_trait::async_trait;
use heddle_engine::ports::Clock;
use heddle_model::{RunId, Scope, Time, Value};
use heddle_outbound::{Allow, Client, Resolve};
use heddle_store::Callback;
use serde_json::json;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::mock::{Mock, Seen, answer};

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const HOUR: i64 = 3600;

/// Shows the time that a test sets, and chances that are all nought.
struct HandClock(Mutex<Time>);

impl HandClock {
    fn pass(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus_seconds(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Time {
        *self.0.lock().unwrap()
    }

    fn random(&self) -> [u8; 16] {
        [0; 16]
    }
}

struct Bed {
    platform: Platform,
    ada: Principal,
    graph: String,
    clock: Arc<HandClock>,
    allow: Vec<Allow>,
    folder: tempfile::TempDir,
}

fn render(run: &RunOutcome) -> Vec<u8> {
    json!({"id": run.summary.id.to_string(), "outputs": run.outputs}).to_string().into_bytes()
}

fn options(allow: &[Allow], key_file: PathBuf) -> Options {
    Options { outbound: Policy::new(allow.to_vec()), key_file: Some(key_file), ..Options::default() }
}

impl Bed {
    /// A platform that delivers nothing by itself; callbacks may go to these servers.
    async fn reaching(mocks: &[&Mock]) -> Self {
        let allow: Vec<Allow> = mocks.iter().map(|mock| mock.address.to_string().parse().unwrap()).collect();
        let folder = tempfile::tempdir().unwrap();
        let options = options(&allow, folder.path().join("master.key"));
        let platform = Platform::open_with(&folder.path().join("heddle.db"), options).await.unwrap();
        let ada = person(&platform, "ada").await;
        let file = json!({
            "name": "Echo", "description": "",
            "nodes": [
                {"id": "in", "block_id": INPUT, "input_default": {"name": "text"}},
                {"id": "out", "block_id": OUTPUT, "input_default": {"name": "said"}},
            ],
            "links": [{"source_id": "in", "source_name": "result", "sink_id": "out", "sink_name": "value"}],
        });
        let draft = platform.graphs.read_file(file).unwrap().remove(0);
        let graph = platform.graphs.create(ada.user, ada.organization, draft).await.unwrap().graph.id.to_string();
        let clock = Arc::new(HandClock(Mutex::new(Time(0))));
        Self { platform, ada, graph, clock, allow, folder }
    }

    /// A run that has ended and of which somebody is to be told; the clock shows its end.
    async fn run(&self, url: &str) -> RunId {
        let Value::Object(inputs) = json!({"text": "hello"}) else { unreachable!() };
        let callback_url = Some(self.platform.callbacks.url(url).unwrap());
        let start = Start { graph: self.graph.clone(), version: 1, inputs, callback_url, ..Start::default() };
        let started = self.platform.runs.start(&self.ada, start).await.unwrap();
        let run = started.id;
        self.platform.runs.wait_for(self.ada.user, started, Duration::from_secs(60)).await.unwrap();
        *self.clock.0.lock().unwrap() = self.kept(run).await.unwrap().ended_at;
        run
    }

    async fn kept(&self, run: RunId) -> Option<Callback> {
        self.platform.store.callback(self.ada.user, run).await.unwrap()
    }

    fn courier(&self) -> Courier {
        let options = heddle_outbound::Options { policy: Policy::new(self.allow.clone()), ..Default::default() };
        self.courier_by(Client::new(options))
    }

    fn courier_by(&self, client: Client) -> Courier {
        let (secrets, accounts) = (self.platform.callbacks.secrets.clone(), self.platform.accounts.clone());
        let (store, runs) = (self.platform.store.clone(), self.platform.runs.clone());
        Courier { store, runs, accounts, secrets, client, clock: self.clock.clone(), render }
    }

    /// All that can be done at this moment by somebody who has just come.
    async fn round(&self) {
        round(&mut Rounds::new(self.courier())).await;
    }

    async fn secret(&self) -> Secret<String> {
        self.platform.callbacks.secret(self.ada.user).await.unwrap()
    }
}

async fn person(platform: &Platform, name: &str) -> Principal {
    let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
    let account = platform.accounts.create(new).await.unwrap();
    let new = NewKey { name: "test".into(), scopes: Scope::ALL.to_vec(), description: None };
    let (_, key) = platform.keys.create(account.id, new).await.unwrap();
    platform.keys.authenticate(&key).await.unwrap().unwrap()
}

async fn round(rounds: &mut Rounds) {
    loop {
        rounds.go_on().await;
        if !rounds.settle().await {
            return;
        }
    }
}

fn said(status: u16) -> String {
    answer(status, "", "")
}

fn expected_body(run: RunId) -> String {
    json!({"id": run.to_string(), "outputs": [["said", ["hello"]]]}).to_string()
}

fn check(seen: &Seen, secret: &Secret<String>, run: RunId, at: Time) {
    assert_eq!(seen.line(), "POST /done");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("heddle-delivery"), Some(&*run.to_string()));
    assert_eq!(seen.body, expected_body(run));
    let signature = signature::sign(secret, at.unix(), seen.body.as_bytes());
    assert_eq!(seen.header("heddle-signature"), Some(&*signature));
}

#[tokio::test]
async fn a_callback_is_tried_until_it_is_heard_each_time_with_the_same_body() {
    let mock = Mock::start(vec![said(500), said(404), said(302), said(204)]).await;
    let bed = Bed::reaching(&[&mock]).await;
    let run = bed.run(&mock.url("/done")).await;
    let secret = bed.secret().await;
    let mut times = Vec::new();
    for (attempt, wait) in [(1_u32, 1), (2, 2), (3, 4)] {
        bed.round().await;
        times.push(bed.clock.now());
        let kept = bed.kept(run).await.unwrap();
        assert_eq!((kept.attempts, kept.due_at), (attempt, bed.clock.now().plus_seconds(wait)));
        bed.clock.pass(wait - 1);
        bed.round().await;
        assert_eq!(mock.seen(0).await.len(), attempt as usize, "too early");
        bed.clock.pass(1);
    }
    bed.round().await;
    times.push(bed.clock.now());
    assert_eq!(bed.kept(run).await, None);
    let seen = mock.seen(4).await;
    for (seen, at) in seen.iter().zip(times) {
        check(seen, &secret, run, at);
    }
    bed.clock.pass(24 * HOUR);
    bed.round().await;
    assert_eq!(mock.seen(0).await.len(), 4);
}

#[tokio::test]
async fn a_receiver_that_wants_no_more_or_later_gets_that() {
    let (gone, later) =
        (Mock::start(vec![said(410)]).await, Mock::start(vec![answer(503, "retry-after: 90\r\n", "")]).await);
    let bed = Bed::reaching(&[&gone, &later]).await;
    let (unwanted, busy) = (bed.run(&gone.url("/done")).await, bed.run(&later.url("/done")).await);
    bed.round().await;
    assert_eq!(bed.kept(unwanted).await, None);
    assert_eq!(bed.kept(busy).await.unwrap().due_at, bed.clock.now().plus_seconds(90));
}

#[tokio::test]
async fn after_a_day_a_callback_is_given_up() {
    let mock = Mock::start(vec![said(500)]).await;
    let bed = Bed::reaching(&[&mock]).await;
    let run = bed.run(&mock.url("/done")).await;
    let end = bed.clock.now();
    let mut last = end;
    while let Some(kept) = bed.kept(run).await {
        *bed.clock.0.lock().unwrap() = kept.due_at;
        last = kept.due_at;
        bed.round().await;
    }
    assert_eq!(last, end.plus_seconds(24 * HOUR));
    assert_eq!(mock.seen(0).await.len(), 36);
}

#[tokio::test]
async fn what_comes_due_while_nobody_is_there_is_tried_once_more() {
    let mock = Mock::start(vec![said(500)]).await;
    let bed = Bed::reaching(&[&mock]).await;
    let run = bed.run(&mock.url("/done")).await;
    bed.clock.pass(72 * HOUR);
    bed.round().await;
    assert_eq!((mock.seen(1).await.len(), bed.kept(run).await), (1, None));
}

#[tokio::test]
async fn a_crash_after_it_was_heard_repeats_it_with_the_same_body() {
    let mock = Mock::start(vec![String::new(), said(200)]).await;
    let bed = Bed::reaching(&[&mock]).await;
    let run = bed.run(&mock.url("/done")).await;
    let mut rounds = Rounds::new(bed.courier());
    rounds.go_on().await;
    mock.seen(1).await;
    // Whoever delivered it is gone; the receiver has it.
    drop(rounds);
    assert_eq!(bed.kept(run).await.unwrap().attempts, 0);
    bed.clock.pass(5);
    bed.round().await;
    assert_eq!(bed.kept(run).await, None);
    let (seen, secret) = (mock.seen(2).await, bed.secret().await);
    check(&seen[0], &secret, run, bed.clock.now().plus_seconds(-5));
    check(&seen[1], &secret, run, bed.clock.now());
}

#[tokio::test]
async fn of_a_disabled_account_nobody_is_told() {
    let mock = Mock::start(vec![said(200)]).await;
    let bed = Bed::reaching(&[&mock]).await;
    let run = bed.run(&mock.url("/done")).await;
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    bed.round().await;
    assert_eq!((bed.kept(run).await, mock.seen(0).await.len()), (None, 0));
}

/// Every name is this machine.
struct Loopback;

#[async_trait]
impl Resolve for Loopback {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

#[tokio::test]
async fn a_name_that_points_inside_is_not_dialled() {
    let mock = Mock::start(vec![said(200)]).await;
    let bed = Bed::reaching(&[]).await;
    let run = bed.run(&format!("https://innocent.example:{}/done", mock.address.port())).await;
    let options = heddle_outbound::Options { resolver: Arc::new(Loopback), ..Default::default() };
    round(&mut Rounds::new(bed.courier_by(Client::new(options)))).await;
    assert_eq!((bed.kept(run).await.unwrap().attempts, mock.seen(0).await.len()), (1, 0));
}

#[tokio::test]
async fn a_thousand_callbacks_to_a_dead_server_do_not_hold_up_one_to_a_living_one() {
    let (dead, living) = (Mock::start(vec![String::new()]).await, Mock::start(vec![said(200)]).await);
    let bed = Bed::reaching(&[&dead, &living]).await;
    for number in 0..1000 {
        bed.run(&dead.url(&format!("/{number}"))).await;
    }
    let run = bed.run(&living.url("/done")).await;
    let mut rounds = Rounds::new(bed.courier());
    rounds.go_on().await;
    assert_eq!(living.seen(1).await[0].header("heddle-delivery"), Some(&*run.to_string()));
    assert!(dead.seen(4).await.len() <= 4);
}

#[tokio::test]
async fn the_service_hears_of_an_end_and_takes_up_what_was_left() {
    let mock = Mock::start(vec![said(200)]).await;
    let bed = Bed::reaching(&[&mock]).await;
    let left = bed.run(&mock.url("/done")).await;
    let (allow, folder) = (bed.allow.clone(), &bed.folder);
    bed.platform.close().await;
    let options = Options { callbacks: Some(render), ..options(&allow, folder.path().join("master.key")) };
    let platform = Platform::open_with(&folder.path().join("heddle.db"), options).await.unwrap();
    let bed = Bed { platform, ..bed };
    assert_eq!(mock.seen(1).await[0].header("heddle-delivery"), Some(&*left.to_string()));
    let Value::Object(inputs) = json!({"text": "hello"}) else { unreachable!() };
    let callback_url = Some(bed.platform.callbacks.url(&mock.url("/done")).unwrap());
    let start = Start { graph: bed.graph.clone(), version: 1, inputs, callback_url, ..Start::default() };
    let run = bed.platform.runs.start(&bed.ada, start).await.unwrap().id;
    assert_eq!(mock.seen(2).await[1].header("heddle-delivery"), Some(&*run.to_string()));
    bed.platform.close().await;
    assert_eq!(mock.seen(0).await.len(), 2);
}

#[tokio::test]
async fn a_secret_is_made_once_sealed_and_changed_when_asked() {
    let bed = Bed::reaching(&[]).await;
    let first = bed.secret().await;
    assert!(first.expose().starts_with("whsec_") && first.expose().len() == 6 + 43, "{}", first.expose());
    assert_eq!(bed.secret().await.expose(), first.expose());
    let other = person(&bed.platform, "bob").await;
    let theirs = bed.platform.callbacks.secret(other.user).await.unwrap();
    assert_ne!(theirs.expose(), first.expose());

    // A row copied over another one does not open.
    let sealed = bed.platform.store.secret(other.user, SECRET).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains(&theirs.expose()[6..]));
    let copied = heddle_store::SealedSecret { owner: bed.ada.user, name: SECRET.to_owned(), sealed };
    bed.platform.store.put_secret(copied).await.unwrap();
    let error = bed.platform.callbacks.secret(bed.ada.user).await.unwrap_err();
    assert!(error.to_string().ends_with("was altered or belongs somewhere else"), "{error}");

    let second = bed.platform.callbacks.rotate_secret(bed.ada.user).await.unwrap();
    assert_ne!(second.expose(), first.expose());
    assert_eq!(bed.secret().await.expose(), second.expose());
}

#[tokio::test]
async fn a_lost_master_key_is_not_replaced_quietly() {
    let bed = Bed::reaching(&[]).await;
    let key_file = bed.folder.path().join("master.key");
    let kept = std::fs::read(&key_file).unwrap();
    bed.secret().await;
    bed.platform.close().await;
    std::fs::remove_file(&key_file).unwrap();
    let open = async || Platform::open_with(&bed.folder.path().join("heddle.db"), options(&[], key_file.clone())).await;
    let error = open().await.err().unwrap().to_string();
    assert!(error.contains("holds secrets sealed with it: put it back"), "{error}");
    assert!(!key_file.exists());
    std::fs::write(&key_file, kept).unwrap();
    let error = open().await.err().unwrap().to_string();
    assert!(error.contains("others may read it"), "{error}");
}

#[tokio::test]
async fn without_a_master_key_nothing_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::open(&folder.path().join("heddle.db"), Limits::default()).await.unwrap();
    let ada = person(&platform, "ada").await;
    let error = platform.callbacks.secret(ada.user).await.unwrap_err();
    assert!(error.to_string().contains("there is no master key"), "{error}");
}
