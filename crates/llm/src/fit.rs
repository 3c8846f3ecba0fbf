//! Making a conversation fit a model: compressed where that is wanted, cleaned, measured.

use crate::{Model, compress, estimate};
use heddle_model::Value;

/// Tokens of an answer where nobody knows the model's own bound.
const MAX_OUTPUT: u64 = 32_768;

/// A conversation ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The messages.
    pub messages: Vec<Value>,
    /// The most tokens of the answer; `None` when nothing is known of the model and nobody says.
    pub max_tokens: Option<u64>,
    /// Tokens that the prompt has, roughly; 0 when nothing is known of the model.
    pub estimate: u64,
}

/// Fits a conversation into a model. `wanted` is how long an answer the user allows. Computes for as long as the
/// conversation is long: large ones want a thread of their own.
pub fn fit(messages: Vec<Value>, model: &Model, compressed: bool, wanted: Option<u64>) -> Fitted {
    let Some(window) = model.window else { return Fitted { messages, max_tokens: wanted, estimate: 0 } };
    let messages = if compressed { compress(messages, window / 2, model) } else { messages };
    let estimate = estimate(&messages, model);
    let room = window.saturating_sub(estimate);
    let bound = room.min(model.output.unwrap_or(MAX_OUTPUT)).min(wanted.or(model.output).unwrap_or(u64::MAX));
    Fitted { messages, max_tokens: Some(bound.max(1)), estimate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn max(model: &Model, words: usize, wanted: Option<u64>) -> Option<u64> {
        fit(vec![json!({"role": "user", "content": "hello ".repeat(words)})], model, false, wanted).max_tokens
    }

    #[test]
    fn an_answer_may_be_as_long_as_model_and_user_allow_and_the_prompt_leaves_room() {
        let (known, small) = (crate::find("gpt-5.6-terra").unwrap(), crate::find("llama3.2").unwrap());
        assert_eq!(max(known, 1, None), Some(128_000));
        assert_eq!(max(known, 1, Some(50)), Some(50));
        assert_eq!(max(known, 1, Some(1_000_000)), Some(128_000));
        assert!(max(small, 1, None).is_some_and(|most| (8_180..8_192).contains(&most)), "a window of 8192");
        assert_eq!(max(small, 9_000, None), Some(1), "there is always room for one");
        let wide = Model { output: None, window: Some(200_000), ..small.clone() };
        assert_eq!(max(&wide, 1, None), Some(32_768));
        assert_eq!(max(&wide, 1, Some(40_000)), Some(32_768));
        assert_eq!(max(&Model::unknown("mine"), 9_000, None), None);
        assert_eq!(max(&Model::unknown("mine"), 9_000, Some(7)), Some(7));
    }
}
