//! Whose callback is next.
//!
//! Pure: owners take turns, and within an owner its servers, so that neither somebody's thousand runs nor a server that
//! swallows requests keeps the others waiting. What does not fit in stays in the database and is looked for later.

use super::address::server;
use heddle_model::{RunId, UserId};
use heddle_store::Callback;
use std::collections::{HashMap, HashSet, VecDeque};

/// Deliveries under way: of everybody, of one owner, to one server.
const AT_ONCE: usize = 32;
const OF_OWNER: usize = 8;
const OF_SERVER: usize = 4;

/// Callbacks held in memory: for one owner and server, and for one owner.
const LANE: usize = 256;
const LANES: usize = 4096;

/// What waits and what is under way.
#[derive(Default)]
pub(super) struct Queue {
    /// Those with something waiting; the first is next.
    turns: VecDeque<UserId>,
    waiting: HashMap<UserId, Waiting>,
    held: HashSet<RunId>,
    busy: Busy,
    under_way: usize,
    /// Something was left out, and there is room for it now.
    is_hungry: bool,
}

/// What waits of one owner.
#[derive(Default)]
struct Waiting {
    turns: VecDeque<String>,
    lanes: HashMap<String, Lane>,
    count: usize,
    has_left_out: bool,
}

/// What waits for one server.
#[derive(Default)]
struct Lane {
    callbacks: VecDeque<Callback>,
    has_left_out: bool,
}

#[derive(Default)]
struct Busy {
    owners: HashMap<UserId, usize>,
    servers: HashMap<String, usize>,
}

impl Queue {
    /// Takes one in, unless it is here already or there are too many.
    pub(super) fn offer(&mut self, callback: Callback) {
        if self.held.contains(&callback.run) {
            return;
        }
        let waiting = self.waiting.entry(callback.owner).or_default();
        if waiting.count >= LANES {
            waiting.has_left_out = true;
            return;
        }
        let server = server(&callback.url);
        let lane = waiting.lanes.entry(server.clone()).or_default();
        if lane.callbacks.len() >= LANE {
            lane.has_left_out = true;
            return;
        }
        if lane.callbacks.is_empty() {
            waiting.turns.push_back(server);
        }
        if waiting.count == 0 {
            self.turns.push_back(callback.owner);
        }
        waiting.count += 1;
        self.held.insert(callback.run);
        lane.callbacks.push_back(callback);
    }

    /// The next one to deliver, which is under way from now on; `None` when nothing waits that may go.
    pub(super) fn next(&mut self) -> Option<Callback> {
        if self.under_way >= AT_ONCE {
            return None;
        }
        for _ in 0..self.turns.len() {
            let owner = self.turns.pop_front()?;
            let waiting = self.waiting.get_mut(&owner)?;
            let found = match self.busy.owners.get(&owner) {
                Some(busy) if *busy >= OF_OWNER => None,
                _ => waiting.next(&self.busy.servers, &mut self.is_hungry),
            };
            if waiting.count == 0 {
                self.waiting.remove(&owner);
            } else {
                self.turns.push_back(owner);
            }
            if let Some((server, callback)) = found {
                *self.busy.owners.entry(owner).or_default() += 1;
                *self.busy.servers.entry(server).or_default() += 1;
                self.under_way += 1;
                return Some(callback);
            }
        }
        None
    }

    /// One that was under way has been dealt with, for now or for good.
    pub(super) fn done(&mut self, callback: &Callback) {
        self.held.remove(&callback.run);
        self.under_way -= 1;
        less(&mut self.busy.owners, &callback.owner);
        less(&mut self.busy.servers, &server(&callback.url));
    }

    /// Whether something was left out for which there is room now; asked once.
    pub(super) fn is_hungry(&mut self) -> bool {
        std::mem::take(&mut self.is_hungry)
    }
}

