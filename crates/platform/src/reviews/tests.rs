use super::*;
use heddle_model::{GraphId, Time};
use serde_json::json;

fn review() -> Review {
    let run = RunId::from_random([1; 16]);
    Review {
        exec: NodeExecId::nth(run, 0),
        index: 0,
        run,
        graph: GraphId::from_random([2; 16]),
        version: 1,
        node: "n".into(),
        payload: json!({"to": "ada"}),
        instructions: None,
        editable: true,
        status: ReviewStatus::Waiting,
        message: None,
        was_edited: false,
        processed: false,
        created_at: Time(0),
        updated_at: Time(0),
        reviewed_at: None,
    }
}

fn decision(approved: bool, data: Value) -> Decision {
    Decision { review: String::new(), approved, data: Some(data), message: None, auto_approve_future: false }
}

#[test]
fn the_input_of_a_sensitive_block_stays_an_object() {
    let review = review();
    for (data, is_fine) in [(json!({}), true), (json!({"to": [1]}), true), (json!(["ada"]), false), (json!("x"), false)]
    {
        assert_eq!(check(&decision(true, data.clone()), &review, true).is_ok(), is_fine, "{data}");
        assert!(check(&decision(true, data), &review, false).is_ok());
    }
}

#[test]
fn only_an_approval_carries_other_data() {
    let review = review();
    let data = |decision: Decision| decision.answer(&review).data;
    assert_eq!(data(decision(true, json!({"to": "bob"}))), Some(json!({"to": "bob"})));
    assert_eq!(data(decision(true, review.payload.clone())), None, "nothing was changed");
    assert_eq!(data(decision(true, Value::Null)), None);
    assert_eq!(data(decision(false, json!(1))), None);
    let future = Decision { auto_approve_future: true, ..decision(true, json!(1)) };
    assert_eq!((data(future.clone()), future.answer(&review).future), (None, true));
    let never = Decision { approved: false, ..future };
    assert!(!never.answer(&review).future, "there is nothing to approve");
}

#[test]
fn blank_words_are_none() {
    let said =
        |text: &str| Decision { message: Some(text.to_owned()), ..decision(true, json!(1)) }.answer(&review()).message;
    assert_eq!((said(" \n\0"), said(""), said(" yes ")), (None, None, Some(" yes ".to_owned())));
}
