//! Programs of others, which are given an application and send Ada to the authorization page when they want to.

use super::stage::{App, CALLBACK, Stage};
use crate::support::{root, write};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than any script takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What runs a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    JavaScript,
    Python,
    Shell,
}

impl Language {
    /// Where the libraries are that its scripts need, when they are installed.
    fn libraries(self) -> PathBuf {
        root().join("target/oauth-clients").join(match self {
            Self::JavaScript => "node",
            Self::Python => "python",
            Self::Shell => "",
        })
    }

    /// What is missing to run its scripts.
    pub fn missing(self) -> Option<&'static str> {
        let starts = |program: &str| {
            let word = if program == "openssl" { "version" } else { "--version" };
            let command = Command::new(program).arg(word).stdout(Stdio::null()).stderr(Stdio::null()).status();
            command.is_ok_and(|status| status.success())
        };
        match self {
            Self::JavaScript if !starts("node") => Some("Node 20"),
            Self::Shell if !starts("curl") => Some("curl"),
            Self::Shell if !starts("openssl") => Some("openssl"),
            Self::JavaScript | Self::Python if !self.libraries().join("installed").exists() => {
                Some("tests/oauth/clients/install")
            }
            _ => None,
        }
    }

    /// A command for a script, which is put into a folder of its own beside what it imports.
    pub fn command(self, stage: &Stage, name: &str, text: &str) -> Command {
        let folder = stage.heddle.beside(name);
        std::fs::create_dir(&folder).unwrap();
        let (program, file) = match self {
            Self::JavaScript => {
                std::os::unix::fs::symlink(self.libraries().join("node_modules"), folder.join("node_modules")).unwrap();
                ("node".into(), "script.mjs")
            }
            Self::Python => (self.libraries().join("bin/python"), "script.py"),
            Self::Shell => ("sh".into(), "script.sh"),
        };
        for shared in ["hands.mjs", "hands.py"] {
            std::fs::copy(root().join("tests/oauth/clients").join(shared), folder.join(shared)).unwrap();
        }
        let roots = write(&folder.join("root.pem"), &stage.root);
        let mut command = Command::new(program);
        command.arg(write(&folder.join(file), text)).current_dir(&folder);
        command.env("HEDDLE", &stage.origin).env("PYTHONDONTWRITEBYTECODE", "1");
        for name in ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
            command.env(name, &roots);
        }
        // Not through a proxy of whoever runs the tests.
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command
    }
}

/// Gives the command an application.
pub fn given(command: &mut Command, app: &App) {
    command.env("CLIENT_ID", &app.id).env("CLIENT_SECRET", &app.secret).env("REDIRECT_URI", CALLBACK);
}

/// Runs a script to its end, which must be a good one; what it printed. Wherever it prints an address of the
/// authorization page, Ada opens that and says yes (no, if the line begins with `deny`); the script reads where she is sent.
pub fn run(stage: &mut Stage, mut command: Command) -> Vec<String> {
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut script = started.unwrap();
    let (sender, lines) = channel();
    let stdout = script.stdout.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut stderr = script.stderr.take().unwrap();
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let mut stdin = script.stdin.take().unwrap();
    let (mut said, give_up) = (Vec::new(), Instant::now() + PATIENCE);
    let is_late = loop {
        let line = match lines.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
            Ok(line) => line,
            Err(error) => break error == RecvTimeoutError::Timeout,
        };
        let page = format!("{}/auth/authorize?", stage.origin);
        if let Some(at) = line.find(&page) {
            let url = line[at..].split_whitespace().next().unwrap();
            let button = if line.starts_with("deny") { "Deny" } else { "Authorize" };
            let back = stage.decide(url, button).url;
            // It may have ended without wanting to know.
            let _ = writeln!(stdin, "{back}");
        }
        said.push(line);
    };
    if is_late {
        script.kill().unwrap();
    }
    let status = script.wait().unwrap();
    let complaints = complaints.join().unwrap();
    assert!(status.success() && !is_late, "{command:?}: {status}\n{}\n{complaints}", said.join("\n"));
    said
}
