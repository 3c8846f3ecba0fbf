use crate::bed::{Bed, new_account, noon_and, person};
use heddle_store::{Account, Error};

#[tokio::test]
async fn an_account_is_found_by_id_and_by_its_address_in_any_case() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        let expected = Account {
            id: ada.id,
            email: "User1@Example.org".to_owned(),
            name: None,
            time_zone: None,
            is_admin: false,
            disabled_at: None,
            created_at: noon_and(1),
            organization: ada.organization,
        };
        assert_eq!(bed.store.account(ada.id).await.unwrap(), Some(expected.clone()));
        assert_eq!(bed.store.account_by_email("uSER1@example.ORG").await.unwrap(), Some(expected.clone()));
        assert_eq!(bed.store.account_by_email("user2@example.org").await.unwrap(), None);
        assert_eq!(bed.store.account(person(2).id).await.unwrap(), None);
        assert_eq!(bed.store.accounts().await.unwrap(), [expected]);
    }
}

#[tokio::test]
async fn an_address_is_taken_in_any_case_and_the_refused_account_leaves_nothing() {
    for bed in Bed::each() {
        bed.account(1).await;
        let mut second = new_account(2);
        second.email = "USER1@EXAMPLE.ORG".to_owned();
        assert_eq!(bed.store.create_account(second).await, Err(Error::Exists));
        assert_eq!(bed.store.accounts().await.unwrap().len(), 1);
        // The organization was undone with it, so its id is free.
        bed.account(2).await;
    }
}

#[tokio::test]
async fn the_operator_is_the_first_admin_made() {
    for bed in Bed::each() {
        assert_eq!(bed.store.operator().await.unwrap(), None);
        bed.account(1).await;
        for number in [3, 2] {
            bed.store.create_account(heddle_store::NewAccount { is_admin: true, ..new_account(number) }).await.unwrap();
        }
        assert_eq!(bed.store.operator().await.unwrap().unwrap().id, person(2).id);
    }
}

#[tokio::test]
async fn passwords_time_zones_and_the_lock_of_an_account_can_change() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        assert_eq!(bed.store.password_hash(ada.id).await.unwrap(), None);
        bed.store.set_password_hash(ada.id, "hash".to_owned()).await.unwrap();
        bed.store.set_time_zone(ada.id, Some("Europe/Lisbon".to_owned())).await.unwrap();
        bed.store.set_account_disabled(ada.id, Some(noon_and(5))).await.unwrap();
        assert_eq!(bed.store.password_hash(ada.id).await.unwrap().as_deref(), Some("hash"));
        let account = bed.store.account(ada.id).await.unwrap().unwrap();
        assert_eq!((account.time_zone.as_deref(), account.disabled_at), (Some("Europe/Lisbon"), Some(noon_and(5))));
        bed.store.set_account_disabled(ada.id, None).await.unwrap();
        assert_eq!(bed.store.account(ada.id).await.unwrap().unwrap().disabled_at, None);
    }
}

#[tokio::test]
async fn what_is_done_to_nobody_is_refused() {
    for bed in Bed::each() {
        let nobody = person(9).id;
        assert_eq!(bed.store.set_password_hash(nobody, "hash".to_owned()).await, Err(Error::NotFound));
        assert_eq!(bed.store.set_time_zone(nobody, None).await, Err(Error::NotFound));
        assert_eq!(bed.store.set_account_disabled(nobody, None).await, Err(Error::NotFound));
    }
}
