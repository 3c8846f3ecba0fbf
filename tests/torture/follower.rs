//! Someone who follows a run live and takes up the stream again where it broke off.

use super::dice::Dice;
use super::model::Event;
use super::starter::Shared;
use serde_json::Value;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Before the next attempt when a stream broke off.
const PAUSE: Duration = Duration::from_millis(5);
/// One event in so many makes the follower hang up and come back …
const HANG_UP: u64 = 20;
/// … but so often at most: every time the server reads the run from its beginning.
const HANG_UPS: u64 = 4;

/// A follower at work.
pub struct Follower(JoinHandle<Vec<Event>>);

impl Follower {
    /// Follows the run at this path until it has ended and the server has closed the stream.
    pub fn of(shared: Arc<Shared>, path: String, mut dice: Dice) -> Self {
        let mut left = dice.below(HANG_UPS + 1);
        let hangs_up = move |_: &Event| {
            let hangs_up = left > 0 && dice.one_in(HANG_UP);
            left -= u64::from(hangs_up);
            hangs_up
        };
        Self(std::thread::spawn(move || follow(&shared, &path, hangs_up)))
    }

    /// What it saw.
    pub fn events(self) -> Vec<Event> {
        self.0.join().unwrap()
    }
}

/// All events of a run in the order in which they came; hangs up after those that `hangs_up` names.
pub fn follow(shared: &Shared, path: &str, mut hangs_up: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let path = format!("{path}/events");
    while let Some((client, life)) = shared.client() {
        let last = events.last().map(|event| event.id.clone());
        let headers = last.as_deref().map(|id| ("Last-Event-ID", id));
        let mut stayed = true;
        let ended = client.follow(&path, headers.as_slice(), |text| {
            if let Some(event) = parse(text) {
                stayed = !hangs_up(&event);
                events.push(event);
            }
            stayed
        });
        match ended {
            Ok(200) if stayed && events.last().is_some_and(is_end) => return events,
            Ok(200 | 503) | Err(_) => {}
            Ok(status) if shared.world.lives(life) => {
                shared.world.fault(format!("{path} was answered {status}"));
                return events;
            }
            Ok(_) => {}
        }
        if stayed {
            std::thread::sleep(PAUSE);
        }
    }
    events
}

fn is_end(event: &Event) -> bool {
    event.name == "run" && !event.data["ended_at"].is_null()
}

/// An event of its lines; `None` for a comment.
fn parse(text: &str) -> Option<Event> {
    let field = |name: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).next()
    };
    let data: Value = serde_json::from_str(field("data")?).ok()?;
    Some(Event { id: field("id")?.to_owned(), name: field("event")?.to_owned(), data })
}
