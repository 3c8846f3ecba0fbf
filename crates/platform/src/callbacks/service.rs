//! The task that delivers callbacks.
//!
//! It hears of new ones as they are written, and looks into the database for those that are due again: at the start, when
//! the first of them is due, and when there is room for what it had to leave out. With none it only waits. Looking takes
//! a tenth of its time at most, however many there are.

use super::courier::{Courier, Outcome};
use super::queue::Queue;
use super::schedule::plus;
use crate::background::Background;
use heddle_model::{RunId, Time};
use heddle_store::Callback;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// Callbacks read at once.
const PAGE: usize = 256;
/// After the database did not answer.
const PAUSE: Duration = Duration::from_secs(5);
/// The clock is looked at this often while something is due later: it may be set.
const CLOCK: Duration = Duration::from_secs(30);
/// For what is under way when everything ends.
const LAST: Duration = Duration::from_secs(3);

/// Starts the task; `None` when the store has one: another would deliver the same. When it is to end, what is under way has
/// a little time, and what is not done then is due at the next start.
pub(crate) fn deliver(courier: Courier) -> Option<Background> {
    let news = courier.store.hear_callbacks()?;
    // Unless it waits for a database that is away, it needs no more than the first half.
    Some(Background::start_with_notice(2 * LAST, |stopped| Rounds::new(courier).serve(news, stopped)))
}

/// The work, and where it stands.
pub(super) struct Rounds {
    courier: Arc<Courier>,
    queue: Queue,
    under_way: JoinSet<Outcome>,
    known: HashMap<Id, Callback>,
    /// When to look into the database; `None`: not before something happens.
    look_at: Option<Time>,
    /// And not before.
    not_before: Instant,
    has_failed: bool,
}

impl Rounds {
    pub(super) fn new(courier: Courier) -> Self {
        Self {
            look_at: Some(Time(i64::MIN)),
            courier: Arc::new(courier),
            queue: Queue::default(),
            under_way: JoinSet::new(),
            known: HashMap::new(),
            not_before: Instant::now(),
            has_failed: false,
        }
    }

    async fn serve(mut self, mut news: UnboundedReceiver<Callback>, mut stopped: oneshot::Receiver<()>) {
        loop {
            self.go_on().await;
            let next = self.next_look();
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                Some(callback) = news.recv() => self.queue.offer(callback),
                Some(done) = self.under_way.join_next_with_id() => self.done(done),
                () = at(next) => {}
            }
        }
        let rest = async { while self.under_way.join_next().await.is_some() {} };
        let _ = timeout(LAST, rest).await;
    }

    /// Looks for what is due, if it is time to, and sends off what may go.
    pub(super) async fn go_on(&mut self) {
        let now = self.courier.clock.now();
        if self.look_at.is_some_and(|at| at <= now) && Instant::now() >= self.not_before {
            self.look(now).await;
        }
        while let Some(callback) = self.queue.next() {
            let (courier, own) = (Arc::clone(&self.courier), callback.clone());
            let task = self.under_way.spawn(async move { courier.attempt(&own).await });
            self.known.insert(task.id(), callback);
        }
        if self.queue.is_hungry() {
            self.look_at = Some(Time(i64::MIN));
        }
    }

    /// Waits for what is under way; whether there was something.
    #[cfg(test)]
    pub(super) async fn settle(&mut self) -> bool {
        let mut has_worked = false;
        while let Some(done) = self.under_way.join_next_with_id().await {
            self.done(done);
            has_worked = true;
        }
        has_worked
    }

    async fn look(&mut self, now: Time) {
        let begun = Instant::now();
        match self.read(now).await {
            Ok(next) => {
                self.look_at = next;
                self.not_before = Instant::now() + begun.elapsed() * 10;
                self.has_failed = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::warn!(%error, "callbacks wait for the database: {error}");
                }
                self.not_before = Instant::now() + PAUSE;
            }
        }
    }

    /// Takes in what is due; when the next one is.
    async fn read(&mut self, now: Time) -> Result<Option<Time>, heddle_store::Error> {
        let store = &self.courier.store;
        let mut after: Option<(Time, RunId)> = None;
        loop {
            let page = store.due_callbacks(now, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|callback| (callback.due_at, callback.run));
            page.into_iter().for_each(|callback| self.queue.offer(callback));
            if is_last {
                return store.next_callback(now).await;
            }
        }
    }

    fn done(&mut self, done: Result<(Id, Outcome), JoinError>) {
        let (id, outcome) = match done {
            Ok(done) => done,
            Err(error) => (error.id(), Outcome::Unknown),
        };
        if let Some(callback) = self.known.remove(&id) {
            self.queue.done(&callback);
        }
        let again = match outcome {
            Outcome::Over => return,
            Outcome::Later(at) => at,
            Outcome::Unknown => plus(self.courier.clock.now(), PAUSE),
        };
        self.look_at = Some(self.look_at.map_or(again, |at| at.min(again)));
    }

    /// When to wake up if nothing happens.
    fn next_look(&self) -> Option<Instant> {
        let wait = self.look_at?.0.saturating_sub(self.courier.clock.now().0);
        let wait = Duration::from_micros(u64::try_from(wait).unwrap_or(0)).min(CLOCK);
        Some((Instant::now() + wait).max(self.not_before))
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
