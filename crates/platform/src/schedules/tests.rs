//! Schedules by a clock that the tests set; the firing is done step by step, and once as the task does it.

use super::firing::Watch;
use super::*;
use crate::{Address, Database, Limits, NewAccount, Options, Platform};
use heddle_cluster::{Cluster, again};
use heddle_model::{Graph, RunId, Value};
use heddle_store::Paging;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
const TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";
/// 2026-02-03, a Tuesday, 09:00 UTC.
const NINE: Time = Time(1_770_109_200_000_000);
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const LONG: Duration = Duration::from_secs(60);

/// A clock that stands until it is set.
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

struct Bed {
    platform: Platform,
    schedules: Schedules,
    watch: Watch,
    clock: Arc<HandClock>,
    database: Database,
    folder: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::is_wanted() {
            true => Address::parse(&Cluster::shared().unwrap().database()).unwrap().into(),
            false => (&folder.path().join("heddle.db")).into(),
        };
        let clock = Arc::new(HandClock(AtomicI64::new(NINE.0)));
        let platform = open(&database, limits).await.unwrap();
        Self::over(platform, clock, database, folder)
    }

    fn over(platform: Platform, clock: Arc<HandClock>, database: Database, folder: tempfile::TempDir) -> Self {
        let schedules = Schedules { clock: clock.clone(), alarm: Arc::default(), ..platform.schedules.clone() };
        let watch = Watch::new(schedules.clone());
        Self { platform, schedules, watch, clock, database, folder }
    }

    /// As after `kill -9`: nothing was closed, and another process opens the database.
    async fn crash(self) -> Self {
        let Self { platform, schedules, watch, clock, database, folder } = self;
        drop((platform, schedules, watch));
        let give_up = Instant::now() + LONG;
        let platform = loop {
            assert!(Instant::now() < give_up, "somebody still holds it");
            // Looked at first: whoever opens it holds it.
            if !folder.path().join("heddle.db-wal").exists()
                && let Ok(platform) = open(&database, Limits::default()).await
            {
                break platform;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        Self::over(platform, clock, database, folder)
    }

    async fn user(&self, name: &str, time_zone: Option<&str>) -> Principal {
        let new = NewAccount { email: format!("{name}@example.org"), name: None, password: None, is_admin: false };
        let account = self.platform.accounts.create(new).await.unwrap();
        self.platform.store.set_time_zone(account.id, time_zone.map(str::to_owned)).await.unwrap();
        Principal { user: account.id, organization: account.organization, key: None, scopes: Vec::new() }
    }

    async fn save(&self, caller: &Principal, nodes: Value) -> Graph {
        let file = json!({"name": "Digest", "description": "", "nodes": nodes});
        let draft = self.platform.graphs.read_file(file).unwrap().remove(0);
        self.platform.graphs.create(caller.user, caller.organization, draft).await.unwrap().graph
    }

    async fn create(&self, caller: &Principal, graph: &Graph, cron: &str, zone: Option<&str>) -> Schedule {
        self.schedules.create(caller, new(graph, cron, zone)).await.unwrap()
    }

    fn set(&self, time: Time) {
        self.clock.0.store(time.0, Ordering::SeqCst);
    }

    /// Sets the clock and has the service look at it.
    async fn look_at(&mut self, time: Time) {
        self.set(time);
        self.watch.look().await;
    }

    async fn runs(&self, caller: &Principal, graph: &Graph) -> u64 {
        let paging = Paging { page: 1, page_size: 1 };
        self.platform.store.runs(caller.user, graph.id, paging).await.unwrap().total
    }

    async fn has_run(&self, schedule: &Schedule, slot: Time) -> bool {
        let run = RunId::of_slot(schedule.id, slot);
        self.platform.store.run_by_id(schedule.owner, run).await.unwrap().is_some()
    }

    async fn next(&self, schedule: &Schedule) -> Option<Time> {
        let found = self.platform.store.schedule(schedule.owner, schedule.id).await.unwrap();
        found.map(|schedule| schedule.next_run_at)
    }
}

/// Only the tests' own service fires.
async fn open(database: &Database, limits: Limits) -> Result<Platform, Error> {
    Platform::open_with(database.clone(), Options { limits, without_firing: true, ..Options::default() }).await
}

fn new(graph: &Graph, cron: &str, zone: Option<&str>) -> NewSchedule {
    NewSchedule {
        graph: graph.id.to_string(),
        version: None,
        name: "every now and then".to_owned(),
        cron: cron.to_owned(),
        time_zone: zone.map(str::to_owned),
        inputs: json!({"text": "x"}).as_object().unwrap().clone(),
        credentials: Object::new(),
    }
}

fn echo() -> Value {
    json!([{"id": "in", "block_id": INPUT, "input_default": {"name": "text"}}])
}

fn waiting() -> Value {
    json!([{"id": "t", "block_id": TIMER, "input_default": {"input_message": "", "seconds": 36000}}])
}

fn and(seconds: i64) -> Time {
    NINE.plus_seconds(seconds)
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    again(&["schedules::tests::"]);
}

#[tokio::test]
async fn a_slot_that_comes_starts_a_run_with_the_schedules_inputs() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let nodes = json!([
        {"id": "in", "block_id": INPUT, "input_default": {"name": "text"}},
        {"id": "out", "block_id": OUTPUT, "input_default": {"name": "said", "value": "y"}},
    ]);
    let graph = t.save(&ada, nodes).await;
    let schedule = t.create(&ada, &graph, "30 9 * * *", None).await;
    assert_eq!((schedule.next_run_at, schedule.version), (and(30 * MINUTE), 1));
    assert_eq!((schedule.agent_name.as_str(), schedule.time_zone.as_str()), ("Digest", "UTC"));
    assert_eq!(t.schedules.list(ada.user).await.unwrap(), std::slice::from_ref(&schedule));

    t.look_at(and(30 * MINUTE - 1)).await;
    assert_eq!(t.runs(&ada, &graph).await, 0, "a second too early");
    t.look_at(and(30 * MINUTE)).await;
    let run = RunId::of_slot(schedule.id, and(30 * MINUTE)).to_string();
    let view = t.platform.runs.results(ada.user, &graph.id.to_string(), &run).await.unwrap();
    assert_eq!(Value::Object(view.inputs), json!({"text": "x"}));
    t.look_at(and(30 * MINUTE + 5)).await;
    assert_eq!(t.runs(&ada, &graph).await, 1);
    assert_eq!(t.next(&schedule).await, Some(and(DAY + 30 * MINUTE)));
}

