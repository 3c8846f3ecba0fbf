//! What a run's watcher sees, as lines of text. Pure: knows the width and the moment it is told, no terminal.

use crate::admin::follow::{Children, Glance, Node};
use heddle_model::{Status, Time};
use std::time::Duration;
use unicode_width::UnicodeWidthChar;

/// Failed nodes that a summary names.
const NAMED: usize = 5;

/// Lines of a block, however tall the terminal is.
const TALLEST: usize = 24;

/// How a piece of a line looks, where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Faint,
    Going,
    Good,
    Bad,
    Asking,
}

/// One line in pieces; never wider than it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Tone, String)>);

/// What is known of a run.
#[derive(Debug)]
pub struct Board {
    name: String,
    status: Status,
    /// By their place in the graph.
    nodes: Vec<Seen>,
    glances: u64,
}

#[derive(Debug)]
struct Seen {
    node: Node,
    /// The glance that changed it last; 0 for the first one, which tells of all.
    changed: u64,
}

impl Board {
    /// Of a run of an agent, before anything is known.
    pub fn new(name: &str) -> Self {
        Self { name: clean(name), status: Status::Queued, nodes: Vec::new(), glances: 0 }
    }

    /// Takes in what has changed.
    pub fn take(&mut self, glance: Glance) {
        self.status = glance.status;
        for mut node in glance.nodes {
            node.name = clean(&node.name);
            node.label = node.label.as_deref().map(clean);
            if let Some(children) = &mut node.children {
                children.name = clean(&children.name);
            }
            match self.nodes.binary_search_by_key(&node.index, |seen| seen.node.index) {
                Ok(at) => self.nodes[at] = Seen { node, changed: self.glances },
                Err(at) => self.nodes.insert(at, Seen { node, changed: self.glances }),
            }
        }
        self.glances += 1;
    }

