//! What runs must come to, told plainly: pins are queues, a node fires when each has a value. Shares nothing with the
//! machine but what blocks make of their input.

use crate::made_up::behave;
use crate::spec::{Node, Spec};
use heddle_engine::journal::Answer;
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP};
use heddle_model::{Object, Value};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// More executions than this are not worth simulating.
const MOST: u64 = 90;

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
}

/// What a run of a graph comes to; `None` when it is too large.
pub fn forecast(library: &[Spec], number: u8, inputs: &Object) -> Option<Forecast> {
    let spec = library.iter().find(|spec| spec.number == number)?;
    let mut run = Run { library, spec, told: Forecast::default(), queues: HashMap::new(), kept: HashMap::new() };
    run.start(inputs)?;
    Some(run.told)
}

struct Run<'a> {
    library: &'a [Spec],
    spec: &'a Spec,
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
        let emitted = match node.agent {
            Some(number) => {
                let mut given = node.defaults["inputs"].as_object().cloned().unwrap_or_default();
                given.extend(input.get("x").map(|x| ("x".to_owned(), x.clone())));
                let child = forecast(self.library, number, &given)?;
                self.told.nodes += child.nodes;
                self.told.errors += child.errors;
                child.emitted
            }
            None => emissions(node, input),
        };
        if emitted.last().is_some_and(|(pin, _)| pin == "error") && node.agent.is_none() {
            self.told.errors += 1;
        }
        if node.block == "output" {
            let value = input.get("value").cloned().unwrap_or_default();
            self.told.outputs.entry(node.id.clone()).or_default().push(value.clone());
            self.told.emitted.push((node.id.clone(), value));
        }
        (self.told.nodes <= MOST).then_some(emitted)
    }
}

/// The input pins of a node that links feed, and whether their values stay.
pub fn pins_of(spec: &Spec, node: usize) -> BTreeMap<String, bool> {
    spec.links.iter().filter(|link| link.to == node).map(|link| (link.sink.clone(), link.fixed)).collect()
}

/// All that an execution of a block, timer or review emits; a failure comes last.
pub fn emissions(node: &Node, input: &Object) -> Vec<(String, Value)> {
    let value = |pin: &str| input.get(pin).cloned().unwrap_or_default();
    let failed = |text: &str| ("error".to_owned(), Value::from(text));
    match node.block {
        COUNTDOWN_TIMER => {
            let rounds = input.get("repeat").and_then(Value::as_u64).unwrap_or(1);
            (0..rounds).map(|_| ("output_message".to_owned(), value("message"))).collect()
        }
        HUMAN_IN_THE_LOOP => {
            let answer = answer_to(&value("data"));
            let pin = if answer.approved { "approved_data" } else { "rejected_data" };
            let usual = format!("Execution {} by reviewer", if answer.approved { "approved" } else { "rejected" });
            let text = answer.message.unwrap_or(usual);
            vec![
                (pin.to_owned(), answer.data.unwrap_or(value("data"))),
                ("review_message".to_owned(), Value::from(text)),
            ]
        }
        AGENT_EXECUTOR => Vec::new(),
        "panic" => vec![failed("Unknown error occurred")],
        "panic-later" => vec![("value".to_owned(), value("value")), failed("Unknown error occurred")],
        "hang" => {
            vec![("value".to_owned(), value("value")), failed("Node execution exceeded 1800s wall-clock cap")]
        }
        block => {
            let (mut emitted, result) = behave(block, input);
            emitted.extend(result.err().map(|text| failed(&text)));
            emitted
        }
    }
}

/// How a person answers who is shown this.
pub fn answer_to(payload: &Value) -> Answer {
    let sum = payload.to_string().bytes().map(u64::from).sum::<u64>();
    let (approved, data, message) = match sum % 4 {
        0 => (false, None, None),
        1 => (true, Some(json!(["edited", payload])), None),
        2 => (true, None, Some("fine".to_owned())),
        _ => (true, None, None),
    };
    Answer { approved, data, message, future: false }
}