#[tokio::test]
async fn weekdays_are_those_of_standard_cron() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let table = [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("mon", "Mon"),
        ("6-2", "Sun Mon Tue Sat"),
        ("*/2", "Sun Tue Thu Sat"),
        ("1-5/2", "Mon Wed Fri"),
        ("5-2/2", "Sun Tue Fri"),
        ("0-7", "Sun Mon Tue Wed Thu Fri Sat"),
    ];
    let mut made = Vec::new();
    for (weekday, expected) in table {
        made.push((t.create(&ada, &graph, &format!("0 12 * * {weekday}"), None).await, expected));
    }
    // From Sunday noon on, day by day.
    let noons: Vec<_> = (0..7).map(|day| and((5 + day) * DAY + 3 * HOUR)).collect();
    t.look_at(Time(noons[0].0 - 1)).await;
    for noon in &noons {
        t.look_at(*noon).await;
    }
    for (schedule, expected) in made {
        let mut days = Vec::new();
        for (noon, name) in noons.iter().zip(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]) {
            if t.has_run(&schedule, *noon).await {
                days.push(name);
            }
        }
        assert_eq!(days.join(" "), expected, "{}", schedule.cron);
    }
}

#[tokio::test]
async fn a_schedule_goes_by_its_zone_across_both_changes_of_the_clocks() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let zone = cron::zone("Europe/Berlin").unwrap();
    // The clocks go from 02:00 to 03:00 on 29 March 2026 and from 03:00 to 02:00 on 25 October, both at 01:00 UTC.
    let (spring, autumn) = (Time(1_774_746_000_000_000), Time(1_792_890_000_000_000));
    let cases = [
        ("30 2 * * *", spring, DAY + HOUR, &["28T02:30+01", "29T03:00+02", "30T02:30+02"][..]),
        ("30 2 * * *", autumn, DAY + HOUR, &["24T02:30+02", "25T02:30+02", "26T02:30+01"]),
        ("0 */2 * * *", spring, 3 * HOUR, &["29T00:00+01", "29T03:00+02", "29T04:00+02", "29T06:00+02"]),
        ("30 * * * *", autumn, 2 * HOUR, &["25T01:30+02", "25T02:30+02", "25T02:30+01", "25T03:30+01"]),
    ];
    for (expression, change, around, expected) in cases {
        t.set(change.plus_seconds(-around));
        let schedule = t.create(&ada, &graph, expression, Some("Europe/Berlin")).await;
        let mut fired = Vec::new();
        while let Some(slot) = t.next(&schedule).await.filter(|slot| *slot <= change.plus_seconds(around)) {
            t.look_at(slot).await;
            assert!(t.has_run(&schedule, slot).await);
            let shown = cron::shown(slot, zone);
            fired.push(format!("{}{}", &shown[8..16], &shown[19..22]));
        }
        assert_eq!(fired, expected, "{expression}");
        t.schedules.remove(ada.user, &schedule.id.to_string()).await.unwrap();
    }
}

