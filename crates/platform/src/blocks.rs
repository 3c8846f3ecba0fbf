//! Single blocks: listing them and running one outside any graph.

use crate::clock::SystemClock;
use crate::{Accounts, Credits, Error};
use async_trait::async_trait;
use futures::FutureExt;
use heddle_blocks::Registry;
use heddle_engine::ports::{Blocks as _, Clock, Context, Failure, Sink};
use heddle_engine::{bounds, view};
use heddle_model::{BlockFacts, Object, Usage, UserId, Value};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds one direct execution may take when the block has no limit of its own.
const LIMIT: u64 = 1800;

/// The blocks of this server.
#[derive(Clone)]
pub struct Blocks {
    registry: Arc<Registry>,
    accounts: Accounts,
    credits: Credits,
    clock: SystemClock,
    value_bytes: usize,
}

/// A pin and every value emitted on it, in order.
pub type PinValues = view::Named;

impl Blocks {
    pub(crate) fn new(registry: Arc<Registry>, accounts: Accounts, credits: Credits, value_bytes: usize) -> Self {
        Self { registry, accounts, credits, clock: SystemClock, value_bytes }
    }

    /// Blocks that can be used, in a stable order.
    pub fn list(&self) -> Vec<Arc<BlockFacts>> {
        self.registry.served().collect()
    }

    /// The served block of exactly this id.
    pub fn get(&self, id: &str) -> Option<Arc<BlockFacts>> {
        self.registry.facts(id).filter(|block| block.served && !block.disabled)
    }

    /// One sentence about a category name.
    pub fn category_description(&self, name: &str) -> &'static str {
        heddle_blocks::category_description(name)
    }

    /// Runs one block, once it is paid for. [`Error::NotFound`], [`Error::Forbidden`] (disabled), [`Error::Payment`] or
    /// [`Error::Refused`] with the block's text.
    pub async fn execute(&self, user: UserId, id: &str, mut input: Object) -> Result<PinValues, Error> {
        let missing = || Error::NotFound(format!("Block #{id} not found."));
        let block = self.registry.facts(id).ok_or_else(missing)?;
        if block.disabled {
            return Err(Error::Forbidden(format!("Block #{id} is disabled.")));
        }
        if !block.served {
            return Err(missing());
        }
        let account = self.accounts.get(user).await?.ok_or_else(|| Error::NotFound("User not found.".to_owned()))?;
        heddle_model::python::clean_object(&mut input);
        let context = Context {
            user,
            time_zone: account.time_zone.clone(),
            now: self.clock.now(),
            seed: rand::random(),
            place: None,
        };
        let (cost, more) = (self.registry.cost(&block, &input), self.registry.may_cost_more(&block, &input));
        let paid = self.credits.pay(user, &block.name, cost, more).await?;
        let (begun, input) = (Instant::now(), Arc::new(input));
        let mut usage = Usage::default();
        let ended = self.run(Arc::clone(&block), Arc::clone(&input), context, &mut usage).await;
        if more {
            paid.settle(self.registry.cost_after(&block, &input, begun.elapsed(), &usage)).await;
        }
        ended
    }

    async fn run(
        &self,
        block: Arc<BlockFacts>,
        input: Arc<Object>,
        context: Context,
        usage: &mut Usage,
    ) -> Result<PinValues, Error> {
        let limit = block.time_limit.unwrap_or(LIMIT);
        match tokio::time::timeout(Duration::from_secs(limit), self.emissions(Arc::clone(&block), input, context)).await
        {
            Ok(Ok((Collected { emitted, used }, ended))) => {
                usage.add(&used);
                ended.map_err(|failure| Error::Refused(failure.to_string()))?;
                match emitted.iter().find_map(|(pin, value)| bounds::refusal(pin, value, self.value_bytes)) {
                    Some(text) => Err(Error::Refused(text)),
                    None => Ok(view::group(emitted.iter().map(|(pin, value)| (pin.as_str(), value)))),
                }
            }
            Ok(Err(_)) => Err(Error::Internal(format!("block {} panicked", block.name))),
            Err(_) => Err(Error::Refused(format!("Node execution exceeded {limit}s wall-clock cap"))),
        }
    }

    /// What the block emits. One that never waits gets a thread of its own: requests go on whatever it does.
    async fn emissions(
        &self,
        block: Arc<BlockFacts>,
        input: Arc<Object>,
        context: Context,
    ) -> std::thread::Result<Ended> {
        let registry = Arc::clone(&self.registry);
        let immediate = registry.is_immediate(&block);
        let work = async move {
            let mut emitted = Collected::default();
            let ended = registry.run(block, input, context, &mut emitted).await;
            (emitted, ended)
        };
        if !immediate {
            return AssertUnwindSafe(work).catch_unwind().await;
        }
        let runtime = tokio::runtime::Handle::current();
        let result = tokio::task::spawn_blocking(move || runtime.block_on(work)).await;
        result.map_err(|panic| Box::new(panic) as Box<dyn std::any::Any + Send>)
    }
}

/// What came out, and how it ended.
type Ended = (Collected, Result<(), Failure>);

#[derive(Default)]
struct Collected {
    emitted: Vec<(String, Value)>,
    used: Usage,
}

#[async_trait]
impl Sink for Collected {
    async fn emit(&mut self, pin: &str, value: Value) {
        self.emitted.push((pin.to_owned(), value));
    }

    async fn note(&mut self, _: Option<Value>, usage: Usage) {
        self.used.add(&usage);
    }
}
