//! Signing in by a clock that the tests set.

use super::*;
use crate::{Address, Database, Limits, Platform};
use heddle_cluster::{Cluster, again};

const NOON: Time = Time(1_770_109_200_000_000);
const DAY: i64 = 86_400;

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
    sessions: Sessions,
    clock: Arc<HandClock>,
    _folder: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let platform = Platform::open_throwaway(database, Limits::default()).await.unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(NOON.0)));
        let rules = SignIn { is_open: true, mail: None };
        let sessions = Sessions::new(platform.store.clone(), platform.accounts.clone(), rules, clock.clone());
        Self { platform, sessions, clock, _folder: folder }
    }

    async fn account(&self, name: &str) -> Account {
        let new = NewAccount {
            email: format!("{name}@Example.org"),
            name: None,
            password: Some(format!("{name}'s password")),
            is_admin: false,
        };
        self.platform.accounts.create(new).await.unwrap()
    }

    async fn sign_in(&self, email: &str, password: &str, from: u8) -> Result<Begun, Error> {
        self.sessions.sign_in(email, password.to_owned(), &visitor(from)).await
    }

    async fn ada(&self, from: u8) -> Begun {
        self.sign_in("ada@example.org", "ada's password", from).await.unwrap()
    }

    async fn who(&self, token: &str) -> Option<SignedIn> {
        self.sessions.authenticate(token, &visitor(1)).await.unwrap()
    }

    fn set(&self, seconds: i64) {
        self.clock.0.store(NOON.plus_seconds(seconds).0, Ordering::SeqCst);
    }

    /// Waits until what is noted in the background is on disk.
    async fn noted(&self, account: UserId, seconds: i64) {
        for _ in 0..5_000 {
            if self.sessions.list(account).await.unwrap()[0].last_used_at == NOON.plus_seconds(seconds) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the last use was not noted");
    }
}

fn visitor(from: u8) -> Visitor {
    let address = IpAddr::from([10, 0, 0, from]);
    Visitor { address, network: address, user_agent: Some(format!("Browser\n{from}")) }
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&["sessions::tests::"]);
}

#[tokio::test]
async fn a_right_password_opens_a_session_and_a_wrong_one_does_not_say_whether_there_is_an_account() {
    let bed = Bed::new().await;
    let ada = bed.account("ada").await;
    let begun = bed.sign_in(" ADA@example.org ", "ada's password", 1).await.unwrap();
    let who = bed.who(&begun.token).await.unwrap();
    assert_eq!((who.account.id, who.since, who.principal.scopes.len()), (ada.id, NOON, Scope::ALL.len()));
    assert!(bed.who("made up").await.is_none());

    let wrong = bed.sign_in("ada@example.org", "bob's password", 1).await.map(|_| ()).unwrap_err();
    let unknown = bed.sign_in("eve@example.org", "ada's password", 1).await.map(|_| ()).unwrap_err();
    assert_eq!((&wrong, matches!(wrong, Error::Forbidden(_))), (&unknown, true));
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    let disabled = bed.sign_in("ada@example.org", "ada's password", 1).await.map(|_| ()).unwrap_err();
    assert_eq!(wrong, disabled);
}

#[tokio::test]
async fn a_session_lasts_while_it_is_used_and_not_for_ever() {
    let bed = Bed::new().await;
    let ada = bed.account("ada").await.id;
    let idle = bed.ada(1).await.token;
    bed.set(14 * DAY - 1);
    let used = bed.ada(1).await.token;
    bed.set(14 * DAY);
    assert!(bed.who(&idle).await.is_none(), "not used for two weeks");
    for weeks in [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] {
        bed.set(weeks * 7 * DAY);
        assert!(bed.who(&used).await.is_some(), "{weeks}");
        bed.noted(ada, weeks * 7 * DAY).await;
    }
    bed.set(14 * DAY - 1 + 90 * DAY);
    assert!(bed.who(&used).await.is_none(), "ninety days after the password was given");
    assert_eq!(bed.sessions.list(ada).await.unwrap(), []);
}

#[tokio::test]
async fn use_is_noted_once_a_minute() {
    let bed = Bed::new().await;
    let ada = bed.account("ada").await.id;
    let token = bed.ada(1).await.token;
    bed.set(59);
    bed.who(&token).await.unwrap();
    bed.noted(ada, 0).await;
    bed.set(60);
    bed.sessions.authenticate(&token, &visitor(7)).await.unwrap().unwrap();
    bed.noted(ada, 60).await;
    let listed = &bed.sessions.list(ada).await.unwrap()[0];
    assert_eq!((listed.address.as_str(), listed.user_agent.as_deref()), ("10.0.0.7", Some("Browser1")));
}

