//! The lives of a process: what is done to it, until everything has come to its end.

use crate::blocks::Works;
use crate::core::{Core, Weather};
use crate::disk::{Disk, short};
use crate::ledger::Ledger;
use crate::model::{answer_to, forecast};
use crate::rng::Rng;
use crate::spec::{self, Spec};
use async_trait::async_trait;
use futures::FutureExt;
use heddle_engine::journal::{Accepted, Answer, Counts, Review, ReviewStatus, Settings};
use heddle_engine::ports::{Clock, Plans};
use heddle_engine::{AnswerError, Credits, Gauges, Host, Limits, Plan, Ports};
use heddle_model::{GraphId, Object, OrgId, RunId, Status, Time, UserId};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Agents with more executions than this are not worth simulating.
const MOST: u64 = 90;

/// Seconds that runs may be still once nothing goes wrong any more: more than any timer or block takes.
const PATIENCE: u64 = 40_000;
/// Seconds that they are given to end, also where there is but one place for all of them.
const GREAT_PATIENCE: u64 = 1_000_000;

struct Agents {
    core: Arc<Core>,
    plans: BTreeMap<GraphId, Arc<Plan>>,
}

#[async_trait]
impl Plans for Agents {
    async fn runnable(&self, _: UserId, graph: GraphId, _: i64, _: &Object) -> Result<(Arc<Plan>, Vec<u32>), String> {
        self.core.pass(self.core.draw_delay()).await;
        Ok((Arc::clone(&self.plans[&graph]), Vec::new()))
    }

    async fn plan(&self, _: UserId, graph: GraphId, _: i64) -> Result<Option<Arc<Plan>>, String> {
        self.core.pass(self.core.draw_delay()).await;
        if self.core.chance(self.core.weather().unreadable) {
            return Err("plans cannot be read".to_owned());
        }
        Ok(self.plans.get(&graph).cloned())
    }
}

/// The wall clock: follows the paused time, and can be set.
struct Wall {
    start: Instant,
    base: AtomicI64,
}

impl Clock for Wall {
    fn now(&self) -> Time {
        Time(self.base.load(SeqCst) + self.start.elapsed().as_micros() as i64)
    }

