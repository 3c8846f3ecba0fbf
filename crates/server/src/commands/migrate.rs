//! `heddle migrate`: brings the tables up to this build, or says what that would take.

use crate::admin::door::Door;
use crate::failure::Failure;
use crate::{Setting, print};
use serde_json::{Value, json};
use std::process::ExitCode;

pub async fn run(setting: &Setting, check: bool) -> Result<ExitCode, Failure> {
    if !check {
        // Opening is what migrates; a running server has done so already.
        Door::open(setting).await?.close().await;
    }
    let states = setting.database().migrations().map_err(|error| Failure::of("database", error))?;
    let rows: Value = states
        .iter()
        .map(|state| json!({"number": state.number, "name": state.name, "state": if state.applied { "applied" } else { "pending" }}))
        .collect();
    print::table(&rows, &["number", "name", "state"], setting.json)?;
    match states.iter().filter(|state| !state.applied).count() {
        0 => Ok(ExitCode::SUCCESS),
        pending => Err(Failure::new(format!("{pending} migrations are pending; run `heddle migrate`"))),
    }
}
