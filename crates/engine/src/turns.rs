//! Places that are fewer than those who want them, given out fairly.
//!
//! Whoever finds no place waits in the lane of its account and graph; a place that comes free goes to the account that
//! has waited longest for its turn. No lane and no account may hold more than its share, so that one account's ten
//! thousand runs never stop another's one. Who waits costs what `T` costs: for runs an id.

use crate::ports::Lane;
use heddle_model::UserId;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// All together.
    pub total: usize,
    /// For one account.
    pub account: usize,
    /// For one account and graph.
    pub lane: usize,
}

impl Share {
    /// So many places; a sixteenth of them is kept from any one account, so that others need not wait for its runs to
    /// end, and one lane gets at most `lane`.
    pub fn of(total: usize, lane: usize) -> Self {
        Self { total, account: total - total / 16, lane }
    }
}

type Ready<T> = dyn Fn(T, Place<T>) + Send + Sync;

/// The places and who waits for them.
pub struct Turns<T: Send + 'static> {
    share: Share,
    state: Mutex<State<T>>,
    ready: Box<Ready<T>>,
}

struct State<T> {
    taken: usize,
    waiting: usize,
    /// Somebody is giving places out.
    giving: bool,
    accounts: HashMap<UserId, Account<T>>,
    /// Accounts of which someone waits, next first.
    order: VecDeque<UserId>,
}

struct Account<T> {
    taken: usize,
    lanes: HashMap<Lane, Queue<T>>,
    /// Lanes in which someone waits, next first.
    order: VecDeque<Lane>,
}

struct Queue<T> {
    taken: usize,
    waiting: VecDeque<T>,
}

impl<T> Default for Account<T> {
    fn default() -> Self {
        Self { taken: 0, lanes: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { taken: 0, waiting: VecDeque::new() }
    }
}

/// A place; free again when it is dropped.
pub struct Place<T: Send + 'static> {
    turns: Arc<Turns<T>>,
    lane: Lane,
}

impl<T: Send> Turns<T> {
    /// Free places. `ready` is called with whoever gets one after having waited.
    pub fn new(share: Share, ready: impl Fn(T, Place<T>) + Send + Sync + 'static) -> Arc<Self> {
        let state = State { taken: 0, waiting: 0, giving: false, accounts: HashMap::new(), order: VecDeque::new() };
        Arc::new(Self { share, state: Mutex::new(state), ready: Box::new(ready) })
    }

    /// A place, if there is one and nobody of the same lane waits.
    pub fn try_take(self: &Arc<Self>, lane: Lane) -> Option<Place<T>> {
        let mut state = self.state();
        if state.taken >= self.share.total {
            return None;
        }
        let account = state.accounts.entry(lane.owner).or_default();
        let queue = account.lanes.entry(lane).or_default();
        let is_free = account.taken < self.share.account && queue.taken < self.share.lane && queue.waiting.is_empty();
        if is_free {
            queue.taken += 1;
            account.taken += 1;
            state.taken += 1;
        }
        let place = is_free.then(|| Place { turns: Arc::clone(self), lane });
        state.forget_idle(lane);
        place
    }

    /// Waits for a turn; `ready` is called at once when a place is free.
    pub fn wait(self: &Arc<Self>, lane: Lane, item: T) {
        let mut state = self.state();
        let account = state.accounts.entry(lane.owner).or_default();
        let queue = account.lanes.entry(lane).or_default();
        queue.waiting.push_back(item);
        if queue.waiting.len() == 1 {
            account.order.push_back(lane);
        }
        let is_new = account.order.len() == 1 && account.lanes[&lane].waiting.len() == 1;
        if is_new {
            state.order.push_back(lane.owner);
        }
        state.waiting += 1;
        drop(state);
        self.give_out();
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.state().waiting
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.state().taken
    }

