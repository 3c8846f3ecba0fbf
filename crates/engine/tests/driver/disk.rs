//! A journal in memory that can be slow, full, and cut off.

use crate::under::Under;
use async_trait::async_trait;
use heddle_engine::Unfinished;
use heddle_engine::journal::{Entry, Event, Frame, JournalError, Review, Row};
use heddle_engine::ports::{Awaiting, Due, Journal, KeyValue, Lane, Standing, Ticket};
use heddle_model::{NodeExecId, RunId, Status, Time, UserId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::oneshot;

type Answer = oneshot::Sender<Result<(), JournalError>>;

/// What a disk that says no has done.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    /// Nothing.
    Clean,
    /// It has kept the frames all the same.
    ButKept,
}

#[derive(Default)]
struct State {
    journals: HashMap<RunId, Vec<Entry>>,
    /// Runs in the order of their first frames.
    order: Vec<RunId>,
    rows: HashMap<RunId, Row>,
    /// Whose run it is, and whether it is a child.
    lanes: HashMap<RunId, (Lane, bool)>,
    reviews: HashMap<NodeExecId, Review>,
    callbacks: Vec<(RunId, String)>,
    /// Events of each committed frame.
    frames: Vec<usize>,
    writes: Vec<KeyValue>,
    /// Frames wait here until they are released.
    is_held: bool,
    waiting: VecDeque<(Vec<Frame>, Answer)>,
    /// Commits until nothing becomes durable any more.
    room: Option<usize>,
    /// Commits until one is refused, and how.
    refuse: Option<(usize, Refusal)>,
    unreadable: usize,
    under: Under,
}

/// The journal of all runs; it outlives processes.
#[derive(Default)]
pub struct Disk(Mutex<State>);

impl Disk {
    /// Keeps everything waiting from now on.
    pub fn hold(&self) {
        self.state().is_held = true;
    }

    /// Commits the oldest appended frames that wait; false when none do.
    pub fn release_one(&self) -> bool {
        let next = self.state().waiting.pop_front();
        next.map(|(frames, answer)| self.decide(frames, answer)).is_some()
    }

    /// Commits all that waits, and what follows at once.
    pub fn release(&self) {
        self.state().is_held = false;
        let waiting = self.state().waiting.len();
        for _ in 0..waiting {
            self.release_one();
        }
    }

    /// Nothing is kept after so many more commits.
    pub fn fail_after(&self, commits: usize) {
        self.state().room = Some(commits);
    }

    /// After so many more commits, one is refused.
    pub fn refuse_after(&self, commits: usize, refusal: Refusal) {
        self.state().refuse = Some((commits, refusal));
    }

    /// Cannot be read so many times.
    pub fn refuse_reads(&self, times: usize) {
        self.state().unreadable = times;
    }

    /// What was not committed is gone; the next process finds the disk sound.
    pub fn crash(&self) {
        let mut state = self.state();
        state.waiting.clear();
        (state.is_held, state.room, state.refuse) = (false, None, None);
    }

    /// Runs in the order in which they were accepted.
    pub fn runs(&self) -> Vec<RunId> {
        self.state().order.clone()
    }

    /// A run's events.
    pub fn entries(&self, run: RunId) -> Vec<Entry> {
        let state = self.state();
        let entries = state.journals.get(&run).cloned().unwrap_or_default();
        state.under.check(run, 0, &entries);
        entries
    }

    /// What a run's row says.
    pub fn row(&self, run: RunId) -> Row {
        self.state().rows[&run].clone()
    }

    /// Runs that go on at a start, and how many are parked.
    pub fn unfinished(&self) -> (Vec<Unfinished>, usize) {
        let state = self.state();
        let left = state.order.iter().filter(|run| state.rows[*run].ended_at.is_none());
        let (parked, active): (Vec<_>, Vec<_>) = left.partition(|run| state.rows[*run].parked.is_some());
        let unfinished = |run: &RunId| Unfinished { run: *run, lane: state.lanes[run].0, is_child: state.lanes[run].1 };
        (active.into_iter().map(unfinished).collect(), parked.len())
    }

    /// The reviews of a run, by execution.
    pub fn reviews(&self, run: RunId) -> Vec<Review> {
        let mut reviews: Vec<_> = self.state().reviews.values().filter(|review| review.run == run).cloned().collect();
        reviews.sort_by_key(|review| review.index);
        reviews
    }

    /// Who is to be told of which run's end.
    pub fn callbacks(&self) -> Vec<(RunId, String)> {
        self.state().callbacks.clone()
    }

    fn wakes(&self) -> Vec<Due> {
        let state = self.state();
        let wake = |(run, row): (&RunId, &Row)| {
            let (lane, is_child) = state.lanes[run];
            Some(Due { wake_at: row.parked.as_ref()?.wake_at?, run: *run, lane, is_child })
        };
        state.rows.iter().filter_map(wake).collect()
    }

    /// How many events each committed frame had.
    pub fn frames(&self) -> Vec<usize> {
        self.state().frames.clone()
    }

    /// Key-value entries, as they were written.
    pub fn writes(&self) -> Vec<KeyValue> {
        self.state().writes.clone()
    }

