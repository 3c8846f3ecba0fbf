//! One block's talk with a model: who is asked, with which credential, and what that took.

use crate::block::{Cx, Input, Outlet, refuse};
use crate::credentials::Material;
use crate::registry::Ports;
use heddle_engine::ports::Failure;
use heddle_llm::{Answer, Ask, Dialect, Error, Fitted, Model, Provider, Server, Tool, fit};
use heddle_model::{Usage, Value};
use heddle_outbound::Client;
use url::Url;

/// Texts that are longer are measured on a thread of their own.
const LARGE: usize = 32 * 1024;

/// What a node's `ollama_host` says when nobody has set it.
const USUAL_HOST: &str = "localhost:11434";

/// A model and the way to it.
pub(super) struct Talk<'a> {
    /// The block's way to its run.
    pub out: Outlet<'a>,
    model: Model,
    name: String,
    provider: &'static Provider,
    base: Url,
    material: Material,
    client: &'a Client,
    /// An answer that is not noted yet: that is only needed when another call follows.
    fresh: Option<Value>,
    used: Usage,
    takes_turns: bool,
}

/// What is asked, before it is made to fit.
#[derive(Clone)]
pub(super) struct Question<'q> {
    pub messages: Vec<Value>,
    pub tools: &'q [Tool],
    pub max_tokens: Option<u64>,
    pub json: bool,
    pub compress: bool,
    pub parallel: Option<bool>,
    /// The answer before was of no use.
    pub again: bool,
}

impl Question<'_> {
    /// A plain one, shortened when it is too long.
    pub fn new(messages: Vec<Value>) -> Self {
        Self { messages, tools: &[], max_tokens: None, json: false, compress: true, parallel: None, again: false }
    }
}

impl<'a> Talk<'a> {
    /// Opens the credential and finds the model that the pins name.
    pub async fn open(input: &mut Input, cx: &Cx, ports: &'a Ports, out: Outlet<'a>) -> Result<Self, Failure> {
        let name = match input.text("model") {
            none if none.is_empty() => heddle_llm::default_model().to_owned(),
            name => name,
        };
        Self::find(input, &name, model_of, cx, ports, out).await
    }

    /// The same, for a model that the block itself has chosen: the server is told no more than the block says.
    pub async fn with_model(
        input: &mut Input,
        model: &str,
        cx: &Cx,
        ports: &'a Ports,
        out: Outlet<'a>,
    ) -> Result<Self, Failure> {
        Self::find(input, model, |_, _, model| Ok(Model::unknown(model)), cx, ports, out).await
    }

    async fn find(
        input: &mut Input,
        model: &str,
        model_of: fn(&str, &Provider, &str) -> Result<Model, Failure>,
        cx: &Cx,
        ports: &'a Ports,
        out: Outlet<'a>,
    ) -> Result<Self, Failure> {
        let client = ports.client()?;
        let credential = ports.credential(&input.take("credentials"), cx).await?;
        let name = credential.provider;
        let provider =
            heddle_llm::provider(&name).ok_or_else(|| refuse(format!("{name} serves no language models")))?;
        let model = model_of(&name, provider, model)?;
        let material = credential.material;
        if !matches!(material, Material::ApiKey { .. }) {
            return Err(refuse("Invalid credentials: an API key is expected"));
        }
        let host = Some(input.text("ollama_host")).filter(|host| provider.host_pin && !host.trim().is_empty());
        let base = match host.filter(|host| host.trim() != USUAL_HOST) {
            Some(host) => Some(host_url(host.trim()).ok_or_else(|| refuse(format!("'{host}' is not a host")))?),
            None => credential.base_url,
        };
        let base = base.ok_or_else(|| {
            refuse(format!(
                "nobody has said where {name} is (the base URL of the credential, or providers.{name}.base_url)"
            ))
        })?;
        let (fresh, used, takes_turns) = (None, Usage::default(), false);
        Ok(Self { out, model, name, provider, base, material, client, fresh, used, takes_turns })
    }

