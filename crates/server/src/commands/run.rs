//! `heddle run`: an agent file, from start to end, with no server to set up.

use super::{ExitCode, files};
use crate::admin::Request;
use crate::admin::door::Door;
use crate::cli::Run;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::{Setting, print};
use heddle_model::{Object, Status};
use serde_json::{Value, json};
use std::io::IsTerminal;

pub async fn run(setting: Setting, words: Run) -> Result<ExitCode, Failure> {
    let inputs = inputs(words.inputs.as_deref(), words.input)?;
    let content = files::read(&words.file)?;
    // Lives until the run has ended.
    let temporary;
    let mut door = if setting.folder_is_named {
        Door::open(&setting).await?
    } else {
        temporary = tempfile::tempdir().map_err(|error| Failure::of("temporary folder", error))?;
        Door::throwaway(&Folder::new(temporary.path()), setting.settings.platform()).await?
    };
    let outcome = to_its_end(&mut door, content, inputs).await;
    door.close().await;
    let run = outcome?;
    match setting.json {
        true => print::json(&json!({
            "id": run["id"], "status": run["status"], "outputs": run["outputs"], "error": run["error"],
        }))?,
        false => print::json(&run["outputs"])?,
    }
    let reviews: Vec<_> = run["reviews"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let status = run["status"].as_str().unwrap_or("lost");
    match run["error"].as_str() {
        _ if status == "COMPLETED" => Ok(ExitCode::SUCCESS),
        Some(error) => Err(Failure::new(format!("the run is {status}: {error}"))),
        None if reviews.is_empty() => Err(Failure::new(format!("the run is {status}"))),
        None => Err(Failure::new(format!("the run is {status}, it waits for review {}", reviews.join(", ")))),
    }
}

/// Saves, starts and waits.
async fn to_its_end(door: &mut Door, content: Value, inputs: Object) -> Result<Value, Failure> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let saved = door.ask(Request::Import { user: None, content }).await?;
    let graph = match saved.as_array().map(Vec::as_slice) {
        Some([graph]) => graph,
        _ => return Err(Failure::new("the file holds several agents; run takes a file with one")),
    };
    if let Some(error) = graph.get("error") {
        return Err(Failure::new(text(error)));
    }
    let (graph, version) = (text(&graph["id"]), graph["version"].as_i64().unwrap_or_default());
    let started = door.ask(Request::Start { user: None, graph, version, inputs }).await?;
    let run = text(&started["id"]);
    let progress = std::io::stderr().is_terminal();
    loop {
        // Short waits only where somebody watches.
        let seconds = if progress { 1 } else { 30 };
        let wait = Request::Wait { user: None, run: run.clone(), seconds };
        let view = door.ask(wait).await?;
        let status = view["status"].as_str().and_then(Status::parse);
        if progress {
            eprintln!(
                "{} after {} node executions, {} failed",
                text(&view["status"]),
                view["node_exec_count"],
                view["node_error_count"]
            );
        }
        let is_asking = view["reviews"].as_array().is_some_and(|reviews| !reviews.is_empty());
        if is_asking || status.is_none_or(Status::is_terminal) {
            return Ok(view);
        }
    }
}

/// `--inputs` overlaid with each `--input`.
pub fn inputs(all: Option<&str>, each: Vec<(String, String)>) -> Result<Object, Failure> {
    let mut inputs = match all {
        None => Object::new(),
        Some(text) => {
            let value = match text.strip_prefix('@') {
                Some(file) => files::read(file.as_ref())?,
                None => serde_json::from_str(text).map_err(|error| Failure::of("--inputs", error))?,
            };
            match value {
                Value::Object(inputs) => inputs,
                _ => return Err(Failure::new("--inputs: expected a JSON object")),
            }
        }
    };
    inputs.extend(each.into_iter().map(|(name, value)| (name, Value::String(value))));
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_inputs_win_and_stay_text() {
        let each = vec![("a".to_owned(), "1".to_owned()), ("c".to_owned(), "x=y".to_owned())];
        let inputs = inputs(Some(r#"{"a": 0, "b": [1]}"#), each).unwrap();
        assert_eq!(Value::Object(inputs), json!({"a": "1", "b": [1], "c": "x=y"}));
    }

    #[test]
    fn inputs_that_are_no_object_are_refused() {
        for text in ["[1]", "{", "@/nonexistent"] {
            assert!(inputs(Some(text), Vec::new()).is_err(), "{text}");
        }
    }
}
