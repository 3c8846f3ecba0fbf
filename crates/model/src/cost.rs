//! What an execution of a block costs, in credits (`engine.md` 16; one credit is a US cent).
//!
//! A block has a list of prices; the first one whose filter fits the input counts. A price by run is known before the
//! block runs, every other kind only afterwards, from what the execution has used.

use crate::{Object, Usage, Value};
use serde::Deserialize;
use std::time::Duration;

/// Credits for a US dollar of a provider's price.
const CREDITS_A_DOLLAR: f64 = 150.0;

/// One price of a block.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Credits for one unit.
    #[serde(rename = "cost_amount")]
    pub amount: u64,
    /// What the unit is.
    #[serde(rename = "cost_type")]
    pub kind: Kind,
    /// What the input has to be for this price to count.
    #[serde(rename = "cost_filter", default)]
    pub filter: Object,
    /// How many seconds or items are one unit.
    #[serde(rename = "cost_divisor", default = "one")]
    pub divisor: u64,
    /// What tokens cost, for prices by token; without it a call costs `amount`.
    #[serde(rename = "token_rate", default)]
    pub rate: Option<Rate>,
}

fn one() -> u64 {
    1
}

/// What a price counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Executions.
    Run,
    /// Bytes of the input's JSON.
    Byte,
    /// Seconds that it took.
    Second,
    /// Things that it brought.
    Items,
    /// Dollars that the provider asks.
    CostUsd,
    /// A model's tokens.
    Tokens,
}

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Of what was sent.
    #[serde(rename = "input_usd_per_1m")]
    pub input: f64,
    /// Of what came back.
    #[serde(rename = "output_usd_per_1m")]
    pub output: f64,
    /// Of what the provider knew already; as other input where there is no price.
    #[serde(rename = "cache_read_usd_per_1m", default)]
    pub cache_read: Option<f64>,
    /// Of what the provider was to remember; as other input where there is no price.
    #[serde(rename = "cache_creation_usd_per_1m", default)]
    pub cache_creation: Option<f64>,
}

/// The price that counts for an input; `pins` are the schemas of the block's pins, whose defaults stand for what is
/// absent.
pub fn price<'a>(costs: &'a [Cost], pins: &Object, input: &Object) -> Option<&'a Cost> {
    price_of(costs, pins, |pin| input.get(pin))
}

/// The same for pins that are looked up.
pub fn price_of<'a, 'v>(
    costs: &'a [Cost],
    pins: &'v Object,
    given: impl Fn(&str) -> Option<&'v Value>,
) -> Option<&'a Cost> {
    costs.iter().find(|cost| {
        cost.filter.iter().all(|(pin, wanted)| {
            let default = || pins.get(pin).and_then(|schema| schema.get("default"));
            fits(wanted, given(pin).or_else(default))
        })
    })
}

