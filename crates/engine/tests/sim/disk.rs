//! A journal in memory under the simulation's weather. Every commit is checked against what the model makes of it.

use crate::core::Core;
use crate::ledger::Ledger;
use crate::money::{FEE_EVERY, Money};
use crate::spec::Spec;
use async_trait::async_trait;
use heddle_engine::Credits;
use heddle_engine::credits::{Charge, Notice, Wallet, Wallets};
use heddle_engine::journal::{Entry, Event, Frame, JournalError, Review, ReviewStatus, Row};
use heddle_engine::ports::{Awaiting, Due, Journal, Lane, Standing, Ticket};
use heddle_engine::{Limits, Unfinished};
use heddle_model::{NodeExecId, RunId, Time, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::sync::oneshot;

type Answer = oneshot::Sender<Result<(), JournalError>>;

struct Kept {
    entries: Vec<Entry>,
    row: Row,
    /// Commits before the one that ended it.
    ended_after: Option<u64>,
    lane: Lane,
    is_child: bool,
    reviews: BTreeMap<u32, Review>,
    ledger: Ledger,
}

#[derive(Default)]
struct State {
    runs: BTreeMap<RunId, Kept>,
    order: Vec<RunId>,
    commits: u64,
    in_flight: BTreeSet<RunId>,
    /// Answers of a dead process's frames: nobody ever hears them.
    limbo: Vec<Answer>,
}

pub struct Disk {
    me: Weak<Self>,
    core: Arc<Core>,
    library: Vec<Arc<Spec>>,
    limits: Limits,
    state: Mutex<State>,
    /// `None`: spending is free.
    money: Option<Mutex<Money>>,
}

/// What a review says that a stop has closed.
fn stopped() -> Option<String> {
    Some("Execution was stopped by user".to_owned())
}

/// A run by the first digits of its id.
pub fn short(run: RunId) -> String {
    run.to_string()[..8].to_owned()
}

impl Disk {
    pub fn new(core: Arc<Core>, library: Vec<Arc<Spec>>, limits: Limits, granted: Option<i64>) -> Arc<Self> {
        let money = granted.map(|granted| Mutex::new(Money::new(granted)));
        Arc::new_cyclic(|me| Self { me: me.clone(), core, library, limits, state: Mutex::default(), money })
    }

    /// Those who may spend, on this disk; `None` where spending is free.
    pub fn credits(self: &Arc<Self>) -> Option<Arc<Credits>> {
        self.money.as_ref()?;
        Some(Arc::new(Credits::with_fee_every(self.clone(), FEE_EVERY)))
    }

    /// What an account's wallet holds.
    pub fn balance(&self, owner: UserId) -> Option<i64> {
        Some(self.money.as_ref()?.lock().unwrap().wallet(owner).balance)
    }

    /// What a dead process had on its way is gone.
    pub fn crash(&self) {
        let mut state = self.state();
        state.in_flight.clear();
        state.limbo.clear();
    }

    pub fn has(&self, run: RunId) -> bool {
        self.state().runs.contains_key(&run)
    }

    pub fn runs(&self) -> Vec<RunId> {
        self.state().order.clone()
    }

    pub fn commits(&self) -> u64 {
        self.state().commits
    }

    /// Commits before the one that ended a run, and when it ended: a slow disk may hear of an end long after it.
    pub fn ended(&self, run: RunId) -> Option<(u64, Time)> {
        let state = self.state();
        let kept = state.runs.get(&run)?;
        Some((kept.ended_after?, kept.row.ended_at?))
    }

    pub fn look<T>(&self, run: RunId, look: impl FnOnce(&Ledger) -> T) -> Option<T> {
        self.state().runs.get(&run).map(|kept| look(&kept.ledger))
    }

    pub fn has_ended(&self, run: RunId) -> bool {
        self.state().runs.get(&run).is_some_and(|kept| kept.row.ended_at.is_some())
    }

    pub fn left(&self) -> Vec<RunId> {
        self.state().runs.iter().filter(|(_, kept)| kept.row.ended_at.is_none()).map(|(run, _)| *run).collect()
    }

    /// What a run's row says, for the report of a failure.
    pub fn describe(&self, run: RunId) -> String {
        let state = self.state();
        let kept = &state.runs[&run];
        format!("{} {:?} parked {:?}", short(run), kept.row.status, kept.row.parked)
    }

    pub fn is_parked(&self, run: RunId) -> bool {
        self.state().runs.get(&run).is_some_and(|kept| kept.row.parked.is_some())
    }

    /// Reviews that wait, by run.
    pub fn waiting(&self) -> Vec<(RunId, Vec<Review>)> {
        let state = self.state();
        let open = state.runs.iter().filter(|(_, kept)| kept.row.ended_at.is_none());
        let waiting = |kept: &Kept| {
            kept.reviews.values().filter(|review| review.status == ReviewStatus::Waiting).cloned().collect::<Vec<_>>()
        };
        open.map(|(run, kept)| (*run, waiting(kept))).filter(|(_, reviews)| !reviews.is_empty()).collect()
    }

    /// Reviews that persons have decided, and whether they approved.
    pub fn decided(&self) -> Vec<(RunId, u32, bool)> {
        let state = self.state();
        let reviews = state.runs.iter().flat_map(|(run, kept)| kept.reviews.values().map(|review| (*run, review)));
        let answered = reviews.filter(|(_, review)| review.reviewed_at.is_some() && review.message != stopped());
        answered.map(|(run, review)| (run, review.index, review.status == ReviewStatus::Approved)).collect()
    }

    pub fn review(&self, run: RunId, exec: u32) -> Option<Review> {
        self.state().runs.get(&run)?.reviews.get(&exec).cloned()
    }

    /// Reviews of a run that has ended which are not closed.
    pub fn open_reviews(&self, run: RunId) -> usize {
        self.state().runs[&run].reviews.values().filter(|review| !review.processed).count()
    }

    pub fn unfinished(&self) -> (Vec<Unfinished>, usize) {
        let state = self.state();
        let left: Vec<_> = state.order.iter().filter(|run| state.runs[*run].row.ended_at.is_none()).collect();
        let (parked, active): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|run| state.runs[*run].row.parked.is_some());
        let of = |run: &RunId| Unfinished { run: *run, lane: state.runs[run].lane, is_child: state.runs[run].is_child };
        (active.into_iter().map(of).collect(), parked.len())
    }

    fn decide(&self, frames: Vec<Frame>, answer: Answer) {
        let weather = self.core.weather();
        let mut state = self.state();
        if self.core.is_dead() {
            return state.limbo.push(answer);
        }
        state.in_flight.remove(&frames[0].run);
        let run = short(frames[0].run);
        if self.core.chance(weather.refuse) {
            let kept = self.core.roll(|rng| rng.chance(weather.kept));
            self.core.say(format!("refuse {run} kept {kept}"));
            self.core.new_age();
            if kept {
                self.commit(&mut state, frames);
            }
            let _ = answer.send(Err(JournalError::Disk("no".to_owned())));
            return;
        }
        let is_parking = frames[0].row.parked.is_some();
        let root = frames[0].run;
        self.commit(&mut state, frames);
        if is_parking {
            self.core.parks(root);
        }
        if self.core.chance(weather.kill) {
            self.core.die();
            return state.limbo.push(answer);
        }
        let _ = answer.send(Ok(()));
    }

    fn commit(&self, state: &mut State, frames: Vec<Frame>) {
        state.commits += 1;
        for frame in frames {
            let run = frame.run;
            self.core.say(format!(
                "commit {} {}+{} {} {:?}",
                short(run),
                frame.first,
                frame.entries.len(),
                frame.row.status.as_str(),
                frame.row.parked
            ));
            if let Err(problem) = self.keep(state, frame) {
                self.core.problem(format!("{}: {problem}", short(run)));
            }
        }
    }

    fn keep(&self, state: &mut State, frame: Frame) -> Result<(), String> {
        let (commits, known) = (state.commits, state.runs.get(&frame.run).map_or(0, |kept| kept.entries.len() as u64));
        if frame.first != known || frame.opening.is_some() != (known == 0) {
            return Err(format!("a frame from {} on after {known}", frame.first));
        }
        if let Some(opening) = &frame.opening {
            let ledger = Ledger::new(&frame.entries[0], &self.library, self.money.is_some())?;
            let (lane, is_child) = (Lane { owner: frame.owner, graph: opening.graph }, opening.parent.is_some());
            let (row, reviews) = (frame.row.clone(), BTreeMap::new());
            let kept = Kept { entries: Vec::new(), row, ended_after: None, lane, is_child, reviews, ledger };
            state.runs.insert(frame.run, kept);
            state.order.push(frame.run);
        }
        let kept = state.runs.get_mut(&frame.run).ok_or("no such run")?;
        let before = (kept.ledger.begun, kept.ledger.fees, kept.ledger.used);
        for entry in &frame.entries {
            if !matches!(entry.what, Event::Accepted(_)) || !kept.entries.is_empty() {
                let script = |exec| self.core.script(NodeExecId::nth(frame.run, exec));
                kept.ledger.take(entry, &self.limits, script)?;
            }
            kept.entries.push(entry.clone());
        }
        let ledger = &kept.ledger;
        let charged = (ledger.begun - before.0, ledger.fees - before.1, ledger.used - before.2);
        self.charge(frame.owner, frame.charge, charged)?;
        kept.row = frame.row;
        kept.ended_after = kept.row.ended_at.map(|_| commits);
        kept.reviews.extend(frame.reviews.into_iter().map(|review| (review.index, review)));
        if kept.ledger.was_interrupted || kept.ledger.was_short {
            self.core.disturb(short(kept.ledger.root));
        }
        kept.ledger.check_row(&kept.row, &self.limits)?;
        kept.ledger.check_routing()
    }

    /// Free or not, a frame takes what its events say.
    fn charge(&self, owner: UserId, charge: Option<Charge>, charged: (u64, u64, u64)) -> Result<(), String> {
        let (begun, fees, used) = charged;
        match (&self.money, charge) {
            (Some(money), Some(charge)) => money.lock().unwrap().charge(owner, charge, begun, fees, used),
            (None, Some(charge)) => Err(format!("it takes {charge:?} although spending is free")),
            (Some(_), None) if begun + used > 0 => Err(format!("it takes nothing for {charged:?}")),
            (_, None) => Ok(()),
        }
    }

    async fn may_read(&self) -> Result<(), JournalError> {
        let delay = self.core.draw_delay();
        self.core.pass(delay).await;
        if self.core.chance(self.core.weather().unreadable) {
            return Err(JournalError::Disk("cannot be read".to_owned()));
        }
        Ok(())
    }

    fn wakes(&self) -> Vec<Due> {
        let state = self.state();
        let wake = |(run, kept): (&RunId, &Kept)| {
            let wake_at = kept.row.parked.as_ref()?.wake_at?;
            Some(Due { wake_at, run: *run, lane: kept.lane, is_child: kept.is_child })
        };
        state.runs.iter().filter_map(wake).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

#[async_trait]
impl Wallets for Disk {
    async fn wallet(&self, owner: UserId, _: Time) -> Result<Wallet, JournalError> {
        self.may_read().await?;
        let money = self.money.as_ref().expect("nobody asks where spending is free");
        Ok(money.lock().unwrap().wallet(owner))
    }

    fn period(&self, _: Time) -> i64 {
        0
    }

    fn tell(&self, notice: Notice) {
        self.core.say(format!("{:?} at {}", notice.what, notice.balance));
    }
}

#[async_trait]
impl Journal for Disk {
    fn append(&self, frames: Vec<Frame>) -> Ticket {
        let (answer, ticket) = Ticket::new();
        let run = frames[0].run;
        if !self.state().in_flight.insert(run) && !self.core.is_dead() {
            self.core.problem(format!("two frames of {} are on their way", short(run)));
        }
        let delay = self.core.draw_delay();
        if matches!(delay, crate::core::Delay::None) {
            self.decide(frames, answer);
        } else if let (Some(disk), Ok(runtime)) = (self.me.upgrade(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                disk.core.pass(delay).await;
                disk.decide(frames, answer);
            });
        }
        ticket
    }

    async fn read(&self, run: RunId, from: u64) -> Result<Vec<Entry>, JournalError> {
        self.may_read().await?;
        let state = self.state();
        Ok(state.runs.get(&run).map(|kept| kept.entries[from as usize..].to_vec()).unwrap_or_default())
    }

    async fn standing(&self, run: RunId) -> Result<Option<Standing>, JournalError> {
        self.may_read().await?;
        let state = self.state();
        Ok(state.runs.get(&run).map(|kept| Standing {
            lane: kept.lane,
            ended: kept.row.ended_at.is_some(),
            parked: kept.row.parked.is_some(),
            is_child: kept.is_child,
            news: kept.row.news,
        }))
    }

    async fn due(&self, now: Time, after: Option<(Time, RunId)>, limit: usize) -> Result<Vec<Due>, JournalError> {
        self.may_read().await?;
        let mut due: Vec<_> = self.wakes().into_iter().filter(|due| due.wake_at <= now).collect();
        due.sort_by_key(|due| (due.wake_at, due.run));
        due.retain(|due| after.is_none_or(|after| (due.wake_at, due.run) > after));
        due.truncate(limit);
        // Wakes that nobody waits for.
        if self.core.chance(20) {
            let state = self.state();
            due.extend(state.runs.iter().next_back().map(|(run, kept)| Due {
                wake_at: now,
                run: *run,
                lane: kept.lane,
                is_child: kept.is_child,
            }));
        }
        Ok(due)
    }

    async fn next_wake(&self, after: Time) -> Result<Option<Time>, JournalError> {
        self.may_read().await?;
        Ok(self.wakes().into_iter().map(|due| due.wake_at).filter(|at| *at > after).min())
    }

    async fn awaiting(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Awaiting>, JournalError> {
        self.may_read().await?;
        let state = self.state();
        let awaiting = |(run, kept): (&RunId, &Kept)| {
            let children = kept.row.parked.clone()?.awaits;
            (!children.is_empty()).then_some(Awaiting { run: *run, children })
        };
        let all = state.runs.iter().filter_map(awaiting);
        Ok(all.filter(|awaiting| after.is_none_or(|after| awaiting.run > after)).take(limit).collect())
    }
}
