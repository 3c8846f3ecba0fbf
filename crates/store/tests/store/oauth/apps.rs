use crate::bed::{Bed, NOON, noon_and, person};
use crate::oauth::{app_id, client, grant, pair, scopes, secret, with_app};
use heddle_oauth::client::{Origin, Proof};
use heddle_oauth::oidc::Algorithm;
use heddle_oauth::{Client, Kept};
use heddle_store::Error;

#[tokio::test]
async fn an_application_comes_back_as_it_was_kept() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        let scrypt = Kept::Scrypt { hash: [5; 32], salt: vec![1, 2, 3] };
        let plain = client(Some(ada), 1);
        let full = Client {
            description: Some("weaves \0".to_owned()),
            logo_url: Some("https://looms.example/logo.png".to_owned()),
            proof: Proof::Secret { current: Kept::of(&secret(2)), previous: Some((scrypt, noon_and(9))) },
            redirect_uris: vec!["https://a.example/?x=\"1\"".to_owned(), "com.example:/cb".to_owned()],
            default_scopes: Some(scopes("openid IDENTITY")),
            organization: Some(ada.organization),
            origin: Origin::Import,
            is_active: false,
            is_trusted: true,
            is_resource_server: true,
            requires_pushed: true,
            id_token_algorithm: Algorithm::Es256,
            allows_plain: true,
            updated_at: noon_and(3),
            ..client(Some(ada), 2)
        };
        let public = Client { proof: Proof::Public, origin: Origin::Dynamic, ..client(None, 3) };
        for app in [&plain, &full, &public] {
            bed.store.insert_app(app.clone()).await.unwrap();
            assert_eq!(bed.store.app_by_client_id(&app.client_id).await.unwrap().as_ref(), Some(app));
            assert_eq!(bed.store.any_app(app.id).await.unwrap().as_ref(), Some(app));
        }
        assert_eq!(bed.store.app_by_client_id("CLIENT 1").await.unwrap(), None);
        let twin = Client { client_id: plain.client_id.clone(), ..client(None, 4) };
        assert_eq!(bed.store.insert_app(twin).await, Err(Error::Exists));
        assert_eq!(bed.store.insert_app(client(Some(person(9)), 5)).await, Err(Error::NotFound));
        assert_eq!(bed.store.all_apps().await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn another_users_application_looks_missing() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let bob = bed.account(2).await;
        assert_eq!(bed.store.apps(ada.id).await.unwrap().as_slice(), std::slice::from_ref(&app));
        assert_eq!(bed.store.app(ada.id, app.id).await.unwrap(), Some(app.clone()));
        assert_eq!(bed.store.apps(bob.id).await.unwrap(), []);
        assert_eq!(bed.store.app(bob.id, app.id).await.unwrap(), None);
        assert_eq!(bed.store.app(bob.id, app_id(9)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_told_to_look_again() {
    for bed in Bed::each() {
        let (_, app) = with_app(&bed).await;
        let renamed = Client { name: "Looms".to_owned(), updated_at: noon_and(1), ..app.clone() };
        let switched = Client { is_active: false, updated_at: noon_and(2), ..app.clone() };
        assert!(bed.store.update_app(renamed.clone(), NOON).await.unwrap());
        assert!(!bed.store.update_app(switched, NOON).await.unwrap());
        assert_eq!(bed.store.any_app(app.id).await.unwrap(), Some(renamed.clone()));
        let other = Client { client_id: "another".to_owned(), updated_at: noon_and(3), ..renamed.clone() };
        assert!(bed.store.update_app(other, noon_and(1)).await.unwrap());
        assert_eq!(bed.store.any_app(app.id).await.unwrap().unwrap().client_id, app.client_id);
        assert!(!bed.store.update_app(client(None, 7), NOON).await.unwrap());
    }
}

#[tokio::test]
async fn a_slow_hash_gives_way_to_a_digest_once() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        let slow = Kept::Scrypt { hash: [5; 32], salt: vec![1; 32] };
        let app = Client { proof: Proof::Secret { current: slow, previous: None }, ..client(Some(ada), 1) };
        bed.store.insert_app(app.clone()).await.unwrap();
        let (right, late) = (secret(1).digest(), secret(2).digest());
        bed.store.keep_app_digest(app.id, [6; 32], late).await.unwrap();
        assert_eq!(bed.store.any_app(app.id).await.unwrap().as_ref(), Some(&app));
        bed.store.keep_app_digest(app.id, [5; 32], right).await.unwrap();
        bed.store.keep_app_digest(app.id, [5; 32], late).await.unwrap();
        let kept = bed.store.any_app(app.id).await.unwrap().unwrap();
        assert_eq!(kept.proof, Proof::Secret { current: Kept::Sha256(right), previous: None });
        assert_eq!(kept.updated_at, app.updated_at);
    }
}

#[tokio::test]
async fn an_application_goes_with_all_that_came_of_it() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let other = client(Some(ada), 2);
        bed.store.insert_app(other.clone()).await.unwrap();
        let (gone, stays) = (grant(&app, ada, 1, "RUN_AGENT"), grant(&other, ada, 2, "RUN_AGENT"));
        for new in [&gone, &stays] {
            assert!(bed.store.grant(new.clone()).await.unwrap());
            let pair = pair(&new.family, &app, new.code.digest.0[0], NOON);
            assert!(bed.store.redeem_code(new.code.digest, &pair, NOON).await.unwrap());
        }
        assert!(!bed.store.delete_app_part(app.id).await.unwrap(), "first what came of it");
        assert!(bed.store.delete_app_part(app.id).await.unwrap());
        assert!(bed.store.delete_app_part(app.id).await.unwrap(), "again is no harm");
        assert_eq!(bed.store.any_app(app.id).await.unwrap(), None);
        assert_eq!(bed.store.code(gone.code.digest).await.unwrap(), None);
        assert_eq!(bed.store.consent(ada.id, app.id).await.unwrap(), None);
        assert!(bed.store.code(stays.code.digest).await.unwrap().is_some());
        assert_eq!(bed.store.grants(ada.id, NOON).await.unwrap().len(), 1);
    }
}
