//! What makes a graph acceptable: when it is saved, and again, more strictly, when it is run (`engine.md` 4 and 5).
//!
//! Pure checks with the texts of the wire. Who may save or run what, and where credentials are kept, is not known
//! here; the caller brings a lookup.

mod fields;
mod run;
mod structure;
mod view;

pub use run::{Credential, Lookup, RunRefusal, Skips, run_check, starting_nodes};

use crate::{Catalogue, Graph, Object};
use view::View;

/// Why a graph is not saved, as the client reads it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Checks one graph (main or sub) for saving: structure first, then the nodes' fields; the first problem counts.
pub fn check_saved(graph: &Graph, catalogue: &dyn Catalogue) -> Result<(), Refusal> {
    let view = View::new(graph, catalogue);
    structure::check(&view).map_err(Refusal)?;
    let issues = fields::check(&view, &fields::Rules { for_run: false, masks: &Object::new() }).map_err(Refusal)?;
    match issues.into_values().next().and_then(|fields| fields.into_values().next()) {
        Some(text) => Err(Refusal(text)),
        None => Ok(()),
    }
}

/// Makes every link that leaves a block with static output a static one.
pub fn force_static(graph: &mut Graph, catalogue: &dyn Catalogue) {
    let is_static = |block_id| catalogue.block(block_id).is_some_and(|block| block.static_output);
    let sources: std::collections::HashSet<_> =
        graph.nodes.iter().filter(|node| is_static(&node.block_id)).map(|node| &node.id).collect();
    for link in &mut graph.links {
        link.is_static |= sources.contains(&link.source_id);
    }
}

#[cfg(test)]
mod tests;
