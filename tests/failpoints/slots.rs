//! A slot of a schedule fires once, whatever strikes between finding it due and moving on.

use crate::agents::Agent;
use crate::case::Case;
use crate::stub::Stub;
use crate::support::Heddle;
use crate::template::Template;
use crate::world::World;
use rusqlite::Connection;
use serde_json::json;

/// Puts every schedule back to a slot of an hour ago.
fn make_due(heddle: &Heddle) {
    let db = Connection::open(heddle.data().join("heddle.db")).unwrap();
    let text = "UPDATE schedule SET next_run_at = (unixepoch() / 60 - 60) * 60000000, counted_at = 0";
    assert_eq!(db.execute(text, []).unwrap(), 1);
}

/// Carries a case out.
pub fn check(case: &Case, template: &Template, stub: &Stub) {
    let heddle = template.copy();
    make_due(&heddle);
    let (server, _) = case.start(&heddle, stub);
    case.wait_for_hit(&heddle);
    let world = World::new(&heddle, stub, server, template.key.clone(), template.graphs.clone());
    let (token, id) = &template.schedule;
    let first = check_fired(&world, *token, id);
    world.stop();
    assert_eq!(check_fired(&world, *token, id), first, "a restart fires nothing again");
    world.stop();
}

/// The slot has one run, and the schedule stands at its next slot; the run's id.
fn check_fired(world: &World<'_>, token: u64, schedule: &str) -> String {
    // Moved on only when the run is there.
    world.until(|_| {
        // The server that is asked may be struck meanwhile.
        let listed = world.heddle.run(&["schedule", "list", "--json"]);
        let listed = (listed.code == 0).then(|| listed.json())?;
        assert_eq!(listed[0]["id"], schedule, "{listed}");
        listed[0]["next_run_time"].as_str().unwrap().contains("-01-01T00:00:00").then_some(())
    });
    let runs = world.runs(Agent::Chain);
    assert_eq!(runs.len(), 1, "{runs:?}");
    let results = world.end(Agent::Chain, &runs[0]);
    assert_eq!(
        (&results["status"], &results["output"]),
        (&json!("COMPLETED"), &Agent::Chain.output(token)),
        "{results}"
    );
    runs[0].clone()
}
