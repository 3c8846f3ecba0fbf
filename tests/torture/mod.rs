//! The kill loop: the real binary under eight starters, killed again and again, and at the end everything is there once.
//!
//! `TORTURE_KILLS` says how often (25), `TORTURE_SEED` repeats the plan of a run that was printed, `TORTURE_KEEP` leaves
//! the data folder where faults were found, `TORTURE_BINARY` names another build of the program. `HEDDLE_DATABASE__URL` goes through to the server: an empty database.

mod dice;
mod findings;
mod follower;
mod model;
mod starter;
mod upstream;
mod workload;
mod world;

use crate::support::{Heddle, Server};
use dice::{Death, Dice};
use findings::gather;
use model::{Asked, History};
use serde_json::json;
use starter::{Shared, Starter, token};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime};
use upstream::Upstream;
use workload::Workload;
use world::{Notice, World};

const STARTERS: usize = 8;
/// The starter of the runs that nothing disturbs.
const CALM: &str = "s8";
/// How long a kill waits for what it is aimed at.
const AIM: Duration = Duration::from_millis(400);
/// A server that was asked to end may take so long (`operator.md`).
const END: Duration = Duration::from_secs(30);
/// All that is unfinished after the last start has to end within this.
const DRAIN: Duration = Duration::from_secs(180);
/// Looking at everything may take so long, however much there is.
const LOOK: Duration = Duration::from_secs(3600);

#[test]
fn nothing_is_lost_doubled_or_invented_however_often_the_server_is_killed() {
    let kills = number("TORTURE_KILLS").unwrap_or(25);
    let seed = number("TORTURE_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        now.as_micros() as u64 % 1_000_000_000
    });
    tell(&format!("torture: seed {seed}"));
    let mut torture = Torture::new(seed);
    let shared = torture.begin();
    let starters: Vec<_> = (0..STARTERS)
        .map(|number| Starter::new(Arc::clone(&shared), torture.dice.fork(), number))
        .map(|starter| std::thread::spawn(|| starter.work()))
        .collect();
    torture.lap("undisturbed runs");
    torture.kill(&shared, kills);
    torture.lap("kills");
    let server = torture.live(&shared.world);
    shared.world.finish(DRAIN);
    for starter in starters {
        torture.asked.extend(starter.join().unwrap());
    }
    torture.lap("last runs");
    shared.world.finish(LOOK);
    let history = torture.history(&shared);
    torture.lap("looking");
    torture.end(server.stop_within(END), &shared.world);
    torture.report(&history, &shared.world, seed);
}

#[test]
fn a_first_start_that_was_cut_short_is_made_up_for_by_the_next() {
    let mut dice = Dice::new(1);
    for _ in 0..8 {
        let (heddle, after) = (Heddle::new(), dice.millis(0, 200));
        let server = Server::spawn(&heddle, &[]);
        std::thread::sleep(after);
        server.kill();
        let server = Server::start(&heddle);
        let client = server.client(&heddle);
        let graph = client.save(&Workload::Chain.agent(""));
        let run = client.start(&graph, &Workload::Chain.inputs("t"));
        let output = client.results_at_end(&graph, &run)["output"].clone();
        let text = Workload::Chain.outputs("t").unwrap().remove(0);
        assert_eq!(output, json!([{"text": text}]), "killed {after:?} after its beginning");
    }
}

/// One kill loop.
struct Torture {
    heddle: Heddle,
    world: Arc<World>,
    upstream: Option<Upstream>,
    dice: Dice,
    /// When the last part of the test ended, and how long each took.
    since: Instant,
    laps: Vec<String>,
    asked: Vec<Asked>,
    /// Marks between the servers' lives.
    deaths: Vec<u64>,
    /// How often each kind of end came.
    ends: BTreeMap<&'static str, u64>,
    kills: u64,
    /// How long the last start took.
    start_up: Duration,
}

