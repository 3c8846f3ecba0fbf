//! What runs must come to, told plainly: pins are queues, a node fires when each has a value. Shares nothing with the
//! machine but what blocks make of their input.

use crate::core::Script;
use crate::made_up::{Behaviour, behave};
use crate::spec::{Node, Spec};
use heddle_engine::journal::{Answer, Settings};
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP};
use heddle_model::{Object, Value};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Whoever is asked this approves unseen, and may say so for all that follows.
pub const TRUST_ME: &str = "trust me?";
const TRUSTED: &str = "Auto-approved (user approved all future actions for this node)";
const SAFE_MODE_OFF: &str = "Auto-approved (safe mode disabled)";

/// What a run comes to.
#[derive(Debug, Default, Clone)]
pub struct Forecast {
    /// Values by output name, as they arrive.
    pub outputs: BTreeMap<String, Vec<Value>>,
    /// What a parent gets, in one of the possible orders.
    pub emitted: Vec<(String, Value)>,
    /// Executions, those of children included.
    pub nodes: u64,
    /// Those that fail.
    pub errors: u64,
    /// What all of them cost.
    pub cost: u64,
}

/// What a run of a graph comes to; `None` when it takes more than so many executions.
pub fn forecast(library: &[Spec], number: u8, inputs: &Object, settings: &Settings, most: u64) -> Option<Forecast> {
    let spec = library.iter().find(|spec| spec.number == number)?;
    let told = Forecast::default();
    let mut run = Run { library, spec, settings, most, told, queues: HashMap::new(), kept: HashMap::new() };
    run.start(inputs)?;
    Some(run.told)
}

struct Run<'a> {
    library: &'a [Spec],
    spec: &'a Spec,
    settings: &'a Settings,
    most: u64,
    told: Forecast,
    queues: HashMap<(usize, String), VecDeque<Value>>,
    kept: HashMap<(usize, String), Value>,
}

impl Run<'_> {
    fn start(&mut self, inputs: &Object) -> Option<()> {
        let mut line = VecDeque::new();
        for (index, node) in self.spec.nodes.iter().enumerate() {
            let mut input = node.defaults.as_object().cloned().unwrap_or_default();
            if let Some(value) = inputs.get("x").filter(|_| node.block == "input") {
                input.insert("value".to_owned(), value.clone());
            }
            if node.block == "input" || !self.spec.links.iter().any(|link| link.to == index) {
                line.push_back((index, input));
            }
        }
        while let Some((node, input)) = line.pop_front() {
            for (pin, value) in self.fire(node, &input)? {
                for link in self.spec.links.iter().filter(|link| link.from == node && link.source == pin) {
                    let place = (link.to, link.sink.clone());
                    if link.fixed {
                        self.kept.insert(place, value.clone());
                    } else {
                        self.queues.entry(place).or_default().push_back(value.clone());
                    }
                    line.extend(self.ready(link.to).map(|input| (link.to, input)));
                }
            }
        }
        Some(())
    }

    /// The input of a node that has all it needs; what it takes is taken.
    fn ready(&mut self, node: usize) -> Option<Object> {
        let sinks = pins_of(self.spec, node);
        for (sink, fixed) in &sinks {
            let place = (node, sink.clone());
            let has = if *fixed {
                self.kept.contains_key(&place)
            } else {
                self.queues.get(&place).is_some_and(|queue| !queue.is_empty())
            };
            if !has {
                return None;
            }
        }
        let mut input = self.spec.nodes[node].defaults.as_object().cloned().unwrap_or_default();
        for (sink, fixed) in sinks {
            let place = (node, sink.clone());
            let value = if fixed {
                self.kept.get(&place).cloned()
            } else {
                self.queues.get_mut(&place).and_then(VecDeque::pop_front)
            };
            input.insert(sink, value?);
        }
        Some(input)
    }

    fn fire(&mut self, index: usize, input: &Object) -> Option<Vec<(String, Value)>> {
        let node = &self.spec.nodes[index];
        self.told.nodes += 1;
        self.told.cost += price(node.block) + used_by(node.block);
        let emitted = match node.agent {
            Some(number) => {
                let mut given = node.defaults["inputs"].as_object().cloned().unwrap_or_default();
                given.extend(input.get("x").map(|x| ("x".to_owned(), x.clone())));
                let child = forecast(self.library, number, &given, self.settings, self.most)?;
                self.told.nodes += child.nodes;
                self.told.cost += child.cost;
                self.told.errors += child.errors;
                child.emitted
            }
            None => emissions(node, input, self.settings),
        };
        if emitted.last().is_some_and(|(pin, _)| pin == "error") && node.agent.is_none() {
            self.told.errors += 1;
        }
        if node.block == "output" {
            let value = input.get("value").cloned().unwrap_or_default();
            self.told.outputs.entry(node.id.clone()).or_default().push(value.clone());
            self.told.emitted.push((node.id.clone(), value));
        }
        (self.told.nodes <= self.most).then_some(emitted)
    }
}

