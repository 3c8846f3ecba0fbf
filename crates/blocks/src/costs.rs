//! What executions cost by the catalogue: derived data, unpacked when a block's facts are first asked for.

use heddle_model::{Cost, Value};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!("../data/costs.json.zst");

/// The ids that prices give the host's own credentials, by provider: only who works with one of those pays.
pub fn host_credentials() -> BTreeMap<String, String> {
    let named = |cost: &Cost| {
        let credentials = cost.filter.get("credentials")?;
        let text = |object: &Value, name: &str| object.get(name)?.as_str().map(str::to_owned);
        // Some name a model and no provider.
        let of_model = || heddle_llm::find(cost.filter.get("model")?.as_str()?).map(|model| model.provider.to_string());
        Some((text(credentials, "provider").or_else(of_model)?, text(credentials, "id")?))
    };
    let costs = costs();
    costs.shared.iter().chain(costs.blocks.values().flatten().flatten()).filter_map(named).collect()
}

#[derive(Deserialize)]
struct Costs {
    /// The prices of the blocks that call a language model.
    shared: Vec<Cost>,
    /// By block id; `None` for the shared ones.
    blocks: HashMap<String, Option<Vec<Cost>>>,
}

/// Whether a block's prices are those of the model that it asks.
pub(crate) fn is_by_model(id: &str) -> bool {
    costs().blocks.get(id).is_some_and(Option::is_none)
}

/// The prices of a block; none where it is free.
pub(crate) fn of(id: &str) -> Vec<Cost> {
    let costs = costs();
    match costs.blocks.get(id) {
        Some(own) => own.as_ref().unwrap_or(&costs.shared).clone(),
        None => Vec::new(),
    }
}

fn costs() -> &'static Costs {
    static COSTS: OnceLock<Costs> = OnceLock::new();
    COSTS.get_or_init(|| {
        let bytes = zstd::decode_all(PACKED).expect("the embedded prices are whole");
        serde_json::from_slice(&bytes).expect("the embedded prices are well-formed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_model::block::SMART_DECISION_MAKER;
    use heddle_model::cost::{Kind, price};
    use serde_json::json;

    const POST_TO_X: &str = "9e8f844e-b4a5-4b25-80f2-9e1dd7d67625";

    #[test]
    fn prices_are_those_of_the_catalogue() {
        assert_eq!(of(POST_TO_X).iter().map(|cost| cost.amount).collect::<Vec<_>>(), [5, 2]);
        assert!(of(heddle_model::block::AGENT_EXECUTOR).is_empty());
        let models = of(SMART_DECISION_MAKER);
        let input = json!({
            "model": "claude-haiku-4-5-20251001",
            "credentials": {"id": "24e5d942-d9e3-4798-8151-90143ee55629", "provider": "anthropic", "type": "api_key"},
        });
        let input = input.as_object().expect("an object");
        let found = price(&models, &heddle_model::Object::new(), input).expect("a price");
        assert_eq!((found.kind, found.amount), (Kind::Tokens, 4));
        assert_eq!(found.rate.as_ref().map(|rate| (rate.input, rate.output)), Some((1.0, 5.0)));
    }

    #[test]
    fn every_credential_that_a_price_names_is_some_providers() {
        let known: Vec<String> = host_credentials().into_values().collect();
        let costs = costs();
        for cost in costs.shared.iter().chain(costs.blocks.values().flatten().flatten()) {
            let id = cost.filter.get("credentials").and_then(|credentials| credentials.get("id"));
            assert!(id.is_none_or(|id| known.iter().any(|known| id == known)), "{cost:?}");
        }
        assert_eq!(host_credentials().get("groq").map(String::as_str), Some("4ec22295-8f97-4dd1-b42b-2c6957a02545"));
    }

    /// The packed file against the catalogue it was made from.
    #[test]
    fn the_packed_prices_are_up_to_date() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/blocks");
        let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).ok();
        let Some((blocks, shared)) = read("catalogue.json").zip(read("llm_costs.json")) else {
            println!("skipped: 1 (needs ../shared)");
            return;
        };
        let blocks: Vec<Value> = serde_json::from_str(&blocks).expect("the catalogue is JSON");
        let shared: Vec<Cost> = serde_json::from_str(&shared).expect("the shared prices are JSON");
        let mut priced = 0;
        for block in blocks.iter().filter(|block| block["source"] != "fork-only") {
            let wanted = match &block["costs"] {
                Value::Array(own) => {
                    own.iter().map(|cost| serde_json::from_value(cost.clone()).expect("a price")).collect()
                }
                Value::Object(_) => shared.clone(),
                _ => Vec::new(),
            };
            let kept = of(block["id"].as_str().expect("an id"));
            priced += usize::from(!kept.is_empty());
            assert_eq!(kept, wanted, "{}", block["name"]);
        }
        assert!(priced > 50, "{priced}");
    }
}
