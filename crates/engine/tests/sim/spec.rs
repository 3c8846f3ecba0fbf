//! Random agents: what the engine runs and the model foretells.

use crate::made_up::{Builder, numbered_graph};
use crate::model::TRUST_ME;
use crate::rng::Rng;
use heddle_model::block::{AGENT_EXECUTOR, COUNTDOWN_TIMER, HUMAN_IN_THE_LOOP};
use heddle_model::{GraphId, Value};
use serde_json::json;

/// A graph.
#[derive(Debug, Clone)]
pub struct Spec {
    pub number: u8,
    pub nodes: Vec<Node>,
    pub links: Vec<Link>,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    pub id: String,
    pub block: &'static str,
    pub defaults: Value,
    /// For an agent: its graph.
    pub agent: Option<u8>,
    /// The order of what it emits follows from the graph alone.
    pub ordered: bool,
}

/// A link between nodes by index.
#[derive(Debug, Clone)]
pub struct Link {
    pub from: usize,
    pub source: String,
    pub to: usize,
    pub sink: String,
    pub fixed: bool,
}

impl Spec {
    pub fn id(&self) -> GraphId {
        graph_id(self.number)
    }

    pub fn builder(&self) -> Builder {
        let empty = numbered_graph(self.number);
        let nodes =
            self.nodes.iter().fold(empty, |graph, node| graph.node(&node.id, node.block, node.defaults.clone()));
        self.links.iter().fold(nodes, |graph, link| {
            let from = format!("{}.{}", self.nodes[link.from].id, link.source);
            let to = format!("{}.{}", self.nodes[link.to].id, link.sink);
            if link.fixed { graph.fixed(&from, &to) } else { graph.link(&from, &to) }
        })
    }

    /// The names of its outputs, and whether the order of each one's values follows from the graph.
    pub fn outputs(&self) -> Vec<(String, bool)> {
        let outputs = self.nodes.iter().filter(|node| node.block == "output");
        outputs.map(|node| (node.id.clone(), node.ordered)).collect()
    }
}

fn graph_id(number: u8) -> GraphId {
    GraphId::from_random([number; 16])
}

/// Draws the `number`th graph; it may run those before it.
pub fn draw(rng: &mut Rng, number: u8, others: &[Spec]) -> Spec {
    let mut drawing =
        Drawing { spec: Spec { number, nodes: Vec::new(), links: Vec::new() }, ports: Vec::new(), input: None };
    drawing.sources(rng, others);
    for _ in 0..rng.within(1..6) {
        drawing.step(rng, others);
    }
    drawing.outputs(rng);
    drawing.spec
}

/// Where something can be linked from.
#[derive(Clone)]
struct Port {
    node: usize,
    pin: String,
    ordered: bool,
}

struct Drawing {
    spec: Spec,
    ports: Vec<Port>,
    /// The input node.
    input: Option<usize>,
}

impl Drawing {
    fn node(&mut self, block: &'static str, defaults: Value, agent: Option<u8>, ordered: bool) -> usize {
        let id = format!("n{}", self.spec.nodes.len());
        self.spec.nodes.push(Node { id, block, defaults, agent, ordered });
        self.spec.nodes.len() - 1
    }

    fn link(&mut self, port: &Port, to: usize, sink: &str) {
        let fixed = Some(port.node) == self.input;
        let link = Link { from: port.node, source: port.pin.clone(), to, sink: sink.to_owned(), fixed };
        self.spec.links.push(link);
    }

    fn port(&mut self, node: usize, pin: &str, ordered: bool) {
        self.ports.push(Port { node, pin: pin.to_owned(), ordered });
    }

    fn sources(&mut self, rng: &mut Rng, others: &[Spec]) {
        if rng.chance(700) {
            let node = self.node("input", json!({"name": "x", "value": rng.within(0..9)}), None, true);
            self.spec.nodes[node].id = "x".to_owned();
            self.input = Some(node);
            self.port(node, "result", true);
        }
        for _ in 0..rng.within(1..3) {
            match rng.within(0..5) {
                0 => {
                    let node = self.node("echo", json!({"value": rng.within(0..99)}), None, true);
                    self.port(node, "value", true);
                }
                1 => {
                    let defaults = timer(rng);
                    let node = self.node(COUNTDOWN_TIMER, defaults, None, true);
                    self.port(node, "output_message", true);
                }
                2 if !others.is_empty() => {
                    let other = rng.of(others).clone();
                    self.agent(&other, true);
                }
                _ => {
                    let items: Vec<u64> = (0..rng.within(1..5)).map(|item| item * 10).collect();
                    let node = self.node("each", json!({"items": items}), None, true);
                    self.port(node, "item", true);
                }
            }
        }
    }

    fn agent(&mut self, other: &Spec, ordered: bool) -> usize {
        let defaults = json!({"graph_id": other.id().to_string(), "graph_version": 1, "inputs": {"x": 5}});
        let node = self.node(AGENT_EXECUTOR, defaults, Some(other.number), ordered);
        for (name, is_ordered) in other.outputs() {
            self.port(node, &name, ordered && is_ordered);
        }
        self.port(node, "error", ordered);
        node
    }