#[tokio::test]
async fn sessions_end_at_once_whoever_ends_them() {
    let bed = Bed::new().await;
    let ada = bed.account("ada").await.id;
    let bob = bed.account("bob").await.id;
    let tokens = [bed.ada(1).await.token, bed.ada(2).await.token, bed.ada(3).await.token];
    let mut who = Vec::new();
    for token in &tokens {
        who.push(bed.who(token).await.unwrap());
    }
    let id = who[0].session.to_string();
    assert!(matches!(bed.sessions.end(bob, &id).await, Err(Error::NotFound(_))));
    assert!(matches!(bed.sessions.end(ada, "nonsense").await, Err(Error::NotFound(_))));
    bed.sessions.end(ada, &id).await.unwrap();
    assert!(bed.who(&tokens[0]).await.is_none());
    assert_eq!(bed.sessions.end_others(ada, who[2].session).await, Ok(1));
    assert!(bed.who(&tokens[1]).await.is_none());
    assert!(bed.who(&tokens[2]).await.is_some());
    bed.platform.accounts.set_password("ada@example.org", "another password").await.unwrap();
    assert!(bed.who(&tokens[2]).await.is_none());

    let token = bed.sign_in("ada@example.org", "another password", 1).await.unwrap().token;
    bed.who(&token).await.unwrap();
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    assert!(bed.who(&token).await.is_none());
}

#[tokio::test]
async fn a_changed_password_keeps_the_session_in_which_it_was_changed() {
    let bed = Bed::new().await;
    bed.account("ada").await;
    let (here, there) = (bed.ada(1).await.token, bed.ada(2).await.token);
    let who = bed.who(&here).await.unwrap();
    let change = async |current: &str, new: &str| {
        bed.sessions.change_password(&who, current.to_owned(), new.to_owned(), &visitor(1)).await
    };
    assert!(matches!(change("wrong", "another password").await, Err(Error::Forbidden(_))));
    assert!(matches!(change("ada's password", "short").await, Err(Error::Refused(_))));
    assert!(bed.who(&there).await.is_some());
    change("ada's password", "another password").await.unwrap();
    assert!(bed.who(&here).await.is_some() && bed.who(&there).await.is_none());
    bed.sign_in("ada@example.org", "another password", 1).await.unwrap();
}

#[tokio::test]
async fn strangers_who_guess_are_refused_and_do_not_lock_the_owner_out() {
    let bed = Bed::new().await;
    bed.account("ada").await;
    bed.ada(1).await;
    for from in 10..20 {
        for _ in 0..10 {
            assert!(matches!(bed.sign_in("ada@example.org", "guess", from).await, Err(Error::Forbidden(_))));
        }
        let refused = bed.sign_in("ada@example.org", "ada's password", from).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, Error::TooMany(_, 1..=3_601)), "{refused:?}");
    }
    let elsewhere = bed.sign_in("ada@example.org", "ada's password", 30).await.map(|_| ());
    assert!(matches!(elsewhere, Err(Error::TooMany(..))), "{elsewhere:?}");
    bed.ada(1).await;
    bed.set(3_600);
    bed.sign_in("ada@example.org", "ada's password", 30).await.unwrap();
}

#[tokio::test]
async fn accounts_are_made_by_signing_up_where_that_is_open_and_not_by_the_thousand() {
    let bed = Bed::new().await;
    let sign_up = async |sessions: &Sessions, email: &str, password: &str| {
        sessions.sign_up(email, Some("Ada".to_owned()), password.to_owned(), &visitor(1)).await
    };
    let begun = sign_up(&bed.sessions, "ada@example.org", "a password").await.unwrap();
    let account = bed.who(&begun.token).await.unwrap().account;
    assert_eq!((account.name.as_deref(), account.is_admin), (Some("Ada"), false));
    let again = sign_up(&bed.sessions, "ADA@example.org", "a password").await.map(|_| ());
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    for (email, password) in [("nobody", "a password"), ("eve@example.org", "short")] {
        let refused = sign_up(&bed.sessions, email, password).await.map(|_| ());
        assert!(matches!(refused, Err(Error::Refused(_))), "{email}: {refused:?}");
    }
    for _ in 4..20 {
        assert!(sign_up(&bed.sessions, "nobody", "a password").await.is_err());
    }
    let many = sign_up(&bed.sessions, "eve@example.org", "a password").await.map(|_| ());
    assert!(matches!(many, Err(Error::TooMany(..))), "{many:?}");
    let closed = Sessions { rules: SignIn::default(), ..bed.sessions.clone() };
    let refused = sign_up(&closed, "eve@example.org", "a password").await.map(|_| ());
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
}
