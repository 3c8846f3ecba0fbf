//! Servers that may die at any moment.

use super::Heddle;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that listens, or did; killed when dropped.
pub struct Process {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
    stdout: Receiver<String>,
}

/// How a server ended that never listened.
pub struct Stillborn {
    /// How.
    pub status: ExitStatus,
    /// What it wrote on stderr.
    pub log: Vec<String>,
    /// What it wrote on stdout.
    pub told: Vec<String>,
}

impl fmt::Display for Stillborn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, stderr {:?}, stdout {:?}", self.status, self.log, self.told)
    }
}

impl Process {
    /// Starts a server on a port of its own; `change` may add to the command.
    pub fn start(heddle: &Heddle, change: impl FnOnce(&mut Command)) -> Result<Self, Stillborn> {
        let mut command = heddle.binary();
        command.arg("serve").arg("--data").arg(heddle.data()).args(["--listen", "127.0.0.1:0"]);
        command.env_remove("RUST_BACKTRACE").stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        let mut log = Vec::new();
        while let Ok(line) = stderr.recv_timeout(PATIENCE) {
            if let Some(address) = line.strip_prefix("listening on ") {
                // What else it says is read by the thread and dropped.
                return Ok(Self { child, address: address.to_owned(), stdout });
            }
            log.push(line);
        }
        let status = end(&mut child).unwrap_or_else(|| panic!("the server neither listens nor ends: {log:?}"));
        Err(Stillborn { status, log, told: stdout.iter().collect() })
    }

    /// Whether it has ended.
    pub fn is_dead(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The rest of the next line on stdout that begins so.
    pub fn told(&self, beginning: &str) -> String {
        loop {
            let line = self.stdout.recv_timeout(PATIENCE).expect("another line on stdout");
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.trim().to_owned();
            }
        }
    }

    /// SIGTERM; what else it has written on stdout. It must end in time.
    pub fn stop(mut self) -> Vec<String> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).output().unwrap();
        assert!(told.status.success() || self.is_dead());
        assert!(end(&mut self.child).is_some(), "it does not stop");
        std::mem::replace(&mut self.stdout, channel().1).iter().collect()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone after `stop` and `kill`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn end(child: &mut Child) -> Option<ExitStatus> {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // Read on when nobody listens any more, so that the server never waits for a full pipe.
            let _ = sender.send(line);
        }
    });
    receiver
}
