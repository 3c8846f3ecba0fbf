//! What runs ask persons, and what persons may answer.

use super::{INPUT, LONG, OUTPUT, Testbed, file, start};
use heddle_model::block::{AGENT_EXECUTOR, HUMAN_IN_THE_LOOP};
use heddle_model::{GraphId, NodeExecId, Object, RunId, Status, Value};
use heddle_platform::{Answered, Decision, Error, PageRequest, Principal, Review, ReviewStatus};
use serde_json::json;

const EACH: &str = "f66a3543-28d3-4ab5-8945-9b336371e2ce";

/// Puts each of its items to a person.
fn asking(editable: bool) -> Value {
    file(
        &[
            ("in", INPUT, json!({"name": "items", "value": [{"n": 1}, {"n": 2}]})),
            ("each", EACH, json!({})),
            ("ask", HUMAN_IN_THE_LOOP, json!({"name": "Fine?", "editable": editable})),
            ("yes", OUTPUT, json!({"name": "yes"})),
            ("no", OUTPUT, json!({"name": "no"})),
            ("said", OUTPUT, json!({"name": "said"})),
        ],
        &[
            ("in", "result", "each", "items"),
            ("each", "item", "ask", "data"),
            ("ask", "approved_data", "yes", "value"),
            ("ask", "rejected_data", "no", "value"),
            ("ask", "review_message", "said", "value"),
        ],
    )
}

pub fn yes(review: &Review) -> Decision {
    let review = review.exec.to_string();
    Decision { review, approved: true, data: None, message: None, auto_approve_future: false }
}

fn no(review: &Review) -> Decision {
    Decision { approved: false, ..yes(review) }
}

impl Testbed {
    /// Starts a run of a saved graph and waits until it asks.
    async fn asked(&self, caller: &Principal, graph: &str) -> (RunId, Vec<Review>) {
        let run = self.platform.runs.start(caller, start(graph, json!({}))).await.unwrap().id;
        let (outcome, ids) = self.platform.runs.wait_or_asked(caller.user, run, LONG).await.unwrap();
        let reviews = self.platform.reviews.of_run(caller.user, &run.to_string()).await.unwrap();
        assert_eq!(outcome.summary.status, Status::Review);
        assert_eq!(ids, reviews.iter().map(|review| review.exec).collect::<Vec<_>>());
        (run, reviews)
    }

    async fn answer(&self, caller: &Principal, decisions: &[Decision]) -> Result<Answered, Error> {
        self.platform.reviews.answer(caller.user, None, decisions).await
    }

    async fn ended(&self, caller: &Principal, run: RunId) -> Object {
        let outcome = self.platform.runs.wait(caller.user, run, LONG).await.unwrap();
        assert_eq!(outcome.summary.status, Status::Completed);
        outcome.outputs.into_iter().map(|(name, values)| (name, values.into())).collect()
    }
}

