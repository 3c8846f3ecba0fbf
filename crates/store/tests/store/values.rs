use crate::bed::{Bed, person};
use serde_json::json;

#[tokio::test]
async fn a_value_is_what_was_put_last() {
    let (bed, ada) = (Bed::new(), person(1));
    assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), None);
    for value in [json!(null), json!({"z": 1, "a": [0.1]}), json!("text")] {
        bed.store.put_value(ada.id, "k", &value).await.unwrap();
        assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), Some(value));
    }
}

#[tokio::test]
async fn another_users_value_looks_missing() {
    let (bed, ada, bob) = (Bed::new(), person(1), person(2));
    bed.store.put_value(ada.id, "k", &json!(1)).await.unwrap();
    assert_eq!(bed.store.get_value(bob.id, "k").await.unwrap(), None);
    bed.store.put_value(bob.id, "k", &json!(2)).await.unwrap();
    assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), Some(json!(1)));
}
