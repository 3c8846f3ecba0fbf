//! What a model is asked.

use heddle_model::Value;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The model, by its provider's name for it.
    pub model: &'a str,
    /// The conversation: messages in any of the three forms, see [`crate::Form`].
    pub messages: &'a [Value],
    /// What it may call.
    pub tools: &'a [Tool],
    /// The most tokens of the answer; `None` leaves it to the server.
    pub max_tokens: Option<u64>,
    /// The answer must be a JSON object, where the provider can be held to that.
    pub json: bool,
    /// Whether several tools may be called at once; `None` leaves it to the server.
    pub parallel: Option<bool>,
}

impl<'a> Ask<'a> {
    /// Asks for the next message of a conversation.
    pub fn new(model: &'a str, messages: &'a [Value]) -> Self {
        Self { model, messages, tools: &[], max_tokens: None, json: false, parallel: None }
    }
}

/// A function that a model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// At most 64 of `a-z A-Z 0-9 _ -`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments, an object.
    pub parameters: Value,
}
