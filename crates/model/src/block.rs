//! What is known about a block without running it: identity, pins, flags.

use crate::{BlockId, Cost, Object, Value};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// How a block takes part in a graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum UiType {
    Standard,
    Input,
    Output,
    Note,
    Webhook,
    #[serde(rename = "Webhook (manual)")]
    WebhookManual,
    Agent,
    #[serde(rename = "AI")]
    Ai,
    Ayrshare,
    #[serde(rename = "Human In The Loop")]
    HumanInTheLoop,
    #[serde(rename = "MCP Tool")]
    McpTool,
}

impl UiType {
    /// Whether graphs that hold such a block are started by an outside event.
    pub fn is_trigger(self) -> bool {
        matches!(self, Self::Webhook | Self::WebhookManual)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Input => "Input",
            Self::Output => "Output",
            Self::Note => "Note",
            Self::Webhook => "Webhook",
            Self::WebhookManual => "Webhook (manual)",
            Self::Agent => "Agent",
            Self::Ai => "AI",
            Self::Ayrshare => "Ayrshare",
            Self::HumanInTheLoop => "Human In The Loop",
            Self::McpTool => "MCP Tool",
        }
    }
}

/// What a credentials pin accepts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CredentialsFacts {
    /// Provider names, e.g. `openai`.
    pub providers: Vec<String>,
    /// `api_key`, `oauth2`, `user_password`, `host_scoped`.
    pub types: Vec<String>,
    /// OAuth scopes needed.
    pub scopes: Vec<String>,
    /// Sibling pin whose value picks the provider.
    pub discriminator: Option<String>,
    /// Whether the pin must be filled.
    pub required: bool,
    /// Comes with a picker value instead of standing by itself.
    pub auto: bool,
    /// Providers beyond those of the wire whose credentials fit as well: servers of one's own.
    #[serde(skip)]
    pub also: Vec<String>,
}

/// One block of the catalogue.
#[derive(Debug)]
pub struct BlockFacts {
    /// Catalogue id.
    pub id: BlockId,
    /// Class name, e.g. `FillTextTemplateBlock`.
    pub name: String,
    /// Our own words; empty for blocks that are not served.
    pub description: String,
    /// Upper-case category names.
    pub categories: Vec<String>,
    /// How it takes part in a graph.
    pub ui_type: UiType,
    /// Links leaving it keep their last value.
    pub static_output: bool,
    /// Known, but may be used by nobody.
    pub disabled: bool,
    /// Pauses for a person when the account asks for that.
    pub sensitive: bool,
    /// Whether this build can run it; otherwise it can only be stored and read.
    pub served: bool,
    /// Seconds one execution may take; `None` = without end.
    pub time_limit: Option<u64>,
    /// Credentials pins by name.
    pub credentials: IndexMap<String, CredentialsFacts>,
    /// What an execution costs; none of them where it is free.
    pub costs: Vec<Cost>,
    /// JSON Schema of the input, as on the wire.
    pub input_schema: Value,
    /// JSON Schema of the output, as on the wire.
    pub output_schema: Value,
    /// The compiled input schema, made at first use.
    pub input: OnceLock<crate::schema::Compiled>,
    /// The compiled output schema, made at first use.
    pub output: OnceLock<crate::schema::Compiled>,
}

impl BlockFacts {
    /// Schemas of the input pins by name.
    pub fn input_pins(&self) -> &Object {
        properties(&self.input_schema)
    }

    /// Schemas of the output pins by name.
    pub fn output_pins(&self) -> &Object {
        properties(&self.output_schema)
    }

    /// Names of the input pins that must be filled.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        required(&self.input_schema)
    }

    /// The input schema, compiled once, as values are checked against it: see [`Self::checked_input`].
    pub fn compiled_input(&self) -> &crate::schema::Compiled {
        self.input.get_or_init(|| crate::schema::Compiled::new(&self.checked_input()))
    }

    /// The input schema as values are checked against it. Which provider goes with which discriminator value (a model,
    /// mostly) is for the block to say: the wire's lists know neither names that have left the catalogue, whose successors
    /// are taken, nor those of servers of one's own.
    pub fn checked_input(&self) -> Cow<'_, Value> {
        let discriminated = self.credentials.iter().filter_map(|(pin, facts)| {
            let mapped = self.input_pins().get(pin)?.get("discriminator_mapping").is_some();
            Some((pin, facts.discriminator.as_deref().filter(|_| mapped)?))
        });
        let mut schema = Cow::Borrowed(&self.input_schema);
        for (pin, discriminator) in discriminated {
            let schema = schema.to_mut();
            for list in [format!("/properties/{discriminator}"), format!("/properties/{pin}/properties/provider")] {
                if let Some(members) = schema.pointer_mut(&list).and_then(Value::as_object_mut) {
                    members.shift_remove("enum");
                    members.shift_remove("const");
                }
            }
        }
        schema
    }

    /// The output schema, compiled once.
    pub fn compiled_output(&self) -> &crate::schema::Compiled {
        self.output.get_or_init(|| crate::schema::Compiled::new(&self.output_schema))
    }

    /// An agent input whose values reach the run through its name.
    pub fn is_input(&self) -> bool {
        self.ui_type == UiType::Input
    }
}

/// Whether a pin of this name takes a credential (`engine.md` 3).
pub fn is_credentials_pin(name: &str) -> bool {
    name == "credentials" || name.ends_with("_credentials")
}

/// The `properties` of an object schema; empty when it has none.
pub fn properties(schema: &Value) -> &Object {
    static NONE: OnceLock<Object> = OnceLock::new();
    schema.get("properties").and_then(Value::as_object).unwrap_or_else(|| NONE.get_or_init(Object::new))
}

/// The `required` names of an object schema.
pub fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Every block there is, served or not.
pub trait Catalogue: Send + Sync {
    /// The block of exactly this id.
    fn block(&self, id: &BlockId) -> Option<Arc<BlockFacts>>;
}

/// The block that runs another agent.
pub const AGENT_EXECUTOR: &str = "e189baac-8c20-45a1-94a7-55177ea42565";
/// The block that asks a person.
pub const HUMAN_IN_THE_LOOP: &str = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d";
/// The block that lets a model choose among linked tools.
pub const SMART_DECISION_MAKER: &str = "3b191d9f-356f-482d-8238-ba04b6d18381";
/// The dropdown input, whose options become an enum.
pub const DROPDOWN_INPUT: &str = "655d6fdf-a334-421c-b733-520549c07cd1";
/// The table input, whose columns become an items schema.
pub const TABLE_INPUT: &str = "5603b273-f41e-4020-af7d-fbc9c6a8d928";
/// The block that waits.
pub const COUNTDOWN_TIMER: &str = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71";
