//! Carries one run from where it stands to its end, or to where only time or others can move it: one task a moving run.
//!
//! The driver asks the machine what may start, runs it, and turns everything that happens into events. Events become
//! durable in frames; at most one frame of a run is on its way at a time, so a refused frame never leaves a gap.
//! Pure work runs ahead of the disk, effects wait for it ([`crate::Effect`]).

mod alarm;
mod attempts;
mod call;
mod child;
mod frame;
mod inbox;
mod limits;
mod outbox;
mod pay;
mod review;
mod start;
mod stop;

use crate::credits::{Charge, Hold, Short};
use crate::host::{Control, Host, Progress};
use crate::journal::{Entry, Event, JournalError, Opening, Outcome, Parked, Review};
use crate::machine::{Machine, Step};
use crate::ports::{Call, Called, Context, Emitted, Failure, KeyValue, Place, Ticket};
use crate::turns;
use child::ChildNews;
use frame::durable;
use futures::FutureExt;
use heddle_model::{RunId, Time, Usage, Value};
use inbox::Inbox;
use outbox::Said;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub use review::AnswerError;
pub(crate) use review::Reply;

/// A frame is cut at so many events …
const FRAME_EVENTS: usize = 1024;
/// … or after so many microseconds of work; then stop, limits and other runs get their turn.
const FRAME_MICROS: i64 = 5_000;

/// A run that was checked and may begin: nothing of it is on disk yet.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) machine: Machine,
    pub(crate) entries: Vec<Entry>,
    pub(crate) opening: Opening,
    /// A child's place among its generation, see [`Host::generation`].
    pub(crate) generation: Option<OwnedSemaphorePermit>,
}

/// How a drive ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// The run has ended and all of it is on disk.
    Ended,
    /// The process is closing; the run goes on at the next start.
    Closed,
    /// Only what its row says can wake it.
    Parked(Parked),
    /// It is on disk and waits for a place.
    Yielded,
    /// The journal failed: what is in memory is ahead of the disk and must be thrown away.
    Lost {
        /// What it said.
        error: JournalError,
        /// Events that are on disk for certain.
        durable: u64,
    },
}

/// What a waiting piece of work reports.
#[derive(Debug)]
pub(crate) enum Message {
    /// A block emitted a value.
    Output(u32, String, Value),
    /// A block ended, with what it emitted and nobody was told of yet.
    Emitted(u32, Emitted, Result<(), Failure>),
    /// A block noted something.
    Noted(u32, Option<Value>, Usage),
    /// A block calls a node as a tool.
    Called(u32, Call, oneshot::Sender<Called>),
    /// A block that may wait ended, with what it said last.
    Finished(u32, Vec<Said>, Result<(), Failure>),
    /// An agent node's child was checked; or why it cannot be.
    ChildReady(u32, Result<Box<Prepared>, String>),
    /// A child emitted or ended.
    ChildNews(u32, ChildNews),
    /// A child parked, or goes on.
    ChildParked(u32, bool),
}

