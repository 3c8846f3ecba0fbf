//! Signing in with passkeys by a clock that the tests set, with an authenticator in software.

use super::*;
use crate::{Account, Address, Database, NewAccount, Options, Platform, SignIn, Watch};
use heddle_cluster::{Cluster, again};
use heddle_model::Time;
use heddle_passkey::testing::Authenticator;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

const NOON: Time = Time(1_770_109_200_000_000);
const ORIGIN: &str = "https://agents.example.org";

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
    clock: Arc<HandClock>,
    party: Party,
    _folder: tempfile::TempDir,
}

/// Somebody who is signed in, and the passkey.
struct Holder {
    account: Arc<Account>,
    who: SignedIn,
    authenticator: Authenticator,
}

impl Bed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let clock = Arc::new(HandClock(AtomicI64::new(NOON.0)));
        let options = Options {
            throwaway: true,
            key_file: Some(folder.path().join("master.key")),
            sign_in: SignIn { is_open: true, mail: None },
            watch: Watch(clock.clone()),
            ..Options::default()
        };
        let platform = Platform::open_with(database, options).await.unwrap();
        Self { platform, clock, party: Party::of(ORIGIN).unwrap(), _folder: folder }
    }

    fn set(&self, seconds: i64) {
        self.clock.0.store(NOON.plus_seconds(seconds).0, Ordering::SeqCst);
    }

    async fn signed_in(&self, name: &str) -> SignedIn {
        let email = format!("{name}@example.org");
        let new =
            NewAccount { email: email.clone(), name: None, password: Some("a password".to_owned()), is_admin: false };
        self.platform.accounts.create(new).await.unwrap();
        let begun = self.platform.sessions.sign_in(&email, "a password".to_owned(), &visitor(1)).await.unwrap();
        self.platform.sessions.authenticate(&begun.token, &visitor(1)).await.unwrap().unwrap()
    }

    async fn holder(&self, name: &str) -> Holder {
        let who = self.signed_in(name).await;
        let mut authenticator = Authenticator::new(ORIGIN);
        let asked = self.platform.passkeys.creation(&self.party, &who, "browser").await.unwrap();
        let answer = authenticator.create(&asked);
        self.platform.passkeys.register(&self.party, &who, "browser", " Phone ", &answer).await.unwrap();
        Holder { account: Arc::clone(&who.account), who, authenticator }
    }

    async fn answer(&self, answer: &Value) -> Result<Begun, Error> {
        self.platform.passkeys.sign_in(&self.party, "browser", answer, &visitor(1)).await
    }

    async fn asked(&self) -> Value {
        self.platform.passkeys.request(&self.party, "browser").await.unwrap()
    }
}

fn visitor(from: u8) -> Visitor {
    let address = IpAddr::from([10, 0, 0, from]);
    Visitor { address, network: address, user_agent: None }
}

fn is_unknown(result: Result<Begun, Error>) -> bool {
    result.is_err_and(|error| matches!(error, Error::Forbidden(_)))
}

fn is_late<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refused(text)) if text.starts_with("That took too long"))
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&["passkeys::tests::"]);
}

