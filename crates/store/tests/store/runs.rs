use crate::bed::{Bed, NOON, Person, claiming, graph_id, later, noon_and, opening, output, person, row, run_id};
use heddle_engine::journal::{Counts, Frame, JournalError, Row};
use heddle_model::{RunId, Status, Time};
use heddle_store::{Page, Paging, RunRecord};

const DAY: i64 = 24 * 60 * 60;

fn opened_at(person: Person, run: RunId, at: Time) -> Frame {
    let mut frame = opening(person, run);
    frame.opening.as_mut().unwrap().created_at = at;
    frame
}

#[tokio::test]
async fn a_runs_row_follows_its_frames() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        bed.append(vec![opening(ada, run)]).await.unwrap();
        let mut expected = RunRecord {
            id: run,
            owner: ada.id,
            organization: ada.organization,
            graph: graph_id(1),
            version: 1,
            status: Status::Queued,
            created_at: NOON,
            started_at: None,
            ended_at: None,
            error: None,
            counts: Counts::default(),
            parent: None,
            events: 1,
        };
        assert_eq!(bed.store.run(ada.id, graph_id(1), run).await.unwrap(), Some(expected.clone()));

        let mut frame = later(ada, run, 1, vec![output(1), output(2)]);
        frame.row = Row {
            status: Status::Failed,
            started_at: Some(noon_and(1)),
            ended_at: Some(noon_and(2)),
            error: Some("balance \0".to_owned()),
            counts: Counts { nodes: 3, errors: 1, cost: 7 },
            news: 3,
            parked: None,
        };
        bed.append(vec![frame]).await.unwrap();
        expected.status = Status::Failed;
        expected.started_at = Some(noon_and(1));
        expected.ended_at = Some(noon_and(2));
        expected.error = Some("balance \0".to_owned());
        expected.counts = Counts { nodes: 3, errors: 1, cost: 7 };
        expected.events = 3;
        assert_eq!(bed.store.run_by_id(ada.id, run).await.unwrap(), Some(expected));
    }
}

#[tokio::test]
async fn a_frame_without_events_moves_only_the_row() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        bed.append(vec![opening(ada, run)]).await.unwrap();
        bed.append(vec![later(ada, run, 1, Vec::new())]).await.unwrap();
        let found = bed.store.run_by_id(ada.id, run).await.unwrap().unwrap();
        assert_eq!((found.status, found.events), (Status::Running, 1));
    }
}

#[tokio::test]
async fn runs_are_listed_newest_first_page_by_page() {
    for bed in Bed::each() {
        let ada = person(1);
        for number in 1..=5 {
            bed.append(vec![opened_at(ada, run_id(number), noon_and(i64::from(number)))]).await.unwrap();
        }
        let mut listed = Vec::new();
        for page in 1..=4 {
            let page = bed.store.runs(ada.id, graph_id(1), Paging { page, page_size: 2 }).await.unwrap();
            assert_eq!(page.total, 5);
            listed.extend(page.items.into_iter().map(|run| run.id));
        }
        assert_eq!(listed, [5, 4, 3, 2, 1].map(run_id));
    }
}

#[tokio::test]
async fn another_users_run_looks_missing() {
    for bed in Bed::each() {
        let (ada, bob, run) = (person(1), person(2), run_id(1));
        bed.append(vec![claiming(ada, run, "k", NOON)]).await.unwrap();
        let paging = Paging { page: 1, page_size: 10 };
        assert_eq!(bed.store.run(bob.id, graph_id(1), run).await.unwrap(), None);
        assert_eq!(bed.store.run(ada.id, graph_id(2), run).await.unwrap(), None, "not by another graph either");
        assert_eq!(bed.store.run_by_id(bob.id, run).await.unwrap(), None);
        assert_eq!(bed.store.runs(bob.id, graph_id(1), paging).await.unwrap(), Page { items: Vec::new(), total: 0 });
        for (owner, organization) in [(bob.id, ada.organization), (ada.id, bob.organization)] {
            assert_eq!(bed.store.run_by_idempotency(owner, organization, "k", Time(0)).await.unwrap(), None);
        }
        let outcome = bed.append(vec![later(bob, run, 1, vec![output(1)])]).await;
        assert!(matches!(outcome, Err(JournalError::Disk(_))), "{outcome:?}");
        assert_eq!(bed.store.run_by_id(ada.id, run).await.unwrap().unwrap().events, 1);
    }
}

