//! Asking again while the database is away: a run must not fail of what passes.

use heddle_store::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// After this long it is no longer taken for something that passes.
const LONGEST: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The answer, or the last error.
pub(crate) async fn patiently<T, F>(question: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let give_up = Instant::now() + LONGEST;
    let mut pause = FIRST_PAUSE;
    loop {
        match question().await {
            Err(error) if error.may_pass() && Instant::now() < give_up => {
                tracing::warn!(%error, "asking the database again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            other => return other,
        }
    }
}