#[tokio::test]
async fn a_passkey_signs_its_owner_in_once_for_each_question() {
    let bed = Bed::new().await;
    let mut ada = bed.holder("ada").await;
    bed.set(60);
    let answer = ada.authenticator.get(&bed.asked().await);
    let begun = bed.answer(&answer).await.unwrap();
    let who = bed.platform.sessions.authenticate(&begun.token, &visitor(1)).await.unwrap().unwrap();
    assert_eq!((who.account.id, who.since), (ada.account.id, NOON.plus_seconds(60)));
    let listed = bed.platform.passkeys.list(ada.account.id).await.unwrap();
    assert_eq!((listed[0].name.as_str(), listed[0].sign_count), ("Phone", 1));
    assert_eq!(listed[0].last_used_at, Some(NOON.plus_seconds(60)));
    assert!(bed.answer(&answer).await.is_err(), "the same answer again");
    assert_eq!(bed.platform.sessions.list(ada.account.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_same_answer_at_once_signs_in_once_also_without_a_counter() {
    let bed = Bed::new().await;
    let ada = bed.holder("ada").await;
    let words = ada.authenticator.client_data("webauthn.get", &bed.asked().await["challenge"]);
    let answer = ada.authenticator.assert(&words, &ada.authenticator.data(bed.party.id(), false));
    let (a, b, c) = tokio::join!(bed.answer(&answer), bed.answer(&answer), bed.answer(&answer));
    assert_eq!([a, b, c].iter().filter(|begun| begun.is_ok()).count(), 1);
    assert!(is_late(bed.answer(&answer).await));
}

#[tokio::test]
async fn a_question_is_for_one_browser_one_purpose_and_five_minutes() {
    let bed = Bed::new().await;
    let mut ada = bed.holder("ada").await;
    let passkeys = &bed.platform.passkeys;
    let answer = ada.authenticator.get(&bed.asked().await);
    assert!(is_late(passkeys.sign_in(&bed.party, "another", &answer, &visitor(1)).await), "stolen by another browser");
    let creation = passkeys.creation(&bed.party, &ada.who, "browser").await.unwrap();
    let mut crossed = bed.asked().await;
    crossed["challenge"] = creation["challenge"].clone();
    assert!(is_late(bed.answer(&ada.authenticator.get(&crossed)).await), "asked for another purpose");
    crossed["challenge"] = "AAAA".into();
    assert!(is_late(bed.answer(&ada.authenticator.get(&crossed)).await), "never asked");
    bed.set(300);
    assert!(is_late(bed.answer(&answer).await));
    bed.set(299);
    assert!(bed.answer(&answer).await.is_ok(), "no failure used it up");
}

#[tokio::test]
async fn whose_a_passkey_says_it_is_does_not_make_it_so() {
    let bed = Bed::new().await;
    let (mut ada, bob) = (bed.holder("ada").await, bed.holder("bob").await);
    ada.authenticator.user = bob.account.id.0.as_bytes().to_vec();
    assert!(is_unknown(bed.answer(&ada.authenticator.get(&bed.asked().await)).await));
    ada.authenticator.user = b"nobody".to_vec();
    assert!(is_unknown(bed.answer(&ada.authenticator.get(&bed.asked().await)).await));
    ada.authenticator.id = bob.authenticator.id.clone();
    ada.authenticator.user = bob.account.id.0.as_bytes().to_vec();
    assert!(is_unknown(bed.answer(&ada.authenticator.get(&bed.asked().await)).await), "signed with another key");
    let mut stranger = Authenticator::new(ORIGIN);
    stranger.user = ada.account.id.0.as_bytes().to_vec();
    assert!(is_unknown(bed.answer(&stranger.get(&bed.asked().await)).await));
}

#[tokio::test]
async fn a_copied_authenticator_is_noticed() {
    let bed = Bed::new().await;
    let mut ada = bed.holder("ada").await;
    ada.authenticator.count = 9;
    bed.answer(&ada.authenticator.get(&bed.asked().await)).await.unwrap();
    ada.authenticator.count = 4;
    assert!(is_unknown(bed.answer(&ada.authenticator.get(&bed.asked().await)).await));
}

#[tokio::test]
async fn who_proved_too_long_ago_who_he_is_adds_no_passkey() {
    let bed = Bed::new().await;
    let who = bed.signed_in("ada").await;
    let passkeys = &bed.platform.passkeys;
    bed.set(599);
    let asked = passkeys.creation(&bed.party, &who, "browser").await.unwrap();
    let answer = Authenticator::new(ORIGIN).create(&asked);
    bed.set(600);
    assert!(!passkeys.may_add(&who));
    for refused in [
        passkeys.creation(&bed.party, &who, "browser").await.map(|_| ()),
        passkeys.register(&bed.party, &who, "browser", "", &answer).await.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_new_passkey_is_kept_once_and_for_whom_it_was_asked() {
    let bed = Bed::new().await;
    let (ada, bob) = (bed.signed_in("ada").await, bed.signed_in("bob").await);
    let passkeys = &bed.platform.passkeys;
    let asked = passkeys.creation(&bed.party, &ada, "browser").await.unwrap();
    let answer = Authenticator::new(ORIGIN).create(&asked);
    assert!(is_late(passkeys.register(&bed.party, &bob, "browser", "", &answer).await));
    assert!(is_late(passkeys.register(&bed.party, &ada, "another", "", &answer).await));
    let made = passkeys.register(&bed.party, &ada, "browser", "  ", &answer).await.unwrap();
    assert_eq!(made.name, "Passkey");
    assert!(is_late(passkeys.register(&bed.party, &ada, "browser", "", &answer).await));
    let asked = passkeys.creation(&bed.party, &ada, "browser").await.unwrap();
    assert_eq!(asked["excludeCredentials"].as_array().unwrap().len(), 1);
    let long = passkeys.rename(ada.account.id, &made.id.to_string(), &"x".repeat(101)).await;
    assert!(matches!(long, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_disabled_account_and_a_removed_passkey_open_nothing() {
    let bed = Bed::new().await;
    let mut ada = bed.holder("ada").await;
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    assert!(is_unknown(bed.answer(&ada.authenticator.get(&bed.asked().await)).await));
    bed.platform.accounts.enable("ada@example.org").await.unwrap();
    assert!(bed.answer(&ada.authenticator.get(&bed.asked().await)).await.is_ok());
    let id = bed.platform.passkeys.list(ada.account.id).await.unwrap()[0].id.to_string();
    bed.platform.passkeys.remove(ada.account.id, &id).await.unwrap();
    assert!(is_unknown(bed.answer(&ada.authenticator.get(&bed.asked().await)).await));
    let missing = bed.platform.passkeys.remove(ada.account.id, &id).await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn one_place_may_not_try_for_ever() {
    let bed = Bed::new().await;
    let mut stranger = Authenticator::new(ORIGIN);
    for _ in 0..100 {
        assert!(is_unknown(bed.answer(&stranger.get(&bed.asked().await)).await));
    }
    assert!(matches!(bed.answer(&stranger.get(&bed.asked().await)).await, Err(Error::TooMany(_, 901))));
    let elsewhere =
        bed.platform.passkeys.sign_in(&bed.party, "browser", &stranger.get(&bed.asked().await), &visitor(2)).await;
    assert!(is_unknown(elsewhere));
}