/// One run being driven.
pub(crate) struct Driver {
    host: Arc<Host>,
    machine: Machine,
    /// Number of the next event.
    next: u64,
    pending: Vec<Entry>,
    writes: Vec<KeyValue>,
    reviews: Vec<Review>,
    /// What the events that are pending take from the owner's wallet.
    charge: Option<Charge>,
    /// What the execution costs that is about to begin.
    cost: u64,
    /// An execution that there are not enough credits for.
    short: Option<(u32, Short)>,
    /// What tools will cost that run.
    set_aside: HashMap<u32, Hold>,
    opening: Option<Opening>,
    /// The frame that is on its way.
    flight: Option<Flight>,
    durable: u64,
    /// What the last row on disk says about parking.
    parked: Option<Parked>,
    channels: Channels,
    inbox: Inbox,
    /// Work that waits: what to abort, by execution.
    tasks: HashMap<u32, AbortHandle>,
    /// Those that read children's journals, by execution.
    followers: HashMap<u32, AbortHandle>,
    /// Executions whose children are parked.
    parked_children: HashSet<u32>,
    /// How far each child's journal has to be read before this run may park.
    told: HashMap<RunId, u64>,
    /// How many values each running execution has emitted in this attempt.
    positions: BTreeMap<u32, u32>,
    /// How many tools each running execution has called in this attempt.
    calls: HashMap<u32, usize>,
    /// Who waits for the end of an execution that runs as a tool.
    callers: HashMap<u32, Vec<oneshot::Sender<Called>>>,
    /// Executions that wait until the events before this number are on disk.
    held: VecDeque<(u64, u32)>,
    /// Rounds of timer nodes that are still to come, and when they end.
    timers: HashMap<u32, crate::ports::Timer>,
    alarms: BTreeSet<(Time, u32)>,
    /// Children whose first frame goes with the next one of ours, then those whose frame is on its way.
    births: Vec<(u32, Box<Prepared>)>,
    newborn: Vec<(u32, Machine, Option<OwnedSemaphorePermit>)>,
    /// Who waits for the events before this number to be on disk.
    replies: Vec<(u64, Reply)>,
    /// Whether nothing but its acceptance has happened, in this process.
    is_fresh: bool,
    /// Nothing runs before the events before this number are on disk.
    marked: u64,
    /// The run is tried alone.
    trial: Option<attempts::Trial>,
    moved_at: Instant,
    closing: bool,
    /// It is being ended before its time: nothing wakes it any more.
    is_ending: bool,
}

/// A frame that is on its way.
struct Flight {
    ticket: Ticket,
    /// The event number after it.
    upto: u64,
    /// What its row says about parking.
    parked: Option<Parked>,
    /// It holds something that a parent has to hear of.
    news: bool,
}

/// How a driver is reached, and what it holds; both outlive it when the journal fails.
pub(crate) struct Channels {
    /// Told once whether the run is on disk.
    pub(crate) accepted: Option<oneshot::Sender<Result<(), JournalError>>>,
    /// Told what is on disk.
    pub(crate) progress: watch::Sender<Progress>,
    /// Says stop or close.
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    /// What was said while nobody listened.
    pub(crate) first: Option<Control>,
    /// A stop was asked of a driver that lost its journal: the next one must see to it.
    pub(crate) stop: bool,
    /// Children whose first frame was refused: what is kept of them all the same is not counted as unfinished yet.
    pub(crate) unborn: Vec<RunId>,
    /// A place among the runs in memory; children ride on their root's.
    pub(crate) place: Option<turns::Place<RunId>>,
    /// A child's place among its generation.
    pub(crate) generation: Option<OwnedSemaphorePermit>,
    /// What was taken of the owner's credits for the run, on disk or not; `None` where spending is free.
    pub(crate) spent: Option<Arc<AtomicU64>>,
}

impl Driver {
    /// A driver for a run of which `durable` events are on disk and `entries` follow.
    pub(crate) fn new(
        host: Arc<Host>,
        machine: Machine,
        durable: u64,
        entries: Vec<Entry>,
        opening: Option<Opening>,
        channels: Channels,
    ) -> Self {
        let next = durable + entries.len() as u64;
        let mut pending = entries;
        // Most nodes run once: a start, an output and an end.
        pending.reserve((4 * machine.plan.nodes.len()).min(FRAME_EVENTS / 4));
        Self {
            host,
            machine,
            next,
            is_fresh: durable == 0,
            pending,
            writes: Vec::new(),
            reviews: Vec::new(),
            charge: None,
            cost: 0,
            short: None,
            set_aside: HashMap::new(),
            opening,
            flight: None,
            durable,
            parked: None,
            channels,
            inbox: Inbox::default(),
            tasks: HashMap::new(),
            followers: HashMap::new(),
            parked_children: HashSet::new(),
            told: HashMap::new(),
            positions: BTreeMap::new(),
            calls: HashMap::new(),
            callers: HashMap::new(),
            held: VecDeque::new(),
            timers: HashMap::new(),
            alarms: BTreeSet::new(),
            births: Vec::new(),
            newborn: Vec::new(),
            replies: Vec::new(),
            marked: 0,
            trial: None,
            moved_at: Instant::now(),
            closing: false,
            is_ending: false,
        }
    }

