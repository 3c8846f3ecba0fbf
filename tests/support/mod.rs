//! What every suite needs: the binary, a server of one's own, an HTTP client, and cases to check agents against.

mod cases;
mod collector;
mod command;
mod exposition;
mod http;
pub mod process;
mod server;
pub mod terminal;

pub use cases::{Case, check, same};
pub use collector::{Collector, Span};
pub use command::{Heddle, Outcome, write};
pub use exposition::Exposition;
pub use http::{Answer, Client, execute, execution};
pub use process::Process;
pub use server::Server;

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of the whole project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The JSON of a file.
pub fn json_of(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folder that this project is built beside in its own workshop; elsewhere it is absent, and what needs it says so.
pub fn shared(tests: usize) -> Option<PathBuf> {
    let folder = root().join("../shared");
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!("skipped: {tests} (needs ../shared)"));
    None
}

/// Says that so many tests cannot be done without a program; CI has all of them.
pub fn skip(tests: usize, needed: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{needed} is missing");
    say(&format!("skipped: {tests} (needs {needed})"));
}

/// Says something that the test runner does not swallow when the test passes, as it does with `eprintln!`.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}
