//! Passkeys: each account's own, a challenge good once, and all of them gone with the password they stood beside.

use crate::bed::{Bed, NOON, Person, noon_and};
use heddle_model::{PasskeyId, SessionId};
use heddle_store::{Answered, BrowserSession, Error, Passkey, PasskeyUse};

fn passkey(person: Person, number: u8) -> Passkey {
    Passkey {
        id: PasskeyId::from_random([number; 16]),
        account: person.id,
        credential: vec![number; 20],
        public_key: vec![number; 77],
        party: "agents.example.org".to_owned(),
        sign_count: 0,
        can_be_backed_up: true,
        is_backed_up: false,
        name: format!("Key {number}"),
        created_at: noon_and(i64::from(number)),
        last_used_at: None,
    }
}

fn answered(number: u8) -> Answered {
    Answered { digest: [number; 32], expires_at: noon_and(300) }
}

fn session(person: Person, number: u8) -> BrowserSession {
    BrowserSession {
        id: SessionId::from_random([number; 16]),
        account: person.id,
        created_at: noon_and(50),
        last_used_at: noon_and(50),
        expires_at: noon_and(500),
        ends_at: noon_and(1_000),
        address: "192.0.2.1".to_owned(),
        user_agent: None,
    }
}

impl Bed {
    async fn keep_passkey(&self, person: Person, number: u8) {
        self.store.insert_passkey(passkey(person, number), answered(number)).await.unwrap();
    }

    async fn passkey_names(&self, person: Person) -> Vec<String> {
        self.store.passkeys(person.id).await.unwrap().into_iter().map(|passkey| passkey.name).collect()
    }

    async fn sign_in(&self, person: Person, passkey: u8, count: u32, challenge: u8) -> Result<(), Error> {
        let id = PasskeyId::from_random([passkey; 16]);
        let used = PasskeyUse { id, sign_count: count, is_backed_up: true, answered: answered(challenge) };
        self.store.open_session_by_passkey(session(person, challenge), [challenge; 32], used).await
    }
}

#[tokio::test]
async fn a_passkey_is_its_accounts_alone() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        bed.keep_passkey(ada, 1).await;
        bed.keep_passkey(ada, 2).await;
        let first = passkey(ada, 1);
        assert_eq!(bed.store.passkeys(ada.id).await.unwrap(), [first.clone(), passkey(ada, 2)]);
        assert_eq!(bed.store.passkey(ada.id, &first.credential).await.unwrap(), Some(first.clone()));
        assert_eq!(bed.store.passkey(bob.id, &first.credential).await.unwrap(), None);
        assert_eq!(bed.store.rename_passkey(bob.id, first.id, "Mine".to_owned()).await, Err(Error::NotFound));
        assert_eq!(bed.store.remove_passkey(bob.id, first.id).await, Err(Error::NotFound));
        assert_eq!(bed.sign_in(bob, 1, 1, 80).await, Err(Error::NotFound), "another's passkey opens nothing");
        let taken = Passkey { id: PasskeyId::from_random([9; 16]), ..passkey(bob, 1) };
        assert_eq!(bed.store.insert_passkey(taken, answered(9)).await, Err(Error::Exists));
        let renamed = bed.store.rename_passkey(ada.id, first.id, "Phone".to_owned()).await.unwrap();
        assert_eq!(renamed, Passkey { name: "Phone".to_owned(), ..first.clone() });
        bed.store.remove_passkey(ada.id, first.id).await.unwrap();
        assert_eq!(bed.passkey_names(ada).await, ["Key 2"]);
    }
}

#[tokio::test]
async fn a_challenge_is_answered_once() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep_passkey(ada, 1).await;
        assert_eq!(bed.store.insert_passkey(passkey(ada, 2), answered(1)).await, Err(Error::NotFound));
        assert_eq!(bed.sign_in(ada, 1, 1, 1).await, Err(Error::NotFound), "neither for another kind of thing");
        assert_eq!(bed.sign_in(ada, 1, 1, 60).await, Ok(()));
        assert_eq!(bed.sign_in(ada, 1, 2, 60).await, Err(Error::NotFound));
        assert_eq!(bed.store.sessions(ada.id).await.unwrap().len(), 1);
        assert_eq!(bed.store.remove_expired_sign_ins(noon_and(299)).await.unwrap(), 0);
        assert_eq!(bed.store.remove_expired_sign_ins(noon_and(300)).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn of_two_answers_with_one_count_one_signs_in() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep_passkey(ada, 1).await;
        let (a, b) = tokio::join!(bed.sign_in(ada, 1, 7, 60), bed.sign_in(ada, 1, 7, 61));
        assert_eq!([a, b].iter().filter(|opened| opened.is_ok()).count(), 1);
        assert_eq!(bed.sign_in(ada, 1, 6, 62).await, Err(Error::NotFound));
        assert_eq!(bed.sign_in(ada, 1, 0, 63).await, Err(Error::NotFound));
        let used = bed.store.passkeys(ada.id).await.unwrap().remove(0);
        assert_eq!((used.sign_count, used.is_backed_up, used.last_used_at), (7, true, Some(noon_and(50))));
        bed.keep_passkey(ada, 2).await;
        assert_eq!(bed.sign_in(ada, 2, 0, 64).await, Ok(()), "one that does not count");
        assert_eq!(bed.sign_in(ada, 2, 0, 65).await, Ok(()));
    }
}

#[tokio::test]
async fn a_disabled_accounts_passkey_opens_nothing_until_it_is_enabled() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep_passkey(ada, 1).await;
        bed.store.set_account_disabled(ada.id, Some(NOON)).await.unwrap();
        assert_eq!(bed.store.passkey(ada.id, &[1; 20]).await.unwrap(), None);
        assert_eq!(bed.sign_in(ada, 1, 1, 60).await, Err(Error::NotFound));
        bed.store.set_account_disabled(ada.id, None).await.unwrap();
        assert_eq!(bed.sign_in(ada, 1, 1, 60).await, Ok(()), "the refusal used nothing up");
    }
}

#[tokio::test]
async fn a_password_that_was_set_anew_leaves_no_passkeys() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep_passkey(ada, 1).await;
        let kept = Some(SessionId::from_random([1; 16]));
        bed.store.change_password_hash(ada.id, "changed".to_owned(), kept).await.unwrap();
        assert_eq!(bed.passkey_names(ada).await, ["Key 1"], "its owner changed it");
        bed.store.set_password_hash(ada.id, "set".to_owned()).await.unwrap();
        assert_eq!(bed.passkey_names(ada).await, [""; 0], "the operator set it");
        bed.keep_passkey(ada, 2).await;
        bed.store.insert_password_reset(ada.id, [5; 32], NOON, noon_and(60)).await.unwrap();
        bed.store.reset_password(&[5; 32], "reset".to_owned(), noon_and(1)).await.unwrap();
        assert_eq!(bed.passkey_names(ada).await, [""; 0], "a link from a mail");
    }
}

#[tokio::test]
async fn an_account_has_fifty_passkeys_at_most() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        for number in 0..50 {
            bed.keep_passkey(ada, number).await;
        }
        assert_eq!(bed.store.insert_passkey(passkey(ada, 50), answered(50)).await, Err(Error::Exists));
    }
}
