//! The blocks of this build, as the engine and the doors see them.
//!
//! Every execution goes the same way: nulls dropped, input checked, block run, each emission checked, stopped at the
//! first failure with what came before it kept. Panics and time limits are the driver's business.

use crate::agents::{Library, Market};
use crate::bases::Bases;
use crate::basic::{persist, retrieve};
use crate::block::{Input, Out, Outlet, Run, refuse};
use crate::catalogue::{Entry, shelf};
use crate::check;
use crate::costs;
use crate::credentials::Credentials;
use crate::spans::{self, Spans};
use crate::storage::Storage;
use crate::time::countdown;
use async_trait::async_trait;
use heddle_engine::Effect;
use heddle_engine::ports::{Blocks, Context, Emitted, Failure, Sink, Timer};
use heddle_fault as fault;
use heddle_model::{BlockFacts, BlockId, Catalogue, Cost, Object, Usage, Value, cost, python};
use heddle_outbound::Client;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, Span};

/// What blocks need from outside. A block whose port is missing fails and says so.
#[derive(Clone, Default)]
pub struct Ports {
    /// Where values are kept between runs.
    pub storage: Option<Arc<dyn Storage>>,
    /// The way to other servers.
    pub outbound: Option<Client>,
    /// Where providers are reached, if not at their own addresses.
    pub bases: Bases,
    /// The accounts' libraries.
    pub library: Option<Arc<dyn Library>>,
    /// The marketplace.
    pub market: Option<Arc<dyn Market>>,
    /// Where credentials come from.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// Who traces executions that wait, if anybody does.
    pub spans: Option<Arc<dyn Spans>>,
    /// What the operator asks for blocks, by their ids, instead of the catalogue's prices.
    pub prices: HashMap<String, Vec<Cost>>,
}

/// Every known block, and how to run those that this build serves.
#[derive(Default)]
pub struct Registry {
    ports: Ports,
}

impl Registry {
    /// A registry without ports: for those who only ask what is known about blocks.
    pub fn standard() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// A registry whose blocks use these ports.
    pub fn new(ports: Ports) -> Arc<Self> {
        Arc::new(Self { ports })
    }

    /// What is known about the block of exactly this id.
    pub fn facts(&self, id: &str) -> Option<Arc<BlockFacts>> {
        shelf().find(id).map(|entry| entry.facts().clone())
    }

    /// The blocks that can be used, in catalogue order.
    pub fn served(&self) -> impl Iterator<Item = Arc<BlockFacts>> {
        let served = shelf().entries().iter().filter(|entry| entry.block.is_some());
        served.map(|entry| entry.facts().clone()).filter(|facts| !facts.disabled)
    }

    /// The price that counts for an execution; `None` where it is free.
    fn price<'a>(&'a self, block: &'a BlockFacts, input: &Object) -> Option<&'a Cost> {
        let own = if self.ports.prices.is_empty() { None } else { self.ports.prices.get(block.id.as_str()) };
        let costs = own.unwrap_or(&block.costs);
        if costs.is_empty() {
            return None;
        }
        let pins = block.input_pins();
        let served = served_model(block, input);
        let by_model =
            |model| cost::price_of(costs, pins, |pin| if pin == "model" { Some(model) } else { input.get(pin) });
        served.as_ref().and_then(by_model).or_else(|| cost::price(costs, pins, input))
    }

    fn now(entry: &Entry, block: &BlockFacts, input: Arc<Object>, cx: &Context) -> (Emitted, Result<(), Failure>) {
        let Some(Run::Now(run)) = entry.block.map(|block| block.run) else {
            return (Emitted::default(), Err(unavailable(block)));
        };
        let input = match check::input(block, input) {
            Ok(input) => input,
            Err(failure) => return (Emitted::default(), Err(failure)),
        };
        let mut out = Out::new(block);
        let ended = run(Input::new(input), cx, &mut out);
        (out.into_emitted(), ended)
    }

    /// Runs any served block, also one that never waits; its writes then go to the storage at once.
    async fn serve(
        &self,
        block: Arc<BlockFacts>,
        input: Arc<Object>,
        cx: Context,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let (Some(entry), Some(run)) = (entry(&block), entry(&block).and_then(|entry| entry.block)) else {
            return Err(unavailable(&block));
        };
        match run.run {
            Run::Now(_) => {
                let (emitted, ended) = Self::now(entry, &block, input, &cx);
                self.deliver(emitted, ended, &cx, sink).await
            }
            Run::Retrieve => {
                let input = Input::new(check::input(&block, input)?);
                let value = retrieve::read(input, &cx, self.ports.storage.as_deref()).await?;
                sink.emit("value", value).await;
                Ok(())
            }
            Run::Ask { ask, .. } => {
                let input = Input::new(check::input(&block, input)?);
                let client = self.ports.client()?;
                before_asking()?;
                let (pin, value) = ask(input, &cx, client).await?;
                after_asking()?;
                check::emission(&block, pin, &value)?;
                sink.emit(pin, value).await;
                Ok(())
            }
            Run::Work { work, .. } => {
                let input = Input::new(check::input(&block, input)?);
                before_asking()?;
                work(input, &cx, &self.ports, Outlet::new(&block, sink)).await?;
                after_asking()
            }
            Run::Timer => {
                let timer = self.timer(&block, &input)?;
                for _ in 0..timer.rounds {
                    tokio::time::sleep(Duration::from_secs(timer.seconds)).await;
                    sink.emit(&timer.output.0, timer.output.1.clone()).await;
                }
                Ok(())
            }
            Run::SubAgent => Err(Failure::Execution("running another agent needs a graph run".to_owned())),
            Run::Review => {
                check::input(&block, input)?;
                Err(Failure::Execution("asking a person needs a graph run".to_owned()))
            }
        }
    }