    fn random(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// One seed's world.
pub struct Sim {
    pub core: Arc<Core>,
    disk: Arc<Disk>,
    works: Arc<Works>,
    library: Vec<Arc<Spec>>,
    agents: Arc<Agents>,
    limits: Limits,
    accounts: u64,
    now: i64,
    started: u64,
    /// Runs that somebody was told are accepted.
    acknowledged: Arc<Mutex<BTreeSet<RunId>>>,
}

impl Sim {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let library = draw_library(&mut rng);
        let limits = draw_limits(&mut rng);
        let accounts = rng.within(1..4);
        let core = Arc::new(Core::new(rng));
        let granted = core.roll(|rng| match rng.within(0..10) {
            0..=4 => None,
            5..=7 => Some(1_000_000),
            _ => Some(rng.within(1..40) as i64),
        });
        let disk = Disk::new(Arc::clone(&core), library.clone(), limits, granted);
        let works = Arc::new(Works::new(Arc::clone(&core), Arc::clone(&disk)));
        let plans = library.iter().map(|spec| (spec.id(), spec.builder().plan())).collect();
        let agents = Arc::new(Agents { core: Arc::clone(&core), plans });
        let (now, started, acknowledged) = (1_700_000_000_000_000, 0, Arc::default());
        Self { core, disk, works, library, agents, limits, accounts, now, started, acknowledged }
    }

    /// Lives until everything has ended or something is wrong.
    pub fn live(&mut self) {
        let lives = self.core.roll(|rng| rng.within(1..5));
        for life in 1.. {
            self.core.revive();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let is_over = runtime.block_on(self.life(life >= lives, life <= lives));
            self.core.die();
            drop(runtime);
            self.disk.crash();
            if !self.core.problems().is_empty() {
                return;
            }
            if is_over {
                break;
            }
            self.now += self.core.roll(|rng| *rng.of(&[0, 0, 1_000_000, 500_000_000, 20_000_000_000]));
        }
        self.check_end();
    }

    /// One process, killed or closed; or the last one, at whose end nothing is left. True when it was.
    async fn life(&mut self, is_last: bool, is_deadly: bool) -> bool {
        let wall = Arc::new(Wall { start: Instant::now(), base: AtomicI64::new(self.now) });
        let ports = Ports {
            journal: self.disk.clone(),
            blocks: self.works.clone(),
            plans: self.agents.clone(),
            clock: wall.clone(),
            credits: self.disk.credits(),
        };
        let credits = ports.credits.clone();
        self.core.set_weather(Weather::default());
        let host = Host::new(ports, self.limits);
        let (runs, parked) = self.disk.unfinished();
        self.core.say(format!("life with {} and {parked} parked", runs.len()));
        host.resume(&runs, parked);
        tokio::spawn(bystander(Arc::clone(&host), Arc::clone(&self.core), Arc::clone(&self.disk)));
        for _ in 0..self.core.roll(|rng| rng.within(2..18)) {
            let pause = self.core.roll(|rng| match rng.within(0..12) {
                0..=2 => 0,
                3..=6 => rng.within(1..30),
                7..=8 => rng.within(30..3_000),
                9..=10 => rng.within(3_000..90_000),
                _ => rng.within(90_000..1_000_000),
            });
            tokio::select! {
                biased;
                () = self.core.death.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(pause)) => {}
            }
            if self.core.is_dead() || !self.core.problems().is_empty() {
                break;
            }
            self.act(&host, &wall, is_deadly);
        }
        let is_over = is_last && !self.core.is_dead();
        if is_over {
            self.finish(&host, &wall).await;
            self.check_purses(credits.as_deref());
        } else if !self.core.is_dead() && self.core.chance(400) {
            self.core.set_weather(Weather::default());
            self.close(&host).await;
        }
        self.now = wall.now().0;
        is_over
    }

    async fn close(&self, host: &Arc<Host>) {
        self.core.close();
        if tokio::time::timeout(Duration::from_secs(3600), host.close()).await.is_err() {
            self.core.problem("it does not close");
        } else if host.gauges().driven != 0 {
            self.core.problem(format!("closed with {:?}", host.gauges()));
        }
    }

    fn act(&mut self, host: &Arc<Host>, wall: &Arc<Wall>, is_deadly: bool) {
        match self.core.roll(|rng| rng.within(0..18)) {
            0..=5 => self.start(host),
            16 => self.answer_again(host),
            17 => self.core.hurry.notify_waiters(),
            6..=8 => self.answer_some(host),
            9 => self.stop_one(host),
            10 => self.answer_wrongly(host),
            11 => {
                let jump = self.core.roll(|rng| *rng.of(&[-3_600, -5, -1, 1, 7, 60, 3_600, 10_000]));
                self.core.say(format!("clock {jump}"));
                wall.base.fetch_add(jump * 1_000_000, SeqCst);
            }
            12 | 13 => {
                let weather = self.core.roll(|rng| Weather {
                    slow_ms: *rng.of(&[0, 3, 20, 400, 3_000]),
                    refuse: *rng.of(&[0, 0, 50, 300]),
                    kept: *rng.of(&[0, 500, 1000]),
                    unreadable: *rng.of(&[0, 0, 50, 400]),
                    kill: if is_deadly { *rng.of(&[0, 0, 20, 100]) } else { 0 },
                });
                self.core.set_weather(weather);
            }
            14 => self.core.set_weather(Weather { slow_ms: 3, ..Weather::default() }),
            _ => {
                for _ in 0..self.core.roll(|rng| rng.within(2..6)) {
                    self.start(host);
                }
            }
        }
    }

