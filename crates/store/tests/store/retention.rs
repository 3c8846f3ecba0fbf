use crate::bed::{Bed, NOON, Person, claiming, graph_id, later, noon_and, opening, output, person, row, run_id};
use heddle_engine::journal::{Frame, JournalError};
use heddle_engine::ports::Journal;
use heddle_model::{RunId, Status, Time};
use heddle_store::{Paging, Walk};
use serde_json::json;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// Walks to the end, so long at a time; how many runs went.
async fn walk(bed: &Bed, before: Time, limit: Duration) -> u64 {
    let (mut walk, mut runs) = (Walk::before(before), 0);
    loop {
        let step = bed.store.remove_ended(&mut walk, NOON, limit).await.unwrap();
        runs += step.runs;
        if step.is_over {
            return runs;
        }
    }
}

/// A run of one frame that was created and ended at a time.
fn ended(person: Person, run: RunId, at: Time) -> Frame {
    let mut frame = opening(person, run);
    frame.opening.as_mut().unwrap().created_at = at;
    frame.row = row(Status::Completed);
    frame.row.ended_at = Some(at);
    frame
}

async fn events(bed: &Bed, run: RunId) -> usize {
    bed.store.read(run, 0).await.unwrap().len()
}

#[tokio::test]
async fn runs_that_ended_before_a_time_go_with_all_their_frames() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        for number in 0..600 {
            let who = if number % 2 == 0 { ada } else { bob };
            let mut frame = ended(who, run_id(number), noon_and(i64::from(number) - 600));
            frame.opening.as_mut().unwrap().graph = graph_id((number % 7) as u8);
            bed.append(vec![frame]).await.unwrap();
        }
        let unfinished = run_id(1000);
        let mut frame = opening(ada, unfinished);
        frame.opening.as_mut().unwrap().created_at = noon_and(-5000);
        bed.append(vec![frame]).await.unwrap();

        assert_eq!(walk(&bed, noon_and(-301), LONG).await, 300);
        for number in 0..600 {
            let kept = usize::from(number >= 300);
            assert_eq!(events(&bed, run_id(number)).await, kept, "{number}");
            let who = if number % 2 == 0 { ada } else { bob };
            assert_eq!(bed.store.run_by_id(who.id, run_id(number)).await.unwrap().is_some(), kept == 1, "{number}");
        }
        assert_eq!(events(&bed, unfinished).await, 1);
        assert_eq!(walk(&bed, noon_and(-301), LONG).await, 0);
        assert_eq!(walk(&bed, NOON, Duration::ZERO).await, 300, "one at a time");
        assert_eq!(bed.store.count_unfinished().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_child_stays_as_long_as_its_parent_goes_on() {
    for bed in Bed::each() {
        let (ada, parent, child) = (person(1), run_id(1), run_id(2));
        let mut above = opening(ada, parent);
        above.opening.as_mut().unwrap().created_at = noon_and(-100);
        bed.append(vec![above]).await.unwrap();
        let mut below = ended(ada, child, noon_and(-100));
        below.opening.as_mut().unwrap().parent = Some(parent);
        bed.append(vec![below]).await.unwrap();
        assert_eq!(walk(&bed, NOON, LONG).await, 0);
        assert_eq!(events(&bed, child).await, 1);

        let mut end = later(ada, parent, 1, vec![output("end")]);
        end.row = row(Status::Completed);
        end.row.ended_at = Some(noon_and(-50));
        bed.append(vec![end]).await.unwrap();
        assert_eq!(walk(&bed, NOON, LONG).await, 2);
        assert_eq!((events(&bed, parent).await, events(&bed, child).await), (0, 0));
    }
}

#[tokio::test]
async fn nobody_sees_half_of_a_long_run_and_a_crash_leaves_nothing_of_it() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        bed.append(vec![opening(ada, run)]).await.unwrap();
        for number in 1..100 {
            bed.append(vec![later(ada, run, number, vec![output(json!(number))])]).await.unwrap();
        }
        let mut end = later(ada, run, 100, vec![output("end")]);
        end.row = row(Status::Completed);
        end.row.ended_at = Some(noon_and(-50));
        bed.append(vec![end]).await.unwrap();

        let mut begun = Walk::before(NOON);
        loop {
            bed.store.remove_ended(&mut begun, NOON, Duration::ZERO).await.unwrap();
            if events(&bed, run).await < 101 {
                break;
            }
        }
        assert!(events(&bed, run).await > 0, "not yet all of it");
        assert_eq!(bed.store.run_by_id(ada.id, run).await.unwrap(), None);
        let paging = Paging { page: 1, page_size: 10 };
        assert_eq!(bed.store.runs(ada.id, graph_id(1), paging).await.unwrap().total, 0);

        // The crash: that walk is forgotten. Another, with no day at all, finds what it left.
        let (mut leftovers, mut removed) = (Walk::over_leftovers(), 0);
        loop {
            let step = bed.store.remove_ended(&mut leftovers, NOON, LONG).await.unwrap();
            removed += step.runs;
            if step.is_over {
                break;
            }
        }
        assert_eq!((removed, events(&bed, run).await), (1, 0));
    }
}

#[tokio::test]
async fn old_idempotency_keys_go_and_living_ones_stay() {
    for bed in Bed::each() {
        let (ada, day) = (person(1), 24 * 60 * 60);
        bed.append(vec![claiming(ada, run_id(1), "old", noon_and(-2 * day))]).await.unwrap();
        bed.append(vec![claiming(ada, run_id(2), "young", noon_and(-day + 60))]).await.unwrap();
        walk(&bed, NOON, LONG).await;
        let find = async |key: &str| {
            let found = bed.store.run_by_idempotency(ada.id, ada.organization, key, Time(0)).await.unwrap();
            found.map(|(_, run)| run)
        };
        assert_eq!((find("old").await, find("young").await), (None, Some(run_id(2))));
        let again = bed.append(vec![claiming(ada, run_id(3), "young", noon_and(0))]).await;
        assert_eq!(again, Err(JournalError::Taken));
    }
}
