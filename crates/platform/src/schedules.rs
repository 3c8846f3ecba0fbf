//! Schedules: graphs that are started by themselves, by the clocks of a time zone (`engine.md` 16, 17.9).
//!
//! **Slots.** A schedule stands at the slot that comes next. When that has come, its run is started and the schedule moves
//! on. The run's id follows from the schedule and the slot, so whatever happens between the two, a slot has one run.
//!
//! **Missed slots.** While nobody was there to fire them, however long: the first missed slot is fired, once, and stands
//! for all up to now. Runs of one schedule may overlap. A slot that cannot be started because too much waits or the
//! database is away is tried again until it can.
//!
//! **Disabled accounts.** Their slots pass; none is made up for.
//!
//! **Clocks that are set.** Put forward, the slots in between have been missed. Put back by more than a minute, slots are
//! counted anew from what the clock says now; those that had their run do not get another one.
//!
//! What cannot be started any more is removed, and the log says why: a schedule whose run is refused, and all of an account's
//! schedules for a graph that is gone or not in its library.

mod firing;

use crate::accounts::Accounts;
use crate::plans::{Plans, not_in_library};
use crate::{Error, Principal, Runs, Start};
use firing::Alarm;
use heddle_engine::ports::Clock;
use heddle_model::cron::{self, Cron, Tz};
use heddle_model::{GraphId, Object, ScheduleId, Time, UserId, python};
use heddle_store::Store;
use std::sync::Arc;

pub(crate) use firing::fire;
pub use heddle_store::Schedule;

/// What a new schedule is made of.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Graph id as it came in.
    pub graph: String,
    /// Its version; without one, the highest.
    pub version: Option<i64>,
    /// For people.
    pub name: String,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// IANA name; without one, the account's, or UTC.
    pub time_zone: Option<String>,
    /// Input name → value, for each run.
    pub inputs: Object,
    /// Field of the graph's `credentials_input_schema` → reference to a credential, for each run.
    pub credentials: Object,
}

/// The schedules of this server.
#[derive(Clone)]
pub struct Schedules {
    store: Store,
    accounts: Accounts,
    plans: Plans,
    runs: Runs,
    clock: Arc<dyn Clock>,
    alarm: Arc<Alarm>,
}

impl Schedules {
    pub(crate) fn new(store: Store, accounts: Accounts, plans: Plans, runs: Runs, clock: Arc<dyn Clock>) -> Self {
        Self { store, accounts, plans, runs, clock, alarm: Arc::default() }
    }

    /// Makes a schedule, if its graph could be started with these inputs now. [`Error::Refused`] with what is wrong;
    /// [`Error::NotFound`] when the caller has no such graph.
    pub async fn create(&self, caller: &Principal, new: NewSchedule) -> Result<Schedule, Error> {
        let owner = caller.user;
        let cron: Cron = new.cron.parse().map_err(refused)?;
        let account = self.accounts.get(owner).await?.ok_or_else(|| Error::NotFound("User not found.".to_owned()))?;
        let (zone, time_zone) = match new.time_zone {
            Some(name) => (cron::zone(&name).map_err(refused)?, name),
            None => zone_of(account.time_zone.as_deref()),
        };

        let missing = || {
            let version = new.version.map_or("None".to_owned(), |version| version.to_string());
            Error::NotFound(format!("Graph #{} v{version} not found.", new.graph))
        };
        let graph = GraphId::parse(&new.graph).ok_or_else(missing)?;
        let stored = self.store.graph(owner, graph, new.version).await?.ok_or_else(missing)?;
        if !stored.in_library {
            return Err(Error::Refused(not_in_library(graph)));
        }
        let mut schedule = Schedule {
            id: ScheduleId::from_random(self.clock.random()),
            owner,
            organization: caller.organization,
            graph,
            version: stored.graph.version,
            name: new.name,
            agent_name: stored.graph.name,
            cron: new.cron,
            time_zone,
            inputs: new.inputs,
            credentials: new.credentials,
            created_at: Time::default(),
            next_run_at: Time::default(),
        };
        python::clean_object(&mut schedule.inputs);
        self.runs.check(caller, start(&schedule)).await?;

        schedule.created_at = self.clock.now();
        let next = cron.next_after(schedule.created_at, zone);
        schedule.next_run_at =
            next.ok_or_else(|| Error::Refused(format!("{:?} never comes: there is no such day", schedule.cron)))?;
        self.store.insert_schedule(schedule.clone()).await?;
        self.alarm.set(schedule.next_run_at);
        Ok(schedule)
    }

    /// The owner's schedules, next one first.
    pub async fn list(&self, owner: UserId) -> Result<Vec<Schedule>, Error> {
        Ok(self.store.schedules(owner).await?)
    }

    /// Removes a schedule; runs that it has started go on. [`Error::NotFound`]: `Schedule #<id> not found`
    pub async fn remove(&self, owner: UserId, id: &str) -> Result<Schedule, Error> {
        let missing = || Error::NotFound(format!("Schedule #{id} not found"));
        let schedule = ScheduleId::parse(id).ok_or_else(missing)?;
        let found = self.store.schedule(owner, schedule).await?.ok_or_else(missing)?;
        match self.store.remove_schedule(owner, schedule).await {
            Err(heddle_store::Error::NotFound) => Err(missing()),
            other => Ok(other.map(|()| found)?),
        }
    }
}

fn refused(error: cron::CronError) -> Error {
    Error::Refused(error.to_string())
}

/// The account's zone and its name; UTC when there is none, or none that is known here.
fn zone_of(account: Option<&str>) -> (Tz, String) {
    let own = account.and_then(|name| Some((cron::zone(name).ok()?, name.to_owned())));
    own.unwrap_or((Tz::UTC, "UTC".to_owned()))
}

/// What each of its runs is started with.
fn start(schedule: &Schedule) -> Start {
    Start {
        graph: schedule.graph.to_string(),
        version: schedule.version,
        inputs: schedule.inputs.clone(),
        credentials: schedule.credentials.clone(),
        ..Start::default()
    }
}

#[cfg(test)]
mod tests;
