//! How a run is shown to whoever waits for it.

use super::block::Block;
use super::board::{Board, Line};
use crate::admin::follow::Glance;
use heddle_model::Time;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where a terminal does not say how large it is.
const SIZE: (usize, usize) = (80, 24);

/// What is shown, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nobody watches.
    Nothing,
    /// A line each second, which any terminal can show.
    Lines,
    /// A block that is drawn again in its place.
    Block { colors: bool },
}

impl Mode {
    /// What suits this process's stderr.
    pub fn of(as_json: bool, logs: bool) -> Self {
        let (term, no_color) = (std::env::var_os("TERM"), std::env::var_os("NO_COLOR"));
        Self::choose(std::io::stderr().is_terminal(), as_json || logs, term.as_deref(), no_color.as_deref())
    }

    /// A block needs a terminal that moves its cursor and that nobody else writes to.
    fn choose(terminal: bool, plain: bool, term: Option<&OsStr>, no_color: Option<&OsStr>) -> Self {
        let is_dumb = term.is_none_or(|term| term.is_empty() || term == "dumb");
        match (terminal, plain || is_dumb) {
            (false, _) => Self::Nothing,
            (true, true) => Self::Lines,
            (true, false) => Self::Block { colors: no_color.is_none_or(OsStr::is_empty) },
        }
    }
}

/// Shows one run.
#[derive(Debug)]
pub struct Watch {
    mode: Mode,
    board: Board,
    block: Block,
    since: Instant,
}

impl Watch {
    /// Of a run of an agent that begins now.
    pub fn new(mode: Mode, name: &str) -> Self {
        Self { mode, board: Board::new(name), block: Block::default(), since: Instant::now() }
    }

    /// How long to wait for the run before it is looked at again, in seconds: short where somebody watches.
    pub fn patience(&self) -> u64 {
        match self.mode {
            Mode::Nothing => 30,
            Mode::Lines => 1,
            Mode::Block { .. } => 5,
        }
    }

    /// Whether glances are wanted.
    pub fn is_live(&self) -> bool {
        matches!(self.mode, Mode::Block { .. })
    }

    /// Takes a glance in; it is seen when the block is drawn.
    pub fn take(&mut self, glance: Glance) {
        self.board.take(glance);
    }

    /// Shows how the run stands, as its row tells it.
    pub fn line(&self, view: &Value) {
        if self.mode == Mode::Lines {
            let status = view["status"].as_str().unwrap_or_default();
            let (nodes, errors) = (&view["node_exec_count"], &view["node_error_count"]);
            write(&format!("{status} after {nodes} node executions, {errors} failed\n"));
        }
    }

    /// Draws the block as things stand.
    pub fn draw(&mut self) {
        let Mode::Block { colors } = self.mode else { return };
        let (width, height) = size();
        let lines = self.board.lines(now(), self.since.elapsed(), width, height);
        write(&self.block.draw(lines, width, height, colors));
    }

    /// Leaves a summary where the block was.
    pub fn finish(&mut self, view: &Value) {
        let Mode::Block { colors } = self.mode else { return };
        let (width, height) = size();
        let count = |name: &str| view[name].as_u64().unwrap_or(0);
        let status = view["status"].as_str().unwrap_or_default();
        let (nodes, errors) = (count("node_exec_count"), count("node_error_count"));
        let lines = self.board.summary(status, self.since.elapsed(), nodes, errors, width);
        let mut out = self.block.erase(width, height);
        out.extend(lines.iter().map(|line: &Line| line.rendered(colors) + "\n"));
        write(&out);
    }
}

/// All at once, so that no half of it is ever seen. A terminal that has gone needs no progress.
fn write(text: &str) {
    if !text.is_empty() {
        let mut stderr = std::io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(std::io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => SIZE,
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_for_terminals_that_can_show_one() {
        let choose = |terminal, plain, term: Option<&'static str>, no_color: Option<&'static str>| {
            Mode::choose(terminal, plain, term.map(OsStr::new), no_color.map(OsStr::new))
        };
        assert_eq!(choose(true, false, Some("xterm"), None), Mode::Block { colors: true });
        assert_eq!(choose(true, false, Some("xterm"), Some("")), Mode::Block { colors: true });
        assert_eq!(choose(true, false, Some("xterm"), Some("1")), Mode::Block { colors: false });
        for (plain, term) in [(true, Some("xterm")), (false, Some("dumb")), (false, Some("")), (false, None)] {
            assert_eq!(choose(true, plain, term, None), Mode::Lines, "{plain} {term:?}");
            assert_eq!(choose(false, plain, term, None), Mode::Nothing, "{plain} {term:?}");
        }
        assert_eq!(choose(false, false, Some("xterm"), None), Mode::Nothing);
    }
}