#[tokio::test]
async fn unfinished_runs_of_everybody_come_oldest_first_and_parents_before_children() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        // Within one instant only the family tells the order; ids are against it here.
        let child = |run, parent| {
            let mut frame = opened_at(ada, run, noon_and(2));
            frame.opening.as_mut().unwrap().parent = Some(parent);
            frame
        };
        bed.append(vec![
            opened_at(ada, run_id(9), noon_and(2)),
            child(run_id(5), run_id(9)),
            child(run_id(1), run_id(5)),
        ])
        .await
        .unwrap();
        bed.append(vec![opened_at(bob, run_id(20), noon_and(1))]).await.unwrap();
        let mut done = opened_at(bob, run_id(30), noon_and(1));
        done.row = row(Status::Completed);
        bed.append(vec![done]).await.unwrap();

        let (unfinished, parked) = bed.store.unfinished().await.unwrap();
        let found: Vec<_> = unfinished.iter().map(|run| (run.run, run.lane.owner, run.is_child)).collect();
        assert_eq!((found[0], found.len(), parked), ((run_id(20), bob.id, false), 4, 0), "the oldest first");
        for expected in [(run_id(9), ada.id, false), (run_id(5), ada.id, true), (run_id(1), ada.id, true)] {
            assert!(found.contains(&expected), "{expected:?}");
        }
        assert_eq!(bed.store.count_unfinished().await.unwrap(), 4);

        let mut end = later(ada, run_id(9), 1, vec![output(1)]);
        end.row = row(Status::Terminated);
        bed.append(vec![end]).await.unwrap();
        assert_eq!(bed.store.count_unfinished().await.unwrap(), 3);
    }
}

#[tokio::test]
async fn an_idempotency_key_is_held_for_a_day() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.append(vec![claiming(ada, run_id(1), "k", NOON)]).await.unwrap();
        let held = |since| bed.store.run_by_idempotency(ada.id, ada.organization, "k", since);
        assert_eq!(held(noon_and(-1)).await.unwrap(), Some(([7; 32], run_id(1))));
        assert_eq!(held(NOON).await.unwrap(), None, "it is not younger than that");

        let early = claiming(ada, run_id(2), "k", noon_and(DAY - 1));
        assert_eq!(bed.append(vec![early]).await, Err(JournalError::Taken));
        assert_eq!(bed.store.run_by_id(ada.id, run_id(2)).await.unwrap(), None, "the refused run left nothing");
        assert_eq!(held(noon_and(-1)).await.unwrap(), Some(([7; 32], run_id(1))));

        bed.append(vec![claiming(ada, run_id(3), "k", noon_and(DAY))]).await.unwrap();
        assert_eq!(held(NOON).await.unwrap(), Some(([7; 32], run_id(3))));
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_account_in_one_organization() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        let elsewhere = Person { organization: bob.organization, ..ada };
        for (number, who, key) in [(1, ada, "k"), (2, bob, "k"), (3, elsewhere, "k"), (4, ada, "K")] {
            bed.append(vec![claiming(who, run_id(number), key, NOON)]).await.unwrap();
        }
        assert_eq!(bed.append(vec![claiming(ada, run_id(5), "k", NOON)]).await, Err(JournalError::Taken));
    }
}

#[tokio::test]
async fn of_many_starts_with_one_key_one_wins() {
    for bed in Bed::each() {
        let ada = person(1);
        let tickets: Vec<_> = (0..50)
            .map(|number| {
                heddle_engine::ports::Journal::append(&bed.store, vec![claiming(ada, run_id(number), "k", NOON)])
            })
            .collect();
        let mut won = 0;
        for mut ticket in tickets {
            match ticket.durable().await {
                Ok(()) => won += 1,
                Err(error) => assert_eq!(error, JournalError::Taken),
            }
        }
        assert_eq!((won, bed.store.count_unfinished().await.unwrap()), (1, 1));
    }
}

#[tokio::test]
async fn a_known_run_with_its_own_key_exists_rather_than_being_taken() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.append(vec![claiming(ada, run_id(1), "k", NOON)]).await.unwrap();
        assert_eq!(bed.append(vec![claiming(ada, run_id(1), "k", NOON)]).await, Err(JournalError::Exists));
    }
}

#[tokio::test]
async fn old_keys_are_forgotten_as_new_ones_come() {
    for bed in Bed::each() {
        let ada = person(1);
        for number in 0..4 {
            bed.append(vec![claiming(ada, run_id(number), &format!("old {number}"), NOON)]).await.unwrap();
        }
        let count = async || {
            let mut held = 0;
            for number in 0..4 {
                let key = format!("old {number}");
                let found = bed.store.run_by_idempotency(ada.id, ada.organization, &key, Time(0)).await.unwrap();
                held += usize::from(found.is_some());
            }
            held
        };
        assert_eq!(count().await, 4);
        for (number, left) in [(10, 2), (11, 0)] {
            bed.append(vec![claiming(ada, run_id(number), &format!("new {number}"), noon_and(DAY))]).await.unwrap();
            assert_eq!(count().await, left);
        }
    }
}
