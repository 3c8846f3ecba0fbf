//! Every served block, fed what its schema allows and some that it does not: none panics, none makes far more than it
//! was given, and what is emitted fits the declaration. The judge of that is a validator of its own.
//!
//! `BLOCK_FUZZ` says how many inputs each block gets, `BLOCK_FUZZ_SEED` where to begin.

use crate::common::{Collected, Memory, in_a_run, outside_a_run};
use crate::mock::{Mock, answer};
use futures::FutureExt;
use heddle_blocks::{Ports, Registry};
use heddle_engine::bounds;
use heddle_engine::ports::{Blocks, Failure};
use heddle_model::{BlockFacts, Object, UiType, Value};
use heddle_outbound::{Client, Limits, Options, Policy};
use jsonschema::{Draft, Validator};
use serde_json::json;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Inputs for every block unless somebody asks for more.
const INPUTS: u64 = 25;
/// Bytes that one value, and all of one execution, may have: what the inputs have, many times over.
const VALUE: usize = 160 * 1024 * 1024;
/// Seconds that one execution may take; the timer's clock is not this one.
const PATIENCE: u64 = 20;
/// Blocks that may emit what their own pin does not allow, because upstream says so: a power can be complex.
const UNFIT: [&str; 1] = ["CalculatorBlock"];

/// Makes values. SplitMix64, so that a seed says everything.
struct Maker(u64);

impl Maker {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound.max(1) as u128) >> 64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A value for a schema; now and then one that ignores it.
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if self.chance(3) {
            return self.anything(depth);
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        for list in ["enum", "anyOf", "oneOf", "allOf"] {
            if let Some(choices) = schema.get(list).and_then(Value::as_array).filter(|choices| !choices.is_empty()) {
                let choice = self.pick(choices).clone();
                return if list == "enum" { choice } else { self.value(&choice, depth) };
            }
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => self.text(schema.get("format").and_then(Value::as_str)),
            Some("integer") => self.integer(schema),
            Some("number") => self.number(),
            Some("boolean") => self.chance(50).into(),
            Some("null") => Value::Null,
            Some("array") => self.array(schema, depth),
            Some("object") => Value::Object(self.object(schema, depth)),
            _ => self.anything(depth),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Object {
        let mut object = Object::new();
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let chance = if required.contains(&name.as_str()) { 97 } else { 50 };
            if self.chance(chance) {
                object.insert(name.clone(), self.value(member, depth + 1));
            }
        }
        let free = !schema["additionalProperties"].is_null() || schema.get("properties").is_none();
        if free && depth < 4 {
            for _ in 0..self.below(4) {
                let name = self.text(None).as_str().expect("a text").chars().take(20).collect();
                object.insert(name, self.value(&schema["additionalProperties"], depth + 1));
            }
        }
        object
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let count = if self.chance(3) && depth < 2 { 2000 } else { self.below(5) };
        let items = &schema["items"];
        if depth > 4 { json!([]) } else { (0..count).map(|_| self.value(items, depth + 1)).collect() }
    }

    fn anything(&mut self, depth: usize) -> Value {
        match self.below(if depth > 3 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => self.chance(50).into(),
            2 => self.integer(&Value::Null),
            3 => self.number(),
            4 => self.text(None),
            5 => self.array(&Value::Null, depth + 1),
            _ => Value::Object(self.object(&Value::Null, depth + 1)),
        }
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let number = *self.pick(&[0, 1, -1, 2, 3, 7, 60, 1000, 65_536, -500, i64::MAX, i64::MIN, 1 << 53]);
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        let number = number.max(bound("minimum").unwrap_or(i64::MIN)).min(bound("maximum").unwrap_or(i64::MAX));
        if self.chance(5) { json!(number as f64) } else { json!(number) }
    }

    fn number(&mut self) -> Value {
        json!(*self.pick(&[0.0, -0.0, 0.5, 1.0, -2.5, 1e15, 1e308, -1e308, 5e-324, 1e300, 3.0]))
    }

    fn text(&mut self, format: Option<&str>) -> Value {
        if self.chance(10) {
            return self.repeated().into();
        }
        match format {
            Some("date") => (*self.pick(&["2026-02-03", "9999-12-31", "0001-01-01", "2026-02-30", ""])).into(),
            Some("time") => (*self.pick(&["10:30", "23:59:59.999", "24:00", "10:30+25:00", ""])).into(),
            Some("file") => (*self.pick(&FILES)).into(),
            _ if self.chance(50) => (*self.pick(&TEXTS)).into(),
            _ => (0..self.below(40)).map(|_| *self.pick(&CHARACTERS)).collect::<String>().into(),
        }
    }

    /// What ends programs that recurse, remember or multiply.
    fn repeated(&mut self) -> String {
        let piece =
            *self.pick(&["[", "{\"a\":", "<a>", "((", "\\", "{{", "a", "漢", "\n", ",", "\"", "```js\n", "{% if 1 %}"]);
        piece.repeat(*self.pick(&[10, 200, 3000]))
    }
}