    /// The run as it goes on: its nodes in the graph's order, as many as there is room for.
    pub fn lines<'a>(&'a self, now: Time, elapsed: Duration, width: usize, height: usize) -> Vec<Line> {
        // The last column stays free: some terminals begin a new line when it is written to.
        let width = width.saturating_sub(1);
        let room = height.saturating_sub(2).clamp(1, TALLEST);
        let (shown, left) = self.choose(room);
        let row = |seen: &&'a Seen| (&seen.node, title(&seen.node), state(&seen.node), time(&seen.node, now));
        let rows: Vec<_> = shown.iter().map(row).collect();
        let widest = |of: &dyn Fn(usize) -> usize| (0..rows.len()).map(of).max().unwrap_or(0);
        let states = widest(&|row| measure(&rows[row].2) + 2 + columns(&rows[row].3));
        let titles = widest(&|row| columns(&rows[row].1)).min(width.saturating_sub(4 + states.min(width / 2)));

        let mut lines = vec![self.head(elapsed, width)];
        for (node, title, state, time) in rows {
            let mut pieces = vec![(Tone::Plain, format!("  {}  ", padded(&title, titles)))];
            pieces.extend(state);
            if !time.is_empty() {
                pieces.push((Tone::Faint, format!("  {time}")));
            }
            lines.push(fitted(pieces, width));
            lines.extend(node.children.as_ref().map(|children| fitted(below(children), width)));
        }
        if !left.is_empty() {
            lines.push(fitted(vec![(Tone::Faint, more(&left))], width));
        }
        lines
    }

    /// What stays when the run is over, or waits for persons.
    pub fn summary(&self, status: &str, elapsed: Duration, nodes: u64, errors: u64, width: usize) -> Vec<Line> {
        let width = width.saturating_sub(1);
        let head = vec![
            (Tone::Plain, format!("{}: ", self.name)),
            (tone_of(Status::parse(status)), status.to_owned()),
            (Tone::Plain, format!(" after {}, {nodes} node executions, {errors} failed", span(elapsed))),
        ];
        let mut lines = vec![fitted(head, width)];
        let failed: Vec<_> = self.nodes.iter().map(|seen| &seen.node).filter(|node| node.failed > 0).collect();
        lines.extend(failed.iter().take(NAMED).map(|node| {
            let times = if node.failed == 1 { String::new() } else { format!(" ({} times)", node.failed) };
            fitted(vec![(Tone::Bad, "  failed: ".to_owned()), (Tone::Plain, title(node) + &times)], width)
        }));
        if failed.len() > NAMED {
            lines.push(fitted(vec![(Tone::Faint, format!("  and {} more", failed.len() - NAMED))], width));
        }
        lines
    }

    fn head(&self, elapsed: Duration, width: usize) -> Line {
        let sum = |of: fn(&Node) -> u64| self.nodes.iter().map(|seen| of(&seen.node)).sum::<u64>();
        let (done, failed) = (sum(|node| node.done), sum(|node| node.failed));
        let counts = match failed {
            0 => format!("  {done} done"),
            _ => format!("  {done} done, {failed} failed"),
        };
        let status = self.status.as_str();
        let rest = status.len() + 4 + columns(&whole(elapsed)) + columns(&counts);
        let name = cut(&self.name, width.saturating_sub(rest));
        fitted(
            vec![
                (Tone::Plain, format!("{name}  ")),
                (tone_of(Some(self.status)), status.to_owned()),
                (Tone::Faint, format!("  {}", whole(elapsed))),
                (Tone::Plain, counts),
            ],
            width,
        )
    }

    /// The nodes that are shown in so many lines, in the graph's order, and those that are not: first those that go on,
    /// then those that changed last.
    fn choose(&self, room: usize) -> (Vec<&Seen>, Vec<&Seen>) {
        let height = |seen: &Seen| 1 + usize::from(seen.node.children.is_some());
        if self.nodes.iter().map(height).sum::<usize>() <= room {
            return (self.nodes.iter().collect(), Vec::new());
        }
        let mut order: Vec<&Seen> = self.nodes.iter().collect();
        order.sort_by_key(|seen| {
            let goes_on = seen.node.running + seen.node.in_review > 0;
            (!goes_on, u64::MAX - seen.changed, seen.node.index)
        });
        let mut free = room.saturating_sub(1);
        let fitting = order.iter().take_while(|seen| {
            let fits = height(seen) <= free;
            free = free.saturating_sub(height(seen));
            fits
        });
        let fitting = fitting.count();
        let left = order.split_off(fitting);
        order.sort_by_key(|seen| seen.node.index);
        (order, left)
    }
}

impl Line {
    /// Columns that it takes.
    pub fn width(&self) -> usize {
        measure(&self.0)
    }

    /// As it goes to a terminal.
    pub fn rendered(&self, colors: bool) -> String {
        let piece = |(tone, text): &(Tone, String)| match tone.code() {
            Some(code) if colors => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.clone(),
        };
        self.0.iter().map(piece).collect()
    }
}

#[cfg(test)]
impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(vec![(Tone::Plain, text.to_owned())])
    }
}

impl Tone {
    fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Faint => Some(2),
            Self::Going => Some(36),
            Self::Good => Some(32),
            Self::Bad => Some(31),
            Self::Asking => Some(33),
        }
    }
}

fn tone_of(status: Option<Status>) -> Tone {
    match status {
        Some(Status::Completed) => Tone::Good,
        Some(Status::Failed | Status::Terminated) => Tone::Bad,
        Some(Status::Review) => Tone::Asking,
        Some(Status::Running) => Tone::Going,
        _ => Tone::Plain,
    }
}

fn title(node: &Node) -> String {
    match &node.label {
        Some(label) => format!("{}: {label}", node.name),
        None => node.name.clone(),
    }
}

