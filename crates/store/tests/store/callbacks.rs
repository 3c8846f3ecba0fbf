//! Who is told of an end, and secrets.

use crate::bed::{Bed, NOON, Person, noon_and, opening, person, row, run_id};
use heddle_engine::journal::{Frame, JournalError};
use heddle_model::{RunId, Status};
use heddle_store::{Callback, SealedSecret};

/// A run of one frame that ended at noon and so many seconds, of which somebody is to be told.
fn told(person: Person, run: RunId, seconds: i64) -> Frame {
    let mut frame = opening(person, run);
    frame.row = row(Status::Completed);
    frame.entries[0].at = noon_and(seconds);
    frame.callback_url = Some(format!("https://example.org/{seconds}"));
    frame
}

fn callback(person: Person, run: RunId, seconds: i64) -> Callback {
    let (url, at) = (format!("https://example.org/{seconds}"), noon_and(seconds));
    Callback { run, owner: person.id, url, ended_at: at, due_at: at, attempts: 0 }
}

#[tokio::test]
async fn callbacks_are_heard_of_and_found_when_they_are_due() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.append(vec![told(bob, run_id(4), 1)]).await.unwrap();
        let mut heard = bed.store.hear_callbacks().unwrap();
        assert!(bed.store.hear_callbacks().is_none());
        let one = |number: u32, seconds| callback(ada, run_id(number), seconds);
        for (number, seconds) in [(1, 5), (2, 3), (3, 3)] {
            bed.append(vec![told(ada, run_id(number), seconds)]).await.unwrap();
            assert_eq!(heard.recv().await.unwrap(), one(number, seconds));
        }
        bed.append(vec![opening(ada, run_id(9))]).await.unwrap();
        assert!(heard.try_recv().is_err());

        let due = async |seconds, after, limit| bed.store.due_callbacks(noon_and(seconds), after, limit).await.unwrap();
        assert_eq!(due(0, None, 9).await, []);
        assert_eq!(due(3, None, 9).await, [callback(bob, run_id(4), 1), one(2, 3), one(3, 3)]);
        assert_eq!(due(9, None, 1).await.len(), 1);
        assert_eq!(due(9, Some((noon_and(3), run_id(2))), 9).await, [one(3, 3), one(1, 5)]);
        assert_eq!(bed.store.next_callback(noon_and(3)).await.unwrap(), Some(noon_and(5)));
        assert_eq!(bed.store.next_callback(noon_and(5)).await.unwrap(), None);
        assert_eq!(bed.store.callback(ada.id, run_id(1)).await.unwrap(), Some(one(1, 5)));
        assert_eq!(bed.store.callback(bob.id, run_id(1)).await.unwrap(), None, "somebody else's");

        bed.store.postpone_callback(ada.id, run_id(2), noon_and(7), 1).await.unwrap();
        bed.store.postpone_callback(bob.id, run_id(3), noon_and(7), 1).await.unwrap();
        bed.store.remove_callback(ada.id, run_id(4)).await.unwrap();
        bed.store.remove_callback(ada.id, run_id(1)).await.unwrap();
        let postponed = Callback { due_at: noon_and(7), attempts: 1, ..one(2, 3) };
        assert_eq!(due(9, None, 9).await, [callback(bob, run_id(4), 1), one(3, 3), postponed]);
    }
}

#[tokio::test]
async fn of_a_frame_that_was_refused_the_row_decides() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.append(vec![opening(ada, run_id(1))]).await.unwrap();
        let mut heard = bed.store.hear_callbacks().unwrap();
        let again = bed.append(vec![told(ada, run_id(1), 1)]).await;
        assert_eq!(again, Err(JournalError::Exists));
        assert_eq!(heard.recv().await.unwrap().run, run_id(1));
        assert_eq!(bed.store.callback(ada.id, run_id(1)).await.unwrap(), None);
        assert_eq!(bed.store.due_callbacks(NOON.plus_seconds(99), None, 9).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_secret_is_made_once_and_put_in_place_of_another() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        let new = |sealed: u8| SealedSecret { owner: ada.id, name: "a".to_owned(), sealed: vec![sealed, 0, 255] };
        let found = async || bed.store.secret(ada.id, "a").await.unwrap().map(|sealed| sealed[0]);
        assert!(bed.store.any_secret().await.unwrap().is_none());
        assert_eq!(found().await, None);
        assert_eq!(bed.store.make_secret(new(1)).await.unwrap(), [1, 0, 255]);
        assert_eq!(bed.store.make_secret(new(2)).await.unwrap(), [1, 0, 255]);
        bed.store.put_secret(new(3)).await.unwrap();
        assert_eq!(found().await, Some(3));
        assert!(bed.store.any_secret().await.unwrap() == Some(new(3)));
        assert_eq!(bed.store.secret(ada.id, "b").await.unwrap(), None);
        assert_eq!(bed.store.secret(bob.id, "a").await.unwrap(), None);
    }
}
