//! What outlives a process, and processes that can be killed at any moment.

use crate::bench::Bench;
use crate::disk::Disk;
use crate::made_up::Builder;
use async_trait::async_trait;
use heddle_engine::driver::Prepared;
use heddle_engine::journal::Accepted;
use heddle_engine::ports::{Clock, Plans};
use heddle_engine::{Gauges, Host, Limits, Machine, Plan, Ports, Progress, StartError};
use heddle_model::{GraphId, Object, OrgId, RunId, Time, UserId, Value};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Longer than anything here takes; time is paused, so nobody waits for it.
const HANGS: Duration = Duration::from_secs(100_000);

/// Agents by id: what may be run, or why not.
#[derive(Default)]
pub struct Agents {
    runnable: Mutex<HashMap<GraphId, Result<Arc<Plan>, String>>>,
    plans: Mutex<HashMap<GraphId, Arc<Plan>>>,
}

impl Agents {
    /// Makes an agent known.
    pub fn add(&self, plan: &Arc<Plan>) {
        self.runnable.lock().unwrap().insert(plan.graph, Ok(Arc::clone(plan)));
        self.plans.lock().unwrap().insert(plan.graph, Arc::clone(plan));
    }

    /// From now on it may not be run.
    pub fn refuse(&self, graph: GraphId, text: &str) {
        self.runnable.lock().unwrap().insert(graph, Err(text.to_owned()));
    }

    /// From now on it is gone, also for runs that have begun.
    pub fn lose(&self, graph: GraphId) {
        self.plans.lock().unwrap().remove(&graph);
    }

    fn find(&self, graph: GraphId) -> Result<Arc<Plan>, String> {
        self.runnable.lock().unwrap().get(&graph).cloned().unwrap_or_else(|| Err("no such agent".to_owned()))
    }
}

#[async_trait]
impl Plans for Agents {
    async fn runnable(&self, _: UserId, graph: GraphId, _: i64, _: &Object) -> Result<(Arc<Plan>, Vec<u32>), String> {
        Ok((self.find(graph)?, Vec::new()))
    }

    async fn plan(&self, _: UserId, graph: GraphId, _: i64) -> Result<Option<Arc<Plan>>, String> {
        Ok(self.plans.lock().unwrap().get(&graph).cloned())
    }
}

/// Follows the paused time of the process; `tick` microseconds pass whenever somebody looks.
struct HandClock {
    start: Instant,
    base: i64,
    tick: i64,
    looks: AtomicI64,
}

impl Clock for HandClock {
    fn now(&self) -> Time {
        let looks = self.looks.fetch_add(1, SeqCst);
        Time(self.base + self.start.elapsed().as_micros() as i64 + looks * self.tick)
    }

    fn random(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// What outlives a process.
pub struct World {
    pub disk: Arc<Disk>,
    pub blocks: Arc<Bench>,
    pub agents: Arc<Agents>,
    pub limits: Limits,
    tick: i64,
    now: AtomicI64,
    runs: Arc<AtomicU64>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        Self {
            disk: Arc::default(),
            blocks: Arc::default(),
            agents: Arc::default(),
            limits,
            tick: 0,
            now: AtomicI64::new(1_000_000_000_000_000),
            runs: Arc::default(),
        }
    }

    /// So many microseconds pass whenever somebody looks at the clock.
    pub fn ticking(self, tick: i64) -> Self {
        Self { tick, ..self }
    }

    /// A process that dies without warning when `work` is done.
    pub fn process<T>(&self, work: impl AsyncFnOnce(Process) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let result = runtime.block_on(async {
            let start = Instant::now();
            let base = self.now.load(SeqCst);
            let clock = Arc::new(HandClock { start, base, tick: self.tick, looks: AtomicI64::new(0) });
            let ports = Ports {
                journal: self.disk.clone(),
                blocks: self.blocks.clone(),
                plans: self.agents.clone(),
                clock: clock.clone(),
                credits: None,
            };
            let process = Process {
                host: Host::new(ports, self.limits),
                agents: Arc::clone(&self.agents),
                disk: Arc::clone(&self.disk),
                runs: Arc::clone(&self.runs),
            };
            let result = work(process).await;
            self.now.store(clock.now().0, SeqCst);
            result
        });
        runtime.shutdown_background();
        self.disk.crash();
        result
    }

    /// Time passes while no process runs.
    pub fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, SeqCst);
    }

    /// A run as its journal tells it.
    pub fn machine(&self, run: RunId) -> Machine {
        machine(&self.disk, &self.agents, run)
    }

    /// The outputs of a run, as its journal tells them.
    pub fn outputs(&self, run: RunId) -> Value {
        outputs(&self.machine(run))
    }
}

