//! What the machine does to a server: a full disk, a folder that cannot be written to, a database that another process
//! has locked. It says so, answers what it can, goes on by itself, and has lost nothing. As nobody in particular, whom mode
//! bits stop.

use crate::support::{Client, Heddle, Server};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

fn echo() -> Value {
    json!({
        "name": "Echo", "description": "Says it again.",
        "nodes": [
            {"id": "in", "block_id": "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "input_default": {"name": "text"}},
            {"id": "out", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "said"}},
        ],
        "links": [{"source_id": "in", "source_name": "result", "sink_id": "out", "sink_name": "value"}],
    })
}

fn waiting() -> Value {
    let timer = json!({"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "input_default": {"seconds": 1}});
    json!({"name": "Wait", "description": "Waits.", "nodes": [timer]})
}

/// Text that compresses badly.
fn noise(seed: usize, words: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state ^ (state >> 29))
    };
    (0..words).map(|_| next()).collect()
}

/// A server and the runs that it has acknowledged.
struct Bed {
    client: Client,
    graph: Value,
    wait: Value,
    acknowledged: Vec<(String, String)>,
}

impl Bed {
    fn new(client: Client) -> Self {
        let (graph, wait) = (client.save(&echo()), client.save(&waiting()));
        Self { client, graph, wait, acknowledged: Vec::new() }
    }

    /// Starts a run; whether it was acknowledged. A refusal must be one that says when to come again.
    fn start(&mut self, text: &str) -> bool {
        let answer = self.client.start_and_wait(&self.graph, &json!({"text": text}));
        if answer.status == 200 {
            self.acknowledged.push((answer.json()["id"].as_str().unwrap().to_owned(), text.to_owned()));
            return true;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0, "{answer:?}");
        assert!(answer.json()["detail"].is_string(), "{answer:?}");
        false
    }

    fn start_until_refused(&mut self) {
        let give_up = Instant::now() + PATIENCE;
        while self.start(&noise(self.acknowledged.len(), 2000)) {
            assert!(Instant::now() < give_up, "the fault is not noticed");
        }
    }

    fn start_until_accepted(&mut self) {
        let give_up = Instant::now() + PATIENCE;
        while !self.start("after") {
            assert!(Instant::now() < give_up, "the server does not recover");
        }
    }

    /// Asks until the server is as ready as wanted, for this reason.
    fn readiness(&self, status: u16, reason: &str) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let answer = self.client.get("/readyz");
            if answer.status == status && answer.body.contains(reason) {
                return;
            }
            assert!(Instant::now() < give_up, "wanted {status} with {reason:?}, got {answer:?}");
        }
    }

    /// Everything acknowledged is there.
    fn check(&self) {
        for (run, text) in &self.acknowledged {
            let results = self.client.results(&self.graph, run);
            assert!(results["output"] == json!([{"said": text}]), "run {run}: {}", results["status"]);
        }
    }
}

