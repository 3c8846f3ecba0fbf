//! `heddle run`: an agent file, from start to end, with no server to set up.

mod block;
mod board;
mod watch;

use super::{ExitCode, files};
use crate::admin::Request;
use crate::admin::door::Door;
use crate::admin::follow::Glance;
use crate::cli::Run;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::{Setting, print};
use heddle_model::{Object, Status};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use watch::{Mode, Watch};

/// A run that is over sooner shows its summary alone.
const FIRST: Duration = Duration::from_millis(150);

/// How often what has changed is drawn.
const EACH: Duration = Duration::from_millis(100);

/// How long a summary waits for the names of what failed.
const LAST: Duration = Duration::from_millis(500);

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
    let mode = Mode::of(setting.json, setting.settings.is_set("log.level"));
    let outcome = to_its_end(&mut door, &setting.folder, mode, content, inputs).await;
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
async fn to_its_end(
    door: &mut Door,
    folder: &Folder,
    mode: Mode,
    content: Value,
    inputs: Object,
) -> Result<Value, Failure> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let saved = door.ask(Request::Import { user: None, content }).await?;
    let graph = match saved.as_array().map(Vec::as_slice) {
        Some([graph]) => graph,
        _ => return Err(Failure::new("the file holds several agents; run takes a file with one")),
    };
    if let Some(error) = graph.get("error") {
        return Err(Failure::new(text(error)));
    }
    if let Some(names) = graph.as_object().and_then(files::not_run) {
        return Err(Failure::new(names));
    }
    let mut watch = Watch::new(mode, graph["name"].as_str().unwrap_or_default());
    let (graph, version) = (text(&graph["id"]), graph["version"].as_i64().unwrap_or_default());
    let started = door.ask(Request::Start { user: None, graph, version, inputs }).await?;
    watched(door, folder, &mut watch, text(&started["id"])).await
}

/// Waits for a run and shows meanwhile what it does.
async fn watched(door: &mut Door, folder: &Folder, watch: &mut Watch, run: String) -> Result<Value, Failure> {
    let mut glances = if watch.is_live() { Some(door.follow(folder, &run).await) } else { None };
    let mut ticks = interval_at(Instant::now() + FIRST, EACH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wait = Request::Wait { user: None, run: run.clone(), seconds: watch.patience() };
        let view = {
            let waited = door.ask(wait);
            tokio::pin!(waited);
            loop {
                tokio::select! {
                    view = &mut waited => break view?,
                    Some(glance) = next(&mut glances) => watch.take(glance),
                    _ = ticks.tick(), if watch.is_live() => watch.draw(),
                }
            }
        };
        watch.line(&view);
        let is_asking = view["reviews"].as_array().is_some_and(|reviews| !reviews.is_empty());
        if is_asking || view["status"].as_str().and_then(Status::parse).is_none_or(Status::is_terminal) {
            if view["node_error_count"] != 0 && !is_asking {
                let last = async {
                    while let Some(glance) = next(&mut glances).await {
                        watch.take(glance);
                    }
                };
                // Without them it is only shorter.
                let _ = timeout(LAST, last).await;
            }
            watch.finish(&view);
            return Ok(view);
        }
    }
}

/// The next glance; `None` when none will come.
async fn next(glances: &mut Option<Receiver<Glance>>) -> Option<Glance> {
    glances.as_mut()?.recv().await
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
