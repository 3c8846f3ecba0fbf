//! The start of a process: runs that others left unfinished go on.

use super::{Host, RETRY};
use crate::journal::JournalError;
use crate::ports::Lane;
use heddle_model::RunId;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Parked runs asked for at once.
const PAGE: usize = 1000;

/// A run that has not ended and is not parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The run.
    pub run: RunId,
    /// Whose turn it takes.
    pub lane: Lane,
    /// It is another run's child.
    pub is_child: bool,
}

impl Host {
    /// Goes on with these runs, oldest first; `parked` others wait to be woken.
    pub fn resume(self: &Arc<Self>, runs: &[Unfinished], parked: usize) {
        self.unfinished.fetch_add(runs.len() + parked, Ordering::Relaxed);
        for run in runs {
            self.enter(run.run, run.lane, run.is_child);
        }
        self.keep_time();
        if parked > 0 {
            let host = Arc::clone(self);
            tokio::spawn(async move {
                while let Err(error) = host.wake_parents().await {
                    tracing::error!("parents of runs cannot be looked for yet: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            });
        }
    }

    /// A child may have said something that its parked parent did not live to hear.
    async fn wake_parents(self: &Arc<Self>) -> Result<(), JournalError> {
        let mut after = None;
        while !self.is_closing() {
            let page = self.ports.journal.awaiting(after, PAGE).await?;
            for awaiting in &page {
                for (child, read) in &awaiting.children {
                    let standing = self.ports.journal.standing(*child).await?;
                    let news = standing.map_or(u64::MAX, |standing| standing.news);
                    if news > *read {
                        self.tell(awaiting.run, *child, news);
                        break;
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.run),
                _ => break,
            }
        }
        Ok(())
    }
}
