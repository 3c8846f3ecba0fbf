//! What the parts of a simulation share: chance, the weather, the trace, and what went wrong.

use crate::rng::Rng;
use heddle_model::{NodeExecId, RunId, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// All that an execution emits; a failure comes last.
pub type Script = Vec<(String, Value)>;

/// What befalls the journal and the process at the moment, in times of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Commits and reads take up to so many milliseconds.
    pub slow_ms: u64,
    /// Commits are refused …
    pub refuse: u64,
    /// … of which so many are kept all the same.
    pub kept: u64,
    /// Reads fail.
    pub unreadable: u64,
    /// The process dies right after a commit.
    pub kill: u64,
}

struct Inner {
    rng: Rng,
    weather: Weather,
    trace: Vec<String>,
    hasher: DefaultHasher,
    problems: Vec<String>,
    /// Outermost runs whose outcome something outside has decided.
    disturbed: BTreeSet<String>,
    /// What each flaky execution is up to, in its last attempt.
    scripts: BTreeMap<NodeExecId, Script>,
    /// Runs whose drivers do not know yet that the frame which parks them is on disk.
    parking: Vec<RunId>,
    is_dead: bool,
    is_closing: bool,
}

/// Shared by all parts.
pub struct Core {
    inner: Mutex<Inner>,
    pub death: Notify,
    /// Everybody who works comes to an end at once.
    pub hurry: Notify,
    /// A run is about to leave memory.
    pub bell: Notify,
    /// Process starts and refused commits so far: work may begin once in each such age.
    pub age: AtomicU64,
}

impl Core {
    pub fn new(rng: Rng) -> Self {
        let inner = Inner {
            rng,
            weather: Weather::default(),
            trace: Vec::new(),
            hasher: DefaultHasher::new(),
            problems: Vec::new(),
            disturbed: BTreeSet::new(),
            scripts: BTreeMap::new(),
            parking: Vec::new(),
            is_dead: false,
            is_closing: false,
        };
        Self {
            inner: Mutex::new(inner),
            death: Notify::new(),
            hurry: Notify::new(),
            bell: Notify::new(),
            age: AtomicU64::new(0),
        }
    }

    pub fn roll<T>(&self, roll: impl FnOnce(&mut Rng) -> T) -> T {
        roll(&mut self.inner().rng)
    }

    pub fn chance(&self, permille: u64) -> bool {
        permille > 0 && self.roll(|rng| rng.chance(permille))
    }

    pub fn weather(&self) -> Weather {
        self.inner().weather
    }

    /// Nothing keeps the journal from working.
    pub fn is_calm(&self) -> bool {
        let Weather { slow_ms, refuse, unreadable, .. } = self.weather();
        slow_ms < 1_000 && refuse == 0 && unreadable == 0
    }

    pub fn set_weather(&self, weather: Weather) {
        self.say(format!("weather {weather:?}"));
        self.inner().weather = weather;
    }

    /// Adds a line to the trace.
    pub fn say(&self, line: impl Display) {
        let mut inner = self.inner();
        let line = line.to_string();
        line.hash(&mut inner.hasher);
        inner.trace.push(line);
    }

    pub fn problem(&self, text: impl Display) {
        self.say(format!("PROBLEM {text}"));
        self.inner().problems.push(text.to_string());
    }

    pub fn problems(&self) -> Vec<String> {
        self.inner().problems.clone()
    }

    pub fn trace(&self) -> Vec<String> {
        self.inner().trace.clone()
    }

    /// The hash of the trace.
    pub fn fingerprint(&self) -> u64 {
        self.inner().hasher.finish()
    }

    pub fn disturb(&self, root: impl Display) {
        self.inner().disturbed.insert(root.to_string());
    }

    pub fn is_disturbed(&self, root: impl Display) -> bool {
        self.inner().disturbed.contains(&root.to_string())
    }

    /// An execution begins to do this; whether it did something before.
    pub fn play(&self, exec: NodeExecId, script: Script) -> bool {
        self.inner().scripts.insert(exec, script).is_some()
    }

    pub fn script(&self, exec: NodeExecId) -> Option<Script> {
        self.inner().scripts.get(&exec).cloned()
    }

    /// A run's driver is about to hear that it has parked.
    pub fn parks(&self, run: RunId) {
        self.inner().parking.push(run);
        self.bell.notify_one();
    }

    pub fn take_parking(&self) -> Vec<RunId> {
        std::mem::take(&mut self.inner().parking)
    }

    /// From here on nothing that the process does reaches anything.
    pub fn die(&self) {
        if !std::mem::replace(&mut self.inner().is_dead, true) {
            self.say("killed");
        }
        self.death.notify_one();
    }

    pub fn is_dead(&self) -> bool {
        self.inner().is_dead
    }

    /// The process is told to close.
    pub fn close(&self) {
        self.say("close");
        self.inner().is_closing = true;
    }

    /// Whether the process is dead or about to go.
    pub fn is_gone(&self) -> bool {
        let inner = self.inner();
        inner.is_dead || inner.is_closing
    }

    /// A new process.
    pub fn revive(&self) {
        let mut inner = self.inner();
        (inner.is_dead, inner.is_closing) = (false, false);
        drop(inner);
        self.new_age();
    }

    pub fn new_age(&self) {
        self.age.fetch_add(1, SeqCst);
    }

    /// Some turns for others, or some time.
    pub fn draw_delay(&self) -> Delay {
        let slow = self.weather().slow_ms;
        self.roll(|rng| match rng.within(0..4) {
            0 => Delay::None,
            1 => Delay::Turns(rng.within(1..6)),
            _ if slow == 0 => Delay::Turns(1),
            _ => Delay::Time(Duration::from_millis(rng.within(0..slow + 1))),
        })
    }

    /// Waits for what was drawn, and for ever once the process is dead.
    pub async fn pass(&self, delay: Delay) {
        match delay {
            Delay::None => {}
            Delay::Turns(turns) => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            }
            Delay::Time(time) => tokio::time::sleep(time).await,
        }
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

/// How something is late.
pub enum Delay {
    None,
    Turns(u64),
    Time(Duration),
}
