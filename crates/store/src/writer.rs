//! The one thread that writes. It takes whatever is queued, never waiting for more, and commits it all at once: with
//! load the batches grow, not the queue.
//!
//! It knows nothing of what it writes. A piece of work that fails is undone alone; the others of its batch stand. What
//! is answered after a commit is on disk.

use crate::Error;
use crate::db::Db;
use crate::frames::Append;
use crate::meter::Meter;
use crate::session::Session;
use heddle_fault as fault;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::oneshot;
use tracing::field::Empty;
use tracing::info_span;

/// Bounds how long the first of a batch waits for the last.
const BATCH: usize = 512;

/// Something to be written.
pub(crate) trait Work: Send {
    /// Does what needs no transaction, once and first. What fails is not written.
    fn prepare(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Does it inside the open transaction and remembers how it went. May be called again after everything was undone.
    fn run(&mut self, db: Db<'_>) -> Result<(), Error>;

    /// Whether it goes without a savepoint. True where a failure is rare after the first change; if it does happen,
    /// the batch is repeated with savepoints.
    fn is_plain(&self) -> bool;

    /// Itself, if it is frames: a database that is far away takes those without waiting between them.
    fn frames(&mut self) -> Option<&mut Append> {
        None
    }

    /// Tells whoever waits, given how the batch went.
    fn answer(self: Box<Self>, batch: Result<(), Error>);
}

enum Message {
    Work(Box<dyn Work>),
    Copy(Copy),
    Stop,
}

/// A copy of the database that somebody waits for.
struct Copy {
    to: PathBuf,
    done: oneshot::Sender<Result<(), Error>>,
}

/// The handle to the thread.
pub(crate) struct Writer {
    /// What was written.
    pub(crate) meter: Arc<Meter>,
    queue: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on this connection.
    pub(crate) fn start(session: impl Session) -> Result<Self, Error> {
        let (queue, messages) = channel();
        let meter = Arc::new(Meter::new());
        let counted = Arc::clone(&meter);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(session, &messages, &counted))
            .map_err(|error| Error::Disk(format!("the writer thread cannot start: {error}")))?;
        Ok(Self { meter, queue, thread: Mutex::new(Some(thread)) })
    }

    /// Queues work at once. After the end it is dropped, which its waiter notices.
    pub(crate) fn queue(&self, work: Box<dyn Work>) {
        self.meter.queued();
        drop(self.queue.send(Message::Work(work)));
    }

    /// Runs a change in the next batch.
    pub(crate) async fn change<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(Db<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        self.queue(Box::new(Change { change, result: None, done }));
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Copies the database into a file that is not there yet, while others go on writing.
    pub(crate) async fn copy(&self, to: PathBuf) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        drop(self.queue.send(Message::Copy(Copy { to, done })));
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Lets the thread finish what is queued and waits for its end.
    pub(crate) fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(self.queue.send(Message::Stop));
            if thread.join().is_err() {
                tracing::error!("the database writer died");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An interactive write and whoever waits for its result.
struct Change<T, F> {
    change: F,
    result: Option<Result<T, Error>>,
    done: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Work for Change<T, F>
where
    T: Send,
    F: Fn(Db<'_>) -> Result<T, Error> + Send,
{
    fn run(&mut self, db: Db<'_>) -> Result<(), Error> {
        let result = (self.change)(db);
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn is_plain(&self) -> bool {
        false
    }

    fn answer(self: Box<Self>, batch: Result<(), Error>) {
        let result = match (batch, self.result) {
            (_, Some(Err(error))) | (Err(error), _) => Err(error),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Error::Closed),
        };
        drop(self.done.send(result));
    }
}

/// What the thread does after a batch.
enum Then {
    GoOn,
    Copy(Copy),
    End,
}

fn serve(mut session: impl Session, messages: &Receiver<Message>, meter: &Meter) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut pause = None;
    loop {
        let first = match pause {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(pause) => messages.recv_timeout(pause),
        };
        let mut then = match first {
            Ok(first) => take(first, &mut batch, meter),
            Err(RecvTimeoutError::Timeout) => Then::GoOn,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if !batch.is_empty() {
            then = fill(messages, &mut batch, meter);
            write(&mut batch, meter, |batch| session.commit(batch));
        }
        pause = session.settle();
        if let Then::Copy(asked) = then {
            then = copy(&mut session, messages, meter, &mut batch, asked);
        }
        if matches!(then, Then::End) {
            break;
        }
    }
    fault::pass!("store.close.before");
    session.finish();
    fault::pass!("store.close.after");
}

/// Adds what is queued, never waiting for more.
fn fill(messages: &Receiver<Message>, batch: &mut Vec<Box<dyn Work>>, meter: &Meter) -> Then {
    while batch.len() < BATCH {
        let Ok(message) = messages.try_recv() else { break };
        match take(message, batch, meter) {
            Then::GoOn => {}
            // What came before is served first; what comes after a stop is refused.
            other => return other,
        }
    }
    Then::GoOn
}

fn take(message: Message, batch: &mut Vec<Box<dyn Work>>, meter: &Meter) -> Then {
    match message {
        Message::Work(mut work) => match work.prepare() {
            Ok(()) => batch.push(work),
            Err(error) => {
                meter.refused();
                work.answer(Err(error));
            }
        },
        Message::Copy(asked) => return Then::Copy(asked),
        Message::Stop => return Then::End,
    }
    Then::GoOn
}

/// Commits a batch and tells everybody.
fn write(
    batch: &mut Vec<Box<dyn Work>>,
    meter: &Meter,
    commit: impl FnOnce(&mut [Box<dyn Work>]) -> Result<(), Error>,
) {
    let begun = Instant::now();
    let outcome = traced(batch, commit);
    meter.written(batch, outcome.is_ok(), begun.elapsed());
    if let Err(error) = &outcome {
        tracing::error!(error = %error, batch = batch.len(), "a batch could not be written");
    }
    for work in batch.drain(..) {
        work.answer(outcome.clone());
    }
}

/// Commits a batch and lets whoever traces see it.
fn traced(
    batch: &mut [Box<dyn Work>],
    commit: impl FnOnce(&mut [Box<dyn Work>]) -> Result<(), Error>,
) -> Result<(), Error> {
    let span = info_span!("commit", batch.works = batch.len(), batch.frames = Empty, otel.status_code = Empty);
    if !span.is_disabled() {
        let frames = batch.iter_mut().filter_map(|work| work.frames()).map(|append| append.frames.len()).sum::<usize>();
        span.record("batch.frames", frames);
    }
    let outcome = span.in_scope(|| guarded(batch, commit));
    if outcome.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    outcome
}

/// Commits a batch. Work that panics takes its batch with it, not the thread that everybody needs.
fn guarded(
    batch: &mut [Box<dyn Work>],
    commit: impl FnOnce(&mut [Box<dyn Work>]) -> Result<(), Error>,
) -> Result<(), Error> {
    let attempt = AssertUnwindSafe(|| {
        fault::point!("store.batch.before")?;
        commit(batch)
    });
    catch_unwind(attempt).unwrap_or_else(|_| Err(Error::Disk("writing panicked".to_owned())))
}

/// Makes a copy, and goes on committing between its parts. A copy that panics is lost, not the thread.
fn copy(
    session: &mut impl Session,
    messages: &Receiver<Message>,
    meter: &Meter,
    batch: &mut Vec<Box<dyn Work>>,
    asked: Copy,
) -> Then {
    let mut ends = false;
    let attempt = AssertUnwindSafe(|| {
        session.copy(&asked.to, &mut |commit| {
            match fill(messages, batch, meter) {
                Then::GoOn => {}
                Then::Copy(other) => drop(other.done.send(Err(Error::Exists))),
                Then::End => ends = true,
            }
            if !batch.is_empty() {
                write(batch, meter, commit);
            }
            // Nobody waits for the copy any more, or for anything.
            if ends || asked.done.is_closed() { Err(Error::Closed) } else { Ok(()) }
        })
    });
    let outcome = catch_unwind(attempt).unwrap_or_else(|_| Err(Error::Disk("copying panicked".to_owned())));
    drop(asked.done.send(outcome));
    if ends { Then::End } else { Then::GoOn }
}