    /// Nobody else has touched the run since this process accepted it.
    pub(crate) fn fresh(self) -> Self {
        Self { is_fresh: true, ..self }
    }

    /// Where what it takes of its owner's credits is added up.
    pub(crate) fn spends(&mut self, spent: Option<Arc<AtomicU64>>) {
        self.channels.spent = spent;
    }

    /// Drives the run until it ends or parks, the process closes or the journal fails.
    pub(crate) async fn drive(mut self) -> (Drive, Channels) {
        self.count_unborn();
        let end = match self.carry().await {
            Ok(end) => end,
            Err(error) => Drive::Lost { error, durable: self.durable },
        };
        self.finish(end)
    }

    async fn carry(&mut self) -> Result<Drive, JournalError> {
        if self.channels.stop || self.machine.stop_asked || self.is_orphan().await {
            self.stop().await?;
        }
        self.take_controls().await?;
        if self.channels.place.is_none() && !self.machine.is_child() {
            return self.without_place().await;
        }
        self.open_purse().await?;
        self.begin_attempt().await?;
        if !self.machine.has_ended() && !self.closing {
            self.resume_running();
        }
        loop {
            if !self.awaits_mark() {
                self.work().await?;
            }
            self.end_trial();
            self.settle();
            self.flush();
            if let Some(end) = self.rest() {
                return Ok(end);
            }
            self.wait().await?;
        }
    }

    /// A crash may come between the end of a stopped parent and the end of its children.
    async fn is_orphan(&self) -> bool {
        let parent = self.machine.accepted.as_ref().and_then(|accepted| accepted.parent);
        match parent {
            Some(parent) if !self.is_fresh => self.host.has_ended(parent.run).await,
            _ => false,
        }
    }

    /// Only puts on disk what is there: stops and answers need no place, everything else waits for its turn.
    async fn without_place(&mut self) -> Result<Drive, JournalError> {
        loop {
            self.flush();
            if self.is_still() {
                return Ok(match self.machine.has_ended() {
                    true => Drive::Ended,
                    false if self.closing => Drive::Closed,
                    false => Drive::Yielded,
                });
            }
            tokio::select! {
                biased;
                result = durable(&mut self.flight) => self.on_durable(result)?,
                Some(control) = self.channels.control.recv() => self.on_control(control).await?,
            }
        }
    }

    /// Starts everything that may start, cutting frames on the way.
    async fn work(&mut self) -> Result<(), JournalError> {
        let mut since = self.host.now();
        while !self.closing && !self.machine.has_ended() {
            if self.is_over_bound() {
                return self.fail_for_excess().await;
            }
            let Some(step) = self.machine.next_step() else { break };
            self.begin(step);
            if let Some((exec, short)) = self.short.take() {
                self.pay_again(exec, short).await?;
            }
            let now = self.pending.last().map_or(since, |entry| entry.at);
            if self.pending.len() < FRAME_EVENTS && now.0 - since.0 < FRAME_MICROS {
                continue;
            }
            let arrived = match self.pending.len() >= FRAME_EVENTS && self.flight.is_some() {
                true => Some(durable(&mut self.flight).await),
                false => durable(&mut self.flight).now_or_never(),
            };
            arrived.map_or(Ok(()), |result| self.on_durable(result))?;
            self.flush();
            while let Ok(control) = self.channels.control.try_recv() {
                self.on_control(control).await?;
            }
            self.take_waiting_messages();
            self.ring();
            tokio::task::yield_now().await;
            since = self.host.now();
        }
        Ok(())
    }

    /// Only a run that follows children asks when it moved last.
    fn has_moved(&mut self) {
        if !self.followers.is_empty() {
            self.moved_at = Instant::now();
        }
    }

