//! What is run, and what must come of it.

use crate::support::{json_of, root};
use serde_json::{Value, json};

/// One kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Agent {
    /// Ten templates in a row.
    Chain,
    /// A request between two templates.
    Step,
    /// A parent and its child.
    Family,
}

impl Agent {
    pub const ALL: [Self; 3] = [Self::Chain, Self::Step, Self::Family];

    /// The agent file; requests go to `stub`.
    pub fn file(self, stub: &str) -> Value {
        match self {
            Self::Chain => json_of(&root().join("bench/chain.json")),
            Self::Step => step(stub),
            Self::Family => json_of(&root().join("tests/fixtures/agents-call-agents.json"))["agent"].clone(),
        }
    }

    /// Run inputs by which the run is known again.
    pub fn inputs(self, token: u64) -> Value {
        match self {
            Self::Chain => json!({"text": format!("chain-{token}")}),
            Self::Step => json!({"text": format!("step-{token}")}),
            Self::Family => json!({"xs": [token]}),
        }
    }

    /// What its request says.
    pub fn label(token: u64) -> String {
        format!("step-{token}?")
    }

    /// The run's outputs.
    pub fn output(self, token: u64) -> Value {
        match self {
            Self::Chain => json!([{"text": format!("chain-{token}..........")}]),
            Self::Step => json!([{"text": format!("step-{token}? heard!")}]),
            Self::Family => json!([{"halves": format!("half is {:?}", token as f64 / 2.0)}]),
        }
    }

    /// Whether these are the results of the run with this token: it is in the input of some node.
    pub fn is_of(self, results: &Value, token: u64) -> bool {
        let wanted = match self {
            Self::Chain => format!("\"chain-{token}\""),
            Self::Step => format!("\"step-{token}\""),
            Self::Family => format!("[{token}]"),
        };
        results.to_string().contains(&wanted)
    }
}

fn step(stub: &str) -> Value {
    let node = |id: &str, block: &str, defaults: Value| json!({"id": id, "block_id": block, "input_default": defaults});
    let link = |from: [&str; 2], to: [&str; 2]| json!({"source_id": from[0], "source_name": from[1], "sink_id": to[0], "sink_name": to[1]});
    let template = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
    json!({
        "name": "Step",
        "description": "A request between two templates.",
        "nodes": [
            node("in", "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", json!({"name": "text"})),
            node("before", template, json!({"format": "{{ text }}?"})),
            node("ask", "6595ae1f-b924-42cb-9a41-551a0611c4b4", json!({"url": format!("http://{stub}/effect")})),
            node("after", template, json!({"format": "{{ text }}!"})),
            node("out", "363ae599-353e-4804-937e-b2ee3cef3da4", json!({"name": "text"})),
        ],
        "links": [
            link(["in", "result"], ["before", "values_#_text"]),
            link(["before", "output"], ["ask", "body_#_label"]),
            link(["ask", "response_#_said"], ["after", "values_#_text"]),
            link(["after", "output"], ["out", "value"]),
        ],
    })
}