/// Whether a value has all that a filter names. What is absent, null, empty, nought or false is all the same.
fn fits(wanted: &Value, given: Option<&Value>) -> bool {
    match (wanted, given) {
        (wanted, given) if is_empty(wanted) => given.is_none_or(is_empty),
        (Value::Object(wanted), Some(Value::Object(given))) => {
            wanted.iter().all(|(name, wanted)| fits(wanted, given.get(name)))
        }
        (wanted, given) => given == Some(wanted),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

impl Cost {
    /// What is due before the block runs.
    pub fn before(&self) -> u64 {
        if self.kind == Kind::Run { self.amount } else { 0 }
    }

    /// What is due besides once the block has run: for how long, on how many bytes of input, and with what use.
    pub fn after(&self, took: Duration, bytes: usize, usage: &Usage) -> u64 {
        match self.kind {
            Kind::Run => 0,
            Kind::Byte => self.amount * bytes as u64,
            Kind::Second => self.amount * whole(took.as_secs_f64() / self.divisor.max(1) as f64),
            Kind::Items => self.amount * usage.items.div_ceil(self.divisor.max(1)),
            Kind::CostUsd => whole(usage.usd.unwrap_or(0.0) * self.amount as f64),
            Kind::Tokens => match &self.rate {
                Some(rate) => whole(rate.dollars(usage) * CREDITS_A_DOLLAR),
                None => self.amount * usage.calls.min(1),
            },
        }
    }
}

impl Rate {
    fn dollars(&self, usage: &Usage) -> f64 {
        let parts = [
            (usage.input_tokens, self.input),
            (usage.output_tokens, self.output),
            (usage.cache_read_tokens, self.cache_read.unwrap_or(self.input)),
            (usage.cache_creation_tokens, self.cache_creation.unwrap_or(self.input)),
        ];
        parts.iter().map(|(tokens, rate)| *tokens as f64 * rate).sum::<f64>() / 1e6
    }
}

/// The next whole number. What is above one only by the last digits of a float is that one: a price such as 0.1 has no
/// exact float.
fn whole(number: f64) -> u64 {
    (number - 1e-9).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn costs(list: Value) -> Vec<Cost> {
        serde_json::from_value(list).unwrap()
    }

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_first_price_that_fits_counts() {
        let key = json!({"id": "7", "provider": "p", "type": "api_key"});
        let costs = costs(json!([
            {"cost_amount": 9, "cost_type": "run", "cost_filter": {"model": "m", "credentials": key}},
            {"cost_amount": 5, "cost_type": "run", "cost_filter": {"is_video": true}},
            {"cost_amount": 2, "cost_type": "run", "cost_filter": {"is_video": false}},
        ]));
        let pins = object(json!({"model": {"default": "m"}}));
        let price = |input: Value| price(&costs, &pins, &object(input)).map(Cost::before);
        let held = json!({"id": "7", "provider": "p", "type": "api_key", "title": "mine"});
        assert_eq!(price(json!({"model": "m", "credentials": held})), Some(9));
        assert_eq!(price(json!({"credentials": held})), Some(9), "the pin's default");
        assert_eq!(price(json!({"model": "n", "credentials": held, "is_video": true})), Some(5));
        assert_eq!(price(json!({"credentials": {"id": "8", "provider": "p", "type": "api_key"}})), Some(2));
        for empty in [json!({}), json!({"is_video": null}), json!({"is_video": false}), json!({"is_video": ""})] {
            assert_eq!(price(empty.clone()), Some(2), "{empty}");
        }
        assert_eq!(price(json!({"is_video": 1})), None);
    }

    #[test]
    fn what_is_known_afterwards_is_due_afterwards() {
        let usage =
            Usage { calls: 3, input_tokens: 1_000, output_tokens: 500, items: 5, usd: Some(0.021), ..Usage::default() };
        let due = |cost: Value| {
            let cost: Cost = serde_json::from_value(cost).unwrap();
            (cost.before(), cost.after(Duration::from_millis(20_001), 40, &usage))
        };
        assert_eq!(due(json!({"cost_amount": 3, "cost_type": "run"})), (3, 0));
        assert_eq!(due(json!({"cost_amount": 2, "cost_type": "byte"})), (0, 80));
        assert_eq!(due(json!({"cost_amount": 2, "cost_type": "second", "cost_divisor": 10})), (0, 6));
        assert_eq!(due(json!({"cost_amount": 1, "cost_type": "items", "cost_divisor": 2})), (0, 3));
        assert_eq!(due(json!({"cost_amount": 150, "cost_type": "cost_usd"})), (0, 4));
        // 0.001 × 3 + 0.0005 × 15 dollars.
        let rate = json!({"input_usd_per_1m": 3.0, "output_usd_per_1m": 15.0});
        assert_eq!(due(json!({"cost_amount": 9, "cost_type": "tokens", "token_rate": rate})), (0, 2));
        assert_eq!(due(json!({"cost_amount": 9, "cost_type": "tokens", "token_rate": null})), (0, 9));
    }

    #[test]
    fn a_price_that_is_whole_is_not_rounded_up() {
        let cost: Cost = serde_json::from_value(json!({"cost_amount": 150, "cost_type": "cost_usd"})).unwrap();
        let due = |usd| cost.after(Duration::ZERO, 0, &Usage { usd: Some(usd), ..Usage::default() });
        assert_eq!((due(0.0), due(0.1), due(0.14), due(0.2)), (0, 15, 21, 30));
    }
}
