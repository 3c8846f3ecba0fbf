//! A server of one's own.

use super::{Client, Heddle};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
    stdout: Receiver<String>,
    log: Receiver<String>,
    /// Lines of the log from before it listened.
    read: Vec<String>,
}

impl Server {
    /// Starts a server on the data folder and waits until it listens.
    pub fn start(heddle: &Heddle) -> Self {
        Self::start_with(heddle, &[])
    }

    /// Starts a server with more flags.
    pub fn start_with(heddle: &Heddle, words: &[&str]) -> Self {
        Self::spawn(heddle, words).listening()
    }

    /// Starts a server and does not wait for it: it has no address yet.
    pub fn spawn(heddle: &Heddle, words: &[&str]) -> Self {
        let mut command = heddle.binary();
        command.arg("serve").arg("--data").arg(heddle.data()).args(["--listen", "127.0.0.1:0"]).args(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let log = lines(child.stderr.take().unwrap());
        Self { child, address: String::new(), stdout, log, read: Vec::new() }
    }

    /// Waits until it listens.
    pub fn listening(mut self) -> Self {
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => match line.strip_prefix("listening on ") {
                    Some(address) => {
                        self.address = address.to_owned();
                        return self;
                    }
                    None => self.read.push(line),
                },
                Err(error) => panic!("the server does not listen ({error}): {:?}", self.read),
            }
        }
    }

    /// A client with a fresh key.
    pub fn client(&self, heddle: &Heddle) -> Client {
        Client::new(&self.address, Some(heddle.key()))
    }

    /// The next line of stdout.
    pub fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("another line on stdout")
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9, at once; what it wrote on stderr.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log()
    }

    /// SIGTERM; how it ended and what else it wrote on stdout and stderr.
    pub fn stop(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        self.terminate();
        let status = self.child.wait().unwrap();
        (status, self.stdout.iter().collect(), self.log())
    }

    /// SIGTERM; how it ended, `None` when it had to be killed after so long, and what it wrote on stderr.
    pub fn stop_within(mut self, limit: Duration) -> (Option<ExitStatus>, Vec<String>) {
        self.terminate();
        let give_up = Instant::now() + limit;
        let status = loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(2)),
                status => break status,
            }
        };
        if status.is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        (status, self.log())
    }

    fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// All that it wrote on stderr, once it has ended.
    fn log(&mut self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.read);
        lines.extend(self.log.iter());
        lines
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone after `kill` and `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines as they come, so that the child never waits for a full pipe.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
