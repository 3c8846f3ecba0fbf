//! Credentials, the record of their use, and what is sealed.

use crate::bed::{Bed, NOON, Person, noon_and, person, run_id};
use heddle_model::CredentialId;
use heddle_store::{CredentialRecord, Error, SealedCredential, SealedPlace, SealedSecret, SealedWalk, SecretUse};

fn id(number: u8) -> CredentialId {
    CredentialId::from_random([number; 16])
}

fn credential(person: Person, number: u8) -> SealedCredential {
    let record = CredentialRecord {
        id: id(number),
        owner: person.id,
        provider: "github".to_owned(),
        kind: "oauth2".to_owned(),
        title: Some(format!("number {number}")),
        scopes: Some(vec!["repo".to_owned(), "user".to_owned()]),
        username: Some("ada".to_owned()),
        host: None,
        base_url: Some("https://github.example/api".to_owned()),
        expires_at: Some(noon_and(3600)),
        created_at: noon_and(100 - i64::from(number)),
        last_used_at: None,
    };
    SealedCredential { record, sealed: vec![number, 0, 255] }
}

fn used(person: Person, credential: CredentialId, seconds: i64) -> SecretUse {
    SecretUse {
        used_at: noon_and(seconds),
        owner: person.id,
        credential: credential.to_string(),
        provider: "github".to_owned(),
        door: "run".to_owned(),
        run: Some(run_id(7)),
        node: Some("node".to_owned()),
        exec: Some(3),
    }
}

#[tokio::test]
async fn credentials_are_their_owners_in_the_order_in_which_they_were_made() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        for (person, number) in [(ada, 1), (ada, 2), (bob, 3)] {
            bed.store.insert_credential(credential(person, number)).await.unwrap();
        }
        assert_eq!(bed.store.insert_credential(credential(bob, 1)).await, Err(Error::Exists));
        let ids = async |person: Person| {
            let all = bed.store.credentials(person.id).await.unwrap();
            all.into_iter().map(|record| record.id).collect::<Vec<_>>()
        };
        assert_eq!((ids(ada).await, ids(bob).await, ids(person(9)).await), (vec![id(2), id(1)], vec![id(3)], vec![]));
        let found = bed.store.credential(ada.id, id(1)).await.unwrap().unwrap();
        assert!(found == credential(ada, 1), "{:?}", found.record);
        assert!(bed.store.credential(bob.id, id(1)).await.unwrap().is_none(), "somebody else's");

        let plain = CredentialRecord {
            id: id(4),
            kind: "api_key".to_owned(),
            title: None,
            scopes: None,
            username: None,
            base_url: None,
            expires_at: None,
            ..credential(ada, 4).record
        };
        let plain = SealedCredential { record: plain, sealed: vec![4] };
        bed.store.insert_credential(plain.clone()).await.unwrap();
        assert!(bed.store.credential(ada.id, id(4)).await.unwrap().unwrap() == plain);
    }
}

#[tokio::test]
async fn only_the_owner_removes_a_credential_and_only_for_its_provider() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.store.insert_credential(credential(ada, 1)).await.unwrap();
        for (person, number, provider) in [(bob, 1, "github"), (ada, 2, "github"), (ada, 1, "gitlab")] {
            let removed = bed.store.remove_credential(person.id, id(number), provider).await;
            assert_eq!(removed.err(), Some(Error::NotFound), "{number} {provider}");
        }
        let removed = bed.store.remove_credential(ada.id, id(1), "github").await.unwrap();
        assert!(removed == credential(ada, 1));
        assert!(bed.store.credential(ada.id, id(1)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn of_two_who_renew_a_credential_one_wins() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.store.insert_credential(credential(ada, 1)).await.unwrap();
        let read = bed.store.credential(ada.id, id(1)).await.unwrap().unwrap();
        let renew = async |read: &SealedCredential, byte: u8| {
            bed.store.replace_credential(read, vec![byte], Some(vec!["repo".to_owned()]), None).await.unwrap()
        };
        let mut foreign = read.clone();
        foreign.record.owner = bob.id;
        assert!(!renew(&foreign, 9).await);
        assert!(renew(&read, 8).await);
        assert!(!renew(&read, 7).await, "what was read is not there any more");
        let now = bed.store.credential(ada.id, id(1)).await.unwrap().unwrap();
        assert_eq!((now.sealed.as_slice(), now.record.expires_at), (&[8][..], None));
        assert_eq!(now.record.scopes, Some(vec!["repo".to_owned()]));
    }
}

#[tokio::test]
async fn uses_are_recorded_latest_first_and_the_oldest_go() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.store.insert_credential(credential(ada, 1)).await.unwrap();
        let last = async || bed.store.credentials(ada.id).await.unwrap()[0].last_used_at;
        let elsewhere =
            SecretUse { run: None, node: None, exec: None, door: "block".to_owned(), ..used(ada, id(1), 5) };
        // Somebody who names another's credential leaves no trace on it.
        for noted in [used(ada, id(1), 9), elsewhere.clone(), used(ada, id(8), 7), used(bob, id(1), 99)] {
            bed.store.note_secret_use(noted).await.unwrap();
        }
        assert_eq!(last().await, Some(noon_and(9)));
        let found = bed.store.secret_uses(ada.id, 9).await.unwrap();
        assert_eq!(found, [used(ada, id(1), 9), used(ada, id(8), 7), elsewhere]);
        assert_eq!(bed.store.secret_uses(ada.id, 1).await.unwrap().len(), 1);
        assert_eq!(bed.store.prune_secret_uses(noon_and(7), 1).await.unwrap(), 1);
        assert_eq!(bed.store.secret_uses(ada.id, 9).await.unwrap().len(), 2);
        assert_eq!(bed.store.prune_secret_uses(noon_and(7), 9).await.unwrap(), 1);
        assert_eq!(bed.store.prune_secret_uses(noon_and(7), 9).await.unwrap(), 0);
        assert_eq!(bed.store.secret_uses(bob.id, 9).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_walk_meets_everything_that_is_sealed_and_a_row_changes_only_if_it_is_as_it_was() {
    for bed in Bed::each() {
        let people: Vec<_> = (1..=200).map(person).collect();
        for (number, person) in people.iter().enumerate() {
            let secret = SealedSecret { owner: person.id, name: "a".to_owned(), sealed: vec![1] };
            bed.store.put_secret(secret).await.unwrap();
            let number = u8::try_from(number).unwrap();
            bed.store.insert_credential(credential(*person, number)).await.unwrap();
        }
        let mut walk = SealedWalk::default();
        let (mut secrets, mut credentials) = (0, 0);
        while let Some(rows) = bed.store.next_sealed(&mut walk).await.unwrap() {
            for (place, sealed) in rows {
                match place {
                    SealedPlace::Secret { .. } => secrets += 1,
                    SealedPlace::Credential { .. } => credentials += 1,
                    SealedPlace::SigningKey { .. } => panic!("there is none"),
                }
                assert!(bed.store.reseal(place.clone(), sealed.clone(), vec![2; 9]).await.unwrap());
                assert!(!bed.store.reseal(place, sealed, vec![3]).await.unwrap());
            }
        }
        assert_eq!((secrets, credentials), (200, 200));
        let found = bed.store.credential(people[7].id, id(7)).await.unwrap().unwrap();
        assert_eq!(found.sealed, [2; 9]);
        assert_eq!(found.record.created_at, NOON.plus_seconds(93));
    }
}