    /// Every call takes a turn of its own, for a block that waits for others between its calls.
    pub fn taking_turns(self) -> Self {
        Self { takes_turns: true, ..self }
    }

    /// Whether messages about tools have the form of Responses.
    pub fn speaks_responses(&self) -> bool {
        self.provider.dialect == Dialect::Responses
    }

    /// Tokens that an answer has at most.
    pub fn output(&self) -> Option<u64> {
        self.model.output
    }

    /// Notes the last answer: more follows from it.
    pub async fn keep(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            self.out.note(Some(fresh), std::mem::take(&mut self.used)).await;
        }
    }

    /// Asks. What was asked before a crash is not asked again. The messages are those that were sent.
    pub async fn ask(&mut self, question: Question<'_>) -> Result<(Answer, Vec<Value>), Error> {
        self.keep().await;
        let Question { messages, tools, max_tokens, json, compress, parallel, again } = question;
        let fitted = fitted(messages, &self.model, compress, max_tokens).await;
        if let Some(answer) = self.out.recall().and_then(|note| serde_json::from_value(note).ok()) {
            return Ok((answer, fitted.messages));
        }
        let max_tokens = fitted.max_tokens;
        let ask = Ask { model: &self.model.slug, messages: &fitted.messages, tools, max_tokens, json, parallel };
        let _turn = if self.takes_turns { self.out.turn(&self.name).await } else { None };
        let answer = self.server().ask(&ask).await.map_err(|error| match error {
            Error::TooLong { model, said, .. } => Error::TooLong { model, window: self.model.window, said },
            other => other,
        });
        self.count(answer.as_ref().map_or_else(|_| Usage::default(), |answer| answer.usage), again);
        let answer = answer?;
        self.fresh = serde_json::to_value(&answer).ok();
        Ok((answer, fitted.messages))
    }

    /// Sends a request of a kind that only this provider knows.
    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value, Error> {
        self.server().post(path, body).await
    }

    fn server(&self) -> Server<'_> {
        let key = match &self.material {
            Material::ApiKey { key } => key.expose().as_str(),
            _ => "",
        };
        Server { provider: self.provider, base: &self.base, key, client: self.client }
    }

    /// Counts a call, and what it took.
    pub fn count(&mut self, usage: Usage, again: bool) {
        self.used.add(&Usage { calls: 1, retries: u64::from(again), ..usage });
    }

    /// Notes what was used and is not noted yet. Every end comes through here.
    pub async fn close(mut self, ended: Result<(), Failure>) -> Result<(), Failure> {
        if self.used != Usage::default() {
            self.out.note(None, self.used).await;
        }
        ended
    }
}

fn model_of(name: &str, provider: &Provider, model: &str) -> Result<Model, Failure> {
    if provider.any_model {
        return Ok(Model::unknown(model));
    }
    let known = heddle_llm::find(model).ok_or_else(|| {
        refuse(format!("Model '{model}' is not supported. It has left the catalogue, and no other has taken its place"))
    })?;
    match known.provider == name {
        true => Ok(known.clone()),
        false => {
            Err(refuse(format!("Invalid credentials: {} is a model of {}, not of {name}", known.slug, known.provider)))
        }
    }
}

fn host_url(host: &str) -> Option<Url> {
    let url = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
    Url::parse(&url).ok().filter(|url| url.has_host())
}

/// Measuring computes: a long conversation must not hold up other runs.
async fn fitted(messages: Vec<Value>, model: &Model, compress: bool, max_tokens: Option<u64>) -> Fitted {
    let size: usize = messages.iter().map(heddle_engine::bounds::size).sum();
    if size <= LARGE || model.window.is_none() {
        return fit(messages, model, compress, max_tokens);
    }
    let model = model.clone();
    let fitting = tokio::task::spawn_blocking(move || fit(messages, &model, compress, max_tokens));
    fitting.await.unwrap_or(Fitted { messages: Vec::new(), max_tokens, estimate: 0 })
}
