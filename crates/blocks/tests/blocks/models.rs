//! Blocks that put language models to work, against a server of models of our own.

mod orchestrator;
mod structured;
mod texts;

use crate::common::in_a_run;
use crate::models_mock::{Mock, Reply};
use async_trait::async_trait;
use heddle_blocks::credentials::{Credential, Credentials, Material, Reference};
use heddle_blocks::{Ports, Registry};
use heddle_engine::ports::{Blocks, Call, Called, Context, Failure, Sink};
use heddle_engine::tool::Tool;
use heddle_model::{Catalogue, Usage, Value};
use heddle_outbound::{Client, Options, Policy};
use heddle_vault::Secret;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;

pub const TEXT: &str = "1f292d4a-41a4-4977-9684-7c8d560b9f91";
pub const STRUCTURED: &str = "ed55ac19-356e-4243-a6cb-bc599e9b716f";
pub const ORCHESTRATOR: &str = heddle_model::block::SMART_DECISION_MAKER;

/// Every reference opens; all providers are the mock.
struct Everything(url::Url);

#[async_trait]
impl Credentials for Everything {
    async fn open(&self, reference: &Reference, _: &Context) -> Result<Credential, Failure> {
        Ok(Credential {
            id: reference.id.clone(),
            provider: reference.provider.clone(),
            title: None,
            material: Material::ApiKey { key: Secret::new("sk-hunter2".to_owned()) },
            base_url: Some(self.0.clone()),
        })
    }
}

/// The blocks, and the models that they ask.
pub struct Bed {
    pub mock: Mock,
    registry: Arc<Registry>,
}

/// What came of an execution.
#[derive(Default)]
pub struct Trial {
    pub outputs: Vec<(String, Value)>,
    /// Why it failed.
    pub failure: Option<String>,
    pub notes: Vec<Value>,
    pub usage: Usage,
    /// What tools were called.
    pub calls: Vec<Call>,
    /// What an earlier attempt has noted.
    recalls: VecDeque<Value>,
    tools: Arc<[Tool]>,
    ends: VecDeque<Called>,
}

#[async_trait]
impl Sink for Trial {
    async fn emit(&mut self, pin: &str, value: Value) {
        self.outputs.push((pin.to_owned(), value));
    }

    fn recall(&mut self) -> Option<Value> {
        self.recalls.pop_front()
    }

    async fn note(&mut self, note: Option<Value>, usage: Usage) {
        self.notes.extend(note);
        self.usage.add(&usage);
    }

    fn tools(&self) -> Arc<[Tool]> {
        Arc::clone(&self.tools)
    }

    async fn call(&mut self, calls: Vec<Call>) -> Vec<Called> {
        let ends = calls.iter().map(|_| self.ends.pop_front().expect("the test says how each tool ends")).collect();
        self.calls.extend(calls);
        ends
    }
}

impl Trial {
    /// One that has tools, which end like this.
    pub fn with(tools: Vec<Tool>, ends: Vec<Called>) -> Self {
        Self { tools: tools.into(), ends: ends.into(), ..Self::default() }
    }

    /// One after a crash.
    pub fn again(self, notes: Vec<Value>) -> Self {
        Self { recalls: notes.into(), ..self }
    }

    /// What came out of a pin, once.
    pub fn out(&self, pin: &str) -> &Value {
        let mut values = self.outputs.iter().filter(|(name, _)| name == pin).map(|(_, value)| value);
        let value = values.next().unwrap_or_else(|| panic!("nothing on {pin}: {:?} {:?}", self.outputs, self.failure));
        assert_eq!(values.next(), None, "{pin}");
        value
    }

    pub fn pins(&self) -> Vec<&str> {
        self.outputs.iter().map(|(pin, _)| pin.as_str()).collect()
    }
}

impl Bed {
    pub async fn new(replies: Vec<Reply>) -> Self {
        Self::at(Mock::start(replies).await)
    }

    pub fn at(mock: Mock) -> Self {
        let allow = mock.address.to_string().parse().expect("an entry");
        let client = Client::new(Options { policy: Policy::new(vec![allow]), ..Options::default() });
        let credentials = Arc::new(Everything(mock.url().parse().expect("a URL"))) as Arc<dyn Credentials>;
        let ports = Ports { outbound: Some(client), credentials: Some(credentials), ..Ports::default() };
        Self { mock, registry: Registry::new(ports) }
    }

    /// Runs a block with OpenAI's newest general model.
    pub async fn run(&self, block: &str, input: Value) -> Trial {
        self.run_as("openai", block, input).await
    }

    /// Runs a block with a credential of this provider.
    pub async fn run_as(&self, provider: &str, block: &str, input: Value) -> Trial {
        self.carry(Trial::default(), provider, block, input).await
    }

    /// Carries a trial out.
    pub async fn carry(&self, mut trial: Trial, provider: &str, block: &str, input: Value) -> Trial {
        let mut input = input.as_object().cloned().expect("an object");
        input.entry("credentials").or_insert(json!({"id": "1", "provider": provider, "type": "api_key"}));
        let facts = self.registry.block(&block.into()).expect("the block is known");
        let ended = self.registry.run(facts, Arc::new(input), in_a_run(), &mut trial).await;
        trial.failure = ended.err().map(|failure| failure.to_string());
        trial
    }

    /// What the models were asked.
    pub fn asked(&self) -> Vec<Value> {
        self.mock.asked()
    }
}
