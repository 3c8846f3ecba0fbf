//! The facts of every known block, unpacked when first asked for.
//!
//! The packed file is made by `data/build.py`. Start-up pays nothing; the first question pays for unpacking the
//! text, and each block is parsed when it is first looked up.

use crate::block::Block;
use crate::{costs, descriptions, served};
use heddle_model::{BlockFacts, BlockId, CredentialsFacts, UiType, Value};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

static PACKED: &[u8] = include_bytes!("../data/catalogue.json.zst");

/// Stands in a schema for the text of the file's second line.
const SHARED: &str = r#"{"$shared":"llm_models.json"}"#;

/// All blocks in catalogue order.
pub(crate) struct Shelf {
    entries: Vec<Entry>,
    places: FxHashMap<&'static str, usize>,
    shared: &'static str,
}

/// One block: its packed facts, and what was made of them so far.
pub(crate) struct Entry {
    line: &'static str,
    /// How to run it, if this build can.
    pub block: Option<&'static Block>,
    facts: OnceLock<Arc<BlockFacts>>,
}

/// The one shelf of this process.
pub(crate) fn shelf() -> &'static Shelf {
    static SHELF: OnceLock<Shelf> = OnceLock::new();
    SHELF.get_or_init(Shelf::unpack)
}

impl Shelf {
    fn unpack() -> Self {
        static TEXT: OnceLock<String> = OnceLock::new();
        let text = TEXT.get_or_init(|| {
            let bytes = zstd::decode_all(PACKED).expect("the embedded catalogue is whole");
            String::from_utf8(bytes).expect("the embedded catalogue is UTF-8")
        });
        let mut lines = text.lines();
        let ids: Vec<&'static str> =
            serde_json::from_str(lines.next().unwrap_or_default()).expect("the first line lists the ids");
        let shared = lines.next().unwrap_or_default();
        let served: HashMap<&str, &'static Block> = served::BLOCKS.iter().map(|block| (block.id, block)).collect();
        let entry = |(line, id): (&'static str, &&'static str)| Entry {
            line,
            block: served.get(*id).copied(),
            facts: OnceLock::new(),
        };
        let entries: Vec<_> = lines.zip(&ids).map(entry).collect();
        let places = ids.into_iter().enumerate().map(|(place, id)| (id, place)).collect();
        Self { entries, places, shared }
    }

    /// The entry of exactly this id.
    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.places.get(id).map(|&place| &self.entries[place])
    }

    /// Every entry, in catalogue order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    /// What is known about the block.
    pub fn facts(&self) -> &Arc<BlockFacts> {
        self.facts.get_or_init(|| Arc::new(self.parse()))
    }

    fn packed(&self) -> Packed {
        let whole = if self.line.contains(SHARED) { self.line.replace(SHARED, shelf().shared) } else { String::new() };
        let line = if whole.is_empty() { self.line } else { &whole };
        serde_json::from_str(line).expect("the embedded catalogue holds well-formed blocks")
    }

    fn parse(&self) -> BlockFacts {
        let mut packed = self.packed();
        let served = self.block.is_some();
        let description = match served {
            true => descriptions::describe(&packed.name, &mut packed.input_schema, &mut packed.output_schema),
            false => String::new(),
        };
        BlockFacts {
            costs: costs::of(&packed.id),
            id: BlockId(packed.id),
            name: packed.name,
            description,
            categories: packed.categories,
            ui_type: packed.ui_type,
            static_output: packed.static_output,
            disabled: packed.disabled,
            sensitive: packed.sensitive,
            served,
            time_limit: packed.time_limit,
            credentials: if served { with_own_servers(packed.credentials) } else { packed.credentials },
            input_schema: packed.input_schema,
            output_schema: packed.output_schema,
            input: OnceLock::new(),
            output: OnceLock::new(),
        }
    }

    /// Pins that are to have no description, as `in.name` or `out.name`.
    #[cfg(test)]
    pub fn undescribed(&self) -> Vec<String> {
        self.packed().undescribed
    }
}

/// A pin that takes any provider of language models takes one's own model servers too.
fn with_own_servers(mut pins: IndexMap<String, CredentialsFacts>) -> IndexMap<String, CredentialsFacts> {
    for facts in pins.values_mut().filter(|facts| facts.discriminator.is_some()) {
        if facts.providers.iter().all(|name| heddle_llm::provider(name).is_some()) {
            facts.also = heddle_llm::any_model_providers().map(str::to_owned).collect();
        }
    }
    pins
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Packed {
    id: String,
    name: String,
    categories: Vec<String>,
    ui_type: UiType,
    static_output: bool,
    disabled: bool,
    sensitive: bool,
    time_limit: Option<u64>,
    credentials: IndexMap<String, CredentialsFacts>,
    #[cfg(test)]
    undescribed: Vec<String>,
    input_schema: Value,
    output_schema: Value,
}

#[cfg(test)]
mod tests;
