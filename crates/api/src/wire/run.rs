//! Runs: the answer to a start, and results.

use heddle_model::{NodeId, Object, RunId, Status, Value};
use heddle_platform::{NodeView, RunOutcome, RunSummary, RunView};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// An accepted run. The members after the id are there only when the caller preferred to wait.
#[derive(Serialize, ToSchema)]
pub struct RunStarted<'a> {
    #[schema(value_type = String)]
    id: RunId,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// Only when COMPLETED.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Outputs<'a>>,
}

impl<'a> RunStarted<'a> {
    /// A run that goes on in the background.
    pub fn accepted(id: RunId) -> Self {
        Self { id, status: None, output: None }
    }

    /// A run that was waited for.
    pub fn waited(run: &'a RunOutcome) -> Self {
        let status = run.summary.status;
        Self { id: run.summary.id, status: Some(status), output: Outputs::of(status, &run.outputs) }
    }
}

/// The body of the completion callback of a run that has ended: that of the waiting answer.
pub fn callback_body(run: &RunOutcome) -> Vec<u8> {
    serde_json::to_vec(&RunStarted::waited(run)).expect("names and JSON values make JSON")
}

/// A run that was told to stop.
#[derive(Serialize, ToSchema)]
pub struct RunStopped {
    #[schema(value_type = String)]
    id: RunId,
    #[schema(value_type = String)]
    status: Status,
}

impl From<RunSummary> for RunStopped {
    fn from(run: RunSummary) -> Self {
        Self { id: run.id, status: run.status }
    }
}

/// A run as it stands.
#[derive(Serialize, ToSchema)]
pub struct GraphExecutionResult<'a> {
    #[schema(value_type = String)]
    execution_id: RunId,
    #[schema(value_type = String)]
    status: Status,
    /// Node executions in queue order.
    nodes: Vec<ExecutionNode<'a>>,
    /// One object for each emitted graph output; null unless COMPLETED.
    #[schema(value_type = Option<Vec<Object>>, required = true)]
    output: Option<Outputs<'a>>,
}

impl<'a> GraphExecutionResult<'a> {
    /// The results of a run.
    pub fn of(run: &'a RunView) -> Self {
        Self {
            execution_id: run.summary.id,
            status: run.summary.status,
            nodes: run.nodes.iter().map(ExecutionNode::of).collect(),
            output: Outputs::of(run.summary.status, &run.outputs),
        }
    }
}

/// One execution of a node.
#[derive(Serialize, ToSchema)]
pub struct ExecutionNode<'a> {
    #[schema(value_type = String)]
    node_id: &'a NodeId,
    /// Its input object, or the member `value` of it where there is one.
    #[schema(value_type = Value)]
    input: NodeInput<'a>,
    /// Output pin → values in order.
    #[schema(value_type = Object)]
    #[serde(serialize_with = "super::as_object")]
    output: &'a [(String, Vec<Value>)],
}

#[derive(Serialize)]
#[serde(untagged)]
enum NodeInput<'a> {
    Value(&'a Value),
    Whole(&'a Object),
}

impl<'a> ExecutionNode<'a> {
    fn of(node: &'a NodeView) -> Self {
        let input = node.input.get("value").map_or(NodeInput::Whole(&node.input), NodeInput::Value);
        Self { node_id: &node.node_id, input, output: &node.output }
    }
}

/// `[{name: value}, …]`, grouped by name.
struct Outputs<'a>(&'a [(String, Vec<Value>)]);

impl<'a> Outputs<'a> {
    fn of(status: Status, outputs: &'a [(String, Vec<Value>)]) -> Option<Self> {
        (status == Status::Completed).then_some(Self(outputs))
    }
}

impl Serialize for Outputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| One(name, value)));
        serializer.collect_seq(pairs)
    }
}

struct One<'a>(&'a str, &'a Value);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, self.1)])
    }
}