    /// Forgets one who waits, if it still does.
    pub fn withdraw(&self, lane: Lane, item: &T)
    where
        T: PartialEq,
    {
        let mut state = self.state();
        let Some(account) = state.accounts.get_mut(&lane.owner) else { return };
        let Some(queue) = account.lanes.get_mut(&lane) else { return };
        let Some(at) = queue.waiting.iter().position(|waiting| waiting == item) else { return };
        queue.waiting.remove(at);
        if queue.waiting.is_empty() {
            account.order.retain(|other| *other != lane);
        }
        if account.order.is_empty() {
            state.order.retain(|other| *other != lane.owner);
        }
        state.waiting -= 1;
        state.forget_idle(lane);
    }

    /// Forgets everybody who waits.
    pub fn clear(&self) {
        let mut state = self.state();
        state.order.clear();
        state.waiting = 0;
        for account in state.accounts.values_mut() {
            account.order.clear();
            account.lanes.values_mut().for_each(|queue| queue.waiting.clear());
        }
    }

    /// Gives free places to those whose turn it is. A place that comes back at once, because nobody wanted it after
    /// all, is given on by whoever is at it already: however many wait, nothing is called deeper than once.
    fn give_out(self: &Arc<Self>) {
        if std::mem::replace(&mut self.state().giving, true) {
            return;
        }
        while let Some((lane, item)) = self.next() {
            (self.ready)(item, Place { turns: Arc::clone(self), lane });
        }
    }

    fn next(&self) -> Option<(Lane, T)> {
        let mut state = self.state();
        let next = state.next(self.share);
        state.giving = next.is_some();
        next
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}

impl<T> State<T> {
    /// The next one that may have a place; its place is counted as taken.
    fn next(&mut self, share: Share) -> Option<(Lane, T)> {
        if self.taken >= share.total {
            return None;
        }
        for _ in 0..self.order.len() {
            let owner = self.order.pop_front()?;
            let account = self.accounts.get_mut(&owner)?;
            let found = account.next(share);
            if !account.order.is_empty() {
                self.order.push_back(owner);
            }
            if let Some(found) = found {
                self.taken += 1;
                self.waiting -= 1;
                return Some(found);
            }
        }
        None
    }

