//! One process owns a database on a server, whatever happens to its connections.

use crate::bed::{later, opening, output, person, run_id};
use heddle_cluster::Cluster;
use heddle_engine::journal::JournalError;
use heddle_engine::ports::Journal;
use heddle_store::{Error, Store};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The question for the session that may write to a database.
const OWNER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1214604388 AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Asks again and again, for a minute.
fn until(mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < give_up, "it never comes to that");
    }
}

/// The session that may write, as a system process: a test may pause it.
fn owner(cluster: &Cluster, url: &str) -> String {
    cluster.sql(url, OWNER)
}

fn signal(how: &str, process: &str) {
    assert!(Command::new("kill").args([how, process]).status().unwrap().success());
}

/// Keeps everybody else from a table, as a long transaction of somebody else's would.
fn blocked(cluster: &Cluster, url: &str, table: &str) -> Child {
    let mut blocker = cluster.client(url).spawn().unwrap();
    let sql = format!("BEGIN; LOCK TABLE {table} IN SHARE MODE; SELECT 'locked';\n");
    blocker.stdin.as_mut().unwrap().write_all(sql.as_bytes()).unwrap();
    let mut said = String::new();
    BufReader::new(blocker.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "locked\n");
    blocker
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_has_gone() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    let first = Store::connect(&url).unwrap();
    let refused = Store::connect(&url);
    assert!(matches!(&refused, Err(Error::InUse(who)) if who.starts_with("heddle (pid ")), "{refused:?}");
    first.check().await.unwrap();
    first.close().await;
    Store::connect(&url).unwrap().check().await.unwrap();
}

#[tokio::test]
async fn schemas_of_one_database_are_databases_of_their_own() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    cluster.sql(&url, "CREATE SCHEMA other");
    let first = Store::connect(&url).unwrap();
    let other = Store::connect(&format!("{url}&options=-c%20search_path%3Dother")).unwrap();
    first.check().await.unwrap();
    other.check().await.unwrap();
    let nowhere = Store::connect(&format!("{url}&options=-c%20search_path%3Dnowhere"));
    assert!(matches!(&nowhere, Err(Error::Address(text)) if text.contains("no schema")), "{nowhere:?}");
}

