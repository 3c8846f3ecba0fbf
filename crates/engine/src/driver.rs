//! Carries one run from where it stands to its end: one task a running run.
//!
//! The driver asks the machine what may start, runs it, and turns everything that happens into events. Events become
//! durable in frames; at most one frame of a run is on its way at a time, so a refused frame never leaves a gap.
//! Pure work runs ahead of the disk, effects wait for it ([`crate::Effect`]).

mod child;
mod start;
mod stop;

use crate::host::{Control, Host, Progress};
use crate::journal::{Entry, Event, Frame, JournalError, Opening, Outcome};
use crate::machine::{Machine, Step};
use crate::ports::{Context, Emitted, Failure, KeyValue, Place, Ticket};
use child::ChildNews;
use futures::FutureExt;
use heddle_model::{Time, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// A frame is cut at so many events …
const FRAME_EVENTS: usize = 1024;
/// … or after so many microseconds of work; then stop, limits and other runs get their turn.
const FRAME_MICROS: i64 = 5_000;
/// Messages from waiting blocks that may queue up before the blocks are held back.
const INBOX: usize = 64;

/// A run that was checked and may begin: nothing of it is on disk yet.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) machine: Machine,
    pub(crate) entries: Vec<Entry>,
    pub(crate) opening: Opening,
    /// A child's place among its generation, see [`Host::generation`].
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

/// How a drive ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// The run has ended and all of it is on disk.
    Ended,
    /// The process is closing; the run goes on at the next start.
    Closed,
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
    /// A block ended.
    Ended(u32, Result<(), Failure>),
    /// A block that was run on a thread of its own ended, with all it emitted.
    Emitted(u32, Emitted, Result<(), Failure>),
    /// A timer's round is over.
    Woke(u32),
    /// An agent node's child was checked; or why it cannot be.
    ChildReady(u32, Result<Box<Prepared>, String>),
    /// A child emitted or ended.
    ChildNews(u32, ChildNews),
}

/// One run being driven.
pub(crate) struct Driver {
    host: Arc<Host>,
    machine: Machine,
    /// Number of the next event.
    next: u64,
    pending: Vec<Entry>,
    writes: Vec<KeyValue>,
    opening: Option<Opening>,
    /// The frame that is on its way, and the event number after it.
    flight: Option<(Ticket, u64)>,
    durable: u64,
    channels: Channels,
    sender: mpsc::Sender<Message>,
    inbox: mpsc::Receiver<Message>,
    /// Work that waits: what to abort, by execution.
    tasks: HashMap<u32, AbortHandle>,
    /// How many values each running execution has emitted in this attempt.
    positions: HashMap<u32, u32>,
    /// Executions that wait until the events before this number are on disk.
    held: VecDeque<(u64, u32)>,
    /// Rounds of timer nodes that are still to come.
    timers: HashMap<u32, crate::ports::Timer>,
    /// Children whose first frame goes with the next one of ours, then those whose frame is on its way.
    births: Vec<(u32, Box<Prepared>)>,
    newborn: Vec<(u32, Machine, Option<OwnedSemaphorePermit>)>,
    /// Held as long as this run is driven.
    place: Option<OwnedSemaphorePermit>,
    closing: bool,
}