#[tokio::test]
async fn slots_that_were_missed_have_one_run() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    let (first, now) = (and(HOUR), and(2 * DAY + 2 * HOUR));
    t.look_at(now).await;
    t.look_at(now).await;
    assert_eq!(t.runs(&ada, &graph).await, 1);
    assert!(t.has_run(&schedule, first).await, "it stands for the first one");
    assert_eq!(t.next(&schedule).await, Some(and(3 * DAY + HOUR)));
}

#[tokio::test]
async fn runs_of_one_schedule_may_overlap() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, waiting()).await;
    t.create(&ada, &graph, "* * * * *", None).await;
    t.look_at(and(MINUTE)).await;
    t.look_at(and(2 * MINUTE)).await;
    assert_eq!(t.runs(&ada, &graph).await, 2);
    assert_eq!(t.platform.store.count_unfinished().await.unwrap(), 2);
}

#[tokio::test]
async fn a_crash_between_the_start_and_the_move_neither_loses_a_run_nor_starts_another() {
    for nodes in [echo(), waiting()] {
        for steps in 0..=2 {
            let t = Bed::new().await;
            let ada = t.user("ada", None).await;
            let graph = t.save(&ada, nodes.clone()).await;
            let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
            t.set(and(HOUR));
            if steps > 0 {
                assert!(t.schedules.begin(&schedule).await.unwrap());
            }
            if steps > 1 {
                t.schedules.move_on(&schedule).await.unwrap();
            }
            let mut t = t.crash().await;
            assert_eq!(t.runs(&ada, &graph).await, u64::from(steps > 0), "after {steps} steps");
            t.look_at(and(HOUR + 7)).await;
            t.look_at(and(HOUR + 8)).await;
            assert_eq!(t.runs(&ada, &graph).await, 1, "after {steps} steps");
            assert_eq!(t.next(&schedule).await, Some(and(DAY + HOUR)), "after {steps} steps");
        }
    }
}

#[tokio::test]
async fn a_slot_whose_run_is_there_is_not_started_again() {
    let t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    let run = RunId::of_slot(schedule.id, schedule.next_run_at);
    // Past the look whether it is there.
    for _ in 0..2 {
        t.platform.runs.start_once(&ada, run, start(&schedule)).await.unwrap();
    }
    assert_eq!(t.runs(&ada, &graph).await, 1);
    assert_eq!(t.platform.gauges().await.runs.unfinished, 0);
}

