//! The whole: opening a data folder, picking up unfinished runs, closing.

use crate::authorization;
use crate::background::Background;
use crate::callbacks::{self, Callbacks, Courier, Render};
use crate::clock::{SystemClock, Watch};
use crate::connect::Connect;
use crate::counters::Counters;
use crate::integrations::{Opener, Provider, Providers};
use crate::library::StoreLibrary;
use crate::marketplace::MarketOfBlocks;
use crate::plans::Plans;
use crate::secrets::Secrets;
use crate::storage::StoreStorage;
use crate::traces::Traces;
use crate::{
    Accounts, Authorization, Blocks, CreditRules, Credits, Error, Gauges, Graphs, Integrations, Keys, Limit, Limiter,
    Marketplace, Passkeys, Reviews, Rotation, Runs, Schedules, Sessions, SignIn, Tools, schedules, upkeep,
};
use heddle_blocks::Registry;
use heddle_engine::{Host, Ports};
use heddle_fault as fault;
use heddle_model::Cost;
use heddle_outbound::{Client, Policy};
use heddle_store::{Database, Sizes, Store};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use heddle_engine::Limits;

/// How long the database may take to say how large it is; who asks has little time himself.
const SIZES: Duration = Duration::from_secs(2);

/// Where applications are developed; what `integrations.callback_origins` is until the operator says otherwise.
pub const CALLBACK_ORIGIN: &str = "http://localhost:3000";

/// How long a database that works may take to keep something small.
const ANSWER: Duration = Duration::from_secs(5);

/// What a platform is opened with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How much runs may take up.
    pub limits: Limits,
    /// Which servers blocks may reach.
    pub outbound: Policy,
    /// How long finished runs are kept; `None`: for ever.
    pub retention: Option<Duration>,
    /// The file of the master key, made at the first start. `None`: no secret can be kept.
    pub key_file: Option<PathBuf>,
    /// Who may sign in how.
    pub sign_in: SignIn,
    /// What this server allows applications.
    pub authorization: authorization::Rules,
    /// Makes the bodies of completion callbacks. `None`: they are not delivered, and wait for somebody who does.
    pub callbacks: Option<Render>,
    /// Not to fire schedules: for a command that is about to end. They are made, listed and removed all the same.
    pub without_firing: bool,
    /// Not to care for durability: for `heddle run` in a throw-away folder.
    pub throwaway: bool,
    /// Where applications' people may come back to from a provider; `None`: a program on port 3000 of this machine.
    pub callback_origins: Option<Vec<String>>,
    /// What is known of providers; `None`: what this build carries.
    pub providers: Option<Arc<Providers>>,
    /// What tells grants and sessions the time.
    pub watch: Watch,
    /// How often somebody may call.
    pub limit: Limit,
    /// Whether spending is free.
    pub credits: CreditRules,
    /// What the operator asks for blocks, by their ids, instead of the catalogue's prices.
    pub prices: HashMap<String, Vec<Cost>>,
}

/// All use cases over one store. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Accounts.
    pub accounts: Accounts,
    /// API keys.
    pub keys: Keys,
    /// Who is signed in with a browser.
    pub sessions: Sessions,
    /// Passkeys, by which people sign in as well.
    pub passkeys: Passkeys,
    /// Applications, and what people allow them.
    pub authorization: Authorization,
    /// Blocks.
    pub blocks: Blocks,
    /// Graphs.
    pub graphs: Graphs,
    /// Credentials for other services.
    pub integrations: Integrations,
    /// Connecting accounts there.
    pub connect: Connect,
    /// Runs.
    pub runs: Runs,
    /// Schedules.
    pub schedules: Schedules,
    /// What runs ask persons.
    pub reviews: Reviews,
    /// How often somebody may call.
    pub limiter: Limiter,
    /// What accounts may spend.
    pub credits: Credits,
    /// Agents that people publish.
    pub marketplace: Arc<Marketplace>,
    /// What assistants are offered.
    pub tools: Tools,
    /// Completion callbacks.
    pub callbacks: Callbacks,
    pub(crate) store: Store,
    secrets: Secrets,
    host: Arc<Host>,
    /// What goes on beside the use cases, in the order in which it is started.
    beside: Arc<Vec<Background>>,
}

impl Platform {
    /// Opens (or makes) the database and picks up unfinished runs. Blocks reach public servers only.
    pub async fn open(database: impl Into<Database>, limits: Limits) -> Result<Self, Error> {
        Self::open_with(database, Options { limits, ..Options::default() }).await
    }

