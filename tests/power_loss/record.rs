//! The record of a server's life: what it wrote, and what it had acknowledged by then.

use super::disk::{Dice, Record};
use crate::support::{Client, Heddle, Process, execute, json_of, root};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Something that was acknowledged.
#[derive(Clone, Debug)]
pub enum Promise {
    /// The printed key and what was printed with it.
    Key(String),
    /// A graph was saved.
    Graph(Value),
    /// A run was accepted: its id, the text it was given, and whether its end was told too.
    Run(String, String, bool),
}

/// All that was written, and the promises with the number of records that were there before each.
pub struct History {
    pub root: String,
    pub inode: u64,
    pub records: Vec<Record>,
    pub promises: Vec<(usize, Promise)>,
}

/// The library to be preloaded; `None` without a compiler.
pub fn recorder(at: &Path) -> Option<PathBuf> {
    let library = at.join("recorder.so");
    let mut command = Command::new("cc");
    command.args(["-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&library);
    let output = command.arg(root().join("tests/power_loss/recorder.c")).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(library)
}

/// Bytes of a large text: enough of them to have the database's log come round to its beginning.
const LARGE: usize = 100_000;

/// How often more is started when the log has not come round yet.
const MORE: u64 = 10;

/// A recorder that is running.
struct Tape<'a> {
    heddle: &'a Heddle,
    library: &'a Path,
    promises: Mutex<Vec<(u64, Promise)>>,
}

/// Random text that hardly packs: so that the log comes round to being written from its beginning again.
fn filler(dice: &mut Dice, bytes: usize) -> String {
    (0..bytes).map(|_| char::from(b'a' + dice.below(26) as u8)).collect()
}

impl Tape<'_> {
    fn log(&self) -> PathBuf {
        self.heddle.beside("record")
    }

    fn server(&self) -> Process {
        let started = Process::start(self.heddle, |command| {
            command.env("LD_PRELOAD", self.library).env("HEDDLE_RECORD_LOG", self.log());
            // Not its parent, in which the record grows too.
            command.env("HEDDLE_RECORD_ROOT", self.heddle.data().parent().unwrap());
        });
        started.unwrap_or_else(|dead| panic!("{dead}"))
    }

    /// What was written before this is in the record: the server writes down first and answers later.
    fn promise(&self, promise: Promise) {
        let written = std::fs::metadata(self.log()).unwrap().len();
        self.promises.lock().unwrap().push((written, promise));
    }

    /// Four at once; every fourth start is not waited for.
    fn load(&self, client: &Client, graph: &Value, starts: u64, seed: u64) {
        std::thread::scope(|scope| {
            for worker in 0..4 {
                scope.spawn(move || {
                    let mut dice = Dice(seed + worker);
                    for number in 0..starts / 4 {
                        let waits = dice.below(4) > 0;
                        let size = if dice.below(12) == 0 { LARGE } else { 10 };
                        let text = format!("{seed}-{worker}-{number}-{}", filler(&mut dice, size));
                        let prefer = [("Prefer", if waits { "wait=60" } else { "wait=0" })];
                        let answer = client.post(&execute(graph), &prefer, &json!({"node_input": {"text": text}}));
                        assert_eq!(answer.status, 200, "{answer:?}");
                        let answer = answer.json();
                        let ended = answer["status"] == "COMPLETED";
                        self.promise(Promise::Run(answer["id"].as_str().unwrap().to_owned(), text, ended));
                    }
                });
            }
        });
    }
}

/// Records a first start, runs, a stop, another start and more runs, up to a kill.
pub fn record(library: &Path) -> History {
    let heddle = Heddle::new();
    let tape = Tape { heddle: &heddle, library, promises: Mutex::default() };
    let server = tape.server();
    let key = server.told("key ");
    // The marker that keeps the key from being made anew comes after the words; a promise it is when both are there.
    let client = Client::new(&server.address, Some(key.clone()));
    assert_eq!(client.get("/external-api/v1/blocks").status, 200);
    tape.promise(Promise::Key(key.clone()));
    let graph = client.save(&json_of(&root().join("bench/chain.json")));
    tape.promise(Promise::Graph(graph.clone()));
    tape.load(&client, &graph, 320, 1000);
    // When the log comes round is the server's business: whenever it has moved all of it and nobody reads the old part.
    for more in 1..=MORE {
        if rounds(&read(&std::fs::read(tape.log()).unwrap()).0) > 1 {
            break;
        }
        tape.load(&client, &graph, 160, 1000 + 100 * more);
    }
    server.stop();
    let server = tape.server();
    let client = Client::new(&server.address, Some(key));
    tape.load(&client, &graph, 80, 2000);
    server.kill();
    let (records, ends) = read(&std::fs::read(tape.log()).unwrap());
    let number = |written: u64| ends.partition_point(|end| *end <= written);
    let promises = tape.promises.into_inner().unwrap();
    let folder = heddle.data().parent().unwrap().to_owned();
    History {
        inode: std::fs::metadata(&folder).unwrap().ino(),
        root: folder.to_str().unwrap().to_owned(),
        records,
        promises: promises.into_iter().map(|(written, promise)| (number(written), promise)).collect(),
    }
}

impl History {
    /// How often the database's log was begun.
    pub fn rounds(&self) -> usize {
        rounds(&self.records)
    }
}

/// How often the database's log was begun in these records. Each server makes a file of its own for it, whose number
/// may be one that was used before.
fn rounds(records: &[Record]) -> usize {
    let mut logs = HashSet::new();
    let mut begun = 0;
    for record in records {
        match record {
            Record::Create(inode, path) if path.ends_with("-wal") => drop(logs.insert(*inode)),
            Record::Create(inode, _) => drop(logs.remove(inode)),
            Record::Write(inode, 0, head) if head.len() == 32 && logs.contains(inode) => begun += 1,
            _ => {}
        }
    }
    begun
}

/// Reads what `recorder.c` wrote: the records, and where each ends.
fn read(mut log: &[u8]) -> (Vec<Record>, Vec<u64>) {
    const HEAD: usize = 40;
    let (mut records, mut ends, mut end) = (Vec::new(), Vec::new(), 0);
    while log.len() >= HEAD {
        let field = |n: usize| u64::from_ne_bytes(log[8 * n..8 * n + 8].try_into().unwrap());
        let (what, inode, at, first, second) = (field(0), field(1), field(2), field(3) as usize, field(4) as usize);
        // The kill may have come in the middle of the last one.
        let Some(body) = log.get(HEAD..HEAD + first + second) else { break };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (a, b) = body.split_at(first);
        records.push(match what {
            1 => Record::Create(inode, text(a)),
            2 => Record::Write(inode, at, a.to_vec()),
            3 => Record::Truncate(inode, at),
            4 => Record::Sync(inode),
            5 => Record::MakeFolder(inode, text(a)),
            6 => Record::Rename(text(a), text(b)),
            7 => Record::Link(text(a), text(b)),
            8 => Record::Remove(text(a)),
            _ => panic!("{what} is no record"),
        });
        end += (HEAD + first + second) as u64;
        ends.push(end);
        log = &log[HEAD + first + second..];
    }
    (records, ends)
}
