//! What is known about models: derived data, unpacked when first asked for.

use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!("../data/models.json.zst");

/// What a call has to know of a model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Model {
    /// Its name, as its provider knows it.
    pub slug: String,
    /// Who serves it. Empty for a model of a server of one's own.
    pub provider: String,
    /// Tokens of prompt and answer together; `None` when nobody knows.
    pub window: Option<u64>,
    /// The most tokens of an answer, where that is known.
    pub output: Option<u64>,
    /// How many of its own tokens one of those that are counted here is.
    #[serde(default = "one")]
    pub density: f64,
}

fn one() -> f64 {
    1.0
}

impl Model {
    /// A model of which nothing is known but the name that its server has for it.
    pub fn unknown(slug: &str) -> Self {
        Self { slug: slug.to_owned(), provider: String::new(), window: None, output: None, density: one() }
    }
}

#[derive(Deserialize)]
struct Packed {
    default: String,
    instead: HashMap<String, String>,
    models: Vec<Model>,
}

struct Table {
    default: String,
    instead: HashMap<String, String>,
    models: HashMap<String, Model>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let bytes = zstd::decode_all(PACKED).expect("the embedded model table is whole");
        let packed: Packed = serde_json::from_slice(&bytes).expect("the embedded model table is well-formed");
        let models = packed.models.into_iter().map(|model| (model.slug.clone(), model)).collect();
        Table { default: packed.default, instead: packed.instead, models }
    })
}

/// The model that is meant where none is named.
pub fn default_model() -> &'static str {
    &table().default
}

/// The model of a name: its own, that of another spelling, that of a retired model whose place it has taken, or one
/// with its provider before it.
pub fn find(name: &str) -> Option<&'static Model> {
    let table = table();
    let known = |name: &str| table.models.get(name).or_else(|| table.models.get(table.instead.get(name)?));
    known(name).or_else(|| {
        let (provider, rest) = name.split_once('/')?;
        known(rest).filter(|model| model.provider == provider)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_models() {
        let slug = |name: &str| find(name).map(|model| model.slug.as_str());
        assert_eq!(slug(default_model()), Some("gpt-5.6-terra"));
        assert_eq!(slug("gpt-4o"), Some("gpt-4o"));
        assert_eq!(slug("openai/gpt-5.4"), Some("gpt-5.4-2026-03-05"), "another spelling");
        assert_eq!(slug("gpt-4-turbo"), Some("gpt-4.1-2025-04-14"), "a retired model's successor");
        assert_eq!(slug("anthropic/claude-sonnet-5"), Some("claude-sonnet-5"), "its provider before it");
        assert_eq!(slug("google/gemini-2.5-pro"), Some("google/gemini-2.5-pro"), "a prefix of the name itself");
        assert_eq!(slug("groq/claude-sonnet-5"), None, "somebody else before it");
        assert_eq!(slug("claude-3-5-sonnet-latest"), None);
    }

    #[test]
    fn every_name_that_stands_for_another_leads_to_one() {
        for (name, instead) in &table().instead {
            let is_there = table().models.contains_key(name);
            assert!(find(name).is_some_and(|model| model.slug == *if is_there { name } else { instead }), "{name}");
        }
    }

    #[test]
    fn tokens_of_the_newest_models_of_one_maker_are_smaller() {
        let density = |name: &str| find(name).map(|model| model.density);
        assert_eq!((density("claude-sonnet-5"), density("claude-sonnet-4-6")), (Some(1.5), Some(1.0)));
    }

    /// The packed table against the one it was made from.
    #[test]
    fn the_packed_table_is_up_to_date() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/blocks/llm_models.json");
        let Ok(text) = std::fs::read_to_string(file) else {
            println!("skipped: 1 (needs ../shared)");
            return;
        };
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        let models = all["models"].as_array().unwrap();
        assert_eq!(models.len(), table().models.len());
        for model in models {
            let known = find(model["slug"].as_str().unwrap()).unwrap();
            assert_eq!(Some(known.provider.as_str()), model["provider"].as_str());
            assert_eq!(
                (known.window, known.output),
                (model["context_window"].as_u64(), model["max_output_tokens"].as_u64())
            );
        }
        for from in ["aliases", "legacy"] {
            for (name, instead) in all[from].as_object().unwrap() {
                assert_eq!(table().instead.get(name).map(String::as_str), instead.as_str());
            }
        }
    }
}
