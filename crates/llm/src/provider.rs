//! What is special about each provider, as data (`data/providers.json`).

use indexmap::IndexMap;
use serde::Deserialize;
use std::sync::OnceLock;
use url::Url;

static TEXT: &str = include_str!("../data/providers.json");

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI's older interface, which most others have too.
    Chat,
    /// OpenAI's newer one.
    Responses,
    /// Anthropic's.
    Messages,
    /// Google's.
    Google,
    /// Ollama's own.
    Ollama,
}

/// What is special about a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Path of the interface below the provider's address, for a base URL that names only a host.
    prefix: String,
    /// The path is wanted also below a base URL with a path of its own, unless it ends with it.
    always: bool,
    /// It can be held to answer in JSON.
    pub json: bool,
    /// It can be offered tools.
    pub tools: bool,
    /// It is asked what the call costs.
    pub cost: bool,
    /// Any model name is good: its server knows which it has.
    pub any_model: bool,
    /// A node may name the host.
    pub host_pin: bool,
    /// Models whose names begin like this call one tool at a time and may not be told so.
    serial: Vec<String>,
    /// Sent with every request.
    pub headers: IndexMap<String, String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            dialect: Dialect::Chat,
            prefix: String::new(),
            always: false,
            json: false,
            tools: false,
            cost: false,
            any_model: false,
            host_pin: false,
            serial: Vec::new(),
            headers: IndexMap::new(),
        }
    }
}

fn table() -> &'static IndexMap<String, Provider> {
    static TABLE: OnceLock<IndexMap<String, Provider>> = OnceLock::new();
    TABLE.get_or_init(|| serde_json::from_str(TEXT).expect("the embedded providers are well-formed"))
}

/// The provider of this name; `None` when it serves no language models.
pub fn provider(name: &str) -> Option<&'static Provider> {
    table().get(name)
}

/// Providers whose credentials go with any model name.
pub fn any_model_providers() -> impl Iterator<Item = &'static str> {
    table().iter().filter(|(_, provider)| provider.any_model).map(|(name, _)| name.as_str())
}

impl Provider {
    /// The URL of a path of the interface, at a server of this provider.
    pub fn url(&self, base: &Url, path: &str) -> String {
        let mut url = base.clone();
        url.set_query(None);
        url.set_fragment(None);
        let own = url.path().trim_end_matches('/');
        let wanted = if own.is_empty() { true } else { self.always && !own.ends_with(&self.prefix) };
        let prefix = if wanted { self.prefix.as_str() } else { "" };
        let path = format!("{own}{prefix}{path}");
        url.set_path(&path);
        url.into()
    }

    /// Whether this model may be told how many tools it may call at once.
    pub(crate) fn takes_parallel(&self, model: &str) -> bool {
        !self.serial.iter().any(|start| model.starts_with(start.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_with_and_without_the_usual_path_lead_to_the_same_place() {
        for (name, base, path, want) in [
            ("openai", "http://127.0.0.1:9", "/responses", "http://127.0.0.1:9/v1/responses"),
            ("openai", "https://api.example/v1/", "/responses", "https://api.example/v1/responses"),
            ("openai", "https://gateway.example/openai", "/responses", "https://gateway.example/openai/responses"),
            ("anthropic", "https://api.example", "/messages", "https://api.example/v1/messages"),
            ("anthropic", "https://api.example/v1", "/messages", "https://api.example/v1/messages"),
            ("anthropic", "https://gateway.example/a", "/messages", "https://gateway.example/a/v1/messages"),
            ("groq", "https://api.example", "/chat/completions", "https://api.example/openai/v1/chat/completions"),
            ("groq", "http://mock/v1", "/chat/completions", "http://mock/v1/chat/completions"),
            ("openai_compatible", "http://mock/v1", "/chat/completions", "http://mock/v1/chat/completions"),
            ("ollama", "http://localhost:11434", "/chat", "http://localhost:11434/api/chat"),
            ("ollama", "http://localhost:11434/api?x#y", "/chat", "http://localhost:11434/api/chat"),
        ] {
            let url = provider(name).unwrap().url(&Url::parse(base).unwrap(), path);
            assert_eq!(url, want, "{name} at {base}");
        }
    }

    #[test]
    fn every_model_of_the_table_has_a_provider() {
        for name in
            ["gpt-4o", "claude-sonnet-5", "llama3.2", "llama-3.1-8b-instant", "google/gemini-2.5-pro", "v0-1.5-md"]
        {
            let model = crate::find(name).unwrap();
            assert!(provider(&model.provider).is_some(), "{name}");
        }
        assert_eq!(any_model_providers().collect::<Vec<_>>(), ["openai_compatible", "gemini"]);
        assert!(!provider("openai").unwrap().takes_parallel("o3-mini"));
        assert!(provider("openai").unwrap().takes_parallel("gpt-4o"));
    }
}
