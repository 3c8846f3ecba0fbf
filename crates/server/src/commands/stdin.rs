//! Secrets come in on stdin, never as arguments that other users of the machine can see.

use crate::failure::Failure;
use std::io::{BufRead, IsTerminal};

/// Every line of stdin.
pub fn secrets() -> Result<Vec<String>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("secret (shown as you type; end with Ctrl-D):");
    }
    let lines = stdin.lock().lines().map(|line| line.map(|line| line.trim_end_matches('\r').to_owned()));
    lines.collect::<Result<_, _>>().map_err(|error| Failure::of("stdin", error))
}

/// The first line of stdin.
pub fn password() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("password (shown as you type): ");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|error| Failure::of("stdin", error))?;
    let password = line.trim_end_matches(['\r', '\n']);
    match password.is_empty() {
        true => Err(Failure::new("the password on stdin is empty")),
        false => Ok(password.to_owned()),
    }
}
