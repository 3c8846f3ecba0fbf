//! Sessions and password resets: found by their digest alone, each account's own, and gone when they should be.

use crate::bed::{Bed, Person, noon_and, person};
use heddle_model::{SessionId, Time};
use heddle_store::{BrowserSession, Error};

fn session_id(number: u8) -> SessionId {
    SessionId::from_random([number; 16])
}

fn session(person: Person, number: u8, expires_at: Time) -> BrowserSession {
    BrowserSession {
        id: session_id(number),
        account: person.id,
        created_at: noon_and(i64::from(number)),
        last_used_at: noon_and(i64::from(number)),
        expires_at,
        ends_at: noon_and(1_000),
        address: "2001:db8::1".to_owned(),
        user_agent: Some("Browser \0 1".to_owned()),
    }
}

impl Bed {
    async fn keep(&self, person: Person, numbers: &[u8]) {
        for &number in numbers {
            self.store.insert_session(session(person, number, noon_and(500)), [number; 32]).await.unwrap();
        }
    }

    async fn session_ids(&self, person: Person) -> Vec<SessionId> {
        self.store.sessions(person.id).await.unwrap().into_iter().map(|session| session.id).collect()
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_digest_with_its_account() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep(ada, &[1]).await;
        let (found, account) = bed.store.session_by_digest(&[1; 32]).await.unwrap().unwrap();
        assert_eq!((&found, account.id), (&session(ada, 1, noon_and(500)), ada.id));
        assert_eq!(bed.store.session_by_digest(&[2; 32]).await.unwrap(), None);
        let twin = session(ada, 2, noon_and(500));
        assert_eq!(bed.store.insert_session(twin.clone(), [1; 32]).await, Err(Error::Exists));
        let nobody = BrowserSession { account: person(9).id, ..twin };
        assert_eq!(bed.store.insert_session(nobody, [9; 32]).await, Err(Error::NotFound));
    }
}

#[tokio::test]
async fn a_password_that_was_just_replaced_opens_no_session() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.set_password_hash(ada.id, "new".to_owned()).await.unwrap();
        let open = async |number, hash: &str| {
            bed.store.open_session(session(ada, number, noon_and(500)), [number; 32], hash.to_owned()).await
        };
        assert_eq!(open(1, "old").await, Err(Error::NotFound));
        assert_eq!(open(2, "new").await, Ok(()));
        bed.store.set_account_disabled(ada.id, Some(noon_and(1))).await.unwrap();
        assert_eq!(open(3, "new").await, Err(Error::NotFound));
        assert_eq!(bed.session_ids(ada).await, []);
    }
}

#[tokio::test]
async fn use_moves_the_expiry_and_the_place_in_the_list() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep(ada, &[1, 2]).await;
        assert_eq!(bed.session_ids(ada).await, [session_id(2), session_id(1)]);
        bed.store.touch_session(session_id(1), noon_and(9), noon_and(700), "1.1.1.1".to_owned()).await.unwrap();
        let first = &bed.store.sessions(ada.id).await.unwrap()[0];
        let (used, expires) = (first.last_used_at, first.expires_at);
        assert_eq!((first.id, used, expires), (session_id(1), noon_and(9), noon_and(700)));
        assert_eq!(first.address, "1.1.1.1");
    }
}

#[tokio::test]
async fn a_session_is_ended_by_its_owner_alone() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        bed.keep(ada, &[1, 2, 3]).await;
        bed.keep(bob, &[4]).await;
        assert_eq!(bed.store.end_session(bob.id, session_id(1)).await, Err(Error::NotFound));
        bed.store.end_session(ada.id, session_id(1)).await.unwrap();
        assert_eq!(bed.store.end_session(ada.id, session_id(1)).await, Err(Error::NotFound));
        assert_eq!(bed.store.end_other_sessions(ada.id, session_id(3)).await.unwrap(), 1);
        assert_eq!(
            (bed.session_ids(ada).await, bed.session_ids(bob).await),
            (vec![session_id(3)], vec![session_id(4)])
        );
    }
}

#[tokio::test]
async fn a_new_password_and_a_shut_account_end_sessions_and_resets() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        let reset = async |number| bed.store.password_reset(&[number; 32], noon_and(1)).await.unwrap();
        let prepare = async |numbers: &[u8]| {
            bed.keep(ada, numbers).await;
            bed.store.insert_password_reset(ada.id, [numbers[0]; 32], noon_and(0), noon_and(60)).await.unwrap();
            assert_eq!(reset(numbers[0]).await, Some(ada.id));
        };
        bed.keep(bob, &[9]).await;

        prepare(&[1, 2]).await;
        bed.store.change_password_hash(ada.id, "hash".to_owned(), Some(session_id(1))).await.unwrap();
        assert_eq!((bed.session_ids(ada).await, reset(1).await), (vec![session_id(1)], None));
        prepare(&[3]).await;
        bed.store.set_password_hash(ada.id, "hash".to_owned()).await.unwrap();
        assert_eq!((bed.session_ids(ada).await, reset(3).await), (vec![], None));
        prepare(&[4]).await;
        bed.store.set_account_disabled(ada.id, Some(noon_and(1))).await.unwrap();
        assert_eq!((bed.session_ids(ada).await, reset(4).await), (vec![], None));
        assert_eq!(bed.session_ids(bob).await, [session_id(9)]);
    }
}