#[tokio::test]
async fn a_run_asks_waits_and_goes_on_with_the_answers() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, asking(true)).await;
    let (run, reviews) = t.asked(&ada, &graph).await;
    let [first, second] = &reviews[..] else { panic!("{reviews:?}") };
    assert_eq!((&first.payload, first.instructions.as_deref()), (&json!({"n": 1}), Some("Fine?")));
    assert_eq!((first.status, first.editable, first.processed), (ReviewStatus::Waiting, true, false));
    assert_eq!((first.run, first.graph.to_string(), first.version), (run, graph.clone(), 1));
    let page = PageRequest { page: 1, page_size: 1 };
    let waiting = t.platform.reviews.waiting(ada.user, page).await.unwrap();
    assert_eq!((waiting.total_items, &waiting.items[0]), (2, first));
    assert_eq!(t.platform.reviews.waiting_after(ada.user, Some(first), 9).await.unwrap(), reviews[1..]);

    let edit = Decision { data: Some(json!({"n": 7})), message: Some("Better\0".to_owned()), ..yes(first) };
    let answered = t.answer(&ada, &[edit]).await.unwrap();
    assert_eq!(answered, Answered { run, approved: 1, rejected: 0 });
    let (outcome, left) = t.platform.runs.wait_or_asked(ada.user, run, LONG).await.unwrap();
    assert_eq!((outcome.summary.status, left), (Status::Review, vec![second.exec]));

    let t = t.reopened().await;
    let by_run = t.platform.reviews.of_run(ada.user, &run.to_string()).await.unwrap();
    let told: Vec<_> = by_run.iter().map(|review| (review.exec, review.status, review.was_edited)).collect();
    let waits_first = [(second.exec, ReviewStatus::Waiting, false), (first.exec, ReviewStatus::Approved, true)];
    assert_eq!(told, waits_first);
    let ignored = Decision { data: Some(json!("what is rejected goes out as it was")), ..no(second) };
    let run_id = run.to_string();
    let answered = t.platform.reviews.answer(ada.user, Some(&run_id), &[ignored, yes(first)]).await.unwrap();
    assert_eq!(answered, Answered { run, approved: 1, rejected: 1 }, "one of them for the second time");
    let outputs = t.ended(&ada, run).await;
    assert_eq!(
        Value::from(outputs),
        json!({
            "yes": [{"n": 7}], "said": ["Better", "Execution rejected by reviewer"], "no": [{"n": 2}],
        })
    );
    let view = t.platform.runs.results(ada.user, &graph, &run_id).await.unwrap();
    // Two attempts that paused count as well.
    assert_eq!((view.node_exec_count, view.node_error_count), (2 + 2 + 4 + 2, 0));
    let reviews = t.platform.reviews.of_run(ada.user, &run_id).await.unwrap();
    assert!(reviews.iter().all(|review| review.processed && review.reviewed_at.is_some()));
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_nothing_of_it_is_kept() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let (graph, fixed) = (t.save(&ada, asking(true)).await, t.save(&ada, asking(false)).await);
    let (_, free) = t.asked(&ada, &graph).await;
    let (_, others) = t.asked(&ada, &graph).await;
    let (_, firm) = t.asked(&ada, &fixed).await;
    let with = |review: &Review, data: Value| Decision { data: Some(data), ..yes(review) };
    let named = |review: &str| Decision { review: review.to_owned(), ..yes(&free[0]) };
    let unknown = NodeExecId::from_random([7; 16]).to_string();
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let refused: [(&str, Vec<Decision>); 8] = [
        ("there is no decision", vec![]),
        ("is answered twice", vec![yes(&free[0]), no(&free[0])]),
        ("must not be changed", vec![yes(&firm[0]), with(&firm[1], json!(1))]),
        ("must not be changed", vec![Decision { approved: false, ..with(&firm[0], json!(1)) }]),
        ("nested deeper than 10", vec![with(&free[0], nested(11))]),
        ("1000000 characters", vec![with(&free[0], json!("x".repeat(999_999)))]),
        ("2000 characters", vec![Decision { message: Some("é".repeat(2001)), ..yes(&free[0]) }]),
        // Out of bounds even where it would be ignored.
        ("nested deeper than 10", vec![Decision { auto_approve_future: true, ..with(&free[0], nested(11)) }]),
    ];
    for (text, decisions) in refused {
        let error = t.answer(&ada, &decisions).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(said) if said.contains(text)), "{text}: {error:?}");
    }
    for id in [unknown.as_str(), "nothing", ""] {
        let error = t.answer(&ada, &[yes(&free[0]), named(id)]).await.unwrap_err();
        assert_eq!(error, Error::NotFound(format!("Review #{id} not found.")));
    }
    let two_runs = t.answer(&ada, &[yes(&free[0]), yes(&others[0])]).await.unwrap_err();
    assert!(matches!(two_runs, Error::Conflict(_)), "{two_runs:?}");
    let wrong_run = t.platform.reviews.answer(ada.user, Some(&others[0].run.to_string()), &[yes(&free[0])]).await;
    assert_eq!(wrong_run, Err(Error::NotFound(format!("Review #{} not found.", free[0].exec))));
    for reviews in [&free, &others, &firm] {
        let now = t.platform.reviews.of_run(ada.user, &reviews[0].run.to_string()).await.unwrap();
        assert_eq!(&now, reviews, "as it was");
    }

    // At the bounds, the same data, and data that an approval for the future leaves alone.
    let future = Decision { auto_approve_future: true, ..with(&firm[0], json!(1)) };
    t.answer(&ada, &[future, with(&firm[1], json!({"n": 2}))]).await.unwrap();
    let outputs = t.ended(&ada, firm[0].run).await;
    assert_eq!(outputs["yes"], json!([{"n": 1}, {"n": 2}]));
    let reviews = t.platform.reviews.of_run(ada.user, &firm[0].run.to_string()).await.unwrap();
    assert!(reviews.iter().all(|review| !review.was_edited));
    let words = "é".repeat(2000);
    let most = Decision { message: Some(words.clone()), ..with(&free[0], json!("x".repeat(999_998))) };
    t.answer(&ada, &[most, with(&free[1], nested(10))]).await.unwrap();
    let outputs = t.ended(&ada, free[0].run).await;
    assert_eq!((&outputs["yes"][1], &outputs["said"][0]), (&nested(10), &json!(words)));
}

