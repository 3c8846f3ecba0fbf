//! Backups are whole or not there, and a restore leaves what was there or what was restored, whatever strikes on the way.

use crate::agents::Agent;
use crate::case::{Case, token};
use crate::stub::Stub;
use crate::support::{Heddle, Outcome};
use crate::template::{Template, start};
use crate::world::World;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Who is only in what a restore replaces.
const LATE: &str = "late@example.org";

/// Runs a command with the strike in front of it.
fn strike(case: &Case, heddle: &Heddle, words: &[&str]) -> Outcome {
    let mut command = heddle.binary();
    command.args(words).arg("--data").arg(heddle.data());
    command.env("HEDDLE_FAILPOINTS", case.to_string()).env("HEDDLE_FAILPOINTS_HITS", heddle.beside("hits"));
    let struck = Outcome::of(command);
    assert_eq!(struck.code == 0, case.action.starts_with("delay"), "{struck:?}");
    case.check_hit(heddle);
    struck
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A strike in the process that makes a backup of a folder without a server.
pub fn check_backup(case: &Case, template: &Template, stub: &Stub) {
    let heddle = template.copy();
    let dest = heddle.beside("backup");
    strike(case, &heddle, &["backup", text(&dest)]);
    let is_placed = dest.exists();
    // What a crash leaves beside it is either whole or refused.
    for left in [heddle.beside("backup.part"), heddle.beside("backup.part.db")] {
        let other = template.nothing();
        if left.exists() && other.run(&["restore", text(&left)]).code == 0 {
            check_whole(&other, template, stub);
        }
    }
    if !is_placed {
        let again = heddle.run(&["backup", text(&dest)]);
        assert_eq!(again.code, 0, "{again:?}");
        assert!(!heddle.beside("backup.part").exists() && !heddle.beside("backup.part.db").exists());
    }
    let other = template.nothing();
    let restored = other.run(&["restore", text(&dest)]);
    assert_eq!(restored.code, 0, "{restored:?}");
    check_whole(&other, template, stub);
    // And what it was made of has taken no harm.
    check_whole(&heddle, template, stub);
}

/// A strike in the server while it copies its database.
pub fn check_copy(case: &Case, template: &Template, stub: &Stub) {
    let heddle = template.copy();
    let (server, _) = case.start(&heddle, stub);
    let world = World::new(&heddle, stub, server, template.key.clone(), template.graphs.clone());
    let dest = heddle.beside("backup");
    let struck = heddle.run(&["backup", text(&dest)]);
    case.check_hit(&heddle);
    assert_eq!(struck.code == 0, case.action.starts_with("delay"), "{struck:?}");
    assert_eq!(struck.code == 0, dest.exists());
    // The server goes on, and makes another.
    let accepted = world.start(Agent::Chain, token(), "wait=20");
    assert_eq!(world.end(accepted.agent, &accepted.run)["output"], accepted.agent.output(accepted.token));
    let second = heddle.beside("second");
    let made = heddle.run(&["backup", text(&second)]);
    assert_eq!(made.code, 0, "{made:?}");
    world.stop();
    let other = template.nothing();
    assert_eq!(other.run(&["restore", text(&second)]).code, 0);
    check_whole(&other, template, stub);
}

/// A strike in a restore over a folder with something else in it.
pub fn check_restore(case: &Case, template: &Template, stub: &Stub) {
    let source = template.copy();
    let file = source.beside("backup");
    assert_eq!(source.run(&["backup", text(&file)]).code, 0);
    let heddle = template.nothing();
    assert_eq!(heddle.run(&["user", "create", "--email", LATE]).code, 0);
    let restore = ["restore", text(&file), "--force"];
    strike(case, &heddle, &restore);
    // What was there is in one place, and a database in place is one or the other.
    assert_eq!(databases(&heddle).iter().filter(|path| is_late(path)).count(), 1);
    if heddle.data().join("heddle.db").exists() {
        assert_eq!(heddle.run(&["user", "list"]).code, 0);
    } else {
        heddle.run(&["user", "list"]).refused("was broken off");
    }
    let again = heddle.run(&restore);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(databases(&heddle).iter().filter(|path| is_late(path)).count(), 1);
    assert!(!is_late(&heddle.data().join("heddle.db")));
    check_whole(&heddle, template, stub);
}

/// The database in place, and those that were moved aside.
fn databases(heddle: &Heddle) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(heddle.data()).unwrap().map(|entry| entry.unwrap().path());
    let aside = entries.filter(|path| text(path).contains("before-restore-"));
    let folders = aside.chain([heddle.data()]);
    folders.map(|folder| folder.join("heddle.db")).filter(|path| path.exists()).collect()
}

fn is_late(database: &Path) -> bool {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let whole: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let count: u32 = db.query_row("SELECT count(*) FROM account WHERE email = ?1", [LATE], |row| row.get(0)).unwrap();
    count == 1
}

/// The folder has everything of the template: its key, its agents, and the run that was under way, which goes on.
fn check_whole(heddle: &Heddle, template: &Template, stub: &Stub) {
    let server = start(heddle, stub, None).unwrap_or_else(|dead| panic!("{dead}"));
    let world = World::new(heddle, stub, server, template.key.clone(), template.graphs.clone());
    let (token, run) = &template.unfinished;
    let results = world.end(Agent::Step, run);
    assert_eq!(
        (&results["status"], &results["output"]),
        (&json!("COMPLETED"), &Agent::Step.output(*token)),
        "{results}"
    );
    world.stop();
}
