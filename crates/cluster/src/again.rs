//! Running a suite a second time.

use crate::Cluster;
use std::io::Write;
use std::process::Command;

const WANTED: &str = "HEDDLE_TEST_POSTGRES";

/// Whether this process's tests are to run on PostgreSQL.
pub fn is_wanted() -> bool {
    std::env::var(WANTED).is_ok_and(|wanted| wanted == "1")
}

/// Runs those tests of this binary whose names hold one of these words once more, on PostgreSQL; fails as they do.
/// Does nothing in a process that runs on it anyway; says how many it left out where there is none.
pub fn again(words: &[&str]) {
    if is_wanted() {
        return;
    }
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.args(words);
    if !Cluster::is_at_hand() {
        let list = tests.args(["--list", "--format", "terse"]).output().unwrap();
        let count = String::from_utf8_lossy(&list.stdout).lines().filter(|line| line.ends_with(": test")).count();
        // Past the test runner, which keeps what is printed to itself.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: {count} (needs PostgreSQL)").unwrap();
        return;
    }
    let done = tests.env(WANTED, "1").output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "on PostgreSQL:\n{}\n{}", said(&done.stdout), said(&done.stderr));
    // A word that no longer fits anything would pass unseen.
    assert!(!said(&done.stdout).contains("running 0 tests"), "{words:?} name no test");
}
