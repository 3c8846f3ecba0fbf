//! One of those who start runs, all the time, and want every one of them to be answered for.

use super::dice::Dice;
use super::follower::Follower;
use super::model::{Asked, Seen, Stop};
use super::upstream::Upstream;
use super::workload::Workload;
use super::world::{Notice, World};
use crate::support::{Answer, Client, execute, execution};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Runs that one starter leaves unfinished before it waits for the oldest.
const UNFINISHED: usize = 5;
/// Starts of one starter in one life of the server: the rest of it is left to what has been started.
const STARTS: u64 = 12;
/// Between two attempts, and between the first looks at a run that has not ended …
const PAUSE: Duration = Duration::from_millis(10);
/// … and later ones.
const LONG_PAUSE: Duration = Duration::from_millis(200);

const MIX: [(u64, Workload); 8] = [
    (10, Workload::Chain),
    (1, Workload::Iteration),
    (4, Workload::Request),
    (3, Workload::Requests),
    (3, Workload::Scatter),
    (3, Workload::Receipt),
    (2, Workload::Family),
    (3, Workload::Counter),
];

/// What all starters use.
pub struct Shared {
    /// Where the server is.
    pub world: Arc<World>,
    /// Where effects go.
    pub upstream: Upstream,
    /// The saved agents.
    pub graphs: HashMap<Workload, Value>,
    /// An API key.
    pub key: String,
    /// Numbers the runs.
    pub runs: AtomicU64,
}

/// A starter.
pub struct Starter {
    shared: Arc<Shared>,
    dice: Dice,
    /// Its name, at the end of its tokens.
    place: String,
    counted: u64,
    unfinished: VecDeque<(Asked, Option<Follower>)>,
    finished: Vec<Asked>,
}

impl Shared {
    /// A client of the living server and which life that is; `None` when all is to be given up.
    pub fn client(&self) -> Option<(Client, u64)> {
        let (address, life) = self.world.server()?;
        Some((Client::new(&address, Some(self.key.clone())), life))
    }