    fn start(&mut self, host: &Arc<Host>) {
        self.started += 1;
        let mut id = [0x40; 16];
        let first = self.core.roll(Rng::next).to_be_bytes();
        id[..8].copy_from_slice(&first);
        id[8..].copy_from_slice(&self.started.to_be_bytes());
        let run = RunId::from_random(id);
        let (graph, owner, x) = self.core.roll(|rng| {
            let latest = self.library.len() as u64;
            (rng.within(0..latest) as usize, rng.within(0..self.accounts) as u8, rng.within(0..50))
        });
        let settings = self.core.roll(|rng| Settings {
            human_in_the_loop_safe_mode: rng.chance(850),
            sensitive_action_safe_mode: rng.chance(600),
            ..Settings::default()
        });
        let spec = Arc::clone(&self.library[graph]);
        let inputs: Object = [("x".to_owned(), json!(x))].into_iter().collect();
        let accepted = Accepted {
            owner: account(owner),
            organization: OrgId::from_random([2; 16]),
            graph: spec.id(),
            version: 1,
            inputs,
            credentials: Object::new(),
            masks: Object::new(),
            skip: Vec::new(),
            settings,
            parent: None,
            root: run,
            depth: 0,
            callback_url: None,
        };
        self.core.say(format!("start {} graph {}", short(run), spec.number));
        let prepared = host.prepare(run, Arc::clone(&self.agents.plans[&spec.id()]), accepted, None);
        let (host, core, disk) = (Arc::clone(host), Arc::clone(&self.core), Arc::clone(&self.disk));
        let acknowledged = Arc::clone(&self.acknowledged);
        tokio::spawn(async move {
            let result = host.start(prepared.unwrap()).await;
            core.say(format!("started {} {}", short(run), result.is_ok()));
            if result.is_ok() && !core.is_dead() {
                acknowledged.lock().unwrap().insert(run);
                if !disk.has(run) {
                    core.problem(format!("{} was accepted and is not on disk", short(run)));
                }
            }
        });
    }

    fn stop_one(&self, host: &Arc<Host>) {
        let runs = self.disk.runs();
        let left = self.disk.left();
        let from = if self.core.chance(800) { left } else { runs };
        if from.is_empty() {
            return;
        }
        let run = self.core.roll(|rng| *rng.of(&from));
        let root = self.disk.look(run, |ledger| ledger.root).unwrap();
        self.core.disturb(short(root));
        self.core.say(format!("stop {}", short(run)));
        if self.core.chance(500) {
            // What is at work comes to its end as the stop comes.
            self.core.hurry.notify_waiters();
        }
        for _ in 0..self.core.roll(|rng| rng.within(1..3)) {
            let (host, core, disk) = (Arc::clone(host), Arc::clone(&self.core), Arc::clone(&self.disk));
            tokio::spawn(async move {
                let stopped = host.stop(run).await;
                core.say(format!("stopped {} {stopped}", short(run)));
                // A process that closes lets the run go on at the next start.
                if stopped && !core.is_gone() && !disk.has_ended(run) {
                    core.problem(format!("{} was stopped and has not ended", short(run)));
                }
            });
        }
    }

    fn answer_some(&self, host: &Arc<Host>) {
        let waiting = self.disk.waiting();
        if waiting.is_empty() {
            return;
        }
        let (run, mut reviews) = self.core.roll(|rng| rng.of(&waiting).clone());
        if self.core.chance(300) {
            reviews.truncate(1);
        }
        let answers: Vec<_> = reviews.iter().map(|review| (review.index, answer_of(review))).collect();
        self.core.say(format!("answer {} {}", short(run), answers.len()));
        // Some people press twice.
        for _ in 0..self.core.roll(|rng| *rng.of(&[1, 1, 1, 2])) {
            let (core, disk) = (Arc::clone(&self.core), Arc::clone(&self.disk));
            tokio::spawn(answer(Arc::clone(host), core, disk, run, answers.clone()));
        }
    }

