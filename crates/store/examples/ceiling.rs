//! What SQLite itself commits of the bytes that a run leaves: the most that any engine on it could reach.
//!
//!     ceiling DATABASE FOLDER PRODUCERS SECONDS
//!
//! Takes the tables and the newest run from a database that `heddle serve` has written, makes an empty one of the same
//! shape in the folder, and commits copies of that run under new ids: as many producers as asked for, each of which waits
//! until its copy is on disk before it hands in the next; one writer that commits whatever is queued together. Settings,
//! the order of ids and the moments at which the log is emptied are the store's. Nothing is computed, packed or served.
//! Prints one line of JSON and leaves its files in the folder.

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// As in `sqlite/log.rs`: pages in the log after which they are moved into the database, and how often then.
const STEP: i32 = 4000;

/// As in `writer.rs`.
const BATCH: usize = 512;

/// A run that wants to be on disk.
struct Job {
    id: [u8; 16],
    at: i64,
    done: SyncSender<()>,
}

/// A row to be copied: where the run's id goes, and the times.
struct Copy {
    insert: String,
    cells: Vec<Value>,
    ids: Vec<usize>,
    times: Vec<usize>,
}

/// What was measured.
struct Counted {
    commits: u64,
    frames: u64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [database, folder, producers, seconds] = &words[..] else {
        eprintln!("usage: ceiling DATABASE FOLDER PRODUCERS SECONDS");
        return ExitCode::from(2);
    };
    let outcome = match (producers.parse(), seconds.parse()) {
        (Ok(producers), Ok(seconds)) => measure(Path::new(database), Path::new(folder), producers, seconds),
        _ => Err("producers and seconds are whole numbers".into()),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(database: &Path, folder: &Path, producers: usize, seconds: u64) -> Outcome<String> {
    let like = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let schema = shape(&like)?;
    let run = newest(&like, "run", "id")?;
    let frame = newest(&like, "frame", "run")?;
    let bytes = run.cells.iter().chain(&frame.cells).map(size).sum::<usize>();
    drop(like);
    let (mut db, pages) = make(&folder.join("ceiling.db"), &schema)?;

    let (queue, jobs) = channel();
    let ends = Arc::new(AtomicBool::new(false));
    let begun = (Instant::now(), cpu()?);
    let each: Vec<_> = (0..producers.max(1))
        .map(|number| {
            let (queue, ends) = (queue.clone(), Arc::clone(&ends));
            std::thread::spawn(move || produce(number, &queue, &ends))
        })
        .collect();
    drop(queue);
    let clock = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds));
        ends.store(true, Ordering::Relaxed);
    });
    let counted = write(&mut db, &pages, &jobs, &[run, frame])?;
    let (elapsed, used) = (begun.0.elapsed().as_secs_f64(), cpu()? - begun.1);
    clock.join().map_err(|_| "the clock panicked")?;
    let mut taken = Vec::new();
    for producer in each {
        taken.extend(producer.join().map_err(|_| "a producer panicked")?);
    }
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize];
    let Counted { commits, frames } = counted;
    Ok(format!(
        "{{\"producers\":{producers},\"frames\":{frames},\"frames_a_second\":{:.1},\"commits_a_second\":{:.1},\
         \"p50_us\":{},\"p99_us\":{},\"cpu_us_a_frame\":{:.1},\"bytes_a_frame\":{bytes}}}",
        frames as f64 / elapsed,
        commits as f64 / elapsed,
        at(0.5),
        at(0.99),
        used / frames as f64 * 1e6,
    ))
}

/// The texts that make the tables of a run, the size of a page first.
fn shape(like: &Connection) -> Outcome<String> {
    let page: i64 = like.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let mut texts = like.prepare(
        "SELECT sql FROM sqlite_schema WHERE tbl_name IN ('run', 'frame') AND sql IS NOT NULL ORDER BY type = 'index'",
    )?;
    let texts = texts.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(format!("PRAGMA page_size = {page};\n{};", texts.join(";\n")))
}

