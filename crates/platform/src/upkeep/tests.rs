//! The work itself, piece by piece; nothing waits for the clock.

use super::*;
use crate::{Limits, NewAccount, NewKey, Platform, Principal, Start};
use heddle_model::{Scope, Status, Value};
use serde_json::json;

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";

struct Bed {
    platform: Platform,
    ada: Principal,
    graph: String,
    _folder: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let platform = Platform::open(&folder.path().join("heddle.db"), Limits::default()).await.unwrap();
        let new = NewAccount { email: "ada@example.org".into(), name: None, password: None, is_admin: false };
        let account = platform.accounts.create(new).await.unwrap();
        let new = NewKey { name: "test".into(), scopes: Scope::ALL.to_vec(), description: None };
        let (_, key) = platform.keys.create(account.id, new).await.unwrap();
        let ada = platform.keys.authenticate(&key).await.unwrap().unwrap();
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
        Self { platform, ada, graph, _folder: folder }
    }

    async fn run(&self) -> String {
        let Value::Object(inputs) = json!({"text": "x"}) else { unreachable!() };
        let start = Start { graph: self.graph.clone(), version: 1, inputs, ..Start::default() };
        let started = self.platform.runs.start(&self.ada, start).await.unwrap();
        let id = started.id.to_string();
        let run = self.platform.runs.wait_for(self.ada.user, started, Duration::from_secs(60)).await.unwrap();
        assert_eq!(run.summary.status, Status::Completed);
        id
    }

    /// Works until there is nothing left to do.
    async fn round(&self, retention: Option<Duration>) {
        let mut rounds = Rounds::new(self.platform.store.clone(), retention);
        while rounds.piece(PIECE.1).await.unwrap() {}
    }

    async fn is_there(&self, run: &str) -> bool {
        self.platform.runs.results(self.ada.user, &self.graph, run).await.is_ok()
    }
}

#[tokio::test]
async fn without_retention_everything_stays() {
    let bed = Bed::new().await;
    let run = bed.run().await;
    bed.round(None).await;
    assert!(bed.is_there(&run).await);
}

#[tokio::test]
async fn runs_older_than_the_retention_go_and_younger_ones_stay() {
    let bed = Bed::new().await;
    let run = bed.run().await;
    bed.round(Some(Duration::from_secs(3600))).await;
    assert!(bed.is_there(&run).await);
    bed.round(Some(Duration::ZERO)).await;
    assert!(!bed.is_there(&run).await);
    let next = bed.run().await;
    assert!(bed.is_there(&next).await, "the server goes on");
}

#[tokio::test]
async fn a_finished_run_is_rewritten_and_says_the_same() {
    let bed = Bed::new().await;
    let timer = json!({"id": "t", "block_id": TIMER, "input_default": {"seconds": 0, "repeat": 5}});
    let file = json!({"name": "Timer", "description": "", "nodes": [timer], "links": []});
    let draft = bed.platform.graphs.read_file(file).unwrap().remove(0);
    let graph =
        bed.platform.graphs.create(bed.ada.user, bed.ada.organization, draft).await.unwrap().graph.id.to_string();
    let start = Start { graph: graph.clone(), version: 1, ..Start::default() };
    let started = bed.platform.runs.start(&bed.ada, start).await.unwrap();
    let id = started.id.to_string();
    bed.platform.runs.wait_for(bed.ada.user, started, Duration::from_secs(60)).await.unwrap();
    let view = async || format!("{:?}", bed.platform.runs.results(bed.ada.user, &graph, &id).await.unwrap());
    let before = view().await;
    let mut rounds = Rounds::new(bed.platform.store.clone(), None);
    assert!(rounds.rewrite().await.unwrap(), "there is something to do");
    assert!(!rounds.rewrite().await.unwrap(), "it was done");
    assert_eq!(view().await, before);
}

#[tokio::test]
async fn what_fails_is_tried_again_later() {
    let bed = Bed::new().await;
    let mut rounds = Rounds::new(bed.platform.store.clone(), None);
    bed.platform.close().await;
    assert_eq!(rounds.go_on().await, LOOK);
    assert!(rounds.has_failed && rounds.walk.is_some());
}

#[tokio::test]
async fn a_platform_that_is_dropped_lets_the_database_go() {
    let bed = Bed::new().await;
    let folder = bed._folder.path().to_owned();
    drop(bed.platform);
    let give_up = Instant::now() + Duration::from_secs(60);
    while folder.join("heddle.db-wal").exists() {
        assert!(Instant::now() < give_up, "somebody still holds it");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn sign_ins_that_are_over_are_removed() {
    use heddle_model::SessionId;
    use heddle_store::BrowserSession;
    let bed = Bed::new().await;
    let now = SystemClock.now();
    for (number, expires_at) in (0..90).map(|number| (number, Time(1))).chain([(100, now.plus_seconds(600))]) {
        let session = BrowserSession {
            id: SessionId::from_random([number; 16]),
            account: bed.ada.user,
            created_at: Time(0),
            last_used_at: Time(0),
            expires_at,
            ends_at: expires_at,
            address: "127.0.0.1".into(),
            user_agent: None,
        };
        bed.platform.store.insert_session(session, [number; 32]).await.unwrap();
        bed.platform.store.insert_password_reset(bed.ada.user, [number; 32], Time(0), expires_at).await.unwrap();
    }
    bed.round(None).await;
    assert_eq!(bed.platform.store.sessions(bed.ada.user).await.unwrap().len(), 1);
    assert_eq!(bed.platform.store.password_reset(&[89; 32], Time(0)).await, Ok(None));
    assert_eq!(bed.platform.store.password_reset(&[100; 32], now).await, Ok(Some(bed.ada.user)));
}