    fn begin(&mut self, step: Step) {
        self.has_moved();
        match step {
            Step::Start(exec) => match self.pay(exec) {
                Ok(()) => self.start(exec),
                Err(short) => self.short = Some((exec, short)),
            },
            Step::Skip(exec) => {
                self.record_start(exec);
                self.end(exec, Outcome::Completed);
            }
            Step::Fail(exec, text) => self.end(exec, Outcome::Failed(text)),
            Step::Resume(exec) => self.resume_review(exec),
        }
    }

    /// When nothing can start and nothing runs, the run is over, or waits for persons.
    fn settle(&mut self) {
        if !self.machine.is_idle() || self.machine.has_ended() || self.closing || !self.held.is_empty() {
            return;
        }
        if self.machine.has_reviews() {
            if self.machine.status != heddle_model::Status::Review {
                self.record(Event::Paused);
            }
        } else {
            self.end_run();
        }
    }

    /// Whether everything that happened is on disk.
    fn is_still(&self) -> bool {
        self.pending.is_empty() && self.flight.is_none()
    }

    /// How the drive ends, if it does so now.
    fn rest(&mut self) -> Option<Drive> {
        if !self.is_still() {
            return None;
        }
        if self.machine.has_ended() {
            return Some(Drive::Ended);
        }
        if self.closing {
            return Some(Drive::Closed);
        }
        let parked = self.parking()?;
        if self.parked.as_ref() == Some(&parked) {
            return Some(Drive::Parked(parked));
        }
        self.send_frame();
        None
    }

    /// Waits for the next thing to happen and takes it in.
    async fn wait(&mut self) -> Result<(), JournalError> {
        let alarm = self.next_alarm();
        tokio::select! {
            biased;
            result = durable(&mut self.flight) => self.on_durable(result)?,
            Some(control) = self.channels.control.recv() => self.on_control(control).await?,
            // A closing run takes nothing in: a child that closes first would look like one that was lost.
            message = self.inbox.next(), if !self.closing => self.on_message(message),
            () = tokio::time::sleep(alarm.unwrap_or_default()), if alarm.is_some() && !self.closing => self.ring(),
        }
        Ok(())
    }

    /// What waiting blocks have reported, so that endless immediate work does not shut them out.
    fn take_waiting_messages(&mut self) {
        for _ in 0..inbox::ROOM {
            if self.closing || self.machine.has_ended() {
                return;
            }
            let Some(message) = self.inbox.try_next() else { return };
            self.on_message(message);
        }
    }

    fn on_message(&mut self, message: Message) {
        self.has_moved();
        match message {
            // What an aborted task still had in the queue.
            Message::Output(exec, ..)
            | Message::Emitted(exec, ..)
            | Message::Noted(exec, ..)
            | Message::Called(exec, ..)
            | Message::Finished(exec, ..)
            | Message::ChildReady(exec, _)
                if !self.tasks.contains_key(&exec) => {}
            Message::ChildNews(exec, _) | Message::ChildParked(exec, _) if !self.followers.contains_key(&exec) => {}
            Message::Output(exec, pin, value) => self.on_output(exec, pin, value),
            Message::Emitted(exec, emitted, result) => {
                self.tasks.remove(&exec);
                self.take_emitted(exec, emitted, result);
            }
            Message::Noted(exec, note, usage) => self.record(Event::Noted { exec, note, usage }),
            Message::Called(exec, call, reply) => self.on_call(exec, call, reply),
            Message::Finished(exec, said, result) => {
                self.tasks.remove(&exec);
                self.take_said(exec, said, result);
            }
            Message::ChildReady(exec, child) => self.on_child_ready(exec, child),
            Message::ChildNews(exec, news) => self.on_child_news(exec, news),
            Message::ChildParked(exec, true) => drop(self.parked_children.insert(exec)),
            Message::ChildParked(exec, false) => drop(self.parked_children.remove(&exec)),
        }
    }

    async fn on_control(&mut self, control: Control) -> Result<(), JournalError> {
        match control {
            Control::Close => {
                self.closing = true;
                self.take_attempt_back();
            }
            Control::Stop => self.stop().await?,
            Control::Answer(answers, reply) => self.take_answers(answers, reply),
            // Its follower hears of it by itself; until it has, this run does not park over it.
            Control::ChildNews(child, news) => {
                let told = self.told.entry(child).or_default();
                *told = news.max(*told);
            }
        }
        Ok(())
    }

