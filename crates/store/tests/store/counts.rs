use crate::bed::{Bed, NOON, later, opening, output, person, run_id};
use heddle_engine::journal::{Counts, Entry, Event, Outcome};
use heddle_model::{GraphId, RunId, Status, UserId};
use heddle_store::Watcher;
use std::sync::{Arc, Mutex};

fn ended(exec: u32, outcome: Outcome) -> Entry {
    Entry { at: NOON, what: Event::Ended { exec, outcome, child: None, outputs: None } }
}

fn run_ended(status: Status) -> Entry {
    Entry { at: NOON, what: Event::RunEnded { status, error: None, counts: Counts::default() } }
}

#[tokio::test]
async fn what_is_on_disk_is_counted_and_what_was_refused_is_not() {
    for bed in Bed::each() {
        let ada = person(1);
        let before = bed.store.counts();
        let outcomes = [Outcome::Completed, Outcome::Failed("no".to_owned()), Outcome::Completed, Outcome::Terminated];
        let mut entries: Vec<_> = (0..).zip(outcomes).map(|(exec, outcome)| ended(exec, outcome)).collect();
        entries.push(run_ended(Status::Failed));
        bed.append(vec![opening(ada, run_id(1)), opening(ada, run_id(2))]).await.unwrap();
        bed.append(vec![later(ada, run_id(1), 1, entries.clone())]).await.unwrap();
        bed.append(vec![opening(ada, run_id(1))]).await.unwrap_err();
        bed.append(vec![later(ada, run_id(1), 1, entries)]).await.unwrap_err();
        bed.append(vec![later(ada, run_id(2), 1, vec![output(1), run_ended(Status::Terminated)])]).await.unwrap();

        let counts = bed.store.counts();
        let (failed, completed, terminated) = (Status::Failed, Status::Completed, Status::Terminated);
        assert_eq!(counts.runs_started, 2);
        assert_eq!(counts.runs_ended, [(completed, 0), (failed, 1), (terminated, 1)]);
        assert_eq!(counts.executions, [(completed, 2), (failed, 1), (terminated, 1)]);
        assert_eq!((counts.waiting, counts.commits_failed), (0, 0));
        let frames = counts.commit_frames.sum - before.commit_frames.sum;
        assert_eq!(frames, 4, "two together, then one and one");
        let commits = |counts: &heddle_store::Counts| counts.commit_micros.counts.iter().sum::<u64>();
        assert_eq!(commits(&counts), counts.commit_frames.counts.iter().sum::<u64>());
        assert!((3..=5).contains(&(commits(&counts) - commits(&before))), "{counts:?}");
        assert!(counts.commit_micros.sum > before.commit_micros.sum);
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Watcher for Seen {
    fn opened(&self, run: RunId, _: UserId, _: GraphId, parent: Option<RunId>) {
        self.0.lock().unwrap().push(format!("opened {run} {}", parent.is_some()));
    }

    fn ended(&self, run: RunId, status: Status) {
        self.0.lock().unwrap().push(format!("ended {run} {}", status.as_str()));
    }
}

#[tokio::test]
async fn a_watcher_has_heard_of_a_run_before_whoever_waits_for_its_frame() {
    for bed in Bed::each() {
        let (ada, run) = (person(1), run_id(1));
        let seen = Arc::new(Seen::default());
        bed.store.watch(seen.clone());
        bed.append(vec![opening(ada, run)]).await.unwrap();
        assert_eq!(*seen.0.lock().unwrap(), [format!("opened {run} false")]);
        bed.append(vec![opening(ada, run)]).await.unwrap_err();
        bed.append(vec![later(ada, run, 1, vec![run_ended(Status::Completed)])]).await.unwrap();
        assert_eq!(seen.0.lock().unwrap()[1..], [format!("ended {run} COMPLETED")]);
    }
}

#[tokio::test]
async fn it_knows_how_large_it_is() {
    for bed in Bed::each() {
        let before = bed.store.sizes().await.unwrap();
        bed.append(vec![opening(person(1), run_id(1))]).await.unwrap();
        let after = bed.store.sizes().await.unwrap();
        assert!(after.database >= before.database && before.database > 10_000, "{before:?} {after:?}");
        if let Some(log) = after.log {
            let file = bed.path();
            assert_eq!(log, std::fs::metadata(format!("{}-wal", file.display())).unwrap().len());
            assert!(log > 0);
        }
        assert_eq!(after.free.is_some(), after.log.is_some(), "only a file of ours has both");
    }
}
