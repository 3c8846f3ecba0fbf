//! A terminal for a command's stderr: a pseudo terminal, and what it shows.

use super::Outcome;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command with its stderr on a terminal; killed when dropped.
pub struct Terminal {
    child: Child,
    bytes: Receiver<Vec<u8>>,
    /// All that was written so far.
    pub written: Vec<u8>,
    columns: usize,
}

impl Terminal {
    /// Starts a command on a terminal of so many columns and rows.
    pub fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
        let child = command.stdout(Stdio::piped()).stderr(theirs).spawn().unwrap();
        // It keeps a copy of the other side, and as long as there is one the terminal has not hung up.
        drop(command);
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let (mut ours, mut buffer) = (File::from(ours), [0; 4096]);
            // An error: nobody holds the other side any more.
            while let Ok(length @ 1..) = ours.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, bytes, written: Vec::new(), columns: columns.into() }
    }

    /// Reads on until the screen is as wanted.
    pub fn shows(&mut self, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            match self.bytes.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.written.extend(bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never shown; last: {screen:#?}")
                }
            }
        }
    }

    /// Waits for the command's end; stderr is what the terminal shows then.
    pub fn end(mut self) -> Outcome {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        while let Ok(bytes) = self.bytes.recv_timeout(PATIENCE) {
            self.written.extend(bytes);
        }
        Outcome { code, stdout, stderr: self.screen().join("\n") }
    }

    /// What it shows, from its first line on, without blank lines at the end.
    pub fn screen(&self) -> Vec<String> {
        let mut screen = Screen { lines: vec![Vec::new()], row: 0, column: 0, columns: self.columns };
        // What was cut off in the middle comes with the next bytes.
        let end = self.written.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        screen.write(end);
        let mut lines: Vec<String> =
            screen.lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Just enough of a terminal: lines, and the sequences that `heddle run` writes. Any other one is a failure.
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    columns: usize,
}

impl Screen {
    fn write(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => self.down(),
                '\x1b' => {
                    let sequence: String = rest.as_str().chars().take_while(|c| !c.is_ascii_alphabetic()).collect();
                    let mut after = rest.as_str()[sequence.len()..].chars();
                    let Some(what) = after.next() else { return };
                    rest = after;
                    let count = sequence.strip_prefix('[').expect("only such sequences").to_owned();
                    self.carry_out(what, &count);
                }
                c => self.put(c),
            }
        }
    }

    fn carry_out(&mut self, what: char, count: &str) {
        match (what, count) {
            ('m', _) => {}
            ('A', count) => self.row = self.row.saturating_sub(count.parse().unwrap()),
            ('K', "") => self.lines[self.row].truncate(self.column),
            ('J', "") => {
                self.lines[self.row].truncate(self.column);
                self.lines.truncate(self.row + 1);
            }
            other => panic!("an unexpected sequence: {other:?}"),
        }
    }

    fn put(&mut self, c: char) {
        assert!(!c.is_control(), "{c:?}");
        if self.column == self.columns {
            self.column = 0;
            self.down();
        }
        let line = &mut self.lines[self.row];
        line.resize(line.len().max(self.column + 1), ' ');
        line[self.column] = c;
        self.column += 1;
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }
}
