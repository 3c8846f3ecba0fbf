//! What is run: agents, and what a plain computation says must come of them.

use serde_json::{Value, json};

const INPUT: &str = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b";
const OUTPUT: &str = "363ae599-353e-4804-937e-b2ee3cef3da4";
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
const STEP_THROUGH: &str = "f66a3543-28d3-4ab5-8945-9b336371e2ce";
const WEB_REQUEST: &str = "6595ae1f-b924-42cb-9a41-551a0611c4b4";
const AGENT: &str = "e189baac-8c20-45a1-94a7-55177ea42565";
const TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";
const CALCULATOR: &str = "b1ab9b19-67a6-406d-abf5-2dba76d00c79";
const PERSIST: &str = "1d055e55-a2b9-4547-8311-907d05b0304d";
/// Reads what `PERSIST` keeps.
pub const RETRIEVE: &str = "d8710fc9-6e29-481e-a7d5-165eb16f8471";

/// Values of the long iteration.
const ITEMS: usize = 1000;
/// Requests of the scattered ones.
const REQUESTS: usize = 5;
/// Child runs of a family.
const CHILDREN: usize = 2;
/// How often a counter's run adds one.
const STEPS: u64 = 3;

/// One kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// Ten templates in a row.
    Chain,
    /// A thousand items, one by one.
    Iteration,
    /// Templates with one request between them.
    Request,
    /// Three requests, each with what the one before brought.
    Requests,
    /// A request for every item.
    Scatter,
    /// A request whose answer is another one each time.
    Receipt,
    /// Two child runs, each with a request and a wait.
    Family,
    /// Adds to a number that outlives runs.
    Counter,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Chain,
        Self::Iteration,
        Self::Request,
        Self::Requests,
        Self::Scatter,
        Self::Receipt,
        Self::Family,
        Self::Counter,
    ];

    /// The agent; requests go to `upstream`.
    pub fn agent(self, upstream: &str) -> Value {
        let agent = Agent::new(&format!("{self:?}"));
        match self {
            Self::Chain => agent.text_input().templates("dot", 10, "{{ text }}.").output("text"),
            Self::Iteration => agent.items().template("mark", "{{ text }}!").output("text"),
            Self::Request => agent.text_input().request(0, upstream).template("end", "{{ text }}.").output("text"),
            Self::Requests => agent.text_input().requests(3, upstream).output("text"),
            Self::Scatter => agent.items().ask("ask", upstream).output("text"),
            Self::Receipt => agent.text_input().receipt(upstream).output("number"),
            Self::Family => agent.items().child(upstream).output("text"),
            Self::Counter => agent.counter(STEPS),
        }
        .file()
    }

    /// The run inputs of a run that is named by this token.
    pub fn inputs(self, token: &str) -> Value {
        match self {
            Self::Chain | Self::Request | Self::Requests | Self::Receipt => json!({"text": token}),
            Self::Iteration => json!({"items": labels(token, ITEMS)}),
            Self::Scatter => json!({"items": labels(token, REQUESTS)}),
            Self::Family => json!({"items": labels(token, CHILDREN)}),
            Self::Counter => json!({"key": counter_of(token)}),
        }
    }

    /// What its requests say, in the order of their nodes.
    pub fn effects(self, token: &str) -> Vec<String> {
        match self {
            Self::Chain | Self::Iteration | Self::Counter => Vec::new(),
            Self::Request | Self::Receipt => vec![format!("{token}/0")],
            Self::Requests => requests(token).0,
            Self::Scatter => labels(token, REQUESTS),
            Self::Family => labels(token, CHILDREN),
        }
    }

    /// The values of its only output; `None` when its token alone does not tell: the number of one of the answers that
    /// its request had, or what the counter then holds.
    pub fn outputs(self, token: &str) -> Option<Vec<Value>> {
        Some(match self {
            Self::Receipt | Self::Counter => return None,
            Self::Chain => vec![json!(format!("{token}.........."))],
            Self::Iteration => labels(token, ITEMS).iter().map(|item| json!(format!("{item}!"))).collect(),
            Self::Request => vec![json!(format!("{token}/0 heard."))],
            Self::Requests => vec![json!(requests(token).1)],
            Self::Scatter | Self::Family => {
                self.effects(token).iter().map(|label| json!(format!("{label} heard"))).collect()
            }
        })
    }

    /// What its child runs are given.
    pub fn children(self, token: &str) -> Vec<String> {
        if self == Self::Family { labels(token, CHILDREN) } else { Vec::new() }
    }

    /// Seconds that it takes at least.
    pub fn seconds(self) -> u64 {
        u64::from(self == Self::Family)
    }

    /// Whether its executions are those of another run of it but for the token.
    pub fn repeats_itself(self) -> bool {
        !matches!(self, Self::Counter | Self::Receipt)
    }
}

/// What the upstream server says to a request.
pub fn heard(label: &str) -> String {
    format!("{label} heard")
}

/// What a counter holds after so many runs.
pub fn counted(runs: u64) -> f64 {
    (runs * STEPS) as f64
}

/// The counter that a run adds to: tokens are `RUN@PLACE`, and each place has one.
pub fn counter_of(token: &str) -> &str {
    token.split_once('@').map_or(token, |(_, place)| place)
}

