//! What a model answers.

use heddle_model::{Usage, Value};
use serde::{Deserialize, Serialize};

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its text; empty when it only calls tools.
    pub text: String,
    /// What it calls.
    pub calls: Vec<ToolCall>,
    /// What it has thought, where its provider tells.
    pub reasoning: Option<String>,
    /// The messages that carry the conversation on, in the provider's own form.
    pub messages: Vec<Value>,
    /// What it took. Calls and retries are for those to count who ask.
    pub usage: Usage,
}

/// A function that the model wants called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Names the call.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, as JSON text; whether it is one is for the caller to see.
    pub arguments: String,
}
