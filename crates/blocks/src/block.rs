//! What a block is to this crate: an id, an effect and a function from input pins to emissions.
//!
//! `Input` reads pins that the schema check has already passed; `Out` takes emissions, checks each against the
//! block's declaration and ends the execution at the first one that does not fit.

use crate::check;
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_engine::ports::{Call, Called, Emitted, Failure, KeyValue, Sink};
use heddle_engine::tool::Tool;
use heddle_model::{BlockFacts, Object, Usage, Value};
use heddle_outbound::Client;
use std::pin::Pin;
use std::sync::Arc;

pub(crate) use heddle_engine::ports::Context as Cx;

/// How an execution or one emission ended.
pub(crate) type Ended = Result<(), Failure>;

/// What a block that asks another server is doing. In the end it has one value for one pin.
pub(crate) type Asking<'a> = Pin<Box<dyn Future<Output = Result<(&'static str, Value), Failure>> + Send + 'a>>;

/// What a block that works with the ports is doing; it emits as it goes.
pub(crate) type Working<'a> = Pin<Box<dyn Future<Output = Ended> + Send + 'a>>;

/// One served block.
pub(crate) struct Block {
    /// Catalogue id.
    pub id: &'static str,
    /// How far it reaches with an input.
    pub effect: fn(&Object) -> Effect,
    /// Whether computing may take long with an input.
    pub slow: fn(&Object) -> bool,
    /// What it does.
    pub run: Run,
}

/// What a block does, by the way it is driven.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Computes and returns.
    Now(fn(Input, &Cx, &mut Out<'_>) -> Ended),
    /// Reads the account's storage.
    Retrieve,
    /// Asks another server.
    Ask {
        /// Whose, by input; calls to one provider are bounded together.
        provider: fn(&Object) -> Option<String>,
        /// Asks.
        ask: for<'a> fn(Input, &'a Cx, &'a Client) -> Asking<'a>,
    },
    /// Works with whatever the ports offer: several requests, credentials, values as they come.
    Work {
        /// Whose servers it asks, by input; calls to one provider are bounded together.
        provider: fn(&Object) -> Option<String>,
        /// Works.
        work: for<'a> fn(Input, &'a Cx, &'a Ports, Outlet<'a>) -> Working<'a>,
    },
    /// Waits and emits, round by round.
    Timer,
    /// Runs another agent, which only an engine can do.
    SubAgent,
    /// Waits for a person, which only an engine can do.
    Review,
}

impl Block {
    /// Same input, same output.
    pub const fn pure(id: &'static str, run: fn(Input, &Cx, &mut Out<'_>) -> Ended) -> Self {
        Self { id, effect: |_| Effect::Pure, slow: never, run: Run::Now(run) }
    }

    /// Depends on the clock, on randomness or on where it runs.
    pub const fn local(id: &'static str, run: fn(Input, &Cx, &mut Out<'_>) -> Ended) -> Self {
        Self { id, effect: |_| Effect::Local, slow: never, run: Run::Now(run) }
    }

    /// The block, said to be slow with some inputs.
    pub const fn slow_when(self, slow: fn(&Object) -> bool) -> Self {
        Self { slow, ..self }
    }
}

/// For blocks that are quick with every input that fits the bounds, and for those that do not compute.
pub(crate) fn never(_: &Object) -> bool {
    false
}

/// The block says no.
pub(crate) fn refuse(text: impl Into<String>) -> Failure {
    Failure::Execution(text.into())
}

/// The input pins of one execution, nulls already dropped. They are shared with the record of the run: what is taken
/// out is copied as long as that holds on to them.
pub(crate) struct Input(Arc<Object>);

impl Input {
    /// Wraps pins that passed the block's schema.
    pub fn new(pins: impl Into<Arc<Object>>) -> Self {
        Self(pins.into())
    }

    /// Moves a pin out; null when it is absent.
    pub fn take(&mut self, pin: &str) -> Value {
        let taken = match Arc::get_mut(&mut self.0) {
            Some(pins) => pins.swap_remove(pin),
            None => self.0.get(pin).cloned(),
        };
        taken.unwrap_or(Value::Null)
    }

    /// Moves a pin out if it has a value.
    pub fn given(&mut self, pin: &str) -> Option<Value> {
        Some(self.take(pin)).filter(|value| !value.is_null())
    }