#[tokio::test]
async fn a_decision_stands_and_a_run_that_asks_nobody_takes_none() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, asking(true)).await;
    let (run, reviews) = t.asked(&ada, &graph).await;
    t.answer(&ada, &[no(&reviews[0])]).await.unwrap();
    let decided = t.platform.reviews.get(ada.user, &reviews[0].exec.to_string()).await.unwrap();
    t.answer(&ada, &[Decision { data: Some(json!(5)), ..no(&reviews[0]) }]).await.unwrap();
    assert_eq!(
        t.platform.reviews.get(ada.user, &reviews[0].exec.to_string()).await.unwrap(),
        decided,
        "without effect"
    );
    let opposite = t.answer(&ada, &[yes(&reviews[0]), yes(&reviews[1])]).await.unwrap_err();
    assert_eq!(opposite, Error::Refused(format!("review #{} is REJECTED already", reviews[0].exec)));
    t.answer(&ada, &[yes(&reviews[1])]).await.unwrap();
    t.ended(&ada, run).await;
    let over = t.answer(&ada, &[yes(&reviews[1])]).await.unwrap_err();
    assert_eq!(over, Error::Conflict(format!("run #{run} is COMPLETED, it waits for no review")));

    let (run, reviews) = t.asked(&ada, &graph).await;
    t.platform.runs.stop(ada.user, &graph, &run.to_string()).await.unwrap();
    let stopped = t.platform.reviews.of_run(ada.user, &run.to_string()).await.unwrap();
    for review in &stopped {
        assert_eq!((review.status, review.processed), (ReviewStatus::Rejected, true));
        assert_eq!(review.message.as_deref(), Some("Execution was stopped by user"));
    }
    let over = t.answer(&ada, &[no(&reviews[1])]).await.unwrap_err();
    assert_eq!(over, Error::Conflict(format!("run #{run} is TERMINATED, it waits for no review")));
    let page = PageRequest { page: 1, page_size: 9 };
    assert_eq!(t.platform.reviews.waiting(ada.user, page).await.unwrap().total_items, 0);
}

#[tokio::test]
async fn another_users_reviews_look_missing() {
    let t = Testbed::new().await;
    let (ada, bob) = (t.user("ada").await, t.user("bob").await);
    let graph = t.save(&ada, asking(true)).await;
    let (run, reviews) = t.asked(&ada, &graph).await;
    let hidden = Error::NotFound(format!("Review #{} not found.", reviews[0].exec));
    assert_eq!(t.answer(&bob, &[yes(&reviews[0])]).await, Err(hidden.clone()));
    assert_eq!(t.platform.reviews.get(bob.user, &reviews[0].exec.to_string()).await, Err(hidden));
    let (run, page) = (run.to_string(), PageRequest { page: 1, page_size: 9 });
    let missing = Error::NotFound(format!("Graph execution #{run} not found."));
    assert_eq!(t.platform.reviews.of_run(bob.user, &run).await, Err(missing.clone()));
    let named = t.platform.reviews.answer(bob.user, Some(&run), &[yes(&reviews[0])]).await;
    assert_eq!(named, Err(missing));
    assert_eq!(t.platform.reviews.waiting(bob.user, page).await.unwrap().total_items, 0);
    assert_eq!(t.platform.reviews.waiting(ada.user, page).await.unwrap().items, reviews);
}

#[tokio::test]
async fn with_safe_mode_off_nobody_is_asked() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let graph = t.save(&ada, asking(true)).await;
    t.platform.close().await;
    let store = t.database.open().unwrap();
    let settings = [("human_in_the_loop_safe_mode".to_owned(), json!(false))].into_iter().collect();
    store.set_library_settings(ada.user, GraphId::parse(&graph).unwrap(), settings).await.unwrap();
    store.close().await;
    let t = t.reopened().await;
    let outputs = t.run(&ada, &graph, json!({})).await.unwrap();
    let texts = vec![json!("Auto-approved (safe mode disabled)"); 2];
    assert!(outputs.contains(&("said".to_owned(), texts)), "{outputs:?}");
}

#[tokio::test]
async fn whoever_waits_for_a_run_hears_of_its_childs_reviews() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let inner = t.save(&ada, asking(true)).await;
    let agent = json!({
        "graph_id": inner, "graph_version": 1, "inputs": {},
        "input_schema": {"properties": {"items": {}}},
        "output_schema": {"properties": {"yes": {}}},
    });
    let outer = file(
        &[("agent", AGENT_EXECUTOR, agent), ("out", OUTPUT, json!({"name": "out"}))],
        &[("agent", "yes", "out", "value")],
    );
    let outer = t.save(&ada, outer).await;
    let run = t.platform.runs.start(&ada, start(&outer, json!({}))).await.unwrap().id;
    let (outcome, ids) = t.platform.runs.wait_or_asked(ada.user, run, LONG).await.unwrap();
    assert_eq!((outcome.summary.status, ids.len()), (Status::Running, 2));
    for id in ids {
        let review = t.platform.reviews.get(ada.user, &id.to_string()).await.unwrap();
        t.answer(&ada, &[yes(&review)]).await.unwrap();
    }
    assert_eq!(Value::from(t.ended(&ada, run).await), json!({"out": [{"n": 1}, {"n": 2}]}));
}
