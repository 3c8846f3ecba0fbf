//! Running the binary as an operator does.

use heddle_cluster::Cluster;
use serde_json::Value;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A data folder and commands on it.
pub struct Heddle {
    parent: TempDir,
    program: PathBuf,
    settings: Vec<(String, String)>,
    /// Root lends it this user and group.
    user: Option<(u32, u32)>,
}

/// What a command left.
#[derive(Debug)]
pub struct Outcome {
    /// Exit status.
    pub code: i32,
    /// Results.
    pub stdout: String,
    /// Reasons.
    pub stderr: String,
}

impl Heddle {
    /// A data folder that does not exist yet.
    pub fn new() -> Self {
        let heddle = Self::on_file();
        match heddle_cluster::is_wanted() {
            true => heddle.on(&Cluster::shared().unwrap().database()),
            false => heddle,
        }
    }

    /// With the database in the data folder, whatever the tests run on.
    pub fn on_file() -> Self {
        let program = env!("CARGO_BIN_EXE_heddle").into();
        Self { parent: tempfile::tempdir().unwrap(), program, settings: Vec::new(), user: None }
    }

    /// With the database on a server.
    pub fn on(self, url: &str) -> Self {
        self.with("HEDDLE_DATABASE__URL", url)
    }

    /// With another build of the binary.
    pub fn built(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// With a setting for every command, as the environment gives it.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As nobody in particular when the tests run as root, whom mode bits do not stop. The binary comes along, because
    /// nobody may be kept from where it was built.
    pub fn unprivileged(mut self) -> Self {
        if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
            return self;
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let nobody = users.lines().find_map(|line| line.strip_prefix("nobody:")).expect("there is a user nobody");
        let ids: Vec<u32> = nobody.split(':').skip(1).take(2).map(|id| id.parse().unwrap()).collect();
        chown(self.parent.path(), Some(ids[0]), Some(ids[1])).unwrap();
        let program = self.beside("heddle");
        std::fs::copy(&self.program, &program).unwrap();
        (self.program, self.user) = (program, Some((ids[0], ids[1])));
        self
    }

    /// Whose processes its commands are, when not the tests' own.
    pub fn user(&self) -> Option<(u32, u32)> {
        self.user
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.parent.path().join("data")
    }

    /// A place for files beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.parent.path().join(name)
    }

    /// The binary with nothing of this process's settings; works in a folder of its own.
    pub fn binary(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEDDLE_") {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir(self.parent.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command on the data folder.
    pub fn run(&self, words: &[&str]) -> Outcome {
        let mut command = self.binary();
        command.args(words).arg("--data").arg(self.data());
        Outcome::of(command)
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        let outcome = self.run(&[words, &["--json"]].concat());
        assert_eq!(outcome.code, 0, "{words:?}: {outcome:?}");
        outcome.json()
    }

    /// Runs a command with text on stdin.
    pub fn run_with_stdin(&self, words: &[&str], text: &str) -> Outcome {
        let mut command = self.binary();
        command.args(words).arg("--data").arg(self.data());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Outcome::from(child.wait_with_output().unwrap())
    }

    /// An API key with all scopes.
    pub fn key(&self) -> String {
        let outcome = self.run(&["key", "create", "--name", "tests"]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome.stdout.trim().to_owned()
    }
}

impl Outcome {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// The JSON on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Failed with one line that holds this.
    pub fn refused(&self, text: &str) -> &Self {
        assert_eq!(self.code, 1, "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(text), "expected {text:?} in {self:?}");
        self
    }
}

impl From<std::process::Output> for Outcome {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Writes a file and gives its path as text.
pub fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
