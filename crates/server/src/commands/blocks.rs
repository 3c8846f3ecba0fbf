//! `heddle blocks`: the catalogue that is built in; needs no data folder.

use crate::failure::Failure;
use crate::print;
use heddle_blocks::Registry;
use heddle_model::BlockFacts;
use serde_json::{Value, json};

pub fn list(as_json: bool) -> Result<(), Failure> {
    let blocks: Value = Registry::standard().served().map(|block| summary(&block)).collect();
    print::table(&blocks, &["id", "name", "description"], as_json)
}

pub fn show(id: &str) -> Result<(), Failure> {
    let block = Registry::standard().facts(id).ok_or_else(|| Failure::new(format!("there is no block {id:?}")))?;
    let mut shown = summary(&block);
    shown["served"] = block.served.into();
    shown["static_output"] = block.static_output.into();
    shown["input_schema"] = block.input_schema.clone();
    shown["output_schema"] = block.output_schema.clone();
    print::json(&shown)
}

fn summary(block: &BlockFacts) -> Value {
    json!({
        "id": block.id,
        "name": block.name,
        "description": block.description,
        "categories": block.categories,
        "type": block.ui_type,
    })
}