    /// Asks until there is an answer to be had, through as many servers as it takes.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Option<Answer> {
        loop {
            let (client, life) = self.client()?;
            let body = body.map(Value::to_string);
            let answer = client.try_send(method, path, headers, body, || self.world.notice(Notice::Answer));
            match answer {
                // The port of a server that has gone may be somebody else's now, who knows no key of ours.
                Ok(answer) if answer.status == 401 && !self.world.lives(life) => {}
                Ok(answer) if answer.status != 503 => return Some(answer),
                _ => {}
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The JSON of a run's results.
    pub fn results(&self, asked: &Asked) -> Option<Answer> {
        self.ask("GET", &format!("{}/results", self.path(asked)?), &[], None)
    }

    /// Where a run is.
    pub fn path(&self, asked: &Asked) -> Option<String> {
        Some(execution(&self.graphs[&asked.workload], asked.ids.first()?))
    }

    /// Sends a start until it is answered; once more when it has been.
    pub fn start(&self, asked: &mut Asked, wait: bool) {
        let path = execute(&self.graphs[&asked.workload]);
        let body = json!({"node_input": asked.workload.inputs(&asked.token)});
        let headers = [("Idempotency-Key", asked.token.as_str()), ("Prefer", "wait=5")];
        let headers = if wait { &headers[..] } else { &headers[..1] };
        loop {
            let Some(answer) = self.ask("POST", &path, headers, Some(&body)) else { return };
            match answer.status {
                200 => {
                    let answer = answer.json();
                    asked.ids.push(answer["id"].as_str().unwrap_or_default().to_owned());
                    asked.seen.extend(end_in(&answer));
                    return;
                }
                // The server does not know yet that nobody waits for the answer to the first one.
                409 => std::thread::sleep(PAUSE),
                _ => return self.world.fault(format!("starting {} was answered {answer:?}", asked.token)),
            }
        }
    }

    /// Sends a stop until it is answered.
    fn stop(&self, asked: &mut Asked) {
        let Some(path) = self.path(asked) else { return };
        asked.stop = Some(Stop::default());
        let Some(answer) = self.ask("POST", &format!("{path}/stop"), &[], None) else { return };
        match answer.status {
            200 => {
                let status = answer.json()["status"].as_str().unwrap_or_default().to_owned();
                asked.stop = Some(Stop { acknowledged: Some((status, self.upstream.mark())) });
            }
            409 => {}
            _ => self.world.fault(format!("stopping {} was answered {answer:?}", asked.token)),
        }
    }

    /// Looks at a run until it has ended.
    pub fn wait_for_end(&self, asked: &mut Asked) {
        let mut pause = PAUSE;
        while let Some(answer) = self.results(asked) {
            if answer.status != 200 {
                return self.world.fault(format!("{} was answered for with {answer:?}", asked.token));
            }
            if let Some(end) = end_in(&answer.json()) {
                return asked.seen.push(end);
            }
            std::thread::sleep(pause);
            pause = LONG_PAUSE.min(pause * 3 / 2);
        }
    }
}

/// The end that an answer tells of.
pub fn end_in(answer: &Value) -> Option<Seen> {
    let status = answer["status"].as_str()?;
    let ended = ["COMPLETED", "FAILED", "TERMINATED"].contains(&status);
    ended.then(|| Seen { status: status.to_owned(), output: answer["output"].clone() })
}

impl Starter {
    /// The starter of this number.
    pub fn new(shared: Arc<Shared>, dice: Dice, number: usize) -> Self {
        let (unfinished, finished) = Default::default();
        Self { shared, dice, place: format!("s{number}"), counted: 0, unfinished, finished }
    }

    /// Starts runs until there is to be an end; all that it has started.
    pub fn work(mut self) -> Vec<Asked> {
        let (mut life, mut starts) = (0, 0);
        while !self.shared.world.is_finishing() {
            let Some((_, now)) = self.shared.world.server() else { break };
            if now != life {
                (life, starts) = (now, 0);
            }
            if starts == STARTS {
                self.finish_down_to(0);
                self.shared.world.next_life(life);
                continue;
            }
            starts += 1;
            let workload = self.dice.pick(&MIX);
            self.run(workload);
            self.finish_down_to(UNFINISHED - 1);
        }
        self.finish_down_to(0);
        self.finished
    }

    fn run(&mut self, workload: Workload) {
        let is_counter = workload == Workload::Counter;
        if is_counter {
            // One after the other: two at once would both read the same number, and rightly so.
            self.finish_down_to(0);
            self.counted += 1;
        }
        let number = self.shared.runs.fetch_add(1, Ordering::Relaxed);
        let mut asked = Asked::new(token(number, &self.place), workload, self.counted);
        let wait = workload == Workload::Chain && self.dice.one_in(2);
        self.shared.start(&mut asked, wait);
        let path = self.shared.path(&asked).filter(|_| self.dice.one_in(4));
        let follower = path.map(|path| Follower::of(Arc::clone(&self.shared), path, self.dice.fork()));
        if !is_counter && self.dice.one_in(6) {
            std::thread::sleep(self.dice.millis(0, 300));
            self.shared.stop(&mut asked);
        }
        if self.dice.one_in(8) {
            self.shared.start(&mut asked, false);
        }
        self.unfinished.push_back((asked, follower));
    }

    fn finish_down_to(&mut self, count: usize) {
        while self.unfinished.len() > count {
            let Some((mut asked, follower)) = self.unfinished.pop_front() else { return };
            self.shared.wait_for_end(&mut asked);
            asked.followed = follower.map(Follower::events);
            self.finished.push(asked);
        }
    }
}

/// A run's name. All have the same length, so that none is the beginning of another.
pub fn token(number: u64, place: &str) -> String {
    format!("r{number:07}@{place}")
}