    /// What was said before this driver began.
    async fn take_controls(&mut self) -> Result<(), JournalError> {
        if let Some(first) = self.channels.first.take() {
            self.on_control(first).await?;
        }
        while let Ok(control) = self.channels.control.try_recv() {
            self.on_control(control).await?;
        }
        Ok(())
    }

    /// Applies an event that happens now and keeps it for the next frame.
    fn record(&mut self, what: Event) {
        self.record_at(self.host.now(), what);
    }

    fn record_at(&mut self, at: Time, what: Event) {
        let closed = if matches!(what, Event::RunEnded { .. }) { self.machine.open_reviews() } else { Vec::new() };
        let entry = Entry { at, what };
        self.machine.apply(&entry);
        match &entry.what {
            Event::ReviewAsked { exec } | Event::ReviewAnswered { exec, .. } | Event::AttemptBegun { exec } => {
                self.reviews.extend(self.machine.review(*exec));
            }
            _ => {}
        }
        self.reviews.extend(closed.into_iter().filter_map(|exec| self.machine.review(exec)));
        if let Event::ReviewAsked { exec } | Event::Ended { exec, .. } = &entry.what {
            self.tell_callers(*exec);
        }
        self.pending.push(entry);
        self.next += 1;
    }

    fn record_start(&mut self, exec: u32) {
        self.record_start_at(self.host.now(), exec);
    }

    fn record_start_at(&mut self, at: Time, exec: u32) {
        let state = &self.machine.execs[exec as usize];
        let (node, input) = (state.node, state.input.clone().unwrap_or_default());
        let cost = std::mem::take(&mut self.cost);
        self.record_at(at, Event::Started { exec, node, input, cost });
    }

    /// Records a value, unless an attempt before a crash has recorded the very same one at this position.
    fn emit(&mut self, exec: u32, pin: String, value: Value) {
        self.emit_at(self.host.now(), exec, pin, value);
    }

    fn emit_at(&mut self, at: Time, exec: u32, pin: String, value: Value) {
        let next = self.positions.entry(exec).or_default();
        let position = *next;
        *next += 1;
        if !self.machine.has_emitted(exec, position, &pin, &value) {
            self.record_at(at, Event::Output { exec, position, pin, value });
        }
    }

    fn end_run(&mut self) {
        let counts = self.machine.counts;
        self.record(Event::RunEnded { status: heddle_model::Status::Completed, error: None, counts });
    }

    /// The run as it stands.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Tells everybody who watches how the drive ended.
    fn finish(mut self, end: Drive) -> (Drive, Channels) {
        self.abort_tasks();
        self.channels.stop = self.machine.stop_asked;
        if let Drive::Lost { error, .. } = &end {
            if let Some(accepted) = self.channels.accepted.take() {
                let _ = accepted.send(Err(error.clone()));
            }
            self.replies.drain(..).for_each(|(_, reply)| reply.lost(error));
            self.channels.unborn.extend(self.newborn.iter().map(|(_, child, _)| child.run));
        }
        if end == Drive::Ended {
            let ended = Some(Arc::new(self.machine));
            self.channels.progress.send_replace(Progress { events: self.durable, ended, is_parked: false });
        }
        (end, self.channels)
    }

    fn context(&self, now: Time, exec: u32) -> Context {
        let accepted = self.machine.accepted.as_ref().expect("a driven run was accepted");
        let random = self.host.ports.clock.random();
        Context {
            user: accepted.owner,
            time_zone: accepted.settings.time_zone.clone(),
            now,
            seed: u64::from_le_bytes(random[..8].try_into().expect("eight of sixteen bytes")),
            place: Some(Place {
                graph: accepted.graph,
                version: accepted.version,
                run: self.machine.run,
                node: self.machine.plan.node(self.machine.execs[exec as usize].node).id.clone(),
                exec,
            }),
        }
    }
}

impl Host {
    pub(crate) fn now(&self) -> Time {
        self.ports.clock.now()
    }
}