    /// Adds to a run's journal from outside.
    pub fn write(&self, run: RunId, what: Event) {
        let state = &mut *self.state();
        let entries = state.journals.get_mut(&run).unwrap();
        let entry = Entry { at: entries.last().unwrap().at, what };
        state.under.add(run, entries.len(), &entry);
        let (at, news) = (entry.at, entries.len() as u64 + 1);
        let end = matches!(entry.what, Event::RunEnded { .. });
        entries.push(entry);
        let row = state.rows.get_mut(&run).unwrap();
        if end {
            (row.ended_at, row.news, row.parked) = (Some(at), news, None);
        }
    }

    fn decide(&self, frames: Vec<Frame>, answer: Answer) {
        let mut state = self.state();
        if let Some((left, refusal)) = state.refuse {
            state.refuse = left.checked_sub(1).map(|left| (left, refusal));
            if left == 0 {
                if let Refusal::ButKept = refusal {
                    commit(&mut state, frames);
                }
                let _ = answer.send(Err(JournalError::Disk("no".to_owned())));
                return;
            }
        }
        match &mut state.room {
            Some(0) => return state.waiting.push_back((frames, answer)),
            Some(room) => *room -= 1,
            None => {}
        }
        commit(&mut state, frames);
        let _ = answer.send(Ok(()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

fn commit(state: &mut State, frames: Vec<Frame>) {
    state.under.keep(&frames);
    for frame in frames {
        let journal = state.journals.entry(frame.run).or_default();
        assert_eq!(frame.first, journal.len() as u64, "frames leave no gap and overwrite nothing");
        assert_eq!(frame.opening.is_some(), frame.first == 0, "the first frame opens the run, and no other");
        state.frames.push(frame.entries.len());
        journal.extend(frame.entries);
        let end = journal.iter().position(|entry| matches!(entry.what, Event::RunEnded { .. }));
        assert!(end.is_none_or(|end| end + 1 == journal.len()), "nothing follows the end of a run");
        if let Some(opening) = &frame.opening {
            state.order.push(frame.run);
            let lane = Lane { owner: frame.owner, graph: opening.graph };
            state.lanes.insert(frame.run, (lane, opening.parent.is_some()));
        }
        if let Some(parked) = &frame.row.parked {
            let is_over = frame.row.ended_at.is_some() || frame.row.status.is_terminal();
            assert!(!is_over, "a run that has ended is not parked");
            assert!(frame.row.status != Status::Queued, "a run that may go on is not parked: {parked:?}");
        }
        state.reviews.extend(frame.reviews.into_iter().map(|review| (review.exec, review)));
        state.callbacks.extend(frame.callback_url.map(|url| (frame.run, url)));
        state.rows.insert(frame.run, frame.row);
        state.writes.extend(frame.writes);
    }
}

#[async_trait]
impl Journal for Disk {
    fn append(&self, frames: Vec<Frame>) -> Ticket {
        let (answer, ticket) = Ticket::new();
        let run = frames[0].run;
        let mut state = self.state();
        let is_alone = state.waiting.iter().all(|(frames, _)| frames[0].run != run);
        assert!(is_alone, "at most one frame of a run is on its way");
        if state.is_held || state.room == Some(0) {
            state.waiting.push_back((frames, answer));
        } else {
            drop(state);
            self.decide(frames, answer);
        }
        ticket
    }

    async fn read(&self, run: RunId, from: u64) -> Result<Vec<Entry>, JournalError> {
        let mut state = self.state();
        if state.unreadable > 0 {
            state.unreadable -= 1;
            return Err(JournalError::Disk("cannot be read".to_owned()));
        }
        let entries = state.journals.get(&run).map(|entries| entries[from as usize..].to_vec()).unwrap_or_default();
        state.under.check(run, from as usize, &entries);
        Ok(entries)
    }

    async fn standing(&self, run: RunId) -> Result<Option<Standing>, JournalError> {
        let mut state = self.state();
        if state.unreadable > 0 {
            state.unreadable -= 1;
            return Err(JournalError::Disk("cannot be read".to_owned()));
        }
        Ok(state.rows.get(&run).map(|row| {
            let (lane, is_child) = state.lanes[&run];
            let (ended, parked) = (row.ended_at.is_some(), row.parked.is_some());
            Standing { lane, ended, parked, is_child, news: row.news }
        }))
    }

    async fn due(&self, now: Time, after: Option<(Time, RunId)>, limit: usize) -> Result<Vec<Due>, JournalError> {
        let mut due: Vec<_> = self.wakes().into_iter().filter(|due| due.wake_at <= now).collect();
        due.sort_by_key(|due| (due.wake_at, due.run.0));
        due.retain(|due| after.is_none_or(|(at, run)| (due.wake_at, due.run.0) > (at, run.0)));
        due.truncate(limit);
        Ok(due)
    }

    async fn next_wake(&self, after: Time) -> Result<Option<Time>, JournalError> {
        Ok(self.wakes().into_iter().map(|due| due.wake_at).filter(|at| *at > after).min())
    }

    async fn awaiting(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Awaiting>, JournalError> {
        let state = self.state();
        let mut awaiting: Vec<_> = state
            .rows
            .iter()
            .filter_map(|(run, row)| Some(Awaiting { run: *run, children: row.parked.clone()?.awaits }))
            .filter(|awaiting| !awaiting.children.is_empty())
            .filter(|awaiting| after.is_none_or(|after| awaiting.run.0 > after.0))
            .collect();
        awaiting.sort_by_key(|awaiting| awaiting.run.0);
        awaiting.truncate(limit);
        Ok(awaiting)
    }

    async fn reviews(&self, _: UserId, run: RunId) -> Result<Vec<Review>, JournalError> {
        Ok(Disk::reviews(self, run))
    }
}
