//! The threads that answer questions, each with its own connection that cannot change anything.
//!
//! Own threads rather than the runtime's blocking pool: the hop costs the same, but the number of connections is
//! bounded without a second lock, and their statements stay prepared. Decoding a body happens there too.

use crate::Error;
use crate::db::Db;
use crate::gate::Gate;
use crate::session::Session;
use heddle_fault as fault;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Deeply nested values are unpacked by recursion.
const STACK: usize = 16 << 20;

type Question = Box<dyn FnOnce(Result<Db<'_>, Error>) + Send>;

#[derive(Default)]
struct Queue {
    questions: VecDeque<Question>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    asked: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle to the threads.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts a thread for each connection.
    pub(crate) fn start(sessions: impl IntoIterator<Item = impl Session>, gate: &Arc<Gate>) -> Result<Self, Error> {
        let readers = Self { shared: Arc::default(), threads: Mutex::default() };
        for session in sessions {
            let (shared, gate) = (Arc::clone(&readers.shared), Arc::clone(gate));
            let thread = std::thread::Builder::new()
                .name("store-reader".to_owned())
                .stack_size(STACK)
                .spawn(move || serve(session, &shared, &gate))
                .map_err(|error| Error::Disk(format!("a reader thread cannot start: {error}")))?;
            readers.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(readers)
    }

    /// Runs a question on the next free thread. A caller that no longer waits is not served.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(Db<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let question: Question = Box::new(move |db| {
            if !done.is_closed() {
                drop(done.send(db.and_then(question)));
            }
        });
        {
            let mut queue = self.shared.lock();
            if queue.closed {
                return Err(Error::Closed);
            }
            queue.questions.push_back(question);
        }
        self.shared.asked.notify_one();
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Answers what was asked and ends the threads.
    pub(crate) fn stop(&self) {
        self.shared.lock().closed = true;
        self.shared.asked.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a database reader died");
            }
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn connection(session: &mut impl Session) -> Result<Db<'_>, Error> {
    fault::point!("store.read.before")?;
    session.db()
}

fn serve(mut session: impl Session, shared: &Shared, gate: &Gate) {
    let mut queue = shared.lock();
    loop {
        if let Some(question) = queue.questions.pop_front() {
            drop(queue);
            let _inside = gate.enter();
            // A question that panics answers nothing, which its caller notices; the thread goes on.
            if catch_unwind(AssertUnwindSafe(|| question(connection(&mut session)))).is_err() {
                tracing::error!("a database question panicked");
            }
            queue = shared.lock();
        } else if queue.closed {
            return;
        } else {
            queue = shared.asked.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
