use crate::bed::{Bed, NOON, noon_and};
use heddle_model::Time;
use heddle_oauth::Plain;
use heddle_oauth::keys::SigningKey;
use heddle_oauth::oidc::{Algorithm, Jwk};

fn key(kid: &str, algorithm: Algorithm, signs_from: Time) -> SigningKey {
    let public = match algorithm {
        Algorithm::Rs256 => Jwk::Rsa { n: vec![9; 256], e: vec![1, 0, 1] },
        Algorithm::Es256 => Jwk::P256 { x: [1; 32], y: [2; 32] },
    };
    SigningKey { kid: kid.to_owned(), algorithm, public, created_at: NOON, signs_from, signs_until: None }
}

#[tokio::test]
async fn of_two_who_make_the_next_signing_key_one_wins() {
    for bed in Bed::each() {
        let (a, b) = (key("a", Algorithm::Rs256, NOON), key("b", Algorithm::Rs256, noon_and(1)));
        let insert = async |key: &SigningKey, after: Option<&str>| {
            bed.store.insert_signing_key(key.clone(), b"sealed".to_vec(), after.map(str::to_owned)).await.unwrap()
        };
        assert!(insert(&a, None).await);
        assert!(!insert(&b, None).await, "somebody else was first");
        assert!(insert(&key("e", Algorithm::Es256, NOON), None).await, "each algorithm has its own turns");
        let next = key("next", Algorithm::Rs256, noon_and(100));
        assert!(!insert(&next, Some("b")).await);
        assert!(insert(&next, Some("a")).await);
        let kept = bed.store.signing_keys().await.unwrap();
        let ended = SigningKey { signs_until: Some(noon_and(100)), ..a };
        let expected = [ended, key("e", Algorithm::Es256, NOON), next].map(|key| (key, b"sealed".to_vec()));
        assert_eq!(kept, expected);
        bed.store.remove_signing_key("a").await.unwrap();
        assert_eq!(bed.store.signing_keys().await.unwrap(), expected[1..]);
    }
}

#[tokio::test]
async fn a_registration_token_is_good_until_it_ends_or_is_revoked() {
    for bed in Bed::each() {
        let [forever, short, none] = ["a", "b", "c"].map(|text| Plain::new(text).digest());
        bed.store.insert_registration_token(forever, NOON, None).await.unwrap();
        bed.store.insert_registration_token(short, NOON, Some(noon_and(10))).await.unwrap();
        let good = async |digest, seconds| bed.store.is_registration_token(digest, noon_and(seconds)).await.unwrap();
        assert!(good(forever, 1_000).await && good(short, 9).await);
        assert!(!good(short, 10).await && !good(none, 0).await);
        assert!(bed.store.revoke_registration_token(forever, noon_and(5)).await.unwrap());
        assert!(!bed.store.revoke_registration_token(forever, noon_and(6)).await.unwrap());
        assert!(!good(forever, 4).await);
    }
}