const CHARACTERS: [char; 24] = [
    'a',
    'Z',
    '0',
    '9',
    ' ',
    '\n',
    '\r',
    '\t',
    '"',
    '\'',
    '\\',
    '{',
    '}',
    '[',
    ']',
    '<',
    '>',
    '%',
    '#',
    ',',
    '.',
    'é',
    '漢',
    '\u{1f600}',
];

const TEXTS: [&str; 30] = [
    "",
    "a",
    " true ",
    "1",
    "-0.5e3",
    "nan",
    "inf",
    "null",
    "[1, \"two\", {\"a\": null}]",
    "{\"a\": {\"b\": [1.0]}}",
    "{\"a\":",
    "(a+)+$",
    "(?P<n>x)(?P=n)",
    "(?<=a)b|[",
    "\\d{1,3}",
    "{{ a }} {% for x in range(9) %}{{ x }}{% endfor %}",
    "{{ a.b.c }}{{ 2 ** 1000 }}",
    "{% raw %}",
    "<a><b>1</b><b>2</b></a>",
    "<a></b>",
    "```python\nprint(1)\n```\n```\nx\n```",
    "a,b\n1,\"2\n\",3\n\n",
    "\\x41\\u00e9\\777\\q\\",
    "%Y-%m-%d %H:%M:%S %f %z %Z %j %% %Q",
    "Europe/Oslo",
    "https://example.org/a?b=c#d",
    "e\u{301}\u{200d}\u{feff}",
    "agent#global#key",
    "Add",
    "==",
];

const FILES: [&str; 8] = [
    "data:text/plain;base64,aGVsbG8KdHdvCg==",
    "data:text/csv;base64,YSxiCjEsMgo=",
    "data:application/octet-stream;base64,/////w==",
    "data:application/vnd.ms-excel;base64,UEsDBAAAAAA=",
    "data:text/plain;base64,",
    "data:text/plain,plain",
    "https://example.org/a.png",
    "",
];

