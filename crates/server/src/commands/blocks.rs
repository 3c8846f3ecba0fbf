//! `heddle blocks`: the catalogue that is built in; needs no data folder.

use crate::failure::Failure;
use crate::{Setting, print};
use heddle_blocks::Registry;
use heddle_connectors::{Provider, Providers, of_file};
use heddle_model::BlockFacts;
use serde_json::{Value, json};
use std::path::Path;

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

/// Checks a provider's file; a mistake is told with its line.
pub fn check(file: &Path, as_json: bool) -> Result<(), Failure> {
    let provider = of_file(file).map_err(|error| Failure::new(error.to_string()))?;
    match as_json {
        true => print::json(&about(&provider)),
        false => print::text(&format!("{}: a provider as it should be", provider.name)),
    }
}

/// The providers of this build and of `connectors.dir`.
pub fn providers(setting: &Setting) -> Result<(), Failure> {
    let none = Providers::default();
    let known = setting.settings.known_providers.as_deref().unwrap_or(&none);
    let listed: Value = known.iter().map(about).collect();
    print::table(&listed, &["name", "title", "types", "base_url"], setting.json)
}

fn about(provider: &Provider) -> Value {
    let types: Vec<_> = provider.places.keys().map(|kind| kind.as_str()).collect();
    json!({
        "name": provider.name,
        "title": provider.title,
        "types": types.join(","),
        "base_url": provider.base_url.as_ref().map(|url| url.as_str()),
    })
}
