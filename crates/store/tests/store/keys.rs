use crate::bed::{Bed, Person, key_id, noon_and, person};
use heddle_model::Scope;
use heddle_store::{Error, KeyStatus, NewKey};

fn new_key(owner: Person, number: u8) -> NewKey {
    NewKey {
        id: key_id(number),
        organization: owner.organization,
        name: format!("key {number}"),
        head: "agpt_abc".to_owned(),
        tail: "wxyz1234".to_owned(),
        digest: [number; 32],
        scopes: vec![Scope::ReadGraph, Scope::Identity],
        description: None,
        created_at: noon_and(i64::from(number)),
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_digest_with_its_account() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.insert_key(ada.id, new_key(ada, 1)).await.unwrap();
        let (key, account) = bed.store.key_by_digest(&[1; 32]).await.unwrap().unwrap();
        assert_eq!((key.id, key.owner, account.id), (key_id(1), ada.id, ada.id));
        assert_eq!(key.scopes, [Scope::ReadGraph, Scope::Identity]);
        assert_eq!((key.status, key.last_used_at, key.revoked_at), (KeyStatus::Active, None, None));
        assert_eq!(bed.store.key_by_digest(&[2; 32]).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_key_of_a_disabled_account_says_so() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.insert_key(ada.id, new_key(ada, 1)).await.unwrap();
        bed.store.set_account_disabled(ada.id, Some(noon_and(5))).await.unwrap();
        let (_, account) = bed.store.key_by_digest(&[1; 32]).await.unwrap().unwrap();
        assert_eq!(account.disabled_at, Some(noon_and(5)));
    }
}

#[tokio::test]
async fn only_active_keys_are_found_by_digest_but_all_are_listed_newest_first() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        for number in 1..=3 {
            bed.store.insert_key(ada.id, new_key(ada, number)).await.unwrap();
        }
        let revoked = bed.store.revoke_key(ada.id, key_id(1), noon_and(10)).await.unwrap();
        assert_eq!((revoked.status, revoked.revoked_at), (KeyStatus::Revoked, Some(noon_and(10))));
        assert_eq!(bed.store.suspend_key(ada.id, key_id(2)).await.unwrap().status, KeyStatus::Suspended);
        for (digest, found) in [([1; 32], false), ([2; 32], false), ([3; 32], true)] {
            assert_eq!(bed.store.key_by_digest(&digest).await.unwrap().is_some(), found, "{digest:?}");
        }
        let listed: Vec<_> =
            bed.store.keys(ada.id).await.unwrap().into_iter().map(|key| (key.id, key.status)).collect();
        let expected =
            [(key_id(3), KeyStatus::Active), (key_id(2), KeyStatus::Suspended), (key_id(1), KeyStatus::Revoked)];
        assert_eq!(listed, expected);
    }
}

#[tokio::test]
async fn revoking_is_final_and_keeps_its_first_time() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.insert_key(ada.id, new_key(ada, 1)).await.unwrap();
        bed.store.revoke_key(ada.id, key_id(1), noon_and(10)).await.unwrap();
        let again = bed.store.revoke_key(ada.id, key_id(1), noon_and(20)).await.unwrap();
        assert_eq!(again.revoked_at, Some(noon_and(10)));
        assert_eq!(bed.store.suspend_key(ada.id, key_id(1)).await.unwrap().status, KeyStatus::Revoked);
    }
}

#[tokio::test]
async fn use_is_noted() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.insert_key(ada.id, new_key(ada, 1)).await.unwrap();
        bed.store.touch_key(key_id(1), noon_and(30)).await.unwrap();
        assert_eq!(bed.store.keys(ada.id).await.unwrap()[0].last_used_at, Some(noon_and(30)));
    }
}

#[tokio::test]
async fn another_users_key_looks_missing() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        bed.store.insert_key(ada.id, new_key(ada, 1)).await.unwrap();
        assert_eq!(bed.store.revoke_key(bob.id, key_id(1), noon_and(1)).await, Err(Error::NotFound));
        assert_eq!(bed.store.suspend_key(bob.id, key_id(1)).await, Err(Error::NotFound));
        assert_eq!(bed.store.revoke_key(bob.id, key_id(7), noon_and(1)).await, Err(Error::NotFound));
        assert_eq!(bed.store.keys(bob.id).await.unwrap(), []);
        assert!(bed.store.key_by_digest(&[1; 32]).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_key_needs_an_account_and_a_digest_of_its_own() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        assert_eq!(bed.store.insert_key(person(9).id, new_key(ada, 1)).await, Err(Error::NotFound));
        bed.store.insert_key(ada.id, new_key(ada, 1)).await.unwrap();
        let twin = NewKey { id: key_id(2), ..new_key(ada, 1) };
        assert_eq!(bed.store.insert_key(ada.id, twin).await, Err(Error::Exists));
    }
}
