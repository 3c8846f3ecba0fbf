//! Catalogues, graphs and ids for the tests of this crate.

mod agents;
mod transcripts;

use crate::{BlockFacts, BlockId, Catalogue, Draft, Graph, UserId, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// Blocks by id, all of them served.
pub(crate) struct Blocks(HashMap<BlockId, Arc<BlockFacts>>);

impl Catalogue for Blocks {
    fn block(&self, id: &BlockId) -> Option<Arc<BlockFacts>> {
        self.0.get(id).cloned()
    }
}

impl Blocks {
    fn read(catalogue: &str, served: bool) -> Self {
        let entries: Vec<Value> = serde_json::from_str(catalogue).unwrap();
        let facts = entries.into_iter().map(|entry| facts(entry, served));
        Self(facts.map(|facts| (facts.id.clone(), Arc::new(facts))).collect())
    }

    /// All blocks.
    pub(crate) fn all(&self) -> impl Iterator<Item = &BlockFacts> {
        self.0.values().map(|facts| &**facts)
    }
}

fn facts(mut entry: Value, served: bool) -> BlockFacts {
    let mut take = |key: &str| entry[key].take();
    BlockFacts {
        id: BlockId(take("id").as_str().unwrap().to_owned()),
        name: take("name").as_str().unwrap().to_owned(),
        description: String::new(),
        categories: serde_json::from_value(take("categories")).unwrap(),
        ui_type: serde_json::from_value(take("uiType")).unwrap(),
        static_output: take("staticOutput") == true,
        disabled: take("disabled") == true,
        sensitive: take("sensitive") == true,
        served,
        time_limit: None,
        credentials: serde_json::from_value(take("credentials")).unwrap(),
        input_schema: take("inputSchema"),
        output_schema: take("outputSchema"),
        input: OnceLock::new(),
        output: OnceLock::new(),
        costs: Vec::new(),
    }
}

/// A handful of blocks, with shortened lists of models.
pub(crate) fn blocks() -> &'static Blocks {
    static BLOCKS: OnceLock<Blocks> = OnceLock::new();
    BLOCKS.get_or_init(|| Blocks::read(include_str!("testing/blocks.json"), true))
}

/// The same blocks in a build that runs none of them.
pub(crate) fn unserved_blocks() -> Blocks {
    Blocks::read(include_str!("testing/blocks.json"), false)
}

/// A file of the contract, which is not part of this repository.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    path.exists().then_some(path)
}

/// Every block of the contract.
pub(crate) fn shared_blocks() -> Option<&'static Blocks> {
    static BLOCKS: OnceLock<Option<Blocks>> = OnceLock::new();
    let read = || Some(Blocks::read(&std::fs::read_to_string(shared("blocks/catalogue.json")?).unwrap(), true));
    BLOCKS.get_or_init(read).as_ref()
}

/// UUIDs in a row, from 1.
pub(crate) fn ids() -> impl FnMut() -> Uuid {
    let mut last = 0;
    move || {
        last += 1;
        Uuid::from_u128(last)
    }
}

/// The account that saves.
pub(crate) const OWNER: UserId = UserId(Uuid::from_u128(0xfeed));

/// The one agent of a file.
pub(crate) fn draft(file: Value) -> Draft {
    Draft::from_file(file).unwrap().remove(0)
}

/// The graphs of an agent file, with ids as in the file.
pub(crate) fn graphs(file: Value) -> Vec<Graph> {
    let mut main = draft(file);
    let subs = std::mem::take(&mut main.sub_graphs);
    std::iter::once(main).chain(subs).map(as_stored).collect()
}

fn as_stored(draft: Draft) -> Graph {
    Graph {
        id: crate::GraphId::parse(&draft.id).unwrap_or(crate::GraphId(Uuid::nil())),
        version: draft.version,
        is_active: draft.is_active,
        name: draft.name,
        description: draft.description,
        instructions: draft.instructions,
        recommended_schedule_cron: draft.recommended_schedule_cron,
        forked_from_id: draft.forked_from_id,
        forked_from_version: draft.forked_from_version,
        nodes: draft.nodes,
        links: draft.links,
    }
}
