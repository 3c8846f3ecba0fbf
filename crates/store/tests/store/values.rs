use crate::bed::{Bed, person};
use serde_json::json;

#[tokio::test]
async fn a_value_is_what_was_put_last() {
    for bed in Bed::each() {
        let ada = person(1);
        assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), None);
        for value in [json!(null), json!({"z": 1, "a": [0.1]}), json!("text")] {
            bed.store.put_value(ada.id, "k", &value).await.unwrap();
            assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), Some(value));
        }
    }
}

#[tokio::test]
async fn another_users_value_looks_missing() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.store.put_value(ada.id, "k", &json!(1)).await.unwrap();
        assert_eq!(bed.store.get_value(bob.id, "k").await.unwrap(), None);
        bed.store.put_value(bob.id, "k", &json!(2)).await.unwrap();
        assert_eq!(bed.store.get_value(ada.id, "k").await.unwrap(), Some(json!(1)));
    }
}

#[tokio::test]
async fn a_key_may_be_long_and_of_any_characters() {
    for bed in Bed::each() {
        let ada = person(1);
        let long: String =
            (0..20_000u32).map(|index| char::from_u32(0x4e00 + index * 7919 % 20_000).unwrap()).collect();
        let keys = ["", "k", "K", "k ", "k\0", "k\u{1}0", "ä", "a\u{308}", &long, &long[3..]];
        for (number, key) in keys.iter().enumerate() {
            bed.store.put_value(ada.id, key, &json!(number)).await.unwrap();
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(bed.store.get_value(ada.id, key).await.unwrap(), Some(json!(number)), "key {number}");
        }
    }
}

#[tokio::test]
async fn a_value_may_hold_any_character_and_any_number() {
    for bed in Bed::each() {
        let ada = person(1);
        let value = json!({"\0": "\0\u{1}\u{10ffff}", "n": [u64::MAX, i64::MIN, 1e-300, -0.0], "z": 1, "a": 2});
        bed.store.put_value(ada.id, "k", &value).await.unwrap();
        let found = bed.store.get_value(ada.id, "k").await.unwrap().unwrap();
        assert_eq!(found.to_string(), value.to_string());
    }
}