    /// What was decided is decided again, the same way or the other one.
    fn answer_again(&self, host: &Arc<Host>) {
        let decided = self.disk.decided();
        if decided.is_empty() {
            return;
        }
        let (run, exec, approved) = self.core.roll(|rng| *rng.of(&decided));
        let is_same = self.core.chance(500);
        let answer = Answer { approved: approved == is_same, data: None, message: None, future: true };
        let (host, core) = (Arc::clone(host), Arc::clone(&self.core));
        self.core.say(format!("answer {} {exec} again, the same: {is_same}", short(run)));
        tokio::spawn(async move {
            let result = host.answer(run, vec![(exec, answer)]).await;
            core.say(format!("answered {} again {result:?}", short(run)));
            if result.is_ok() && !is_same {
                core.problem(format!("{} took another decision on {exec}", short(run)));
            }
        });
    }

    /// To executions that ask nothing.
    fn answer_wrongly(&self, host: &Arc<Host>) {
        let runs = self.disk.runs();
        if runs.is_empty() {
            return;
        }
        let (run, exec) = self.core.roll(|rng| (*rng.of(&runs), rng.within(200..300) as u32));
        let (host, core) = (Arc::clone(host), Arc::clone(&self.core));
        self.core.say(format!("answer {} wrongly", short(run)));
        tokio::spawn(async move {
            if host.answer(run, vec![(exec, answer_to("", &json!(1)))]).await.is_ok() {
                core.problem(format!("{} took an answer to nothing", short(run)));
            }
        });
    }