/// The input pins of a node that links feed, and whether their values stay.
pub fn pins_of(spec: &Spec, node: usize) -> BTreeMap<String, bool> {
    spec.links.iter().filter(|link| link.to == node).map(|link| (link.sink.clone(), link.fixed)).collect()
}

/// What an execution costs when it begins.
pub fn price(block: &str) -> u64 {
    match block {
        HUMAN_IN_THE_LOOP => 2,
        "sensitive" => 3,
        "unsafe" => 1,
        _ => 0,
    }
}

/// What an execution has used at its end, each at one credit.
pub fn used_by(block: &str) -> u64 {
    match block {
        "read" => 1,
        "trickle" => 2,
        _ => 0,
    }
}

/// Whether persons are asked before such an execution runs or ends.
pub fn asks(block: &str, settings: &Settings) -> bool {
    match block {
        HUMAN_IN_THE_LOOP => settings.human_in_the_loop_safe_mode,
        "sensitive" => settings.sensitive_action_safe_mode,
        _ => false,
    }
}

/// What a flaky block does: in its first attempt what follows from its input, then anything.
pub fn mood(input: &Object, number: Option<u64>) -> Behaviour {
    let value = input.get("value").cloned().unwrap_or_default();
    let number = number.unwrap_or_else(|| digest(&value) % 6);
    let value = if number < 6 { value } else { json!(["otherwise", value]) };
    let (emitted, fails) = [(0, false), (1, false), (2, false), (0, true), (1, true), (2, true)][number as usize % 6];
    let outputs = (0..emitted).map(|at| ("value".to_owned(), json!([at, value])));
    (outputs.collect(), if fails { Err("not today".to_owned()) } else { Ok(()) })
}

/// What a behaviour emits; a failure comes last.
pub fn emissions_of((mut outputs, result): Behaviour) -> Script {
    outputs.extend(result.err().map(|text| ("error".to_owned(), text.into())));
    outputs
}

/// All that an execution of a block, timer or review emits; a failure comes last.
pub fn emissions(node: &Node, input: &Object, settings: &Settings) -> Script {
    let value = |pin: &str| input.get(pin).cloned().unwrap_or_default();
    let failed = |text: &str| ("error".to_owned(), Value::from(text));
    match node.block {
        COUNTDOWN_TIMER => {
            let rounds = input.get("repeat").and_then(Value::as_u64).unwrap_or(1);
            (0..rounds).map(|_| ("output_message".to_owned(), value("message"))).collect()
        }
        HUMAN_IN_THE_LOOP if !asks(node.block, settings) || node.defaults["name"] == TRUST_ME => {
            let text = if asks(node.block, settings) { TRUSTED } else { SAFE_MODE_OFF };
            vec![("approved_data".to_owned(), value("data")), ("review_message".to_owned(), text.into())]
        }
        HUMAN_IN_THE_LOOP => {
            let answer = answer_to("", &value("data"));
            let pin = if answer.approved { "approved_data" } else { "rejected_data" };
            let usual = format!("Execution {} by reviewer", if answer.approved { "approved" } else { "rejected" });
            let text = answer.message.unwrap_or(usual);
            vec![
                (pin.to_owned(), answer.data.unwrap_or(value("data"))),
                ("review_message".to_owned(), Value::from(text)),
            ]
        }
        "sensitive" if asks(node.block, settings) => {
            let answer = answer_to("", &Value::Object(input.clone()));
            let edited = answer.data.map_or(value("value"), |data| data["value"].clone());
            match answer.approved {
                true => vec![("value".to_owned(), edited)],
                false => vec![failed("Block execution rejected by reviewer: Execution rejected by reviewer")],
            }
        }
        "flaky" => emissions_of(mood(input, None)),
        AGENT_EXECUTOR => Vec::new(),
        "panic" => vec![failed("Unknown error occurred")],
        "panic-later" => vec![("value".to_owned(), value("value")), failed("Unknown error occurred")],
        "hang" => {
            vec![("value".to_owned(), value("value")), failed("Node execution exceeded 1800s wall-clock cap")]
        }
        block => emissions_of(behave(block, input)),
    }
}

/// How a person answers who is asked this and shown that: a review's data, or the whole input of a sensitive block.
pub fn answer_to(question: &str, payload: &Value) -> Answer {
    let input = payload.as_object();
    let asked = input.and_then(|input| input.get("gate")).and_then(Value::as_str).unwrap_or(question);
    if asked == TRUST_ME {
        let future = !digest(payload).is_multiple_of(3);
        return Answer { approved: true, data: None, message: Some(TRUSTED.to_owned()), future };
    }
    let edited = |input: &Object| {
        let mut input = input.clone();
        input.insert("value".to_owned(), json!(["edited", payload["value"]]));
        Value::Object(input)
    };
    let (approved, data, message) = match digest(payload) % 4 {
        0 => (false, None, None),
        1 => (true, Some(input.map_or_else(|| json!(["edited", payload]), edited)), None),
        2 => (true, None, Some("fine".to_owned())),
        _ => (true, None, None),
    };
    // Only who approves can approve what follows.
    Answer { approved, data, message, future: !approved }
}

fn digest(value: &Value) -> u64 {
    value.to_string().bytes().map(u64::from).sum()
}