    async fn deliver(
        &self,
        emitted: Emitted,
        ended: Result<(), Failure>,
        cx: &Context,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        for write in emitted.writes {
            let storage = self.ports.storage.as_ref().ok_or_else(persist::no_storage)?;
            storage.put(cx.user, &write.key, write.value).await.map_err(Failure::Unknown)?;
        }
        for (pin, value) in emitted.outputs {
            sink.emit(&pin, value).await;
        }
        ended
    }
}

fn entry(block: &BlockFacts) -> Option<&'static Entry> {
    shelf().find(block.id.as_str())
}

fn unavailable(block: &BlockFacts) -> Failure {
    Failure::Execution(format!("block {} is not available on this server", block.name))
}

fn failed(fault: fault::Fault) -> Failure {
    Failure::Unknown(fault.to_string())
}

fn before_asking() -> Result<(), Failure> {
    fault::point!("blocks.ask.before").map_err(failed)
}

fn after_asking() -> Result<(), Failure> {
    fault::point!("blocks.ask.after").map_err(failed)
}

fn no_outbound() -> Failure {
    refuse("this server does not reach other servers")
}

/// The model that is asked where the input has another name for it, of blocks that pay by the model.
fn served_model(block: &BlockFacts, input: &Object) -> Option<Value> {
    let given = input.get("model").filter(|_| costs::is_by_model(block.id.as_str()))?;
    let slug = match given.as_str() {
        None | Some("") => heddle_llm::default_model(),
        Some(name) => heddle_llm::find(name)?.slug.as_str(),
    };
    (given != slug).then(|| slug.into())
}

impl Ports {
    /// The way to other servers.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        self.outbound.as_ref().ok_or_else(no_outbound)
    }
}

impl Catalogue for Registry {
    fn block(&self, id: &BlockId) -> Option<Arc<BlockFacts>> {
        self.facts(id.as_str())
    }
}

#[async_trait]
impl Blocks for Registry {
    fn effect(&self, block: &BlockFacts, input: &Object) -> Effect {
        entry(block).and_then(|entry| entry.block).map_or(Effect::Unsafe, |block| (block.effect)(input))
    }

    fn is_immediate(&self, block: &BlockFacts) -> bool {
        entry(block).and_then(|entry| entry.block).is_none_or(|block| matches!(block.run, Run::Now(_)))
    }

    fn may_be_slow(&self, block: &BlockFacts, input: &Object) -> bool {
        entry(block).and_then(|entry| entry.block).is_some_and(|block| (block.slow)(input))
    }

    fn cost(&self, block: &BlockFacts, input: &Object) -> u64 {
        self.price(block, input).map_or(0, Cost::before)
    }

    fn may_cost_more(&self, block: &BlockFacts, input: &Object) -> bool {
        self.price(block, input).is_some_and(|price| price.kind != cost::Kind::Run)
    }

    fn cost_after(&self, block: &BlockFacts, input: &Object, took: Duration, usage: &Usage) -> u64 {
        self.price(block, input).map_or(0, |price| price.after(took, python::json_size_of(input), usage))
    }

    fn provider(&self, block: &BlockFacts, input: &Object) -> Option<String> {
        match entry(block)?.block?.run {
            Run::Ask { provider, .. } | Run::Work { provider, .. } => provider(input),
            _ => None,
        }
    }

    fn run_now(&self, block: &BlockFacts, input: Arc<Object>, cx: &Context) -> (Emitted, Result<(), Failure>) {
        let Some(entry) = entry(block) else { return (Emitted::default(), Err(unavailable(block))) };
        if let Err(fault) = fault::point!("blocks.now.before") {
            return (Emitted::default(), Err(failed(fault)));
        }
        let (emitted, ended) = Self::now(entry, block, input, cx);
        (emitted, fault::point!("blocks.now.after").map_err(failed).and(ended))
    }

    async fn run(
        &self,
        block: Arc<BlockFacts>,
        input: Arc<Object>,
        cx: Context,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let place = self.ports.spans.as_ref().zip(cx.place.as_ref());
        let span = place.map_or_else(Span::none, |(spans, place)| spans.node(&block, place));
        let ended = self.serve(block, input, cx, sink).instrument(span.clone()).await;
        spans::note(&span, &ended);
        ended
    }

    fn timer(&self, block: &BlockFacts, input: &Object) -> Result<Timer, Failure> {
        let entry = entry(block).ok_or_else(|| unavailable(block))?;
        if !entry.block.is_some_and(|block| matches!(block.run, Run::Timer)) {
            return Err(Failure::Unknown(format!("block {} is no timer", block.name)));
        }
        countdown::timer(Input::new(check::input(block, input.clone())?))
    }
}
