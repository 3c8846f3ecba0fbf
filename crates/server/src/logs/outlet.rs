//! Lines on their way out: whoever writes one never waits for whoever reads it.
//!
//! A thread of its own writes them, one at a time, so that a crash leaves no half of one that is followed by another. What
//! it cannot get rid of waits up to a bound; past that lines are lost, and how many is said once there is room again.
//! Not `tracing-appender`: its end says that it took too long on the very stderr that nobody reads, and waits there.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The way out. Clones share it.
#[derive(Clone)]
pub struct Outlet(Arc<Shared>);

struct Shared {
    /// Bytes that may wait.
    room: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    /// Bytes of those that wait.
    bytes: usize,
    /// Lines that found no room since that was last said.
    lost: u64,
    /// Whether the thread has one in hand.
    is_writing: bool,
    /// Whether somebody has waited in vain, and no line has gone out since.
    is_stuck: bool,
}

impl Outlet {
    /// To this place, with so much room. `tell` is called on the thread with a number of lost lines, and may write lines.
    pub fn start(to: impl Write + Send + 'static, room: usize, tell: fn(u64)) -> io::Result<Self> {
        let shared = Arc::new(Shared { room, state: Mutex::default(), changed: Condvar::new() });
        let own = Arc::clone(&shared);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || own.serve(to, tell))?;
        Ok(Self(shared))
    }

    /// Takes a line if there is room for it.
    pub fn put(&self, line: &[u8]) {
        let mut state = self.0.state();
        if state.bytes + line.len() > self.0.room {
            state.lost += 1;
            return;
        }
        state.push(line);
        self.0.changed.notify_all();
    }

    /// Takes a line that is written even when others are lost: there are few of them.
    pub fn put_surely(&self, line: &[u8]) {
        self.0.state().push(line);
        self.0.changed.notify_all();
    }

    /// Waits until everything is out, but not for longer than this, and not at all while nothing moves.
    pub fn flush(&self, limit: Duration) {
        let give_up = Instant::now() + limit;
        let mut state = self.0.state();
        while !state.is_idle() && !state.is_stuck {
            let Some(left) = give_up.checked_duration_since(Instant::now()) else {
                state.is_stuck = true;
                return;
            };
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn push(&mut self, line: &[u8]) {
        self.bytes += line.len();
        self.waiting.push_back(line.to_vec());
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.lost == 0 && !self.is_writing
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut to: impl Write, tell: fn(u64)) {
        let mut state = self.state();
        loop {
            state.is_writing = true;
            if state.lost > 0 && state.bytes <= self.room / 2 {
                let lost = std::mem::take(&mut state.lost);
                drop(state);
                tell(lost);
                state = self.state();
            } else if let Some(line) = state.waiting.pop_front() {
                drop(state);
                // Whoever has closed it wants no more lines.
                let _ = to.write_all(&line);
                state = self.state();
                state.bytes -= line.len();
                state.is_stuck = false;
            } else {
                state.is_writing = false;
                self.changed.notify_all();
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// One line, as whoever formats it writes it.
pub struct Line<'a>(pub &'a Outlet);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::sync::OnceLock;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn nobody_waits_for_a_reader_and_what_was_lost_is_told() {
        static OUTLET: OnceLock<Outlet> = OnceLock::new();
        let (reader, writer) = std::io::pipe().unwrap();
        let tell = |lost| OUTLET.get().unwrap().put(format!("{lost} lost\n").as_bytes());
        let outlet = OUTLET.get_or_init(|| Outlet::start(writer, 200_000, tell).unwrap());
        let line = [&[b'x'; 99][..], b"\n"].concat();
        // Far more than the pipe and the room hold. The pipe holds less than half of the room, so nothing is told too soon.
        for _ in 0..5_000 {
            outlet.put(&line);
        }
        outlet.put_surely(b"important\n");
        let begun = Instant::now();
        outlet.flush(Duration::from_millis(10));
        assert!(outlet.0.state().is_stuck);
        outlet.flush(PATIENCE);
        assert!(begun.elapsed() < PATIENCE, "it waits once, not twice");

        let (mut whole, mut lost, mut is_said) = (0, None, false);
        for line in BufReader::new(reader).lines().map(Result::unwrap) {
            match line.strip_suffix(" lost") {
                Some(count) => lost = Some(count.parse::<u64>().unwrap()),
                None if line == "important" => is_said = true,
                None => {
                    assert_eq!(line, "x".repeat(99));
                    whole += 1;
                }
            }
            if is_said && lost.is_some_and(|lost| lost + whole == 5_000) {
                break;
            }
        }
        outlet.flush(PATIENCE);
        assert!(outlet.0.state().is_idle());
    }

    #[test]
    fn lines_for_nobody_are_no_hindrance() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let outlet = Outlet::start(writer, 100, |_| ()).unwrap();
        for _ in 0..100 {
            outlet.put(b"a line that nobody will ever read, of more bytes than would fit twice\n");
        }
        outlet.flush(PATIENCE);
        assert!(outlet.0.state().is_idle());
    }
}