    /// Like [`open`](Self::open), without caring for durability.
    pub async fn open_throwaway(database: impl Into<Database>, limits: Limits) -> Result<Self, Error> {
        Self::open_with(database, Options { limits, throwaway: true, ..Options::default() }).await
    }

    /// Opens (or makes) the database and picks up unfinished runs.
    pub async fn open_with(database: impl Into<Database>, options: Options) -> Result<Self, Error> {
        let store = open(database.into(), options.throwaway).await?;
        let secrets = Secrets::open(store.clone(), options.key_file).await?;
        let policy = options.outbound;
        let outbound = Client::new(heddle_outbound::Options { policy: policy.clone(), ..Default::default() });
        let traces = Traces::default();
        let traced = Traces::are_wanted().then(|| Arc::new(traces.clone()));
        if let Some(traced) = &traced {
            store.watch(traced.clone());
        }
        let accounts = Accounts::new(store.clone());
        let providers = match options.providers {
            Some(providers) => providers,
            None => {
                Arc::new(Providers::new(None, BTreeMap::new()).map_err(|error| Error::Internal(error.to_string()))?)
            }
        };
        let moved = |provider: &Provider| {
            let url = providers.overrides(&provider.name)?.base_url.as_ref()?;
            Some((provider.name.clone(), url.to_string()))
        };
        let bases = providers.iter().filter_map(moved).collect();
        let watch = Arc::clone(&options.watch.0);
        let integrations =
            Integrations::new(store.clone(), secrets.clone(), providers, Arc::clone(&watch), outbound.clone());
        let origins = options.callback_origins.unwrap_or_else(|| vec![CALLBACK_ORIGIN.to_owned()]);
        let shelf = Arc::new(integrations.clone());
        let connect = Connect::new(store.clone(), secrets.clone(), outbound.clone(), shelf, watch, origins);
        let opener = Opener { integrations: integrations.clone(), connect: connect.clone() };
        let market = MarketOfBlocks::new(accounts.clone());
        let registry = Registry::new(heddle_blocks::Ports {
            storage: Some(Arc::new(StoreStorage(store.clone()))),
            outbound: Some(outbound.clone()),
            bases,
            library: Some(Arc::new(StoreLibrary { store: store.clone(), accounts: accounts.clone() })),
            market: Some(market.clone()),
            credentials: Some(Arc::new(opener)),
            spans: traced.map(|traced| traced as Arc<dyn heddle_blocks::Spans>),
            prices: options.prices,
        });
        let plans = Plans::new(store.clone(), Arc::clone(&registry), integrations.clone());
        let credits = Credits::new(store.clone(), options.credits);
        let ports = Ports {
            journal: Arc::new(store.clone()),
            blocks: registry.clone(),
            plans: Arc::new(plans.clone()),
            clock: Arc::new(SystemClock),
            credits: credits.purses(),
        };
        let host = Host::new(ports, options.limits);
        let runs = Runs::new(store.clone(), Arc::clone(&host), plans.clone(), accounts.clone(), traces);
        let deliveries = options.callbacks.and_then(|render| {
            let courier = Courier {
                store: store.clone(),
                runs: runs.clone(),
                accounts: accounts.clone(),
                secrets: secrets.clone(),
                client: outbound,
                clock: Arc::new(SystemClock),
                render,
            };
            callbacks::deliver(courier)
        });
        let schedules =
            Schedules::new(store.clone(), accounts.clone(), plans.clone(), runs.clone(), Arc::new(SystemClock));
        let mut beside = Vec::from_iter(deliveries);
        if secrets.is_rotating().await {
            beside.push(finish_rotation(secrets.clone()));
        }
        if !options.throwaway {
            beside.push(upkeep::start(store.clone(), options.retention));
        }
        let watch = options.watch.0;
        let sessions = Sessions::new(store.clone(), accounts.clone(), options.sign_in, Arc::clone(&watch));
        let limiter = Limiter::new(options.limit, Arc::clone(&watch));
        let graphs = Graphs::new(store.clone(), Arc::clone(&registry), plans.clone(), integrations.clone());
        let (shelf, clock) = (Arc::clone(&registry), Arc::clone(&watch));
        let marketplace = Arc::new(Marketplace::new(store.clone(), accounts.clone(), plans.clone(), shelf, clock));
        market.open(&marketplace);
        let mut platform = Self {
            limiter,
            keys: Keys::new(store.clone(), accounts.clone()),
            authorization: Authorization::new(
                store.clone(),
                accounts.clone(),
                secrets.clone(),
                options.authorization,
                Arc::clone(&watch),
            ),
            passkeys: Passkeys::new(store.clone(), accounts.clone(), sessions.clone(), secrets.clone(), watch),
            sessions,
            blocks: Blocks::new(Arc::clone(&registry), accounts.clone(), credits.clone(), options.limits.value_bytes),
            tools: Tools {
                market: marketplace.clone(),
                graphs: graphs.clone(),
                integrations: integrations.clone(),
                runs: runs.clone(),
                schedules: schedules.clone(),
                credits: credits.clone(),
            },
            credits,
            graphs,
            marketplace,
            runs,
            schedules,
            reviews: Reviews::new(store.clone(), Arc::clone(&host), plans),
            callbacks: Callbacks::new(secrets.clone(), policy),
            integrations,
            connect,
            secrets,
            accounts,
            store,
            host,
            beside: Arc::default(),
        };
        if !options.throwaway {
            let counting =
                vec![platform.limiter.counting(), platform.sessions.counting(), platform.authorization.counting()];
            beside.push(Counters::open(platform.store.clone(), counting).await.keep());
        }
        platform.resume().await?;
        platform.marketplace.reindex().await?;
        if !options.throwaway && !options.without_firing {
            beside.push(schedules::fire(platform.schedules.clone()));
        }
        platform.beside = Arc::new(beside);
        Ok(platform)
    }