#[tokio::test]
async fn a_thousand_schedules_that_are_due_at_once_have_a_run_each() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let mut made = Vec::new();
    for _ in 0..1000 {
        let schedule = Schedule { next_run_at: and(HOUR), ..t.row(&ada, &graph) };
        t.platform.store.insert_schedule(schedule.clone()).await.unwrap();
        made.push(schedule);
    }
    let begun = Instant::now();
    t.look_at(and(HOUR)).await;
    println!("1000 slots in {} ms", begun.elapsed().as_millis());
    assert_eq!(t.runs(&ada, &graph).await, 1000);
    let after = t.schedules.list(ada.user).await.unwrap();
    assert_eq!(after.len(), 1000);
    assert!(after.iter().all(|schedule| schedule.next_run_at == and(DAY + HOUR)));
}

#[tokio::test]
async fn when_too_much_waits_accounts_take_turns_and_no_slot_is_lost() {
    let mut t = Bed::with(Limits { queued_runs: 4, ..Limits::default() }).await;
    let (ada, bob) = (t.user("ada", None).await, t.user("bob", None).await);
    let (hers, his) = (t.save(&ada, waiting()).await, t.save(&bob, waiting()).await);
    for number in 0..10 {
        let schedule = Schedule { next_run_at: and(number), ..t.row(&ada, &hers) };
        t.platform.store.insert_schedule(schedule).await.unwrap();
    }
    let schedule = Schedule { next_run_at: and(HOUR), ..t.row(&bob, &his) };
    t.platform.store.insert_schedule(schedule.clone()).await.unwrap();
    t.set(and(HOUR));
    assert!(matches!(t.watch.round(and(HOUR)).await, Err(Error::Busy(..))));
    assert_eq!(t.runs(&ada, &hers).await + t.runs(&bob, &his).await, 4);
    assert_eq!(t.schedules.list(ada.user).await.unwrap().len(), 10);

    // The next two places go to two accounts, if the other one did not get one before.
    let paging = Paging { page: 1, page_size: 100 };
    let mut seen = BTreeSet::new();
    for run in &t.platform.store.runs(ada.user, hers.id, paging).await.unwrap().items[..2] {
        t.platform.runs.stop(ada.user, &hers.id.to_string(), &run.id.to_string()).await.unwrap();
        seen.insert(run.id.to_string());
    }
    let _ = t.watch.round(and(HOUR)).await;
    assert!(t.has_run(&schedule, and(HOUR)).await, "one account's ten slots stand before another one's");

    // Whenever runs end, those that wait follow.
    let give_up = Instant::now() + LONG;
    while seen.len() < 10 {
        assert!(Instant::now() < give_up, "only {} of 10 were started", seen.len());
        for run in t.platform.store.runs(ada.user, hers.id, paging).await.unwrap().items {
            if !run.status.is_terminal() {
                t.platform.runs.stop(ada.user, &hers.id.to_string(), &run.id.to_string()).await.unwrap();
            }
            seen.insert(run.id.to_string());
        }
        // Busy again, or done.
        let _ = t.watch.round(and(HOUR)).await;
    }
    assert_eq!(t.runs(&ada, &hers).await, 10);
}

#[tokio::test]
async fn a_slot_waits_for_a_database_that_is_away() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    t.platform.close().await;
    t.look_at(and(HOUR)).await;
    let mut t = t.crash().await;
    assert_eq!(t.next(&schedule).await, Some(and(HOUR)));
    t.look_at(and(HOUR)).await;
    assert!(t.has_run(&schedule, and(HOUR)).await);
}

#[tokio::test]
async fn a_schedule_whose_run_is_refused_is_removed() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, json!([{"id": "n", "block_id": TEMPLATE, "input_default": {}}])).await;
    let good = t.save(&ada, echo()).await;
    let kept = t.create(&ada, &good, "0 10 * * *", None).await;
    for version in [1, 7] {
        let schedule = Schedule { version, ..t.row(&ada, &graph) };
        t.platform.store.insert_schedule(schedule).await.unwrap();
    }
    t.look_at(and(HOUR)).await;
    let left: Vec<_> = t.schedules.list(ada.user).await.unwrap().iter().map(|schedule| schedule.id).collect();
    assert_eq!(left, [kept.id]);
    assert_eq!((t.runs(&ada, &graph).await, t.runs(&ada, &good).await), (0, 1));
}