    /// Accounts and lanes that hold nothing and wait for nothing take no memory.
    fn forget_idle(&mut self, lane: Lane) {
        let Some(account) = self.accounts.get_mut(&lane.owner) else { return };
        if account.lanes.get(&lane).is_some_and(|queue| queue.taken == 0 && queue.waiting.is_empty()) {
            account.lanes.remove(&lane);
        }
        if account.lanes.is_empty() {
            self.accounts.remove(&lane.owner);
        }
    }
}

impl<T> Account<T> {
    fn next(&mut self, share: Share) -> Option<(Lane, T)> {
        if self.taken >= share.account {
            return None;
        }
        for _ in 0..self.order.len() {
            let lane = self.order.pop_front()?;
            let queue = self.lanes.get_mut(&lane)?;
            let item = if queue.taken < share.lane { queue.waiting.pop_front() } else { None };
            queue.taken += usize::from(item.is_some());
            if !queue.waiting.is_empty() {
                self.order.push_back(lane);
            }
            if let Some(item) = item {
                self.taken += 1;
                return Some((lane, item));
            }
        }
        None
    }
}

impl<T: Send + 'static> Drop for Place<T> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.taken -= 1;
        if let Some(account) = state.accounts.get_mut(&self.lane.owner) {
            account.taken -= 1;
            if let Some(queue) = account.lanes.get_mut(&self.lane) {
                queue.taken -= 1;
            }
        }
        state.forget_idle(self.lane);
        let someone_waits = state.waiting > 0;
        drop(state);
        if someone_waits {
            self.turns.give_out();
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Place<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("lane", &self.lane).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_model::GraphId;

    fn lane(owner: u8, graph: u8) -> Lane {
        Lane { owner: UserId::from_random([owner; 16]), graph: GraphId::from_random([graph; 16]) }
    }

    type Given = Arc<Mutex<Vec<(u32, Place<u32>)>>>;

    fn turns(share: Share) -> (Arc<Turns<u32>>, Given) {
        let given: Given = Arc::default();
        let keep = Arc::clone(&given);
        (Turns::new(share, move |item, place| keep.lock().unwrap().push((item, place))), given)
    }

    fn names(given: &Given) -> Vec<u32> {
        given.lock().unwrap().iter().map(|(item, _)| *item).collect()
    }

    #[test]
    fn accounts_take_turns_whatever_each_has_waiting() {
        let (turns, given) = turns(Share { total: 1, account: 1, lane: 1 });
        let first = turns.try_take(lane(1, 1)).unwrap();
        (0..100).for_each(|item| turns.wait(lane(1, 1), item));
        turns.wait(lane(2, 1), 1000);
        assert!(turns.try_take(lane(3, 1)).is_none());
        drop(first);
        for _ in 0..3 {
            let place = given.lock().unwrap().pop().unwrap();
            drop(place);
        }
        // 0 came first, then the other account's only one, whatever else waits.
        assert_eq!((turns.waiting(), names(&given)), (97, vec![2]));
    }

    #[test]
    fn no_lane_and_no_account_holds_more_than_its_share() {
        let (turns, given) = turns(Share { total: 10, account: 4, lane: 3 });
        (0..5).for_each(|item| turns.wait(lane(1, 1), item));
        (5..10).for_each(|item| turns.wait(lane(1, 2), item));
        assert_eq!((names(&given), turns.waiting()), (vec![0, 1, 2, 5], 6));
        let kept: Vec<_> = (0..4).filter_map(|_| turns.try_take(lane(2, 1))).collect();
        assert_eq!(kept.len(), 3);
        assert_eq!(turns.taken(), 7);
    }

    #[test]
    fn nobody_passes_those_who_wait_in_the_same_lane_and_nothing_is_left_behind() {
        let (turns, given) = turns(Share::of(4, 1));
        let held = turns.try_take(lane(1, 1)).unwrap();
        turns.wait(lane(1, 1), 7);
        assert!(turns.try_take(lane(1, 1)).is_none());
        drop(held);
        assert_eq!(names(&given), [7]);
        given.lock().unwrap().clear();
        assert!(turns.state().accounts.is_empty());
        assert!(turns.state().order.is_empty());
    }

    #[test]
    fn places_that_nobody_wants_any_more_are_given_on_without_piling_up() {
        let given: Arc<Mutex<usize>> = Arc::default();
        let count = Arc::clone(&given);
        let turns = Turns::new(Share::of(1, 1), move |_: u32, place| {
            *count.lock().unwrap() += 1;
            drop(place);
        });
        let held = turns.try_take(lane(1, 1)).unwrap();
        (0..200_000).for_each(|item| turns.wait(lane(1, 1), item));
        drop(held);
        assert_eq!((*given.lock().unwrap(), turns.waiting(), turns.taken()), (200_000, 0, 0));
    }

    #[test]
    fn one_who_waits_can_withdraw_and_leaves_nothing_behind() {
        let (turns, given) = turns(Share::of(1, 1));
        let held = turns.try_take(lane(1, 1)).unwrap();
        (1..=3).for_each(|item| turns.wait(lane(1, 1), item));
        turns.wait(lane(2, 1), 4);
        turns.withdraw(lane(1, 1), &2);
        turns.withdraw(lane(1, 1), &9);
        turns.withdraw(lane(3, 1), &1);
        turns.withdraw(lane(2, 1), &4);
        assert_eq!(turns.waiting(), 2);
        turns.wait(lane(2, 1), 5);
        drop(held);
        for next in [1, 5, 3] {
            let (item, place) = given.lock().unwrap().remove(0);
            assert_eq!(item, next);
            drop(place);
        }
        let state = turns.state();
        assert!(state.accounts.is_empty() && state.order.is_empty() && state.waiting == 0);
    }

    #[test]
    fn those_who_wait_can_be_forgotten() {
        let (turns, given) = turns(Share::of(1, 1));
        let held = turns.try_take(lane(1, 1)).unwrap();
        turns.wait(lane(1, 1), 1);
        turns.wait(lane(2, 1), 2);
        turns.clear();
        drop(held);
        assert_eq!((names(&given), turns.waiting()), (vec![], 0));
    }
}
