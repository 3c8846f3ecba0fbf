//! The store as the engine's journal. What cannot be read because the database is away is read when it is back: a run
//! that waits is better than one that fails of it.

use async_trait::async_trait;
use heddle_engine::journal::{Entry, Frame, JournalError};
use heddle_engine::ports::{Journal, Ticket};
use heddle_model::RunId;
use heddle_store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Clones share the end of their patience.
#[derive(Clone)]
pub(crate) struct PatientJournal {
    store: Store,
    is_closing: Arc<AtomicBool>,
}

impl PatientJournal {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, is_closing: Arc::default() }
    }

    /// From now on what cannot be read is an error.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Journal for PatientJournal {
    fn append(&self, frames: Vec<Frame>) -> Ticket {
        self.store.append(frames)
    }

    async fn read(&self, run: RunId, from: u64) -> Result<Vec<Entry>, JournalError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.store.entries(run, from).await {
                Err(error) if error.may_pass() && !self.is_closing.load(Ordering::Relaxed) => {
                    tracing::warn!(run.id = %run, %error, "the journal of run {run} is read again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return other.map_err(JournalError::from),
            }
        }
    }
}
