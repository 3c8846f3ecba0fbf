//! What only a server can do: go away, come back, be used by several at once.

use crate::bed::{Bed, later, opening, output, person, run_id};
use heddle_cluster::Cluster;
use heddle_engine::journal::JournalError;
use heddle_engine::ports::Journal;
use heddle_store::{Error, Store};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Waits for the server without sleeping: every attempt goes out and comes back.
async fn until_it_works(store: &Store) {
    let start = Instant::now();
    while let Err(error) = store.check().await {
        assert!(matches!(error, Error::Disk(_)), "{error}");
        assert!(start.elapsed() < Duration::from_secs(60), "{error}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_many_writers_were_told_is_durable_survives_a_crash_of_the_server() {
    let Some(cluster) = Cluster::start("", &[]) else { return };
    let store = Store::connect(&cluster.url("postgres")).unwrap();
    let (runs, frames, ada) = (40u32, 6u64, person(1));
    let writers: Vec<_> = (0..runs)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = run_id(number);
                store.append(vec![opening(ada, run)]).durable().await.unwrap();
                let frames = (0..frames).map(|frame| later(ada, run, 1 + frame, vec![output(json!([number, frame]))]));
                let mut tickets: Vec<_> = frames.map(|frame| store.append(vec![frame])).collect();
                store.put_value(ada.id, &format!("value {number}"), &json!(number)).await.unwrap();
                for ticket in &mut tickets {
                    ticket.durable().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    cluster.stop("immediate");
    let lost = store.append(vec![opening(ada, run_id(1000))]).durable().await;
    assert!(matches!(lost, Err(JournalError::Disk(_))), "{lost:?}");
    assert!(matches!(store.accounts().await, Err(Error::Disk(_))));
    cluster.begin();

    until_it_works(&store).await;
    store.integrity().await.unwrap();
    assert_eq!(store.count_unfinished().await.unwrap(), u64::from(runs));
    for number in 0..runs {
        let entries = store.read(run_id(number), 1).await.unwrap();
        let expected: Vec<_> = (0..frames).map(|frame| output(json!([number, frame]))).collect();
        assert_eq!(entries, expected, "run {number}");
        assert_eq!(store.get_value(ada.id, &format!("value {number}")).await.unwrap(), Some(json!(number)));
    }
}

#[tokio::test]
async fn a_server_that_goes_away_fails_what_is_under_way_and_nothing_after() {
    let Some(cluster) = Cluster::start("", &[]) else { return };
    let (store, ada) = (Store::connect(&cluster.url("postgres")).unwrap(), person(1));
    let mut blocker = cluster.client("postgres").spawn().unwrap();
    blocker.stdin.as_mut().unwrap().write_all(b"BEGIN; LOCK TABLE run; SELECT 'locked';\n").unwrap();
    let mut said = String::new();
    BufReader::new(blocker.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "locked\n");

    let mut stuck: Vec<_> = (0..5).map(|number| store.append(vec![opening(ada, run_id(number))])).collect();
    while cluster.sql("postgres", "SELECT count(*) FROM pg_locks WHERE NOT granted") == "0" {}
    cluster.stop("immediate");
    for ticket in &mut stuck {
        let outcome = ticket.durable().await;
        assert!(matches!(outcome, Err(JournalError::Disk(_))), "{outcome:?}");
    }
    blocker.wait().unwrap();
    cluster.begin();
    until_it_works(&store).await;
    for number in 0..5 {
        store.append(vec![opening(ada, run_id(number))]).durable().await.unwrap();
    }
    assert_eq!(store.count_unfinished().await.unwrap(), 5);
}

#[tokio::test]
async fn connections_that_were_cut_are_made_anew() {
    let Some(cluster) = Cluster::start("", &[]) else { return };
    let (store, ada) = (Store::connect(&cluster.url("postgres")).unwrap(), person(1));
    for round in 0..3 {
        store.put_value(ada.id, "k", &json!(round)).await.unwrap();
        assert_eq!(store.get_value(ada.id, "k").await.unwrap(), Some(json!(round)));
        let ours = "FROM pg_stat_activity WHERE application_name LIKE 'heddle%'";
        cluster.sql("postgres", &format!("SELECT pg_terminate_backend(pid) {ours}"));
        while cluster.sql("postgres", &format!("SELECT count(*) {ours}")) != "0" {}
    }
    // The server has said goodbye to each, so nothing was under way that could have been lost.
    store.put_value(ada.id, "k", &json!("last")).await.unwrap();
    assert_eq!(store.get_value(ada.id, "k").await.unwrap(), Some(json!("last")));
}

#[test]
fn of_many_that_open_a_database_at_once_one_gets_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    let opened: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| Store::connect(&url))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (stores, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!((stores.len(), refused.len()), (1, 5));
    for refusal in refused {
        let text = refusal.unwrap_err().to_string();
        let own = format!("in use by heddle (pid {}), session ", std::process::id());
        assert!(text.contains(&own) && !text.contains('\n'), "{text}");
    }
    assert!(Store::migrations_at(&url).unwrap().iter().all(|migration| migration.applied), "looking needs no lock");
}

#[test]
fn migrations_are_told_without_changing_anything() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    let told = Store::migrations_at(&url).unwrap();
    assert_eq!((told[0].number, told[0].name), (1, "0001_account"));
    assert!(told.iter().all(|migration| !migration.applied));
    assert_eq!(cluster.sql(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

#[test]
fn a_database_that_is_not_ours_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    let (newer, foreign) = (cluster.database(), cluster.database());
    drop(Store::connect(&newer).unwrap());
    cluster.sql(&newer, "INSERT INTO migration VALUES (99, '0099_later', 0)");
    assert!(matches!(Store::connect(&newer), Err(Error::Newer { found: 99, .. })));
    assert!(matches!(Store::migrations_at(&newer), Err(Error::Newer { .. })));

    cluster.sql(&foreign, "CREATE TABLE recipe (id bigint)");
    assert!(matches!(Store::connect(&foreign), Err(Error::Corrupt(_))));

    cluster.sql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    let latin = Store::connect(&cluster.url("latin"));
    assert!(matches!(&latin, Err(Error::Address(text)) if text.contains("LATIN1")), "{latin:?}");
    let missing = Store::connect(&cluster.url("missing"));
    assert!(matches!(&missing, Err(Error::Disk(text)) if text.contains("does not exist")), "{missing:?}");
}

#[tokio::test]
async fn a_commit_waits_for_the_disk_whatever_the_server_was_told() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.database();
    let name = cluster.sql(&url, "SELECT current_database()");
    cluster.sql(&url, &format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    let store = Store::connect(&url).unwrap();
    cluster.sql(
        &url,
        "CREATE TABLE seen (setting text);
        CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
        CREATE TRIGGER look AFTER INSERT OR UPDATE ON probe FOR EACH ROW EXECUTE FUNCTION look()",
    );
    store.check().await.unwrap();
    assert_eq!(cluster.sql(&url, "SELECT * FROM seen"), "on");
}

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    let Some(bed) = Bed::postgres() else { return };
    let crate::bed::Place::Postgres(url) = &bed.place else { unreachable!("it was asked for") };
    let cluster = Cluster::shared().unwrap();
    cluster.sql(
        url,
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER fill BEFORE INSERT ON frame FOR EACH ROW EXECUTE FUNCTION fill()",
    );
    let ada = person(1);
    let mut tickets: Vec<_> = (0..3).map(|number| bed.store.append(vec![opening(ada, run_id(number))])).collect();
    for ticket in &mut tickets {
        let outcome = ticket.durable().await;
        assert!(matches!(&outcome, Err(JournalError::Disk(text)) if text.contains("no space")), "{outcome:?}");
    }
    cluster.sql(url, "DROP TRIGGER fill ON frame");
    bed.append(vec![opening(ada, run_id(0))]).await.unwrap();
    assert_eq!(bed.store.count_unfinished().await.unwrap(), 1);
}

#[tokio::test]
async fn over_a_network_the_servers_certificate_is_checked() {
    let issuer = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = [("server.crt", issuer.cert.pem()), ("server.key", issuer.signing_key.serialize_pem())];
    // Another process may take the port between the two; then the server does not start, and says so.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\nssl_cert_file = '../server.crt'\n\
         ssl_key_file = '../server.key'"
    );
    let Some(cluster) = Cluster::start(&settings, &files) else { return };
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, issuer.cert.pem()).unwrap();
    let trusted = format!("sslmode=verify-full&sslrootcert={}", roots.display());
    let url = |host: &str, how: &str| format!("postgres://heddle@{host}:{port}/postgres?{how}");

    let store = Store::connect(&url("localhost", &trusted)).unwrap();
    store.check().await.unwrap();
    let unencrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name LIKE 'heddle%' AND NOT ssl";
    let admin = format!("postgres:///postgres?user=heddle&port={port}&host={}", cluster.path("").display());
    assert_eq!(cluster.sql(&admin, unencrypted), "0");

    for (host, how) in [("localhost", "sslmode=require"), ("127.0.0.1", trusted.as_str())] {
        let refused = Store::connect(&url(host, how));
        assert!(matches!(&refused, Err(Error::Disk(text)) if text.contains("certificate")), "{host}: {refused:?}");
    }
    // A server that does not speak TLS is not spoken to without it.
    let plain = Cluster::shared().unwrap().url("postgres");
    let refused = Store::connect(&format!("{plain}&sslmode=require"));
    assert!(matches!(&refused, Err(Error::Disk(text)) if text.contains("TLS")), "{refused:?}");
}