/// How a driver is reached; they outlive it when the journal fails.
pub(crate) struct Channels {
    /// Told once whether the run is on disk.
    pub(crate) accepted: Option<oneshot::Sender<Result<(), JournalError>>>,
    /// Told what is on disk.
    pub(crate) progress: watch::Sender<Progress>,
    /// Says stop or close.
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    /// A stop was asked of a driver that lost its journal: the next one must see to it.
    pub(crate) stop: bool,
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
        let (sender, inbox) = mpsc::channel(INBOX);
        Self {
            host,
            machine,
            next: durable + entries.len() as u64,
            pending: entries,
            writes: Vec::new(),
            opening,
            flight: None,
            durable,
            channels,
            sender,
            inbox,
            tasks: HashMap::new(),
            positions: HashMap::new(),
            held: VecDeque::new(),
            timers: HashMap::new(),
            births: Vec::new(),
            newborn: Vec::new(),
            place: None,
            closing: false,
        }
    }

    /// Keeps a place for as long as the run is driven.
    pub(crate) fn holding(mut self, place: Option<OwnedSemaphorePermit>) -> Self {
        self.place = place;
        self
    }

    /// Drives the run until it ends, the process closes or the journal fails.
    pub(crate) async fn drive(mut self) -> (Drive, Channels) {
        let _permit = match self.permit().await {
            Ok(permit) => permit,
            Err(end) => return self.finish(end),
        };
        if self.channels.stop || self.machine.stop_asked || self.is_orphan() {
            if let Err(error) = self.stop().await {
                return self.lost(error);
            }
        } else {
            self.resume_running();
        }
        loop {
            if let Err(error) = self.work().await {
                return self.lost(error);
            }
            if self.machine.is_idle() && !self.machine.has_ended() && !self.closing && self.held.is_empty() {
                self.end_run();
            }
            self.flush();
            if self.pending.is_empty() && self.flight.is_none() {
                if self.machine.has_ended() {
                    return self.finish(Drive::Ended);
                }
                if self.closing {
                    return self.finish(Drive::Closed);
                }
            }
            if let Err(error) = self.wait().await {
                return self.lost(error);
            }
        }
    }

    /// A crash may come between the end of a stopped parent and the end of its children.
    fn is_orphan(&self) -> bool {
        let parent = self.machine.accepted.as_ref().and_then(|accepted| accepted.parent);
        parent.is_some_and(|parent| self.host.watch(parent.run).is_none() && !self.host.is_closing())
    }

    /// A place among the runs in memory. Children ride on their parent's: a parent must never starve its child.
    async fn permit(&mut self) -> Result<Option<OwnedSemaphorePermit>, Drive> {
        let is_child = self.machine.accepted.as_ref().is_some_and(|accepted| accepted.parent.is_some());
        if is_child {
            return Ok(None);
        }
        if let Ok(permit) = self.host.running.clone().try_acquire_owned() {
            return Ok(Some(permit));
        }
        self.flush();
        let running = self.host.running.clone();
        let place = running.acquire_owned();
        tokio::pin!(place);
        loop {
            tokio::select! {
                result = durable(&mut self.flight) => {
                    let durable = self.durable;
                    self.on_durable(result).map_err(|error| Drive::Lost { error, durable })?;
                }
                permit = &mut place => return Ok(permit.ok()),
                Some(control) = self.channels.control.recv() => {
                    let durable = self.durable;
                    self.on_control(control).await.map_err(|error| Drive::Lost { error, durable })?;
                    self.flush();
                }
            }
            if self.pending.is_empty() && self.flight.is_none() && (self.closing || self.machine.has_ended()) {
                return Err(if self.machine.has_ended() { Drive::Ended } else { Drive::Closed });
            }
        }
    }

    /// Starts everything that may start, cutting frames on the way.
    async fn work(&mut self) -> Result<(), JournalError> {
        let mut since = self.host.now();
        while !self.closing && !self.machine.has_ended() {
            let Some(step) = self.machine.next_step() else { break };
            self.begin(step);
            if self.pending.len() < FRAME_EVENTS && self.host.now().0 - since.0 < FRAME_MICROS {
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
            tokio::task::yield_now().await;
            since = self.host.now();
        }
        Ok(())
    }

    fn begin(&mut self, step: Step) {
        match step {
            Step::Start(exec) => self.start(exec),
            Step::Skip(exec) => {
                self.record_start(exec);
                self.end(exec, Outcome::Completed);
            }
            Step::Fail(exec, text) => self.end(exec, Outcome::Failed(text)),
        }
    }

    /// Waits for the next thing to happen and takes it in.
    async fn wait(&mut self) -> Result<(), JournalError> {
        tokio::select! {
            biased;
            result = durable(&mut self.flight) => self.on_durable(result)?,
            Some(control) = self.channels.control.recv() => self.on_control(control).await?,
            // A closing run takes nothing in: a child that closes first would look like one that was lost.
            Some(message) = self.inbox.recv(), if !self.closing => self.on_message(message),
        }
        Ok(())
    }

    /// What waiting blocks have reported, so that endless immediate work does not shut them out.
    fn take_waiting_messages(&mut self) {
        for _ in 0..INBOX {
            if self.closing || self.machine.has_ended() {
                return;
            }
            let Ok(message) = self.inbox.try_recv() else { return };
            self.on_message(message);
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            // What an aborted task still had in the queue.
            Message::Output(exec, ..)
            | Message::Ended(exec, _)
            | Message::Emitted(exec, ..)
            | Message::Woke(exec)
            | Message::ChildReady(exec, _)
            | Message::ChildNews(exec, _)
                if !self.tasks.contains_key(&exec) => {}
            Message::Output(exec, pin, value) => self.on_output(exec, pin, value),
            Message::Emitted(exec, emitted, result) => {
                self.tasks.remove(&exec);
                self.take_emitted(exec, emitted, result);
            }
            Message::Ended(exec, result) => {
                self.tasks.remove(&exec);
                self.end_with(exec, result);
            }
            Message::Woke(exec) => self.on_woke(exec),
            Message::ChildReady(exec, child) => self.on_child_ready(exec, child),
            Message::ChildNews(exec, news) => self.on_child_news(exec, news),
        }
    }

    async fn on_control(&mut self, control: Control) -> Result<(), JournalError> {
        match control {
            Control::Close => self.closing = true,
            Control::Stop => self.stop().await?,
        }
        Ok(())
    }

    /// Applies an event and keeps it for the next frame.
    fn record(&mut self, what: Event) {
        let entry = Entry { at: self.host.now(), what };
        self.machine.apply(&entry);
        self.pending.push(entry);
        self.next += 1;
    }

    fn record_start(&mut self, exec: u32) {
        let state = &self.machine.execs[exec as usize];
        let (node, input) = (state.node, state.input.clone().unwrap_or_default());
        self.record(Event::Started { exec, node, input });
    }

    /// Records a value, unless an attempt before a crash has recorded the very same one at this position.
    fn emit(&mut self, exec: u32, pin: String, value: Value) {
        let position = self.positions.entry(exec).or_default();
        let at = *position;
        *position += 1;
        if !self.machine.has_emitted(exec, at, &pin, &value) {
            self.record(Event::Output { exec, position: at, pin, value });
        }
    }

    fn end_with(&mut self, exec: u32, result: Result<(), Failure>) {
        match result {
            Ok(()) => self.end(exec, Outcome::Completed),
            Err(failure) => self.end(exec, Outcome::Failed(failure.to_string())),
        }
    }

    fn end(&mut self, exec: u32, outcome: Outcome) {
        self.positions.remove(&exec);
        self.record(Event::Ended { exec, outcome, child: None });
    }

    fn end_run(&mut self) {
        let counts = self.machine.counts;
        self.record(Event::RunEnded { status: heddle_model::Status::Completed, error: None, counts });
    }

    /// Sends off what is pending, unless a frame is on its way already.
    fn flush(&mut self) {
        if self.flight.is_some() || self.pending.is_empty() {
            return;
        }
        let entries = std::mem::take(&mut self.pending);
        let first = self.next - entries.len() as u64;
        let accepted = self.machine.accepted.as_ref().expect("a driven run was accepted");
        let mut frames = vec![Frame {
            run: self.machine.run,
            first,
            entries,
            row: self.machine.row(),
            opening: self.opening.take(),
            writes: std::mem::take(&mut self.writes),
            owner: accepted.owner,
        }];
        for (exec, child) in self.births.drain(..) {
            let Prepared { machine, entries, opening, place } = *child;
            frames.push(first_frame(&machine, entries, opening));
            self.newborn.push((exec, machine, place));
        }
        self.flight = Some((self.host.ports.journal.append(frames), self.next));
    }

    fn on_durable(&mut self, result: Result<(), JournalError>) -> Result<(), JournalError> {
        let (_, upto) = self.flight.take().expect("only a frame on its way becomes durable");
        if let Some(accepted) = self.channels.accepted.take() {
            // The caller may have gone; the run is on disk all the same.
            let _ = accepted.send(result.clone());
        }
        result?;
        self.durable = upto;
        for (exec, machine, place) in std::mem::take(&mut self.newborn) {
            self.launch_child(exec, machine, place);
        }
        while self.held.front().is_some_and(|(needed, _)| *needed <= self.durable) {
            let (_, exec) = self.held.pop_front().expect("there is a front");
            if !self.machine.has_ended() {
                self.run_block(exec);
            }
        }
        if !self.machine.has_ended() {
            self.channels.progress.send_replace(Progress { events: upto, ended: None });
        }
        Ok(())
    }

    fn lost(self, error: JournalError) -> (Drive, Channels) {
        let durable = self.durable;
        self.finish(Drive::Lost { error, durable })
    }

    /// The compiled graph of the run.
    pub(crate) fn plan(&self) -> &Arc<crate::plan::Plan> {
        &self.machine.plan
    }

    /// Tells everybody who watches how the drive ended.
    fn finish(mut self, end: Drive) -> (Drive, Channels) {
        self.abort_tasks();
        self.channels.stop = self.machine.stop_asked;
        if let (Drive::Lost { error, .. }, Some(accepted)) = (&end, self.channels.accepted.take()) {
            let _ = accepted.send(Err(error.clone()));
        }
        if end == Drive::Ended {
            let ended = Some(Arc::new(self.machine));
            self.channels.progress.send_replace(Progress { events: self.durable, ended });
        }
        (end, self.channels)
    }

    fn context(&self, exec: u32) -> Context {
        let accepted = self.machine.accepted.as_ref().expect("a driven run was accepted");
        let random = self.host.ports.clock.random();
        Context {
            user: accepted.owner,
            time_zone: accepted.settings.time_zone.clone(),
            now: self.host.now(),
            seed: u64::from_le_bytes(random[..8].try_into().expect("eight of sixteen bytes")),
            place: Some(Place {
                graph: accepted.graph,
                version: accepted.version,
                run: self.machine.run,
                node: self.machine.plan.node(self.machine.execs[exec as usize].node).id.clone(),
                exec: self.machine.exec_id(exec),
            }),
        }
    }
}

/// The frame that accepts a run whose driver has not begun.
fn first_frame(machine: &Machine, entries: Vec<Entry>, opening: Opening) -> Frame {
    let owner = machine.accepted.as_ref().expect("a prepared run was accepted").owner;
    let row = machine.row();
    Frame { run: machine.run, first: 0, entries, row, opening: Some(opening), writes: Vec::new(), owner }
}

/// Waits for the frame on its way; for ever when there is none.
async fn durable(flight: &mut Option<(Ticket, u64)>) -> Result<(), JournalError> {
    match flight {
        Some((ticket, _)) => ticket.durable().await,
        None => std::future::pending().await,
    }
}

impl Host {
    pub(crate) fn now(&self) -> Time {
        self.ports.clock.now()
    }
}
