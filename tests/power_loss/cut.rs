//! One power cut, and the look at what is left.

use super::disk::{Dice, Disk, Loss, Record};
use super::record::{History, Promise};
use crate::support::{Client, Heddle, Process, execution};
use serde_json::{Value, json};
use std::collections::HashMap;

/// When the power went, and what that did.
#[derive(Clone, Debug)]
pub struct Cut {
    /// So many records were written.
    pub at: usize,
    pub loss: Loss,
    /// For what is not looked at each time.
    seed: u64,
}

/// Runs whose results are looked at closely: the last promised ones, and some of all.
const LAST: usize = 4;
const ANY: usize = 2;

impl Cut {
    /// So many moments, in order: any, and those beside a sync, where most can go wrong.
    pub fn many(history: &History, count: u64, dice: &mut Dice) -> Vec<Self> {
        let end = history.records.len();
        let syncs: Vec<_> = (0..end).filter(|at| matches!(history.records[*at], Record::Sync(_))).collect();
        let mut cuts: Vec<_> = (0..count)
            .map(|_| {
                let beside = syncs[dice.below(syncs.len() as u64) as usize] + dice.below(2) as usize;
                let any = dice.below(end as u64 + 1) as usize;
                // Starts and stops are a small part of the record and not a small part of the danger.
                let early = dice.below(end as u64 / 20) as usize;
                let at = [any, beside, beside, early][dice.below(4) as usize];
                let some = Loss::Some(dice.below(u64::MAX));
                let loss = [Loss::All, Loss::All, Loss::Nothing, some, some, some][dice.below(6) as usize];
                Self { at, loss, seed: dice.below(u64::MAX) }
            })
            .collect();
        cuts.sort_by_key(|cut| cut.at);
        cuts
    }

    /// A place with what is left of the disk.
    pub fn leave(&self, disk: &Disk) -> Heddle {
        let heddle = Heddle::new();
        disk.leave(heddle.data().parent().unwrap(), self.loss);
        heddle
    }

    /// What is wrong with what is left.
    pub fn check(&self, history: &History, heddle: &Heddle) -> Vec<String> {
        let promises: Vec<_> =
            history.promises.iter().filter(|(at, _)| *at <= self.at).map(|(_, promise)| promise).collect();
        let mut lost = self.served(&promises, heddle);
        // The server was killed; now all of the file is read.
        if self.seed.is_multiple_of(3) {
            let doctor = heddle.run(&["doctor", "--json"]);
            let is_whole = |found: &Value| found.as_str().is_some_and(|found| found.starts_with("whole"));
            let whole = |row: &Value| row["check"] != "database" || is_whole(&row["found"]);
            if !serde_json::from_str::<Value>(&doctor.stdout)
                .is_ok_and(|rows| rows.as_array().unwrap().iter().all(whole))
            {
                lost.push(format!("the database is not whole: {doctor:?}"));
            }
        }
        lost.into_iter().map(|lost| format!("{self:?}: {lost}")).collect()
    }

    fn served(&self, promises: &[&Promise], heddle: &Heddle) -> Vec<String> {
        let server = match Process::start(heddle, |_| ()) {
            Ok(server) => server,
            Err(dead) => return vec![format!("it does not start: {dead}")],
        };
        let Some(key) =
            promises.iter().find_map(|promise| if let Promise::Key(key) = promise { Some(key) } else { None })
        else {
            return Vec::new();
        };
        let client = Client::new(&server.address, Some(key.clone()));
        if client.get("/external-api/v1/blocks").status != 200 {
            return vec!["the key that was shown does not work".to_owned()];
        }
        let saved =
            promises.iter().find_map(|promise| if let Promise::Graph(graph) = promise { Some(graph) } else { None });
        let Some(graph) = saved else { return Vec::new() };
        let path = format!("/external-api/v1/graphs/{}", graph["id"].as_str().unwrap());
        let answer = client.get(&path);
        if answer.status != 200
            || answer.json()["nodes"].as_array().map(Vec::len) != graph["nodes"].as_array().map(Vec::len)
        {
            return vec![format!("a graph: {answer:?}")];
        }
        let runs = promises.iter().filter_map(|promise| match promise {
            Promise::Run(id, text, ended) => Some((id.as_str(), text.as_str(), *ended)),
            _ => None,
        });
        self.runs(&client, graph, &runs.collect::<Vec<_>>())
    }

    fn runs(&self, client: &Client, graph: &Value, promised: &[(&str, &str, bool)]) -> Vec<String> {
        let listed = list(client, graph);
        let mut lost = Vec::new();
        for (id, _, ended) in promised {
            match listed.get(*id).map(String::as_str) {
                None => lost.push(format!("run {id}")),
                Some(status) if *ended && status != "COMPLETED" => lost.push(format!("the end of run {id}: {status}")),
                Some(_) => {}
            }
        }
        let mut dice = Dice(self.seed);
        // Megabytes of results are worth a look, though not each time.
        let is_looked_at = |text: &str| text.len() < 1000 || self.seed.is_multiple_of(16);
        let some = (0..ANY).filter_map(|_| promised.get(dice.below(promised.len().max(1) as u64) as usize));
        // Also those that were only accepted: they go on to their end.
        for (id, text, _) in promised.iter().rev().take(LAST).chain(some) {
            if !is_looked_at(text) || !listed.contains_key(*id) {
                continue;
            }
            let results = client.results_at_end(graph, id);
            if results["status"] != "COMPLETED" || results["output"] != json!([{"text": format!("{text}..........")}]) {
                lost.push(format!("the output of run {id} in {}", client.get(&execution(graph, id)).status));
            }
        }
        lost
    }
}

/// The status of every run there is.
fn list(client: &Client, graph: &Value) -> HashMap<String, String> {
    let mut listed = HashMap::new();
    for page in 1.. {
        let id = graph["id"].as_str().unwrap();
        let answer = client.get(&format!("/external-api/v1/graphs/{id}/executions?page_size=100&page={page}"));
        let runs = answer.json()["executions"].as_array().cloned().unwrap_or_default();
        if runs.is_empty() {
            break;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        listed.extend(runs.iter().map(|run| (text(&run["id"]), text(&run["status"]))));
    }
    listed
}