    /// A text pin; empty when absent.
    pub fn text(&mut self, pin: &str) -> String {
        match self.take(pin) {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    /// A list pin; empty when absent.
    pub fn list(&mut self, pin: &str) -> Vec<Value> {
        match self.take(pin) {
            Value::Array(items) => items,
            _ => Vec::new(),
        }
    }

    /// A list of lists; other elements are refused by the schema.
    pub fn lists(&mut self, pin: &str) -> Vec<Vec<Value>> {
        let lists = self.list(pin).into_iter();
        lists.map(|list| if let Value::Array(items) = list { items } else { Vec::new() }).collect()
    }

    /// A dictionary pin; empty when absent.
    pub fn object(&mut self, pin: &str) -> Object {
        match self.take(pin) {
            Value::Object(object) => object,
            _ => Object::new(),
        }
    }

    /// A yes or no.
    pub fn flag(&self, pin: &str, default: bool) -> bool {
        self.0.get(pin).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A whole number. JSON Schema counts 3.0 as one, so this does too.
    pub fn integer(&self, pin: &str) -> Option<i64> {
        crate::number::integer(self.0.get(pin)?)
    }

    /// A number as a float.
    pub fn number(&self, pin: &str) -> f64 {
        self.0.get(pin).and_then(Value::as_f64).unwrap_or_default()
    }
}

/// Takes what one execution emits.
pub(crate) struct Out<'a> {
    facts: &'a BlockFacts,
    emitted: Emitted,
}

impl<'a> Out<'a> {
    /// An empty one for a block.
    pub fn new(facts: &'a BlockFacts) -> Self {
        Self { facts, emitted: Emitted::default() }
    }

    /// Emits a value. The pin `error` ends the execution instead, as does a value that the pin does not allow.
    pub fn emit(&mut self, pin: &str, value: impl Into<Value>) -> Ended {
        let value = value.into();
        check::emission(self.facts, pin, &value)?;
        self.emitted.outputs.push((pin.to_owned(), value));
        Ok(())
    }

    /// Emits a number; JSON has no infinity and no NaN, so these become null, which no pin is asked about.
    pub fn number(&mut self, pin: &str, value: f64) -> Ended {
        if value.is_finite() {
            return self.emit(pin, value);
        }
        self.emitted.outputs.push((pin.to_owned(), Value::Null));
        Ok(())
    }

    /// Keeps a value in the account's storage, together with the outputs.
    pub fn keep(&mut self, key: String, value: Value) {
        self.emitted.writes.push(KeyValue { key, value });
    }

    /// What came out.
    pub fn into_emitted(self) -> Emitted {
        self.emitted
    }
}

/// Hands on what a waiting block emits, as it emits it.
pub(crate) struct Outlet<'a> {
    facts: &'a BlockFacts,
    sink: &'a mut dyn Sink,
}

impl<'a> Outlet<'a> {
    /// One over a sink, for a block.
    pub fn new(facts: &'a BlockFacts, sink: &'a mut dyn Sink) -> Self {
        Self { facts, sink }
    }

    /// Emits a value; waits while the run is busy. The pin `error` ends the execution instead, as does a value that
    /// the pin does not allow.
    pub async fn emit(&mut self, pin: &str, value: impl Into<Value>) -> Ended {
        let value = value.into();
        check::emission(self.facts, pin, &value)?;
        self.sink.emit(pin, value).await;
        Ok(())
    }

    /// What an earlier attempt noted next.
    pub fn recall(&mut self) -> Option<Value> {
        self.sink.recall()
    }

    /// Keeps a note for later attempts, and counts what was used.
    pub async fn note(&mut self, note: Option<Value>, usage: Usage) {
        self.sink.note(note, usage).await;
    }

    /// The nodes that may be run as tools.
    pub fn tools(&self) -> Arc<[Tool]> {
        self.sink.tools()
    }

    /// Has nodes run as tools, and waits for all of them.
    pub async fn call(&mut self, calls: Vec<Call>) -> Vec<Called> {
        self.sink.call(calls).await
    }

    /// Waits for a turn among the calls to a provider, which lasts until what is returned is dropped.
    pub async fn turn(&mut self, provider: &str) -> Option<Box<dyn Send>> {
        self.sink.turn(provider).await
    }
}
