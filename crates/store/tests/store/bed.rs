//! A database, people, and frames to put into it.

use heddle_cluster::Cluster;
use heddle_engine::journal::{Accepted, Counts, Entry, Event, Frame, Idempotency, JournalError, Opening, Row};
use heddle_engine::ports::Journal;
use heddle_model::{Graph, GraphId, KeyId, OrgId, RunId, Status, Time, UserId, Value};
use heddle_store::{NewAccount, Store};
use std::path::PathBuf;
use tempfile::TempDir;

pub const NOON: Time = Time(1_770_000_000_000_000);

/// The time `seconds` after noon.
pub fn noon_and(seconds: i64) -> Time {
    NOON.plus_seconds(seconds)
}

/// A person, known by a number.
#[derive(Clone, Copy)]
pub struct Person {
    pub id: UserId,
    pub organization: OrgId,
}

/// The person of this number.
pub fn person(number: u8) -> Person {
    Person { id: UserId::from_random([number; 16]), organization: OrgId::from_random([number; 16]) }
}

pub fn graph_id(number: u8) -> GraphId {
    GraphId::from_random([number; 16])
}

pub fn key_id(number: u8) -> KeyId {
    KeyId::from_random([number; 16])
}

/// A run accepted at noon.
pub fn run_id(number: u32) -> RunId {
    let mut random = [0; 16];
    random[12..].copy_from_slice(&number.to_be_bytes());
    RunId::at(NOON, random)
}

/// A database of one test's own.
pub struct Bed {
    pub store: Store,
    pub place: Place,
}

/// Where a database is.
pub enum Place {
    Sqlite(TempDir),
    Postgres(String),
}

impl Place {
    /// Opens it, or opens it once more.
    pub fn open(&self) -> Store {
        match self {
            Self::Sqlite(folder) => Store::open(&folder.path().join("heddle.db")).unwrap(),
            Self::Postgres(url) => Store::connect(url).unwrap(),
        }
    }
}

impl Bed {
    /// One on each kind of database that is at hand.
    pub fn each() -> impl Iterator<Item = Self> {
        let kinds: [fn() -> Option<Self>; 2] = [|| Some(Self::sqlite()), Self::postgres];
        kinds.into_iter().filter_map(|make| make())
    }

    /// One in a file.
    pub fn sqlite() -> Self {
        println!("on SQLite");
        Self::at(Place::Sqlite(tempfile::tempdir().unwrap()))
    }

    /// One on the tests' own server.
    pub fn postgres() -> Option<Self> {
        println!("on PostgreSQL");
        Some(Self::at(Place::Postgres(Cluster::shared()?.database())))
    }

    fn at(place: Place) -> Self {
        Self { store: place.open(), place }
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Sqlite(folder) => folder.path().join("heddle.db"),
            Place::Postgres(url) => panic!("{url} is no file"),
        }
    }

    /// Makes the account of a person.
    pub async fn account(&self, number: u8) -> Person {
        let person = person(number);
        self.store.create_account(new_account(number)).await.unwrap();
        person
    }

    /// Appends frames and waits for the disk.
    pub async fn append(&self, frames: Vec<Frame>) -> Result<(), JournalError> {
        self.store.append(frames).durable().await
    }
}

pub fn new_account(number: u8) -> NewAccount {
    let person = person(number);
    NewAccount {
        id: person.id,
        email: format!("User{number}@Example.org"),
        name: None,
        password_hash: None,
        is_admin: false,
        created_at: noon_and(i64::from(number)),
        organization: person.organization,
    }
}

pub fn row(status: Status) -> Row {
    let ended_at = status.is_terminal().then_some(noon_and(9));
    Row { status, started_at: None, ended_at, error: None, counts: Counts::default(), news: 0, parked: None }
}

/// An entry that carries a value.
pub fn output(value: impl Into<Value>) -> Entry {
    Entry { at: NOON, what: Event::Output { exec: 0, position: 0, pin: "result".to_owned(), value: value.into() } }
}

/// The first frame of a run of graph 1, with one event.
pub fn opening(person: Person, run: RunId) -> Frame {
    let accepted = Accepted::new(run, person.id, person.organization, graph_id(1), 1);
    Frame {
        run,
        first: 0,
        entries: vec![Entry { at: NOON, what: Event::Accepted(Box::new(accepted)) }],
        row: row(Status::Queued),
        opening: Some(Opening {
            organization: person.organization,
            graph: graph_id(1),
            version: 1,
            created_at: NOON,
            parent: None,
            idempotency: None,
        }),
        writes: Vec::new(),
        reviews: Vec::new(),
        callback_url: None,
        charge: None,
        owner: person.id,
    }
}

/// A later frame of a run, holding these events.
pub fn later(person: Person, run: RunId, first: u64, entries: Vec<Entry>) -> Frame {
    let row = row(Status::Running);
    Frame {
        run,
        first,
        entries,
        row,
        opening: None,
        writes: Vec::new(),
        reviews: Vec::new(),
        callback_url: None,
        charge: None,
        owner: person.id,
    }
}

/// A first frame that claims an idempotency key at a time.
pub fn claiming(person: Person, run: RunId, key: &str, at: Time) -> Frame {
    let mut frame = opening(person, run);
    let opening = frame.opening.as_mut().unwrap();
    opening.created_at = at;
    opening.idempotency = Some(Idempotency { key: key.to_owned(), fingerprint: [7; 32] });
    frame
}

pub fn graph(id: GraphId, version: i64, name: &str) -> Graph {
    Graph {
        id,
        version,
        is_active: true,
        name: name.to_owned(),
        description: format!("{name} {version}"),
        instructions: None,
        recommended_schedule_cron: None,
        forked_from_id: None,
        forked_from_version: None,
        nodes: Vec::new(),
        links: Vec::new(),
    }
}