/// A small file system of its own in a folder; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// Only root may, and not in every container.
    fn mount(at: &Path, mib: u32, heddle: &Heddle) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let (user, group) = heddle.user()?;
        let options = format!("size={mib}m,mode=0700,uid={user},gid={group}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(at.to_owned()))
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whatever still uses it is about to go.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn skipped(tests: usize) {
    // Past the test runner, which keeps what is printed to itself.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "skipped: {tests} (needs root, to mount a small file system)").unwrap();
}

#[test]
fn a_full_disk_stops_starts_and_nothing_else_and_leaves_no_trace() {
    let heddle = Heddle::on_file().unprivileged();
    let Some(disk) = Disk::mount(&heddle.data(), 24, &heddle) else { return skipped(1) };
    let server = Server::start(&heddle);
    let mut bed = Bed::new(server.client(&heddle));
    assert!(bed.start("before"));
    let waits = bed.client.start(&bed.wait, &json!({}));
    let filler = disk.fill();
    bed.start_until_refused();
    bed.readiness(503, "full");
    assert_eq!(bed.client.get("/healthz").status, 200);
    bed.check();
    // The run that waits cannot record its end now; it is not lost for that.
    assert_ne!(bed.client.results(&bed.wait, &waits)["status"], "FAILED");

    std::fs::remove_file(filler).unwrap();
    bed.readiness(200, "ok");
    bed.start_until_accepted();
    assert_eq!(bed.client.results_at_end(&bed.wait, &waits)["status"], "COMPLETED");
    bed.check();
    // And all of it is on the disk.
    server.kill();
    let server = Server::start(&heddle);
    bed.client = server.client(&heddle);
    bed.check();
}

#[test]
fn a_backup_that_does_not_fit_leaves_nothing_and_says_why() {
    let heddle = Heddle::on_file().unprivileged();
    let small = heddle.beside("small");
    let Some(disk) = Disk::mount(&small, 1, &heddle) else { return skipped(1) };
    let server = Server::start(&heddle);
    let mut bed = Bed::new(server.client(&heddle));
    while std::fs::metadata(heddle.data().join("heddle.db-wal")).unwrap().len() < 2 << 20 {
        assert!(bed.start(&noise(bed.acknowledged.len(), 2000)));
    }
    let dest = disk.0.join("backup");
    let refused = heddle.run(&["backup", dest.to_str().unwrap()]);
    assert!(refused.stderr.contains("full") || refused.stderr.contains("No space left"), "{refused:?}");
    refused.refused("heddle: ");
    assert_eq!(std::fs::read_dir(&small).unwrap().count(), 0, "nothing is left");
    assert!(bed.start("after"));
    bed.readiness(200, "ok");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named_and_serves_again_when_it_can() {
    let heddle = Heddle::on_file().unprivileged();
    let server = Server::start(&heddle);
    let mut bed = Bed::new(server.client(&heddle));
    assert!(bed.start("before"));
    let (status, ..) = server.stop();
    assert!(status.success());
    let set = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let (data, database) = (heddle.data(), heddle.data().join("heddle.db"));

    let serve = ["serve", "--listen", "127.0.0.1:0"];
    assert!(!Path::new(&data).join("heddle.db-wal").exists(), "a server that stops leaves no log");
    set(&data, 0o500);
    heddle.run(&serve).refused(data.to_str().unwrap());
    set(&data, 0o700);
    set(&database, 0o400);
    heddle.run(&serve).refused("readonly");
    set(&database, 0o600);
    set(&data, 0o000);
    heddle.run(&serve).refused("ermission denied");
    set(&data, 0o700);

    let server = Server::start(&heddle);
    bed.client = server.client(&heddle);
    bed.check();
    assert!(bed.start("after"));
}

#[test]
fn a_backup_where_nobody_may_write_says_so() {
    let heddle = Heddle::on_file().unprivileged();
    let _server = Server::start(&heddle);
    let closed = heddle.beside("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, Permissions::from_mode(0o500)).unwrap();
    heddle.run(&["backup", closed.join("backup").to_str().unwrap()]).refused("ermission denied");
}

#[test]
fn a_database_that_another_process_has_locked_is_waited_for_and_then_used_again() {
    let heddle = Heddle::on_file().unprivileged();
    let server = Server::start(&heddle);
    let mut bed = Bed::new(server.client(&heddle));
    assert!(bed.start("before"));
    let waits = bed.client.start(&bed.wait, &json!({}));

    let other = Connection::open(heddle.data().join("heddle.db")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    bed.start_until_refused();
    bed.readiness(503, "locked");
    // Now that it is known, nobody waits long for the same answer.
    let begun = Instant::now();
    assert!(!bed.start("refused at once"));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    bed.check();
    assert_ne!(bed.client.results(&bed.wait, &waits)["status"], "FAILED");

    other.execute_batch("ROLLBACK").unwrap();
    bed.readiness(200, "ok");
    bed.start_until_accepted();
    assert_eq!(bed.client.results_at_end(&bed.wait, &waits)["status"], "COMPLETED");
    bed.check();
}

#[test]
fn a_log_that_somebody_holds_on_to_shrinks_as_soon_as_it_is_let_go() {
    let heddle = Heddle::on_file().unprivileged();
    let server = Server::start(&heddle);
    let mut bed = Bed::new(server.client(&heddle));
    let other = Connection::open(heddle.data().join("heddle.db")).unwrap();
    other.execute_batch("BEGIN").unwrap();
    other.query_row("SELECT count(*) FROM run", [], |row| row.get::<_, i64>(0)).unwrap();
    let log = || std::fs::metadata(heddle.data().join("heddle.db-wal")).unwrap().len();
    let give_up = Instant::now() + PATIENCE;
    while log() < 80 << 20 {
        assert!(bed.start(&noise(bed.acknowledged.len(), 40_000)) && Instant::now() < give_up, "{} bytes", log());
    }
    drop(other);
    while log() > 64 << 20 {
        assert!(bed.start("a little") && Instant::now() < give_up, "{} bytes", log());
    }
    bed.readiness(200, "ok");
}
