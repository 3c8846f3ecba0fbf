//! Starting a run: checked, accepted on disk, answered; once per idempotency key.

use super::{Runs, Started};
use crate::plans::{Checked, not_found};
use crate::{CallbackUrl, Error, Principal};
use heddle_engine::driver::Prepared;
use heddle_engine::journal::{Accepted, Idempotency, JournalError, Settings};
use heddle_engine::ports::Clock;
use heddle_engine::{Progress, StartError};
use heddle_fault as fault;
use heddle_model::{GraphId, Object, OrgId, RunId, Time, UserId, python};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// How long an idempotency key holds (`v2-core.md` 1.9).
const KEY_MICROS: i64 = 24 * 3600 * 1_000_000;
const UNWRITABLE: &str = "Runs cannot be written right now, retry shortly.";
const BUSY: &str = "Too many runs are waiting, retry shortly.";

/// A request to run one version of a graph.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Graph id as it came in.
    pub graph: String,
    /// Its version.
    pub version: i64,
    /// Input name → value. A reference under the name of a field of credentials is no input but one of those.
    pub inputs: Object,
    /// Field of the graph's `credentials_input_schema` → reference to a credential; other names are ignored.
    pub credentials: Object,
    /// The caller's key for this start and a fingerprint of the request.
    pub idempotency: Option<heddle_engine::journal::Idempotency>,
    /// Who is told when the run has ended.
    pub callback_url: Option<CallbackUrl>,
}

/// Idempotency keys of requests that have not been answered.
#[derive(Clone, Default)]
pub(super) struct Starting(Arc<Mutex<HashSet<Claim>>>);

type Claim = (UserId, OrgId, String);

/// A key in flight; free again when this goes.
struct Claimed {
    starting: Starting,
    claim: Claim,
}

impl Starting {
    fn claim(&self, caller: &Principal, key: &str) -> Option<Claimed> {
        let claim = (caller.user, caller.organization, key.to_owned());
        let is_first = self.0.lock().expect("nothing panics while it holds the lock").insert(claim.clone());
        is_first.then(|| Claimed { starting: self.clone(), claim })
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.starting.0.lock().expect("nothing panics while it holds the lock").remove(&self.claim);
    }
}

impl Runs {
    /// Starts a run. When this returns the run is on disk.
    ///
    /// [`Error::Refused`] with the contract's text, [`Error::Busy`] when too many wait, [`Error::Mismatch`] or
    /// [`Error::Conflict`] for an idempotency key used otherwise or still in flight.
    pub async fn start(&self, caller: &Principal, start: Start) -> Result<Started, Error> {
        let Some(idempotency) = start.idempotency.clone() else { return self.start_new(caller, start).await };
        let Some(_claimed) = self.starting.claim(caller, &idempotency.key) else {
            return Err(Error::Conflict("a request with this idempotency key is still in flight".to_owned()));
        };
        match self.replayed(caller, &idempotency).await? {
            Some(started) => Ok(started),
            None => self.start_new(caller, start).await,
        }
    }

    /// The run that a request with this key has started. [`Error::Mismatch`] when the key was used for another one.
    pub(crate) async fn started_with(
        &self,
        caller: &Principal,
        key: &Idempotency,
    ) -> Result<Option<super::RunSummary>, Error> {
        let Some(Started { id, .. }) = self.replayed(caller, key).await? else { return Ok(None) };
        Ok(self.store.run_by_id(caller.user, id).await?.map(|record| super::summary(&record)))
    }

    /// The run that this key has started already.
    async fn replayed(&self, caller: &Principal, idempotency: &Idempotency) -> Result<Option<Started>, Error> {
        let since = Time(self.clock.now().0 - KEY_MICROS);
        let (owner, organization) = (caller.user, caller.organization);
        let found = self.store.run_by_idempotency(owner, organization, &idempotency.key, since).await?;
        match found {
            Some((fingerprint, id)) if fingerprint == idempotency.fingerprint => {
                Ok(Some(Started { id, progress: None }))
            }
            Some(_) => Err(Error::Mismatch("this idempotency key was used for another request".to_owned())),
            None => Ok(None),
        }
    }

