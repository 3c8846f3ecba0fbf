//! Blocks in the list, and what one emitted.

use heddle_model::{BlockFacts, Value};
use heddle_platform::Blocks;
use serde::Serialize;
use utoipa::ToSchema;

/// A block that can be used. Its members are in camel case, as clients know them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Block<'a> {
    /// Id.
    id: &'a str,
    /// Class name.
    name: &'a str,
    /// JSON Schema of the inputs.
    #[schema(value_type = Object)]
    input_schema: &'a Value,
    /// JSON Schema of the outputs.
    #[schema(value_type = Object)]
    output_schema: &'a Value,
    /// What it does.
    description: &'a str,
    /// What it is for.
    categories: Vec<Category<'a>>,
    /// Who made it.
    contributors: [Contributor; 0],
    /// Links leaving it keep their last value.
    static_output: bool,
    /// How it takes part in a graph.
    ui_type: &'static str,
}

/// A category of blocks.
#[derive(Serialize, ToSchema)]
pub struct Category<'a> {
    category: &'a str,
    description: &'static str,
}

/// Somebody who made a block.
#[derive(Serialize, ToSchema)]
struct Contributor {
    name: String,
}

impl<'a> Block<'a> {
    /// A block as listed.
    pub fn of(facts: &'a BlockFacts, blocks: &Blocks) -> Self {
        let category = |name: &'a String| Category { category: name, description: blocks.category_description(name) };
        Self {
            id: facts.id.as_str(),
            name: &facts.name,
            input_schema: &facts.input_schema,
            output_schema: &facts.output_schema,
            description: &facts.description,
            categories: facts.categories.iter().map(category).collect(),
            contributors: [],
            static_output: facts.static_output,
            ui_type: facts.ui_type.as_str(),
        }
    }
}

/// Output name → every value emitted under it, in order.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::BTreeMap<String, Vec<Value>>)]
pub struct BlockOutputs(#[serde(serialize_with = "super::as_object")] pub Vec<(String, Vec<Value>)>);