/// What a node does and has done, most urgent first.
fn state(node: &Node) -> Vec<(Tone, String)> {
    let each = |count: u64, word: &str| if count == 1 { word.to_owned() } else { format!("{count} {word}") };
    let often = |count: u64, word: &str| if count == 1 { word.to_owned() } else { format!("{word} {count} times") };
    let has_begun = node.running + node.in_review + node.failed + node.done + node.stopped > 0;
    let parts = [
        (node.in_review > 0, Tone::Asking, each(node.in_review, "in review")),
        (node.running > 0, Tone::Going, each(node.running, "running")),
        (node.failed > 0, Tone::Bad, often(node.failed, "failed")),
        (node.done > 0, Tone::Good, often(node.done, "done")),
        (node.stopped > 0, Tone::Bad, often(node.stopped, "stopped")),
        (node.waiting > 0 && has_begun, Tone::Faint, format!("{} waiting", node.waiting)),
        (
            !has_begun,
            Tone::Faint,
            if node.waiting > 1 { format!("{} waiting", node.waiting) } else { "waiting".to_owned() },
        ),
    ];
    let mut pieces = Vec::new();
    for (_, tone, text) in parts.into_iter().filter(|(is_so, ..)| *is_so) {
        if !pieces.is_empty() {
            pieces.push((Tone::Plain, ", ".to_owned()));
        }
        pieces.push((tone, text));
    }
    pieces
}

/// How long it has been going on, or how long it took.
fn time(node: &Node, now: Time) -> String {
    match node.since {
        Some(since) => whole(Duration::from_micros(u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0))),
        None if node.done + node.failed + node.stopped > 0 => span(Duration::from_micros(node.spent)),
        None => String::new(),
    }
}

fn below(children: &Children) -> Vec<(Tone, String)> {
    let parts = [
        (children.in_review, "in review"),
        (children.running.saturating_sub(children.in_review), "running"),
        (children.done.saturating_sub(children.failed), "done"),
        (children.failed, "failed"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    vec![(Tone::Faint, format!("    > {}: {}", children.name, if parts.is_empty() { "started" } else { &parts }))]
}

fn more(left: &[&Seen]) -> String {
    let count = |is: fn(&Node) -> bool| left.iter().filter(|seen| is(&seen.node)).count();
    let parts = [
        (count(|node| node.running + node.in_review > 0), "going on"),
        (count(|node| node.running + node.in_review == 0 && node.failed > 0), "failed"),
        (count(|node| node.running + node.in_review + node.failed == 0 && node.done > 0), "done"),
        (count(|node| node.running + node.in_review + node.failed + node.done == 0), "waiting"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    format!("  and {} more: {}", left.len(), parts.collect::<Vec<_>>().join(", "))
}

/// A time that stands still is told to the tenth of a second.
fn span(time: Duration) -> String {
    match time.as_secs() {
        0 if time.as_millis() < 100 => format!("{} ms", time.as_millis()),
        0..10 => format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100),
        _ => whole(time),
    }
}

/// A time that goes on, so that it changes once a second.
fn whole(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Without what would move the cursor or turn the direction of writing.
fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn measure(pieces: &[(Tone, String)]) -> usize {
    pieces.iter().map(|(_, text)| columns(text)).sum()
}

/// Terminals count character by character, whatever a font makes of several together.
fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A text of at most so many columns.
fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let (mut out, mut taken) = (String::new(), 0);
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken >= width {
            break;
        }
        out.push(c);
    }
    if width > 0 {
        out.push('\u{2026}');
    }
    out
}

fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let blanks = width.saturating_sub(columns(&text));
    text + &" ".repeat(blanks)
}

/// A line of at most so many columns.
fn fitted(pieces: Vec<(Tone, String)>, width: usize) -> Line {
    if measure(&pieces) <= width {
        return Line(pieces);
    }
    let (mut line, mut left) = (Vec::new(), width);
    for (tone, text) in pieces {
        if columns(&text) >= left {
            // At least one column is missing further on.
            line.push((tone, cut(&(text + "\u{2026}\u{2026}"), left)));
            break;
        }
        left -= columns(&text);
        line.push((tone, text));
    }
    Line(line)
}

#[cfg(test)]
mod tests;