    /// Starts the run that has this id, for whoever must not start it twice: one that is there already is left alone.
    pub(crate) async fn start_once(&self, caller: &Principal, run: RunId, start: Start) -> Result<(), Error> {
        let prepared = self.prepare(caller, run, start).await?;
        match self.enter(caller, run, prepared).await {
            Ok(_) | Err(Refusal::Exists) => Ok(()),
            Err(Refusal::Said(error)) => Err(error),
        }
    }

    /// Whether this could be started now; nothing is.
    pub(crate) async fn check(&self, caller: &Principal, start: Start) -> Result<(), Error> {
        self.prepare(caller, self.new_id(), start).await.map(drop)
    }

    async fn start_new(&self, caller: &Principal, start: Start) -> Result<Started, Error> {
        let run = self.new_id();
        let prepared = self.prepare(caller, run, start).await?;
        match self.enter(caller, run, prepared).await {
            Ok(progress) => Ok(Started { id: run, progress: Some(progress) }),
            Err(Refusal::Exists) => Err(unwritable(&JournalError::Exists)),
            Err(Refusal::Said(error)) => Err(error),
        }
    }

    fn new_id(&self) -> RunId {
        RunId::at(self.clock.now(), self.clock.random())
    }

    /// All that is checked before a run is accepted.
    async fn prepare(&self, caller: &Principal, run: RunId, mut start: Start) -> Result<Ready, Error> {
        let missing = || Error::Refused(not_found(&start.graph));
        let graph = GraphId::parse(&start.graph).ok_or_else(missing)?;
        let known = self.plans.find(caller.user, graph, start.version).await?.ok_or_else(missing)?;
        if !known.stored.in_library {
            return Err(Error::Refused(self.plans.why_not(caller.user, &known).await?));
        }
        let account = self.accounts.get(caller.user).await?.ok_or_else(missing)?;
        python::clean_object(&mut start.inputs);
        python::clean_object(&mut start.credentials);
        let (inputs, credentials) = (&mut start.inputs, &mut start.credentials);
        self.plans.take_credentials(caller.user, &known, inputs, credentials).await?;
        let checked = self.plans.check(caller.user, &known, credentials, Object::new()).await?;
        let Checked { skip, masks } = checked.map_err(Error::Refused)?;
        let settings = self.plans.settings(caller.user, &known).await?;
        let accepted = Accepted {
            owner: caller.user,
            organization: caller.organization,
            graph,
            version: start.version,
            inputs: start.inputs,
            credentials: start.credentials,
            masks,
            skip,
            settings: Settings { time_zone: account.time_zone.clone(), ..settings },
            parent: None,
            root: run,
            depth: 0,
            callback_url: start.callback_url.map(CallbackUrl::into_text),
        };
        let plan = Arc::clone(&known.plan);
        let prepared = self.host.prepare(run, plan, accepted, start.idempotency).map_err(Error::Refused)?;
        Ok(Ready { graph, prepared })
    }

    /// Has the run accepted.
    async fn enter(&self, caller: &Principal, run: RunId, ready: Ready) -> Result<watch::Receiver<Progress>, Refusal> {
        fault::point!("platform.start.before")?;
        self.traces.begin(run, caller.user, ready.graph);
        let started = self.host.start(ready.prepared).await;
        if started.is_err() {
            self.traces.abandon(run);
        }
        fault::point!("platform.start.after")?;
        started.map_err(|error| match error {
            StartError::Busy | StartError::Journal(JournalError::Closed) => {
                Refusal::Said(Error::Busy(BUSY.to_owned(), 1))
            }
            StartError::Journal(JournalError::Taken) => {
                Refusal::Said(Error::Conflict("another request holds this idempotency key".to_owned()))
            }
            StartError::Journal(JournalError::Exists) => Refusal::Exists,
            StartError::Journal(error) => Refusal::Said(unwritable(&error)),
        })
    }
}

/// A run that may be accepted.
struct Ready {
    graph: GraphId,
    prepared: Prepared,
}

/// Why a run was not accepted.
enum Refusal {
    /// There is a run with this id.
    Exists,
    /// Anything else.
    Said(Error),
}

impl From<fault::Fault> for Refusal {
    fn from(fault: fault::Fault) -> Self {
        Self::Said(fault.into())
    }
}

fn unwritable(error: &JournalError) -> Error {
    tracing::error!("a run could not be accepted: {error}");
    Error::Busy(UNWRITABLE.to_owned(), 5)
}
