//! Runs that runs have started.

use super::carry::Begin;
use super::{Control, Host, RETRY};
use crate::driver::{Driver, Prepared};
use crate::journal::Accepted;
use crate::machine::Machine;
use heddle_model::RunId;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs equally deep below one root that are driven at once.
const GENERATION: usize = 256;

impl Host {
    pub(crate) async fn prepare_child(&self, run: RunId, mut accepted: Accepted) -> Result<Prepared, String> {
        let Accepted { owner, graph, version, .. } = accepted;
        let (plan, skip) = self.ports.plans.runnable(owner, graph, version, &accepted.masks).await?;
        accepted.skip = skip;
        let generation = self.generation(accepted.root, accepted.depth).acquire_owned().await.ok();
        let prepared = self.prepare(run, plan, accepted, None)?;
        Ok(Prepared { generation, ..prepared })
    }

    /// The places of the runs that stand equally deep below one root. An agent that calls itself twice would fill all
    /// memory; so its runs wait for each other, and as a run only ever waits for deeper ones, some run can always go on.
    fn generation(&self, root: RunId, depth: u32) -> Arc<Semaphore> {
        let mut generations = self.generations.lock().expect("nothing panics while it holds the lock");
        if let Some(places) = generations.get(&(root, depth)).and_then(Weak::upgrade) {
            return places;
        }
        generations.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(GENERATION));
        generations.insert((root, depth), Arc::downgrade(&places));
        places
    }

    /// A child was accepted.
    pub(crate) fn count_child(&self) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
    }

    /// Drives a child whose acceptance is on disk.
    pub(crate) fn launch(self: &Arc<Self>, machine: Machine, durable: u64, generation: Option<OwnedSemaphorePermit>) {
        let run = machine.run;
        self.count_child();
        let Some((mut channels, _)) = self.live().register(run) else { return };
        channels.generation = generation;
        let driver = Driver::new(Arc::clone(self), machine, durable, Vec::new(), None, channels).fresh();
        tokio::spawn(Arc::clone(self).carry(run, Begin::With(Box::new(driver))));
    }

    /// A child has something on disk that its parent has to hear of: wakes the parent where it is parked.
    pub(crate) fn tell(self: &Arc<Self>, parent: RunId, child: RunId, news: u64) {
        let is_woken = {
            let live = self.live();
            live.is_queued(parent) || live.say(parent, Control::ChildNews(child, news)).is_ok()
        };
        if !is_woken {
            self.wake_soon(parent);
        }
    }

    /// Sees to it that an unfinished child is driven unless it is parked, which is told to those who follow it. False
    /// when there is none.
    pub(crate) async fn wake_child(self: &Arc<Self>, child: RunId) -> bool {
        loop {
            match self.ports.journal.standing(child).await {
                Ok(Some(standing)) if standing.ended => return false,
                Ok(Some(standing)) if standing.parked => {
                    self.live().set_parked(child);
                    return true;
                }
                Ok(Some(_)) => return self.rouse(child, None, None),
                Ok(None) => return false,
                // Whoever follows it would wait for ever for a child that nobody drives.
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    /// Whether a run is over for certain; one that is not there is.
    pub(crate) async fn has_ended(&self, run: RunId) -> bool {
        match self.ports.journal.standing(run).await {
            Ok(standing) => standing.is_none_or(|standing| standing.ended),
            Err(_) => false,
        }
    }
}
