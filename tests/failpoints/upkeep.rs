//! Removing old runs and rewriting others: each run is whole or gone, whatever strikes meanwhile, and the work gets done.

use crate::agents::Agent;
use crate::case::{Case, token};
use crate::stub::Stub;
use crate::support::{Heddle, execution};
use crate::template::{Template, start};
use crate::world::{Accepted, World};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::time::{Duration, Instant};

/// Looks come ten seconds apart, and what failed waits for the next one.
const PATIENCE: Duration = Duration::from_secs(75);

/// Carries a case out.
pub fn check(case: &Case, template: &Template, stub: &Stub) {
    let heddle = template.copy().with("HEDDLE_ENGINE__RETENTION_DAYS", "1");
    let (old, young) = fill(&heddle, template, stub);
    let (server, _) = case.start(&heddle, stub);
    let world = World::new(&heddle, stub, server, template.key.clone(), template.graphs.clone());
    case.wait_for_hit(&heddle);
    // In the middle of it: no run is there in part.
    for run in &old {
        check_whole_or_gone(&world, run);
    }
    let give_up = Instant::now() + PATIENCE;
    while left(&heddle) != [0, 0] {
        assert!(Instant::now() < give_up, "runs to remove and to rewrite: {:?}", left(&heddle));
        // Starts the server again if it is gone.
        world.address();
        std::thread::sleep(Duration::from_millis(20));
    }
    for run in &old {
        assert!(!check_whole_or_gone(&world, run), "{run:?} is still there");
    }
    for run in &young {
        assert!(check_whole_or_gone(&world, run), "{run:?} is gone");
    }
    world.stop();
    let db = Connection::open(heddle.data().join("heddle.db")).unwrap();
    for table in ["frame", "review", "callback"] {
        let text = format!("SELECT count(*) FROM {table} WHERE run NOT IN (SELECT id FROM run)");
        assert_eq!(count(&db, &text), 0, "rows of {table} without their run");
    }
}

/// Runs that ended days ago, and runs that ended just now.
fn fill(heddle: &Heddle, template: &Template, stub: &Stub) -> (Vec<Accepted>, Vec<Accepted>) {
    let server = start(heddle, stub, None).unwrap_or_else(|dead| panic!("{dead}"));
    let world = World::new(heddle, stub, server, template.key.clone(), template.graphs.clone());
    let runs = || {
        let runs = Agent::ALL.map(|agent| world.start(agent, token(), "wait=20"));
        runs.iter().for_each(|run| drop(world.end(run.agent, &run.run)));
        runs.to_vec()
    };
    let (unfinished, id) = template.unfinished.clone();
    world.end(Agent::Step, &id);
    let mut old = runs();
    old.push(Accepted { agent: Agent::Step, token: unfinished, run: id });
    world.stop();
    let db = Connection::open(heddle.data().join("heddle.db")).unwrap();
    let text = "UPDATE run SET created_at = created_at - ?1, started_at = started_at - ?1, ended_at = ended_at - ?1";
    assert!(db.execute(text, [3 * 86_400_000_000_i64]).unwrap() >= old.len());
    drop(db);
    let young = runs();
    world.stop();
    (old, young)
}

/// Whether a run is there; then all of it is.
fn check_whole_or_gone(world: &World<'_>, run: &Accepted) -> bool {
    let path = format!("{}/results", execution(&world.graphs[&run.agent], &run.run));
    let answer = world.until(|client| {
        let answer = client.try_send("GET", &path, &[], None, || ()).ok()?;
        [200, 404].contains(&answer.status).then_some(answer)
    });
    if answer.status == 404 {
        return false;
    }
    let results = answer.json();
    let expected = (&json!("COMPLETED"), &run.agent.output(run.token));
    assert_eq!((&results["status"], &results["output"]), expected, "{results}");
    true
}

/// How many runs are still to be removed and to be rewritten, as far as can be seen right now.
fn left(heddle: &Heddle) -> [u32; 2] {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(heddle.data().join("heddle.db"), flags).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    [
        "SELECT count(*) FROM run WHERE ended_at < (unixepoch() - 86400) * 1000000",
        "SELECT count(*) FROM run WHERE ended_at IS NOT NULL AND frame_count > 1",
    ]
    .map(|text| count(&db, text))
}

fn count(db: &Connection, text: &str) -> u32 {
    db.query_row(text, [], |row| row.get(0)).unwrap()
}
