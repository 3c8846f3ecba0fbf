//! How many runs a second the journal takes, each one frame that opens and ends a run of ten nodes.
//!
//! `cargo run --profile dist -p heddle-store --example commit_rate [FOLDER [postgres://…]]`. The figures mean nothing
//! without the disk's own: the time of one 4 KiB write with fdatasync in the folder is printed with each, so with
//! PostgreSQL name a folder on the disk of its data.

use heddle_engine::journal::{Accepted, Counts, Entry, Event, Frame, Opening, Outcome, Row};
use heddle_engine::ports::Journal;
use heddle_model::{GraphId, Object, OrgId, RunId, Status, Time, UserId};
use heddle_store::Store;
use serde_json::json;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

const LASTS: Duration = Duration::from_secs(3);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let server = std::env::args().nth(2);
    let folder = tempfile::tempdir_in(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    println!("appenders  frames/s   p50 µs   p99 µs   disk p50 µs");
    for appenders in [1, 16, 64] {
        let disk = disk(folder.path())?;
        let store = match &server {
            Some(url) => Store::connect(url)?,
            None => Store::open(&folder.path().join(format!("{appenders}.db")))?,
        };
        let (rate, waits) = runtime.block_on(measure(&store, appenders))?;
        let at = |share: usize| waits[(waits.len() * share / 100).min(waits.len() - 1)].as_micros();
        println!("{appenders:9}  {rate:8.0}  {:7}  {:7}  {:12}", at(50), at(99), disk.as_micros());
    }
    Ok(())
}

/// The disk's median time for what every commit does at least once.
fn disk(folder: &Path) -> io::Result<Duration> {
    let mut file = File::create(folder.join("sync"))?;
    let mut times = Vec::new();
    for round in 0..400u64 {
        file.seek(SeekFrom::Start(round % 64 * 4096))?;
        let start = Instant::now();
        file.write_all(&[round as u8; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// Frames a second, and how long each waited.
async fn measure(store: &Store, appenders: usize) -> Result<(f64, Vec<Duration>), Failure> {
    let counter = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..appenders)
        .map(|_| {
            let (store, counter) = (store.clone(), Arc::clone(&counter));
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < LASTS {
                    let frame = frame(counter.fetch_add(1, Ordering::Relaxed));
                    let asked = Instant::now();
                    store.append(vec![frame]).durable().await?;
                    waits.push(asked.elapsed());
                }
                Ok::<_, heddle_engine::journal::JournalError>(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let rate = waits.len() as f64 / start.elapsed().as_secs_f64();
    waits.sort();
    Ok((rate, waits))
}

/// The whole life of the `number`-th run.
fn frame(number: u64) -> Frame {
    let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64);
    let at = Time(micros);
    let mut random = [0; 16];
    random[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    let (run, graph) = (RunId::at(at, random), GraphId::from_random([3; 16]));
    let (owner, organization) = (UserId::from_random([1; 16]), OrgId::from_random([2; 16]));
    let inputs = [("text".to_owned(), json!(format!("hello {number}")))].into_iter().collect();
    let accepted = Accepted { inputs, ..Accepted::new(run, owner, organization, graph, 1) };
    let mut events = vec![Event::Accepted(Box::new(accepted))];
    for exec in 0..10 {
        let text = json!(format!("step {exec} of hello {number}"));
        let input = [("format".to_owned(), json!("step {{ n }} of {{ text }}")), ("value".to_owned(), text.clone())];
        events.push(Event::Started { exec, node: exec, input: input.into_iter().collect::<Object>().into(), cost: 0 });
        events.push(Event::Output { exec, position: 0, pin: "output".to_owned(), value: text });
        events.push(Event::Ended { exec, outcome: Outcome::Completed, child: None, outputs: None });
    }
    let counts = Counts { nodes: 10, errors: 0, cost: 0 };
    events.push(Event::RunEnded { status: Status::Completed, error: None, counts });
    Frame {
        run,
        first: 0,
        entries: events.into_iter().map(|what| Entry { at, what }).collect(),
        row: Row {
            status: Status::Completed,
            started_at: Some(at),
            ended_at: Some(at),
            error: None,
            counts,
            news: 0,
            parked: None,
        },
        opening: Some(Opening { organization, graph, version: 1, created_at: at, parent: None, idempotency: None }),
        writes: Vec::new(),
        reviews: Vec::new(),
        callback_url: None,
        charge: None,
        owner,
    }
}
