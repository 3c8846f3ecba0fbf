//! Schedules are their owner's, and are found when they are due.

use crate::bed::{Bed, NOON, Person, graph_id, noon_and, person};
use heddle_model::{ScheduleId, Time};
use heddle_store::{DueSchedule, Error, Schedule};
use serde_json::json;

fn schedule_id(number: u8) -> ScheduleId {
    ScheduleId::from_random([number; 16])
}

fn schedule(person: Person, number: u8, next_run_at: Time) -> Schedule {
    Schedule {
        id: schedule_id(number),
        owner: person.id,
        organization: person.organization,
        graph: graph_id(number % 2),
        version: 3,
        name: "daily \0".to_owned(),
        agent_name: "Digest".to_owned(),
        cron: "0 9 * * *".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        inputs: json!({"z": "\0", "a": [1.5, null]}).as_object().unwrap().clone(),
        credentials: json!({"key": {"id": "x"}}).as_object().unwrap().clone(),
        created_at: NOON,
        next_run_at,
    }
}

#[tokio::test]
async fn a_schedule_comes_back_as_it_was_kept_and_others_do_not_see_it() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        let (later, sooner) = (schedule(ada, 1, noon_and(2)), schedule(ada, 2, noon_and(1)));
        for new in [&later, &sooner] {
            bed.store.insert_schedule(new.clone()).await.unwrap();
        }
        assert_eq!(bed.store.insert_schedule(later.clone()).await, Err(Error::Exists));
        assert_eq!(bed.store.schedules(ada.id).await.unwrap(), [sooner.clone(), later.clone()]);
        assert_eq!(bed.store.schedule(ada.id, later.id).await.unwrap(), Some(later.clone()));

        assert_eq!(bed.store.schedules(bob.id).await.unwrap(), []);
        assert_eq!(bed.store.schedule(bob.id, later.id).await.unwrap(), None);
        assert_eq!(bed.store.remove_schedule(bob.id, later.id).await, Err(Error::NotFound));
        assert_eq!(bed.store.remove_schedules_of(bob.id, later.graph).await.unwrap(), 0);
        let foreign = DueSchedule { owner: bob.id, id: later.id, slot: noon_and(2) };
        assert!(!bed.store.move_schedule(foreign, noon_and(9), NOON).await.unwrap());

        bed.store.remove_schedule(ada.id, later.id).await.unwrap();
        assert_eq!(bed.store.remove_schedule(ada.id, later.id).await, Err(Error::NotFound));
        bed.store.insert_schedule(later.clone()).await.unwrap();
        assert_eq!(bed.store.remove_schedules_of(ada.id, sooner.graph).await.unwrap(), 1);
        assert_eq!(bed.store.schedules(ada.id).await.unwrap(), [later]);
    }
}

#[tokio::test]
async fn accounts_take_turns_among_what_is_due() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        for (person, number, at) in [(ada, 1, 1), (ada, 2, 2), (ada, 3, 3), (bob, 4, 9), (bob, 5, 50), (ada, 6, 60)] {
            bed.store.insert_schedule(schedule(person, number, noon_and(at))).await.unwrap();
        }
        let due = async |limit| {
            let due = bed.store.schedules_due(noon_and(50), limit).await.unwrap();
            due.into_iter().map(|due| due.id).collect::<Vec<_>>()
        };
        assert_eq!(due(9).await, [1, 4, 2, 5, 3].map(schedule_id));
        assert_eq!(due(2).await, [1, 4].map(schedule_id));
        let first = bed.store.schedules_due(noon_and(1), 9).await.unwrap();
        assert_eq!(first, [DueSchedule { owner: ada.id, id: schedule_id(1), slot: noon_and(1) }]);
        assert_eq!(bed.store.next_schedule(noon_and(50)).await.unwrap(), Some(noon_and(60)));
        assert_eq!(bed.store.next_schedule(noon_and(60)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_schedule_moves_from_the_slot_it_stands_at() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.store.insert_schedule(schedule(ada, 1, noon_and(1))).await.unwrap();
        let from = DueSchedule { owner: ada.id, id: schedule_id(1), slot: noon_and(1) };
        assert!(bed.store.schedules_counted_after(NOON).await.unwrap().is_empty());
        assert!(bed.store.move_schedule(from, noon_and(7), noon_and(3)).await.unwrap());
        assert!(!bed.store.move_schedule(from, noon_and(8), noon_and(3)).await.unwrap(), "it stands elsewhere");
        assert_eq!(bed.store.schedules(ada.id).await.unwrap()[0].next_run_at, noon_and(7));
        let moved = DueSchedule { slot: noon_and(7), ..from };
        assert_eq!(bed.store.schedules_counted_after(noon_and(2)).await.unwrap(), [moved]);
        assert!(bed.store.schedules_counted_after(noon_and(3)).await.unwrap().is_empty());
    }
}