#[tokio::test]
async fn a_session_that_was_ended_gets_the_lock_again() {
    let Some(cluster) = Cluster::shared() else { return };
    let (url, ada) = (cluster.database(), person(1));
    let store = Store::connect(&url).unwrap();
    for round in 0..3 {
        let before = owner(cluster, &url);
        cluster.sql(&url, &format!("SELECT pg_terminate_backend({before})"));
        store.append(vec![opening(ada, run_id(round))]).durable().await.unwrap();
        assert_ne!(owner(cluster, &url), before);
        assert!(matches!(Store::connect(&url), Err(Error::InUse(_))), "it has it again");
    }
    assert_eq!(store.count_unfinished().await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_whose_session_is_ended_under_way_are_kept_once() {
    let Some(cluster) = Cluster::shared() else { return };
    let (url, ada) = (cluster.database(), person(1));
    let store = Store::connect(&url).unwrap();
    let runs = 8u32;
    let frames = 30u64;
    let writers: Vec<_> = (0..runs)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = run_id(number);
                store.append(vec![opening(ada, run)]).durable().await.unwrap();
                for frame in 1..=frames {
                    let frame = later(ada, run, frame, vec![output(json!([number, frame]))]);
                    store.append(vec![frame]).durable().await.unwrap();
                }
            })
        })
        .collect();
    let end = format!("WITH owner AS MATERIALIZED ({OWNER}) SELECT count(pg_terminate_backend(pid)) FROM owner");
    // Each cut comes after something was kept since the one before.
    let kept = || cluster.sql(&url, "SELECT count(*) FROM frame").parse::<u32>().unwrap();
    let (mut cuts, mut before) = (0, 0);
    while writers.iter().any(|writer| !writer.is_finished()) {
        let now = kept();
        if now > before {
            cuts += cluster.sql(&url, &end).parse::<u32>().unwrap();
            before = now;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(cuts > 0);
    for number in 0..runs {
        let entries = store.read(run_id(number), 1).await.unwrap();
        let expected: Vec<_> = (1..=frames).map(|frame| output(json!([number, frame]))).collect();
        assert_eq!(entries, expected, "run {number}, {cuts} cuts");
    }
}

#[tokio::test]
async fn nobody_writes_while_a_paused_session_has_the_lock() {
    let Some(cluster) = Cluster::shared() else { return };
    let (url, ada) = (cluster.database(), person(1));
    let store = Store::connect(&format!("{url}&tcp_user_timeout=1")).unwrap();
    store.append(vec![opening(ada, run_id(0))]).durable().await.unwrap();
    let paused = owner(cluster, &url);
    signal("-STOP", &paused);
    let unanswered = store.append(vec![later(ada, run_id(0), 1, vec![output(json!(1))])]).durable().await;
    assert!(matches!(&unanswered, Err(JournalError::Disk(text)) if text.contains("not answered")), "{unanswered:?}");
    let refused = store.put_value(ada.id, "k", &json!(1)).await;
    assert!(matches!(&refused, Err(Error::InUse(who)) if who.contains(&format!("session {paused}"))), "{refused:?}");
    assert!(matches!(Store::connect(&url), Err(Error::InUse(_))), "nor does a second process");
    assert_eq!(store.count_unfinished().await.unwrap(), 1, "reading goes on");
    signal("-CONT", &paused);
    let give_up = Instant::now() + Duration::from_secs(60);
    while let Err(error) = store.put_value(ada.id, "k", &json!(2)).await {
        assert!(Instant::now() < give_up, "{error}");
        tokio::task::yield_now().await;
    }
    assert_ne!(owner(cluster, &url), paused);
    // The frame nobody answered for was ended with its session, or kept: both, and nothing between.
    let entries = store.read(run_id(0), 1).await.unwrap();
    assert!(entries.is_empty() || entries == [output(json!(1))], "{entries:?}");
}

#[tokio::test]
async fn a_process_that_was_overtaken_writes_nothing_more() {
    let Some(cluster) = Cluster::shared() else { return };
    let (url, ada) = (cluster.database(), person(1));
    let first = Store::connect(&format!("{url}&tcp_user_timeout=1")).unwrap();
    first.append(vec![opening(ada, run_id(0))]).durable().await.unwrap();
    // Its session ends, and before it notices another process has come and gone.
    let session = owner(cluster, &url);
    cluster.sql(&url, &format!("SELECT pg_terminate_backend({session})"));
    until(|| owner(cluster, &url).is_empty());
    let second = Store::connect(&url).unwrap();
    let refused = first.put_value(ada.id, "k", &json!("first")).await;
    assert!(matches!(&refused, Err(Error::InUse(_))), "{refused:?}");
    second.put_value(ada.id, "k", &json!("second")).await.unwrap();
    second.close().await;
    until(|| owner(cluster, &url).is_empty());
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        match first.append(vec![later(ada, run_id(0), 1, vec![output(json!(1))])]).durable().await {
            Err(JournalError::Disk(text)) if text.contains("started again") => break,
            Err(JournalError::Disk(_)) if Instant::now() < give_up => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(first.get_value(ada.id, "k").await.unwrap(), Some(json!("second")), "reading goes on");
    assert!(!first.unfinished().await.unwrap().0.is_empty());
    until(|| owner(cluster, &url).is_empty());
    Store::connect(&url)
        .unwrap()
        .append(vec![later(ada, run_id(0), 1, vec![output(json!(1))])])
        .durable()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_lost_session_had_not_committed_is_written_once_more() {
    let Some(cluster) = Cluster::shared() else { return };
    let (url, ada) = (cluster.database(), person(1));
    let store = Store::connect(&url).unwrap();
    let mut blocker = blocked(cluster, &url, "frame");
    let mut stuck: Vec<_> = (0..5).map(|number| store.append(vec![opening(ada, run_id(number))])).collect();
    until(|| cluster.sql(&url, "SELECT count(*) FROM pg_locks WHERE NOT granted") != "0");
    let session = owner(cluster, &url);
    cluster.sql(&url, &format!("SELECT pg_terminate_backend({session})"));
    drop(blocker.stdin.take());
    blocker.wait().unwrap();
    for ticket in &mut stuck {
        ticket.durable().await.unwrap();
    }
    assert_eq!(store.count_unfinished().await.unwrap(), 5);
}

/// Stands between a store and the server, and can keep the server's answers to itself.
struct Between {
    port: u16,
    is_mute: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Between {
    fn new(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_mute, streams) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (muted, kept, socket) = (Arc::clone(&is_mute), Arc::clone(&streams), cluster.path(".s.PGSQL.5432"));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&socket).unwrap();
                kept.lock().unwrap().push(client.try_clone().unwrap());
                let (to, from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut &from, &mut &to));
                let muted = Arc::clone(&muted);
                std::thread::spawn(move || {
                    let mut bytes = [0; 4096];
                    while let Ok(count @ 1..) = (&server).read(&mut bytes) {
                        if !muted.load(Ordering::SeqCst) && (&client).write_all(&bytes[..count]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { port, is_mute, streams }
    }

    /// Cuts all connections, and lets new ones speak.
    fn cut(&self) {
        self.is_mute.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_committed_before_the_answer_was_lost_is_told_as_kept() {
    let Some(cluster) = Cluster::shared() else { return };
    let (url, ada) = (cluster.database(), person(1));
    let name = cluster.sql(&url, "SELECT current_database()");
    let between = Between::new(cluster);
    let address = format!("postgres://heddle@127.0.0.1:{}/{name}", between.port);
    let store = Store::connect(&address).unwrap();
    // Prepares the statement, for which there will be no answer later.
    store.append(vec![opening(ada, run_id(0))]).durable().await.unwrap();

    between.is_mute.store(true, Ordering::SeqCst);
    let mut kept = store.append(vec![opening(ada, run_id(1))]);
    until(|| cluster.sql(&url, "SELECT count(*) FROM run") == "2");
    between.cut();
    kept.durable().await.unwrap();
    assert_eq!(store.count_unfinished().await.unwrap(), 2);
    assert_eq!(store.read(run_id(1), 0).await.unwrap().len(), 1);
}
