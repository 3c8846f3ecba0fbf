//! A journal read plainly: what each event may say after those before it, and what the row must say then.

use crate::core::Script;
use crate::model::{asks, emissions, pins_of, price, used_by};
use crate::money::is_short;
use crate::spec::Spec;
use heddle_engine::Limits;
use heddle_engine::journal::{Answer, Counts, Entry, Event, Outcome, Parked, Row, Settings};
use heddle_model::block::COUNTDOWN_TIMER;
use heddle_model::{Object, RunId, Status, Time, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One run, as far as its journal is on disk.
pub struct Ledger {
    pub spec: Arc<Spec>,
    pub root: RunId,
    pub inputs: Object,
    pub settings: Settings,
    pub status: Status,
    pub error: Option<String>,
    pub execs: BTreeMap<u32, Exec>,
    pub counts: Counts,
    /// Attempts that paused for a person.
    pub paused: u64,
    /// An effect was not repeated after a crash.
    pub was_interrupted: bool,
    /// It ended for want of credits.
    pub was_short: bool,
    /// Spending is not free.
    is_paid: bool,
    /// Credits for executions that began, fees included; the fees alone; what executions have used.
    pub begun: u64,
    pub fees: u64,
    pub used: u64,
    /// What its output nodes have told a parent, in order.
    pub told: Script,
    /// Nodes whose further reviews persons have approved.
    trusted: BTreeSet<usize>,
    created_at: Time,
    started_at: Option<Time>,
    events: u64,
    news: u64,
    stop_asked: bool,
}

/// One execution.
pub struct Exec {
    pub node: usize,
    pub status: Status,
    pub input: Arc<Object>,
    pub outputs: Script,
    /// What went out over the links; what a repeat brings that differs comes after what it takes the place of.
    sent: Script,
    /// Times it began.
    pub begun: u32,
    wake_at: Option<Time>,
    /// Rounds of a timer that began.
    rounds: usize,
    pub child: Option<(RunId, u64)>,
    was_asked: bool,
    answer: Option<Answer>,
    used: Option<u64>,
}

type Check = Result<(), String>;

impl Ledger {
    pub fn new(first: &Entry, library: &[Arc<Spec>], is_paid: bool) -> Result<Self, String> {
        let Event::Accepted(accepted) = &first.what else { return Err("the first event is no acceptance".to_owned()) };
        let spec = library.iter().find(|spec| spec.id() == accepted.graph).ok_or("an unknown graph")?;
        Ok(Self {
            spec: Arc::clone(spec),
            root: accepted.root,
            inputs: accepted.inputs.clone(),
            settings: accepted.settings.clone(),
            status: Status::Queued,
            error: None,
            execs: BTreeMap::new(),
            counts: Counts::default(),
            paused: 0,
            was_interrupted: false,
            was_short: false,
            is_paid,
            begun: 0,
            fees: 0,
            used: 0,
            told: Script::new(),
            trusted: BTreeSet::new(),
            created_at: first.at,
            started_at: None,
            events: 1,
            news: 0,
            stop_asked: false,
        })
    }

    pub fn has_ended(&self) -> bool {
        self.status.is_terminal()
    }

    fn running(&self) -> impl Iterator<Item = (u32, &Exec)> {
        self.execs.iter().filter(|(_, exec)| exec.status == Status::Running).map(|(index, exec)| (*index, exec))
    }

    fn block(&self, exec: &Exec) -> &'static str {
        self.spec.nodes[exec.node].block
    }

    fn exec(&mut self, index: u32) -> Result<&mut Exec, String> {
        self.execs.get_mut(&index).ok_or_else(|| format!("execution {index} never began"))
    }

    fn go(&mut self, to: Status) -> Check {
        let allowed = match to {
            Status::Queued => matches!(self.status, Status::Review),
            Status::Running => matches!(self.status, Status::Queued | Status::Review | Status::Running),
            Status::Review | Status::Completed => self.status == Status::Running,
            Status::Failed | Status::Terminated => !self.has_ended(),
            Status::Incomplete => false,
        };
        let from = std::mem::replace(&mut self.status, to);
        if allowed { Ok(()) } else { Err(format!("{} after {}", to.as_str(), from.as_str())) }
    }

    /// Takes the next event in; `script` tells what a flaky execution does.
    pub fn take(&mut self, entry: &Entry, limits: &Limits, script: impl Fn(u32) -> Option<Script>) -> Check {
        ensure(!self.has_ended(), || "something follows the end".to_owned())?;
        self.events += 1;
        match &entry.what {
            Event::Accepted(_) => return Err("accepted twice".to_owned()),
            Event::Started { exec, node, input, cost } => {
                self.started(*exec, *node as usize, input, entry.at)?;
                let block = self.block(&self.execs[exec]);
                let fee = cost.checked_sub(price(block)).filter(|fee| *fee <= u64::from(self.is_paid));
                self.fees += fee.ok_or_else(|| format!("{block} costs {cost}"))?;
                self.begun += cost;
                self.counts.cost += cost;
            }
            Event::Charged { exec, cost } => {
                let block = self.block(self.execs.get(exec).ok_or("what never began has used something")?);
                ensure(*cost == used_by(block), || format!("{block} has used {cost}"))?;
                self.used += cost;
                self.counts.cost += cost;
                let state = self.exec(*exec)?;
                let is_new = state.status == Status::Running && state.used.replace(*cost).is_none();
                ensure(is_new, || format!("what {exec} has used is told again"))?;
            }
            Event::Ended { exec, outcome: Outcome::Failed(text), .. } if !self.execs.contains_key(exec) => {
                ensure(self.is_paid && is_short(Some(text)), || format!("{exec} ended before it began: {text}"))?;
                (self.counts.nodes, self.counts.errors) = (self.counts.nodes + 1, self.counts.errors + 1);
                self.was_short = true;
            }
            Event::AttemptBegun { exec } => {
                let state = self.exec(*exec)?;
                let answered = state.status == Status::Review && state.answer.is_some();
                ensure(state.status == Status::Running || answered, || format!("execution {exec} begins again"))?;
                (state.status, state.begun) = (Status::Running, state.begun + 1);
                self.go(Status::Running)?;
            }
            Event::Output { exec, position, pin, value } => {
                self.emitted(*exec, *position as usize, (pin.clone(), value.clone()), script(*exec))?;
                let is_due = self.execs[exec].wake_at.is_none_or(|wake_at| wake_at <= entry.at);
                ensure(is_due, || format!("{exec} did not wait for the end of its round"))?;
            }
            Event::Ended { exec, outcome, child, outputs } => {
                self.cut(*exec, *outputs, outcome)?;
                self.ended(*exec, outcome, *child, limits, script(*exec))?;
            }
            Event::Noted { exec, .. } => return Err(format!("{exec} notes something, which no block here does")),
            Event::Called { exec, .. } => return Err(format!("{exec} calls a tool, which no block here does")),
            Event::ChildStarted { exec, child } => {
                let state = self.exec(*exec)?;
                ensure(state.child.replace((*child, 0)).is_none(), || "a second child".to_owned())?;
            }
            Event::ChildRead { exec, upto } => {
                let child = self.exec(*exec)?.child.as_mut().ok_or("a child was read before it began")?;
                ensure(child.1 < *upto, || format!("a child was read up to {} and then {upto}", child.1))?;
                child.1 = *upto;
            }
            Event::TimerSet { exec, wake_at } => {
                let state = self.exec(*exec)?;
                let seconds = state.input.get("seconds").and_then(Value::as_i64).unwrap_or_default();
                ensure(*wake_at == entry.at.plus_seconds(seconds), || format!("{exec} waits for {wake_at:?}"))?;
                let is_new = state.rounds == state.outputs.len();
                (state.wake_at, state.rounds) = (Some(*wake_at), state.rounds + 1);
                ensure(is_new, || format!("{exec} waits anew before its round is over"))?;
            }
            Event::ReviewAsked { exec } => {
                self.counts.nodes += 1;
                self.paused += 1;
                let state = self.exec(*exec)?;
                let is_new = state.status == Status::Running && !std::mem::replace(&mut state.was_asked, true);
                ensure(is_new, || "asked twice".to_owned())?;
                state.status = Status::Review;
                let node = state.node;
                let block = self.spec.nodes[node].block;
                let may_ask = asks(block, &self.settings) && !self.trusted.contains(&node);
                ensure(may_ask, || format!("somebody is asked about {exec} of {block}"))?;
            }
            Event::ReviewAnswered { exec, answer } => {
                ensure(self.status == Status::Review, || format!("answered while {}", self.status.as_str()))?;
                let state = self.exec(*exec)?;
                let waits = state.status == Status::Review && state.answer.replace((**answer).clone()).is_none();
                ensure(waits, || "answered without a question".to_owned())?;
                if answer.approved && answer.future {
                    let node = state.node;
                    self.trusted.insert(node);
                }
                if self.execs.values().all(|exec| exec.status != Status::Review || exec.answer.is_some()) {
                    self.go(Status::Queued)?;
                }
            }
            Event::Paused => {
                let waits = |exec: &Exec| exec.status == Status::Review && exec.answer.is_none();
                let is_due = self.running().next().is_none() && self.execs.values().any(waits);
                ensure(is_due, || "paused although it can go on".to_owned())?;
                self.go(Status::Review)?;
            }
            Event::StopAsked => {
                ensure(!std::mem::replace(&mut self.stop_asked, true), || "stopped twice".to_owned())?;
            }
            Event::Resumed { .. } => {}
            Event::RunEnded { status, error, counts } => {
                ensure(*counts == self.counts, || format!("counted {counts:?}, were {:?}", self.counts))?;
                ensure(self.running().next().is_none(), || "the run ended while something runs".to_owned())?;
                ensure((*status == Status::Terminated) == self.stop_asked, || "ended without reason".to_owned())?;
                let is_short = is_short(error.as_deref());
                ensure(is_short || !self.was_short, || "it went on without credits".to_owned())?;
                self.was_short = is_short;
                self.go(*status)?;
                self.error.clone_from(error);
                self.news = self.events;
            }
        }
        Ok(())
    }

    fn started(&mut self, index: u32, node: usize, input: &Arc<Object>, at: Time) -> Check {
        let exec = Exec {
            node,
            status: Status::Running,
            input: Arc::clone(input),
            outputs: Script::new(),
            sent: Script::new(),
            begun: 1,
            wake_at: None,
            rounds: 0,
            child: None,
            was_asked: false,
            answer: None,
            used: None,
        };
        ensure(self.execs.insert(index, exec).is_none(), || format!("execution {index} started twice"))?;
        self.started_at.get_or_insert(at);
        self.go(Status::Running)
    }

    /// What an execution emits is what it has to emit at that place. Only a repeat may emit something twice, and only
    /// what differs is recorded again.
    fn emitted(&mut self, index: u32, position: usize, output: (String, Value), script: Option<Script>) -> Check {
        let (spec, settings) = (Arc::clone(&self.spec), self.settings.clone());
        let is_first = self.is_first(index);
        let state = self.exec(index)?;
        ensure(state.status == Status::Running, || format!("execution {index} emits and does not run"))?;
        let node = &spec.nodes[state.node];
        if node.agent.is_none() {
            // What began before a crash and never was on disk may have been another node's.
            let script = script.filter(|_| node.block == "flaky");
            let due = script.unwrap_or_else(|| emissions(node, &state.input, &settings));
            ensure(due.get(position) == Some(&output), || format!("execution {index} emitted {output:?} of {due:?}"))?;
        }
        match state.outputs.get_mut(position) {
            Some(before) => {
                let may = node.block == "flaky" && state.begun > 1 && *before != output;
                *before = output.clone();
                ensure(may, || format!("execution {index} emits {position} again"))?;
            }
            None => {
                ensure(state.outputs.len() == position, || format!("execution {index} emits {position}"))?;
                state.outputs.push(output.clone());
            }
        }
        if is_first {
            state.sent.push(output);
        }
        Ok(())
    }

    /// Whether all earlier executions of the same node have ended: only then its outputs go out.
    fn is_first(&self, index: u32) -> bool {
        let node = self.execs.get(&index).map(|exec| exec.node);
        let mut earlier = self.execs.range(..index).map(|(_, exec)| exec).filter(|exec| Some(exec.node) == node);
        earlier.all(|exec| exec.status.is_terminal())
    }

    /// The outputs of a longer attempt that came to nothing are not those of the one that ended.
    fn cut(&mut self, index: u32, outputs: Option<u32>, outcome: &Outcome) -> Check {
        let (spec, state) = (Arc::clone(&self.spec), self.exec(index)?);
        let Some(left) = outputs.map(|left| left as usize) else { return Ok(()) };
        let is_flaky = spec.nodes[state.node].block == "flaky" && *outcome != Outcome::Terminated;
        let may = is_flaky && state.begun > 1 && left < state.outputs.len();
        state.outputs.truncate(left);
        ensure(may, || format!("execution {index} has lost outputs"))
    }

    fn ended(
        &mut self,
        index: u32,
        outcome: &Outcome,
        child: Option<Counts>,
        limits: &Limits,
        script: Option<Script>,
    ) -> Check {
        let (stop_asked, was_short) = (self.stop_asked, self.was_short);
        let (spec, settings) = (Arc::clone(&self.spec), self.settings.clone());
        let is_first = self.is_first(index);
        let state = self.exec(index)?;
        ensure(state.status == Status::Running, || format!("execution {index} ended and did not run"))?;
        let node = &spec.nodes[state.node];
        let is_bounded = limits.events.is_some() || limits.run_seconds.is_some();
        state.status = match outcome {
            Outcome::Completed => Status::Completed,
            Outcome::Terminated if stop_asked || is_bounded || was_short => Status::Terminated,
            Outcome::Terminated => return Err(format!("execution {index} was ended for nothing")),
            Outcome::Failed(text) => {
                state.outputs.push(("error".to_owned(), text.clone().into()));
                if is_first {
                    state.sent.push(("error".to_owned(), text.clone().into()));
                }
                Status::Failed
            }
        };
        let was_interrupted = matches!(outcome, Outcome::Failed(text) if text == "interrupted");
        let is_whole = node.agent.is_some() || *outcome == Outcome::Terminated || was_interrupted;
        let (emitted, begun) = (state.outputs.clone(), state.begun);
        let script = script.filter(|_| node.block == "flaky");
        let due = script.unwrap_or_else(|| emissions(node, &state.input, &settings));
        ensure(is_whole || emitted == due, || {
            format!("execution {index} of {} ended after {emitted:?}, due {due:?}", node.block)
        })?;
        let (was_asked, used) = (state.was_asked, state.used.unwrap_or_default());
        ensure(*outcome == Outcome::Terminated || used == used_by(node.block), || {
            format!("execution {index} of {} has used {used}", node.block)
        })?;
        let may_go_on = was_asked || !asks(node.block, &settings) || self.trusted.contains(&self.execs[&index].node);
        ensure(may_go_on || *outcome == Outcome::Terminated, || format!("nobody was asked about {index}"))?;
        if was_interrupted {
            let is_effect = matches!(node.block, "unsafe" | "sensitive");
            let may = limits.fail_interrupted && is_effect && begun == 1 + u32::from(was_asked);
            ensure(may, || format!("execution {index} was not repeated"))?;
            self.was_interrupted = true;
        }
        let child = child.unwrap_or_default();
        self.counts.nodes += 1 + child.nodes;
        self.counts.errors += child.errors + u64::from(matches!(outcome, Outcome::Failed(_)));
        self.counts.cost += child.cost;
        if node.block == "output" {
            self.news = self.events;
            let told = emitted.into_iter().filter(|(pin, _)| pin == "output");
            self.told.extend(told.map(|(_, value)| (node.id.clone(), value)));
        }
        self.send_next(index);
        Ok(())
    }

    /// Now that one has ended, those go out whose turn it is.
    fn send_next(&mut self, ended: u32) {
        let node = self.execs[&ended].node;
        if !self.is_first(ended) {
            return;
        }
        for (_, exec) in self.execs.range_mut(ended + 1..).filter(|(_, exec)| exec.node == node) {
            exec.sent = exec.outputs.clone();
            if !exec.status.is_terminal() {
                return;
            }
        }
    }

    /// The row says what the journal says.
    pub fn check_row(&self, row: &Row, limits: &Limits) -> Check {
        let told = (row.status, row.counts, row.news, row.started_at, row.ended_at.is_some(), &row.error);
        let is = (self.status, self.counts, self.news, self.started_at, self.has_ended(), &self.error);
        ensure(told == is, || format!("the row says {told:?}, the journal {is:?}"))?;
        let Some(parked) = &row.parked else { return Ok(()) };
        let moves = |(_, exec): (u32, &Exec)| exec.wake_at.is_none() && exec.child.is_none();
        let is_moving = self.has_ended() || self.status == Status::Queued || self.running().any(moves);
        ensure(!is_moving, || {
            let running: Vec<_> = self.running().map(|(index, exec)| (index, self.block(exec))).collect();
            format!("parked {} although {running:?} move", self.status.as_str())
        })?;
        let timers = self.running().filter(|(_, exec)| self.block(exec) == COUNTDOWN_TIMER);
        let deadline = limits.run_seconds.and_then(|seconds| Some(self.started_at?.plus_seconds(seconds as i64)));
        let wake_at = timers.filter_map(|(_, exec)| exec.wake_at).chain(deadline).min();
        let awaits: Vec<_> = self.running().filter_map(|(_, exec)| exec.child).collect();
        let want = Parked { wake_at, awaits };
        ensure(*parked == want, || format!("the row says {parked:?}, the journal {want:?}"))
    }

    /// Each value that was emitted reaches each node that it is linked to, once and in order. What is on disk may lag.
    pub fn check_routing(&self) -> Check {
        for (index, node) in self.spec.nodes.iter().enumerate() {
            let fired: Vec<&Exec> = self.execs.values().filter(|exec| exec.node == index).collect();
            let pins = pins_of(&self.spec, index);
            let mut fewest = usize::MAX;
            for (sink, fixed) in &pins {
                let arrived = self.arrived(index, sink);
                let used: Vec<&Value> = fired.iter().filter_map(|exec| exec.input.get(sink)).collect();
                if *fixed {
                    fewest = fewest.min(if arrived.is_empty() { 0 } else { usize::MAX - 1 });
                    continue;
                }
                fewest = fewest.min(arrived.iter().map(Vec::len).sum());
                if sink != "gate" && sink != "n" {
                    check_arrivals(&arrived, &used).map_err(|text| format!("{}.{sink}: {text}", node.id))?;
                }
            }
            let starts = pins.is_empty() || node.block == "input";
            let most = match fewest {
                _ if starts => 1,
                many if many >= usize::MAX - 1 => 1,
                few => few,
            };
            ensure(fired.len() <= most, || format!("{} fired {} times, at most {most}", node.id, fired.len()))?;
            let is_done = self.status == Status::Completed;
            ensure(!is_done || fired.len() == most, || format!("{} fired {} of {most} times", node.id, fired.len()))?;
        }
        Ok(())
    }

    /// What was routed to a pin, by the link that it came over.
    fn arrived(&self, node: usize, sink: &str) -> Vec<Vec<&Value>> {
        let links = self.spec.links.iter().filter(|link| link.to == node && link.sink == sink);
        links
            .map(|link| {
                let mut values = Vec::new();
                for exec in self.execs.values().filter(|exec| exec.node == link.from) {
                    let selected = exec.sent.iter().filter(|(pin, _)| *pin == link.source);
                    values.extend(selected.map(|(_, value)| value));
                }
                values
            })
            .filter(|values: &Vec<&Value>| !values.is_empty())
            .collect()
    }

    /// What an execution works on that may be at work: a person may have let it, and changed its input.
    pub fn may_work(&self, index: u32) -> Option<&Object> {
        let exec = self.execs.get(&index).filter(|exec| exec.status == Status::Running && !self.has_ended())?;
        let is_free = !asks(self.block(exec), &self.settings) || self.trusted.contains(&exec.node);
        match &exec.answer {
            None if exec.was_asked || !is_free => None,
            Some(answer) if !answer.approved => None,
            answer => match answer.as_ref().and_then(|answer| answer.data.as_ref()) {
                Some(data) => data.as_object(),
                None => Some(&exec.input),
            },
        }
    }

    /// Whether all its executions have come to an end, apart from those that never began.
    pub fn check_end(&self) -> Check {
        let open: BTreeSet<u32> = self.running().map(|(index, _)| index).collect();
        ensure(open.is_empty(), || format!("executions {open:?} never ended"))?;
        let is_asking = |exec: &Exec| exec.status == Status::Review;
        let is_asking = self.status == Status::Completed && self.execs.values().any(is_asking);
        ensure(!is_asking, || "it ended while a person was asked".to_owned())?;
        ensure(self.created_at.0 > 0, || "it was never accepted".to_owned())
    }
}

/// Values of one link arrive in order; those of several in some order.
fn check_arrivals(arrived: &[Vec<&Value>], used: &[&Value]) -> Check {
    let mut all: Vec<&Value> = arrived.iter().flatten().copied().collect();
    if arrived.len() <= 1 {
        return ensure(all.starts_with(used), || format!("used {used:?} of {all:?}"));
    }
    for value in used {
        let Some(at) = all.iter().position(|other| other == value) else {
            return Err(format!("used {value} once too often of {arrived:?}"));
        };
        all.swap_remove(at);
    }
    Ok(())
}

fn ensure(holds: bool, text: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(text()) }
}