fn labels(token: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{token}/{n}")).collect()
}

fn requests(token: &str) -> (Vec<String>, String) {
    let mut text = token.to_owned();
    let labels = (0..3).map(|n| {
        let label = format!("{text}/{n}");
        text = heard(&label);
        label
    });
    (labels.collect(), text)
}

/// An agent file that grows node by node; each node hangs on the one before.
struct Agent {
    name: String,
    nodes: Vec<Value>,
    links: Vec<Value>,
    children: Vec<Value>,
    /// Where the next node's value comes from.
    last: (String, &'static str),
}

impl Agent {
    fn new(name: &str) -> Self {
        let (nodes, links, children) = Default::default();
        Self { name: name.to_owned(), nodes, links, children, last: Default::default() }
    }

    fn node(mut self, id: &str, block: &str, defaults: Value) -> Self {
        self.nodes.push(json!({"id": id, "block_id": block, "input_default": defaults}));
        self
    }

    fn link(mut self, from: (&str, &str), to: (&str, &str)) -> Self {
        let (source_id, source_name, sink_id, sink_name) = (from.0, from.1, to.0, to.1);
        self.links.push(
            json!({"source_id": source_id, "source_name": source_name, "sink_id": sink_id, "sink_name": sink_name}),
        );
        self
    }

    /// A node that takes the last value on `pin` and hands its own on as `out`.
    fn then(self, id: &str, block: &str, defaults: Value, pin: &str, out: &'static str) -> Self {
        let (last, last_pin) = self.last.clone();
        let mut agent = self.node(id, block, defaults).link((&last, last_pin), (id, pin));
        agent.last = (id.to_owned(), out);
        agent
    }

    fn text_input(self) -> Self {
        let mut agent = self.node("in", INPUT, json!({"name": "text"}));
        agent.last = ("in".to_owned(), "result");
        agent
    }

    fn items(self) -> Self {
        let mut agent = self.node("in", INPUT, json!({"name": "items"}));
        agent.last = ("in".to_owned(), "result");
        agent.then("each", STEP_THROUGH, json!({}), "items", "item")
    }

    fn template(self, id: &str, format: &str) -> Self {
        self.then(id, TEMPLATE, json!({"format": format}), "values_#_text", "output")
    }

    fn templates(self, id: &str, count: usize, format: &str) -> Self {
        (0..count).fold(self, |agent, n| agent.template(&format!("{id}-{n}"), format))
    }

    fn ask(self, id: &str, upstream: &str) -> Self {
        self.then(id, WEB_REQUEST, json!({"url": upstream}), "body_#_label", "response_#_said")
    }

    fn receipt(self, upstream: &str) -> Self {
        let asked = json!({"url": upstream, "body": {"numbered": true}});
        let label = self.template("label", "{{ text }}/0");
        label.then("ask", WEB_REQUEST, asked, "body_#_label", "response_#_number")
    }

    fn request(self, n: usize, upstream: &str) -> Self {
        let format = format!("{{{{ text }}}}/{n}");
        self.template(&format!("label-{n}"), &format).ask(&format!("ask-{n}"), upstream)
    }

    fn requests(self, count: usize, upstream: &str) -> Self {
        (0..count).fold(self, |agent, n| agent.request(n, upstream))
    }

    fn child(mut self, upstream: &str) -> Self {
        let child = Agent::new("Child").text_input().ask("ask", upstream);
        let wait = json!({"seconds": 1});
        let child = child.then("wait", TIMER, wait, "input_message", "output_message").output("text");
        let mut file = child.file();
        file["id"] = json!("child");
        file["version"] = json!(1);
        self.children.push(file);
        let schema = json!({"type": "object", "properties": {"text": {"title": "text"}}, "required": ["text"]});
        let call = json!({"graph_id": "child", "graph_version": 1, "input_schema": schema, "output_schema": schema});
        self.then("call", AGENT, call, "text", "text")
    }

    fn output(self, name: &str) -> Self {
        self.then("out", OUTPUT, json!({"name": name}), "value", "")
    }

    /// Reads a number, adds one and keeps it, again and again.
    fn counter(self, steps: u64) -> Self {
        let mut agent = self.node("key", INPUT, json!({"name": "key"}));
        for step in 0..steps {
            let [read, add, keep] = ["read", "add", "keep"].map(|what| format!("{what}-{step}"));
            let scope = "across_agents";
            agent = match step {
                0 => agent.node(&read, RETRIEVE, json!({"scope": scope, "default_value": 0})),
                // Only to have it wait for the one before.
                _ => agent.then(&read, RETRIEVE, json!({"scope": scope}), "default_value", "value"),
            };
            agent.last = (read.clone(), "value");
            agent = agent
                .link(("key", "result"), (&read, "key"))
                .then(&add, CALCULATOR, json!({"operation": "Add", "b": 1}), "a", "result")
                .then(&keep, PERSIST, json!({"scope": scope}), "value", "value")
                .link(("key", "result"), (&keep, "key"));
        }
        agent.output("count")
    }

    fn file(self) -> Value {
        let Self { name, nodes, links, children, .. } = self;
        let description = "Made to be interrupted.";
        json!({"name": name, "description": description, "nodes": nodes, "links": links, "sub_graphs": children})
    }
}