    /// Nothing goes wrong any more, and persons answer: every run comes to its end without another process.
    async fn finish(&self, host: &Arc<Host>, wall: &Arc<Wall>) {
        self.core.say("finish");
        self.core.set_weather(Weather { slow_ms: 2, ..Weather::default() });
        let begun = Instant::now();
        let (mut moved, mut commits) = (begun, self.disk.commits());
        let mut step = 1;
        // Requests of stormy times may still be answered.
        while host.gauges() != Gauges::default() || !self.disk.left().is_empty() {
            if std::mem::replace(&mut commits, self.disk.commits()) != commits {
                moved = Instant::now();
            }
            let is_still = moved.elapsed() > Duration::from_secs(PATIENCE);
            if is_still || begun.elapsed() > Duration::from_secs(GREAT_PATIENCE) {
                let left: Vec<_> = self.disk.left().into_iter().map(|run| self.disk.describe(run)).collect();
                self.core.problem(format!("hangs with {:?}: {left:#?}", host.gauges()));
                return;
            }
            if !self.core.problems().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(step)).await;
            step = (step * 2).min(64);
            for _ in 0..self.disk.waiting().len() {
                self.answer_some(host);
            }
            let left = self.disk.left();
            let only_waits = !left.is_empty() && left.iter().all(|run| self.disk.is_parked(*run));
            if only_waits && begun.elapsed() > Duration::from_secs(600) {
                // Nobody wants to wait for timers; a run that nobody wakes is not helped by it.
                wall.base.fetch_add(2_000_000_000, SeqCst);
            }
        }
        self.core.say("all have ended");
        if self.works.alive() != 0 {
            self.core.problem(format!("{} blocks work on", self.works.alive()));
        }
        self.close(host).await;
    }

    /// Now that nothing is on its way, what is in memory is what is on disk.
    fn check_purses(&self, credits: Option<&Credits>) {
        for number in 0..self.accounts as u8 {
            let owner = account(number);
            let purse = credits.and_then(|credits| credits.balance(owner));
            let wallet = self.disk.balance(owner);
            if purse.is_some() && purse != wallet {
                self.core.problem(format!("the purse of {number} holds {purse:?}, the wallet {wallet:?}"));
            }
        }
    }

    fn check_end(&self) {
        for run in self.acknowledged.lock().unwrap().iter().filter(|run| !self.disk.has(**run)) {
            self.core.problem(format!("{} was accepted and is lost", short(*run)));
        }
        let library: Vec<Spec> = self.library.iter().map(|spec| (**spec).clone()).collect();
        for run in self.disk.runs() {
            let beside = self.beside(run);
            let checked = self.disk.look(run, |ledger| self.check_run(ledger, beside, &library)).unwrap();
            if let Err(problem) = checked.and_then(|()| self.check_family(run)) {
                self.core.problem(format!("{}: {problem}", short(run)));
            }
            if self.disk.has_ended(run) && self.disk.open_reviews(run) > 0 {
                self.core.problem(format!("{} has ended and persons are still asked", short(run)));
            }
        }
    }

    /// What a parent has is what its children told it, and no child goes on without its parent.
    fn check_family(&self, run: RunId) -> Result<(), String> {
        let agents = |ledger: &Ledger| {
            let execs =
                ledger.execs.values().filter_map(|exec| Some((exec.child?.0, exec.status, exec.outputs.clone())));
            execs.collect::<Vec<_>>()
        };
        for (child, status, mut outputs) in self.disk.look(run, agents).unwrap() {
            let look = |ledger: &Ledger| (ledger.status, ledger.told.clone());
            let (end, told) = self.disk.look(child, look).ok_or_else(|| format!("{} is missing", short(child)))?;
            if status == Status::Failed {
                outputs.pop();
            }
            let is_due = match status {
                Status::Terminated => told.starts_with(&outputs),
                Status::Completed => end == Status::Completed && told == outputs,
                _ => end != Status::Completed && told == outputs,
            };
            if !is_due {
                return Err(format!("{} {end:?} told {told:?}, heard {status:?} {outputs:?}", short(child)));
            }
            let is_later = |(childs, parents): ((u64, Time), (u64, Time))| childs.0 > parents.0 && childs.1 > parents.1;
            if end == Status::Completed && self.disk.ended(child).zip(self.disk.ended(run)).is_some_and(is_later) {
                return Err(format!("{} went on without its parent", short(child)));
            }
        }
        Ok(())
    }

    /// Attempts that paused for a person, and fees, children's included: how many depends on what was before.
    fn beside(&self, run: RunId) -> (u64, u64) {
        let look = |ledger: &Ledger| {
            let children = ledger.execs.values().filter_map(|exec| Some(exec.child?.0));
            (ledger.paused, ledger.fees, children.collect::<Vec<_>>())
        };
        let (paused, fees, children) = self.disk.look(run, look).unwrap_or_default();
        let add = |sum: (u64, u64), child| {
            let (paused, fees) = self.beside(child);
            (sum.0 + paused, sum.1 + fees)
        };
        children.into_iter().fold((paused, fees), add)
    }

    fn check_run(&self, ledger: &Ledger, (paused, fees): (u64, u64), library: &[Spec]) -> Result<(), String> {
        ledger.check_end()?;
        if self.core.is_disturbed(short(ledger.root)) {
            return Ok(());
        }
        if ledger.status != Status::Completed {
            let is_bounded = self.limits.events.is_some() || self.limits.run_seconds.is_some();
            let why = format!("{} {:?}", ledger.status.as_str(), ledger.error);
            return if is_bounded { Ok(()) } else { Err(why) };
        }
        if self.limits.events.is_some() || self.limits.run_seconds.is_some() {
            return Ok(());
        }
        let want = forecast(library, ledger.spec.number, &ledger.inputs, &ledger.settings, 20 * MOST);
        let want = want.ok_or("it cannot be foretold")?;
        let foretold = Counts { nodes: want.nodes + paused, errors: want.errors, cost: want.cost + fees };
        if ledger.counts != foretold {
            return Err(format!("counted {:?}, foretold {foretold:?}", ledger.counts));
        }
        for (name, is_ordered) in ledger.spec.outputs() {
            let node = ledger.spec.nodes.iter().position(|node| node.id == name).unwrap();
            let of_node = ledger.execs.values().filter(|exec| exec.node == node);
            let mut got: Vec<_> = of_node.filter_map(|exec| exec.input.get("value").cloned()).collect();
            let mut want = want.outputs.get(&name).cloned().unwrap_or_default();
            if !is_ordered {
                got.sort_by_key(ToString::to_string);
                want.sort_by_key(ToString::to_string);
            }
            if got != want {
                return Err(format!("{name} is {got:?}, foretold {want:?}"));
            }
        }
        Ok(())
    }
}

