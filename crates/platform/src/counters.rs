//! Counters of attempts and requests that outlive the process: whoever was to wait does so after a restart as well.
//!
//! They are kept in memory, where each request finds them, and put into the database once a second at most and when the
//! process closes. A process that is killed forgets the last second, or the last half minute where very many are counted.

use crate::background::Background;
use heddle_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How often what has changed is put on disk …
const PACE: Duration = Duration::from_secs(1);
/// … and how often what is larger than so many bytes.
const LARGE: usize = 64 * 1024;
const LARGE_PACE: Duration = Duration::from_secs(30);
/// How long the last time may take.
const LAST: Duration = Duration::from_secs(2);

/// Counters that can be put on disk and back.
pub(crate) trait Counting: Send + Sync {
    /// What they are kept under.
    fn name(&self) -> &'static str;

    /// How often anything was counted.
    fn changes(&self) -> u64;

    /// All of them; what is over may be left out.
    fn dump(&self) -> serde_json::Result<Vec<u8>>;

    /// Puts back what was dumped, beside what was counted since.
    fn restore(&self, dumped: &[u8]) -> serde_json::Result<()>;
}

/// Counters and how far each is on disk.
pub(crate) struct Counters {
    store: Store,
    all: Vec<(Arc<dyn Counting>, Kept)>,
}

#[derive(Default)]
struct Kept {
    changes: u64,
    bytes: usize,
    at: Option<Instant>,
}

impl Counters {
    /// Reads what an earlier process has counted. What cannot be read is counted anew: nobody is to be locked out, nor the
    /// server kept from starting.
    pub(crate) async fn open(store: Store, all: Vec<Arc<dyn Counting>>) -> Self {
        for counting in &all {
            let name = counting.name();
            match store.counter(name).await {
                Ok(Some(dumped)) => {
                    if let Err(error) = counting.restore(&dumped) {
                        tracing::warn!("the counters of {name} cannot be read: {error}");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!("the counters of {name} cannot be read: {error}"),
            }
        }
        let kept = |counting: Arc<dyn Counting>| {
            let changes = counting.changes();
            (counting, Kept { changes, ..Kept::default() })
        };
        Self { store, all: all.into_iter().map(kept).collect() }
    }

    /// Keeps them up to date on disk until the process closes.
    pub(crate) fn keep(mut self) -> Background {
        Background::start_with_notice(LAST, |mut stopped: oneshot::Receiver<()>| async move {
            loop {
                let is_last = tokio::select! {
                    _ = &mut stopped => true,
                    () = tokio::time::sleep(PACE) => false,
                };
                self.save(is_last).await;
                if is_last {
                    return;
                }
            }
        })
    }

    async fn save(&mut self, is_last: bool) {
        for (counting, kept) in &mut self.all {
            let changes = counting.changes();
            let is_large = kept.bytes > LARGE && kept.at.is_some_and(|at| at.elapsed() < LARGE_PACE);
            if changes == kept.changes || (is_large && !is_last) {
                continue;
            }
            let Ok(dumped) = counting.dump() else { continue };
            let bytes = dumped.len();
            match self.store.put_counter(counting.name(), dumped).await {
                Ok(()) => *kept = Kept { changes, bytes, at: Some(Instant::now()) },
                Err(error) => tracing::warn!("the counters of {} were not kept: {error}", counting.name()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::{Limit, Limiter};
    use crate::{Clock, Watch};
    use heddle_model::Time;
    use std::net::IpAddr;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Time {
            Time(1_770_000_000_000_000)
        }

        fn random(&self) -> [u8; 16] {
            [0; 16]
        }
    }

    /// One process: guesses once; says whether that was too often.
    async fn guess(store: &Store) -> bool {
        let limit = Limit { failures_per_head: 2, ..Limit::default() };
        let limiter = Limiter::new(limit, Watch(Arc::new(Noon)).0);
        let kept = Counters::open(store.clone(), vec![limiter.counting()]).await.keep();
        let refused = limiter.is_too_often(IpAddr::from([1, 1, 1, 1]), b"agpt_aaa1");
        kept.stop().await;
        refused
    }

    #[tokio::test]
    async fn what_was_counted_goes_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("heddle.db")).unwrap();
        assert_eq!([guess(&store).await, guess(&store).await, guess(&store).await], [false, false, true]);
        store.put_counter("requests", b"[".to_vec()).await.unwrap();
        assert!(!guess(&store).await, "what cannot be read is counted anew");
    }
}
