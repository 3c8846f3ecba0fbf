//! Ways to providers and back: each account's own, used once, and gone when they should be.

use crate::bed::{Bed, Person, noon_and};
use heddle_model::SessionId;
use heddle_oauth::Digest;
use heddle_store::{ConnectAttempt, Way};

fn attempt(owner: Person, number: u8) -> ConnectAttempt {
    ConnectAttempt {
        digest: Digest([number; 32]),
        owner: owner.id,
        session: number.is_multiple_of(2).then(|| SessionId::from_random([number; 16])),
        provider: "github".to_owned(),
        way: [Way::External, Way::Window, Way::Page][usize::from(number) % 3],
        callback_url: "https://app.example/cb?x=y".to_owned(),
        scopes: vec!["repo".to_owned(), "user:email".to_owned()],
        metadata: r#"{"job":"42"}"#.to_owned(),
        back: Some("/settings/integrations".to_owned()),
        key_id: None,
        sealed: vec![number; 40],
        created_at: noon_and(i64::from(number)),
        expires_at: noon_and(600),
    }
}

#[tokio::test]
async fn an_attempt_is_taken_once_by_its_owner_for_its_provider() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        for number in 1..=3 {
            bed.store.insert_connect_attempt(attempt(ada, number)).await.unwrap();
        }
        let take = async |owner: Person, number, provider: &str| {
            bed.store.take_connect_attempt(owner.id, Digest([number; 32]), provider.to_owned()).await.unwrap()
        };
        assert!(take(bob, 1, "github").await.is_none());
        assert!(take(ada, 1, "google").await.is_none());
        assert!(take(ada, 9, "github").await.is_none());
        assert!(bed.store.connect_attempt(bob.id, Digest([1; 32])).await.unwrap().is_none());
        for number in 1..=3 {
            let found = bed.store.connect_attempt(ada.id, Digest([number; 32])).await.unwrap();
            assert!(found == Some(attempt(ada, number)));
            assert!(take(ada, number, "github").await == Some(attempt(ada, number)));
            assert!(take(ada, number, "github").await.is_none(), "a second time");
        }
    }
}

#[tokio::test]
async fn of_many_who_take_one_attempt_one_gets_it() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        bed.store.insert_connect_attempt(attempt(ada, 1)).await.unwrap();
        let take = || bed.store.take_connect_attempt(ada.id, Digest([1; 32]), "github".to_owned());
        let (one, two, three) = tokio::join!(take(), take(), take());
        let got = [one, two, three].into_iter().filter(|taken| taken.as_ref().is_ok_and(Option::is_some)).count();
        assert_eq!(got, 1);
    }
}

#[tokio::test]
async fn what_is_over_goes_and_a_crowd_gives_way() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        bed.store.insert_connect_attempt(attempt(bob, 200)).await.unwrap();
        for number in 1..=101 {
            bed.store.insert_connect_attempt(attempt(ada, number)).await.unwrap();
        }
        let is_there = async |owner: Person, number| {
            bed.store.connect_attempt(owner.id, Digest([number; 32])).await.unwrap().is_some()
        };
        assert!(!is_there(ada, 1).await && is_there(ada, 2).await && is_there(bob, 200).await);

        assert_eq!(bed.store.remove_expired_connect_attempts(noon_and(599)).await, Ok(0));
        assert_eq!(bed.store.remove_expired_connect_attempts(noon_and(600)).await, Ok(64));
        assert_eq!(bed.store.remove_expired_connect_attempts(noon_and(600)).await, Ok(37));
        assert!(!is_there(bob, 200).await);
    }
}