/// Which answers the server gives, in turn.
fn answers() -> Vec<String> {
    vec![
        answer(200, "content-type: application/json\r\n", r#"{"extract": "It is."}"#),
        answer(200, "content-type: application/json\r\n", "{"),
        answer(404, "content-type: text/html\r\n", "<html>"),
        answer(200, "", "<rss version='2.0'><channel><item><title>T</title></item></channel></rss>"),
    ]
}

struct Fuzz {
    registry: Arc<Registry>,
    /// Where the blocks that ask a server are sent.
    url: Option<String>,
    maker: Maker,
}

impl Fuzz {
    fn input(&mut self, block: &BlockFacts) -> Object {
        let mut input = self.maker.object(&block.input_schema, 0);
        if let Some(url) = &self.url {
            for pin in ["url", "rss_url"] {
                if input.contains_key(pin) && self.maker.chance(80) {
                    input.insert(pin.to_owned(), url.clone().into());
                }
            }
            // Else it goes on for ever.
            if block.input_pins().contains_key("run_continuously") {
                input.insert("run_continuously".to_owned(), false.into());
            }
        }
        input
    }

    /// What is wrong about one execution.
    async fn one(&mut self, block: &Arc<BlockFacts>, validator: &Validator) -> Result<(), String> {
        let input = self.input(block);
        let shown = || json!(input).to_string().chars().take(2000).collect::<String>();
        let cx = if self.maker.chance(80) { in_a_run() } else { outside_a_run() };
        let mut sink = Collected::default();
        let run = self.registry.run(block.clone(), Arc::new(input.clone()), cx, &mut sink);
        let begun = std::time::Instant::now();
        let ended = AssertUnwindSafe(run).catch_unwind().await.map_err(|_| format!("panics with {}", shown()))?;
        if begun.elapsed() > Duration::from_secs(PATIENCE) {
            return Err(format!("took {:?} with {}", begun.elapsed(), shown()));
        }
        if let Err(Failure::Output(text)) = &ended
            && !UNFIT.contains(&block.name.as_str())
        {
            return Err(format!("{text} with {}", shown()));
        }
        let total: usize = sink.0.iter().map(|(_, value)| bounds::size(value)).sum();
        if total > 2 * VALUE || sink.0.iter().any(|(_, value)| bounds::size(value) > VALUE) {
            return Err(format!("emits {total} bytes with {}", shown()));
        }
        for (pin, value) in sink.0 {
            let is_known = block.output_pins().contains_key(&pin) && pin != "error";
            // What JSON has no number for is null.
            let fits = value.is_null() || validator.is_valid(&json!({ pin.as_str(): value }));
            if block.ui_type == UiType::Standard && !(is_known && fits) {
                return Err(format!("emits {value} on {pin} with {}", shown()));
            }
        }
        Ok(())
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// Each pin on its own: an execution need not emit all of them.
fn validator(block: &BlockFacts) -> Validator {
    let mut schema = block.output_schema.clone();
    schema.as_object_mut().expect("a schema").shift_remove("required");
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(false);
    options.offline().build(&schema).expect("a sound schema")
}

async fn fuzz(registry: Arc<Registry>, url: Option<String>) {
    let (inputs, seed) = (number("BLOCK_FUZZ", INPUTS), number("BLOCK_FUZZ_SEED", 1));
    let mut wrong = Vec::new();
    let blocks: Vec<_> = registry.served().collect();
    for (place, block) in blocks.iter().enumerate() {
        let asks = registry
            .provider(block, &Object::from_iter([("url".to_owned(), json!("x")), ("rss_url".to_owned(), json!("x"))]));
        if asks.is_some() != url.is_some() {
            continue;
        }
        let validator = validator(block);
        for number in 0..inputs {
            let seed = seed.wrapping_add(number) << 16 | place as u64;
            let mut fuzz = Fuzz { registry: registry.clone(), url: url.clone(), maker: Maker(seed) };
            if let Err(text) = fuzz.one(block, &validator).await {
                wrong.push(format!("{} (seed {seed}): {text}", block.name));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Time stands still, so timers end at once.
#[tokio::test(start_paused = true)]
async fn whatever_a_block_is_fed_it_stays_within_its_declaration() {
    fuzz(Registry::new(Ports { storage: Some(Arc::new(Memory::default())), ..Ports::default() }), None).await;
}

#[tokio::test]
async fn whatever_a_block_that_asks_is_fed_it_stays_within_its_declaration() {
    let mock = Mock::start((0..500).flat_map(|_| answers()).collect()).await;
    let policy = Policy::new(vec![mock.address.to_string().parse().expect("an entry")]);
    let limits = Limits { read: Duration::from_millis(500), ..Limits::default() };
    let connect = Duration::from_millis(500);
    let client = Client::new(Options { policy, limits, connect, resolver: Arc::new(Nowhere), ..Options::default() });
    let bases = [("wikipedia".to_owned(), mock.url("/api"))].into_iter().collect();
    fuzz(Registry::new(Ports { outbound: Some(client), bases, ..Ports::default() }), Some(mock.url("/"))).await;
}

/// Knows no name.
struct Nowhere;

#[async_trait::async_trait]
impl heddle_outbound::Resolve for Nowhere {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        Ok(Vec::new())
    }
}