impl Waiting {
    fn next(&mut self, busy: &HashMap<String, usize>, is_hungry: &mut bool) -> Option<(String, Callback)> {
        for _ in 0..self.turns.len() {
            let server = self.turns.pop_front()?;
            if busy.get(&server).is_some_and(|busy| *busy >= OF_SERVER) {
                self.turns.push_back(server);
                continue;
            }
            let lane = self.lanes.get_mut(&server)?;
            let callback = lane.callbacks.pop_front()?;
            self.count -= 1;
            let has_room = lane.callbacks.len() <= LANE / 4 && std::mem::take(&mut lane.has_left_out);
            *is_hungry |= has_room || (self.count <= LANES / 4 && std::mem::take(&mut self.has_left_out));
            if lane.callbacks.is_empty() {
                self.lanes.remove(&server);
            } else {
                self.turns.push_back(server.clone());
            }
            return Some((server, callback));
        }
        None
    }
}

fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_model::Time;
    use uuid::Uuid;

    fn callback(owner: u8, server: &str, number: u128) -> Callback {
        Callback {
            run: RunId(Uuid::from_u128(u128::from(owner) << 64 | number)),
            owner: UserId(Uuid::from_u128(owner.into())),
            url: format!("https://{server}/{number}"),
            ended_at: Time(0),
            due_at: Time(0),
            attempts: 0,
        }
    }

    fn all(queue: &mut Queue) -> Vec<Callback> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    #[test]
    fn owners_and_their_servers_take_turns() {
        let mut queue = Queue::default();
        for number in 0..100 {
            queue.offer(callback(1, "a.example", number));
        }
        queue.offer(callback(1, "b.example", 100));
        queue.offer(callback(2, "a.example", 0));
        let first: Vec<_> = (0..3).map(|_| queue.next().unwrap().url).collect();
        assert_eq!(first, ["https://a.example/0", "https://a.example/0", "https://b.example/100"]);
    }

    #[test]
    fn a_dead_server_and_a_busy_owner_keep_nobody_waiting() {
        let mut queue = Queue::default();
        for number in 0..1000 {
            queue.offer(callback(1, "dead.example", number));
        }
        assert_eq!(all(&mut queue).len(), OF_SERVER);
        queue.offer(callback(1, "living.example", 1000));
        assert_eq!(all(&mut queue), [callback(1, "living.example", 1000)]);
        for number in 2000..2100 {
            queue.offer(callback(1, &format!("{number}.example"), number));
        }
        assert_eq!(all(&mut queue).len(), OF_OWNER - OF_SERVER - 1);
        for owner in 2..10 {
            for number in 0..100 {
                queue.offer(callback(owner, &format!("{owner}-{number}.example"), number));
            }
        }
        assert_eq!(all(&mut queue).len(), AT_ONCE - OF_OWNER);
    }

    #[test]
    fn one_that_is_here_already_is_not_taken_in_again() {
        let mut queue = Queue::default();
        let one = callback(1, "a.example", 1);
        queue.offer(one.clone());
        queue.offer(one.clone());
        assert_eq!(all(&mut queue), std::slice::from_ref(&one));
        queue.offer(one.clone());
        assert_eq!(all(&mut queue), [], "it is under way");
        queue.done(&one);
        queue.offer(one.clone());
        assert_eq!(all(&mut queue), std::slice::from_ref(&one));
        queue.done(&one);
        assert!(queue.held.is_empty() && queue.waiting.is_empty() && queue.turns.is_empty());
        assert!(queue.busy.owners.is_empty() && queue.busy.servers.is_empty() && queue.under_way == 0);
    }

    #[test]
    fn what_was_left_out_is_asked_for_when_there_is_room() {
        let mut queue = Queue::default();
        for number in 0..=(LANE as u128) {
            queue.offer(callback(1, "a.example", number));
        }
        let mut delivered = 0;
        while !queue.is_hungry() {
            let callback = queue.next().unwrap();
            queue.done(&callback);
            delivered += 1;
        }
        assert_eq!(delivered, LANE - LANE / 4);
        assert!(!queue.is_hungry());
        while let Some(callback) = queue.next() {
            queue.done(&callback);
            delivered += 1;
        }
        assert_eq!(delivered, LANE);
        assert!(!queue.is_hungry());
    }
}