#[tokio::test]
async fn when_a_graph_is_gone_or_not_in_the_library_all_its_schedules_of_that_account_go() {
    let mut t = Bed::new().await;
    let (ada, bob) = (t.user("ada", None).await, t.user("bob", None).await);
    let saved = t.save(&ada, echo()).await;
    let id = || GraphId::from_random(rand::random());
    let (main, inner, gone) = (Graph { id: id(), ..saved.clone() }, Graph { id: id(), ..saved.clone() }, id());
    t.platform.store.save_graphs(ada.user, ada.organization, &[main, inner.clone()], NINE).await.unwrap();
    for graph in [&inner, &Graph { id: gone, ..saved.clone() }] {
        for next_run_at in [and(HOUR), and(DAY)] {
            let schedule = Schedule { next_run_at, ..t.row(&ada, graph) };
            t.platform.store.insert_schedule(schedule).await.unwrap();
        }
        let schedule = Schedule { next_run_at: and(DAY), ..t.row(&bob, graph) };
        t.platform.store.insert_schedule(schedule).await.unwrap();
    }
    let kept = t.create(&ada, &saved, "0 10 * * *", None).await;
    t.look_at(and(HOUR)).await;
    let left: Vec<_> = t.schedules.list(ada.user).await.unwrap().iter().map(|schedule| schedule.id).collect();
    assert_eq!(left, [kept.id]);
    assert_eq!(t.schedules.list(bob.user).await.unwrap().len(), 2);
}

#[tokio::test]
async fn slots_of_a_disabled_account_pass() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    t.platform.accounts.disable("ada@example.org").await.unwrap();
    t.look_at(and(HOUR)).await;
    assert_eq!(t.runs(&ada, &graph).await, 0);
    assert_eq!(t.next(&schedule).await, Some(and(DAY + HOUR)), "it is not made up for later");
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_is_put_right_neither_silences_a_schedule_nor_doubles_a_run() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    t.look_at(and(HOUR)).await;
    // Ten years ahead: the next slot counts as missed.
    t.look_at(and(3650 * DAY)).await;
    assert_eq!(t.runs(&ada, &graph).await, 2);
    t.look_at(and(2 * HOUR)).await;
    assert_eq!(t.next(&schedule).await, Some(and(DAY + HOUR)));
    t.look_at(and(DAY + HOUR)).await;
    assert_eq!(t.runs(&ada, &graph).await, 2, "that slot has had its run, too early");
    t.look_at(and(2 * DAY + HOUR)).await;
    assert_eq!(t.runs(&ada, &graph).await, 3);
    // An hour back, over a slot.
    t.look_at(and(2 * DAY)).await;
    assert_eq!(t.next(&schedule).await, Some(and(2 * DAY + HOUR)));
    t.look_at(and(2 * DAY + HOUR)).await;
    assert_eq!(t.runs(&ada, &graph).await, 3);
    assert_eq!(t.next(&schedule).await, Some(and(3 * DAY + HOUR)));
}

#[tokio::test]
async fn a_clock_that_was_put_back_while_nobody_looked_is_noticed() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    t.set(and(3650 * DAY));
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    t.platform.close().await;
    t.set(NINE);
    t = t.crash().await;
    t.look_at(NINE).await;
    assert_eq!(t.next(&schedule).await, Some(and(HOUR)));
}

#[tokio::test]
async fn without_schedules_nothing_is_looked_at() {
    let mut t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    assert_eq!(t.watch.look().await, Duration::MAX);
    t.create(&ada, &graph, "0 10 * * *", None).await;
    assert_eq!(t.watch.look().await, Duration::from_secs(1));
    t.set(Time(and(HOUR).0 - 5));
    assert_eq!(t.watch.look().await, Duration::from_micros(5));
}