impl Torture {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let world = Arc::new(World::default());
        let upstream = Upstream::start(Arc::clone(&world), dice.fork());
        let mut heddle = Heddle::new().with("HEDDLE_OUTBOUND__ALLOW", &upstream.place());
        if let Some(program) = std::env::var_os("TORTURE_BINARY").filter(|program| !program.is_empty()) {
            heddle = heddle.built(program.into());
        }
        if let Ok(url) = std::env::var("HEDDLE_DATABASE__URL") {
            heddle = heddle.with("HEDDLE_DATABASE__URL", &url);
        }
        Self {
            heddle,
            world,
            upstream: Some(upstream),
            dice,
            since: Instant::now(),
            laps: Vec::new(),
            asked: Vec::new(),
            deaths: Vec::new(),
            ends: BTreeMap::new(),
            kills: 0,
            start_up: Duration::ZERO,
        }
    }

    /// Saves the agents and runs each once, undisturbed.
    fn begin(&mut self) -> Arc<Shared> {
        let server = self.live(&Arc::clone(&self.world));
        let client = server.client(&self.heddle);
        let upstream = self.upstream.take().unwrap();
        let save = |workload: Workload| (workload, client.save(&workload.agent(&upstream.url())));
        let graphs: HashMap<_, _> = Workload::ALL.into_iter().map(save).collect();
        let runs = AtomicU64::new(Workload::ALL.len() as u64);
        let shared = Shared { world: Arc::clone(&self.world), upstream, graphs, key: self.heddle.key(), runs };
        for (number, workload) in (0..).zip(Workload::ALL) {
            let mut asked = Asked::new(token(number, CALM), workload, 1);
            shared.start(&mut asked, false);
            shared.wait_for_end(&mut asked);
            self.asked.push(asked);
        }
        self.end(server.stop_within(END), &shared.world);
        self.deaths.push(shared.upstream.mark());
        Arc::new(shared)
    }

    fn lap(&mut self, name: &str) {
        self.laps.push(format!("{name} {:.1} s", self.since.elapsed().as_secs_f64()));
        self.since = Instant::now();
    }

    /// A server that everybody knows of.
    fn live(&mut self, world: &World) -> Server {
        let begun = Instant::now();
        let server = Server::start(&self.heddle);
        self.start_up = begun.elapsed();
        world.open(&server.address);
        server
    }

    /// So many kills, and some orderly ends.
    fn kill(&mut self, shared: &Shared, kills: u64) {
        while self.kills < kills {
            let death = self.dice.death();
            self.die(shared, death);
            self.deaths.push(shared.upstream.mark());
            self.kills += u64::from(death.is_kill());
            *self.ends.entry(death.name()).or_default() += 1;
        }
    }

    /// One life of a server.
    fn die(&mut self, shared: &Shared, death: Death) {
        let world = &shared.world;
        if let Death::Starting(part) = death {
            let server = Server::spawn(&self.heddle, &[]);
            std::thread::sleep(self.start_up * part / 1000);
            return judge(&server.kill(), world);
        }
        let server = self.live(world);
        let aimed = match death {
            Death::Killed(after) | Death::Asked(after) => (after, None),
            Death::AtAnswer(after) => (after, Some(Notice::Answer)),
            Death::AtEffect(after) => (after, Some(Notice::EffectArrived)),
            Death::AfterEffect(after) => (after, Some(Notice::EffectAnswered)),
            Death::Starting(_) => unreachable!("it is over already"),
        };
        std::thread::sleep(aimed.0);
        aimed.1.into_iter().for_each(|notice| world.wait_for(notice, AIM));
        if death.is_kill() {
            judge(&server.kill(), world);
        } else {
            self.end(server.stop_within(END), world);
        }
        world.close();
    }

    /// What a server that was asked to end left.
    fn end(&self, (status, log): (Option<std::process::ExitStatus>, Vec<String>), world: &World) {
        match status {
            Some(status) if status.success() => {}
            Some(status) => world.fault(format!("a server that was asked to end ended with {status}: {log:?}")),
            None => world.fault(format!("a server that was asked to end did not in {END:?}")),
        }
        judge(&log, world);
    }

    /// All that is there after the last start.
    fn history(&mut self, shared: &Arc<Shared>) -> History {
        let mut history = gather(shared, std::mem::take(&mut self.asked));
        history.deaths = std::mem::take(&mut self.deaths);
        history
    }

    fn report(self, history: &History, world: &World, seed: u64) {
        let mut faults = world.faults();
        faults.extend(history.faults());
        let ends: Vec<_> = self.ends.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let totals = history.totals();
        let (ends, laps, kills) = (ends.join(", "), self.laps.join(", "), self.kills);
        tell(&format!("torture: seed {seed}, {kills} kills ({ends}; {laps})"));
        tell(&format!("torture: {totals}; {} faults", faults.len()));
        if faults.is_empty() {
            return;
        }
        let data = self.heddle.data();
        if std::env::var_os("TORTURE_KEEP").is_some() {
            tell(&format!("torture: the data folder stays in {}", data.display()));
            std::mem::forget(self.heddle);
        }
        let first: Vec<_> = faults.iter().take(40).map(|fault| format!("- {fault}\n")).collect();
        panic!("seed {seed}: {} faults\n{}", faults.len(), first.concat());
    }
}

/// A server that is killed has no reason to complain before.
fn judge(log: &[String], world: &World) {
    let is_bad = |line: &&String| line.contains("panicked") || line.contains(r#""level":"ERROR""#);
    log.iter().filter(is_bad).for_each(|line| world.fault(format!("the server wrote: {line}")));
}

/// Not `eprintln!`, which the test runner swallows when a test passes.
fn tell(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} has to be a whole number, not {text:?}")))
}