fn account(number: u8) -> UserId {
    UserId::from_random([number + 1; 16])
}

fn draw_library(rng: &mut Rng) -> Vec<Arc<Spec>> {
    let mut library: Vec<Spec> = Vec::new();
    let inputs: Object = [("x".to_owned(), json!(5))].into_iter().collect();
    while library.len() < 4 {
        let number = library.len() as u8 + 1;
        let drawn = spec::draw(rng, number, &library);
        library.push(drawn);
        if forecast(&library, number, &inputs, &Settings::default(), MOST).is_none() {
            library.pop();
        }
    }
    library.into_iter().map(Arc::new).collect()
}

/// Answers a run, and looks whether that was taken for what it is.
async fn answer(host: Arc<Host>, core: Arc<Core>, disk: Arc<Disk>, run: RunId, answers: Vec<(u32, Answer)>) {
    let given: Vec<u32> = answers.iter().map(|(exec, _)| *exec).collect();
    let result = host.answer(run, answers).await;
    core.say(format!("answered {} {result:?}", short(run)));
    let is_open = |exec: &u32| disk.review(run, *exec).is_none_or(|review| review.status == ReviewStatus::Waiting);
    if result.is_ok() && !core.is_dead() && given.iter().any(is_open) {
        core.problem(format!("answers to {} are not on disk", short(run)));
    }
    // Whoever hears that a run is over sees that soon.
    if result == Err(AnswerError::Missing) && core.is_calm() {
        tokio::time::sleep(Duration::from_secs(30)).await;
        if core.is_calm() && !core.is_gone() && given.iter().all(is_open) {
            core.problem(format!("answers to {} went astray", short(run)));
        }
    }
}

/// Somebody who answers and stops runs in the very moment in which they leave memory.
async fn bystander(host: Arc<Host>, core: Arc<Core>, disk: Arc<Disk>) {
    loop {
        core.bell.notified().await;
        for run in core.take_parking() {
            let reviews: Vec<_> = disk.waiting().into_iter().filter(|(asking, _)| *asking == run).collect();
            match core.roll(|rng| rng.within(0..12)) {
                0..=2 if !reviews.is_empty() => {
                    let answers = reviews[0].1.iter().map(|review| (review.index, answer_of(review))).collect();
                    core.say(format!("answer {} as it parks", short(run)));
                    at_once(answer(Arc::clone(&host), Arc::clone(&core), Arc::clone(&disk), run, answers));
                }
                3 => {
                    core.say(format!("stop {} as it parks", short(run)));
                    core.disturb(short(disk.look(run, |ledger| ledger.root).unwrap()));
                    let host = Arc::clone(&host);
                    at_once(async move {
                        host.stop(run).await;
                    });
                }
                _ => {}
            }
        }
    }
}

/// Does the first part of something before anybody else has a turn.
fn at_once(work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(work);
    if work.as_mut().now_or_never().is_none() {
        tokio::spawn(work);
    }
}

fn answer_of(review: &Review) -> Answer {
    answer_to(review.instructions.as_deref().unwrap_or_default(), &review.payload)
}

fn draw_limits(rng: &mut Rng) -> Limits {
    Limits {
        queued_runs: *rng.of(&[4, 100_000, 100_000]),
        running_runs: *rng.of(&[1, 2, 4, 10_000]),
        account_runs: *rng.of(&[1, 2, 1_000]),
        provider_calls: *rng.of(&[1, 2, 64]),
        events: if rng.chance(60) { Some(rng.within(5..40)) } else { None },
        run_seconds: if rng.chance(60) { Some(rng.within(1..3_000)) } else { None },
        fail_interrupted: rng.chance(150),
        ..Limits::default()
    }
}
