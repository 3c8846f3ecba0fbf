//! Runs that only persons can move on.

use super::{RunOutcome, Runs, outcome, run_not_found};
use crate::Error;
use heddle_engine::Machine;
use heddle_model::{NodeExecId, RunId, UserId};
use std::time::Duration;

impl Runs {
    /// Waits until the run ends, or waits for nothing but persons, or the time is over; then the run as it is, with the
    /// reviews that keep it, its child runs' included. An end comes at once; of children that have waited for something
    /// else before, the caller may have to ask again.
    pub async fn wait_or_asked(
        &self,
        owner: UserId,
        run: RunId,
        limit: Duration,
    ) -> Result<(RunOutcome, Vec<NodeExecId>), Error> {
        // Taken before the look at the disk, so that nothing falls between the two.
        let progress = self.host.watch(run);
        let was_parked = progress.as_ref().is_some_and(|progress| progress.borrow().is_parked);
        let before = self.standing(owner, run).await?;
        let Some(mut progress) = progress.filter(|_| !before.0.summary.status.is_terminal() && before.1.is_empty())
        else {
            return Ok(before);
        };
        let rested = async {
            // One that parked since has something to tell; one that was parked has told it.
            if was_parked {
                progress.wait_for(|progress| progress.ended.is_some() || !progress.is_parked).await?;
            }
            progress.wait_for(|progress| progress.ended.is_some() || progress.is_parked).await.map(drop)
        };
        // Over in time or not, the disk says where it stands.
        let _ = tokio::time::timeout(limit, rested).await;
        self.standing(owner, run).await
    }

    async fn standing(&self, owner: UserId, run: RunId) -> Result<(RunOutcome, Vec<NodeExecId>), Error> {
        let record = self.store.run_by_id(owner, run).await?.ok_or_else(|| run_not_found(&run.to_string()))?;
        let machine = self.machine(&record).await?;
        let shown = outcome(&machine);
        Ok((shown, self.only_reviews(owner, machine).await?))
    }

    /// The reviews that are all an unfinished run waits for; none when anything else of it may move.
    async fn only_reviews(&self, owner: UserId, machine: Machine) -> Result<Vec<NodeExecId>, Error> {
        let (mut reviews, mut open) = (Vec::new(), vec![machine]);
        while let Some(machine) = open.pop() {
            if machine.has_ended() || machine.has_ready() {
                return Ok(Vec::new());
            }
            reviews.extend(machine.reviewing().into_iter().map(|exec| machine.exec_id(exec)));
            for exec in machine.running() {
                let child = match machine.execs[exec as usize].child {
                    Some(child) => self.store.run_by_id(owner, child).await?,
                    None => None,
                };
                match child {
                    Some(child) => open.push(self.machine(&child).await?),
                    None => return Ok(Vec::new()),
                }
            }
        }
        Ok(reviews)
    }
}