    /// Goes on with every run that has not ended and is not parked.
    async fn resume(&self) -> Result<(), Error> {
        fault::point!("platform.resume.before")?;
        let (runs, parked) = self.store.unfinished().await?;
        if !runs.is_empty() || parked > 0 {
            tracing::info!(runs = runs.len(), parked, "{} unfinished runs go on, {parked} are parked", runs.len());
        }
        fault::point!("platform.resume.listed")?;
        self.host.resume(&runs, usize::try_from(parked).unwrap_or(usize::MAX));
        Ok(())
    }

    /// Why runs cannot be accepted right now; empty when they can.
    pub async fn unready(&self) -> Vec<String> {
        let refused = match tokio::time::timeout(ANSWER, self.store.check()).await {
            Ok(checked) => checked.err().map(|error| error.to_string()),
            Err(_) => Some(format!("the database has not answered for {} s", ANSWER.as_secs())),
        };
        refused.into_iter().collect()
    }

    /// What can be said about the whole at this moment.
    pub async fn gauges(&self) -> Gauges {
        Gauges { runs: self.host.gauges(), counts: self.store.counts(), sizes: self.sizes().await }
    }

    /// How much room the database takes, if it says so in time.
    pub async fn sizes(&self) -> Option<Sizes> {
        tokio::time::timeout(SIZES, self.store.sizes()).await.ok()?.ok()
    }

    /// Copies the whole database into a file that is not there yet, while runs go on. What was acknowledged before is
    /// in it.
    pub async fn copy_to(&self, path: &std::path::Path) -> Result<(), Error> {
        // Told to an operator, who needs to know what it was.
        self.store.copy_to(path).await.map_err(|error| Error::Internal(error.to_string()))
    }

    /// Makes a new master key and seals everything with it, while all else goes on.
    pub async fn rotate_master_key(&self) -> Result<Rotation, Error> {
        self.secrets.rotate().await
    }

    /// Looks for damage in the database.
    pub async fn integrity(&self) -> Result<(), Error> {
        Ok(self.store.integrity().await?)
    }

    /// Stops accepting, lets frames commit, closes the database. Unfinished runs go on at the next open.
    pub async fn close(&self) {
        fault::pass!("platform.close.before");
        for work in self.beside.iter().rev() {
            work.stop().await;
        }
        self.host.close().await;
        self.store.close().await;
    }
}

/// Goes on with a change of the master key that was broken off.
fn finish_rotation(secrets: Secrets) -> Background {
    Background::start(async move {
        if let Err(error) = secrets.finish().await {
            tracing::error!(%error, "the change of the master key is not over, the older keys stay: {error}");
        }
    })
}

/// Opens the store. Whoever opens it is told why that failed, in full.
async fn open(database: Database, throwaway: bool) -> Result<Store, Error> {
    let place = match &database {
        Database::File(path) => format!("{}: ", path.display()),
        Database::Server(_) => String::new(),
    };
    let open = move || match &database {
        Database::File(path) if throwaway => Store::open_throwaway(path),
        _ => database.open(),
    };
    match tokio::task::spawn_blocking(open).await {
        Ok(opened) => opened.map_err(|error| Error::Internal(format!("{place}{error}"))),
        Err(error) => Err(Error::Internal(error.to_string())),
    }
}