    fn step(&mut self, rng: &mut Rng, others: &[Spec]) {
        let port = rng.of(&self.ports).clone();
        let ordered = port.ordered;
        let plain = |this: &mut Self, block, defaults, sink, pins: &[&str]| {
            let node = this.node(block, defaults, None, ordered);
            this.link(&port, node, sink);
            pins.iter().for_each(|pin| this.port(node, pin, ordered));
            node
        };
        match rng.within(0..32) {
            0 => drop(plain(self, "echo", json!({}), "value", &["value"])),
            1 => drop(plain(self, "local", json!({}), "value", &["value"])),
            2 | 3 => drop(plain(self, "read", json!({}), "value", &["value"])),
            4..=6 => drop(plain(self, "idempotent", json!({}), "value", &["value"])),
            7..=9 => drop(plain(self, "unsafe", json!({}), "value", &["value"])),
            10 => drop(plain(self, "keep", json!({}), "value", &["value"])),
            11 => drop(plain(self, "fail", json!({}), "value", &["value", "error"])),
            12 if rng.chance(500) => drop(plain(self, "panic", json!({}), "value", &["error"])),
            12 => drop(plain(self, "panic-later", json!({}), "value", &["value", "error"])),
            13 => drop(plain(self, "hang", json!({}), "value", &["value", "error"])),
            14 => drop(plain(self, "trickle", json!({"items": [1, 2]}), "gate", &["item"])),
            15 => drop(plain(self, "each", json!({"items": ["a", "b"]}), "gate", &["item"])),
            16 => {
                let defaults = timer(rng);
                plain(self, COUNTDOWN_TIMER, defaults, "message", &["output_message"]);
            }
            17 | 18 => {
                let pins = ["approved_data", "rejected_data", "review_message"];
                plain(self, HUMAN_IN_THE_LOOP, json!({"name": question(rng)}), "data", &pins);
            }
            19 => {
                // A loop: counts up to three for each 0 that comes in.
                let zero = self.node("echo", json!({"value": 0}), None, true);
                let count = self.node("count", json!({"upto": 3}), None, true);
                let start = Port { node: zero, pin: "value".to_owned(), ordered: true };
                self.link(&start, count, "n");
                self.link(&Port { node: count, pin: "next".to_owned(), ordered: true }, count, "n");
                self.port(count, "done", true);
                self.port(count, "next", true);
            }
            20 | 21 if !others.is_empty() => {
                let other = rng.of(others).clone();
                let node = self.agent(&other, ordered);
                self.link(&port, node, "x");
            }
            22..=24 => drop(plain(self, "flaky", json!({}), "value", &["value", "error"])),
            25 | 26 => drop(plain(self, "sensitive", json!({"gate": question(rng)}), "value", &["value", "error"])),
            27 => {
                // The same loop, and a person is asked at each turn; the first answer may hold for all of them.
                let defaults = json!({"name": TRUST_ME});
                self.asking_loop(HUMAN_IN_THE_LOOP, defaults, ("data", "approved_data"));
            }
            28 => self.asking_loop("sensitive", json!({"gate": TRUST_ME}), ("value", "value")),
            _ => {
                let other = rng.of(&self.ports).clone();
                if ordered && other.ordered {
                    let node = self.node("pair", json!({}), None, true);
                    self.link(&port, node, "left");
                    self.link(&other, node, "right");
                    self.port(node, "pair", true);
                }
            }
        }
    }

    fn asking_loop(&mut self, block: &'static str, defaults: Value, (sink, source): (&str, &str)) {
        let zero = self.node("echo", json!({"value": 0}), None, true);
        let asks = self.node(block, defaults, None, true);
        let count = self.node("count", json!({"upto": 3}), None, true);
        let port = |node, pin: &str| Port { node, pin: pin.to_owned(), ordered: true };
        self.link(&port(zero, "value"), asks, sink);
        self.link(&port(asks, source), count, "n");
        self.link(&port(count, "next"), asks, sink);
        self.port(count, "done", true);
        self.port(asks, source, true);
    }

    fn outputs(&mut self, rng: &mut Rng) {
        for _ in 0..rng.within(1..4) {
            // Late ports first: what was drawn should matter.
            let late = self.ports.len() as u64 / 2;
            let first = self.ports[rng.within(late..self.ports.len() as u64) as usize].clone();
            let second = rng.chance(250).then(|| rng.of(&self.ports).clone());
            // A pin's values either all stay or none.
            let is_mixed = |port: &Port| Some(port.node) == self.input || Some(first.node) == self.input;
            let second = second.filter(|port| !is_mixed(port));
            let node = self.node("output", json!({}), None, first.ordered && second.is_none());
            let id = self.spec.nodes[node].id.clone();
            self.spec.nodes[node].defaults = json!({"name": id});
            self.link(&first, node, "value");
            if let Some(second) = second.filter(|second| (second.node, &second.pin) != (first.node, &first.pin)) {
                self.link(&second, node, "value");
            }
        }
    }
}

/// What persons are asked; the answers of some nodes' persons hold for all that follow.
fn question(rng: &mut Rng) -> &'static str {
    if rng.chance(400) { TRUST_ME } else { "may it?" }
}

/// From nothing to hours.
fn timer(rng: &mut Rng) -> Value {
    let seconds = match rng.within(0..10) {
        0 => 0,
        1..=3 => rng.within(1..4),
        4..=7 => rng.within(5..120),
        8 => rng.within(120..1200),
        _ => rng.within(1200..9000),
    };
    json!({"seconds": seconds, "repeat": rng.within(1..4), "message": "ding"})
}
