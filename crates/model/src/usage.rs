//! What an execution has used of other people's servers.

use serde::{Deserialize, Serialize};

/// What an execution has used, as the servers that it asked have said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Calls to models.
    #[serde(skip_serializing_if = "is_zero")]
    pub calls: u64,
    /// Those of them that were made because the answer before was of no use.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
    /// Tokens sent, those that the provider knew or was to remember not counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// Tokens that came back.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// Tokens sent that the provider knew already.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read_tokens: u64,
    /// Tokens sent that the provider was to remember.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_creation_tokens: u64,
    /// Things brought.
    #[serde(skip_serializing_if = "is_zero")]
    pub items: u64,
    /// What the providers ask for it, in US dollars, where they say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Usage {
    /// Adds what was used besides.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.retries += other.retries;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_creation_tokens += other.cache_creation_tokens;
        self.items += other.items;
        self.usd = match (self.usd, other.usd) {
            (Some(one), Some(another)) => Some(one + another),
            (one, another) => one.or(another),
        };
    }
}
