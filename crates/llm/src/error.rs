//! Why there is no answer.

use std::time::Duration;

/// Why a model gave no answer. Displayed for the person who runs the agent; no key is in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The prompt does not fit.
    #[error(
        "the prompt is too long for the model {model}{}; shorten it, let it be compressed, or take a model with a larger context window. The provider says: {said}",
        window.map(|window| format!(", whose context window is {window} tokens")).unwrap_or_default()
    )]
    TooLong {
        /// The model.
        model: String,
        /// Its context window, where that is known.
        window: Option<u64>,
        /// The provider's words.
        said: String,
    },
    /// The provider does not accept the credential.
    #[error("the provider refuses the credential (HTTP {status}): {said}")]
    Refused {
        /// 401 or 403.
        status: u16,
        /// The provider's words.
        said: String,
    },
    /// Too many calls.
    #[error("the provider's rate limit is reached (HTTP 429): {said}")]
    Limited {
        /// The provider's words.
        said: String,
    },
    /// Any other refusal.
    #[error("the provider answered HTTP {status}: {said}")]
    Status {
        /// The status.
        status: u16,
        /// The provider's words.
        said: String,
    },
    /// It took too long.
    #[error("the model did not answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// There is nothing in the answer.
    #[error("the model's answer is empty{0}")]
    Empty(String),
    /// The answer cannot be read.
    #[error("the provider's answer cannot be read: {0}")]
    Malformed(String),
    /// The provider cannot do what is asked.
    #[error("{0}")]
    Unsupported(String),
    /// The request did not get there, or the answer not back.
    #[error("{0}")]
    Network(String),
}

impl Error {
    /// Whether asking again cannot help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Limited { .. } | Self::Timeout(_) | Self::Unsupported(_))
    }

    /// Whether a shorter answer, or prompt, might be given room.
    pub fn is_about_length(&self) -> bool {
        let text = self.to_string().to_lowercase();
        matches!(self, Self::TooLong { .. }) || LENGTH.iter().any(|words| text.contains(words))
    }

    /// The error of a status.
    pub(crate) fn of_status(status: u16, said: String, code: &str) -> Self {
        let text = said.to_lowercase();
        let is_length = code == "context_length_exceeded" || TOO_LONG.iter().any(|words| text.contains(words));
        match status {
            401 | 403 => Self::Refused { status, said },
            400 | 413 | 422 if is_length => Self::TooLong { model: String::new(), window: None, said },
            429 => Self::Limited { said },
            _ => Self::Status { status, said },
        }
    }
}

const LENGTH: &[&str] = &["context length", "token limit", "context_length", "max_tokens"];

/// How providers say that a prompt is too long.
const TOO_LONG: &[&str] = &[
    "context length",
    "context window",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "token limit",
    "exceeds the maximum number of tokens",
    "reduce the length",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_words_for_a_prompt_that_is_too_long_are_understood() {
        for (status, said, code) in [
            (400, "This model's maximum context length is 128000 tokens. However, your messages…", ""),
            (400, "Your input exceeds the context window of this model.", ""),
            (400, "prompt is too long: 210000 tokens > 200000 maximum", ""),
            (413, "Request too large, reduce the length of the messages", ""),
            (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", ""),
            (400, "no", "context_length_exceeded"),
        ] {
            let error = Error::of_status(status, said.to_owned(), code);
            assert!(matches!(error, Error::TooLong { .. }) && error.is_about_length() && !error.is_final(), "{said}");
        }
        let other = Error::of_status(400, "unknown field".to_owned(), "");
        assert_eq!(other.to_string(), "the provider answered HTTP 400: unknown field");
    }

    #[test]
    fn what_asking_again_cannot_help_is_final() {
        for status in [400, 401, 403, 404, 429, 500, 503] {
            let error = Error::of_status(status, String::new(), "");
            assert_eq!(error.is_final(), [401, 403, 429].contains(&status), "{status}");
        }
        assert!(Error::Timeout(Duration::from_secs(120)).is_final());
        assert!(!Error::Network("x".to_owned()).is_final());
    }

    #[test]
    fn a_prompt_that_is_too_long_is_said_to_be() {
        let error = Error::TooLong { model: "m".to_owned(), window: Some(8192), said: "no".to_owned() };
        assert_eq!(
            error.to_string(),
            "the prompt is too long for the model m, whose context window is 8192 tokens; shorten it, let it be \
             compressed, or take a model with a larger context window. The provider says: no"
        );
    }
}
