//! `heddle import`, and reading agent files.

use super::ExitCode;
use crate::admin::door::Door;
use crate::admin::{NOT_RUN, Request};
use crate::failure::Failure;
use crate::logs::say;
use crate::{Setting, print};
use heddle_model::Object;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Saves each file's agents; what is refused is told beside the others.
pub async fn import(setting: &Setting, files: Vec<PathBuf>, user: Option<String>) -> Result<ExitCode, Failure> {
    let mut door = Door::open(setting).await?;
    let mut results = Vec::new();
    for file in files {
        let saved = match read(&file) {
            Ok(content) => door.ask(Request::Import { user: user.clone(), content }).await,
            Err(failure) => Err(failure),
        };
        let rows = match saved {
            Ok(Value::Array(rows)) => rows,
            Ok(other) => vec![other],
            Err(failure) => vec![json!({"error": failure.to_string()})],
        };
        for row in rows {
            let mut named = json!({"file": file.display().to_string()});
            if let (Some(named), Value::Object(mut row)) = (named.as_object_mut(), row) {
                if let Some(names) = not_run(&row) {
                    say(&format!("{}: imported; {names}, so runs of it are refused", file.display()));
                }
                row.remove(NOT_RUN);
                named.extend(row);
            }
            results.push(named);
        }
    }
    door.close().await;
    let refused = results.iter().filter(|row| row.get("error").is_some()).count();
    let all = results.len();
    print::json(&Value::Array(results))?;
    match refused {
        0 => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::new(format!("{refused} of {all} agents were refused"))),
    }
}

/// Says which blocks of an imported agent this release does not run.
pub fn not_run(row: &Object) -> Option<String> {
    let names: Vec<_> = row.get(NOT_RUN)?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| format!("this release does not run {}", names.join(", ")))
}

/// The JSON of a file. Some editors put a byte-order mark before it.
pub fn read(path: &Path) -> Result<Value, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::of(path.display(), error))?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|error| Failure::of(path.display(), error))
}
