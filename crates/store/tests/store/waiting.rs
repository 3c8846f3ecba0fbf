//! Runs that wait, reviews, and who is told of an end.

use crate::bed::{Bed, NOON, graph_id, later, noon_and, opening, output, person, row, run_id};
use heddle_engine::journal::{Frame, Parked, Review, ReviewStatus};
use heddle_engine::ports::{Due, Journal, Lane, Standing};
use heddle_model::{NodeExecId, Status, Time};
use heddle_store::Paging;
use serde_json::json;

fn parked(mut frame: Frame, wake_at: Option<Time>) -> Frame {
    frame.row.parked = Some(Parked { wake_at, awaits: Vec::new() });
    frame
}

#[tokio::test]
async fn what_wakes_a_parked_run_is_found_by_its_time() {
    for bed in Bed::each() {
        let ada = person(1);
        let lane = Lane { owner: ada.id, graph: graph_id(1) };
        for (number, at) in [(1, Some(5)), (2, Some(3)), (3, None), (4, Some(3))] {
            bed.append(vec![parked(opening(ada, run_id(number)), at.map(noon_and))]).await.unwrap();
        }
        bed.append(vec![opening(ada, run_id(9))]).await.unwrap();
        let due = async |now, after, limit| {
            let due = bed.store.due(noon_and(now), after, limit).await.unwrap();
            due.into_iter().map(|due| due.run).collect::<Vec<_>>()
        };
        assert_eq!(due(2, None, 9).await, []);
        assert_eq!(due(5, None, 9).await, [run_id(2), run_id(4), run_id(1)]);
        assert_eq!(due(5, None, 1).await, [run_id(2)]);
        assert_eq!(due(5, Some((noon_and(3), run_id(2))), 9).await, [run_id(4), run_id(1)]);
        let first = bed.store.due(noon_and(5), None, 1).await.unwrap();
        assert_eq!(first, [Due { wake_at: noon_and(3), run: run_id(2), lane, is_child: false }]);
        assert_eq!(bed.store.next_wake(noon_and(3)).await.unwrap(), Some(noon_and(5)));
        assert_eq!(bed.store.next_wake(noon_and(5)).await.unwrap(), None);
        let (active, waiting) = bed.store.unfinished().await.unwrap();
        assert_eq!((active.len(), active[0].run, waiting), (1, run_id(9), 4));

        // The next frame takes it out.
        bed.append(vec![later(ada, run_id(2), 1, vec![output(1)])]).await.unwrap();
        assert_eq!(due(5, None, 9).await, [run_id(4), run_id(1)]);
    }
}

#[tokio::test]
async fn parents_are_found_with_how_far_they_have_read_their_children() {
    for bed in Bed::each() {
        let ada = person(1);
        let mut parent = opening(ada, run_id(1));
        let awaits = vec![(run_id(2), 0), (run_id(3), u64::from(u32::MAX) + 7)];
        parent.row.parked = Some(Parked { wake_at: None, awaits: awaits.clone() });
        let mut child = opening(ada, run_id(2));
        child.opening.as_mut().unwrap().parent = Some(run_id(1));
        child.row.news = 1;
        bed.append(vec![parent, child]).await.unwrap();
        let found = bed.store.awaiting(None, 9).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].run, &found[0].children), (run_id(1), &awaits));
        assert!(bed.store.awaiting(Some(run_id(1)), 9).await.unwrap().is_empty());
        let lane = Lane { owner: ada.id, graph: graph_id(1) };
        let standing = bed.store.standing(run_id(2)).await.unwrap();
        assert_eq!(standing, Some(Standing { lane, ended: false, parked: false, is_child: true, news: 1 }));
        assert!(bed.store.standing(run_id(1)).await.unwrap().unwrap().parked);
        assert_eq!(bed.store.standing(run_id(7)).await.unwrap(), None);
        let mut end = later(ada, run_id(2), 1, vec![output(1)]);
        end.row = row(Status::Completed);
        bed.append(vec![end]).await.unwrap();
        assert!(bed.store.standing(run_id(2)).await.unwrap().unwrap().ended);
    }
}

#[tokio::test]
async fn a_reviews_row_rides_in_the_frame_and_is_its_owners() {
    for bed in Bed::each() {
        let (ada, bob, run) = (person(1), person(2), run_id(1));
        let mut review = Review {
            exec: NodeExecId::nth(run, 3),
            index: 3,
            run,
            graph: graph_id(1),
            version: 1,
            node: "n".into(),
            payload: json!({"a": [1, "\0"]}),
            instructions: Some("look".to_owned()),
            editable: true,
            status: ReviewStatus::Waiting,
            message: None,
            was_edited: false,
            processed: false,
            created_at: NOON,
            updated_at: NOON,
            reviewed_at: None,
        };
        let mut frame = opening(ada, run);
        frame.reviews.push(review.clone());
        bed.append(vec![frame]).await.unwrap();
        let paging = Paging { page: 1, page_size: 10 };
        let waiting = bed.store.waiting_reviews(ada.id, paging).await.unwrap();
        assert_eq!((waiting.total, &waiting.items[0].review), (1, &review));
        assert_eq!(bed.store.waiting_reviews(bob.id, paging).await.unwrap().total, 0);
        let after = async |owner, after| bed.store.waiting_reviews_after(owner, after, 9).await.unwrap().len();
        let (before, at) = ((noon_and(-1), review.exec), (NOON, review.exec));
        assert_eq!((after(ada.id, None).await, after(ada.id, Some(before)).await), (1, 1));
        assert_eq!((after(ada.id, Some(at)).await, after(bob.id, None).await), (0, 0));
        assert_eq!(bed.store.review(bob.id, review.exec).await.unwrap(), None);
        assert!(bed.store.reviews_of(bob.id, run).await.unwrap().is_empty());

        review.status = ReviewStatus::Rejected;
        (review.message, review.processed, review.was_edited) = (Some("no".to_owned()), true, true);
        (review.updated_at, review.reviewed_at, review.payload) = (noon_and(2), Some(noon_and(1)), json!(null));
        let mut frame = later(ada, run, 1, vec![output(1)]);
        frame.reviews.push(review.clone());
        bed.append(vec![frame]).await.unwrap();
        assert_eq!(bed.store.review(ada.id, review.exec).await.unwrap().unwrap().review, review);
        assert_eq!(bed.store.reviews_of(ada.id, run).await.unwrap().len(), 1);
        assert_eq!(bed.store.waiting_reviews(ada.id, paging).await.unwrap().total, 0);
    }
}