fn machine(disk: &Disk, agents: &Agents, run: RunId) -> Machine {
    let entries = disk.entries(run);
    let heddle_engine::journal::Event::Accepted(accepted) = &entries[0].what else { panic!("not a run") };
    Machine::replay(run, agents.find(accepted.graph).unwrap(), &entries)
}

/// One process and its host.
#[derive(Clone)]
pub struct Process {
    pub host: Arc<Host>,
    agents: Arc<Agents>,
    disk: Arc<Disk>,
    runs: Arc<AtomicU64>,
}

/// A run that was started.
pub struct Run {
    pub id: RunId,
    progress: watch::Receiver<Progress>,
}

impl Process {
    /// A run of a graph, ready to start.
    pub fn prepare(&self, graph: &Builder, change: impl FnOnce(&mut Accepted)) -> (RunId, Prepared) {
        let plan = graph.plan();
        self.agents.add(&plan);
        let number = self.runs.fetch_add(1, SeqCst) as u8;
        let run = RunId::from_random([100 + number; 16]);
        let (owner, organization) = (UserId::from_random([1; 16]), OrgId::from_random([2; 16]));
        let mut accepted = Accepted::new(run, owner, organization, plan.graph, plan.version);
        change(&mut accepted);
        (run, self.host.prepare(run, plan, accepted, None).unwrap())
    }

    /// Starts a run without inputs.
    pub async fn start(&self, graph: &Builder) -> Run {
        self.try_start(graph).await.unwrap()
    }

    /// Starts a run, or not.
    pub async fn try_start(&self, graph: &Builder) -> Result<Run, StartError> {
        let (id, prepared) = self.prepare(graph, |_| {});
        Ok(Run { id, progress: self.host.start(prepared).await? })
    }

    /// Starts a run behind the test's back: nothing says when it is accepted.
    pub fn start_aside(&self, graph: &Builder) -> RunId {
        let (id, prepared) = self.prepare(graph, |_| {});
        let host = Arc::clone(&self.host);
        tokio::spawn(async move { host.start(prepared).await.map(drop) });
        id
    }

    /// Goes on with every run on disk that has not ended.
    pub fn resume(&self) {
        let (runs, parked) = self.disk.unfinished();
        self.host.resume(&runs, parked);
    }

    /// Waits until every run here has ended, and is not kept.
    pub async fn all_ended(&self) {
        let all = async {
            while self.host.gauges() != Gauges::default() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(HANGS, all).await.expect("all runs end");
        let left: Vec<_> = self.disk.runs().into_iter().filter(|run| self.disk.row(*run).ended_at.is_none()).collect();
        assert_eq!(left, [], "all runs have ended on disk");
    }
}

impl Run {
    /// Waits for the end of the run.
    pub async fn ended(&mut self) -> Arc<Machine> {
        let ended = self.progress.wait_for(|progress| progress.ended.is_some());
        let progress = tokio::time::timeout(HANGS, ended).await.expect("the run ends").unwrap();
        progress.ended.clone().unwrap()
    }

    /// The outputs of the run at its end.
    pub async fn outputs(&mut self) -> Value {
        outputs(&*self.ended().await)
    }
}

/// The run's outputs as an object.
pub fn outputs(machine: &Machine) -> Value {
    machine.outputs().into_iter().map(|(name, values)| (name, Value::from(values))).collect()
}

/// What each execution of a node has emitted, the pins aside.
pub fn emitted(machine: &Machine, node: &str) -> Vec<Value> {
    let of_node = machine.execs.iter().filter(|exec| machine.plan.node(exec.node).id.as_str() == node);
    of_node.flat_map(|exec| exec.outputs.iter().map(|(_, value)| value.clone())).collect()
}

/// Returns when nobody else has anything to do. Time is paused and moves on only then.
pub async fn idle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Gives everybody turns until something holds; for processes that are never idle.
pub async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..300 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never comes to that")
}