#[tokio::test]
async fn a_reset_works_once_and_in_time_and_ends_sessions() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep(ada, &[1]).await;
        for number in [1, 2, 3] {
            let expires_at = noon_and(60 * i64::from(number));
            bed.store.insert_password_reset(ada.id, [number; 32], noon_and(0), expires_at).await.unwrap();
        }
        let reset = async |number, at| bed.store.reset_password(&[number; 32], format!("hash {number}"), at).await;
        assert_eq!(reset(1, noon_and(60)).await, Err(Error::NotFound), "too late");
        assert_eq!(reset(7, noon_and(1)).await, Err(Error::NotFound), "unknown");
        assert_eq!(reset(2, noon_and(1)).await, Ok(ada.id));
        assert_eq!(reset(2, noon_and(1)).await, Err(Error::NotFound), "used");
        assert_eq!(reset(3, noon_and(1)).await, Err(Error::NotFound), "forgotten with the password that it was for");
        assert_eq!(bed.store.password_hash(ada.id).await.unwrap().as_deref(), Some("hash 2"));
        assert_eq!(bed.session_ids(ada).await, []);
    }
}

#[tokio::test]
async fn of_two_resets_at_once_one_takes_place() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.insert_password_reset(ada.id, [1; 32], noon_and(0), noon_and(60)).await.unwrap();
        let reset = |hash: &str| bed.store.reset_password(&[1; 32], hash.to_owned(), noon_and(1));
        let (key, first, second) = ([1; 32], reset("a"), reset("b"));
        let results = tokio::join!(first, second);
        assert!(results.0.is_ok() != results.1.is_ok(), "{results:?}");
        assert_eq!(bed.store.password_reset(&key, noon_and(1)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_over_is_removed_and_nothing_else() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep(ada, &[1]).await;
        bed.store.insert_session(session(ada, 2, noon_and(100)), [2; 32]).await.unwrap();
        bed.store.insert_password_reset(ada.id, [1; 32], noon_and(0), noon_and(60)).await.unwrap();
        assert_eq!(bed.store.remove_expired_sign_ins(noon_and(59)).await.unwrap(), 0);
        assert_eq!(bed.store.remove_expired_sign_ins(noon_and(100)).await.unwrap(), 2);
        assert_eq!(bed.store.remove_expired_sign_ins(noon_and(100)).await.unwrap(), 0);
        assert_eq!(bed.session_ids(ada).await, [session_id(1)]);
    }
}

#[tokio::test]
async fn the_longest_unused_session_gives_way_when_there_are_very_many() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.keep(ada, &(1..=101).collect::<Vec<_>>()).await;
        let left = bed.session_ids(ada).await;
        assert_eq!((left.len(), left.contains(&session_id(1))), (100, false));
    }
}

#[tokio::test]
async fn a_suspended_key_can_be_resumed_and_given_other_scopes_and_a_revoked_one_cannot() {
    use heddle_model::{KeyId, Scope};
    use heddle_store::{KeyStatus, NewKey};
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        let id = KeyId::from_random([1; 16]);
        let key = NewKey {
            id,
            organization: ada.organization,
            name: "key".to_owned(),
            head: "agpt_abc".to_owned(),
            tail: "wxyz1234".to_owned(),
            digest: [1; 32],
            scopes: vec![Scope::Identity],
            description: None,
            created_at: noon_and(0),
        };
        bed.store.insert_key(ada.id, key).await.unwrap();
        bed.store.suspend_key(ada.id, id).await.unwrap();
        assert_eq!(bed.store.resume_key(bob.id, id).await, Err(Error::NotFound));
        assert_eq!(bed.store.resume_key(ada.id, id).await.unwrap().status, KeyStatus::Active);
        assert_eq!(bed.store.set_key_scopes(bob.id, id, &[]).await, Err(Error::NotFound));
        let scopes = [Scope::ReadGraph, Scope::Identity];
        assert_eq!(bed.store.set_key_scopes(ada.id, id, &scopes).await.unwrap().scopes, scopes);
        bed.store.revoke_key(ada.id, id, noon_and(1)).await.unwrap();
        assert_eq!(bed.store.resume_key(ada.id, id).await.unwrap().status, KeyStatus::Revoked);
    }
}