/// The row of the newest run in a table whose column `key` holds its id.
fn newest(like: &Connection, table: &str, key: &str) -> Outcome<Copy> {
    let mut rows = like.prepare(&format!("SELECT * FROM {table} ORDER BY {key} DESC LIMIT 1"))?;
    let columns: Vec<String> = rows.column_names().map(str::to_owned).collect();
    let cells = rows.query_row([], |row| (0..columns.len()).map(|column| row.get(column)).collect())?;
    let places = |wanted: &dyn Fn(&str) -> bool| {
        let found = columns.iter().enumerate().filter(|(_, name)| wanted(name));
        found.map(|(place, _)| place).collect()
    };
    let marks = vec!["?"; columns.len()].join(", ");
    Ok(Copy {
        insert: format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", ")),
        ids: places(&|name| name == key),
        times: places(&|name| matches!(name, "created_at" | "started_at" | "ended_at")),
        cells,
    })
}

fn size(cell: &Value) -> usize {
    match cell {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
    }
}

/// An empty database with the settings of `sqlite/connection.rs`, and the pages in its log.
fn make(path: &Path, schema: &str) -> Outcome<(Connection, Arc<AtomicI32>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -16_384)?;
    let (first, rest) = schema.split_once('\n').ok_or("no tables")?;
    db.execute_batch(first)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    db.execute_batch(rest)?;
    let pages = Arc::new(AtomicI32::new(0));
    let seen = Arc::clone(&pages);
    db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: i32| {
        seen.store(count, Ordering::Relaxed);
        Ok(())
    }))?;
    Ok((db, pages))
}

/// Hands in one run after the other; how long each took, in microseconds.
fn produce(number: usize, queue: &Sender<Job>, ends: &AtomicBool) -> Vec<u32> {
    let (done, answer) = sync_channel(1);
    let mut taken = Vec::new();
    // Spreads ids of one millisecond as random bits would.
    let mut noise = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    while !ends.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let at = now();
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(at / 1000).to_be_bytes()[2..]);
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        id[6..14].copy_from_slice(&noise.to_be_bytes());
        id[14..].copy_from_slice(&(number as u16).to_be_bytes());
        if queue.send(Job { id, at, done: done.clone() }).is_err() || answer.recv().is_err() {
            break;
        }
        taken.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    taken
}

/// Commits whatever is queued, never waiting for more, until nobody hands in anything any more.
fn write(db: &mut Connection, pages: &AtomicI32, jobs: &Receiver<Job>, copies: &[Copy]) -> Outcome<Counted> {
    let mut counted = Counted { commits: 0, frames: 0 };
    let mut batch = Vec::with_capacity(BATCH);
    let mut next = STEP;
    let mut before = 0;
    while let Ok(first) = jobs.recv() {
        batch.push(first);
        batch.extend(jobs.try_iter().take(BATCH - 1));
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for job in &batch {
            copies.iter().try_for_each(|copy| put(db, copy, job))?;
        }
        db.prepare_cached("COMMIT")?.execute([])?;
        counted.commits += 1;
        counted.frames += batch.len() as u64;
        for job in batch.drain(..) {
            // A producer that has gone waits for nothing.
            let _ = job.done.send(());
        }
        let length = pages.load(Ordering::Relaxed);
        if length < before {
            next = STEP;
        }
        before = length;
        if length >= next {
            db.wal_checkpoint_v2(Some("main"), rusqlite::wal::CheckpointMode::PASSIVE)?;
            next = length + STEP / 4;
        }
    }
    Ok(counted)
}

fn put(db: &Connection, copy: &Copy, job: &Job) -> Outcome<()> {
    let id = Value::Blob(job.id.to_vec());
    let at = Value::Integer(job.at);
    let cells = copy.cells.iter().enumerate().map(|(place, cell)| match cell {
        _ if copy.ids.contains(&place) => &id,
        Value::Integer(_) if copy.times.contains(&place) => &at,
        cell => cell,
    });
    db.prepare_cached(&copy.insert)?.execute(params_from_iter(cells))?;
    Ok(())
}

/// Microseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Seconds of processor time so far, as Linux tells: in hundredths.
fn cpu() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let [user, system] = [fields.get(11), fields.get(12)].map(|field| field.and_then(|text| text.parse::<f64>().ok()));
    Ok((user.ok_or("no user time")? + system.ok_or("no system time")?) / 100.0)
}