#[tokio::test]
async fn the_task_hears_of_new_schedules_and_of_a_clock_that_is_set_and_ends_when_told() {
    let t = Bed::new().await;
    let ada = t.user("ada", None).await;
    let graph = t.save(&ada, echo()).await;
    let firing = fire(t.schedules.clone());
    // Made when the task sleeps for ever.
    let schedule = t.create(&ada, &graph, "0 10 * * *", None).await;
    t.set(and(HOUR));
    let give_up = Instant::now() + LONG;
    while t.next(&schedule).await != Some(and(DAY + HOUR)) {
        assert!(Instant::now() < give_up, "it is not fired");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(t.has_run(&schedule, and(HOUR)).await);
    firing.stop().await;
    firing.stop().await;
}

#[tokio::test]
async fn the_zone_is_the_requests_or_the_accounts_or_utc() {
    let t = Bed::new().await;
    let (ada, bob) = (t.user("ada", Some("Asia/Tokyo")).await, t.user("bob", Some("Mars/Olympus")).await);
    let (hers, his) = (t.save(&ada, echo()).await, t.save(&bob, echo()).await);
    for (caller, graph, asked, zone, next) in [
        (&ada, &hers, Some("Europe/Berlin"), "Europe/Berlin", and(DAY)),
        (&ada, &hers, None, "Asia/Tokyo", and(16 * HOUR)),
        (&bob, &his, None, "UTC", and(HOUR)),
    ] {
        let schedule = t.create(caller, graph, "0 10 * * *", asked).await;
        assert_eq!((schedule.time_zone.as_str(), schedule.next_run_at), (zone, next));
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_not_scheduled() {
    let t = Bed::new().await;
    let (ada, bob) = (t.user("ada", None).await, t.user("bob", None).await);
    let graph = t.save(&ada, echo()).await;
    let bad = t.save(&ada, json!([{"id": "n", "block_id": TEMPLATE, "input_default": {}}])).await;
    let daily = "0 10 * * *";
    let zoned = |zone| new(&graph, daily, Some(zone));
    let missing = |version: &str| format!("Graph #{} v{version} not found.", graph.id);
    for (caller, asked, text) in [
        (&ada, new(&graph, "0 10 * *", None), "a cron expression has five fields"),
        (&ada, new(&graph, "@daily", None), "\"0 0 * * *\""),
        (&ada, new(&graph, "61 * * * *", None), "minute \"61\""),
        (&ada, new(&graph, "0 0 30 2 *", None), "never comes"),
        (&ada, zoned("Europe/Nowhere"), "\"Europe/Nowhere\" is not a time zone name"),
        (&ada, NewSchedule { version: Some(2), ..new(&graph, daily, None) }, &missing("2")),
        (&ada, NewSchedule { graph: "x".to_owned(), ..new(&graph, daily, None) }, "Graph #x vNone not found."),
        (&bob, new(&graph, daily, None), &missing("None")),
        (&ada, new(&bad, daily, None), "Graph validation failed"),
    ] {
        let refused = t.schedules.create(caller, asked).await.unwrap_err().to_string();
        assert!(refused.contains(text), "{refused}");
    }
    assert_eq!(t.schedules.list(ada.user).await.unwrap(), []);
}

#[tokio::test]
async fn another_users_schedules_look_missing() {
    let t = Bed::new().await;
    let (ada, bob) = (t.user("ada", None).await, t.user("bob", None).await);
    let graph = t.save(&ada, echo()).await;
    let id = t.create(&ada, &graph, "0 10 * * *", None).await.id.to_string();
    assert_eq!(t.schedules.list(bob.user).await.unwrap(), []);
    let missing = Error::NotFound(format!("Schedule #{id} not found"));
    assert_eq!(t.schedules.remove(bob.user, &id).await.unwrap_err(), missing);
    t.schedules.remove(ada.user, &id).await.unwrap();
    assert_eq!(t.schedules.remove(ada.user, &id).await.unwrap_err(), missing);
}

impl Bed {
    /// A schedule as it might stand in the database, due at ten.
    fn row(&self, owner: &Principal, graph: &Graph) -> Schedule {
        Schedule {
            id: ScheduleId::from_random(rand::random()),
            owner: owner.user,
            organization: owner.organization,
            graph: graph.id,
            version: graph.version,
            name: String::new(),
            agent_name: graph.name.clone(),
            cron: "0 10 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            inputs: Object::new(),
            credentials: Object::new(),
            created_at: NINE,
            next_run_at: and(HOUR),
        }
    }
}
